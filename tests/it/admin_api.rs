//! What can be done with services through v2 (REST) beyond what v1 does?

use groundrun_tests::{Answer, Owner, PROJECT, REGION, World, annotation, at, revision_name};
use http::Method;
use serde_json::{Value, json};

fn v2(rest: &str) -> String {
    format!("/v2/projects/{PROJECT}/locations/{REGION}{rest}")
}

fn template(image: &str) -> Value {
    json!({ "containers": [{ "image": image }] })
}

/// A world with one service.
async fn world() -> World {
    let world = World::start().await;
    world.deploy("hello").await;
    world
}

async fn patch(world: &World, query: &str, body: Value) -> Answer {
    world.ask(Method::PATCH, v2(&format!("/services/hello?{query}"))).json(&body).send().await
}

/// The service through v2, settled.
async fn get(world: &World) -> Value {
    world.owner().settled("hello").await;
    world.get(v2("/services/hello")).send().await.expect(200).json()
}

#[tokio::test]
async fn a_mask_changes_what_it_names_and_no_mask_replaces_everything() {
    let world = world().await;
    let masked = json!({ "customAudiences": ["aud1"], "description": "not in the mask" });
    patch(&world, "updateMask=custom_audiences", masked).await.must_be(200);
    let service = get(&world).await;
    assert_eq!(at(&service, "/customAudiences"), &json!(["aud1"]));
    assert_eq!(service.get("description"), None);
    let v1 = world.owner().get("hello").await;
    assert_eq!(annotation(&v1, "run.googleapis.com/custom-audiences"), Some("[\"aud1\"]"));

    patch(
        &world,
        "updateMask=template.timeout,labels",
        json!({"labels": {"a": "b"}, "template": {"timeout": "61s"}}),
    )
    .await
    .must_be(200);
    let service = get(&world).await;
    assert_eq!(at(&service, "/customAudiences"), &json!(["aud1"]), "a mask leaves the rest");
    assert_eq!(at(&service, "/template/timeout"), "61s");
    assert_eq!(
        at(&service, "/template/containers/0/image"),
        at(&v1, "/spec/template/spec/containers/0/image")
    );

    patch(&world, "", json!({ "template": template("gcr.io/demo/hello") })).await.must_be(200);
    let service = get(&world).await;
    assert_eq!(service.get("customAudiences"), None, "no mask replaces");
    assert_eq!(service.get("labels"), None);
    assert_eq!(at(&service, "/template/timeout"), "300s");
}

#[tokio::test]
async fn a_revision_can_be_forced_and_a_missing_service_made() {
    let world = world().await;
    let before = revision_name(&world.owner().get("hello").await);
    let body = get(&world).await;
    patch(&world, "", body.clone()).await.must_be(200);
    assert_eq!(revision_name(&world.owner().settled("hello").await), before, "what was read changes nothing");
    patch(&world, "forceNewRevision=true", body).await.must_be(200);
    assert_ne!(revision_name(&world.owner().settled("hello").await), before);

    let path = |query: &str| v2(&format!("/services/other{query}"));
    let body = json!({ "template": template("gcr.io/demo/hello") });
    let missing = world.ask(Method::PATCH, path("")).json(&body).send().await.expect(404);
    assert_eq!(
        missing.message(),
        "Resource 'other' of kind 'SERVICE' in region 'us-central1' in project 'demo-project' does not exist."
    );
    world.ask(Method::PATCH, path("?allowMissing=true")).json(&body).send().await.must_be(200);
    world.get(path("")).send().await.must_be(200);
}

#[tokio::test]
async fn a_service_made_without_a_name_gets_one() {
    let world = World::start().await;
    let body = json!({ "template": template("gcr.io/demo/hello") });
    let operation = world.ask(Method::POST, v2("/services")).json(&body).send().await.expect(200).json();
    let name = at(&operation, "/metadata/name").as_str().unwrap();
    world.get(format!("/v2/{name}")).send().await.must_be(200);
    let mut named = body;
    named["name"] = json!(v2("/services/hello").trim_start_matches("/v2/"));
    let refused =
        world.ask(Method::POST, v2("/services?serviceId=hello")).json(&named).send().await.expect(400);
    assert_eq!(
        refused.message(),
        "Violation in CreateServiceRequest.service: service.name must be empty on CreateServiceRequest."
    );
}

#[tokio::test]
async fn revisions_belong_to_their_service() {
    let world = world().await;
    world.deploy("other").await;
    world.owner().set_env("hello", "A", "1").await;
    let list = |path: &str| {
        let ask = world.get(v2(path));
        async move { ask.send().await.expect(200).json() }
    };
    let own = list("/services/hello/revisions").await;
    assert_eq!(at(&own, "/revisions").as_array().unwrap().len(), 2);
    let all = list("/services/-/revisions").await;
    assert_eq!(at(&all, "/revisions").as_array().unwrap().len(), 3);

    let newest = at(&own, "/revisions/0").clone();
    assert_eq!(newest, list(at(&newest, "/name").as_str().unwrap().split(REGION).nth(1).unwrap()).await);
    assert_eq!(at(&newest, "/service"), "hello");
    assert_eq!(at(&newest, "/containers/0/env/0"), &json!({"name": "A", "value": "1"}));
    let retired = at(&own, "/revisions/1");
    let active =
        at(retired, "/conditions").as_array().unwrap().iter().find(|one| one["type"] == "Active").unwrap();
    assert_eq!(
        (&active["state"], &active["revisionReason"]),
        (&json!("CONDITION_FAILED"), &json!("RETIRED"))
    );
    let foreign = at(retired, "/name").as_str().unwrap().replace("services/hello", "services/other");
    world.get(format!("/v2/{foreign}")).send().await.must_be(404);

    let path = |revision: &Value| format!("/v2/{}", at(revision, "/name").as_str().unwrap());
    let refused = world.ask(Method::DELETE, path(&newest)).send().await.expect(400);
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    let stale = format!("{}?etag=%22stale%22", path(retired));
    assert_eq!(world.ask(Method::DELETE, stale).send().await.expect(409).code(), "ABORTED");
    let deleted = world.ask(Method::DELETE, path(retired)).send().await.expect(200).json();
    assert_eq!(at(&deleted, "/response/@type"), "type.googleapis.com/google.cloud.run.v2.Revision");
    world.get(path(retired)).send().await.must_be(404);
}

#[tokio::test]
async fn a_stale_etag_is_ignored_unless_it_must_not_be() {
    for strict in [false, true] {
        let world = World::with(|options| options.strict_etags = strict).await;
        world.deploy("hello").await;
        let body = json!({ "etag": "\"stale\"", "template": template("gcr.io/demo/other") });
        let answer = patch(&world, "", body).await;
        assert_eq!(answer.status.as_u16(), if strict { 409 } else { 200 });
        let deletion =
            world.ask(Method::DELETE, v2("/services/hello?etag=%22stale%22")).send().await.expect(409);
        assert_eq!(deletion.code(), "ABORTED");
        let current = get(&world).await;
        let etag = at(&current, "/etag").as_str().unwrap().replace('"', "%22");
        world.ask(Method::DELETE, v2(&format!("/services/hello?etag={etag}"))).send().await.must_be(200);
    }
}

#[tokio::test]
async fn an_answer_can_be_cut_and_a_method_overridden() {
    let world = world().await;
    let cut = world.get(v2("/services?fields=services(name,template/timeout)")).send().await.expect(200);
    let name = v2("/services/hello").trim_start_matches("/v2/").to_owned();
    assert_eq!(cut.json(), json!({ "services": [{ "name": name, "template": { "timeout": "300s" } }] }));
    world.get(v2("/services?fields=services(")).send().await.must_be(400);
    let line = world.get(v2("/services/hello?prettyPrint=false&alt=json")).send().await.expect(200);
    assert!(!line.text().contains('\n'));
    world.get(v2("/services/hello?%24alt=json%3Benum-encoding%3Dint&key=x")).send().await.must_be(200);
    world.get(v2("/services/hello?alt=media")).send().await.must_be(400);
    let unknown = world.get(v2("/services/hello?nope=1")).send().await.expect(400);
    assert_eq!(
        unknown.message(),
        "Invalid JSON payload received. Unknown name \"nope\": Cannot bind query parameter. Field 'nope' could not be found in request message."
    );

    let overridden = world.ask(Method::POST, v2("/services/hello?updateMask=description"));
    let overridden =
        overridden.header("X-HTTP-Method-Override", "PATCH").json(&json!({"description": "told"}));
    overridden.send().await.must_be(200);
    assert_eq!(at(&get(&world).await, "/description"), "told");
    let long = world.ask(Method::POST, Owner::services_path()).header("X-HTTP-Method-Override", "GET");
    let listed =
        long.form(&[("limit", "1"), ("fields", "items/metadata/name")]).send().await.expect(200).json();
    assert_eq!(listed, json!({ "items": [{ "metadata": { "name": "hello" } }] }));
}

#[tokio::test]
async fn a_policy_of_v2_is_the_one_of_v1() {
    let world = world().await;
    let path = |verb: &str| v2(&format!("/services/hello:{verb}"));
    let read = || async { world.get(path("getIamPolicy")).send().await.expect(200).json() };
    assert_eq!(at(&read().await, "/etag"), "ACAB");
    let policy = json!({ "bindings": [{ "role": "roles/run.invoker", "members": ["allUsers"] }] });
    let set =
        |policy: &Value| world.ask(Method::POST, path("setIamPolicy")).json(&json!({ "policy": policy }));
    let written = set(&policy).send().await.expect(200).json();
    assert_eq!(read().await, written);
    let v1 = world.get(format!("/v1/projects/{PROJECT}/locations/{REGION}/services/hello:getIamPolicy"));
    assert_eq!(v1.send().await.expect(200).json(), written);
    let mut stale = policy.clone();
    stale["etag"] = json!("ACAB");
    assert_eq!(set(&stale).send().await.expect(409).code(), "ABORTED");
    let conditional = json!({ "bindings": [{
        "role": "roles/run.invoker", "members": ["user:a@example.com"],
        "condition": { "expression": "true", "title": "t" },
    }] });
    set(&conditional).send().await.must_be(400);
    let mut versioned = conditional;
    versioned["version"] = json!(3);
    set(&versioned).send().await.must_be(200);
    let at_three =
        world.get(path("getIamPolicy?options.requestedPolicyVersion=3")).send().await.expect(200).json();
    assert_eq!(at(&at_three, "/bindings/0/condition/title"), "t");
    let test = world.ask(Method::POST, path("testIamPermissions"));
    let held = test.json(&json!({ "permissions": ["run.services.get"] })).send().await.expect(200).json();
    assert_eq!(held, json!({ "permissions": ["run.services.get"] }));
}
