//! Where does an emulator keep its state, and is it alone there?

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A data directory that belongs to this process as long as the value lives.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    /// The lock ends with the process, however that ends.
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made or written.
    #[error("data directory '{}' cannot be written: {source}; choose another one with --data-dir, or none with --ephemeral", path.display())]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another emulator uses it.
    #[error("data directory '{}' is in use by another groundrun; stop it, or choose another one with --data-dir", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

impl DataDir {
    /// Makes the directory if it is missing, and takes it for this process.
    ///
    /// # Errors
    /// If it cannot be written, or another emulator uses it.
    pub(super) fn open(path: &Path) -> Result<Self, DataDirError> {
        let unwritable = |source| DataDirError::Unwritable { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(unwritable)?;
        let lock = path.join("groundrun.lock");
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(lock).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the database.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("groundrun.db")
    }
}
