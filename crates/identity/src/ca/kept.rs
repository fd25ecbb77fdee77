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

type Kept = (KeyPair, CertificateDer<'static>);

/// The authority in `directory`, which is made; `None` if there is none, or only half of one.
pub(super) fn read(directory: &Path) -> Result<Option<Kept>, CaError> {
    make_directory(directory)?;
    let path = directory.join(CERTIFICATE);
    match (read_key(directory)?, contents(&path)?) {
        (Some(key), Some(pem)) => {
            let certificate =
                read_certificate(&pem, &key).map_err(|reason| CaError::Damaged { path, reason })?;
            Ok(Some((key, certificate)))
        }
        (None, Some(_)) => {
            Err(CaError::Damaged { path: directory.join(KEY), reason: "it is missing and ca.pem is there" })
        }
        (_, None) => Ok(None),
    }
}

/// Makes what there is not yet of an authority in `directory`.
pub(super) fn make(directory: &Path, now: Timestamp) -> Result<Kept, CaError> {
    let (key_path, path) = (directory.join(KEY), directory.join(CERTIFICATE));
    let key = match read_key(directory)? {
        Some(key) => key,
        None => {
            let key = generate()?;
            write(&key_path, key.serialize_pem().as_bytes())?;
            key
        }
    };
    let certificate = certify(&key, now)?;
    write(&path, trust::pem(&certificate).as_bytes())?;
    open_to_others(&path);
    Ok((key, certificate))
}

fn read_key(directory: &Path) -> Result<Option<KeyPair>, CaError> {
    let path = directory.join(KEY);
    let Some(pem) = contents(&path)? else { return Ok(None) };
    let key = parse_key(&path, &pem)?;
    file::shut_to_others(&path, 0o600);
    file::remove_unfinished(&path);
    file::remove_unfinished(&directory.join(CERTIFICATE));
    Ok(Some(key))
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

fn contents(path: &Path) -> Result<Option<Vec<u8>>, CaError> {
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
