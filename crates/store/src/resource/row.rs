//! What does a resource look like on its way into the database?

use std::sync::Arc;

use groundrun_model::kind::{Key, Record, Write};
use serde_json::Value;
use uuid::Uuid;

use crate::writer::Change;

/// A record with its JSON as text. It is written as text by who commits it, so that the one writer has
/// less to do, and shared with the driver.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) uid: Uuid,
    pub(crate) parent: Option<String>,
    pub(crate) generation: i64,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) spec: Arc<str>,
    pub(crate) status: Arc<str>,
    pub(crate) meta: Arc<str>,
}

impl Row {
    /// The length of its text.
    pub(crate) fn size(&self) -> usize {
        self.spec.len() + self.status.len() + self.meta.len()
    }
}

impl From<Record> for Row {
    fn from(record: Record) -> Self {
        Self {
            key: record.key,
            uid: record.uid,
            parent: record.parent,
            generation: record.generation,
            version: record.version,
            created: record.created.micros(),
            updated: record.updated.micros(),
            spec: text(&record.spec),
            status: text(&record.status),
            meta: text(&record.meta),
        }
    }
}

/// What became of a resource that is at version `expected`; the version stays.
#[derive(Debug, Clone)]
pub(crate) struct StatusRow {
    pub(crate) key: Key,
    pub(crate) uid: Uuid,
    pub(crate) expected: i64,
    pub(crate) status: Arc<str>,
}

impl From<Write> for Change {
    fn from(write: Write) -> Self {
        match write {
            Write::Insert(record) => Self::Insert(record.into()),
            Write::Update { record, expected } => Self::Update(record.into(), expected),
            Write::Status { key, uid, expected, status } => {
                Self::Status(StatusRow { key, uid, expected, status: text(&status) })
            }
            Write::Delete { key, expected } => Self::Delete { key, expected },
            Write::Prune { kind, project, location, keep } => Self::Prune { kind, project, location, keep },
            Write::SetPolicy { resource, policy, expected, etag } => {
                let policy = policy.as_ref().map(text);
                Self::SetPolicy { resource, policy, expected, etag }
            }
        }
    }
}

fn text(json: &Value) -> Arc<str> {
    json.to_string().into()
}
