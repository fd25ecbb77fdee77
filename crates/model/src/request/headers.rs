//! What becomes of a header on its way through the front end?
//!
//! Names may have any case. Whoever passes messages on, by whichever parser, asks here.

use crate::invoke::CredentialHeader;

/// The addresses that a request came from, the last being that of who called the front end.
pub const FORWARDED_FOR: &str = "x-forwarded-for";
/// What the client spoke: always `https`, as far as an instance is told.
pub const FORWARDED_PROTO: &str = "x-forwarded-proto";
/// The two before as RFC 7239 has them.
pub const FORWARDED: &str = "forwarded";
/// The trace that a request belongs to. <https://cloud.google.com/trace/docs/trace-context>.
pub const CLOUD_TRACE: &str = "x-cloud-trace-context";
/// The same as W3C has it. <https://www.w3.org/TR/trace-context/>.
pub const TRACEPARENT: &str = "traceparent";
/// Who sent a response.
pub const SERVER: &str = "server";
/// The credential of who calls a service that uses `Authorization` itself.
/// <https://cloud.google.com/run/docs/authenticating/service-to-service>.
pub const SERVERLESS_AUTHORIZATION: &str = "x-serverless-authorization";

/// What the front end calls itself.
pub const FRONT_END: &str = "Google Frontend";
/// What the front end says an instance is called by.
pub const SPOKEN: &str = "https";
/// How a response that sets a cookie may be kept, whatever the application says: by no cache that others share.
/// <https://cloud.google.com/run/docs/known-issues>.
pub const KEPT_WITH_COOKIE: &str = "private";

/// What the front end says to an instance itself: what a client sends under these names is replaced or continued.
pub const TOLD_TO_INSTANCES: [&str; 5] =
    [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED, CLOUD_TRACE, TRACEPARENT];

/// What the front end says to a client itself, whatever an instance says.
pub const TOLD_TO_CLIENTS: [&str; 2] = [SERVER, CLOUD_TRACE];

/// The headers of one connection, which are not passed on to the next. `Connection` may name more.
/// `Trailer` is not among them: who announces trailers is to be believed (RFC 9110, section 6.6.2).
pub const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// What may not be a trailer: what says how long a message is, for whom, from whom, or what it is
/// (RFC 9110, section 6.5.1).
const NO_TRAILERS: [&str; 22] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    FORWARDED,
    "host",
    "max-forwards",
    "range",
    SERVER,
    "set-cookie",
    "te",
    "trailer",
    TRACEPARENT,
    CLOUD_TRACE,
    FORWARDED_FOR,
    FORWARDED_PROTO,
    SERVERLESS_AUTHORIZATION,
];

/// Whether the header belongs to one connection.
pub fn is_hop_by_hop(name: &str) -> bool {
    is_among(name, &HOP_BY_HOP)
}

/// Whether a field behind a body may be passed on under this name.
pub fn may_be_trailer(name: &str) -> bool {
    !is_hop_by_hop(name) && !is_among(name, &NO_TRAILERS)
}

/// Whether the front end says it to instances itself. An `Expect` it answers (RFC 9110, section 10.1.1).
pub fn is_told_to_instances(name: &str) -> bool {
    is_among(name, &TOLD_TO_INSTANCES) || name.eq_ignore_ascii_case("expect")
}

/// Whether the front end says it to clients itself; `has_cookie` if the response sets one.
pub fn is_told_to_clients(name: &str, has_cookie: bool) -> bool {
    is_among(name, &TOLD_TO_CLIENTS) || (has_cookie && name.eq_ignore_ascii_case("cache-control"))
}

/// Whether `TE` is passed on, which says nothing but `trailers`: gRPC servers ask for it.
pub fn keeps_te<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> bool {
    values.all(|value| value == b"trailers")
}

/// Whether a header that `Connection` names is dropped for it. Whom a request is for is nothing of the
/// connection, whoever says so; and for `TE` there is [`keeps_te`].
pub fn may_be_named(name: &str) -> bool {
    !name.eq_ignore_ascii_case("host") && !name.eq_ignore_ascii_case("te")
}

/// Whether `list`, the value of `Connection` or `Upgrade`, names `token`, in any case.
pub fn names(list: &[u8], token: &str) -> bool {
    list.split(|byte| *byte == b',').any(|name| name.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// Which of the headers it is whose tokens an instance must not be able to use: the one that was `checked`, and
/// `X-Serverless-Authorization` whether it was or not. `Authorization` is left alone if another header was
/// checked or the service is public: then it is the application's.
pub fn credential_to_hide(name: &str, checked: Option<CredentialHeader>) -> Option<CredentialHeader> {
    if name.eq_ignore_ascii_case("authorization") {
        return checked.filter(|header| *header == CredentialHeader::Authorization);
    }
    name.eq_ignore_ascii_case(SERVERLESS_AUTHORIZATION).then_some(CredentialHeader::ServerlessAuthorization)
}

fn is_among(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}
