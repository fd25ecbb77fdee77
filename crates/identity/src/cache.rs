//! Which tokens were verified already?
//!
//! Verifying a signature costs more than all else that a request needs. What a token says does not change,
//! so it is verified once; whether it has ended is asked at every use. Only tokens that passed get in, and
//! the number of entries is bounded: nobody without a key can fill the cache. When the keys change, all are
//! forgotten.

use std::fmt;
use std::sync::Arc;

use groundrun_model::Timestamp;
use groundrun_model::token::IdClaims;
use moka::sync::Cache;

/// How many tokens are remembered: those of as many callers at once.
pub(crate) const CAPACITY: u64 = 10_000;

/// What is known of a token whose signature and issuer were verified.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    /// What it claims.
    pub(crate) claims: Arc<IdClaims>,
    /// Its claim `nbf`, in seconds since the epoch; the least number if it has none.
    pub(crate) not_before: i64,
    /// When the key leaves that signed it.
    pub(crate) key_ends: Timestamp,
}

/// Tokens whose signature and issuer were verified, by the whole token. Clones are one.
#[derive(Clone)]
pub(crate) struct VerifiedTokens(Cache<Box<str>, Remembered>);

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The keys are tokens, which no output may show.
        write!(f, "VerifiedTokens({})", self.0.entry_count())
    }
}

impl VerifiedTokens {
    /// The token, if it was verified before.
    pub(crate) fn get(&self, token: &str) -> Option<Remembered> {
        self.0.get(token)
    }

    /// Remembers a token that was verified.
    pub(crate) fn insert(&self, token: &str, remembered: &Remembered) {
        self.0.insert(token.into(), remembered.clone());
    }

    /// Forgets one token.
    pub(crate) fn remove(&self, token: &str) {
        self.0.invalidate(token);
    }

    /// Forgets all tokens.
    pub(crate) fn forget(&self) {
        self.0.invalidate_all();
    }
}

#[cfg(test)]
impl VerifiedTokens {
    /// How many tokens are remembered, now that all that was inserted is counted.
    pub(crate) fn len(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.entry_count()
    }
}
