//! Do long-running operations run, and end as the service does?

use groundrun_tests::{Answer, Client, Owner, PROJECT, REGION, World, annotation, at, patched};
use http::Method;
use serde_json::{Value, json};

/// An image that cannot be pulled: `.invalid` is no domain.
const BROKEN: &str = "registry.invalid/broken";

fn v2(rest: &str) -> String {
    format!("/v2/projects/{PROJECT}/locations/{REGION}{rest}")
}

fn service(image: &str) -> Value {
    json!({ "template": { "containers": [{ "image": image }] } })
}

async fn create(client: &Client, id: &str, image: &str) -> Value {
    let ask = client.ask(Method::POST, v2(&format!("/services?serviceId={id}"))).json(&service(image));
    ask.send().await.expect(200).json()
}

async fn patch(client: &Client, query: &str, body: &Value) -> Answer {
    client.ask(Method::PATCH, v2(&format!("/services/hello?{query}"))).json(body).send().await
}

fn name(operation: &Value) -> String {
    format!("/v2/{}", at(operation, "/name").as_str().unwrap())
}

/// The operation once it is done.
async fn done(client: &Client, operation: &Value) -> Value {
    let ask = client.ask(Method::POST, format!("{}:wait", name(operation))).json(&json!({"timeout": "10s"}));
    let operation = ask.send().await.expect(200).json();
    assert_eq!(at(&operation, "/done"), true, "{operation:#}");
    operation
}

#[tokio::test]
async fn a_creation_returns_at_once_and_is_done_with_its_revision() {
    let world = World::start().await;
    let begun = create(&world, "hello", "gcr.io/demo/hello").await;
    assert_eq!(begun.get("done"), None);
    assert_eq!(at(&begun, "/metadata/@type"), "type.googleapis.com/google.cloud.run.v2.Service");
    assert_eq!(at(&begun, "/metadata/reconciling"), true);
    let ended = done(&world, &begun).await;
    assert_eq!(ended, world.get(name(&begun)).send().await.expect(200).json());
    let service = world.get(v2("/services/hello")).send().await.expect(200).json();
    let mut response = at(&ended, "/response").clone();
    assert_eq!(
        response.as_object_mut().unwrap().remove("@type"),
        Some(at(&begun, "/metadata/@type").clone())
    );
    assert_eq!(response, service);
    assert_eq!(at(&service, "/terminalCondition/state"), "CONDITION_SUCCEEDED");
}

#[tokio::test]
async fn a_revision_that_fails_ends_the_operation_with_its_error_and_the_old_one_serves() {
    let world = World::start().await;
    let first = done(&world, &create(&world, "hello", "gcr.io/demo/hello").await).await;
    let ready = at(&first, "/response/latestReadyRevision").clone();
    let failed = done(&world, &patch(&world, "", &service(BROKEN)).await.expect(200).json()).await;
    assert_eq!(failed.get("response"), None);
    assert_eq!(at(&failed, "/error/code"), 13);
    let message = at(&failed, "/error/message").as_str().unwrap();
    assert!(
        message
            .ends_with("is not ready and cannot serve traffic. Image 'registry.invalid/broken' not found."),
        "{message}"
    );
    let service = world.get(v2("/services/hello")).send().await.expect(200).json();
    assert_eq!(at(&service, "/latestReadyRevision"), &ready);
    assert_ne!(at(&service, "/latestCreatedRevision"), &ready);
    assert_eq!(at(&service, "/terminalCondition/state"), "CONDITION_FAILED");
    assert_eq!(at(&service, "/terminalCondition/reason"), "CONTAINER_MISSING");
    assert_eq!(at(&service, "/observedGeneration"), at(&service, "/generation"));
    let v1 = world.owner().get("hello").await;
    let short = ready.as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(at(&v1, "/status/traffic/0/revisionName"), short);
    world.owner().grant("hello").await;
    let url = at(&v1, "/status/url").as_str().unwrap();
    let answer = world.invoker().call(url, url).await.expect(200).json();
    assert_eq!(at(&answer, "/revision"), short, "requests still reach the revision that is ready");
}

#[tokio::test]
async fn a_first_deployment_that_fails_has_no_url() {
    let world = World::start().await;
    let failed = done(&world, &create(&world, "hello", BROKEN).await).await;
    assert_eq!(at(&failed, "/error/code"), 13);
    let service = world.get(v2("/services/hello")).send().await.expect(200).json();
    assert_eq!(service.get("uri"), None);
    assert_eq!(service.get("latestReadyRevision"), None);
    assert_eq!(at(&service, "/urls").as_array().unwrap().len(), 1);
    for condition in at(&service, "/conditions").as_array().unwrap() {
        assert_eq!(at(condition, "/state"), "CONDITION_FAILED", "{condition}");
    }
    // A good image mends it.
    let mended =
        done(&world, &patch(&world, "", &self::service("gcr.io/demo/hello")).await.expect(200).json()).await;
    assert_eq!(at(&mended, "/response/terminalCondition/state"), "CONDITION_SUCCEEDED");
}

#[tokio::test]
async fn what_changes_nothing_is_done_at_once() {
    let world = World::start().await;
    done(&world, &create(&world, "hello", "gcr.io/demo/hello").await).await;
    let before = world.get(v2("/services/hello")).send().await.expect(200).json();
    for (query, body) in [
        ("", before.clone()),
        ("updateMask=*", service("other")),
        ("updateMask=template.timeout", json!({"template": {"timeout": "300s"}})),
    ] {
        let operation = patch(&world, query, &body).await.expect(200).json();
        assert_eq!(at(&operation, "/done"), true, "{query}");
        assert_eq!(world.get(name(&operation)).send().await.expect(200).json(), operation);
        assert_eq!(world.get(v2("/services/hello")).send().await.expect(200).json(), before, "{query}");
    }
}

#[tokio::test]
async fn a_write_that_is_only_tried_stores_nothing() {
    let world = World::start().await;
    let tried = world.ask(Method::POST, v2("/services?serviceId=hello&validateOnly=true"));
    let tried = tried.json(&service("gcr.io/demo/hello")).send().await.expect(200).json();
    assert_eq!(at(&tried, "/response/template/timeout"), "300s", "defaults are filled in");
    world.get(v2("/services/hello")).send().await.must_be(404);
    world.get(name(&tried)).send().await.must_be(404);
    done(&world, &create(&world, "hello", "gcr.io/demo/hello").await).await;
    let before = world.get(v2("/services/hello")).send().await.expect(200).json();
    patch(&world, "validateOnly=true", &service("other")).await.must_be(200);
    world.ask(Method::DELETE, v2("/services/hello?validateOnly=true")).send().await.must_be(200);
    assert_eq!(world.get(v2("/services/hello")).send().await.expect(200).json(), before);
}

#[tokio::test]
async fn a_deleted_service_is_in_its_operation_and_can_be_listed() {
    let world = World::start().await;
    done(&world, &create(&world, "hello", "gcr.io/demo/hello").await).await;
    let deleted = world.ask(Method::DELETE, v2("/services/hello")).send().await.expect(200).json();
    assert_eq!(at(&deleted, "/done"), true);
    for time in ["deleteTime", "expireTime"] {
        assert!(at(&deleted, "/response").get(time).is_some(), "{time}");
    }
    let list = |query: &'static str| {
        let ask = world.get(v2(&format!("/services{query}")));
        async move { ask.send().await.expect(200).json() }
    };
    assert_eq!(list("").await, json!({}));
    let shown = list("?showDeleted=true").await;
    assert_eq!(at(&shown, "/services/0/deleteTime"), at(&deleted, "/response/deleteTime"));
    world.clock().pass(31 * 24 * 3600);
    assert_eq!(list("?showDeleted=true").await, json!({}), "it has expired");
}

#[tokio::test]
async fn operations_are_listed_by_what_became_of_them_and_can_be_forgotten() {
    let world = World::start().await;
    for id in ["a", "b", "c"] {
        done(&world, &create(&world, id, "gcr.io/demo/hello").await).await;
    }
    let list = |query: String| {
        let ask = world.get(v2(&format!("/operations{query}")));
        async move { ask.send().await }
    };
    assert_eq!(list("?filter=done:false".to_owned()).await.expect(200).json(), json!({}));
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = list(format!("?filter=done:true&pageSize=1&pageToken={token}")).await.expect(200).json();
        seen.push(at(&page, "/operations/0/response/name").as_str().unwrap().to_owned());
        match page.get("nextPageToken") {
            Some(next) => token = next.as_str().unwrap().to_owned(),
            None => break,
        }
    }
    let full = |id: &str| v2(&format!("/services/{id}")).replacen("/v2/", "", 1);
    assert_eq!(seen, [full("c"), full("b"), full("a")]);
    list("?filter=name:x".to_owned()).await.must_be(400);
    list(format!("?filter=done:false&pageToken={token}")).await.must_be(400);

    let all = list(String::new()).await.expect(200).json();
    let first = name(at(&all, "/operations/0"));
    world.ask(Method::DELETE, first.clone()).send().await.must_be(200);
    world.get(first).send().await.must_be(404);
}

#[tokio::test]
async fn a_service_of_v1_names_the_operation_that_v1_can_wait_for() {
    let world = World::start().await;
    let written = world
        .owner()
        .ask(Method::POST, Owner::services_path())
        .json(&Owner::service("hello"))
        .send()
        .await
        .expect(200)
        .json();
    let id = annotation(&written, "run.googleapis.com/operation-id").unwrap();
    let path = format!("/v1/projects/{PROJECT}/locations/{REGION}/operations/{id}");
    let ask = world.ask(Method::POST, format!("{path}:wait")).json(&json!({"timeout": "30s"}));
    let operation = ask.send().await.expect(200).json();
    assert_eq!(at(&operation, "/done"), true);
    assert_eq!(at(&operation, "/response/kind"), "Service");
    let service = world.owner().get("hello").await;
    assert_eq!(at(&operation, "/response/status"), at(&service, "/status"));
    // Clients send the annotation back: it is the server's, and the next write has its own.
    let next = patched(&service, "/spec/template/spec/timeoutSeconds", json!(60));
    let next = world.owner().replace("hello", &next).await.expect(200).json();
    assert_ne!(annotation(&next, "run.googleapis.com/operation-id"), Some(id));
}
