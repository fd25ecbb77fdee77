//! What does a load balancer add to the requests and responses that pass it?
//!
//! <https://cloud.google.com/load-balancing/docs/https#target-proxies>

use std::net::IpAddr;

use groundrun_model::routing::origin::{Line, ORIGIN_HEADER};
use groundrun_model::routing::{Ingress, Origin, Route};
use http::header::{FORWARDED, VIA};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::arrival::Arrival;
use crate::head::RequestHead;

/// The header by which a client on this machine says where it calls from.
const ORIGIN: HeaderName = HeaderName::from_static(ORIGIN_HEADER);

/// How the load balancer names itself in responses.
const GOOGLE: HeaderValue = HeaderValue::from_static("1.1 google");

const FORWARDED_FOR: HeaderName = HeaderName::from_static(groundrun_model::request::headers::FORWARDED_FOR);

/// What a proxy adds to requests that it passes on: whoever made them does not speak for this machine.
const FORWARDING: [HeaderName; 3] = [FORWARDED, FORWARDED_FOR, VIA];

/// From where the client of `route` calls. A service that everybody may call does not ask.
pub(crate) fn origin(route: &Route, head: &impl RequestHead, arrival: &Arrival<'_>) -> Origin {
    if route.ingress == Ingress::All {
        return arrival.origin;
    }
    let forwarded = FORWARDING.iter().any(|name| head.values(name).next().is_some());
    let line = Line { origin: arrival.origin, peer: arrival.peer.ip(), forwarded };
    Origin::of(line, head.values(&ORIGIN))
}

/// Makes the headers of a request what the instance is to see, after everything else did: without the word
/// of where it came from, and with the address of the load balancer that it passed behind that of the client.
pub(crate) fn for_instance(headers: &mut HeaderMap, passed: Option<IpAddr>) {
    headers.remove(ORIGIN);
    let Some(address) = passed else { return };
    let before = headers.get(FORWARDED_FOR).map(HeaderValue::as_bytes).unwrap_or_default();
    let value = [before, b", ", address.to_string().as_bytes()].concat();
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        headers.insert(FORWARDED_FOR, value);
    }
}

/// Marks a response, if it passes a load balancer.
pub(crate) fn mark(headers: &mut HeaderMap, passes: bool) {
    if passes {
        headers.append(VIA, GOOGLE);
    }
}
