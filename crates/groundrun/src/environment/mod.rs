//! Which environment variables lead gcloud and other clients to an emulator?
//!
//! gcloud puts `REGION-` before the host of an override, so its requests must also come through a proxy,
//! which the emulator is too: it takes them in absolute form. `generateIdToken` bypasses gcloud's proxy
//! and reaches the emulator by the override alone.

mod proxied;
mod shell;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::ValueEnum;

pub use self::proxied::all;
pub use self::shell::Shell;
use crate::config::Settings;
pub use groundrun_engine::OWNER_TOKEN;

/// The APIs of Google that a command of gcloud asks on the way.
const APIS: [&str; 6] = ["RUN", "SERVICEUSAGE", "CLOUDRESOURCEMANAGER", "IAM", "IAMCREDENTIALS", "LOGGING"];

/// Who is led to an emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Mode {
    /// gcloud, and clients that are told an endpoint
    #[default]
    Gcloud,
    /// Every program: the emulator is the proxy of all, and its CA is trusted
    All,
}

/// A variable and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name, of letters, digits and `_`.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Where a client reaches an emulator that listens on `listen`: on this machine, if it listens everywhere.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The variables that lead gcloud to the emulator at `settings.listen`.
///
/// Prompts are left on: a deployment asks about unauthenticated calls, as it does in the cloud.
pub fn gcloud(settings: &Settings) -> Vec<Variable> {
    let base = format!("http://{}/", reachable(settings.listen));
    let mut variables = gcloud_alone(settings);
    let mut set = |name: String, value: String| {
        variables.push(Variable { name: format!("CLOUDSDK_{name}"), value });
    };
    set("AUTH_TOKEN_HOST".to_owned(), format!("{base}token"));
    for api in APIS {
        set(format!("API_ENDPOINT_OVERRIDES_{api}"), base.clone());
    }
    variables
}

/// What gcloud needs if every host of Google's is the emulator.
fn gcloud_alone(settings: &Settings) -> Vec<Variable> {
    let address = reachable(settings.listen);
    let host = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let port = address.port().to_string();
    let variable =
        |(name, value): (&str, &str)| Variable { name: format!("CLOUDSDK_{name}"), value: value.to_owned() };
    [
        ("CORE_PROJECT", &*settings.project),
        ("RUN_REGION", &settings.region),
        ("AUTH_ACCESS_TOKEN", OWNER_TOKEN),
        ("PROXY_TYPE", "http"),
        ("PROXY_ADDRESS", &host),
        ("PROXY_PORT", &port),
        // What gcloud would otherwise send to other hosts, which are out of reach behind this proxy.
        ("CORE_DISABLE_USAGE_REPORTING", "true"),
        ("COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true"),
        ("SURVEY_DISABLE_PROMPTS", "true"),
        ("CORE_CHECK_GCE_METADATA", "false"),
    ]
    .map(variable)
    .into()
}

/// The variables that lead other programs there: Google's libraries, Terraform and groundrun itself.
pub fn clients(settings: &Settings) -> Vec<Variable> {
    let address = reachable(settings.listen);
    let variable = |name: &str, value: String| Variable { name: name.to_owned(), value };
    vec![
        variable("GOOGLE_CLOUD_PROJECT", settings.project.clone()),
        variable("GOOGLE_CLOUD_RUN_CUSTOM_ENDPOINT", format!("http://{address}/")),
        variable("GROUNDRUN_LISTEN", address.to_string()),
        variable("GROUNDRUN_PROJECT", settings.project.clone()),
        variable("GROUNDRUN_REGION", settings.region.clone()),
    ]
}

/// What `groundrun env` prints: lines that set the variables (or unset them), and how to use and undo it.
/// `program` is how the user calls groundrun.
pub fn script(settings: &Settings, shell: Shell, unset: bool, program: &str) -> String {
    script_of(gcloud(settings), &place_flags(settings, shell), shell, unset, program)
}

/// The same for any variables; `flags` are those with which `groundrun env` makes them, each with a space
/// before it.
pub fn script_of(variables: Vec<Variable>, flags: &str, shell: Shell, unset: bool, program: &str) -> String {
    let statement = |variable: Variable| {
        if unset { shell.unset(&variable.name) } else { shell.set(&variable.name, &variable.value) }
    };
    let mut lines: Vec<String> = variables.into_iter().map(statement).collect();
    // Comments come last: an `eval` that lost its quotes joins the lines.
    let (what, other) =
        if unset { ("Unset them with", "Set them again with") } else { ("Set them with", "Undo that with") };
    let run = |unset: bool| shell.evaluate(program, flags, unset);
    lines.push(format!("# {what}:  {}", run(unset)));
    lines.push(format!("# {other}:  {}", run(!unset)));
    lines.join("\n")
}

/// The command that sets the variables of `mode` in `shell`.
pub fn set_command(settings: &Settings, mode: Mode, shell: Shell, program: &str) -> String {
    let flags = place_flags(settings, shell);
    let mode = match mode {
        Mode::Gcloud => "",
        Mode::All => " --mode all",
    };
    shell.evaluate(program, &format!("{flags}{mode}"), false)
}

/// The flags that say which emulator is meant, each with a space before it; the defaults need none.
pub fn place_flags(settings: &Settings, shell: Shell) -> String {
    let usual = Settings::default();
    let (address, usual_address) = (settings.listen.to_string(), usual.listen.to_string());
    [
        ("--listen", &address, &usual_address),
        ("--project", &settings.project, &usual.project),
        ("--region", &settings.region, &usual.region),
    ]
    .into_iter()
    .filter(|(_, value, usual)| value != usual)
    .map(|(flag, value, _)| format!(" {flag} {}", shell.quote(value)))
    .collect()
}

#[cfg(test)]
mod tests;
