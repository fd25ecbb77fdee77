//! What can be done with groundrun? One method for each RPC of the API.
//!
//! A method authorizes, defaults, validates, plans, commits and publishes. There is no HTTP here: the
//! edges parse, call one method, and render. The rules are in `groundrun-model`; this crate brings them
//! together with the store, the keys, the instances and the clock.

mod account_keys;
mod account_lives;
mod account_policies;
mod assertion;
mod balancers;
mod caller;
mod clock;
mod credentials;
mod delegation;
mod deployment;
mod directory;
mod domain_mappings;
mod draw;
mod inherited;
mod key_rotation;
mod listing;
mod load;
mod locks;
mod login;
mod logs;
mod operations;
mod policies;
mod projects;
mod publish;
mod realm;
mod retained;
mod revisions;
mod roles;
mod rollout;
mod running;
mod service_accounts;
mod services;
mod sts;
mod token_info;
mod workloads;

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

use arc_swap::ArcSwap;
use groundrun_identity::Keys;
use groundrun_model::account::Account;
use groundrun_model::iam::{Identities, Realm};
use groundrun_model::routing::{Balancers, RoutingTable};
use groundrun_model::rule::Rules;
use groundrun_model::service::plan::RevisionPolicy;
use groundrun_model::url::UrlConfig;
use groundrun_model::{Error, Project, Region, Result};
use groundrun_runtime::{Backend, Logs};
use groundrun_store::{CommitError, Store};

pub use account_keys::{AccountKeyView, KeyManager};
pub use caller::{Allowed, Caller};
pub use clock::Clock;
pub use credentials::{AccessToken, Included, TokenGrant, TokenReply};
pub use delegation::Target;
pub use directory::Directory;
pub use domain_mappings::DomainMappingView;
pub use draw::Draw;
pub use groundrun_identity::{KeyFile, KeyState, PublishedKey, RingKey, certificates, jwk_set, raw_keys};
pub use groundrun_store::{Cursor, ServiceAccount};
pub use listing::{Listing, Page, Scope};
pub use logs::{LogPage, LogQuery};
pub use revisions::RevisionView;
pub use service_accounts::AccountChange;
pub use services::{ServiceView, WriteOptions, Written};
pub use sts::Exchange;
pub use token_info::AccessTokenInfo;
pub use workloads::{Kept, OpenWorkload, WorkloadDoor, WorkloadHandle};

/// The account that an API caller is who shows no token of groundrun's: the developer at this machine.
pub const LOCAL_OWNER: &str = "local-owner@example.com";

/// The bearer token of the developer at this machine: it works wherever credentials are asked for.
pub const OWNER_TOKEN: &str = "groundrun-local-owner";

/// What an engine is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which changes cut a revision.
    pub revision_policy: RevisionPolicy,
    /// How URLs are reported.
    pub urls: UrlConfig,
    /// Whether service accounts must be created before they are named.
    pub strict_identity: bool,
    /// Whether an update through v2 with a stale etag is refused; the hosted service ignores it.
    pub strict_etags: bool,
    /// Whether callers of the API need the permissions that the hosted service asks for.
    pub enforce_api_iam: bool,
    /// The email of the account that the metadata server of the emulator's own port speaks for; `None` is
    /// the default account of Compute Engine of the project.
    pub metadata_account: Option<String>,
    /// How many seconds a change of a policy takes to count; 0 is none.
    pub iam_propagation_seconds: i64,
    /// Who is in which group and domain.
    pub identities: Identities,
    /// What images stand for on this machine.
    pub rules: Rules,
    /// The load balancers.
    pub balancers: Balancers,
    /// The project that exists from the start.
    pub project: Project,
    /// The region of requests that name none.
    pub region: Region,
}

/// What an engine works with.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The signing keys.
    pub keys: Keys,
    /// What runs the instances.
    pub backend: Backend,
    /// The log of services and instances.
    pub logs: Logs,
    /// The clock.
    pub clock: Clock,
    /// The source of ids and of chance.
    pub draw: Draw,
}

/// The use cases of groundrun. Clones are one engine.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    parts: Parts,
    owner: Account,
    table: Arc<ArcSwap<RoutingTable>>,
    /// What policies refer to; replaced whole at every change.
    realm: ArcSwap<Realm>,
    locks: locks::Locks,
    running: running::Running,
    retained: retained::Retained,
    workloads: workloads::Workloads,
    directory: Directory,
    inherited: inherited::Inherited,
    projects: RwLock<BTreeSet<Project>>,
    publishing: tokio::sync::Mutex<()>,
    /// Taken by whoever makes or changes a service account.
    accounts: tokio::sync::Mutex<()>,
    /// Moves whenever a service has settled.
    settled: tokio::sync::watch::Sender<u64>,
    /// Whether the emulator is about to stop.
    stopping: tokio::sync::watch::Sender<bool>,
}

impl Engine {
    /// Takes up the work on what the store holds: publishes every service and goes on with the revisions
    /// that were on their way up.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn open(config: Config, parts: Parts) -> Result<Self> {
        let engine = Self(Arc::new(Inner {
            owner: Account::new(LOCAL_OWNER),
            realm: ArcSwap::from_pointee(Realm { identities: config.identities.clone(), ..Realm::default() }),
            config,
            parts,
            table: Arc::default(),
            locks: locks::Locks::default(),
            running: running::Running::default(),
            retained: retained::Retained::default(),
            workloads: workloads::Workloads::default(),
            directory: Directory::default(),
            inherited: inherited::Inherited::default(),
            projects: RwLock::default(),
            publishing: tokio::sync::Mutex::default(),
            accounts: tokio::sync::Mutex::default(),
            settled: tokio::sync::watch::Sender::default(),
            stopping: tokio::sync::watch::Sender::default(),
        }));
        engine.recall_projects().await?;
        engine.remember_project(&engine.0.config.project).await?;
        engine.recall_accounts().await?;
        engine.recall_account_keys().await?;
        engine.recall_roles().await?;
        engine.publish_all().await?;
        engine.publish_balancers().await;
        Ok(engine)
    }

    /// What the data plane routes by; replaced whole at every change.
    pub fn routing_table(&self) -> Arc<ArcSwap<RoutingTable>> {
        Arc::clone(&self.0.table)
    }

    /// Who was named here, for explanations.
    pub fn directory(&self) -> Directory {
        self.0.directory.clone()
    }

    /// How the engine is configured.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The signing keys, for their public documents.
    pub fn keys(&self) -> &Keys {
        &self.0.parts.keys
    }

    /// Whether the engine can answer: its database can be read.
    ///
    /// # Errors
    /// 500 if it cannot.
    pub async fn ready(&self) -> Result<()> {
        self.0.parts.store.projects().await.map(drop)
    }

    /// Ends what waits for something to happen, so that nobody waits for a stop.
    pub fn begin_stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Tells when the emulator is about to stop.
    pub fn stopping(&self) -> tokio::sync::watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    /// Finishes the writes that were accepted.
    pub async fn close(&self) {
        self.0.parts.store.close().await;
    }

    /// How long it is until `moment`, in seconds.
    pub fn seconds_until(&self, moment: groundrun_model::Timestamp) -> i64 {
        moment.seconds() - self.now().seconds()
    }

    fn logs(&self) -> &Logs {
        &self.0.parts.logs
    }

    fn store(&self) -> &Store {
        &self.0.parts.store
    }

    fn now(&self) -> groundrun_model::Timestamp {
        self.0.parts.clock.now()
    }
}

/// A refusal by the database, in the words of the API.
fn refused(error: CommitError) -> Error {
    match error {
        CommitError::AlreadyExists { name } => Error::already_exists(&name),
        CommitError::Conflict { name, expected, current } => Error::conflict(&name, expected, current),
        CommitError::Gone { name } => {
            Error::new(groundrun_model::Code::NotFound, format!("Resource '{name}' does not exist any more."))
        }
        CommitError::PolicyConflict { .. } => Error::policy_conflict(),
        CommitError::Storage(problem) => Error::internal(problem),
    }
}

#[cfg(test)]
mod tests;
