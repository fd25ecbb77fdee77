//! In which order is a request judged?

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use groundrun_identity::{Verified, Verifier};
use groundrun_model::Timestamp;
use groundrun_model::door;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::invoke::{Call, CredentialHeader, Permit};
use groundrun_model::request::{self, TraceContext};
use groundrun_model::routing::{HostMatch, RoutingTable};
use groundrun_runtime::{Backend, Body, BoxError, Logs, SocketPools};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Body as _;

use crate::arrival::Arrival;
use crate::forward::forward;
use crate::head::RequestHead;
use crate::reject::Rejection;
use crate::{headers, log, phase};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Draws a number from all that there are, each as likely as the others.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Tells the address of the account with a unique id, if it is known here. Asked on denials only.
pub type Names = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How a data plane differs from the hosted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether the reason of a rejection is also put in a response header.
    pub explain: bool,
    /// Whether requests in the clear are redirected to https, as the hosted service does.
    pub https_redirect: bool,
}

/// What a data plane is made of.
#[derive(Clone)]
pub struct Setup {
    /// The services, swapped whole when one of them changes.
    pub table: Arc<ArcSwap<RoutingTable>>,
    /// Verifies ID tokens.
    pub verifier: Verifier,
    /// Runs the instances.
    pub backend: Backend,
    /// Where requests are logged for those who ask the API.
    pub logs: Logs,
    /// How it differs from the hosted one.
    pub options: Options,
    /// Tells when a request is judged.
    pub now: Clock,
    /// Throws the dice of a split, and draws the ids of traces.
    pub random: Random,
    /// Names the callers whose tokens have no email, when they are denied.
    pub names: Names,
}

/// The data plane. Cheap to clone: the clones are one.
#[derive(Clone)]
pub struct DataPlane(pub(crate) Arc<Setup>, pub(crate) SocketPools);

impl fmt::Debug for DataPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataPlane").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// Leave to forward a request, and where to.
pub(crate) struct Admission {
    pub(crate) permit: Permit,
    /// The token that was looked at; `None` if the service is public.
    pub(crate) verified: Option<Verified>,
    pub(crate) instance: Arc<InstanceSpec>,
    pub(crate) trace: TraceContext,
    /// The header that was looked at for the token; a public service looks at none.
    pub(crate) checked: Option<CredentialHeader>,
}

impl DataPlane {
    /// The data plane of this setup.
    pub fn new(setup: Setup) -> Self {
        Self(Arc::new(setup), SocketPools::default())
    }

    /// The response to a request that arrived for a service, or for the host of one that is not there:
    /// the model's `door::classify` says which do.
    ///
    /// Every request that was admitted or denied is logged on one line, target `groundrun::request`, and
    /// leaves an entry in [`Setup::logs`]. The `date` header is left to the HTTP server.
    pub async fn handle<B>(&self, request: Request<B>, arrival: Arrival<'_>) -> Response<Body>
    where
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (mut head, body) = request.into_parts();
        let at = (self.0.now)();
        let arrived = log::Arrived::new(at, &head, &arrival);
        let method = head.method.clone();
        let outcome = match self.admit(&head, &arrival, at) {
            Ok(admission) => {
                headers::remove_signatures(&mut head.headers, admission.checked);
                headers::for_instance(&mut head, &arrival, &admission.trace);
                let response = forward(&self.0.backend, &admission, Request::from_parts(head, body)).await;
                response.map(|response| (admission, response))
            }
            Err(rejection) => Err(rejection),
        };
        match outcome {
            Ok((admission, response)) => {
                let size = response.body().size_hint().exact();
                self.note_answer(&admission, arrived, response.status(), size);
                response
            }
            Err(rejection) => self.refuse(&rejection, &method, arrived),
        }
    }

    /// Leaves in the logs that an instance has answered, with so many bytes if that is known.
    pub(crate) fn note_answer(
        &self,
        admission: &Admission,
        arrived: log::Arrived,
        status: StatusCode,
        size: Option<u64>,
    ) {
        log::admitted(admission, &arrived, status);
        self.0.logs.record(arrived.answered(admission, (status, size), (self.0.now)()));
    }

    /// The page of a rejection, which is left in the logs.
    pub(crate) fn refuse(
        &self,
        rejection: &Rejection,
        method: &Method,
        arrived: log::Arrived,
    ) -> Response<Body> {
        log::rejected(rejection, &arrived);
        let response = rejection.respond(method, arrived.path(), self.0.options.explain);
        if let Some(entry) = arrived.refused(rejection, &response, (self.0.now)()) {
            self.0.logs.record(entry);
        }
        response
    }

    /// The page of what is no request, and so leaves nothing but a line at the level debug.
    pub(crate) fn refuse_bytes(&self, rejection: &Rejection) -> Response<Body> {
        log::no_request(rejection);
        rejection.respond(&Method::GET, "", self.0.options.explain)
    }

    /// The phases of Cloud Run, each of which may reject, at the moment `at`.
    pub(crate) fn admit(
        &self,
        head: &impl RequestHead,
        arrival: &Arrival<'_>,
        at: Timestamp,
    ) -> Result<Admission, Rejection> {
        let table = self.0.table.load();
        let found = phase::host(&table, arrival.authority, head.path())?;
        let host = door::host_of(arrival.authority).unwrap_or_default();
        self.judge(&found, &host, (head, arrival), at)
    }

    /// The phases behind the first, for a request to `host`, which leads to what was found.
    pub(crate) fn judge(
        &self,
        found: &HostMatch<'_>,
        host: &str,
        (head, arrival): (&impl RequestHead, &Arrival<'_>),
        at: Timestamp,
    ) -> Result<Admission, Rejection> {
        let Setup { verifier, options, random, names, .. } = &*self.0;
        let path = head.path();
        phase::method(head.method())?;
        phase::reserved_path(path)?;
        phase::ingress(found, arrival.origin)?;
        phase::https(options.https_redirect, arrival, head.path_and_query())?;
        // What the instance sees, lest an escape lead around a condition.
        let path = request::without_needless_escapes(path);
        // One moment for the token, the conditions and the policies.
        let call = Call { now: at, host, path: &path };
        let shown = phase::authenticate(found.route, head, verifier, &call)?;
        let permit = phase::authorize(found.route, &shown, &call, names)?;
        let instance = phase::revision(found, random)?;
        phase::size(&instance, head)?;

        let trace = headers::trace(head, random);
        Ok(Admission { permit, verified: shown.verified, instance, trace, checked: shown.header })
    }
}
