//! Does traffic to the latest ready revision go over to the next without a moment in which nothing serves?

use std::sync::Arc;

use groundrun_model::routing::Split;

use super::*;

/// The revisions that the split of a published table can pick.
fn picked(split: &Split) -> Vec<String> {
    split.iter().map(|(_, spec)| spec.revision.to_string()).collect()
}

/// Every table that is published is looked at: a request that comes at that moment is routed by it.
#[tokio::test]
async fn latest_moves_on_only_when_the_next_is_ready() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    engine.create_service(&owner, &id(), spec("one"), WriteOptions::through(Api::V1)).await.unwrap();
    let first = until(&engine, "settled", Service::is_settled).await;
    let first = first.status.serving[0].revision.to_string();

    let table = engine.routing_table();
    let mut seen = vec![table.load_full()];
    let watch = |seen: &mut Vec<Arc<_>>| {
        let now = table.load_full();
        if seen.last().is_none_or(|last| !Arc::ptr_eq(last, &now)) {
            seen.push(now);
        }
    };
    for image in ["two", "fails.invalid/three", "four"] {
        let next = spec(image);
        engine.update_service(&owner, &id(), |_| Ok(next), WriteOptions::through(Api::V1)).await.unwrap();
        let settled = async {
            loop {
                watch(&mut seen);
                let service = engine.get_service(&owner, &id()).await.unwrap();
                watch(&mut seen);
                if service.is_settled() {
                    return service;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, settled).await.expect("the service settles");
        watch(&mut seen);
    }
    let mut order: Vec<String> = Vec::new();
    for table in seen {
        let route = table.get(&id()).expect("the service is always there");
        let [only] = picked(&route.split).try_into().expect("one revision has all the traffic, always");
        if order.last() != Some(&only) {
            order.push(only);
        }
    }
    assert_eq!(order.len(), 3, "the one that failed never serves: {order:?}");
    assert_eq!(order[0], first);
    assert!(order[1].contains("-00002-") && order[2].contains("-00004-"), "{order:?}");
}

#[tokio::test]
async fn a_revision_that_only_a_tag_names_is_never_drawn() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    engine.create_service(&owner, &id(), spec("one"), WriteOptions::through(Api::V1)).await.unwrap();
    let first = until(&engine, "settled", Service::is_settled).await.status.serving[0].revision.to_string();
    let named = TrafficRevision::Named(first.clone());
    let traffic = vec![
        TrafficTarget { revision: TrafficRevision::Latest, percent: Some(100), tag: None },
        TrafficTarget { revision: named.clone(), percent: None, tag: Some("old".to_owned()) },
        TrafficTarget { revision: named, percent: Some(0), tag: Some("zero".to_owned()) },
    ];
    let asked = ServiceSpec { traffic, ..spec("two") };
    engine.update_service(&owner, &id(), |_| Ok(asked), WriteOptions::through(Api::V1)).await.unwrap();
    let second = until(&engine, "routed to the second", |service| {
        service.is_settled() && service.status.serving.len() == 3
    });
    let second = second.await.status.serving[0].revision.to_string();
    assert_ne!(first, second);
    let table = engine.routing_table().load_full();
    let route = table.get(&id()).unwrap();
    assert_eq!(picked(&route.split), [second]);
    for tag in ["old", "zero"] {
        assert_eq!(route.tags[tag].revision.as_str(), first);
    }
}
