//! Is a database in memory one's own, and only in memory?

use groundrun_model::kind::{Kind, Write};

use super::service;
use crate::{Query, Store};

#[tokio::test]
async fn two_databases_in_memory_are_apart_and_leave_no_file() {
    let one = Store::open(None).await.unwrap();
    let other = Store::open(None).await.unwrap();
    one.commit(vec![Write::Insert(service("hello"))]).await.unwrap();
    assert!(one.get(&service("hello").key).await.unwrap().is_some());
    assert_eq!(other.get(&service("hello").key).await.unwrap(), None);
    other.commit(vec![Write::Insert(service("hello"))]).await.unwrap();
    one.close().await;
    assert!(other.get(&service("hello").key).await.unwrap().is_some());

    let here = std::fs::read_dir(".").unwrap().map(|entry| entry.unwrap().file_name());
    let files: Vec<_> = here.filter(|name| name.to_string_lossy().contains("groundrun-")).collect();
    assert!(files.is_empty(), "{files:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_and_writes_of_one_database_in_memory_wait_for_each_other() {
    let store = Store::open(None).await.unwrap();
    let write = async {
        for number in 0..200 {
            store.commit(vec![Write::Insert(service(&format!("s-{number}")))]).await.unwrap();
        }
    };
    let read = async {
        let query = Query::new(Kind::Service, "demo");
        let mut seen = 0;
        while seen < 200 {
            let now = store.list(&query).await.unwrap().len();
            assert!(now >= seen, "what was committed went away");
            seen = now;
        }
    };
    tokio::join!(write, read);
}
