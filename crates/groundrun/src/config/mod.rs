//! Which options does the emulator have, and which value is in force?
//!
//! A value comes from a flag, else from a `GROUNDRUN_*` variable, else from `groundrun.yaml`, else it is
//! the default. One row of the table below is all that an option needs: the flag (`--data-dir`), the
//! variable (`GROUNDRUN_DATA_DIR`) and the key of the file (`dataDir`) follow from its name.

mod balancers;
mod file;
mod values;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use groundrun_model::iam::Identities;
use groundrun_model::routing::Balancers;
use groundrun_model::routing::balancer::LoadBalancer;
use groundrun_model::rule::{RuleEntry, Rules};
use groundrun_model::service::plan::RevisionPolicy;
use groundrun_model::url::UrlStyle;
use groundrun_model::{Project, Region};
use serde::{Deserialize, Serialize};

pub use self::balancers::{BalancerEntry, PathEntry, Text};
pub use self::file::{ConfigError, ConfigFile};
use self::values::by_name;
pub use self::values::{Delay, LogLevel, OtherAddress};
use crate::server::ServeOptions;

/// Where the emulator listens unless told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8786);

macro_rules! options {
    (
        place { $($(#[doc = $place_doc:literal])+ $(#[arg($($place_arg:tt)+)])?
            $place:ident: $place_type:ty = $place_default:expr;)+ }
        emulator { $($(#[doc = $doc:literal])+ $(#[arg($($arg:tt)+)])?
            $name:ident: $type:ty = $default:expr;)+ }
        file { $($(#[doc = $file_doc:literal])+ $file:ident: $file_type:ty;)+ }
    ) => {
        /// What tells one emulator from another, for commands that talk to it or about it.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
        pub struct Place {
            $($(#[doc = $place_doc])+ #[arg(long $(, $($place_arg)+)?)] pub $place: Option<$place_type>,)+
        }

        /// Every option, each set or not.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Args, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct Options {
            $($(#[doc = $place_doc])+ #[arg(long $(, $($place_arg)+)?)] pub $place: Option<$place_type>,)+
            $($(#[doc = $doc])+ #[arg(long $(, $($arg)+)?)] pub $name: Option<$type>,)+
            $($(#[doc = $file_doc])+ #[arg(skip)] pub $file: Option<$file_type>,)+
        }

        /// The value of every option.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Settings {
            $($(#[doc = $place_doc])+ pub $place: $place_type,)+
            $($(#[doc = $doc])+ pub $name: $type,)+
            $($(#[doc = $file_doc])+ pub $file: $file_type,)+
        }

        impl From<Place> for Options {
            fn from(place: Place) -> Self {
                Self { $($place: place.$place,)+ ..Self::default() }
            }
        }

        impl Options {
            /// These options, and those of `below` where these are not set.
            #[must_use]
            pub fn or(self, below: Self) -> Self {
                Self {
                    $($place: self.$place.or(below.$place),)+
                    $($name: self.$name.or(below.$name),)+
                    $($file: self.$file.or(below.$file),)+
                }
            }

            fn or_default(self) -> Settings {
                Settings {
                    $($place: self.$place.unwrap_or_else(|| $place_default),)+
                    $($name: self.$name.unwrap_or_else(|| $default),)+
                    $($file: self.$file.unwrap_or_default(),)+
                }
            }
        }
    };
}

options! {
    place {
        /// Address and port of the emulator
        #[arg(value_name = "ADDRESS:PORT")]
        listen: SocketAddr = DEFAULT_LISTEN;
        /// Project of commands that name none
        #[arg(value_name = "ID")]
        project: String = "demo-project".to_owned();
        /// Region of requests that name none
        #[arg(value_name = "REGION")]
        region: String = "us-central1".to_owned();
    }
    emulator {
        /// Directory that keeps services, policies and keys
        #[arg(value_name = "DIRECTORY")]
        data_dir: PathBuf = PathBuf::from(".groundrun");
        /// Keep everything in memory, whatever the data directory is
        ephemeral: bool = false;
        /// Which changes cut a revision: every-change (template and service-level settings) or template
        #[arg(value_name = "POLICY", value_parser = by_name::<RevisionPolicy>)]
        revision_policy: RevisionPolicy = RevisionPolicy::default();
        /// Which form of its URLs a service reports: local (http://….run.localhost) or hosted (https://….run.app)
        #[arg(value_name = "STYLE", value_parser = by_name::<UrlStyle>)]
        url_style: UrlStyle = UrlStyle::default();
        /// Redirect http to https, as the hosted service does
        https_redirect: bool = false;
        /// Say in the header x-groundrun-explain why a caller was turned away
        explain: bool = false;
        /// A service account exists only after it was created
        strict_identity: bool = false;
        /// Refuse an update through v2 whose etag is stale (the hosted service ignores it)
        strict_etags: bool = false;
        /// Callers of the API need the permissions that the hosted service asks for
        enforce_api_iam: bool = false;
        /// Account that the metadata server of this port speaks for [default: the one of Compute Engine]
        #[arg(value_name = "EMAIL")]
        metadata_account: String = String::new();
        /// How long a change of an IAM policy takes to count, such as 60s or 2m; none is at once
        #[arg(value_name = "DURATION")]
        iam_propagation: Delay = Delay::default();
        /// Address and port besides, whose callers count as inside for ingress settings
        #[arg(value_name = "ADDRESS:PORT")]
        internal_listen: OtherAddress = OtherAddress::default();
        /// What is logged to standard error: off, error, warn, info, debug or trace
        #[arg(value_name = "LEVEL", value_parser = by_name::<LogLevel>)]
        log: LogLevel = LogLevel::default();
    }
    file {
        /// The members of each group, by its address
        groups: BTreeMap<String, Vec<String>>;
        /// The addresses in each domain besides those that end in it
        domains: BTreeMap<String, Vec<String>>;
        /// Which images stand for what on this machine; the first that matches counts
        rules: Vec<RuleEntry>;
        /// Hosts that stand for external Application Load Balancers, and the services behind them
        load_balancers: Vec<BalancerEntry>;
    }
}

impl Options {
    /// The value of every option.
    ///
    /// # Errors
    /// If a value that is given as free text is none; the text names the option and the reason.
    pub fn resolve(self) -> Result<Settings, ConfigError> {
        let settings = self.or_default();
        let refuse = |option: &'static str| {
            move |error: groundrun_model::Error| ConfigError::Value {
                option,
                reason: error.into_description(),
            }
        };
        Project::parse(&settings.project).map_err(refuse("project"))?;
        Region::parse(&settings.region).map_err(refuse("region"))?;
        settings.identities().map_err(|error| {
            let first = error.violations.first();
            let option = first
                .map_or("groups", |one| if one.field.starts_with("domains") { "domains" } else { "groups" });
            let at = first.map(|one| one.field.clone()).filter(|field| field != option);
            let reason =
                at.map_or_else(String::new, |field| format!("{field}: ")) + &error.into_description();
            ConfigError::Value { option, reason }
        })?;
        Rules::read(&settings.rules).map_err(|error| {
            let reason = error.violations.first().map(|one| format!("{}: {}", one.field, one.description));
            ConfigError::Value { option: "rules", reason: reason.unwrap_or(error.message) }
        })?;
        Ok(settings)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Options::default().or_default()
    }
}

impl Settings {
    /// Who is in the groups and domains of the file.
    ///
    /// # Errors
    /// If an entry is none; it is named.
    fn identities(&self) -> groundrun_model::Result<Identities> {
        Identities::read(&self.groups, &self.domains)
    }

    /// The load balancers of the file.
    ///
    /// # Errors
    /// What is wrong with an entry, and its line.
    fn load_balancers(&self) -> Result<Vec<LoadBalancer>, balancers::Refusal> {
        let told = |error: groundrun_model::Error| (0, error.message);
        let project = Project::parse(&self.project).map_err(told)?;
        let region = Region::parse(&self.region).map_err(told)?;
        balancers::read(&self.load_balancers, &project, &region)
    }

    /// What the server must be told.
    pub fn serve_options(&self) -> ServeOptions {
        ServeOptions {
            listen: self.listen,
            data_dir: (!self.ephemeral).then(|| self.data_dir.clone()),
            project: self.project.clone(),
            region: self.region.clone(),
            revision_policy: self.revision_policy,
            url_style: self.url_style,
            https_redirect: self.https_redirect,
            explain: self.explain,
            strict_identity: self.strict_identity,
            strict_etags: self.strict_etags,
            enforce_api_iam: self.enforce_api_iam,
            metadata_account: Some(self.metadata_account.clone()).filter(|email| !email.is_empty()),
            iam_propagation_seconds: self.iam_propagation.seconds(),
            // An entry that is none was refused when the options were resolved.
            identities: self.identities().unwrap_or_default(),
            rules: Rules::read(&self.rules).unwrap_or_default(),
            // Refused when the file was read.
            balancers: Balancers::new(self.load_balancers().unwrap_or_default()),
            internal_listen: self.internal_listen.get(),
        }
    }
}

#[cfg(test)]
mod tests;
