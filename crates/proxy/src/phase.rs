//! What does each phase decide?
//!
//! Each takes what it needs from the request, asks the model, and names the rejection.

use std::sync::Arc;

use groundrun_identity::{Verified, Verifier};
use groundrun_model::Timestamp;
use groundrun_model::door::{self, Door};
use groundrun_model::instance::InstanceSpec;
use groundrun_model::invoke::{self, Call, Credential, CredentialHeader, Denial, Permit};
use groundrun_model::request;
use groundrun_model::routing::{HostMatch, Origin, Route, RoutingTable};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, Version};

use crate::affinity::{self, Picked};
use crate::arrival::{Arrival, Scheme};
use crate::data_plane::{Names, Random};
use crate::head::RequestHead;
use crate::reject::Rejection;

/// The header that wins over `Authorization`.
pub(crate) const SERVERLESS_AUTHORIZATION: HeaderName =
    HeaderName::from_static(request::headers::SERVERLESS_AUTHORIZATION);

/// Which service is it?
pub(crate) fn host<'t>(
    table: &'t RoutingTable,
    authority: &str,
    path: &str,
) -> Result<HostMatch<'t>, Rejection> {
    match door::classify(table, Some(authority), path, false) {
        Door::DataPlane(found) => Ok(found),
        _ => Err(Rejection::NoSuchHost),
    }
}

/// Is the method one that services never see?
pub(crate) fn method(method: &str) -> Result<(), Rejection> {
    if request::is_refused_method(method) { Err(Rejection::Method) } else { Ok(()) }
}

/// Is the path one that services never see?
pub(crate) fn reserved_path(path: &str) -> Result<(), Rejection> {
    let path = request::without_needless_escapes(path);
    if request::is_reserved_path(&path) { Err(Rejection::ReservedPath) } else { Ok(()) }
}

/// May the service be called from there, and at this URL?
pub(crate) fn ingress(found: &HostMatch<'_>, origin: Origin) -> Result<(), Rejection> {
    found.closed_to(origin).map_or(Ok(()), |closed| Err(Rejection::Closed(closed)))
}

/// Must the client come back by https?
pub(crate) fn https(redirect: bool, arrival: &Arrival<'_>, target: &str) -> Result<(), Rejection> {
    if !redirect || arrival.scheme == Scheme::Https {
        return Ok(());
    }
    Err(Rejection::PlainHttp { location: format!("https://{}{target}", arrival.authority) })
}

/// What a client showed, and what it was worth.
#[derive(Default)]
pub(crate) struct Shown {
    /// The token that was verified.
    pub(crate) verified: Option<Verified>,
    /// The header that was looked at. A public service looks at none.
    pub(crate) header: Option<CredentialHeader>,
}

/// Who calls?
pub(crate) fn authenticate(
    route: &Arc<Route>,
    head: &impl RequestHead,
    verifier: &Verifier,
    call: &Call<'_>,
) -> Result<Shown, Rejection> {
    if route.access.public(call).is_some() {
        return Ok(Shown::default());
    }
    let (credential, header) =
        Credential::pick(head.values(&SERVERLESS_AUTHORIZATION), head.values(&AUTHORIZATION));
    let verified = match credential {
        Credential::None => Ok(None),
        Credential::Malformed(why) => Err(why.to_owned()),
        Credential::Token(token) => {
            verifier.verify(token, call.now).map(Some).map_err(|error| error.to_string())
        }
    };
    match verified {
        Ok(verified) => Ok(Shown { verified, header }),
        Err(why) => Err(Rejection::denied(Denial::Credential(why), route)),
    }
}

/// May this caller call this service?
pub(crate) fn authorize(
    route: &Arc<Route>,
    shown: &Shown,
    call: &Call<'_>,
    names: &Names,
) -> Result<Permit, Rejection> {
    let claims = shown.verified.as_ref().map(Verified::claims);
    invoke::authorize(route, claims, call)
        .map_err(|denial| Rejection::denied(denial.name_caller(|unique_id| names(unique_id)), route))
}

/// Does the request announce more than the instance may be sent?
pub(crate) fn size(instance: &InstanceSpec, head: &impl RequestHead) -> Result<(), Rejection> {
    let announced = head.text(&CONTENT_LENGTH).and_then(|value| value.parse::<u64>().ok());
    let content_type = head.values(&CONTENT_TYPE).next();
    let protocol = instance.protocol.for_request(head.version() == Version::HTTP_2, content_type);
    match (announced, request::body_limit(protocol)) {
        (Some(announced), Some(limit)) if announced > limit => {
            Err(Rejection::TooLarge { service: instance.service.clone() })
        }
        _ => Ok(()),
    }
}

/// Which revision takes it?
pub(crate) fn revision(
    found: &HostMatch<'_>,
    head: &impl RequestHead,
    random: &Random,
    now: Timestamp,
) -> Result<Picked, Rejection> {
    let no_revision = || Rejection::NoRevision { service: found.route.id.clone() };
    affinity::pick(found, head, random, now).ok_or_else(no_revision)
}
