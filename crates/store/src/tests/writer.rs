//! Does each caller of one batch get what is its own?

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use groundrun_model::kind::Write;
use tokio::sync::{mpsc, oneshot};

use super::{moved, open, place, service, stranger, update};
use crate::connect;
use crate::writer::{Change, Job, Message, Writer};
use crate::{CommitError, Store};

type Answer = oneshot::Receiver<Result<(), CommitError>>;

fn message(writes: Vec<Write>) -> (Message, Answer) {
    let (answer, answered) = oneshot::channel();
    let changes = writes.into_iter().map(Change::from).collect();
    (Message::Commit(Job { changes, known: Vec::new(), answer }), answered)
}

/// Runs a writer that finds all of `messages` in its inbox, and so takes them in one batch.
async fn run(file: &Path, messages: Vec<Message>) {
    let options = connect::options(Some(file), Duration::ZERO).unwrap();
    let connection = connect::writer(&options, Some(file), Duration::ZERO).await.unwrap();
    let (inbox, received) = mpsc::channel(messages.len());
    for message in messages {
        inbox.try_send(message).unwrap();
    }
    // The last sender goes, as when the store is dropped: the writer must end by itself.
    drop(inbox);
    Writer::new(connection, options, received, Arc::default(), Arc::default()).run().await;
}

#[tokio::test]
async fn a_refused_caller_takes_nobody_with_it() {
    let (_directory, file) = place();
    let (first, bad, last) = (service("first"), service("bad"), service("last"));
    let (one, one_answer) = message(vec![Write::Insert(first.clone())]);
    let (two, two_answer) = message(vec![Write::Insert(bad.clone()), update(moved(&first, 9), 8)]);
    let (three, three_answer) = message(vec![update(moved(&first, 2), 1), Write::Insert(last.clone())]);
    run(&file, vec![one, two, three]).await;
    assert_eq!(one_answer.await.unwrap(), Ok(()));
    let refused = CommitError::Conflict { name: "first".to_owned(), expected: 8, current: 1 };
    assert_eq!(two_answer.await.unwrap(), Err(refused));
    assert_eq!(three_answer.await.unwrap(), Ok(()));

    let store = open(&file).await;
    assert_eq!(store.get(&first.key).await.unwrap(), Some(moved(&first, 2)));
    assert_eq!(store.get(&bad.key).await.unwrap(), None);
    assert_eq!(store.get(&last.key).await.unwrap(), Some(last));
}

#[tokio::test]
async fn what_was_accepted_before_the_end_is_finished() {
    let (_directory, file) = place();
    let (one, one_answer) = message(vec![Write::Insert(service("one"))]);
    let (two, two_answer) = message(vec![Write::Insert(service("two"))]);
    run(&file, vec![one, Message::Close, two]).await;
    assert_eq!(one_answer.await.unwrap(), Ok(()));
    assert_eq!(two_answer.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_closed_store_accepts_nothing() {
    let (_directory, file) = place();
    let store = open(&file).await;
    store.close().await;
    store.close().await;
    let refused = store.commit(vec![Write::Insert(service("late"))]).await;
    assert_eq!(refused, Err(CommitError::Storage("the database is closed".to_owned())));
    assert!(store.get(&service("late").key).await.is_err());
}

#[tokio::test]
async fn a_failed_transaction_is_answered_and_got_over() {
    let (_directory, file) = place();
    let store = open(&file).await;
    let mut stranger = stranger(&file).await;
    sqlx::query("ALTER TABLE resource RENAME TO away").execute(&mut stranger).await.unwrap();
    let failed = store.commit(vec![Write::Insert(service("hello"))]).await.unwrap_err();
    assert!(matches!(failed, CommitError::Storage(_)), "{failed:?}");
    assert!(store.get(&service("hello").key).await.is_err());
    sqlx::query("ALTER TABLE away RENAME TO resource").execute(&mut stranger).await.unwrap();
    store.commit(vec![Write::Insert(service("hello"))]).await.unwrap();
    assert_eq!(store.get(&service("hello").key).await.unwrap(), Some(service("hello")));
}

#[tokio::test]
async fn a_transaction_that_the_database_ends_by_itself_is_got_over() {
    let (_directory, file) = place();
    let store = open(&file).await;
    let mut stranger = stranger(&file).await;
    // What SQLite does when the disk is full: the whole transaction goes, savepoints and all.
    sqlx::query(
        "CREATE TRIGGER full BEFORE INSERT ON resource WHEN NEW.name = 'large' \
         BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END",
    )
    .execute(&mut stranger)
    .await
    .unwrap();
    let (small, large) = (service("small"), service("large"));
    let failed = store.commit(vec![Write::Insert(small.clone()), Write::Insert(large)]).await.unwrap_err();
    assert!(failed.to_string().contains("the disk is full"), "{failed}");
    assert_eq!(store.get(&small.key).await.unwrap(), None);
    let refused = store.commit(vec![Write::Insert(small.clone()), Write::Insert(small.clone())]).await;
    assert_eq!(refused, Err(CommitError::AlreadyExists { name: "small".to_owned() }));
    store.commit(vec![Write::Insert(small.clone())]).await.unwrap();
    store.close().await;
    assert_eq!(open(&file).await.get(&small.key).await.unwrap(), Some(small));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_stops_waiting_harms_nobody() {
    let store = Store::open(None).await.unwrap();
    for turn in 0..50 {
        let abandoned = store.commit(vec![Write::Insert(service(&format!("abandoned-{turn}")))]);
        tokio::select! { biased; _ = abandoned => {}, () = std::future::ready(()) => {} }
        store.commit(vec![Write::Insert(service(&format!("kept-{turn}")))]).await.unwrap();
    }
}
