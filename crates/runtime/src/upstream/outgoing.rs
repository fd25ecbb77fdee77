//! What became of the body of a request on its way to an instance?
//!
//! The connection tells only that it failed. Whether that was the instance's fault or the client's is noted
//! here.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use groundrun_model::request;
use http::HeaderName;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Frame;

use crate::backend::BoxError;

/// The body of a request on its way.
pub(super) type Sent = UnsyncBoxBody<Bytes, BoxError>;

/// Why a body broke off.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault(Arc<Mutex<Option<BoxError>>>);

impl Fault {
    /// The error of the body, if it had one.
    pub(super) fn take(&self) -> Option<BoxError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, error: BoxError) -> BoxError {
        let told = BoxError::from(error.to_string());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        told
    }
}

/// `body`, and where its error will be. What has nothing to send cannot break off.
pub(super) fn watched<B>(body: B) -> (Sent, Option<Fault>)
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return (empty(), None);
    }
    let fault = Fault::default();
    let noted = fault.clone();
    let body = body.map_frame(without_foreign_trailers).map_err(move |error| noted.note(error.into()));
    (body.boxed_unsync(), Some(fault))
}

/// The frame without trailers that may not be any.
pub(super) fn without_foreign_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    frame.into_trailers().map_or_else(std::convert::identity, |mut trailers| {
        let is_foreign = |name: &&HeaderName| !request::may_be_trailer(name.as_str());
        let foreign: Vec<HeaderName> = trailers.keys().filter(is_foreign).cloned().collect();
        for name in foreign {
            trailers.remove(name);
        }
        Frame::trailers(trailers)
    })
}

/// No body.
pub(super) fn empty() -> Sent {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}
