//! Which variables lead every program there, whatever host its library has built in?
//!
//! The emulator is their proxy, and they trust its CA: so `https://run.googleapis.com` and the URL of a
//! service land there without any setting of a library. Each library has variables of its own; why each is as
//! it is stands in `docs/decisions/007-mode-all.md`.

use std::path::Path;

use super::{Variable, clients, gcloud_alone, reachable};
use crate::config::Settings;
use crate::trust::Files;

/// Where no proxy is used. `localhost` is not among them: curl, Python and Rust would take it for every name
/// below it, and the hosts of services are such names, which not every system resolves.
const DIRECT: &str = "127.0.0.1,::1,[::1]";

/// The variables that lead every program to the emulator at `settings.listen`, whose CA has these files.
/// `credentials` is for Google's libraries; without it they ask the metadata server, which is the emulator.
pub fn all(settings: &Settings, files: &Files, credentials: Option<&Path>) -> Vec<Variable> {
    let address = reachable(settings.listen);
    let proxy = format!("http://{address}");
    let certificate = files.certificate.display().to_string();
    let bundle = files.bundle.display().to_string();
    let mut variables = gcloud_alone(settings);
    variables.extend(clients(settings));
    let mut set = |name: &str, value: &str| {
        variables.push(Variable { name: name.to_owned(), value: value.to_owned() });
    };
    // curl reads http_proxy in lower case only, others prefer either.
    for (upper, value) in [("HTTP_PROXY", &*proxy), ("HTTPS_PROXY", &proxy), ("NO_PROXY", DIRECT)] {
        set(upper, value);
        set(&upper.to_ascii_lowercase(), value);
    }
    set("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", &bundle);
    set("SSL_CERT_FILE", &bundle);
    set("REQUESTS_CA_BUNDLE", &bundle);
    set("CURL_CA_BUNDLE", &bundle);
    set("HTTPLIB2_CA_CERTS", &bundle);
    set("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &bundle);
    set("NODE_EXTRA_CA_CERTS", &certificate);
    set("NODE_USE_ENV_PROXY", "1");
    set("JAVA_TOOL_OPTIONS", &java_options(settings, files));
    for name in ["GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"] {
        set(name, &address.to_string());
    }
    if let Some(credentials) = credentials {
        set("GOOGLE_APPLICATION_CREDENTIALS", &credentials.display().to_string());
    }
    variables
}

/// Java has no variable for either. It calls `localhost`, and no name below it, without the proxy by itself.
fn java_options(settings: &Settings, files: &Files) -> String {
    let address = reachable(settings.listen);
    let (host, port) = (address.ip(), address.port());
    let store = files.java_trust_store.display().to_string();
    // Java splits at spaces that are not quoted.
    let store = if store.contains(char::is_whitespace) { format!("'{store}'") } else { store };
    [
        format!("-Dhttp.proxyHost={host} -Dhttp.proxyPort={port}"),
        format!("-Dhttps.proxyHost={host} -Dhttps.proxyPort={port}"),
        format!("-Djavax.net.ssl.trustStore={store}"),
        "-Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=changeit".to_owned(),
    ]
    .join(" ")
}
