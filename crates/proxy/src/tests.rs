//! The services, callers and tokens that the tests share.

mod authentication;
mod logs;
mod pages;
mod passage;
mod request_headers;
mod responses;
mod routing;
mod signatures;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use groundrun_identity::Keys;
use groundrun_model::account::Account;
use groundrun_model::iam::{AccountState, Binding, Policy, Realm};
use groundrun_model::instance::{InstanceSpec, Protocol};
use groundrun_model::routing::{AccessFacts, Ingress, Origin, Route, RouteFacts, RoutingTable};
use groundrun_model::rule::Runs;
use groundrun_model::token::IdClaims;
use groundrun_model::url::{ServiceHosts, UrlConfig, UrlStyle};
use groundrun_model::{Project, Region, RevisionName, ServiceId, ServiceName, Timestamp};
use groundrun_runtime::{Backend, Logs};
use http::request::Builder;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

use crate::{Arrival, DataPlane, Options, Scheme, Setup};

const ID_TOKEN_KEY: &str = include_str!("../../identity/fixtures/test-id-token-key.pem");

/// The moment of every test: 2026-08-16T09:23:43Z.
const NOW: Timestamp = Timestamp::from_seconds(1_786_872_223);

const INVOKER: &str = "caller@demo-project.iam.gserviceaccount.com";
const INVOKER_MEMBER: &str = "serviceAccount:caller@demo-project.iam.gserviceaccount.com";

fn id() -> ServiceId {
    ServiceId {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse("us-central1").unwrap(),
        name: ServiceName::parse("hello", "name").unwrap(),
    }
}

fn host() -> String {
    ServiceHosts::new(&id()).hash.to_string()
}

fn revision(name: &str) -> Arc<InstanceSpec> {
    Arc::new(InstanceSpec {
        service: id(),
        revision: RevisionName::lookup(name).unwrap(),
        image: "image".to_owned(),
        service_account: "sa@demo-project.iam.gserviceaccount.com".to_owned(),
        env: Vec::new(),
        port: 8080,
        concurrency: 80,
        timeout_seconds: 300,
        runs: Runs::Echo,
        protocol: Protocol::Http1,
        session_affinity: false,
    })
}

/// An account that was named here, and so can be told by its unique id.
const KNOWN: &str = "known@demo.iam.gserviceaccount.com";

/// Accounts that may invoke `hello`, and about which something is out of the ordinary.
const RECREATED: &str = "anew@demo.iam.gserviceaccount.com";
const DISABLED: &str = "off@demo.iam.gserviceaccount.com";
const DELETED: &str = "gone@demo.iam.gserviceaccount.com";

/// What is known of them.
fn realm() -> Arc<Realm> {
    let mut realm = Realm::default();
    for (email, lives, state) in [
        (RECREATED, 1, (|unique_id| AccountState::Active { unique_id }) as fn(String) -> AccountState),
        (DISABLED, 0, |unique_id| AccountState::Disabled { unique_id }),
        (DELETED, 0, |unique_id| AccountState::Deleted { unique_id }),
    ] {
        realm.identities.set_account(email, state(Account::after(email, lives).unique_id));
    }
    Arc::new(realm)
}

/// What a test says of the service `hello`.
struct Service {
    members: &'static [&'static str],
    invoker_iam_disabled: bool,
    ingress: Ingress,
    default_url_disabled: bool,
    split: Vec<(u32, Arc<InstanceSpec>)>,
    options: Options,
}

/// A private service with one invoker and the custom audience `aud1`. The tag `green` leads to revision 2.
fn private() -> Service {
    Service {
        members: &[INVOKER_MEMBER],
        invoker_iam_disabled: false,
        ingress: Ingress::All,
        default_url_disabled: false,
        split: vec![(100, revision("hello-00001-abc"))],
        options: Options::default(),
    }
}

/// The same service, open to all.
fn public() -> Service {
    Service { members: &["allUsers"], ..private() }
}

impl Service {
    fn table(self) -> RoutingTable {
        let members = self.members.iter().map(ToString::to_string).collect();
        let binding = Binding { role: "roles/run.invoker".to_owned(), members, condition: None };
        let policy = Policy { bindings: vec![binding], ..Policy::default() };
        RoutingTable::default().with(Route::build(RouteFacts {
            id: id(),
            urls: UrlConfig { style: UrlStyle::Hosted, port: 8786 },
            custom_audiences: vec!["aud1".to_owned()],
            invoker_iam_disabled: self.invoker_iam_disabled,
            access: AccessFacts { policies: &[&policy.into()], realm: realm(), ..AccessFacts::default() },
            ingress: self.ingress,
            default_url_disabled: self.default_url_disabled,
            split: self.split,
            tags: vec![("green".to_owned(), revision("hello-00002-abc"))],
        }))
    }

    fn up(self) -> World {
        logs::capture();
        let keys = Keys::from_pem(ID_TOKEN_KEY).unwrap();
        let next = AtomicU64::new(0);
        let plane = DataPlane::new(Setup {
            options: self.options,
            table: Arc::new(ArcSwap::from_pointee(self.table())),
            verifier: keys.verifier(),
            backend: Backend::new(),
            logs: Logs::new(|| NOW),
            now: Arc::new(|| NOW),
            random: Arc::new(move || next.fetch_add(1, Ordering::Relaxed)),
            names: Arc::new(|unique_id| {
                let known = Account::new(KNOWN);
                (known.unique_id == unique_id).then_some(known.email)
            }),
        });
        World { plane, keys, authority: host(), scheme: Scheme::Https, origin: Origin::External }
    }
}

/// The data plane with the service, and how the requests of a test arrive.
struct World {
    plane: DataPlane,
    keys: Keys,
    authority: String,
    scheme: Scheme,
    origin: Origin,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl World {
    async fn send(&self, request: Builder) -> Answer {
        self.send_body(request.body(Full::from("")).unwrap()).await
    }

    async fn send_body<B>(&self, request: Request<B>) -> Answer
    where
        B: hyper::body::Body<Data = Bytes, Error: Into<groundrun_runtime::BoxError>> + Send + 'static,
    {
        let arrival = Arrival {
            authority: &self.authority,
            peer: "203.0.113.7:50000".parse().unwrap(),
            scheme: self.scheme,
            origin: self.origin,
        };
        let (head, body) = self.plane.handle(request, arrival).await.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }

    /// The value of a header with an ID token.
    async fn bearer(&self, email: &str, audience: &str) -> String {
        let claims = IdClaims::new(&Account::new(email), audience, true, NOW);
        self.bearer_of(&claims).await
    }

    async fn bearer_of(&self, claims: &IdClaims) -> String {
        format!("Bearer {}", self.keys.id_token(claims).await.unwrap())
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }

    /// A header as the instance saw it.
    fn echoed(&self, name: &str) -> Value {
        self.json()["request"]["headers"][name].clone()
    }
}

fn get(path: &str) -> Builder {
    Request::get(path)
}

/// `Send` is what a server asks of it.
#[test]
fn the_future_may_be_spawned() {
    fn is_send(_: impl Send) {}
    let world = private().up();
    let arrival = Arrival {
        authority: "",
        peer: "[::1]:1".parse().unwrap(),
        scheme: Scheme::Http,
        origin: Origin::External,
    };
    is_send(world.plane.handle(Request::new(Full::<Bytes>::default()), arrival));
}
