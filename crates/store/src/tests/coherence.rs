//! Is what is cached what is stored?

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use groundrun_model::Result;
use groundrun_model::kind::{Key, Kind, Record, Resource, Write};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::service;
use crate::{Known, Store};

/// A service of which nothing matters but its record.
#[derive(Debug, Clone, PartialEq)]
struct Plain(Record);

impl Resource for Plain {
    const KIND: Kind = Kind::Service;

    fn to_record(&self) -> Result<Record> {
        Ok(self.0.clone())
    }

    fn from_record(record: Record) -> Result<Self> {
        Ok(Self(record))
    }
}

fn known(record: &Record) -> Known {
    Known::new(record.key.clone(), Arc::new(Plain(record.clone())))
}

async fn found(store: &Store, key: &Key) -> Option<Record> {
    store.find::<Plain>(key).await.unwrap().map(|plain| plain.0.clone())
}

/// What one caller does to one of three services; `stale` ones have read an old version.
#[derive(Debug, Clone)]
enum Step {
    Insert { to: usize, tell: bool },
    Update { to: usize, stale: bool, tell: bool },
    Status { to: usize, stale: bool, tell: bool },
    Delete { to: usize, stale: bool },
    Read { to: usize },
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let to = 0..3_usize;
    let rarely = prop::bool::weighted(0.2);
    let step = prop_oneof![
        (to.clone(), any::<bool>()).prop_map(|(to, tell)| Step::Insert { to, tell }),
        (to.clone(), rarely, any::<bool>()).prop_map(|(to, stale, tell)| Step::Update { to, stale, tell }),
        (to.clone(), rarely, any::<bool>()).prop_map(|(to, stale, tell)| Step::Status { to, stale, tell }),
        (to.clone(), rarely).prop_map(|(to, stale)| Step::Delete { to, stale }),
        to.prop_map(|to| Step::Read { to }),
    ];
    // The inner ones are one commit.
    prop::collection::vec(prop::collection::vec(step, 1..3), 1..25)
}

/// What a commit is about to do, and what it leaves if it holds.
struct Attempt {
    writes: Vec<Write>,
    known: Vec<Known>,
    next: [Option<Record>; 3],
    holds: bool,
}

impl Attempt {
    fn step(&mut self, step: &Step, count: i64) {
        match *step {
            Step::Insert { to, tell } => {
                let record = Record { uid: Uuid::from_u128(count as u128), ..service(&format!("s-{to}")) };
                self.holds &= self.next[to].is_none();
                self.writes.push(Write::Insert(record.clone()));
                self.leave(to, record, tell);
            }
            Step::Update { to, stale, tell } => {
                let before = self.next[to].clone().unwrap_or_else(|| service(&format!("s-{to}")));
                self.holds &= self.next[to].is_some() && !stale;
                let expected = before.version - i64::from(stale);
                let record =
                    Record { version: before.version + 1, spec: json!({ "count": count }), ..before };
                self.writes.push(Write::Update { record: record.clone(), expected });
                self.leave(to, record, tell);
            }
            Step::Status { to, stale, tell } => {
                let before = self.next[to].clone().unwrap_or_else(|| service(&format!("s-{to}")));
                self.holds &= self.next[to].is_some() && !stale;
                let record = Record { status: json!({ "count": count }), ..before };
                self.writes.push(Write::Status {
                    key: record.key.clone(),
                    uid: record.uid,
                    expected: record.version - i64::from(stale),
                    status: record.status.clone(),
                });
                if !stale {
                    self.leave(to, record, tell);
                }
            }
            Step::Delete { to, stale } => {
                let before = self.next[to].take();
                self.holds &= before.is_some() && !stale;
                let version = before.map_or(1, |before| before.version);
                let key = service(&format!("s-{to}")).key;
                self.known.retain(|known| *known.key() != key);
                self.writes.push(Write::Delete { key, expected: Some(version - i64::from(stale)) });
            }
            Step::Read { .. } => {}
        }
    }

    fn leave(&mut self, to: usize, record: Record, tell: bool) {
        self.known.retain(|known| *known.key() != record.key);
        if tell {
            self.known.push(known(&record));
        }
        self.next[to] = Some(record);
    }
}

async fn carry_out(commits: Vec<Vec<Step>>) {
    let store = Store::open(None).await.unwrap();
    let mut stored: [Option<Record>; 3] = [None, None, None];
    let mut count = 0;
    for steps in commits {
        let mut attempt =
            Attempt { writes: Vec::new(), known: Vec::new(), next: stored.clone(), holds: true };
        for step in &steps {
            count += 1;
            attempt.step(step, count);
            if let Step::Read { to } = step {
                assert_eq!(found(&store, &service(&format!("s-{to}")).key).await, stored[*to]);
            }
        }
        let outcome = store.commit_known(attempt.writes, attempt.known).await;
        assert_eq!(outcome.is_ok(), attempt.holds, "{steps:?}: {outcome:?}");
        if attempt.holds {
            stored = attempt.next;
        }
        // Some are looked at at every step, one only when a step reads it.
        for (to, record) in stored.iter().enumerate().skip(1) {
            assert_eq!(&found(&store, &service(&format!("s-{to}")).key).await, record, "{steps:?}");
        }
    }
    for (to, record) in stored.iter().enumerate() {
        let key = service(&format!("s-{to}")).key;
        assert_eq!(&found(&store, &key).await, record);
        assert_eq!(&store.get(&key).await.unwrap(), record);
    }
    store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn commits_and_refusals_leave_in_memory_what_they_leave_in_the_database(commits in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(carry_out(commits));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reader_brings_back_what_was_there_before_a_commit() {
    const WRITES: i64 = 1_000;
    let store = Arc::new(Store::open(None).await.unwrap());
    let first = service("hello");
    store.commit(vec![Write::Insert(first.clone())]).await.unwrap();
    let answered = Arc::new(AtomicI64::new(1));
    let readers = (0..6).map(|_| {
        let (store, answered, key) = (Arc::clone(&store), Arc::clone(&answered), first.key.clone());
        tokio::spawn(async move {
            loop {
                let before = answered.load(Ordering::SeqCst);
                let version = found(&store, &key).await.unwrap().version;
                assert!(version >= before, "{before} was answered, and {version} was read after that");
                if version == WRITES {
                    return;
                }
                // What is in memory is read without waiting: the writer must have its turn, too.
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for version in 2..=WRITES {
        let record = Record { version, ..first.clone() };
        // Every other commit tells what it leaves; after the others somebody must read it.
        let known = if version % 2 == 0 { vec![known(&record)] } else { Vec::new() };
        let write = Write::Update { record, expected: version - 1 };
        store.commit_known(vec![write], known).await.unwrap();
        answered.store(version, Ordering::SeqCst);
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_pruned_is_gone_from_memory_too() {
    let store = Store::open(None).await.unwrap();
    let records: Vec<Record> = (0..6)
        .map(|number| {
            let created = groundrun_model::Timestamp::from_seconds(number);
            Record { created, ..service(&format!("s-{number}")) }
        })
        .collect();
    let known = records.iter().map(known).collect();
    store.commit_known(records.iter().cloned().map(Write::Insert).collect(), known).await.unwrap();
    let Key { kind, project, location, .. } = records[0].key.clone();
    store.commit(vec![Write::Prune { kind, project, location, keep: 2 }]).await.unwrap();
    for record in &records {
        assert_eq!(found(&store, &record.key).await, store.get(&record.key).await.unwrap());
    }
    assert_eq!(found(&store, &records[0].key).await, None);
    assert!(found(&store, &records[5].key).await.is_some());
}

#[tokio::test]
async fn what_there_is_no_policy_of_is_told_without_forgetting_those_there_are() {
    let (_directory, file) = super::place();
    let store = super::open(&file).await;
    let set = |resource: &str, etag: u8| Write::SetPolicy {
        resource: resource.to_owned(),
        policy: Some(json!({ "etag": etag })),
        expected: None,
        etag: vec![etag],
    };
    store.commit(vec![set("one", 1)]).await.unwrap();
    assert_eq!(store.policy("one").await.unwrap(), Some((json!({ "etag": 1 }), vec![1])));
    assert_eq!(store.policy("two").await.unwrap(), None);
    store.commit(vec![set("two", 2)]).await.unwrap();
    assert_eq!(store.policy("two").await.unwrap(), Some((json!({ "etag": 2 }), vec![2])));
    let removed = Write::SetPolicy {
        resource: "two".to_owned(),
        policy: None,
        expected: Some(vec![2]),
        etag: Vec::new(),
    };
    store.commit(vec![removed]).await.unwrap();
    assert_eq!(store.policy("two").await.unwrap(), None);
    store.close().await;
    let store = super::open(&file).await;
    assert_eq!(store.policy("one").await.unwrap(), Some((json!({ "etag": 1 }), vec![1])));
}
