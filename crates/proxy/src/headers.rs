//! Which headers does an instance see, and which the client?

use groundrun_model::invoke::CredentialHeader;
use groundrun_model::request::{self, SIGNATURE_REMOVED, TraceContext, headers as rules};
use http::header::{CACHE_CONTROL, CONNECTION, FORWARDED, HOST, SERVER, SET_COOKIE, TE, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version};

use crate::arrival::Arrival;
use crate::data_plane::Random;
use crate::head::RequestHead;

/// What the front end calls itself.
pub(crate) const FRONT_END: HeaderValue = HeaderValue::from_static(rules::FRONT_END);

const FORWARDED_FOR: HeaderName = HeaderName::from_static(rules::FORWARDED_FOR);
const FORWARDED_PROTO: HeaderName = HeaderName::from_static(rules::FORWARDED_PROTO);
const CLOUD_TRACE: HeaderName = HeaderName::from_static(rules::CLOUD_TRACE);
const TRACEPARENT: HeaderName = HeaderName::from_static(rules::TRACEPARENT);

/// Takes the signatures out of the tokens that an instance must not be able to use.
pub(crate) fn remove_signatures(headers: &mut HeaderMap, checked: Option<CredentialHeader>) {
    for (name, value) in headers.iter_mut() {
        if rules::credential_to_hide(name.as_str(), checked).is_none() {
            continue;
        }
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
    remove_what_is_of_the_connection(headers);
    let sent = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes);
    let peer = arrival.peer.ip();
    let forwarded_for = request::forwarded_for(sent, peer);
    remove_where(headers, rules::is_told_to_instances);
    if is_websocket {
        upgrade_to_websocket(headers);
    }
    if headers.get(HOST).is_none_or(|host| host.as_bytes() != arrival.authority.as_bytes()) {
        set(headers, HOST, arrival.authority.as_bytes());
    }
    set(headers, FORWARDED_FOR, &forwarded_for);
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(rules::SPOKEN));
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
    remove_what_is_of_the_connection(headers);
    let has_cookie = headers.contains_key(SET_COOKIE);
    remove_where(headers, |name| rules::is_told_to_clients(name, has_cookie));
    if status == StatusCode::SWITCHING_PROTOCOLS {
        upgrade_to_websocket(headers);
    }
    headers.insert(SERVER, FRONT_END);
    set(headers, CLOUD_TRACE, trace.cloud_response().as_bytes());
    if has_cookie {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(rules::KEPT_WITH_COOKIE));
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

fn remove_what_is_of_the_connection(headers: &mut HeaderMap) {
    let keeps_te = rules::keeps_te(headers.get_all(TE).iter().map(HeaderValue::as_bytes));
    let lists: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    let is_named = |name: &str| lists.iter().any(|list| rules::names(list.as_bytes(), name));
    remove_where(headers, |name| {
        rules::is_hop_by_hop(name)
            || (name == TE.as_str() && !keeps_te)
            || (rules::may_be_named(name) && is_named(name))
    });
}

fn remove_where(headers: &mut HeaderMap, is_dropped: impl Fn(&str) -> bool) {
    let dropped: Vec<HeaderName> = headers.keys().filter(|name| is_dropped(name.as_str())).cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
}

/// Sets a header to what can only be a value: made here, or taken from a value that was one.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &[u8]) {
    match HeaderValue::from_bytes(value) {
        Ok(value) => _ = headers.insert(name, value),
        Err(_) => _ = headers.remove(name),
    }
}
