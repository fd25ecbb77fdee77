//! Which workloads run on this machine, as whom, and which tokens do they get?
//!
//! Clients of a metadata server can only be told apart by the address that they were given. So a workload
//! gets a port of its own on the loopback, at which the metadata server speaks for it and for nobody else.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use groundrun_model::account::{Account, AccountName};
use groundrun_model::metadata::Workload;
use groundrun_model::revision::Revision;
use groundrun_model::token::{IdClaims, LIFETIME_SECONDS};
use groundrun_model::{Code, Error, Project, Region, Result, ServiceId};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::credentials::AccessToken;
use crate::services::missing;
use crate::{Caller, Engine};

/// How many workloads may be kept for programs that the emulator did not start.
const MOST_KEPT: usize = 256;

/// What the owner of this machine opens and closes.
const WORKLOADS: &str = "the workloads";

/// Who a workload is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenWorkload {
    /// An instance of the service: of its latest ready revision, or else of the latest.
    Service(ServiceId),
    /// Anything that runs in this region of the default project as the account with this email; `None` is the
    /// account that the emulator's own port speaks for.
    Account(Option<String>, Region),
}

/// A port at which the metadata server has to speak for a workload.
#[derive(Debug)]
pub struct WorkloadDoor {
    /// The port.
    pub listener: TcpListener,
    /// For whom it speaks.
    pub workload: Workload,
    /// Ends when the workload is gone, and its port with it.
    pub gone: oneshot::Receiver<()>,
}

/// The workloads that are there, by the port of their metadata server.
type Open = Arc<Mutex<BTreeMap<u16, Workload>>>;

/// A workload that is there as long as this is.
#[derive(Debug)]
pub struct WorkloadHandle {
    address: SocketAddr,
    workload: Workload,
    open: Open,
    /// Tells the door by being dropped.
    _here: oneshot::Sender<()>,
}

impl Drop for WorkloadHandle {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.address.port());
    }
}

impl WorkloadHandle {
    /// Where its metadata server listens: the value of `GCE_METADATA_HOST`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who it is.
    pub fn workload(&self) -> &Workload {
        &self.workload
    }
}

/// A workload that is kept until it is closed by its id.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The id.
    pub id: String,
    /// Where its metadata server listens.
    pub address: SocketAddr,
    /// Who it is.
    pub workload: Workload,
}

/// The workloads of an emulator.
#[derive(Debug)]
pub(crate) struct Workloads {
    doors: mpsc::UnboundedSender<WorkloadDoor>,
    waiting: Mutex<Option<mpsc::UnboundedReceiver<WorkloadDoor>>>,
    open: Open,
    kept: Mutex<(u64, BTreeMap<u64, WorkloadHandle>)>,
}

impl Default for Workloads {
    fn default() -> Self {
        let (doors, waiting) = mpsc::unbounded_channel();
        Self { doors, waiting: Mutex::new(Some(waiting)), open: Open::default(), kept: Mutex::default() }
    }
}

impl Engine {
    /// The workload that the emulator's own port speaks for.
    pub fn default_workload(&self) -> Workload {
        let config = &self.0.config;
        self.workload_as(config.metadata_account.as_deref(), &config.project, &config.region)
    }

    /// The doors of workloads as they are opened. Whoever speaks HTTP takes this once and serves them; at the
    /// second time there is nothing to take.
    pub fn workload_doors(&self) -> Option<mpsc::UnboundedReceiver<WorkloadDoor>> {
        self.0.workloads.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The workload that is asked for, with an instance id of its own.
    ///
    /// # Errors
    /// 404 if there is no such service or it has no revision yet, 400 for what is no email.
    pub async fn workload(&self, asked: &OpenWorkload) -> Result<Workload> {
        let instance_id = format!("{:032x}", self.0.parts.draw.uuid().as_u128());
        let workload = match asked {
            OpenWorkload::Service(id) => self.workload_of(id).await?,
            OpenWorkload::Account(email, region) => {
                let is_email = |email: &str| email.contains('@') && !email.contains(['/', ' ']);
                if let Some(email) = email.as_deref().filter(|email| !is_email(email)) {
                    return Err(Error::field("serviceAccount", format!("'{email}' is not an email.")));
                }
                let email = email.as_deref().or(self.0.config.metadata_account.as_deref());
                self.workload_as(email, &self.0.config.project, region)
            }
        };
        Ok(Workload { instance_id, ..workload })
    }

    /// Opens a port for the workload, on the loopback, for as long as the handle is kept.
    ///
    /// # Errors
    /// 503 if there is no free port.
    pub async fn open_workload(&self, workload: Workload) -> Result<WorkloadHandle> {
        let unavailable = |problem: std::io::Error| {
            let message = format!("There is no port for the metadata server of a workload: {problem}.");
            Error::new(Code::Unavailable, message)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(unavailable)?;
        let address = listener.local_addr().map_err(unavailable)?;
        let (here, gone) = oneshot::channel();
        let door = WorkloadDoor { listener, workload: workload.clone(), gone };
        if self.0.workloads.doors.send(door).is_err() {
            return Err(Error::new(Code::Unavailable, "The emulator is stopping."));
        }
        let open = Arc::clone(&self.0.workloads.open);
        open.lock().unwrap_or_else(PoisonError::into_inner).insert(address.port(), workload.clone());
        Ok(WorkloadHandle { address, workload, open, _here: here })
    }

    /// The workload whose metadata server listens at this port of the loopback.
    pub fn workload_at(&self, port: u16) -> Option<Workload> {
        self.0.workloads.open.lock().unwrap_or_else(PoisonError::into_inner).get(&port).cloned()
    }

    /// Opens a port for a program that the emulator did not start, until [`Engine::close_workload`] or the
    /// emulator stops.
    ///
    /// # Errors
    /// As [`Engine::workload`], and 429 if too many are open. 403 where credentials are asked for and the
    /// caller is not the owner of this machine: who opens a workload gets the tokens of its account.
    pub async fn keep_workload(&self, caller: &Caller, asked: &OpenWorkload) -> Result<Kept> {
        self.owner_only(caller, WORKLOADS)?;
        let handle = self.open_workload(self.workload(asked).await?).await?;
        let mut kept = self.0.workloads.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, handles) = &mut *kept;
        if handles.len() >= MOST_KEPT {
            let message = format!("{MOST_KEPT} workloads are open, which is the most.");
            return Err(Error::new(Code::ResourceExhausted, message)
                .hint("GET /emulator/workloads lists them, DELETE /emulator/workloads/ID closes one"));
        }
        *last += 1;
        let shown = shown(*last, &handle);
        handles.insert(*last, handle);
        Ok(shown)
    }

    /// The workloads that are kept, oldest first.
    ///
    /// # Errors
    /// 403 as in [`Engine::keep_workload`].
    pub fn kept_workloads(&self, caller: &Caller) -> Result<Vec<Kept>> {
        self.owner_only(caller, WORKLOADS)?;
        let kept = self.0.workloads.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.1.iter().map(|(id, handle)| shown(*id, handle)).collect())
    }

    /// Closes the port of a workload that is kept.
    ///
    /// # Errors
    /// 404 if none with this id is; 403 as in [`Engine::keep_workload`].
    pub fn close_workload(&self, caller: &Caller, id: &str) -> Result<Kept> {
        self.owner_only(caller, WORKLOADS)?;
        let mut kept = self.0.workloads.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = id.parse().ok().and_then(|id| kept.1.remove_entry(&id));
        let (id, handle) = found.ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("There is no workload '{id}': it was closed, or never opened."),
            )
        })?;
        Ok(shown(id, &handle))
    }

    /// The account that a workload runs as; `None` if identities are strict and it does not exist, or if
    /// it is disabled.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn workload_account(&self, workload: &Workload) -> Result<Option<Account>> {
        let account = Account::new(&workload.account);
        // A person: only without strict identities, as everywhere.
        if AccountName::parse(&account.email).is_none() && !self.0.config.strict_identity {
            self.0.directory.remember(&account);
            return Ok(Some(account));
        }
        match self.named_account(&account.email).await {
            Ok(found) => Ok((!found.disabled).then_some(found.account)),
            // Of a project that is not known here, too.
            Err(error) if matches!(error.code, Code::NotFound | Code::PermissionDenied) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A new access token for the account of a workload. The hosted server hands out one token until
    /// five minutes before it ends; clients keep it for as long themselves.
    ///
    /// # Errors
    /// 500 if it cannot be signed.
    pub async fn workload_access_token(&self, account: &Account, scopes: &[String]) -> Result<AccessToken> {
        self.access_token(account, scopes, LIFETIME_SECONDS).await
    }

    /// An ID token for the account of a workload. It says the email in every format: Cloud Run's do.
    ///
    /// # Errors
    /// 500 if it cannot be signed.
    pub async fn workload_id_token(&self, account: &Account, audience: &str) -> Result<String> {
        let claims = IdClaims::new(account, audience, true, self.now());
        self.keys().id_token(&claims).await.map_err(Error::internal)
    }

    fn workload_as(&self, email: Option<&str>, project: &Project, region: &Region) -> Workload {
        Workload {
            account: email.map_or_else(|| default_account(project), str::to_owned),
            instance_id: Workload::lasting_instance_id(project),
            project: project.clone(),
            region: region.clone(),
            revision: None,
        }
    }

    async fn workload_of(&self, id: &ServiceId) -> Result<Workload> {
        let service = self.stored_service(id).await?.ok_or_else(|| missing(id))?;
        let status = &service.status;
        let name =
            status.latest_ready.as_ref().or(status.latest_created.as_ref()).ok_or_else(|| missing(id))?;
        let revision = self.store().find::<Revision>(&id.revision_key(name)).await?;
        let revision = revision.ok_or_else(|| missing(id))?;
        let account =
            revision.template.settings.service_account.clone().filter(|account| !account.is_empty());
        Ok(Workload {
            revision: Some((id.name.clone(), name.clone())),
            ..self.workload_as(account.as_deref(), &id.project, &id.region)
        })
    }
}

/// The account that everything runs as that names none: that of Compute Engine.
fn default_account(project: &Project) -> String {
    format!("{}-compute@developer.gserviceaccount.com", project.number)
}

fn shown(id: u64, handle: &WorkloadHandle) -> Kept {
    Kept { id: id.to_string(), address: handle.address, workload: handle.workload.clone() }
}
