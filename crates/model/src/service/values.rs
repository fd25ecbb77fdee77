//! Which types can a setting have, and how does v1 spell their values?

use serde_json::Value;

use crate::field::Setting;

impl Setting for String {
    const TYPE: &'static str = "a string";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn to_text(&self) -> String {
        self.clone()
    }

    fn is_unset(&self) -> bool {
        self.is_empty()
    }
}

/// gcloud writes Python's `True` and `False`; the hosted service answers in lower case.
impl Setting for bool {
    const TYPE: &'static str = "true or false";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("must be true or false, not '{text}'")),
        }
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Setting for i64 {
    const TYPE: &'static str = "an integer";

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("must be an integer, not '{text}'"))
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn to_json(&self) -> Value {
        Value::from(*self)
    }
}

/// A list that an annotation holds as JSON: `["a","b"]`.
impl Setting for Vec<String> {
    const TYPE: &'static str = "a JSON list of strings";

    fn from_text(text: &str) -> Result<Self, String> {
        crate::audience::parse_annotation(text, "").map_err(crate::Error::into_description)
    }

    fn to_text(&self) -> String {
        crate::audience::render_annotation(self).unwrap_or_default()
    }

    fn is_unset(&self) -> bool {
        self.is_empty()
    }
}

/// A value that an annotation holds as JSON and that groundrun keeps as it is.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Json(pub Value);

impl Setting for Json {
    const TYPE: &'static str = "JSON";

    fn from_text(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|problem| format!("must be JSON: {problem}"))
    }

    fn to_text(&self) -> String {
        self.0.to_string()
    }

    fn is_unset(&self) -> bool {
        self.0.is_null()
    }
}

/// Declares an enum whose values each API spells in its own way.
macro_rules! words {
    (
        $(#[$outer:meta])*
        pub enum $Name:ident { $($(#[$doc:meta])* $Value:ident = $v1:literal, $v2:literal;)+ }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $Name { $($(#[$doc])* $Value,)+ }

        impl $Name {
            /// Every value, with its spelling in v1 and in v2.
            pub const WORDS: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$Value, $v1, $v2)),+];
        }

        impl Setting for $Name {
            const TYPE: &'static str = concat!("one of", $(" `", $v1, "`"),+);

            fn from_text(text: &str) -> Result<Self, String> {
                let known = Self::WORDS.iter().find(|(_, v1, _)| v1.eq_ignore_ascii_case(text));
                known.map(|(value, ..)| *value).ok_or_else(|| {
                    let words: Vec<&str> = Self::WORDS.iter().map(|(_, v1, _)| *v1).collect();
                    format!("'{text}' is not valid. Allowed values are [{}]", words.join(", "))
                })
            }

            fn to_text(&self) -> String {
                let word = Self::WORDS.iter().find(|(value, ..)| value == self).map(|(_, v1, _)| *v1);
                word.unwrap_or_default().to_owned()
            }
        }
    };
}

words! {
    /// From where a service takes requests.
    pub enum Ingress {
        /// From anywhere.
        All = "all", "INGRESS_TRAFFIC_ALL";
        /// From inside the project's network only.
        Internal = "internal", "INGRESS_TRAFFIC_INTERNAL_ONLY";
        /// From inside, and through an application load balancer.
        InternalAndCloudLoadBalancing =
            "internal-and-cloud-load-balancing", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER";
        /// From nowhere.
        None = "none", "INGRESS_TRAFFIC_NONE";
    }
}

words! {
    /// The least launch stage of the features that a service uses.
    pub enum LaunchStage {
        /// Alpha features.
        Alpha = "ALPHA", "ALPHA";
        /// Beta features.
        Beta = "BETA", "BETA";
        /// Nothing but generally available features.
        Ga = "GA", "GA";
    }
}

words! {
    /// Who decides how many instances a service has.
    pub enum ScalingMode {
        /// Cloud Run, by load.
        Automatic = "automatic", "AUTOMATIC";
        /// The user, by `manualInstanceCount`.
        Manual = "manual", "MANUAL";
    }
}

words! {
    /// The generation of the sandbox that containers run in.
    pub enum ExecutionEnvironment {
        /// The first generation.
        Gen1 = "gen1", "EXECUTION_ENVIRONMENT_GEN1";
        /// The second generation.
        Gen2 = "gen2", "EXECUTION_ENVIRONMENT_GEN2";
    }
}

words! {
    /// Which outgoing traffic goes through the VPC.
    pub enum VpcEgress {
        /// All of it.
        AllTraffic = "all-traffic", "ALL_TRAFFIC";
        /// All of it, in the deprecated spelling.
        All = "all", "ALL_TRAFFIC";
        /// What goes to private addresses.
        PrivateRangesOnly = "private-ranges-only", "PRIVATE_RANGES_ONLY";
    }
}
