//! What runs the instances?

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use groundrun_model::failure::Failure;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::log::Stream;
use groundrun_model::rule::Runs;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;

use crate::echo::{self, EchoCaller};
use crate::logs::Logs;
use crate::upstream::Upstreams;

/// Any error of a body.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a response, whichever backend it comes from.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// What runs instances. One value serves all revisions; clones are one.
#[derive(Debug, Clone, Default)]
pub struct Backend(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    upstreams: Upstreams,
}

/// Why no instance of a revision could be started, as its conditions are to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct StartFailure {
    /// One word, such as `HealthCheckContainerError`.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// Why an instance gave no response.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    /// The body of the request broke off.
    #[error("the body of the request broke off: {0}")]
    RequestBody(BoxError),
    /// Nothing accepts a connection at the address of the instance.
    #[error("cannot connect to {authority}: {problem}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// What the system says.
        problem: std::io::Error,
    },
    /// The connection broke off before there was a response.
    #[error("the connection to the instance broke off before there was a response: {0}")]
    BrokenOff(BoxError),
    /// What came is no response.
    #[error("no proper response from the instance: {0}")]
    Malformed(BoxError),
    /// No response began within the timeout of the revision.
    #[error("no response within the {seconds} s that a request may take")]
    TimedOut {
        /// The timeout.
        seconds: u32,
    },
    /// The response announces more than one of HTTP/1 may have.
    #[error("the response announces {bytes} bytes, and an HTTP/1 server may announce 32 MiB")]
    ResponseTooLarge {
        /// What it announces.
        bytes: u64,
    },
    /// No instance was free in time.
    #[error("no instance was free in time")]
    NoInstance {
        /// Whether the service runs as many as it may.
        at_limit: bool,
    },
    /// The instance did not start.
    #[error("the instance did not start: {0}")]
    NotStarted(StartFailure),
}

impl RespondError {
    /// What kind of failure of the instance it is; `None` is one of the client.
    pub fn failure(&self) -> Option<Failure> {
        Some(match self {
            Self::RequestBody(_) => return None,
            Self::Unreachable { .. } => Failure::Unreachable,
            Self::BrokenOff(_) => Failure::BrokenOff,
            Self::Malformed(_) => Failure::Malformed,
            Self::TimedOut { .. } => Failure::TimedOut,
            Self::ResponseTooLarge { .. } => Failure::ResponseTooLarge,
            Self::NoInstance { at_limit } => Failure::NoInstance { at_limit: *at_limit },
            Self::NotStarted(_) => Failure::NotStarted,
        })
    }
}

impl Backend {
    /// A backend that runs nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an instance of the revision, and returns when it is ready for requests. What it writes goes
    /// to `logs`. An echo is ready at once and says so, unless nobody could have pulled its image. A server
    /// that runs already is not waited for: whether it answers is known when it is called.
    ///
    /// # Errors
    /// The instance did not become ready.
    pub async fn start(&self, spec: InstanceSpec, logs: &Logs) -> Result<(), StartFailure> {
        let text = match &spec.runs {
            Runs::Echo => {
                echo::start(&spec)?;
                format!("listening on port {}", spec.port)
            }
            Runs::Url(upstream) => format!("requests go to http://{}", upstream.authority()),
        };
        logs.write(&Arc::new(spec), Stream::Stdout, &text);
        Ok(())
    }

    /// Stops the instances of the revision, and returns when they are gone. Neither an echo nor a server
    /// that ran already has any.
    pub async fn stop(&self, _spec: &InstanceSpec) {}

    /// The response of an instance of the revision, within its timeout: one that has begun breaks off
    /// there. `caller` is for backends that show it; what an instance may know of its caller is in the
    /// headers. The version of `request` is that of the client; with the header `Upgrade` it asks for a
    /// WebSocket, which is joined with the client's connection behind the 101.
    ///
    /// # Errors
    /// No response; nothing was sent to the client yet.
    pub async fn respond<B>(
        &self,
        spec: &InstanceSpec,
        request: Request<B>,
        caller: Option<EchoCaller<'_>>,
    ) -> Result<Response<Body>, RespondError>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match &spec.runs {
            Runs::Echo => echo::respond(spec, request, caller).await,
            Runs::Url(upstream) => self.0.upstreams.respond(upstream, spec, request).await,
        }
    }
}
