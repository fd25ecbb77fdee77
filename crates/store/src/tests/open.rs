//! Which files are opened, and what is said of the others?

use std::time::Duration;

use groundrun_model::account::Account;
use groundrun_model::kind::Write;
use groundrun_model::{Project, Timestamp};
use serde_json::json;
use sqlx::Connection;

use super::{open, place, service, stranger};
use crate::{ServiceAccount, Store, StoreError};

#[tokio::test]
async fn a_new_file_gets_the_tables_and_the_documented_safety() {
    let (_directory, file) = place();
    let store = open(&file).await;
    store.commit(vec![Write::Insert(service("hello"))]).await.unwrap();
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.reads).await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.reads).await.unwrap();
    let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&store.reads).await.unwrap();
    assert_eq!((mode.as_str(), synchronous, keys), ("wal", 2, 1));
    // Nobody writes past the writer.
    let refused = sqlx::query("DELETE FROM resource").execute(&store.reads).await.unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
}

#[tokio::test]
async fn a_reopened_file_has_everything() {
    let (_directory, file) = place();
    let store = open(&file).await;
    let project = Project::parse("demo").unwrap();
    let account = ServiceAccount {
        account: Account::new("caller@demo.iam.gserviceaccount.com"),
        project: project.id.clone(),
        display_name: "Caller".to_owned(),
        description: "calls".to_owned(),
        disabled: true,
        created: Timestamp::from_micros(5),
        updated: Timestamp::from_micros(6),
        deleted: None,
    };
    let record = service("hello");
    let policy = Write::SetPolicy {
        resource: "projects/demo".to_owned(),
        policy: Some(json!({"bindings": []})),
        expected: None,
        etag: vec![0, 255, 7],
    };
    store.commit(vec![Write::Insert(record.clone()), policy]).await.unwrap();
    for _ in 0..2 {
        store.put_project(&project).await.unwrap();
        store.put_service_account(&account).await.unwrap();
    }
    // What is known stays as it is.
    store.put_service_account(&ServiceAccount { disabled: false, ..account.clone() }).await.unwrap();
    store.close().await;
    let beside = std::fs::read_dir(file.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1, "a closed database is one file");

    let store = open(&file).await;
    assert_eq!(store.get(&record.key).await.unwrap(), Some(record));
    assert_eq!(
        store.policy("projects/demo").await.unwrap(),
        Some((json!({"bindings": []}), vec![0, 255, 7]))
    );
    assert_eq!(store.policies().await.unwrap().len(), 1);
    assert_eq!(store.projects().await.unwrap(), std::slice::from_ref(&project));
    let by_email = store.service_account("Caller@demo.iam.gserviceaccount.com").await.unwrap();
    assert_eq!(by_email.as_ref(), Some(&account));
    assert_eq!(store.service_account(&account.account.unique_id).await.unwrap(), by_email);
    assert_eq!(store.service_account("other@demo.iam.gserviceaccount.com").await.unwrap(), None);
    assert_eq!(store.service_accounts(&project.id).await.unwrap(), [account]);
}

#[tokio::test]
async fn a_number_belongs_to_one_project() {
    let store = Store::open(None).await.unwrap();
    let demo = Project::parse("demo").unwrap();
    let twin = Project { number: demo.number, ..Project::parse("twin").unwrap() };
    store.put_project(&demo).await.unwrap();
    let refused = store.put_project(&twin).await.unwrap_err();
    assert!(refused.to_string().contains("project.number"), "{refused}");
    assert_eq!(store.projects().await.unwrap(), [demo]);
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let (_directory, file) = place();
    open(&file).await.close().await;
    let mut stranger = stranger(&file).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (41, 'later', true, x'00', 1), (42, 'later still', true, x'00', 1)",
    )
    .execute(&mut stranger)
    .await
    .unwrap();
    stranger.close().await.unwrap();
    let before = std::fs::read(&file).unwrap();
    let error = Store::open(Some(&file)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "database '{}' has version 42, but this groundrun knows versions up to 2; run a newer \
             groundrun, or choose another directory with --data-dir",
            file.display()
        )
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_migration_that_was_altered_is_refused() {
    let (_directory, file) = place();
    open(&file).await.close().await;
    let mut stranger = stranger(&file).await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&mut stranger).await.unwrap();
    stranger.close().await.unwrap();
    let error = Store::open(Some(&file)).await.unwrap_err();
    assert!(matches!(error, StoreError::Migration { known: 2, .. }), "{error:?}");
}

/// One line, with the file and a way out.
fn check(error: &StoreError, file: &std::path::Path) {
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(line.contains(&format!("'{}'", file.display())), "{line}");
    assert!(line.contains("--data-dir"), "{line}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let plain = directory.path().join("plain");
    std::fs::write(&plain, "text").unwrap();
    for file in [plain.join("groundrun.db"), directory.path().to_owned()] {
        let error = Store::open(Some(&file)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
        check(&error, &file);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn permissions_are_respected() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let (_directory, file) = place();
    open(&file).await.close().await;
    set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    // The superuser writes where it likes: then the file opens, whatever its mode.
    let may_write = std::fs::OpenOptions::new().append(true).open(&file).is_ok();
    match Store::open(Some(&file)).await {
        Ok(store) => {
            assert!(may_write, "opened a file that cannot be written");
            store.commit(vec![Write::Insert(service("hello"))]).await.unwrap();
        }
        Err(error) => {
            assert!(!may_write && matches!(error, StoreError::Unwritable { .. }), "{error:?}");
            check(&error, &file);
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("groundrun.db");
    let text = "not a database\n".repeat(200);
    std::fs::write(&file, &text).unwrap();
    let error = Store::open(Some(&file)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
    check(&error, &file);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_locked_file_is_said_to_be_locked() {
    let (_directory, file) = place();
    open(&file).await.close().await;
    let mut stranger = stranger(&file).await;
    let held = stranger.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = Store::open_within(Some(&file), Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    check(&error, &file);
    held.rollback().await.unwrap();
    Store::open_within(Some(&file), Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn those_that_start_together_share_the_work() {
    for _ in 0..20 {
        let (_directory, file) = place();
        let starts = (0..4).map(|_| {
            let file = file.clone();
            tokio::spawn(async move { Store::open(Some(&file)).await })
        });
        let mut stores = Vec::new();
        for start in starts.collect::<Vec<_>>() {
            stores.push(start.await.unwrap().unwrap());
        }
        stores[0].commit(vec![Write::Insert(service("one"))]).await.unwrap();
        assert!(stores[3].get(&service("one").key).await.unwrap().is_some());
    }
}
