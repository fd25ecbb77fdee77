//! How is an admitted request handed to an instance, and what comes back?

use bytes::Bytes;
use groundrun_runtime::{Backend, Body, BoxError, EchoCaller, RespondError};
use http::{Request, Response};
use http_body_util::{LengthLimitError, Limited};

use crate::data_plane::Admission;
use crate::reject::Rejection;
use crate::{headers, phase};

/// Hands a request to an instance of the revision that was picked. Whoever calls this has an
/// [`Admission`], and with it the permit of the model.
///
/// # Errors
/// The body broke off, or has more than it may have and did not announce it.
pub(crate) async fn forward<B>(
    backend: &Backend,
    admission: &Admission,
    request: Request<B>,
) -> Result<Response<Body>, Rejection>
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let limit = phase::body_limit(request.version()).and_then(|limit| usize::try_from(limit).ok());
    let request = request.map(|body| Limited::new(body, limit.unwrap_or(usize::MAX)));
    let mut response = backend
        .respond(&admission.instance, request, caller(admission))
        .await
        .map_err(|error| rejection(&error, admission))?;
    headers::for_client(response.headers_mut(), &admission.trace);
    Ok(response)
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
        RespondError::RequestBody(_) => Rejection::BrokenBody,
        RespondError::Unreachable { .. } | RespondError::Malformed(_) => {
            Rejection::Instance { service: admission.instance.service.clone(), problem: error.to_string() }
        }
    }
}
