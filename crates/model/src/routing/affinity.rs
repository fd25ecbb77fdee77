//! Which revision does a client with a session-affinity cookie come back to?
//!
//! The cookie says nothing of revisions: it holds a number that was drawn for the client, and from the number
//! and the shares of the traffic follows the revision. Nothing is remembered, and a change of the shares moves
//! few clients. <https://cloud.google.com/run/docs/configuring/session-affinity>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::name::{RevisionName, stable_hash};
use crate::time::Timestamp;

/// The name of the cookie, as the hosted service sets it.
pub const COOKIE: &str = "GAESA";

/// How long the cookie is kept, in seconds: 30 days, as documented.
const LIFETIME_SECONDS: i64 = 30 * 24 * 3600;

/// What the number in a cookie begins with, so that another form can be told from it later.
const VERSION: u8 = 1;

/// A client that is recognized by its cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client(u64);

impl Client {
    /// A client that has no cookie yet; `drawn` is from all numbers, each as likely as the others.
    pub const fn new(drawn: u64) -> Self {
        Self(drawn)
    }

    /// The number that was drawn for it. Where instances are chosen it says which one the client had.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The client that the `Cookie` headers of a request name. A cookie that was not made here is none.
    pub fn of_cookies<'h>(headers: impl Iterator<Item = &'h [u8]>) -> Option<Self> {
        headers.flat_map(|header| header.split(|byte| *byte == b';')).find_map(|pair| {
            let (name, value) = pair.trim_ascii().split_at_checked(COOKIE.len())?;
            let value = value.strip_prefix(b"=").filter(|_| name == COOKIE.as_bytes())?;
            Self::of_value(value)
        })
    }

    fn of_value(value: &[u8]) -> Option<Self> {
        let quoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        // What is longer than a number is not decoded.
        let mut bytes = [0; 9];
        let length = URL_SAFE_NO_PAD.decode_slice(quoted.unwrap_or(value), &mut bytes).ok()?;
        match bytes {
            [VERSION, number @ ..] if length == 9 => Some(Self(u64::from_be_bytes(number))),
            _ => None,
        }
    }

    /// The value of the `Set-Cookie` header for a response at `now`, in the form that captures of the hosted
    /// service have.
    pub fn set_cookie(self, now: Timestamp) -> String {
        let mut bytes = [VERSION; 9];
        bytes[1..].copy_from_slice(&self.0.to_be_bytes());
        let (value, expires) = (URL_SAFE_NO_PAD.encode(bytes), now.plus_seconds(LIFETIME_SECONDS));
        format!("{COOKIE}={value}; expires={}; path=/", expires.to_cookie_date())
    }

    /// How soon the revision with this seed and `share` takes the client: the soonest has it.
    ///
    /// This is a race of exponential clocks, each as fast as its share: a revision wins as often as its share
    /// is of the sum, and its clock does not know of the others. So a revision whose share grows, while
    /// those of the others stay in proportion, only takes clients, and no other one swaps any. Of two
    /// revisions exactly the change of the shares moves; of more at most `2d/(1+d)` when the shares change
    /// by `d`, and no rule that remembers nothing does better in general.
    pub(super) fn due(self, seed: u64, share: u32) -> f64 {
        // 53 bits are what a fraction can hold; the half keeps it from 0.
        #[expect(clippy::cast_precision_loss, reason = "53 bits are represented exactly")]
        let fraction = ((mixed(self.0 ^ seed) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        -fraction.ln() / f64::from(share)
    }
}

/// What keeps the clocks of revisions apart.
pub(super) fn seed(revision: &RevisionName) -> u64 {
    stable_hash("session-affinity", revision.as_str())
}

/// Spreads numbers that differ by little over all numbers: the last steps of SplitMix64.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests;
