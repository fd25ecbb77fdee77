//! Which audiences may a token have that is shown to a service?
//!
//! Custom audiences are matched exactly; the service's own URLs in every form, with any path but never
//! with a query or fragment. <https://cloud.google.com/run/docs/configuring/custom-audiences>.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::text_set::TextSet;
use crate::url::{HostStems, LOCAL_SUFFIX, UrlConfig};

/// The annotation of a service that lists its custom audiences.
pub const ANNOTATION: &str = "run.googleapis.com/custom-audiences";

/// The most that the JSON encoding of the list may have, in bytes.
pub const MAX_JSON_BYTES: usize = 32_768;

/// The audiences of the ID tokens of users: of gcloud, and of application default credentials. A service
/// takes them whatever its own audiences are, but only from users.
const USER_CLIENTS: [&str; 2] = [
    "32555940559.apps.googleusercontent.com",
    "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com",
];

/// Reads the value of the annotation; `field` names it in the caller's API, for example
/// `metadata.annotations[run.googleapis.com/custom-audiences]`.
///
/// # Errors
/// 400 if it is not a JSON list of strings, or if [`check`] refuses the list.
pub fn parse_annotation(text: &str, field: &str) -> Result<Vec<String>> {
    let list: Vec<String> = serde_json::from_str(text).map_err(|_| {
        Error::field(
            field,
            "custom audiences must be a JSON array of strings, such as [\"https://example.com\"].",
        )
    })?;
    check(&list, field)?;
    Ok(list)
}

/// The value of the annotation: compact JSON. `None` for no audiences, which is no annotation.
pub fn render_annotation(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| encode(list))
}

/// Checks a list of custom audiences.
///
/// # Errors
/// 400 if one is empty, or if the JSON encoding of the list exceeds 32,768 bytes.
pub fn check(list: &[String], field: &str) -> Result<()> {
    if list.iter().any(String::is_empty) {
        return Err(Error::field(field, "a custom audience must not be empty."));
    }
    let bytes = encode(list).len();
    if bytes > MAX_JSON_BYTES {
        return Err(Error::field(
            field,
            format!(
                "the JSON encoding of the custom audiences has {bytes} bytes; it must not exceed \
                 {MAX_JSON_BYTES} bytes."
            ),
        ));
    }
    Ok(())
}

fn encode(list: &[String]) -> String {
    // A list of strings always has a JSON form.
    serde_json::to_string(list).unwrap_or_default()
}

/// The audiences that one service accepts.
#[derive(Debug, Clone)]
pub struct AudienceSet {
    /// In the order of the setting.
    custom: Box<[Arc<str>]>,
    /// The same, for lookups.
    known: TextSet,
    hosts: HostStems,
    urls: UrlConfig,
}

impl AudienceSet {
    /// The custom audiences of a service and the URLs at its hosts.
    pub fn new(custom: Vec<String>, hosts: HostStems, urls: UrlConfig) -> Self {
        let custom: Box<[Arc<str>]> = custom.into_iter().map(Arc::from).collect();
        Self { known: custom.iter().cloned().collect(), custom, hosts, urls }
    }

    /// Whether a token with this `aud` may be shown to the service; `is_user` is whether it is a user's
    /// token and not one of a service account. Allocates nothing.
    pub fn accepts(&self, aud: &str, is_user: bool) -> bool {
        self.known.contains(aud) || self.is_own_url(aud) || (is_user && USER_CLIENTS.contains(&aud))
    }

    /// What a person may use as the audience: the custom ones, then the reported URLs, hash form first.
    pub fn accepted(&self) -> impl Iterator<Item = String> {
        let mut urls = self.urls.urls(&self.hosts.hosts()).all;
        urls.reverse();
        self.custom.iter().map(ToString::to_string).chain(urls)
    }

    /// The URL that the service reports first: always accepted.
    pub fn default_url(&self) -> String {
        self.urls.urls(&self.hosts.hosts()).status_url
    }

    fn is_own_url(&self, aud: &str) -> bool {
        let (secure, rest) = match (aud.strip_prefix("https://"), aud.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return false,
        };
        if rest.contains(['?', '#']) {
            return false;
        }
        let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let good = if host.ends_with(LOCAL_SUFFIX) {
            port.is_none_or(|port| port.parse() == Ok(self.urls.port) && !port.starts_with(['+', '0']))
        } else {
            secure && port.is_none()
        };
        good && self.hosts.covers(host)
    }
}

#[cfg(test)]
mod tests;
