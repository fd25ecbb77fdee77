//! Behind which door is a request answered? The model classifies; this passes the request on.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use groundrun_api::MetadataServer;
use groundrun_model::door::{self, Door};
use groundrun_model::metadata::{self, Workload};
use groundrun_model::routing::{Origin, RoutingTable};
use groundrun_model::{Code, Error, Region};
use groundrun_proxy::http1::Client;
use groundrun_proxy::{Arrival, DataPlane, Scheme};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use tower::Service as _;

/// Passes each request to the data plane or to the API.
#[derive(Clone)]
pub(super) struct Front {
    table: Arc<ArcSwap<RoutingTable>>,
    data_plane: DataPlane,
    api: Router,
    metadata: MetadataServer,
    peer: SocketAddr,
    scheme: Scheme,
    /// The host that the client asked a tunnel to, if it calls through one.
    tunnel: Option<Arc<str>>,
    /// Whether the port is that of a workload: a metadata server to whoever does not take it for a proxy.
    of_workload: bool,
    /// From where whoever calls the port comes, as far as ingress settings are concerned.
    origin: Origin,
}

/// Who answers, without a hold on the routing table.
enum Way {
    DataPlane,
    Api(Option<Region>),
    Metadata,
    Refuse(String),
    Invalid(&'static str),
}

impl Front {
    pub(super) fn new(
        table: Arc<ArcSwap<RoutingTable>>,
        data_plane: DataPlane,
        api: Router,
        metadata: MetadataServer,
    ) -> Self {
        let peer = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Self {
            table,
            data_plane,
            api,
            metadata,
            peer,
            scheme: Scheme::Http,
            tunnel: None,
            of_workload: false,
            origin: Origin::External,
        }
    }

    /// The front at the port of `workload`. Who has that port for a proxy is the workload to every name of
    /// the metadata server, also to those that are built into libraries.
    pub(super) fn of(self, workload: Workload) -> Self {
        Self { metadata: self.metadata.of(workload), of_workload: true, origin: Origin::Internal, ..self }
    }

    /// The front at a port whose callers are inside, as workloads are, which all are in one VPC network.
    pub(super) fn within(self) -> Self {
        Self { origin: Origin::Internal, ..self }
    }

    /// The front for a client that calls from `peer`.
    pub(super) fn from(self, peer: SocketAddr) -> Self {
        Self { peer, ..self }
    }

    /// The front for a client that speaks `scheme`.
    pub(super) fn over(self, scheme: Scheme) -> Self {
        Self { scheme, ..self }
    }

    /// The front in a tunnel to `host`.
    pub(super) fn inside(self, host: &str) -> Self {
        Self { tunnel: Some(host.into()), ..self }
    }

    /// Whether the client is on this machine, and calls through no tunnel.
    pub(super) fn is_local(&self) -> bool {
        self.peer.ip().to_canonical().is_loopback() && self.tunnel.is_none()
    }

    /// The host to which this CONNECT asks a tunnel, without its port, if it is one that is emulated; else
    /// the refusal. Whatever is said through the tunnel is answered here.
    pub(super) fn tunnel<B>(&self, request: &Request<B>) -> Result<String, Box<Response<Body>>> {
        let Some(authority) = request.uri().authority().filter(|authority| authority.port_u16().is_some())
        else {
            let why = "CONNECT needs a host and a port: CONNECT HOST:443";
            return Err(refuse(StatusCode::BAD_REQUEST, why).into());
        };
        if self.tunnel.is_some() || request.version() >= http::Version::HTTP_2 {
            let why = "groundrun opens a tunnel over HTTP/1.1 only, and none in a tunnel";
            return Err(refuse(StatusCode::FORBIDDEN, why).into());
        }
        let table = self.table.load();
        match door::classify(&table, Some(authority.as_str()), "/", true) {
            Door::Foreign { .. } => Err(refuse_tunnel(authority.as_str()).into()),
            Door::InvalidAuthority(why) => {
                Err(refuse(StatusCode::BAD_REQUEST, &format!("invalid target of CONNECT: {why}")).into())
            }
            _ => Ok(authority.host().to_owned()),
        }
    }

    /// The data plane and the client, if requests for services come here without further ado: at the port of
    /// a workload they do only to a proxy.
    pub(super) fn services(&self) -> Option<(&DataPlane, Client)> {
        if self.of_workload && self.tunnel.is_none() {
            return None;
        }
        let client = Client { peer: self.peer, scheme: self.scheme, origin: self.origin };
        Some((&self.data_plane, client))
    }

    /// The answer to a request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        // Two servers that each look at another one would take it for two different requests.
        if request.headers().get_all(header::HOST).iter().count() > 1 {
            return invalid_host("there is more than one");
        }
        let authority = authority(&request, self.tunnel.as_deref()).map(Cow::into_owned);
        match self.way(authority.as_deref(), &request) {
            Way::DataPlane => {
                let authority = authority.unwrap_or_default();
                if !is_path(request.method(), request.uri().path()) {
                    let why = "The target of the request is not a path.";
                    return groundrun_api::refusal(&Error::new(Code::InvalidArgument, why));
                }
                if names_another(&request, &authority) {
                    return invalid_host("it is not the host of the target");
                }
                let arrival = Arrival {
                    authority: &authority,
                    peer: self.peer,
                    scheme: self.scheme,
                    origin: self.origin,
                };
                self.data_plane.handle(request, arrival).await.map(Body::new)
            }
            Way::Api(region) => self.call_api(request, region).await,
            Way::Metadata => {
                let port = request.uri().authority().and_then(http::uri::Authority::port_u16);
                self.metadata.clone().at(port).answer(&request).await
            }
            Way::Refuse(host) => refuse_host(&host),
            Way::Invalid(why) => invalid_host(why),
        }
    }

    fn way<B>(&self, authority: Option<&str>, request: &Request<B>) -> Way {
        // HTTP/2 has the authority in its target always; only HTTP/1 clients of a proxy write it there.
        // Who came through a tunnel took this for a proxy as well.
        let absolute_form = self.tunnel.is_some()
            || request.uri().authority().is_some() && request.version() < http::Version::HTTP_2;
        if self.of_workload && !absolute_form {
            return Way::Metadata;
        }
        let table = self.table.load();
        let path = request.uri().path();
        let flavor = request.headers().get(metadata::FLAVOR_HEADER).and_then(|flavor| flavor.to_str().ok());
        match door::classify(&table, authority, path, absolute_form).with_flavor(flavor, path) {
            Door::DataPlane(_) | Door::NoSuchService { .. } => Way::DataPlane,
            Door::Api { region, .. } => Way::Api(region),
            Door::Metadata => Way::Metadata,
            Door::Foreign { host } => Way::Refuse(host),
            Door::InvalidAuthority(why) => Way::Invalid(why),
        }
    }

    async fn call_api(&self, mut request: Request<Incoming>, region: Option<Region>) -> Response<Body> {
        request.extensions_mut().insert(groundrun_api::Origin { region });
        let mut api = self.api.clone();
        let answer: Result<Response<Body>, Infallible> = api.call(request.map(Body::new)).await;
        match answer {
            Ok(response) => response,
        }
    }
}

/// Whom a request is for: its target if that names a host, or else its Host header, or else the host that
/// the tunnel leads to.
fn authority<'r, B>(request: &'r Request<B>, tunnel: Option<&'r str>) -> Option<Cow<'r, str>> {
    let target = request.uri().authority().map(|authority| Cow::Borrowed(authority.as_str()));
    let header = || request.headers().get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()));
    let named = target.or_else(header);
    // An empty Host header is as good as none.
    let is_named = |named: &Cow<'_, str>| tunnel.is_none() || !named.is_empty();
    named.filter(is_named).or(tunnel.map(Cow::Borrowed))
}

/// Whether a target is a path: RFC 9112, section 3.2.4, has `*` for OPTIONS alone.
fn is_path(method: &Method, path: &str) -> bool {
    path.starts_with('/') || (path == "*" && method == Method::OPTIONS)
}

/// Whether the Host header names another host than the target does: to HTTP/2 a malformed request
/// (RFC 9113, section 8.3.1), and one that two servers could take for two different ones.
fn names_another<B>(request: &Request<B>, authority: &str) -> bool {
    let Some(host) = request.headers().get(header::HOST).filter(|host| !host.is_empty()) else {
        return false;
    };
    let named = host.to_str().ok().and_then(|host| door::host_of(host).ok());
    host.as_bytes() != authority.as_bytes() && named != door::host_of(authority).ok()
}

/// RFC 9112, section 3.2: a 400.
fn invalid_host(why: &str) -> Response<Body> {
    groundrun_api::refusal(&Error::new(Code::InvalidArgument, format!("Invalid Host header: {why}.")))
}

/// What is not emulated must fail at once and say so: a client that waits shows nothing. gcloud shows
/// the reason phrase.
fn refuse_tunnel(authority: &str) -> Response<Body> {
    let why = format!("groundrun does not emulate {} and tunnels to nowhere else", visible(authority));
    refuse(StatusCode::FORBIDDEN, &why)
}

fn refuse_host(host: &str) -> Response<Body> {
    let why = format!("groundrun does not emulate {} and passes nothing on", visible(host));
    refuse(StatusCode::FORBIDDEN, &why)
}

fn refuse(status: StatusCode, why: &str) -> Response<Body> {
    tracing::warn!("{why}");
    let mut response = Response::new(Body::from(format!("{why}\n")));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(phrase) = ReasonPhrase::try_from(why.as_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    response
}

fn visible(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}
