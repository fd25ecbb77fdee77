//! How is an emulator started and stopped?

mod connections;
mod data_dir;
mod front;
mod limits;
mod neighbour;
mod replay;
mod tls;
mod trust;
mod tunnel;
mod workloads;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use groundrun_api::MetadataServer;
use groundrun_engine::{Clock, Config, Draw, Engine, Parts};
use groundrun_identity::{CaError, KeyError, Keys};
use groundrun_model::iam::Identities;
use groundrun_model::rule::Rules;
use groundrun_model::service::plan::RevisionPolicy;
use groundrun_model::url::{UrlConfig, UrlStyle};
use groundrun_model::{Error, Project, Region};
use groundrun_proxy::{DataPlane, Options, Setup};
use groundrun_runtime::{Backend, Logs};
use groundrun_store::{Store, StoreError};
use tokio::net::TcpListener;

use crate::environment;

use self::connections::Connections;
use self::data_dir::{DataDir, DataDirError};
use self::front::Front;
use self::trust::Trust;
use self::workloads::Workloads;

/// What an emulator must be told.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What keeps its state; `None` keeps it in memory.
    pub data_dir: Option<PathBuf>,
    /// The project of requests that name none.
    pub project: String,
    /// The region of requests that name none.
    pub region: String,
    /// Which changes cut a revision.
    pub revision_policy: RevisionPolicy,
    /// Which form of its URLs a service reports.
    pub url_style: UrlStyle,
    /// Whether http is redirected to https.
    pub https_redirect: bool,
    /// Whether a denial says why in a header.
    pub explain: bool,
    /// Whether a service account exists only after it was created.
    pub strict_identity: bool,
    /// Whether an update through v2 with a stale etag is refused.
    pub strict_etags: bool,
    /// Whether callers of the API need permissions.
    pub enforce_api_iam: bool,
    /// The account that the metadata server of this port speaks for; `None` is the default one of Compute
    /// Engine.
    pub metadata_account: Option<String>,
    /// How many seconds a change of a policy takes to count.
    pub iam_propagation_seconds: i64,
    /// Who is in which group and domain.
    pub identities: Identities,
    /// What images stand for on this machine.
    pub rules: Rules,
}

/// What an emulator takes from the world and tests fix.
#[derive(Debug)]
pub struct World {
    /// The clock.
    pub clock: Clock,
    /// The source of ids and chance.
    pub draw: Draw,
    /// The signing keys; `None` uses those of the data directory.
    pub keys: Option<Keys>,
}

impl Default for World {
    fn default() -> Self {
        Self { clock: Clock::system(), draw: Draw::random(), keys: None }
    }
}

/// An emulator that runs.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    engine: Engine,
    connections: Connections,
    workloads: Workloads,
    trust: Trust,
    /// Keeps other emulators out of the data directory.
    _data_dir: Option<DataDir>,
}

/// Why an emulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {0}: {1}; is another groundrun running there? choose another address with --listen"
    )]
    Listen(SocketAddr, io::Error),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The local CA cannot be read or made.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The state cannot be taken up, or the project or the region is not one.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// Starts an emulator.
///
/// # Errors
/// If the address is in use, the data directory cannot be used, or what is in it cannot be read.
pub async fn start(options: ServeOptions) -> Result<Server, StartError> {
    start_in(options, World::default()).await
}

/// Starts an emulator in a world of the caller's making.
///
/// # Errors
/// As [`start`].
pub async fn start_in(options: ServeOptions, world: World) -> Result<Server, StartError> {
    // First what fails fast and changes nothing.
    let (project, region) = (Project::parse(&options.project)?, Region::parse(&options.region)?);
    let refuse = |error| StartError::Listen(options.listen, error);
    let listener = TcpListener::bind(options.listen).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    if !address.ip().is_loopback() {
        tracing::warn!("listening on {address}: whoever reaches this port is the owner of every project");
    }
    let data_dir = options.data_dir.as_deref().map(DataDir::open).transpose()?;
    let store = Store::open(data_dir.as_ref().map(DataDir::database).as_deref()).await?;
    let keys = match world.keys {
        Some(keys) => keys,
        None => Keys::open(data_dir.as_ref().map(DataDir::path))?,
    };
    let trust = Trust::open(data_dir.as_ref().map(DataDir::path))?;

    let config = Config {
        revision_policy: options.revision_policy,
        urls: UrlConfig { style: options.url_style, port: address.port() },
        strict_identity: options.strict_identity,
        strict_etags: options.strict_etags,
        enforce_api_iam: options.enforce_api_iam,
        metadata_account: options.metadata_account,
        iam_propagation_seconds: options.iam_propagation_seconds,
        identities: options.identities,
        rules: options.rules,
        project,
        region,
    };
    let backend = Backend::new();
    let clock = world.clock.clone();
    let logs = {
        let clock = clock.clone();
        Logs::new(move || clock.now())
    };
    let parts = Parts {
        store,
        keys: keys.clone(),
        backend: backend.clone(),
        logs: logs.clone(),
        clock: world.clock,
        draw: world.draw,
    };
    let engine = Engine::open(config, parts).await?;
    let directory = engine.directory();
    let data_plane = DataPlane::new(Setup {
        table: engine.routing_table(),
        verifier: keys.verifier(),
        backend,
        logs,
        options: Options { explain: options.explain, https_redirect: options.https_redirect },
        now: Arc::new(move || clock.now()),
        random: Arc::new(|| fastrand::u64(..)),
        names: Arc::new(move |unique_id| directory.email(unique_id)),
    });
    let base = format!("http://{}", environment::reachable(address));
    let api = groundrun_api::router(engine.clone(), &base).merge(trust.router());
    let metadata = MetadataServer::new(engine.clone(), engine.default_workload());
    let front = Front::new(engine.routing_table(), data_plane, api, metadata);
    let workloads = Workloads::serve(&engine, front.clone(), trust.ca().clone(), address.port());
    let connections = Connections::accept(listener, front, trust.ca().clone());
    Ok(Server { address, engine, connections, workloads, trust, _data_dir: data_dir })
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The use cases, for callers in the same process.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Stops it: takes no more connections, finishes the requests in flight and the writes.
    pub async fn stop(self) {
        self.engine.begin_stop();
        self.workloads.stop();
        self.connections.stop().await;
        self.engine.close().await;
        self.trust.close();
    }
}
