//! Does a walk see everything once?

use groundrun_model::Timestamp;
use groundrun_model::kind::{Kind, Record, Write};
use uuid::Uuid;

use super::service;
use crate::resource::{Row, StatusRow, noting, updating};
use crate::{Cursor, Query, Store};

/// Fifteen services in each of two regions; names repeat across regions, and moments repeat.
fn many() -> Vec<Record> {
    let regions = ["us-central1", "europe-west1"];
    let mut records = Vec::new();
    for number in 0..15_u32 {
        for (place, region) in regions.into_iter().enumerate() {
            let mut record = service(&format!("s-{:02}", number * 7 % 15));
            record.uid = Uuid::from_u128(u128::from(number) * 2 + place as u128);
            region.clone_into(&mut record.key.location);
            record.created = Timestamp::from_seconds(1_700_000_000 + i64::from(number / 6));
            record.parent = (number % 3 == 0).then(|| "owner".to_owned());
            records.push(record);
        }
    }
    records
}

async fn filled() -> (Store, Vec<Record>) {
    let store = Store::open(None).await.unwrap();
    let mut records = many();
    store.commit(records.iter().cloned().map(Write::Insert).collect()).await.unwrap();
    let mut elsewhere = service("s-01");
    elsewhere.key.project = "other".to_owned();
    let mut revision = service("s-02");
    revision.key.kind = Kind::Revision;
    store.commit(vec![Write::Insert(elsewhere), Write::Insert(revision)]).await.unwrap();
    records.sort_by_key(|record| {
        std::cmp::Reverse((record.created, record.key.name.clone(), record.key.location.clone()))
    });
    (store, records)
}

#[tokio::test]
async fn lists_are_newest_first_and_hold_only_what_was_asked_for() {
    let (store, records) = filled().await;
    let all = Query::new(Kind::Service, "demo");
    assert_eq!(store.list(&all).await.unwrap(), records);
    let here = Query { location: Some("europe-west1".to_owned()), ..all.clone() };
    let wanted: Vec<_> =
        records.iter().filter(|record| record.key.location == "europe-west1").cloned().collect();
    assert_eq!(store.list(&here).await.unwrap(), wanted);
    let owned = Query { parent: Some("owner".to_owned()), limit: Some(3), ..here };
    let wanted: Vec<_> = wanted.into_iter().filter(|record| record.parent.is_some()).take(3).collect();
    assert_eq!(store.list(&owned).await.unwrap(), wanted);
    assert_eq!(store.all(Kind::Service).await.unwrap().len(), 31);
    assert_eq!(store.all(Kind::Revision).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_walk_sees_all_once_while_others_write() {
    for limit in [1, 4, 7, 30, 100] {
        let (store, records) = filled().await;
        let mut query = Query { limit: Some(limit), ..Query::new(Kind::Service, "demo") };
        let mut seen = Vec::new();
        loop {
            let page = store.list(&query).await.unwrap();
            let Some(last) = page.last() else { break };
            query.after = Some(Cursor::behind(last));
            // Something newer comes, and at every other page the place itself goes: the walk goes on.
            let mut newer = service(&format!("newer-{}", seen.len()));
            newer.created = Timestamp::from_seconds(1_800_000_000);
            let mut writes = vec![Write::Insert(newer)];
            if seen.len() / page.len() % 2 == 1 {
                writes.push(Write::Delete { key: last.key.clone(), expected: None });
            }
            store.commit(writes).await.unwrap();
            seen.extend(page);
        }
        assert_eq!(seen, records, "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_page_is_a_range_of_an_index() {
    let (store, _) = filled().await;
    for (condition, index) in [("", "resource_newest"), ("AND parent = 'owner'", "resource_children")] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT name FROM resource WHERE deleted IS NULL AND kind = 'service' AND \
             project = 'demo' AND location = 'us-central1' {condition} AND (created, name, location) < \
             (9, 'a', 'b') ORDER BY created DESC, name DESC, location DESC"
        );
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&store.reads).await.unwrap();
        let steps: Vec<_> = plan.into_iter().map(|step| step.3).collect();
        // One step: found by the index, and nothing left to sort.
        assert!(steps.len() == 1 && steps[0].contains(index), "{steps:?}");
        assert!(steps[0].contains("(created,name)<"), "{steps:?}");
    }
}

#[tokio::test]
async fn a_statement_for_many_rows_finds_each_by_an_index() {
    let (store, records) = filled().await;
    let rows: Vec<Row> = records.into_iter().take(8).map(Row::from).collect();
    let updates: Vec<_> = rows.iter().map(|row| (row, 1)).collect();
    let statuses: Vec<_> = rows
        .iter()
        .map(|row| StatusRow { key: row.key.clone(), uid: row.uid, expected: 1, status: row.status.clone() })
        .collect();
    let statuses: Vec<_> = statuses.iter().collect();
    for sql in [updating(&updates).into_string(), noting(&statuses).into_string()] {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&store.reads).await.unwrap();
        let steps: Vec<_> = plan.into_iter().map(|step| step.3).collect();
        assert!(steps.iter().any(|step| step.contains("SEARCH resource USING INDEX")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("SCAN resource")), "{steps:?}");
    }
}
