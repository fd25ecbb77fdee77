//! When does a response end, and what becomes of its connection then?

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::SendRequest;
use tokio::time::{Instant, Sleep};

use super::outgoing::Sent;
use super::{h2c, http1, outgoing};
use crate::backend::BoxError;

/// What a response holds while it is under way.
#[derive(Debug, Default)]
pub(super) struct Lease(Option<Held>);

#[derive(Debug)]
enum Held {
    /// A connection, which nobody else may use meanwhile.
    Http1(Arc<http1::Pool>, SendRequest<Sent>),
    /// A place on one, given back when it is dropped.
    H2c(#[expect(dead_code, reason = "held, not read")] h2c::Place),
}

impl Lease {
    pub(super) fn http1(pool: Arc<http1::Pool>, sender: SendRequest<Sent>) -> Self {
        Self(Some(Held::Http1(pool, sender)))
    }

    pub(super) fn h2c(place: h2c::Place) -> Self {
        Self(Some(Held::H2c(place)))
    }

    /// The response has ended as it should. If this is never called, a connection of HTTP/1.1 is closed.
    fn end(&mut self) {
        if let Some(Held::Http1(pool, sender)) = self.0.take() {
            pool.put(sender);
        }
    }
}

/// The body of a response. It breaks off at the deadline of its request.
#[derive(Debug)]
pub(super) struct Answer {
    incoming: Incoming,
    lease: Lease,
    deadline: Pin<Box<Sleep>>,
}

impl Answer {
    pub(super) fn new(incoming: Incoming, mut lease: Lease, deadline: Instant) -> Self {
        // A server that knows that there is nothing does not look for it.
        if incoming.is_end_stream() {
            lease.end();
        }
        Self { incoming, lease, deadline: Box::pin(tokio::time::sleep_until(deadline)) }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err("the request reached its timeout".into())));
        }
        let polled = Pin::new(&mut this.incoming).poll_frame(cx);
        match &polled {
            Poll::Ready(None) => this.lease.end(),
            Poll::Ready(Some(Ok(_))) if this.incoming.is_end_stream() => this.lease.end(),
            _ => (),
        }
        polled.map_ok(outgoing::without_foreign_trailers).map_err(BoxError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
