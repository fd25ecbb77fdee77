//! How is an admitted request handed to an instance, and what comes back?

use std::sync::Arc;

use bytes::Bytes;
use groundrun_model::instance::Protocol;
use groundrun_model::request;
use groundrun_runtime::{Backend, Body, BoxError, EchoCaller, RespondError};
use http::header::{CONTENT_TYPE, UPGRADE};
use http::{Request, Response, Version};
use http_body_util::{LengthLimitError, Limited};

use crate::data_plane::Admission;
use crate::headers;
use crate::reject::Rejection;

/// Hands a request to an instance of the revision that was picked. Whoever calls this has an
/// [`Admission`], and with it the permit of the model.
///
/// # Errors
/// The instance gave no response; or the body broke off, or has more than it may have and did not announce
/// it.
pub(crate) async fn forward<B>(
    backend: &Backend,
    admission: &Admission,
    mut incoming: Request<B>,
) -> Result<Response<Body>, Rejection>
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let protocol = spoken(admission, &incoming);
    if incoming.headers().contains_key(UPGRADE) {
        // There is no WebSocket over HTTP/2 without RFC 8441, which the hosted service does not offer.
        if protocol == Protocol::H2c {
            headers::remove_upgrade(incoming.headers_mut());
        } else if !incoming.body().is_end_stream() {
            return Err(Rejection::UpgradeWithBody);
        }
    }
    let limit = request::body_limit(protocol).and_then(|limit| usize::try_from(limit).ok());
    let request = incoming.map(|body| Limited::new(body, limit.unwrap_or(usize::MAX)));
    let mut response = backend
        .respond(&admission.instance, request, caller(admission))
        .await
        .map_err(|error| rejection(&error, admission))?;
    headers::for_client(response.status(), response.headers_mut(), &admission.trace);
    Ok(response)
}

/// What the instance is sent this request in.
fn spoken<B>(admission: &Admission, request: &Request<B>) -> Protocol {
    let content_type = request.headers().get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    admission.instance.protocol.for_request(request.version() == Version::HTTP_2, content_type)
}

/// The caller as the echo shows it: who was admitted, and by a token for which audience.
fn caller(admission: &Admission) -> Option<EchoCaller<'_>> {
    let caller = admission.permit.caller()?;
    Some(EchoCaller {
        email: caller.email.as_deref(),
        sub: &caller.unique_id,
        audience: &admission.verified.as_ref()?.claims().aud,
    })
}

fn rejection(error: &RespondError, admission: &Admission) -> Rejection {
    match error {
        RespondError::RequestBody(error) if error.is::<LengthLimitError>() => {
            Rejection::TooLarge { service: admission.instance.service.clone() }
        }
        _ => match error.failure() {
            None => Rejection::BrokenBody,
            Some(failure) => Rejection::Instance {
                instance: Arc::clone(&admission.instance),
                failure,
                problem: error.to_string(),
            },
        },
    }
}
