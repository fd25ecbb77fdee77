//! Why is there no certificate authority, or no leaf?

use std::io;
use std::path::PathBuf;

/// Why the certificate authority cannot be had or used. Names files and never quotes a key.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// Its directory cannot be made.
    #[error("cannot make the directory of the local CA {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is there and cannot be read.
    #[error("cannot read {}, a file of the local CA: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}, a file of the local CA: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file does not hold what it must. It is left as it is: clients were told to trust it.
    #[error(
        "{}, a file of the local CA, is damaged ({reason}): restore it, or remove ca.pem and ca-key.pem, start \
         again, and have clients trust the new CA",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No certificate can be made.
    #[error("cannot make a certificate: {0}")]
    Make(String),
}

impl CaError {
    pub(super) fn make(error: impl std::fmt::Display) -> Self {
        Self::Make(error.to_string())
    }
}
