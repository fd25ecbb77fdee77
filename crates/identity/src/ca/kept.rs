//! How does the authority outlive the process?
//!
//! The key is written first, and a certificate is made for a key that has none. So whenever a process is
//! killed, the next one finds nothing, or a key, or both; a certificate without its key is no such state
//! and is refused.

use std::fs;
use std::io;
use std::path::Path;

use groundrun_model::Timestamp;
use rcgen::KeyPair;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::{CaError, certify, generate, read_certificate, trust};
use crate::file;

/// The certificate, for everybody.
const CERTIFICATE: &str = "ca.pem";

/// The private key.
const KEY: &str = "ca-key.pem";

/// Reads the authority in `directory`, or makes it.
pub(super) fn open(directory: &Path, now: Timestamp) -> Result<(KeyPair, CertificateDer<'static>), CaError> {
    make_directory(directory)?;
    let (key_path, path) = (directory.join(KEY), directory.join(CERTIFICATE));
    let kept = read(&path)?;
    let key = match read(&key_path)? {
        Some(pem) => parse_key(&key_path, &pem)?,
        None if kept.is_some() => {
            return Err(CaError::Damaged { path: key_path, reason: "it is missing and ca.pem is there" });
        }
        None => {
            let key = generate()?;
            write(&key_path, key.serialize_pem().as_bytes())?;
            key
        }
    };
    file::shut_to_others(&key_path, 0o600);
    file::remove_unfinished(&key_path);
    let certificate = match kept {
        Some(pem) => {
            read_certificate(&pem, &key).map_err(|reason| CaError::Damaged { path: path.clone(), reason })?
        }
        None => {
            let certificate = certify(&key, now)?;
            write(&path, trust::pem(&certificate).as_bytes())?;
            open_to_others(&path);
            certificate
        }
    };
    file::remove_unfinished(&path);
    Ok((key, certificate))
}

fn make_directory(path: &Path) -> Result<(), CaError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(path)
        .map_err(|source| CaError::Directory { path: path.to_owned(), source })?;
    file::shut_to_others(path, 0o700);
    Ok(())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, CaError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CaError::Read { path: path.to_owned(), source }),
    }
}

fn parse_key(path: &Path, pem: &[u8]) -> Result<KeyPair, CaError> {
    let damaged = |reason| CaError::Damaged { path: path.to_owned(), reason };
    let pem = std::str::from_utf8(pem).map_err(|_| damaged("it is not text"))?;
    let key = KeyPair::from_pem_and_sign_algo(pem, &rcgen::PKCS_ECDSA_P256_SHA256);
    key.map_err(|_| damaged("it does not hold a whole private key of P-256"))
}

fn write(path: &Path, contents: &[u8]) -> Result<(), CaError> {
    file::write_new(path, contents).map_err(|source| CaError::Write { path: path.to_owned(), source })
}

/// A copy of it in the trust store of the system must be readable by everybody, and copies keep the mode.
#[cfg(unix)]
fn open_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o644)) {
        tracing::debug!(path = %path.display(), %error, "others cannot read the certificate of the local CA");
    }
}

#[cfg(not(unix))]
fn open_to_others(_path: &Path) {}
