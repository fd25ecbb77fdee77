//! Which commits are refused, and what is left of them?

use groundrun_model::kind::{Record, Write};
use serde_json::json;
use uuid::Uuid;

use super::{moved, service, update};
use crate::{CommitError, Store};

async fn memory() -> Store {
    Store::open(None).await.expect("a database in memory")
}

fn delete(record: &Record, expected: Option<i64>) -> Write {
    Write::Delete { key: record.key.clone(), expected }
}

#[tokio::test]
async fn a_name_is_taken_until_its_resource_is_deleted() {
    let store = memory().await;
    let hello = service("hello");
    store.commit(vec![Write::Insert(hello.clone())]).await.unwrap();
    let again = Record { uid: Uuid::from_u128(1), ..hello.clone() };
    let taken = store.commit(vec![Write::Insert(again.clone())]).await;
    assert_eq!(taken, Err(CommitError::AlreadyExists { name: "hello".to_owned() }));
    // In the order of the writes: first free, then taken.
    store.commit(vec![delete(&hello, Some(1)), Write::Insert(again.clone())]).await.unwrap();
    assert_eq!(store.get(&hello.key).await.unwrap(), Some(again));
}

#[tokio::test]
async fn an_update_moves_the_version_and_keeps_the_birth() {
    let store = memory().await;
    let hello = service("hello");
    store.commit(vec![Write::Insert(hello.clone())]).await.unwrap();
    let next = moved(&hello, 2);
    store.commit(vec![update(next.clone(), 1)]).await.unwrap();
    assert_eq!(store.get(&hello.key).await.unwrap(), Some(next));

    let late = store.commit(vec![update(moved(&hello, 3), 1)]).await;
    assert_eq!(late, Err(CommitError::Conflict { name: "hello".to_owned(), expected: 1, current: 2 }));
    let still = store.commit(vec![update(moved(&hello, 2), 2)]).await.unwrap_err();
    assert!(matches!(still, CommitError::Storage(_)), "{still:?}");
}

#[tokio::test]
async fn what_is_gone_cannot_be_written() {
    let store = memory().await;
    let hello = service("hello");
    let gone = Err(CommitError::Gone { name: "hello".to_owned() });
    assert_eq!(store.commit(vec![update(moved(&hello, 2), 1)]).await, gone);
    assert_eq!(store.commit(vec![delete(&hello, Some(1))]).await, gone);
    assert_eq!(store.commit(vec![delete(&hello, None)]).await, gone);
    store.commit(vec![Write::Insert(hello.clone())]).await.unwrap();
    let stale = store.commit(vec![delete(&hello, Some(9))]).await;
    assert_eq!(stale, Err(CommitError::Conflict { name: "hello".to_owned(), expected: 9, current: 1 }));
    store.commit(vec![delete(&hello, None)]).await.unwrap();
    assert_eq!(store.get(&hello.key).await.unwrap(), None);
}

#[tokio::test]
async fn a_second_life_is_not_taken_for_the_first() {
    let store = memory().await;
    let first = service("hello");
    let second = Record { uid: Uuid::from_u128(2), ..first.clone() };
    store.commit(vec![Write::Insert(second)]).await.unwrap();
    let stale = store.commit(vec![update(moved(&first, 2), 1)]).await;
    assert_eq!(stale, Err(CommitError::Conflict { name: "hello".to_owned(), expected: 1, current: 1 }));
}

#[tokio::test]
async fn a_commit_is_all_or_nothing() {
    let store = memory().await;
    let (hello, other) = (service("hello"), service("other"));
    store.commit(vec![Write::Insert(hello.clone())]).await.unwrap();
    let refused = store.commit(vec![Write::Insert(other.clone()), update(moved(&hello, 9), 8)]).await;
    assert_eq!(refused, Err(CommitError::Conflict { name: "hello".to_owned(), expected: 8, current: 1 }));
    assert_eq!(store.get(&other.key).await.unwrap(), None);
    assert_eq!(store.get(&hello.key).await.unwrap(), Some(hello));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_writers_that_read_the_same_version_one_wins() {
    let (_directory, file) = super::place();
    let store = super::open(&file).await;
    let hello = service("hello");
    store.commit(vec![Write::Insert(hello.clone())]).await.unwrap();
    for expected in (1..200).step_by(2) {
        let writers = [expected + 1, expected + 2];
        let [one, other] =
            writers.map(|version| store.commit(vec![update(moved(&hello, version), expected)]));
        let outcomes: [_; 2] = tokio::join!(one, other).into();
        let current = store.get(&hello.key).await.unwrap().unwrap().version;
        let lost = Err(CommitError::Conflict { name: "hello".to_owned(), expected, current });
        let wanted = writers.map(|version| if version == current { Ok(()) } else { lost.clone() });
        assert_eq!(outcomes, wanted);
        // Bring both outcomes to the same version for the next round.
        if current == expected + 1 {
            store.commit(vec![update(moved(&hello, expected + 2), current)]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_policy_is_replaced_only_by_who_read_it() {
    let store = memory().await;
    let resource = "projects/demo/locations/us-central1/services/hello";
    let set = |policy: Option<i32>, expected: Option<u8>, etag: u8| {
        store.commit(vec![Write::SetPolicy {
            resource: resource.to_owned(),
            policy: policy.map(|version| json!({"version": version})),
            expected: expected.map(|etag| vec![etag]),
            etag: vec![etag],
        }])
    };
    let conflict = Err(CommitError::PolicyConflict { resource: resource.to_owned() });
    assert_eq!(set(Some(1), Some(1), 1).await, conflict, "there is none yet");
    assert_eq!(set(None, None, 0).await, Ok(()), "none, as expected");
    assert_eq!(set(Some(1), None, 1).await, Ok(()));
    assert_eq!(set(Some(2), None, 2).await, conflict, "there is one now");
    assert_eq!(set(None, None, 2).await, conflict, "there is one now");
    assert_eq!(set(Some(2), Some(9), 2).await, conflict, "another etag");
    assert_eq!(store.policy(resource).await.unwrap(), Some((json!({"version": 1}), vec![1])));
    assert_eq!(set(Some(2), Some(1), 2).await, Ok(()));
    assert_eq!(store.policy(resource).await.unwrap(), Some((json!({"version": 2}), vec![2])));
    assert_eq!(set(None, Some(1), 0).await, conflict, "another etag");
    assert_eq!(set(None, Some(2), 0).await, Ok(()));
    assert_eq!(store.policy(resource).await.unwrap(), None);
}

#[tokio::test]
async fn a_status_leaves_the_version_so_that_the_last_writer_may_write_again() {
    let store = memory().await;
    let hello = service("hello");
    store.commit(vec![Write::Insert(hello.clone())]).await.unwrap();
    let status = |expected| Write::Status {
        key: hello.key.clone(),
        uid: hello.uid,
        expected,
        status: json!({"ready": true}),
    };
    store.commit(vec![status(1)]).await.unwrap();
    let settled = Record { status: json!({"ready": true}), ..hello.clone() };
    assert_eq!(store.get(&hello.key).await.unwrap(), Some(settled));

    store.commit(vec![update(moved(&hello, 2), 1)]).await.unwrap();
    let stale = store.commit(vec![status(1)]).await;
    assert_eq!(stale, Err(CommitError::Conflict { name: "hello".to_owned(), expected: 1, current: 2 }));
}

#[tokio::test]
async fn many_resources_are_found_by_their_keys() {
    let store = memory().await;
    let all: Vec<Record> = (0..700).map(|number| service(&format!("service-{number}"))).collect();
    store.commit(all.iter().cloned().map(Write::Insert).collect()).await.unwrap();
    let other = service("elsewhere").key;
    let keys: Vec<_> = all.iter().map(|record| record.key.clone()).chain([other]).collect();
    let mut found = store.get_many(keys[0].kind, &keys).await.unwrap();
    assert_eq!(found.len(), 700);
    found.sort_by(|a, b| a.key.cmp(&b.key));
    let mut expected = all;
    expected.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(found, expected);
    assert_eq!(store.get_many(keys[0].kind, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn the_children_of_a_resource_are_its_own_oldest_first() {
    let store = memory().await;
    let child = |name: &str, parent: &str, second: i64| Record {
        parent: Some(parent.to_owned()),
        created: groundrun_model::Timestamp::from_seconds(second),
        generation: second,
        ..service(name)
    };
    let all = [child("b", "hello", 2), child("a", "hello", 1), child("c", "other", 3)];
    store.commit(all.into_iter().map(Write::Insert).collect()).await.unwrap();
    let parent = service("hello").key;
    assert_eq!(store.children(parent.kind, &parent, usize::MAX).await.unwrap(), ["a", "b"]);
    assert_eq!(store.children(parent.kind, &parent, 1).await.unwrap(), ["a"]);
    assert_eq!(store.child_count(parent.kind, &parent).await.unwrap(), 2);
}
