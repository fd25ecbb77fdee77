//! In which order is a request judged?

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use groundrun_identity::{Verified, Verifier};
use groundrun_model::Timestamp;
use groundrun_model::door;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::invoke::{Call, CredentialHeader, Permit};
use groundrun_model::request::{self, TraceContext};
use groundrun_model::routing::RoutingTable;
use groundrun_runtime::{Backend, Body, BoxError, Logs};
use http::{Request, Response};

use crate::arrival::Arrival;
use crate::forward::forward;
use crate::head::RequestHead;
use crate::phase::Shown;
use crate::reject::Rejection;
use crate::{affinity, balancer, headers, log, phase};

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
pub struct DataPlane(pub(crate) Arc<Setup>);

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
    /// The address of the load balancer that the request passed.
    pub(crate) balancer: Option<IpAddr>,
    /// The cookie of session affinity that the response is to set.
    pub(crate) cookie: Option<String>,
}

impl DataPlane {
    /// The data plane of this setup.
    pub fn new(setup: Setup) -> Self {
        Self(Arc::new(setup))
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
        let (method, uri) = (head.method.clone(), head.uri.clone());
        let arrived = log::Arrived::new((self.0.now)(), &head, &arrival);
        let outcome = match self.admit(&head, &arrival) {
            Ok(admission) => {
                headers::remove_signatures(&mut head.headers, admission.checked);
                headers::for_instance(&mut head, &arrival, &admission.trace);
                balancer::for_instance(&mut head.headers, admission.balancer);
                let response = forward(&self.0.backend, &admission, Request::from_parts(head, body)).await;
                response.map(|mut response| {
                    affinity::set_cookie(response.headers_mut(), admission.cookie.as_deref());
                    balancer::mark(response.headers_mut(), admission.balancer.is_some());
                    (admission, response)
                })
            }
            Err(rejection) => Err(rejection),
        };
        match outcome {
            Ok((admission, response)) => {
                log::admitted(&admission, &method, uri.path(), response.status());
                self.0.logs.record(arrived.answered(&admission, &response, (self.0.now)()));
                response
            }
            Err(rejection) => {
                log::rejected(&rejection, &method, uri.path(), arrival.authority);
                let mut response = rejection.respond(&method, uri.path(), self.0.options.explain);
                balancer::mark(response.headers_mut(), self.is_balanced(&arrival));
                if let Some(entry) = arrived.refused(&rejection, &response, (self.0.now)()) {
                    self.0.logs.record(entry);
                }
                response
            }
        }
    }

    /// Whether a request comes to a load balancer, also to one that leads nowhere. Asked on rejections only.
    fn is_balanced(&self, arrival: &Arrival<'_>) -> bool {
        let host = door::host_of(arrival.authority);
        host.is_ok_and(|host| self.0.table.load().is_balanced(&host))
    }

    /// The phases of Cloud Run, each of which may reject.
    pub(crate) fn admit(
        &self,
        head: &impl RequestHead,
        arrival: &Arrival<'_>,
    ) -> Result<Admission, Rejection> {
        let Setup { table, verifier, options, now, random, names, .. } = &*self.0;
        let table = table.load();
        let path = head.path();

        let found = phase::host(&table, arrival.authority, path)?;
        phase::method(head.method())?;
        phase::reserved_path(path)?;
        phase::ingress(&found, balancer::origin(found.route, head, arrival))?;
        phase::https(options.https_redirect, arrival, head.path_and_query())?;
        // One moment for the token, the conditions and the policies.
        let host = door::host_of(arrival.authority).unwrap_or_default();
        // What the instance sees, lest an escape lead around a condition.
        let path = request::without_needless_escapes(path);
        let call = Call { now: now(), host: &host, path: &path };
        let shown = phase::authenticate(found.route, head, verifier, &call)?;
        let permit = phase::authorize(found.route, &shown, &call, names)?;
        let affinity::Picked { instance, cookie } = phase::revision(&found, head, random, call.now)?;
        phase::size(&instance, head)?;

        let (trace, balancer) = (headers::trace(head, random), found.balancer());
        let Shown { verified, header: checked } = shown;
        Ok(Admission { permit, verified, instance, trace, checked, balancer, cookie })
    }
}
