//! What does the query of a metadata request ask for?

use super::{DEFAULT_SCOPES, Found, Refusal};

/// How long a request waits for a change that names no time, in seconds. The hosted server waits for as
/// long as the connection is open.
const DEFAULT_PATIENCE_SECONDS: u64 = 300;

/// The longest that a request may wait, in seconds.
const LONGEST_PATIENCE_SECONDS: u64 = 3600;

/// What an ID token claims about the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdentityFormat {
    /// The account only.
    #[default]
    Standard,
    /// The account and, on Compute Engine, the instance. Cloud Run has nothing to add: its tokens are the
    /// same in both formats.
    Full,
}

/// The parameters that mean something; others are ignored, as the hosted server does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Whether a directory is answered with all that is below it.
    pub recursive: bool,
    /// `text` or `json`.
    pub alt: Option<String>,
    /// Whether the answer waits for a change.
    pub wait_for_change: bool,
    /// The ETag of what the client knows.
    pub last_etag: Option<String>,
    /// How long to wait for a change, in seconds.
    pub timeout_seconds: Option<u64>,
    scopes: Option<String>,
    audience: Option<String>,
    format: Option<String>,
}

impl Query {
    /// Reads decoded parameters; of two with one name the first counts.
    pub fn read(pairs: &[(String, String)]) -> Self {
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let is_true = |name: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Self {
            recursive: is_true("recursive"),
            alt: value("alt"),
            wait_for_change: is_true("wait_for_change"),
            last_etag: value("last_etag"),
            timeout_seconds: value("timeout_sec").and_then(|seconds| seconds.parse().ok()),
            scopes: value("scopes"),
            audience: value("audience"),
            format: value("format"),
        }
    }

    /// How long the answer may wait for content with another ETag than `current`, in seconds; `None` if
    /// it need not wait. A client that knows other content than the current is answered at once.
    pub fn patience_seconds(&self, current: &str) -> Option<u64> {
        let known = self.last_etag.as_deref().unwrap_or(current);
        let patience = self.timeout_seconds.unwrap_or(DEFAULT_PATIENCE_SECONDS);
        (self.wait_for_change && known == current).then(|| patience.min(LONGEST_PATIENCE_SECONDS))
    }

    /// The scopes that are asked for, separated by commas, or else those of the account.
    pub(super) fn scopes(&self) -> Vec<String> {
        let asked = self.scopes.as_deref().unwrap_or_default().split(',').map(str::trim);
        let asked: Vec<String> = asked.filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        if asked.is_empty() { DEFAULT_SCOPES.map(str::to_owned).to_vec() } else { asked }
    }

    /// The ID token that is asked for.
    pub(super) fn identity(&self) -> Found {
        let Some(audience) = self.audience.clone().filter(|audience| !audience.is_empty()) else {
            // The hosted server's words.
            return Found::Refused(Refusal::BadRequest("non-empty audience parameter required"));
        };
        let format = match self.format.as_deref() {
            None | Some("" | "standard") => IdentityFormat::Standard,
            Some("full") => IdentityFormat::Full,
            Some(_) => return Found::Refused(Refusal::BadRequest("format must be standard or full")),
        };
        Found::Identity { audience, format }
    }
}
