//! What happens when a whole service is written back, as gcloud does?

use groundrun_tests::{
    AUDIENCES, Owner, PROJECT, World, annotation, at, patched, revision_name, set, version_micros,
};
use serde_json::{Value, json};

#[tokio::test]
async fn what_was_read_can_be_written_back_and_changes_nothing() {
    let world = World::start().await;
    let before = world.deploy("hello").await;
    let answer = world.owner().replace("hello", &before).await.expect(200).json();
    assert_eq!(answer, before);
    assert_eq!(world.owner().get("hello").await, before);
}

/// An export says the number where the first deployment said the id.
#[tokio::test]
async fn number_and_id_are_one_project() {
    let world = World::start().await;
    let owner = world.owner();
    let service = world.deploy("hello").await;
    let number = at(&service, "/metadata/namespace").as_str().unwrap().to_owned();
    assert!(number.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
    let project = owner.read(format!("/v1/projects/{PROJECT}")).await.expect(200).json();
    assert_eq!(project["projectNumber"], number);

    let changed = patched(&service, "/spec/template/spec/containerConcurrency", json!(7));
    let path = format!("/apis/serving.knative.dev/v1/namespaces/{number}/services/hello");
    let _ = owner.ask(http::Method::PUT, &path).json(&changed).send().await.expect(200);
    owner.settled("hello").await;
    let by_id = owner.get("hello").await;
    assert_eq!(owner.read(&path).await.expect(200).json(), by_id);
    let list = owner.read(Owner::services_path()).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "no second service under the number");

    let foreign = patched(&by_id, "/metadata/namespace", json!("other-project"));
    assert_eq!(owner.replace("hello", &foreign).await.expect(400).violations()[0].0, "metadata.namespace");
}

#[tokio::test]
async fn a_stale_version_is_told_with_both_versions() {
    let world = World::start().await;
    let owner = world.owner();
    let old = world.deploy("hello").await;
    let new = owner.set_env("hello", "A", "1").await;
    let stale = patched(&old, "/spec/template/spec/containerConcurrency", json!(7));
    let refused = owner.replace("hello", &stale).await.expect(409);
    assert_eq!(refused.code(), "ABORTED");
    let version = |service: &Value| version_micros(at(service, "/metadata/resourceVersion"));
    assert_eq!(
        refused.message(),
        format!(
            "Conflict for resource 'hello': version '{}' was specified but current version is '{}'.",
            version(&old),
            version(&new)
        )
    );
    assert_eq!(owner.get("hello").await, new);

    // Without a version there is no check.
    for version in [Value::Null, json!("")] {
        let unversioned = patched(&stale, "/metadata/resourceVersion", version);
        let _ = owner.replace("hello", &unversioned).await.expect(200);
    }
    let nonsense = patched(&stale, "/metadata/resourceVersion", json!("x"));
    let refused = owner.replace("hello", &nonsense).await.expect(400);
    assert_eq!(refused.violations()[0].0, "metadata.resourceVersion");
}

#[tokio::test]
async fn of_writers_with_the_same_version_one_wins() {
    let world = World::start().await;
    let owner = world.owner();
    let service = world.deploy("hello").await;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let body = patched(&service, "/spec/template/spec/containerConcurrency", json!(number + 1));
        writers.spawn(owner.ask(http::Method::PUT, Owner::service_path("hello")).json(&body).send());
    }
    let answers = writers.join_all().await;
    let won: Vec<Value> = answers.iter().filter(|answer| answer.status == 200).map(|a| a.json()).collect();
    assert_eq!(won.len(), 1, "one wins");
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((lost.status.as_u16(), lost.code()), (409, "ABORTED".to_owned()));
    }
    let after = owner.settled("hello").await;
    assert_eq!(after["spec"], won[0]["spec"]);
    assert_eq!(after["metadata"]["generation"], 2);
    assert_eq!(owner.revisions("hello").await.len(), 2);
}

#[tokio::test]
async fn of_creators_of_one_name_one_wins() {
    let world = World::start().await;
    let mut creators = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let ask = world.owner().ask(http::Method::POST, Owner::services_path());
        creators.spawn(ask.json(&Owner::service("hello")).send());
    }
    let mut statuses: Vec<u16> = creators.join_all().await.iter().map(|a| a.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    let refused = world.owner().create(&Owner::service("hello")).await.expect(409);
    assert_eq!(
        (refused.code(), refused.message()),
        ("ALREADY_EXISTS".to_owned(), "Resource 'hello' already exists.".to_owned())
    );
}

#[tokio::test]
async fn a_dry_run_answers_what_would_be_and_stores_nothing() {
    let world = World::start().await;
    let owner = world.owner();
    let path = format!("{}?dryRun=all", Owner::services_path());
    let would =
        owner.ask(http::Method::POST, &path).json(&Owner::service("hello")).send().await.expect(200).json();
    assert_eq!(at(&would, "/spec/template/spec/timeoutSeconds"), &json!(300));
    assert_eq!(at(&would, "/metadata/generation"), &json!(1));
    let _ = owner.read(Owner::service_path("hello")).await.expect(404);

    let before = world.deploy("hello").await;
    let changed = patched(&before, "/spec/template/spec/containerConcurrency", json!(7));
    let path = format!("{}?dryRun=all", Owner::service_path("hello"));
    let would = owner.ask(http::Method::PUT, &path).json(&changed).send().await.expect(200).json();
    assert_eq!(at(&would, "/metadata/generation"), &json!(2));
    let refused = owner
        .ask(http::Method::PUT, &path)
        .json(&patched(&before, "/spec/template/spec/containerConcurrency", json!(1001)))
        .send()
        .await
        .expect(400);
    assert_eq!(refused.violations()[0].0, "spec.template.spec.containerConcurrency");
    let _ = owner.delete(&path).await.expect(200);
    assert_eq!(owner.get("hello").await, before);
    let refused = owner.read(format!("{}?dryRun=some", Owner::service_path("hello"))).await;
    assert_eq!(refused.status, 200, "a read has no dry run");
    let path = format!("{}?dryRun=some", Owner::service_path("hello"));
    assert_eq!(owner.delete(path).await.expect(400).violations()[0].0, "dryRun");
}

/// Clients send back what they read; what only the server writes is left as it is.
#[tokio::test]
async fn what_the_server_writes_is_ignored_on_the_way_in() {
    let world = World::start().await;
    let owner = world.owner();
    let before = world.deploy("hello").await;
    let mut forged = before.clone();
    for (key, value) in [
        ("serving.knative.dev/creator", "mallory@example.test"),
        ("serving.knative.dev/lastModifier", "mallory@example.test"),
        ("run.googleapis.com/urls", "[\"https://mallory.example.test\"]"),
        ("run.googleapis.com/ingress-status", "none"),
        ("run.googleapis.com/operation-id", "1234"),
    ] {
        forged["metadata"]["annotations"][key] = json!(value);
    }
    set(&mut forged, "/metadata/uid", json!("00000000-0000-4000-8000-000000000000"));
    set(&mut forged, "/metadata/generation", json!(99));
    set(&mut forged, "/metadata/creationTimestamp", json!("1999-01-01T00:00:00Z"));
    set(&mut forged, "/metadata/labels/cloud.googleapis.com~1location", json!("mars-north1"));
    set(&mut forged, "/spec/template/metadata/labels/cloud.googleapis.com~1location", json!("mars-north1"));
    set(&mut forged, "/status/url", json!("https://mallory.example.test"));
    assert_eq!(owner.replace("hello", &forged).await.expect(200).json(), before);
}

/// "If a client omits the audiences, it clears them": a PUT replaces the whole.
#[tokio::test]
async fn a_put_replaces_what_it_does_not_name() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    owner.set_audiences("hello", &["aud1"]).await;
    owner
        .set_traffic(
            "hello",
            json!([{ "latestRevision": true, "percent": 100 }, { "latestRevision": true, "tag": "t" }]),
        )
        .await;
    let _ = owner.replace("hello", &Owner::service("hello")).await.expect(200);
    let after = owner.settled("hello").await;
    assert_eq!(annotation(&after, AUDIENCES), None);
    assert_eq!(at(&after, "/spec/traffic"), &json!([{ "latestRevision": true, "percent": 100 }]));
    let answer = owner.replace("absent", &Owner::service("absent")).await.expect(404);
    assert_eq!(
        answer.message(),
        "Resource 'absent' of kind 'SERVICE' in region 'us-central1' in project 'demo-project' does not exist."
    );
    assert_eq!(at(&answer.json(), "/error/details/0/domain"), "run.googleapis.com");
}

/// Proto3 JSON: an empty string, list or map is unset, and null is.
#[tokio::test]
async fn empty_values_are_unset() {
    let world = World::start().await;
    let service = json!({
        "apiVersion": "serving.knative.dev/v1", "kind": "Service",
        "metadata": { "name": "hello", "namespace": PROJECT, "labels": {}, "annotations": null },
        "spec": { "template": { "metadata": { "name": "" }, "spec": {
            "containers": [{ "image": "example.test/i", "name": "", "env": [], "resources": { "requests": {} } }],
            "nodeSelector": {}, "serviceAccountName": "", "volumes": null,
        } }, "traffic": [] },
        "status": { "address": {} },
    });
    let ready = world.owner().deploy_as(&service).await;
    assert_eq!(at(&ready, "/spec/traffic"), &json!([{ "latestRevision": true, "percent": 100 }]));
    assert!(at(&ready, "/spec/template/spec/containers/0").get("name").is_none_or(|name| name != ""));
    assert_eq!(groundrun_tests::redacted(&revision_name(&ready)), "hello-00001-xyz");
}

#[tokio::test]
async fn a_deleted_service_is_gone_with_all_that_belonged_to_it() {
    let world = World::start().await;
    let owner = world.owner();
    let service = world.deploy("hello").await;
    owner.grant("hello").await;
    let deleted = owner.delete(Owner::service_path("hello")).await.expect(200).json();
    assert_eq!((&deleted["kind"], &deleted["status"]), (&json!("Status"), &json!("Success")));
    let _ = owner.read(Owner::service_path("hello")).await.expect(404);
    let _ = owner.delete(Owner::service_path("hello")).await.expect(404);
    assert!(owner.revisions("hello").await.is_empty());
    let url = at(&service, "/status/url").as_str().unwrap();
    let _ = world.invoker().call(url, url).await.expect(404);

    // Another service of the same name begins anew.
    let again = world.deploy("hello").await;
    assert_ne!(again["metadata"]["uid"], service["metadata"]["uid"]);
    assert_eq!(again["metadata"]["generation"], 1);
    assert_eq!(owner.policy("hello").await["etag"], "ACAB");
    let _ = world.invoker().call(url, url).await.expect(403);
}
