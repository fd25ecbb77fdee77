//! How does a command run as a service, or as a service account?

use std::net::SocketAddr;

use clap::Args;
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Failure;
use crate::client::{Call, Client};
use crate::config::Settings;
use crate::environment::{OWNER_TOKEN, Shell, Variable, place_flags, reachable};

/// Variables that would make the command the owner of this machine, or another account, and keep it from the
/// metadata server.
const OF_OTHERS: [&str; 8] = [
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
    "CLOUDSDK_CORE_ACCOUNT",
    "CLOUDSDK_CORE_CHECK_GCE_METADATA",
    "GOOGLE_APPLICATION_CREDENTIALS",
];

/// Who a command runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(super) struct Identity {
    /// Run as an instance of this service: with its account, and with K_SERVICE and K_REVISION
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Run as this account: tokens from the metadata server are its own
    #[arg(long = "as", value_name = "EMAIL", conflicts_with = "service")]
    email: Option<String>,
}

/// A workload that the emulator serves until it is closed.
pub(super) struct Guest {
    client: Client,
    id: String,
    address: SocketAddr,
    variables: Vec<Variable>,
    /// Empty, in place of the developer's own configuration of gcloud: the accounts and the
    /// application-default credentials in that one come before the metadata server.
    gcloud_config: TempDir,
}

impl Identity {
    /// Whether the command does not run as the developer.
    pub(super) fn is_some(&self) -> bool {
        self.service.is_some() || self.email.is_some()
    }

    /// Asks the emulator at `settings.listen` for the workload; `None` if the command runs as the developer.
    /// `new` says that the emulator was started for the command, and so is empty.
    pub(super) async fn open(
        &self,
        settings: &Settings,
        new: bool,
        program: &str,
    ) -> Result<Option<Guest>, Failure> {
        let body = match (&self.service, &self.email) {
            (None, None) => return Ok(None),
            (Some(service), _) => {
                json!({ "service": service, "region": settings.region, "project": settings.project })
            }
            (None, Some(email)) => json!({ "serviceAccount": email, "region": settings.region }),
        };
        let client = Client::new(reachable(settings.listen));
        let path = "/emulator/workloads";
        let call = Call {
            method: Method::POST,
            path,
            body: Some(&body),
            token: Some(OWNER_TOKEN),
            ..Call::default()
        };
        let answer = client.send(call).await?;
        let opened = answer.json();
        let text = |name: &str| opened.get(name).and_then(Value::as_str);
        match (text("id"), text("address").and_then(|address| address.parse().ok())) {
            (Some(id), Some(address)) if answer.status.is_success() => {
                let gcloud_config = tempfile::Builder::new()
                    .prefix("groundrun-")
                    .tempdir()
                    .map_err(|error| Failure::new(format_args!("cannot make a directory: {error}")))?;
                let variables = variables(address, text("service"), text("revision"), text("project"));
                Ok(Some(Guest { client, id: id.to_owned(), address, variables, gcloud_config }))
            }
            _ => {
                let failure = Failure::new(format_args!("no such workload: {}", answer.message()));
                Err(match &self.service {
                    Some(service) => failure.hint(hint(service, settings, new, program)),
                    None => failure,
                })
            }
        }
    }
}

impl Guest {
    /// Its metadata server, which is also the proxy by which the command is the workload everywhere.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The variables of the user's own environment that make the emulator at `listen` the proxy, as
    /// `groundrun env --mode all` sets them, with this workload's proxy in its place.
    pub(super) fn inherited_proxies(&self, listen: SocketAddr) -> Vec<Variable> {
        let (theirs, own) = (format!("http://{}", reachable(listen)), format!("http://{}", self.address));
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"]
            .into_iter()
            .filter(|name| std::env::var(name).is_ok_and(|value| value == theirs))
            .map(|name| Variable { name: name.to_owned(), value: own.clone() })
            .collect()
    }

    /// What the command's environment has more, and what it must not have.
    pub(super) fn dress(&self, command: &mut tokio::process::Command) {
        for name in OF_OTHERS {
            command.env_remove(name);
        }
        command.env("CLOUDSDK_CONFIG", self.gcloud_config.path());
        command.envs(self.variables.iter().map(|variable| (&variable.name, &variable.value)));
    }

    /// Tells the emulator that the command has ended. One that is gone has closed the workload itself.
    pub(super) async fn close(self) {
        let path = format!("/emulator/workloads/{}", self.id);
        let call = Call { method: Method::DELETE, path: &path, token: Some(OWNER_TOKEN), ..Call::default() };
        if let Err(problem) = self.client.send(call).await {
            tracing::debug!(%problem, "the workload was not closed");
        }
    }
}

/// What the user can do about a service that is not there.
fn hint(service: &str, settings: &Settings, new: bool, program: &str) -> String {
    let flags = place_flags(settings, Shell::current());
    if new {
        return format!(
            "this emulator was started for the command and is empty: start one with `{program} serve` and \
             deploy the service there first"
        );
    }
    format!("deploy it first: {program} exec{flags} -- gcloud run deploy {service} --image=IMAGE")
}

/// Where each of Google's clients looks for the metadata server, and what Cloud Run tells an instance.
fn variables(
    metadata: SocketAddr,
    service: Option<&str>,
    revision: Option<&str>,
    project: Option<&str>,
) -> Vec<Variable> {
    let variable = |name: &str, value: &str| Variable { name: name.to_owned(), value: value.to_owned() };
    let metadata = metadata.to_string();
    let places = ["GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"];
    let mut variables: Vec<Variable> = places.map(|name| variable(name, &metadata)).into();
    let told = [("K_SERVICE", service), ("K_CONFIGURATION", service), ("K_REVISION", revision)];
    let project = [("GOOGLE_CLOUD_PROJECT", project)];
    variables
        .extend(told.into_iter().chain(project).filter_map(|(name, value)| Some(variable(name, value?))));
    variables
}
