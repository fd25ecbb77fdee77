//! What does the front end refuse, and what does it change, in a request for any service?
//!
//! These rules hold whatever the service is and whoever calls; who may call is decided in
//! [`crate::invoke`].

pub mod headers;
pub mod trace;

use std::borrow::Cow;
use std::net::IpAddr;

use crate::instance::Protocol;

pub use headers::{is_hop_by_hop, may_be_trailer, names};
pub use trace::{TraceContext, push_decimal};

/// The most that the body of a request may have, in bytes, if the instance speaks HTTP/1: 32 MiB. For an
/// HTTP/2 server there is no limit. <https://cloud.google.com/run/quotas#request_limits>.
pub const MAX_HTTP1_BODY_BYTES: u64 = 32 * 1024 * 1024;

/// The most that a response of an HTTP/1 server may announce, in bytes: 32 MiB. One that is sent in chunks
/// announces nothing and has no limit. <https://cloud.google.com/run/quotas#request_limits>.
pub const MAX_HTTP1_RESPONSE_BYTES: u64 = 32 * 1024 * 1024;

/// The most headers that the response of an HTTP/1 server may have. What the hosted service takes is not
/// documented.
pub const MAX_RESPONSE_HEADERS: usize = 256;

/// What stands in the place of a token's signature when a container sees it.
/// <https://cloud.google.com/run/docs/troubleshooting#signature-removed>.
pub const SIGNATURE_REMOVED: &str = "SIGNATURE_REMOVED_BY_GOOGLE";

/// Whether the response of an HTTP/1 server may announce a body of so many bytes. What announces one and has
/// none, because of the method or the status, may say what it likes.
pub fn may_announce(bytes: u64, method: &str, status: u16) -> bool {
    bytes <= MAX_HTTP1_RESPONSE_BYTES || method == "HEAD" || matches!(status, 204 | 304)
}

/// Whether `path` never reaches a container. <https://cloud.google.com/run/docs/known-issues>: `/eventlog`,
/// everything under `/_ah/`, and some paths that end in z, of which exactly `/healthz` was observed.
pub fn is_reserved_path(path: &str) -> bool {
    matches!(path, "/eventlog" | "/healthz") || path.starts_with("/_ah/")
}

/// Whether requests with `method` never reach a container.
/// <https://cloud.google.com/run/docs/known-issues>.
pub fn is_refused_method(method: &str) -> bool {
    matches!(method, "TRACE" | "CONNECT")
}

/// The most that the body of a request may have, in bytes, for an instance that is spoken to in `protocol`;
/// `None` is no limit.
pub fn body_limit(protocol: Protocol) -> Option<u64> {
    (protocol == Protocol::Http1).then_some(MAX_HTTP1_BODY_BYTES)
}

/// Whether this is the opening handshake of a WebSocket (RFC 6455, section 4.1): a GET that asks to upgrade
/// to `websocket`, by both headers. No other upgrade is passed on.
pub fn is_websocket<'a>(
    method: &str,
    mut connection: impl Iterator<Item = &'a [u8]>,
    mut upgrade: impl Iterator<Item = &'a [u8]>,
) -> bool {
    method == "GET"
        && connection.any(|list| names(list, "upgrade"))
        && upgrade.any(|list| names(list, "websocket"))
}

/// `value`, of a header that may hold credentials, with the signature of every token in it replaced.
/// `None` if there is none, and the value can stay.
pub fn without_signatures(value: &[u8]) -> Option<Vec<u8>> {
    let mut stripped = Vec::with_capacity(value.len());
    push_without_signatures(&mut stripped, value).then_some(stripped)
}

/// Puts `value` behind `stripped`, with the signature of every token in it replaced. Whether there was one.
pub fn push_without_signatures(stripped: &mut Vec<u8>, value: &[u8]) -> bool {
    if let Some(at) = only_signature(value) {
        stripped.extend_from_slice(&value[..at]);
        stripped.extend_from_slice(SIGNATURE_REMOVED.as_bytes());
        return true;
    }
    let mut has_signature = false;
    for word in value.split_inclusive(is_between_tokens) {
        let token = match word {
            [token @ .., last] if is_between_tokens(last) => token,
            _ => word,
        };
        match last_of_three_parts(token) {
            Some(at) => {
                has_signature = true;
                stripped.extend_from_slice(&token[..at]);
                stripped.extend_from_slice(SIGNATURE_REMOVED.as_bytes());
                stripped.extend_from_slice(&word[token.len()..]);
            }
            None => stripped.extend_from_slice(word),
        }
    }
    has_signature
}

/// The same for the value of the header in which a token was found and verified. It is a scheme and that token,
/// of three parts, and nothing else.
pub fn push_without_signature_of_verified(stripped: &mut Vec<u8>, value: &[u8]) {
    let last = std::str::from_utf8(value).ok().and_then(|text| text.rfind('.'));
    stripped.extend_from_slice(&value[..last.map_or(0, |last| last + 1)]);
    stripped.extend_from_slice(SIGNATURE_REMOVED.as_bytes());
}

fn is_between_tokens(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b',')
}

/// Where the signature begins of a value that is a scheme, a space and one signed JWT, as nearly all are. What
/// looks at all bytes looks at many at once.
fn only_signature(value: &[u8]) -> Option<usize> {
    let scheme = value.iter().position(is_between_tokens)? + 1;
    let token = &value[scheme..];
    // What stands before it may be a token as well: then there are several.
    let is_one = !value[..scheme].contains(&b'.')
        && !token.iter().fold(false, |found, byte| found | is_between_tokens(byte));
    let dots = token.iter().filter(|byte| **byte == b'.').count();
    let last = std::str::from_utf8(token).ok()?.rfind('.')?;
    (is_one && dots == 2).then_some(scheme + last + 1)
}

/// Where the last part of `token` begins, if it has the three parts of a signed JWT.
fn last_of_three_parts(token: &[u8]) -> Option<usize> {
    let mut dots = token.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    match (dots.next(), dots.next(), dots.next()) {
        (Some(_), Some(second), None) => Some(second + 1),
        _ => None,
    }
}

/// `path` with those percent-escapes decoded that never had to be there: of letters, digits, `-`, `_` and
/// `~`, as `%41` for `A`. The hosted service decodes some before a container sees them. `%2E` stays, so
/// that no path becomes another by `..`. A path in which a `%` begins no escape stays as it was sent: with
/// what is decoded behind it, such a `%` would become one (`%%361` would be `%61`), and an instance that
/// decodes would read another path than the conditions were asked about.
pub fn without_needless_escapes(path: &str) -> Cow<'_, str> {
    if !path.contains('%') || has_malformed_escape(path.as_bytes()) {
        return Cow::Borrowed(path);
    }
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let width = match needless_escape(rest.as_bytes()) {
            Some(letter) => {
                plain.push(letter);
                3
            }
            None => {
                plain.push('%');
                1
            }
        };
        rest = &rest[width..];
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn has_malformed_escape(path: &[u8]) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let mut percents = path.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    percents.any(|(at, _)| !(is_digit(path.get(at + 1)) && is_digit(path.get(at + 2))))
}

fn needless_escape(text: &[u8]) -> Option<char> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    let byte = u8::try_from(digit(1)? * 16 + digit(2)?).ok()?;
    (byte.is_ascii_alphanumeric() || b"-_~".contains(&byte)).then(|| char::from(byte))
}

/// The value of `X-Forwarded-For`: what the client sent, and last the address that it called from.
pub fn forwarded_for<'a>(sent: impl Iterator<Item = &'a [u8]>, peer: IpAddr) -> Vec<u8> {
    let mut value = Vec::new();
    push_forwarded_for(&mut value, sent, &peer.to_canonical().to_string());
    value
}

/// Puts that value behind `value`; `peer` is the address as text, without a zone or a port.
pub fn push_forwarded_for<'a>(value: &mut Vec<u8>, sent: impl Iterator<Item = &'a [u8]>, peer: &str) {
    for addresses in sent.filter(|addresses| !addresses.is_empty()) {
        value.extend_from_slice(addresses);
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(peer.as_bytes());
}

/// The value of `Forwarded` (RFC 7239): `for="203.0.113.7";proto=https`.
pub fn forwarded(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(address) => format!("for=\"{address}\";proto=https"),
        IpAddr::V6(address) => format!("for=\"[{address}]\";proto=https"),
    }
}

#[cfg(test)]
mod tests;
