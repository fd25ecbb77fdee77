//! Where do the stories happen? A world: an emulator of its own, a clock, ids and keys that are the same at
//! every run, and the people who use it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story that meets what it does not expect ends there"
)]

mod actor;
mod clock;
mod database;
pub mod golden;
pub mod grpc;
pub mod h2_frames;
pub mod h2_table;
mod http_client;
mod json;
mod jwt;
mod program;
mod recorder;
pub mod smuggling;
pub mod strict_http1;
mod telling;
mod tls_client;
mod transcript;
mod upstream;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;

use groundrun::server::{self, ServeOptions, Server};
use groundrun_engine::Draw;
use groundrun_identity::Keys;
use groundrun_model::iam::Identities;
use groundrun_model::routing::Balancers;
use groundrun_model::service::plan::RevisionPolicy;
use groundrun_model::url::UrlStyle;
use serde_json::Value;

pub use actor::{Caller, Owner};
pub use clock::TestClock;
pub use database::make_newer;
pub use http_client::{Answer, Ask, Client, DEADLINE, Http2};
pub use json::{annotation, at, condition, patched, revision_name, set};
pub use jwt::{
    Jwt, base64, certificate_holds, check_signature, foreign_jwt, from_base64, signed_jwt, symmetric_jwt,
    unsigned_jwt, url_safe_base64, version_micros,
};
pub use program::{Finished, Program};
pub use recorder::{Recorder, Seen};
pub use telling::tell;
pub use tls_client::{Secure, TlsClient, over_http1, over_http2, raw_over_tls};
pub use transcript::{Transcript, redacted};
pub use upstream::{Site, Upstream, UpstreamBody, bytes_body, chunks_body, empty_body};

/// The project of every world.
pub const PROJECT: &str = "demo-project";

/// Its region.
pub const REGION: &str = "us-central1";

/// The regional host of the API, as gcloud names it.
pub const REGIONAL: &str = "us-central1-run.googleapis.com";

/// The global host of the API.
pub const GLOBAL: &str = "run.googleapis.com";

/// The annotation that lists the custom audiences.
pub const AUDIENCES: &str = "run.googleapis.com/custom-audiences";

/// An emulator and what surrounds it. It derefs to a client of that emulator.
#[derive(Debug)]
pub struct World {
    client: Client,
    server: Server,
    clock: TestClock,
}

impl World {
    /// An emulator in memory.
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// An emulator whose options `change` changes.
    pub async fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        let mut options = ServeOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: None,
            project: PROJECT.to_owned(),
            region: REGION.to_owned(),
            revision_policy: RevisionPolicy::default(),
            url_style: UrlStyle::default(),
            https_redirect: false,
            explain: true,
            strict_identity: false,
            strict_etags: false,
            enforce_api_iam: false,
            metadata_account: None,
            iam_propagation_seconds: 0,
            identities: Identities::default(),
            rules: groundrun_model::rule::Rules::default(),
            balancers: Balancers::default(),
            internal_listen: None,
        };
        change(&mut options);
        let clock = TestClock::new();
        let world = server::World { clock: clock.clock(), draw: Draw::seeded(42), keys: Some(test_keys()) };
        let server = server::start_in(options, world).await.unwrap();
        Self { client: Client::new(server.address()), server, clock }
    }

    /// The clock of the emulator.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// The running emulator.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The developer at this machine, who may do everything.
    pub fn owner(&self) -> Owner<'_> {
        Owner::new(&self.client)
    }

    /// A service account; what it may do is up to the policies.
    pub fn account(&self, name: &str) -> Caller<'_> {
        Caller::service_account(&self.client, name)
    }

    /// The service account to which stories grant the role of an invoker.
    pub fn invoker(&self) -> Caller<'_> {
        self.account("caller")
    }

    /// A service account to which nothing is granted.
    pub fn stranger(&self) -> Caller<'_> {
        self.account("stranger")
    }

    /// Somebody without any token.
    pub fn anonymous(&self) -> Caller<'_> {
        Caller::anonymous(&self.client)
    }

    /// Deploys a private service and waits until it is ready.
    pub async fn deploy(&self, name: &str) -> Value {
        self.owner().deploy(name).await
    }

    /// Stops the emulator.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for World {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The keys of every world: fixtures that are used nowhere else.
pub fn test_keys() -> Keys {
    Keys::from_pems(
        include_str!("../../crates/identity/fixtures/test-id-token-key.pem"),
        include_str!("../../crates/identity/fixtures/test-service-account-key.pem"),
    )
    .unwrap()
}
