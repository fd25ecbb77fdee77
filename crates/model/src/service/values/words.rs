//! Which settings are one of a few words, and how does each API spell them?

use serde_json::{Value, json};

use crate::field::Setting;

/// Why `text` is none of `words`; some enums have a refusal of their own.
fn not_a_word(text: &str, words: &[&str], own: Option<&str>) -> String {
    let usual = || format!("'{text}' is not valid. Allowed values are [{}]", words.join(", "));
    own.map_or_else(usual, str::to_owned)
}

/// Why a launch stage is refused.
pub const LAUNCH_STAGES: &str = "only ALPHA, BETA, GA, or unspecified are supported";

/// The other launch stages of Google's products.
pub(crate) const OTHER_LAUNCH_STAGES: &[&str] = &["UNIMPLEMENTED", "PRELAUNCH", "EARLY_ACCESS", "DEPRECATED"];

/// Declares an enum whose values each API spells in its own way.
macro_rules! words {
    (
        $(#[$outer:meta])*
        pub enum $Name:ident $(otherwise $refusal:path)? {
            $($(#[$doc:meta])* $Value:ident = $v1:literal, $v2:literal, $number:literal;)+
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $Name { $($(#[$doc])* $Value,)+ }

        impl $Name {
            /// Every value, with its spelling in v1 and in v2, and its number in the protocol buffer.
            pub const WORDS: &'static [(Self, &'static str, &'static str, i64)] =
                &[$((Self::$Value, $v1, $v2, $number)),+];
        }

        impl Setting for $Name {
            const TYPE: &'static str = concat!("one of", $(" `", $v1, "`"),+);

            fn schema() -> Value {
                let words: std::collections::BTreeSet<&str> = [$($v2),+].into();
                json!({ "type": "string", "enum": words })
            }

            fn text_schema() -> Value {
                json!({ "type": "string", "enum": [$($v1),+] })
            }

            fn from_text(text: &str) -> Result<Self, String> {
                let known = Self::WORDS.iter().find(|(_, v1, ..)| v1.eq_ignore_ascii_case(text));
                known.map(|(value, ..)| *value).ok_or_else(|| {
                    let own: &[&str] = &[$($refusal)?];
                    let words: Vec<&str> = Self::WORDS.iter().map(|(_, v1, ..)| *v1).collect();
                    not_a_word(text, &words, own.first().copied())
                })
            }

            fn to_text(&self) -> String {
                let word = Self::WORDS.iter().find(|(value, ..)| value == self).map(|(_, v1, ..)| *v1);
                word.unwrap_or_default().to_owned()
            }

            /// By name or by number, as proto3 JSON allows; 0 and `…_UNSPECIFIED` are unset.
            fn from_v2(value: &Value) -> Result<Option<Self>, String> {
                let known = match value {
                    Value::String(name) if name.ends_with("_UNSPECIFIED") || name.is_empty() => return Ok(None),
                    Value::String(name) => Self::WORDS.iter().find(|(_, _, v2, _)| v2 == name),
                    Value::Number(number) if number.as_i64() == Some(0) => return Ok(None),
                    Value::Number(number) => {
                        Self::WORDS.iter().find(|(.., known)| number.as_i64() == Some(*known))
                    }
                    _ => None,
                };
                known.map(|(value, ..)| Some(*value)).ok_or_else(|| {
                    format!("type.googleapis.com/google.cloud.run.v2.{}", stringify!($Name))
                })
            }

            fn to_v2(&self) -> Value {
                let word = Self::WORDS.iter().find(|(value, ..)| value == self).map(|(_, _, v2, _)| *v2);
                Value::from(word.unwrap_or_default())
            }
        }
    };
}

words! {
    /// From where a service takes requests.
    pub enum Ingress {
        /// From anywhere.
        All = "all", "INGRESS_TRAFFIC_ALL", 1;
        /// From inside the project's network only.
        Internal = "internal", "INGRESS_TRAFFIC_INTERNAL_ONLY", 2;
        /// From inside, and through an application load balancer.
        InternalAndCloudLoadBalancing =
            "internal-and-cloud-load-balancing", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", 3;
        /// From nowhere.
        None = "none", "INGRESS_TRAFFIC_NONE", 4;
    }
}

words! {
    /// The least launch stage of the features that a service uses.
    pub enum LaunchStage otherwise LAUNCH_STAGES {
        /// Alpha features.
        Alpha = "ALPHA", "ALPHA", 2;
        /// Beta features.
        Beta = "BETA", "BETA", 3;
        /// Nothing but generally available features.
        Ga = "GA", "GA", 4;
    }
}

words! {
    /// Who decides how many instances a service has.
    pub enum ScalingMode {
        /// Cloud Run, by load.
        Automatic = "automatic", "AUTOMATIC", 1;
        /// The user, by `manualInstanceCount`.
        Manual = "manual", "MANUAL", 2;
    }
}

words! {
    /// The generation of the sandbox that containers run in.
    pub enum ExecutionEnvironment {
        /// The first generation.
        Gen1 = "gen1", "EXECUTION_ENVIRONMENT_GEN1", 1;
        /// The second generation.
        Gen2 = "gen2", "EXECUTION_ENVIRONMENT_GEN2", 2;
    }
}

words! {
    /// Which outgoing traffic goes through the VPC.
    pub enum VpcEgress {
        /// All of it.
        AllTraffic = "all-traffic", "ALL_TRAFFIC", 1;
        /// All of it, in the deprecated spelling.
        All = "all", "ALL_TRAFFIC", 1;
        /// What goes to private addresses.
        PrivateRangesOnly = "private-ranges-only", "PRIVATE_RANGES_ONLY", 2;
    }
}

words! {
    /// What happens to running instances when their encryption key is revoked.
    pub enum KeyRevocation {
        /// No new instances are started.
        PreventNew = "prevent-new", "PREVENT_NEW", 1;
        /// Running instances are shut down, too.
        ShutDown = "shut-down", "SHUTDOWN", 2;
    }
}

words! {
    /// What a service is to other agents.
    pub enum FunctionalType {
        /// An agent.
        Agent = "agent", "FUNCTIONAL_TYPE_AGENT", 1;
        /// A server of the Model Context Protocol.
        McpServer = "mcp-server", "FUNCTIONAL_TYPE_MCP_SERVER", 2;
    }
}

words! {
    /// Which kind of workload identity a revision has.
    pub enum IdentityType {
        /// That of its service account.
        ServiceAccount = "service-account", "IDENTITY_TYPE_SERVICE_ACCOUNT", 1;
        /// That of an agent.
        AgentIdentity = "agent-identity", "IDENTITY_TYPE_AGENT_IDENTITY", 2;
    }
}

words! {
    /// How far an ambient network reaches.
    pub enum AmbientScope {
        /// Over the region.
        Regional = "AMBIENT_SCOPE_REGIONAL", "AMBIENT_SCOPE_REGIONAL", 1;
        /// Over all regions.
        Global = "AMBIENT_SCOPE_GLOBAL", "AMBIENT_SCOPE_GLOBAL", 2;
    }
}

words! {
    /// Where an empty directory is.
    pub enum Medium {
        /// In memory.
        Memory = "Memory", "MEMORY", 1;
        /// On the disk of the instance.
        Disk = "DISK", "DISK", 2;
    }
}

words! {
    /// Whether a target follows the latest ready revision.
    pub enum TargetType {
        /// It follows it.
        Latest = "latest", "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", 1;
        /// It has a revision of its own.
        Revision = "revision", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", 2;
    }
}
