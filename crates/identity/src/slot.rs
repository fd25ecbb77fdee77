//! Is the key there yet?
//!
//! Making an RSA key takes longer than the whole start of the server. So a key is made by a thread of
//! its own while the server answers already, and only who needs the key waits for it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::SetOnce;

use crate::error::KeyError;
use crate::file;
use crate::signing_key::SigningKey;

/// The place of one key: empty, being filled, or settled for the life of the process.
pub(crate) struct Slot {
    /// Where the key is kept; `None` keeps it in memory only.
    path: Option<PathBuf>,
    started: AtomicBool,
    outcome: SetOnce<Result<Arc<SigningKey>, KeyError>>,
}

impl Slot {
    /// The slot of the key that is kept in `<directory>/<name>.pem`. A key that is there is loaded at
    /// once, so that a damaged one stops the start; one that is not there is not made yet.
    pub(crate) fn open(directory: Option<&Path>, name: &str) -> Result<Arc<Self>, KeyError> {
        let path = directory.map(|directory| directory.join(name).with_extension("pem"));
        let kept = path.as_deref().map(file::load).transpose()?.flatten();
        Ok(Arc::new(Self {
            path,
            started: AtomicBool::new(kept.is_some()),
            outcome: SetOnce::new_with(kept.map(|key| Ok(Arc::new(key)))),
        }))
    }

    /// The slot of the key that is kept in this file. Whether it is there is found out when it is needed.
    pub(crate) fn lazy(path: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self { path, started: AtomicBool::new(false), outcome: SetOnce::new() })
    }

    /// The slot of a key that is there already.
    pub(crate) fn filled(key: SigningKey) -> Arc<Self> {
        Arc::new(Self {
            path: None,
            started: AtomicBool::new(true),
            outcome: SetOnce::new_with(Some(Ok(Arc::new(key)))),
        })
    }

    /// Begins to make the key, unless it is there or being made. Returns at once.
    pub(crate) fn start(self: &Arc<Self>) {
        if self.started.swap(true, Ordering::Relaxed) {
            return;
        }
        let slot = Arc::clone(self);
        let thread = std::thread::Builder::new().name("signing-key".to_owned());
        if let Err(error) = thread.spawn(move || slot.settle(slot.make())) {
            self.settle(Err(KeyError::Make(error.to_string())));
        }
    }

    /// The key, once it is there.
    ///
    /// # Errors
    /// What kept it from being made or written. That answer stands until the process ends: a key that
    /// is used and not kept would end all its tokens at the next start.
    pub(crate) async fn key(self: &Arc<Self>) -> Result<Arc<SigningKey>, KeyError> {
        self.start();
        self.outcome.wait().await.clone()
    }

    /// The key if it is there. Takes no lock and never waits.
    pub(crate) fn ready(&self) -> Option<&Arc<SigningKey>> {
        self.outcome.get()?.as_ref().ok()
    }

    fn make(&self) -> Result<SigningKey, KeyError> {
        if let Some(kept) = self.path.as_deref().map(file::load).transpose()?.flatten() {
            return Ok(kept);
        }
        let begun = Instant::now();
        let key = SigningKey::generate()?;
        let key = match &self.path {
            Some(path) => file::keep(path, key)?,
            None => key,
        };
        tracing::debug!(kid = key.kid(), elapsed_ms = begun.elapsed().as_millis(), "made a signing key");
        Ok(key)
    }

    fn settle(&self, outcome: Result<SigningKey, KeyError>) {
        if let Err(error) = &outcome {
            tracing::error!(%error, "no token can be signed");
        }
        // Only the one that found `started` unset comes here.
        self.outcome.set(outcome.map(Arc::new)).ok();
    }
}

/// Where the key is kept and which one it is: never the key.
impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kid = self.ready().map(|key| key.kid());
        f.debug_struct("Slot").field("path", &self.path).field("kid", &kid).finish_non_exhaustive()
    }
}
