//! Does a service with many settings stay as it is when a client reads it and writes it back?

use groundrun_tests::{World, at};
use serde_json::Value;

use super::libraries::Library;

/// A service of v1 that makes use of all sorts of settings.
const RICH: &str = include_str!("rich-service.json");

/// Makes the service through v1 and has it written back, without a mask, through each door of `script`. v1 must
/// then show the same as before: the same specification, generation and revision.
pub(super) async fn stays_as_it_is(script: &Library, doors: &[&str]) {
    let world = World::start().await;
    let address = world.server().address().to_string();
    let rich: Value = serde_json::from_str(RICH).expect("the service is JSON");
    let before = world.owner().deploy_as(&rich).await;
    let kept = at(&before, "/metadata/annotations");
    for (name, wanted) in rich["metadata"]["annotations"].as_object().expect("annotations") {
        assert_eq!(&kept[name], wanted, "{name}");
    }
    for door in doors {
        let told = script.run(&[*door, address.as_str(), "rich"]).await;
        assert!(told.len() == 1 && told[0].to_string().contains("rich"), "{door} read {told:?}");
        assert_eq!(world.owner().get("rich").await, before, "{door} changed the service");
    }
    assert_eq!(world.owner().revisions("rich").await.len(), 1);
}
