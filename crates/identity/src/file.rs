//! How does a key outlive the process?
//!
//! One file a key, mode 0600, in a directory of mode 0700. A file appears whole under its name or not
//! at all, and only a rotation replaces one: of two processes that start in one directory, the first to
//! finish makes the key and the other takes it over.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::KeyError;
use crate::signing_key::SigningKey;

/// The end of the name of a file that is still being written.
const UNFINISHED: &str = ".tmp";

/// Makes the directory of the keys if it is not there, and shuts it to others.
pub(crate) fn open_directory(path: &Path) -> Result<(), KeyError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .recursive(true)
        .create(path)
        .map_err(|source| KeyError::Directory { path: path.to_owned(), source: Arc::new(source) })?;
    shut_to_others(path, 0o700);
    Ok(())
}

/// The key that is kept in this file, or `None` if there is no such file.
pub(crate) fn load(path: &Path) -> Result<Option<SigningKey>, KeyError> {
    let damaged = |reason: &str| KeyError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let pem = match fs::read_to_string(path) {
        Ok(pem) => pem,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged("it is not text")),
        Err(error) => return Err(KeyError::Read { path: path.to_owned(), source: Arc::new(error) }),
    };
    let key = SigningKey::from_pem(&pem).map_err(damaged)?;
    shut_to_others(path, 0o600);
    remove_unfinished(path);
    Ok(Some(key))
}

/// Keeps this key in this file, unless somebody else has kept one there meanwhile: then that one counts
/// and is returned.
pub(crate) fn keep(path: &Path, key: SigningKey) -> Result<SigningKey, KeyError> {
    match write_new(path, key.to_pem().as_bytes()) {
        Ok(()) => Ok(key),
        Err(error) => {
            load(path)?.ok_or_else(|| KeyError::Write { path: path.to_owned(), source: Arc::new(error) })
        }
    }
}

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    let file = unfinished(path, contents)?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    sync_name(path);
    Ok(())
}

/// Writes a file in the place of the one there: whoever reads it finds the one or the other.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let file = unfinished(path, contents)?;
    file.persist(path).map_err(|error| error.error)?;
    sync_name(path);
    Ok(())
}

fn unfinished(path: &Path, contents: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new() // of mode 0600 from the start
        .prefix(&unfinished_prefix(path))
        .suffix(UNFINISHED)
        .tempfile_in(directory_of(path))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The name, too, must survive a power cut. Not every system can sync a directory; then it does it by
/// itself, later.
fn sync_name(path: &Path) {
    #[cfg(unix)]
    if let Ok(directory) = fs::File::open(directory_of(path)) {
        directory.sync_all().ok();
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn unfinished_prefix(path: &Path) -> String {
    format!(".{}.", path.file_stem().unwrap_or_default().to_string_lossy())
}

/// Removes what a process left that was killed while it wrote. Whoever is writing at this moment finds
/// the finished key and needs the own file no more.
pub(crate) fn remove_unfinished(path: &Path) {
    let prefix = unfinished_prefix(path);
    let entries = path.parent().and_then(|directory| fs::read_dir(directory).ok());
    let leftovers: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(&prefix) && name.ends_with(UNFINISHED)
        })
        .map(|entry| entry.path())
        .collect();
    for leftover in leftovers {
        if let Err(error) = fs::remove_file(&leftover) {
            tracing::debug!(path = %leftover.display(), %error, "cannot remove an unfinished key");
        }
    }
}

/// Takes the rights of group and others away, where there are any. Some file systems know no modes: that
/// is the user's choice, and worth a warning only.
#[cfg(unix)]
pub(crate) fn shut_to_others(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let open = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if !open {
        return;
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode)) {
        Ok(()) => tracing::warn!(path = %path.display(), "others could read it; its mode is now {mode:o}"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "others can read a private key"),
    }
}

#[cfg(not(unix))]
pub(crate) fn shut_to_others(_path: &Path, _mode: u32) {}
