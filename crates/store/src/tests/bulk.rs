//! Do the large readings find what is there, and nothing twice?

use std::collections::BTreeSet;

use super::*;
use crate::{BULK, Place};

fn at(project: &str, location: &str) -> Place {
    Place { project: project.to_owned(), location: location.to_owned() }
}

/// The services of these names in one place; many are created at the same moment.
async fn create(store: &Store, place: &Place, names: &[String]) {
    let record = |(number, name): (u32, &String)| {
        let mut record = service(name);
        record.key.project.clone_from(&place.project);
        record.key.location.clone_from(&place.location);
        record.created = Timestamp::from_seconds(1_700_000_000 + i64::from(number / 100));
        let [project, location] = [&place.project, &place.location];
        record.uid = Uuid::from_u128(
            format!("{project}/{location}/{name}")
                .bytes()
                .fold(7, |sum, byte| sum.wrapping_mul(257).wrapping_add(u128::from(byte))),
        );
        Write::Insert(record)
    };
    store.commit((0..).zip(names).map(record).collect()).await.unwrap();
}

#[tokio::test]
async fn pages_have_every_service_of_a_place_once() {
    let store = Store::open(None).await.unwrap();
    let here = at("demo", "us-central1");
    for size in [BULK - 1, BULK, BULK + 1, 3 * BULK + 7] {
        let place = at("demo", &format!("us-central{size}"));
        let names: Vec<String> = (0..size).map(|number| format!("s-{number:04}")).collect();
        create(&store, &place, &names).await;
        let (mut seen, mut end, mut last) = (BTreeSet::new(), None, i64::MAX);
        loop {
            let page = store.service_page(&place, end.as_ref()).await.unwrap();
            for row in page.iter() {
                let row = row.unwrap();
                assert!(row.created <= last, "the newest first");
                last = row.created;
                assert!(seen.insert(row.name.to_owned()), "{} twice", row.name);
            }
            end = page.end().unwrap();
            if end.is_none() {
                break;
            }
        }
        assert_eq!(seen, names.into_iter().collect(), "{size}");
    }
    create(&store, &here, &["one".to_owned()]).await;
    create(&store, &at("other", "us-central1"), &["one".to_owned()]).await;
    let places = store.service_places().await.unwrap();
    assert_eq!(places.len(), 6);
    assert!(places.contains(&here) && places.contains(&at("other", "us-central1")));
}

#[tokio::test]
async fn a_row_is_what_was_written_with_its_own_policy() {
    let store = Store::open(None).await.unwrap();
    let here = at("demo", "us-central1");
    create(&store, &here, &["one".to_owned(), "two".to_owned(), "gone".to_owned()]).await;
    let mut revision = service("one-00001-abc");
    revision.key.kind = Kind::Revision;
    let policy = |resource: &str, policy: &str| Write::SetPolicy {
        resource: resource.to_owned(),
        policy: Some(json!({ "is": policy })),
        expected: None,
        etag: vec![1],
    };
    let writes = vec![
        policy("projects/demo/locations/us-central1/services/two", "own"),
        policy("projects/demo", "the project's"),
        Write::Insert(revision.clone()),
        Write::Delete { key: service("gone").key, expected: None },
    ];
    store.commit(writes).await.unwrap();
    let names = ["one", "two", "gone", "one-00001-abc", "missing"];
    let rows = store.services_named(&here, &names).await.unwrap();
    let mut rows: Vec<_> = rows.iter().map(Result::unwrap).collect();
    rows.sort_by_key(|row| row.name);
    let [one, two] = rows.as_slice() else { panic!("{rows:?}") };
    let written = service("one");
    assert_eq!((one.name, one.generation, one.policy), ("one", written.generation, None));
    assert_eq!((one.spec, one.status), (&*written.spec.to_string(), &*written.status.to_string()));
    assert_eq!((two.name, two.policy), ("two", Some(r#"{"is":"own"}"#)));

    let rows = store.revisions_named(&here, &names).await.unwrap();
    let rows: Vec<_> = rows.iter().map(Result::unwrap).collect();
    let [found] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((found.name, found.spec), ("one-00001-abc", &*revision.spec.to_string()));
    assert!(store.revisions_named::<&str>(&here, &[]).await.unwrap().iter().next().is_none());
}
