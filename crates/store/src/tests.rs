//! Does the store keep what it answered, and refuse what it must?

mod bulk;
mod coherence;
mod commit;
mod durability;
mod memory;
mod open;
mod paging;
mod writer;

use std::path::{Path, PathBuf};

use groundrun_model::Timestamp;
use groundrun_model::kind::{Key, Kind, Record, Write};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::Store;

/// A directory that goes with the test, and a database file in it that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("data").join("groundrun.db");
    (directory, file)
}

async fn open(file: &Path) -> Store {
    Store::open(Some(file)).await.expect("the database opens")
}

/// A connection of somebody else.
async fn stranger(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.expect("a plain connection")
}

fn service(name: &str) -> Record {
    Record {
        key: Key {
            kind: Kind::Service,
            project: "demo".to_owned(),
            location: "us-central1".to_owned(),
            name: name.to_owned(),
        },
        uid: Uuid::from_u128(name.bytes().fold(7, |sum, byte| sum * 257 + u128::from(byte))),
        parent: None,
        generation: 1,
        version: 1,
        created: Timestamp::from_seconds(1_700_000_000),
        updated: Timestamp::from_seconds(1_700_000_001),
        spec: json!({"template": {"image": "hello"}}),
        status: json!({"url": "https://hello.example"}),
        meta: json!({"creator": "dev@example.com"}),
    }
}

/// `record`, written once more.
fn moved(record: &Record, version: i64) -> Record {
    Record { version, generation: record.generation + 1, spec: json!({"moved": version}), ..record.clone() }
}

fn update(record: Record, expected: i64) -> Write {
    Write::Update { record, expected }
}
