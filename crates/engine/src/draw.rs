//! From where come ids and chance? Tests fix both.

use std::sync::{Mutex, PoisonError};

use groundrun_model::name::SUFFIX_ALPHABET;
use uuid::{Builder, Uuid};

/// The source of ids and suffixes.
#[derive(Debug)]
pub struct Draw(Mutex<fastrand::Rng>);

impl Draw {
    /// Draws anew at every start.
    pub fn random() -> Self {
        Self(Mutex::new(fastrand::Rng::new()))
    }

    /// Draws the same ids at every start.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A random UUID.
    pub fn uuid(&self) -> Uuid {
        Builder::from_random_bytes(self.with(|rng| rng.u128(..)).to_be_bytes()).into_uuid()
    }

    /// `length` characters for the end of a name.
    pub fn suffix(&self, length: usize) -> String {
        self.with(|rng| {
            (0..length).map(|_| char::from(SUFFIX_ALPHABET[rng.usize(..SUFFIX_ALPHABET.len())])).collect()
        })
    }

    fn with<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
