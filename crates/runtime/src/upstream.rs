//! How does a server answer that runs already?

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use groundrun_model::instance::Protocol;
use groundrun_model::rule::Upstream;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::backend::{Body, BoxError, RespondError};

/// The body of a request on its way.
type Sent = UnsyncBoxBody<Bytes, BoxError>;

/// The servers that run already, and the idle connections to each.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    idle: Mutex<HashMap<Upstream, Vec<SendRequest<Sent>>>>,
}

impl Upstreams {
    /// The response of the server.
    ///
    /// # Errors
    /// It cannot be reached, or breaks off before it has answered.
    pub(crate) async fn respond<B>(
        &self,
        upstream: &Upstream,
        _protocol: Protocol,
        request: Request<B>,
    ) -> Result<Response<Body>, RespondError>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut sender = match self.take(upstream) {
            Some(sender) => sender,
            None => connect(upstream).await?,
        };
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        let response =
            sender.send_request(request).await.map_err(|problem| RespondError::Malformed(problem.into()))?;
        self.put(upstream, sender);
        Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }

    fn take(&self, upstream: &Upstream) -> Option<SendRequest<Sent>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let own = idle.get_mut(upstream)?;
        while let Some(sender) = own.pop() {
            if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    fn put(&self, upstream: &Upstream, sender: SendRequest<Sent>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(upstream.clone()).or_default().push(sender);
    }
}

async fn connect(upstream: &Upstream) -> Result<SendRequest<Sent>, RespondError> {
    let authority = upstream.authority();
    let unreachable = |problem| RespondError::Unreachable { authority: authority.to_owned(), problem };
    let stream = TcpStream::connect(authority).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|problem| RespondError::Malformed(problem.into()))?;
    tokio::spawn(connection);
    Ok(sender)
}
