//! Which headers does an instance see, and which the client?

use groundrun_model::invoke::CredentialHeader;
use groundrun_model::request::{self, HOP_BY_HOP, SIGNATURE_REMOVED, TraceContext};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, EXPECT, Entry, FORWARDED, HOST, SERVER, SET_COOKIE, TE, UPGRADE,
};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version};

use crate::arrival::Arrival;
use crate::data_plane::Random;
use crate::head::RequestHead;
use crate::phase::SERVERLESS_AUTHORIZATION;

/// What the front end calls itself.
pub(crate) const FRONT_END: HeaderValue = HeaderValue::from_static("Google Frontend");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const CLOUD_TRACE: HeaderName = HeaderName::from_static("x-cloud-trace-context");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Takes the signatures out of the tokens that an instance must not be able to use: in the header that
/// was `checked`, and in `X-Serverless-Authorization` whether it was or not. `Authorization` is left
/// alone if another header was checked or the service is public: then it is the application's.
pub(crate) fn remove_signatures(headers: &mut HeaderMap, checked: Option<CredentialHeader>) {
    remove_signatures_in(headers, SERVERLESS_AUTHORIZATION);
    if checked == Some(CredentialHeader::Authorization) {
        remove_signatures_in(headers, AUTHORIZATION);
    }
}

fn remove_signatures_in(headers: &mut HeaderMap, name: HeaderName) {
    let Entry::Occupied(mut entry) = headers.entry(name) else { return };
    for value in entry.iter_mut() {
        if let Some(stripped) = request::without_signatures(value.as_bytes()) {
            let marker = HeaderValue::from_static(SIGNATURE_REMOVED);
            *value = HeaderValue::from_bytes(&stripped).unwrap_or(marker);
        }
    }
}

/// The trace that a request belongs to.
pub(crate) fn trace(head: &impl RequestHead, random: &Random) -> TraceContext {
    let fresh = u128::from(random()) << 64 | u128::from(random());
    TraceContext::new(head.text(&TRACEPARENT), head.text(&CLOUD_TRACE), fresh, random())
}

/// Makes the request what an instance is to see: the target in origin form, the host that the client
/// named, where it comes from, its trace, and nothing that belongs to the client's connection. Whoever
/// expects a 100 is answered here (RFC 9110, section 10.1.1), as soon as its body is wanted.
pub(crate) fn for_instance(head: &mut Parts, arrival: &Arrival<'_>, trace: &TraceContext) {
    head.uri = origin_form(&head.uri);
    let is_websocket = is_websocket(head);
    let headers = &mut head.headers;
    remove_hop_by_hop(headers);
    headers.remove(EXPECT);
    if is_websocket {
        upgrade_to_websocket(headers);
    }
    if headers.get(HOST).is_none_or(|host| host.as_bytes() != arrival.authority.as_bytes()) {
        set(headers, HOST, arrival.authority.as_bytes());
    }
    let peer = arrival.peer.ip();
    let sent = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
    let forwarded_for = request::forwarded_for(sent, peer);
    set(headers, FORWARDED_FOR, &forwarded_for);
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
    set(headers, FORWARDED, request::forwarded(peer).as_bytes());
    set(headers, CLOUD_TRACE, trace.cloud().as_bytes());
    set(headers, TRACEPARENT, trace.traceparent().as_bytes());
}

fn is_websocket(head: &Parts) -> bool {
    let values = |name| head.headers.get_all(name).iter().map(HeaderValue::as_bytes);
    head.version == Version::HTTP_11
        && request::is_websocket(head.method.as_str(), values(CONNECTION), values(UPGRADE))
}

/// The two headers by which both sides of a handshake name what comes behind it.
fn upgrade_to_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Takes the wish to speak something else out of a request.
pub(crate) fn remove_upgrade(headers: &mut HeaderMap) {
    headers.remove(CONNECTION);
    headers.remove(UPGRADE);
}

/// Makes the response of an instance what the client is to see. One that sets a cookie must not be kept
/// by a cache that others share: <https://cloud.google.com/run/docs/known-issues>.
pub(crate) fn for_client(status: StatusCode, headers: &mut HeaderMap, trace: &TraceContext) {
    remove_hop_by_hop(headers);
    if status == StatusCode::SWITCHING_PROTOCOLS {
        upgrade_to_websocket(headers);
    }
    headers.insert(SERVER, FRONT_END);
    set(headers, CLOUD_TRACE, trace.cloud_response().as_bytes());
    if headers.contains_key(SET_COOKIE) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    }
}

/// Path and query, as servers that are no proxies get it, without needless escapes in the path.
fn origin_form(uri: &Uri) -> Uri {
    let path = request::without_needless_escapes(uri.path());
    if uri.authority().is_none() && path == uri.path() {
        return uri.clone();
    }
    let target = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path.into_owned()),
    };
    target.map_or_else(|_| uri.clone(), Uri::from)
}

/// Removes what belongs to one connection. `TE: trailers` stays: gRPC servers ask for it.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> =
        named.flat_map(|list| list.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
    for name in named.iter().filter(|name| **name != TE) {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    if headers.get_all(TE).iter().any(|value| value != "trailers") {
        headers.remove(TE);
    }
}

/// Sets a header to what can only be a value: made here, or taken from a value that was one.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &[u8]) {
    match HeaderValue::from_bytes(value) {
        Ok(value) => _ = headers.insert(name, value),
        Err(_) => _ = headers.remove(name),
    }
}
