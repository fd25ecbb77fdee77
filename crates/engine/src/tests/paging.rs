//! Does a walk through a list see everything once, whatever it asks for and whatever is written meanwhile?

use std::collections::BTreeMap;

use groundrun_model::field::Api;
use groundrun_model::selector::Selector;
use groundrun_model::service::ServiceSpec;
use groundrun_model::{Region, ServiceId, ServiceName};
use groundrun_store::Store;

use super::{engine, id, owner, spec};
use crate::{Engine, Page, Scope, WriteOptions};

fn named(number: usize, region: &str) -> ServiceId {
    ServiceId {
        name: ServiceName::parse(&format!("s-{number}"), "name").unwrap(),
        region: Region::parse(region).unwrap(),
        ..id()
    }
}

/// Every fifth one is rare.
async fn create(engine: &Engine, number: usize) {
    let region = if number.is_multiple_of(3) { "europe-west1" } else { "us-central1" };
    let size = if number.is_multiple_of(5) { "rare" } else { "common" };
    let labels = BTreeMap::from([("size".to_owned(), size.to_owned())]);
    let asked = ServiceSpec { labels, ..spec("image") };
    let how = WriteOptions::through(Api::V1);
    engine.create_service(&owner(engine), &named(number, region), asked, how).await.unwrap();
}

/// Every item of a walk in pages of `limit`, while another service is created at each page.
async fn walk(engine: &Engine, scope: &Scope, selector: &str, limit: usize, next: &mut usize) -> Vec<String> {
    let mut seen = Vec::new();
    let selector = Selector::parse(selector).unwrap();
    let mut page = Page { selector, limit: Some(limit), after: None };
    loop {
        let found = engine.list_services(&owner(engine), scope, &page).await.unwrap();
        assert!(found.items.len() <= limit);
        seen.extend(found.items.iter().map(|service| service.id.name.to_string()));
        match found.next {
            Some(place) => page.after = Some(place),
            None => return seen,
        }
        assert_eq!(found.items.len(), limit, "only the last page is short");
        create(engine, *next).await;
        *next += 1;
    }
}

#[tokio::test]
async fn a_walk_sees_each_service_that_was_there_once() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let mut count = 0;
    while count < 40 {
        create(&engine, count).await;
        count += 1;
    }
    let project = id().project;
    let all = Scope { project: project.clone(), region: None };
    let here = Scope { project, region: Some(Region::parse("europe-west1").unwrap()) };
    for limit in [1, 3, 10, 40, 1_000] {
        for (scope, selector) in
            [(&all, ""), (&here, ""), (&all, "size=rare"), (&here, "size=rare"), (&all, "size=none")]
        {
            let before = count;
            let seen = walk(&engine, scope, selector, limit, &mut count).await;
            let chosen = |number: &usize| {
                (scope.region.is_none() || number.is_multiple_of(3))
                    && match selector {
                        "" => true,
                        "size=rare" => number.is_multiple_of(5),
                        _ => false,
                    }
            };
            // Newest first; what came after the walk began is ahead of it.
            let wanted: Vec<_> =
                (0..before).rev().filter(chosen).map(|number| format!("s-{number}")).collect();
            assert_eq!(seen, wanted, "{scope:?} {selector:?} in pages of {limit}");
        }
    }
}
