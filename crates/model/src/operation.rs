//! What is a long-running operation, and when is it done?
//!
//! A write is answered at once; its operation is done when the service has settled: the new revision is
//! ready, or has failed. Like every status it follows from the facts, so an operation that was under way
//! when the emulator stopped goes on after the next start.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Code, Result};
use crate::kind::{Key, Kind, Record, Resource, read, write};
use crate::name::{Project, Region};
use crate::revision::Revision;
use crate::service::Service;
use crate::service::conditions::{self, Truth};
use crate::time::Timestamp;

/// How long a deleted service can still be listed, in seconds: 30 days.
pub const DELETED_FOR: i64 = 30 * 24 * 3600;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// It creates a resource.
    Create,
    /// It changes one.
    Update,
    /// It deletes one.
    Delete,
}

/// The resource that an operation is about, as it was when the operation changed last.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A service.
    Service(Box<Service>),
    /// A revision, which nothing routes to.
    Revision(Box<Revision>),
}

/// How far an operation came. Only [`Operation::settle`] and [`Operation::abandon`] move it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// It is under way.
    Running,
    /// It came to what was asked for.
    Succeeded,
    /// It did not.
    Failed {
        /// The number of the code in `google.rpc.Code`.
        code: i32,
        /// What is wrong, and what to do.
        message: String,
    },
}

/// A long-running operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// The project of what it is about.
    pub project: Project,
    /// The region of what it is about.
    pub region: Region,
    /// What it does.
    pub verb: Verb,
    /// What it is about.
    pub target: Target,
    /// When it began.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
    /// How far it came.
    pub state: State,
}

impl Operation {
    /// An operation on a service that was just written.
    pub fn on_service(id: Uuid, verb: Verb, service: &Service, now: Timestamp) -> Self {
        Self {
            id,
            project: service.id.project.clone(),
            region: service.id.region.clone(),
            verb,
            target: Target::Service(Box::new(service.clone())),
            created: now,
            updated: now,
            state: State::Running,
        }
    }

    /// The deletion of a revision, which is done at once.
    pub fn on_deleted_revision(id: Uuid, revision: &Revision, now: Timestamp) -> Self {
        Self {
            id,
            project: revision.service.project.clone(),
            region: revision.service.region.clone(),
            verb: Verb::Delete,
            target: Target::Revision(Box::new(revision.clone())),
            created: now,
            updated: now,
            state: State::Succeeded,
        }
    }

    /// The same, done at once: a deletion, or a write that changed nothing.
    #[must_use]
    pub fn done(self) -> Self {
        Self { state: State::Succeeded, ..self }
    }

    /// Whether it is over.
    pub fn is_done(&self) -> bool {
        self.state != State::Running
    }

    /// The operation after its service became `service`; `None` if it goes on.
    pub fn settle(&self, service: &Service, now: Timestamp) -> Option<Self> {
        let Target::Service(own) = &self.target else { return None };
        let reached = service.uid == own.uid && service.status.observed_generation >= own.generation;
        if self.is_done() || !reached {
            return None;
        }
        let ready = conditions::of_service(service).into_iter().next();
        let state = match ready {
            Some(ready) if ready.status == Truth::False => {
                State::Failed { code: Code::Internal.number(), message: ready.message.unwrap_or_default() }
            }
            _ => State::Succeeded,
        };
        let target = Target::Service(Box::new(service.clone()));
        Some(Self { state, target, updated: self.updated.advance(now), ..self.clone() })
    }

    /// The operation after its service was deleted under it.
    #[must_use]
    pub fn abandon(self, now: Timestamp) -> Self {
        let message = "The service was deleted before the operation was done.".to_owned();
        let state = State::Failed { code: Code::Aborted.number(), message };
        Self { state, updated: self.updated.advance(now), ..self }
    }

    /// When a deleted resource was deleted, and until when it can be listed.
    pub fn deleted(&self) -> Option<(Timestamp, Timestamp)> {
        let done = self.verb == Verb::Delete && self.state == State::Succeeded;
        done.then(|| (self.created, self.created.plus_seconds(DELETED_FOR)))
    }

    /// Its full name.
    pub fn full_name(&self) -> String {
        format!("projects/{}/locations/{}/operations/{}", self.project.id, self.region, self.id)
    }

    /// The key under which it is stored.
    pub fn own_key(&self) -> Key {
        Self::key(&self.project, &self.region, &self.id.to_string())
    }

    /// The key under which the operation `id` is stored.
    pub fn key(project: &Project, region: &Region, id: &str) -> Key {
        Key {
            kind: Kind::Operation,
            project: project.id.to_string(),
            location: region.to_string(),
            name: id.to_owned(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Status {
    #[serde(flatten)]
    state: State,
    target: Record,
}

impl Resource for Operation {
    const KIND: Kind = Kind::Operation;

    fn to_record(&self) -> Result<Record> {
        let (target, service) = match &self.target {
            Target::Service(service) => (service.to_record()?, service.id.name.to_string()),
            Target::Revision(revision) => (revision.to_record()?, revision.service.name.to_string()),
        };
        Ok(Record {
            key: self.own_key(),
            uid: self.id,
            // A service owns the operations that are under way on it, and no others.
            parent: (!self.is_done()).then_some(service),
            generation: 1,
            version: self.updated.micros(),
            created: self.created,
            updated: self.updated,
            spec: write(&self.verb)?,
            status: write(&Status { state: self.state.clone(), target })?,
            meta: serde_json::Value::Null,
        })
    }

    fn from_record(record: Record) -> Result<Self> {
        let key = record.key;
        let Status { state, target } = read(record.status, &key)?;
        let target = match target.key.kind {
            Kind::Revision => Target::Revision(Box::new(Revision::from_record(target)?)),
            _ => Target::Service(Box::new(Service::from_record(target)?)),
        };
        Ok(Self {
            id: record.uid,
            project: Project::parse(&key.project)?,
            region: Region::parse(&key.location)?,
            verb: read(record.spec, &key)?,
            target,
            created: record.created,
            updated: record.updated,
            state,
        })
    }
}
