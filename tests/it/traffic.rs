//! Which revision answers a request, and what is no split?

use std::collections::BTreeMap;

use groundrun_tests::{Answer, World, at, condition, patched, revision_name};
use insta::assert_snapshot;
use serde_json::{Value, json};

/// What a PUT of this traffic is answered.
async fn put(world: &World, traffic: Value) -> Answer {
    let service = patched(&world.owner().get("hello").await, "/spec/traffic", traffic);
    world.owner().replace("hello", &service).await
}

#[tokio::test]
async fn splits_that_are_none_are_refused_in_the_known_words() {
    let world = World::start().await;
    let before = world.deploy("hello").await;
    let latest = |percent: i64| json!({ "latestRevision": true, "percent": percent });
    let mut told = String::new();
    for (what, traffic) in [
        ("90", json!([latest(90)])),
        ("110", json!([latest(60), latest(50)])),
        ("101", json!([latest(101)])),
        ("-1", json!([latest(-1), latest(101)])),
        ("tag only", json!([{ "latestRevision": true, "tag": "a" }])),
        (
            "twice a tag",
            json!([{ "latestRevision": true, "percent": 100, "tag": "a" }, { "latestRevision": true, "tag": "a" }]),
        ),
        (
            "latest with a name",
            json!([{ "latestRevision": true, "revisionName": "hello-00001-abc", "percent": 100 }]),
        ),
        ("no revision", json!([{ "percent": 100 }])),
        ("a bad name", json!([{ "revisionName": "Hello!", "percent": 100 }])),
        ("a bad tag", json!([latest(100), { "latestRevision": true, "tag": "A" }])),
        ("half a percent", json!([{ "latestRevision": true, "percent": 99.5 }])),
    ] {
        let refused = put(&world, traffic).await.expect(400);
        assert_eq!(refused.code(), "INVALID_ARGUMENT");
        told.push_str(&format!("{what}\n"));
        for (field, description) in refused.violations() {
            told.push_str(&format!("  {field}: {description}\n"));
        }
    }
    assert_snapshot!(told.trim_end(), @r"
    90
      spec.traffic: the sum of the traffic percentages is 90, it should be 100
    110
      spec.traffic: the sum of the traffic percentages is 110, it should be 100
    101
      spec.traffic[0].percent: must be a number between 0 and 100
      spec.traffic: the sum of the traffic percentages is 101, it should be 100
    -1
      spec.traffic[0].percent: must be a number between 0 and 100
      spec.traffic[1].percent: must be a number between 0 and 100
    tag only
      spec.traffic: the sum of the traffic percentages is 0, it should be 100
    twice a tag
      spec.traffic[1].tag: may not contain a duplicate tag 'a'
    latest with a name
      spec.traffic[0].revisionName: must be specified if and only if traffic type is REVISION, that is if latestRevision is not true
    no revision
      spec.traffic[0].revisionName: must be specified if and only if traffic type is REVISION, that is if latestRevision is not true
    a bad name
      spec.traffic[0].revisionName: 'Hello!' is not the name of a revision.
    a bad tag
      spec.traffic.tag: traffic tag 'A' may have only lowercase letters, digits, and hyphens; must begin with letter, and may not end with hyphen.
    half a percent
      spec.traffic[0].percent: Invalid value at 'spec.traffic[0].percent' (an integer)
    ");
    assert_eq!(world.owner().get("hello").await, before);
}

#[tokio::test]
async fn a_tag_and_the_name_share_46_characters() {
    let world = World::start().await;
    world.deploy("hello").await;
    let tagged = |length: usize| json!([{ "latestRevision": true, "percent": 100 }, { "latestRevision": true, "tag": "t".repeat(length) }]);
    let refused = put(&world, tagged(42)).await.expect(400);
    assert_snapshot!(refused.message(), @"spec.traffic.tag: traffic tag 'tttttttttttttttttttttttttttttttttttttttttt' and service name 'hello' together are too long. Combined traffic tag and service name cannot exceed 46 characters.");
    let _ = put(&world, tagged(41)).await.expect(200);
}

#[tokio::test]
async fn requests_are_split_by_percent() {
    let world = World::start().await;
    let owner = world.owner();
    let first = revision_name(&world.deploy("hello").await);
    let second = revision_name(&owner.set_env("hello", "A", "1").await);
    owner.bind("hello", "roles/run.invoker", &["allUsers"]).await;
    let split = json!([
        { "revisionName": first, "percent": 20 }, { "revisionName": second, "percent": 80 },
    ]);
    let service = owner.set_traffic("hello", split.clone()).await;
    assert_eq!(service["spec"]["traffic"], split);
    assert_eq!(service["status"]["traffic"], split);
    assert_eq!(service["metadata"]["generation"], 3, "traffic is no configuration, but it is a change");

    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..400 {
        let answer =
            world.anonymous().call(at(&service, "/status/url").as_str().unwrap(), "").await.expect(200);
        *counts.entry(answer.json()["revision"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    // 80 expected, a standard deviation of 8: outside of six of them lies less than one in 10^8 runs.
    assert!((32..=128).contains(&counts[&first]), "{counts:?}");
    assert_eq!(counts.len(), 2);
}

#[tokio::test]
async fn a_tag_reaches_its_revision_without_any_traffic() {
    let world = World::start().await;
    let owner = world.owner();
    let first = revision_name(&world.deploy("hello").await);
    owner.grant("hello").await;
    owner.set_env("hello", "A", "1").await;
    let traffic = json!([
        { "latestRevision": true, "percent": 100 },
        { "revisionName": first, "tag": "old" },
        { "latestRevision": true, "tag": "new" },
    ]);
    let service = owner.set_traffic("hello", traffic).await;
    let targets = service["status"]["traffic"].as_array().unwrap().clone();
    assert_eq!(targets.len(), 3);
    for target in &targets[1..] {
        let url = target["url"].as_str().unwrap();
        assert!(url.starts_with(&format!("http://{}---hello-", target["tag"].as_str().unwrap())), "{url}");
        let answer = world.invoker().call(url, url).await.expect(200).json();
        assert_eq!(answer["revision"], target["revisionName"]);
        // The same tag before the other hosts of the service, and the same policy.
        let urls: Vec<String> =
            serde_json::from_str(groundrun_tests::annotation(&service, "run.googleapis.com/urls").unwrap())
                .unwrap();
        let host = urls[0].strip_prefix("http://").unwrap();
        let at_number = format!("http://{}---{host}", target["tag"].as_str().unwrap());
        let answer = world.invoker().call(&at_number, url).await.expect(200).json();
        assert_eq!(answer["revision"], target["revisionName"]);
        let _ = world.stranger().call(url, url).await.expect(403);
    }
    let url = targets[1]["url"].as_str().unwrap().replace("old---", "gone---");
    let _ = world.invoker().call(&url, &url).await.expect(404);
}

#[tokio::test]
async fn latest_follows_the_latest_ready_revision_and_names_do_not() {
    let world = World::start().await;
    let owner = world.owner();
    let first = revision_name(&world.deploy("hello").await);
    let service = owner.set_env("hello", "A", "1").await;
    assert_eq!(at(&service, "/status/traffic/0/revisionName"), &json!(revision_name(&service)));
    assert_eq!(at(&service, "/status/traffic/0/latestRevision"), &json!(true));

    owner.set_traffic("hello", json!([{ "revisionName": first, "percent": 100 }])).await;
    let pinned = owner.set_env("hello", "A", "2").await;
    assert_eq!(at(&pinned, "/status/traffic/0/revisionName"), &json!(first));
    assert_ne!(revision_name(&pinned), first);
    assert_eq!(condition(&pinned, "Ready")["status"], "True");
}

#[tokio::test]
async fn an_unknown_revision_is_a_condition_and_what_served_goes_on() {
    let world = World::start().await;
    let owner = world.owner();
    let first = revision_name(&world.deploy("hello").await);
    owner.bind("hello", "roles/run.invoker", &["allUsers"]).await;
    let service = owner.set_traffic("hello", json!([{ "revisionName": "hello-gone", "percent": 100 }])).await;
    let ready = condition(&service, "Ready");
    assert_eq!(
        (ready["status"].as_str(), ready["reason"].as_str()),
        (Some("False"), Some("RevisionMissing"))
    );
    assert_snapshot!(ready["message"].as_str().unwrap(), @"Revision 'hello-gone' does not exist or is deleted. Update all traffic to route to currently available revisions.");
    assert_eq!(condition(&service, "ConfigurationsReady")["status"], "True");
    assert_eq!(condition(&service, "RoutesReady")["status"], "False");
    assert_eq!(at(&service, "/status/traffic/0/revisionName"), &json!(first));
    let answer = world.anonymous().call(at(&service, "/status/url").as_str().unwrap(), "").await.expect(200);
    assert_eq!(answer.json()["revision"], json!(first));
}

/// gcloud's `--tag` names a revision in `spec.traffic` that the same write makes.
#[tokio::test]
async fn a_tag_may_name_the_revision_that_the_same_write_cuts() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    owner.grant("hello").await;
    let service = owner
        .edit("hello", |service| {
            service["spec"]["template"]["metadata"]["name"] = json!("hello-00002-bab");
            service["spec"]["traffic"] = json!([
                { "latestRevision": true, "percent": 100 },
                { "revisionName": "hello-00002-bab", "tag": "blue" },
            ]);
        })
        .await;
    assert_eq!(condition(&service, "Ready")["status"], "True", "{service:#}");
    let url = at(&service, "/status/traffic/1/url").as_str().unwrap();
    let answer = world.invoker().call(url, url).await.expect(200).json();
    assert_eq!(answer["revision"], "hello-00002-bab");
}
