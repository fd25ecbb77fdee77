//! What runs the instances?

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::log::Stream;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;

use crate::echo::{self, EchoCaller};
use crate::logs::Logs;

/// Any error of a body.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a response, whichever backend it comes from.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// What runs instances. One value serves all revisions, and is cheap to clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Nothing runs: every revision answers with what it was sent.
    Echo,
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
}

impl Backend {
    /// Starts an instance of the revision, and returns when it is ready for requests. What it writes goes
    /// to `logs`. An echo is ready at once and says so, unless nobody could have pulled its image.
    ///
    /// # Errors
    /// The instance did not become ready.
    pub async fn start(&self, spec: InstanceSpec, logs: &Logs) -> Result<(), StartFailure> {
        match self {
            Self::Echo => {
                echo::start(&spec)?;
                let text = format!("listening on port {}", spec.port);
                logs.write(&Arc::new(spec), Stream::Stdout, &text);
                Ok(())
            }
        }
    }

    /// Stops the instances of the revision, and returns when they are gone. An echo has none.
    pub async fn stop(&self, _spec: &InstanceSpec) {
        match self {
            Self::Echo => {}
        }
    }

    /// The response of an instance of the revision. `caller` is for backends that show it; what an
    /// instance may know of its caller is in the headers.
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
        match self {
            Self::Echo => echo::respond(spec, request, caller).await,
        }
    }
}
