//! Where do clients find the certificates that they must trust?
//!
//! Libraries want files. The one with the local CA alone is for trust stores that add to what is there; the
//! bundle and Java's store replace what a client trusts, so they hold the roots of the system as well.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use groundrun_identity::{bundle, java_trust_store};
use groundrun_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Where systems keep the roots that they trust: Debian and Alpine, Fedora, openSUSE, macOS, FreeBSD.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
];

/// The path at which a running emulator names its files.
pub const PATH: &str = "/emulator/ca";

/// The files for clients. All of them are public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Files {
    /// The certificate of the local CA, PEM.
    pub certificate: PathBuf,
    /// The same and the roots of the system, PEM.
    pub bundle: PathBuf,
    /// What is in the bundle, as Java reads it (JKS, password `changeit`).
    pub java_trust_store: PathBuf,
}

impl Files {
    /// The files of the emulator with this data directory.
    pub fn of_data_dir(data_dir: &Path) -> Self {
        Self::in_directory(&ca_directory(data_dir))
    }

    /// The files in a directory.
    pub fn in_directory(directory: &Path) -> Self {
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        Self {
            certificate: directory.join("ca.pem"),
            bundle: directory.join("bundle.pem"),
            java_trust_store: directory.join("truststore.jks"),
        }
    }

    /// Writes the bundle and Java's store anew, for the CA with this certificate. Each appears whole.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_derived(&self, ca: &str, now: Timestamp) -> io::Result<()> {
        let roots = system_roots();
        if roots.is_none() {
            tracing::warn!(
                "no certificates of the system were found: clients will trust the local CA alone; name a file \
                 with them in SSL_CERT_FILE"
            );
        }
        let bundle = bundle([ca.as_bytes(), &roots.unwrap_or_default()]);
        replace(&self.java_trust_store, &java_trust_store(bundle.as_bytes(), now))?;
        replace(&self.bundle, bundle.as_bytes())
    }
}

/// The directory of the local CA in a data directory.
pub fn ca_directory(data_dir: &Path) -> PathBuf {
    data_dir.join("ca")
}

/// What the system trusts: what the user says it does, or else what is in the usual place.
fn system_roots() -> Option<Vec<u8>> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    named.into_iter().chain(SYSTEM_ROOTS.map(PathBuf::from)).find_map(|path| fs::read(path).ok())
}

fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(".trust.").tempfile_in(directory)?;
    file.write_all(contents)?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}
