//! How do the keys of the ring outlive the process, wherever it is killed?
//!
//! `id-token.pem` holds the current key, `id-token.KID.until-SECONDS.pem` a key that signs no more and the
//! moment (since the epoch) at which it leaves, `imported-HASH.json` a key of the user's. A rotation
//! first writes the old key under its new name and then puts the new key in its place, each at once: a
//! process that is killed between the two leaves the old key under both names, and it stays the current
//! one.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use groundrun_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::KeyError;
use crate::file;
use crate::public_key::PublishedKey;
use crate::ring::Retired;
use crate::signing_key::SigningKey;

/// The name of the file of the current key.
pub(crate) const CURRENT: &str = "id-token";

/// How the name of the file of an imported key begins.
const IMPORTED: &str = "imported-";

/// A key of the user's as it is kept.
#[derive(Serialize, Deserialize)]
struct Imported {
    kid: String,
    certificate: String,
}

/// The keys in this directory that sign no more, the oldest first; `current` is the id of the current one.
pub(crate) fn retired(directory: &Path, current: Option<&str>) -> Result<Vec<Retired>, KeyError> {
    let mut retired = Vec::new();
    for path in files(directory)? {
        let Some((kid, until)) = retirement(&path) else { continue };
        if current == Some(kid) {
            // A rotation that did not come to its end.
            remove(&path);
        } else if let Some(key) = file::load(&path)? {
            retired.push(Retired { key: Arc::new(key), until });
        }
    }
    retired.sort_by_key(|retired| retired.until);
    Ok(retired)
}

/// The keys of the user's in this directory, by the name of their files.
pub(crate) fn imported(directory: &Path) -> Result<Vec<PublishedKey>, KeyError> {
    let mut imported = Vec::new();
    for path in files(directory)? {
        if !name(&path).is_some_and(|name| name.starts_with(IMPORTED) && name.ends_with(".json")) {
            continue;
        }
        let damaged =
            |reason: &dyn ToString| KeyError::Damaged { path: path.clone(), reason: reason.to_string() };
        let text = fs::read_to_string(&path)
            .map_err(|error| KeyError::Read { path: path.clone(), source: Arc::new(error) })?;
        let kept: Imported = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        let key = PublishedKey::from_certificate(&kept.certificate).map_err(|error| damaged(&error))?;
        imported.push(key.under(&kept.kid));
    }
    Ok(imported)
}

/// Puts `new` in the place of the current key `old`, which stays until the moment `until`.
pub(crate) fn rotate(
    directory: &Path,
    old: &SigningKey,
    until: Timestamp,
    new: &SigningKey,
) -> Result<(), KeyError> {
    let aside = directory.join(format!("{CURRENT}.{}.until-{}.pem", old.kid(), until.seconds()));
    let current = directory.join(CURRENT).with_extension("pem");
    file::write_new(&aside, old.to_pem().as_bytes()).map_err(|error| unwritten(&aside, error))?;
    file::replace(&current, new.to_pem().as_bytes()).map_err(|error| {
        remove(&aside);
        unwritten(&current, error)
    })
}

/// Removes the files of keys that signed and of which nothing lives that they signed.
pub(crate) fn remove_ended(directory: &Path, kept: impl Fn(&str) -> bool) {
    for path in files(directory).unwrap_or_default() {
        if retirement(&path).is_some_and(|(kid, _)| !kept(kid)) {
            remove(&path);
        }
    }
}

/// Keeps a key of the user's. Its id may be any text: the name of the file is a hash of it.
pub(crate) fn import(directory: &Path, key: &PublishedKey) -> Result<(), KeyError> {
    let hash = digest::digest(&digest::SHA256, key.kid().as_bytes());
    let hash: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let path = directory.join(format!("{IMPORTED}{hash}.json"));
    let kept = Imported { kid: key.kid().to_owned(), certificate: key.certificate().to_owned() };
    let text = serde_json::to_vec(&kept).map_err(|error| unwritten(&path, error.into()))?;
    file::write_new(&path, &text).map_err(|error| unwritten(&path, error))
}

/// The id and the end in the name of the file of a key that signs no more.
fn retirement(path: &Path) -> Option<(&str, Timestamp)> {
    let rest = name(path)?.strip_prefix(CURRENT)?.strip_prefix('.')?.strip_suffix(".pem")?;
    let (kid, until) = rest.split_once(".until-")?;
    Some((kid, Timestamp::from_seconds(until.parse().ok()?)))
}

fn name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
}

/// The files of the directory in the order of their names.
fn files(directory: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let entries: io::Result<Vec<PathBuf>> =
        fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut files =
        entries.map_err(|error| KeyError::Read { path: directory.to_owned(), source: Arc::new(error) })?;
    files.sort();
    Ok(files)
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "cannot remove a signing key that is no longer needed");
    }
}

fn unwritten(path: &Path, error: io::Error) -> KeyError {
    KeyError::Write { path: path.to_owned(), source: Arc::new(error) }
}
