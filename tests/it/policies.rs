//! How are IAM policies read, written and kept apart from configuration?

use groundrun_tests::{
    Answer, GLOBAL, Owner, PROJECT, World, at, from_base64, patched, revision_name, url_safe_base64,
};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn invokers(members: &[&str]) -> Value {
    json!({ "bindings": [{ "role": "roles/run.invoker", "members": members }] })
}

const CALLER: &str = "serviceAccount:caller@demo-project.iam.gserviceaccount.com";

#[tokio::test]
async fn a_service_begins_with_the_empty_policy() {
    let world = World::start().await;
    world.deploy("hello").await;
    let path = format!("{}:getIamPolicy", Owner::resource_path("hello"));
    let answer = world.get(path).host(GLOBAL).send().await.expect(200).json();
    assert_eq!(answer, json!({ "etag": "ACAB", "version": 1 }));
}

#[tokio::test]
async fn a_policy_is_no_configuration() {
    let world = World::start().await;
    let before = world.deploy("hello").await;
    world.owner().grant("hello").await;
    let after = world.owner().get("hello").await;
    assert_eq!(after, before, "neither a revision nor a generation nor a version");
    assert_eq!(revision_name(&after), revision_name(&before));
}

/// gcloud reads the etag as bytes and sends it back in the URL-safe alphabet.
#[tokio::test]
async fn an_etag_is_bytes_in_whatever_alphabet() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    let mut policy = owner.policy("hello").await;
    // The last bytes are the time: after some writes there is a character that the alphabets differ in.
    for _ in 0..500 {
        if policy["etag"].as_str().unwrap().contains(['+', '/']) {
            break;
        }
        policy = owner.set_policy("hello", &policy).await.expect(200).json();
    }
    let etag = policy["etag"].as_str().unwrap();
    let sent_back = url_safe_base64(from_base64(etag));
    assert_ne!(sent_back, etag);
    let written = owner.set_policy("hello", &patched(&policy, "/etag", json!(sent_back))).await;
    assert_ne!(written.expect(200).json()["etag"], etag);
}

#[tokio::test]
async fn a_stale_etag_is_a_conflict_and_none_is_none() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    let stale = owner.policy("hello").await;
    owner.grant("hello").await;
    let refused = owner.set_policy("hello", &stale).await.expect(409);
    assert_eq!(refused.code(), "ABORTED");
    assert_snapshot!(refused.message(), @"There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.");
    assert_eq!(at(&owner.policy("hello").await, "/bindings/0/members"), &json!([CALLER]));
    let written = owner.set_policy("hello", &invokers(&[])).await.expect(200).json();
    assert_eq!(written.get("bindings"), None);
    let refused = owner.set_policy("hello", &json!({ "etag": "%" })).await.expect(400);
    assert_eq!(refused.violations()[0].0, "policy.etag");
}

#[tokio::test]
async fn of_writers_with_the_same_etag_one_wins() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    owner.grant("hello").await;
    let policy = owner.policy("hello").await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let path = format!("{}:setIamPolicy", Owner::resource_path("hello"));
        writers.spawn(world.post(path, &json!({ "policy": policy })).send());
    }
    let mut statuses: Vec<u16> = writers.join_all().await.iter().map(|a| a.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn conditions_need_version_3() {
    let world = World::start().await;
    let owner = world.owner();
    let service = world.deploy("hello").await;
    let mut policy = invokers(&[CALLER]);
    policy["bindings"][0]["condition"] = json!({ "title": "t", "expression": "request.path == '/a'" });
    for version in [0, 1] {
        let refused = owner.set_policy("hello", &patched(&policy, "/version", json!(version))).await;
        assert_eq!(refused.expect(400).violations()[0].0, "policy.version");
    }
    let refused = owner.set_policy("hello", &patched(&policy, "/version", json!(2))).await.expect(400);
    assert_snapshot!(refused.message(), @"policy.version: '2' is not a policy version: use 0, 1 or 3.");
    let written = owner.set_policy("hello", &patched(&policy, "/version", json!(3))).await.expect(200).json();
    assert_eq!((&written["version"], &written["bindings"]), (&json!(3), &policy["bindings"]));

    // Who asks for less sees the role under another name and cannot write it back.
    let path = format!("{}:getIamPolicy?options.requestedPolicyVersion=1", Owner::resource_path("hello"));
    let seen = world.get(path).send().await.expect(200).json();
    assert_eq!((&seen["version"], at(&seen, "/bindings/0/condition")), (&json!(1), &Value::Null));
    assert!(at(&seen, "/bindings/0/role").as_str().unwrap().starts_with("roles/run.invoker_withcond_"));
    let refused = owner.set_policy("hello", &seen).await.expect(400);
    assert_eq!(refused.violations()[0].0, "policy.bindings[0].role");

    // A condition that is not met grants nothing, and the denial says so.
    let url = at(&service, "/status/url").as_str().unwrap();
    let denied = world.invoker().call(url, url).await.expect(403);
    assert!(denied.header("x-groundrun-explain").unwrap().contains("condition"), "{denied:?}");
}

#[tokio::test]
async fn a_binding_holds_from_the_next_request_on() {
    let world = World::start().await;
    let owner = world.owner();
    let service = world.deploy("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap();
    for _ in 0..3 {
        let _ = world.invoker().call(url, url).await.expect(403);
        owner.grant("hello").await;
        let _ = world.invoker().call(url, url).await.expect(200);
        owner.bind("hello", "roles/run.viewer", &[CALLER]).await;
    }
    for _ in 0..3 {
        let _ = world.invoker().call(url, url).await.expect(403);
        let _ = owner.bind_project("roles/run.invoker", &[CALLER]).await.expect(200);
        let _ = world.invoker().call(url, url).await.expect(200);
        let _ = owner.bind_project("roles/viewer", &[CALLER]).await.expect(200);
    }
}

/// Whoever is not known by name has no place on a project.
#[tokio::test]
async fn everybody_cannot_be_bound_on_a_project() {
    let world = World::start().await;
    for member in ["allUsers", "allAuthenticatedUsers"] {
        let refused = world.owner().bind_project("roles/run.invoker", &[member]).await.expect(400);
        assert_eq!(refused.violations()[0].0, "policy.bindings[0].members[0]");
    }
    let path = format!("/v1/projects/{PROJECT}:getIamPolicy");
    let body = json!({ "options": { "requestedPolicyVersion": 3 } });
    let policy = world.post(path, &body).send().await.expect(200).json();
    assert_eq!(
        policy["bindings"],
        json!([{ "role": "roles/owner", "members": ["user:local-owner@example.com"] }])
    );
}

#[tokio::test]
async fn what_is_no_policy_is_refused_and_not_kept() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    let before = owner.policy("hello").await;
    let binding = |role: &str, member: &str| json!({ "bindings": [{ "role": role, "members": [member] }] });
    let mut told = String::new();
    for policy in [
        binding("run.invoker", CALLER),
        binding("roles/", CALLER),
        binding("", CALLER),
        binding("roles/run.invoker", "caller@demo-project.iam.gserviceaccount.com"),
        binding("roles/run.invoker", "user:caller@demo-project.iam.gserviceaccount.com"),
        binding("roles/run.invoker", "serviceAccount:dev@example.test"),
        binding("roles/run.invoker", "robot:x@example.test"),
        binding("roles/run.invoker", "domain:nodot"),
        json!({ "bindings": {} }),
        json!({ "bindings": [{ "role": "roles/run.invoker", "members": [1] }] }),
        json!({ "bindings": [{ "rôle": "roles/run.invoker" }] }),
        json!({ "version": 4 }),
        json!([]),
    ] {
        let refused: Answer = owner.set_policy("hello", &policy).await.expect(400);
        for (field, description) in refused.violations() {
            told.push_str(&format!("{field}: {description}\n"));
        }
    }
    assert_snapshot!(told.trim_end(), @r#"
    policy.bindings[0].role: 'run.invoker' is not a role: use roles/NAME, projects/PROJECT/roles/NAME or organizations/ORGANIZATION/roles/NAME.
    policy.bindings[0].role: 'roles/' is not a role: use roles/NAME, projects/PROJECT/roles/NAME or organizations/ORGANIZATION/roles/NAME.
    policy.bindings[0].role: '' is not a role: use roles/NAME, projects/PROJECT/roles/NAME or organizations/ORGANIZATION/roles/NAME.
    policy.bindings[0].members[0]: The member caller@demo-project.iam.gserviceaccount.com is of an unknown type. Please set a valid type prefix for the member.
    policy.bindings[0].members[0]: Account caller@demo-project.iam.gserviceaccount.com is of type "serviceAccount". The principal should appear as "serviceAccount:caller@demo-project.iam.gserviceaccount.com".
    policy.bindings[0].members[0]: Service account dev@example.test does not exist.
    policy.bindings[0].members[0]: The member robot:x@example.test is of an unknown type. Please set a valid type prefix for the member.
    policy.bindings[0].members[0]: 'nodot' is not a domain.
    policy.bindings: Invalid value at 'policy.bindings' (a list is expected)
    policy.bindings[0].members[0]: Invalid value at 'policy.bindings[0].members[0]' (TYPE_STRING)
    policy.bindings[0]: Invalid JSON payload received. Unknown name "rôle" at 'policy.bindings[0]': Cannot find field.
    policy.version: '4' is not a policy version: use 0, 1 or 3.
    policy: Invalid value at 'policy' (an object is expected)
    "#);
    assert_eq!(owner.policy("hello").await, before);

    let set = format!("{}:setIamPolicy", Owner::resource_path("hello"));
    let body = json!({ "policy": {}, "updateMask": "bindings,owner" });
    assert_eq!(world.post(&set, &body).send().await.expect(400).violations()[0].0, "updateMask");
    let _ = world.post(&set, &json!({})).send().await.expect(400);
    let get = format!("{}:getIamPolicy?options.requestedPolicyVersion=", Owner::resource_path("hello"));
    for version in ["2", "x"] {
        let refused = world.get(format!("{get}{version}")).send().await.expect(400);
        assert_eq!(refused.violations()[0].0, "options.requestedPolicyVersion");
    }
}

#[tokio::test]
async fn an_unknown_service_has_no_policy() {
    let world = World::start().await;
    let get = format!("{}:getIamPolicy", Owner::resource_path("absent"));
    let refused = world.get(get).send().await.expect(404);
    assert_snapshot!(refused.message(), @"Resource 'absent' of kind 'SERVICE' in region 'us-central1' in project 'demo-project' does not exist.");
    let _ = world.owner().set_policy("absent", &invokers(&[CALLER])).await.expect(404);
}

/// gcloud asks before it offers `--allow-unauthenticated`, when the service is not there yet.
#[tokio::test]
async fn permissions_can_be_tested() {
    let world = World::start().await;
    let test = |token: &str, permissions: Value| {
        let path = format!("{}:testIamPermissions", Owner::resource_path("absent"));
        world.post(path, &json!({ "permissions": permissions })).bearer(token).send()
    };
    let asked = json!(["run.services.setIamPolicy", "run.routes.invoke", "run.no.such"]);
    let held = test("the owner's", asked.clone()).await.expect(200).json();
    assert_eq!(held, json!({ "permissions": ["run.services.setIamPolicy", "run.routes.invoke"] }));
    let stranger = world.owner().access_token(world.stranger().email()).await;
    assert_eq!(test(&stranger, asked.clone()).await.expect(200).json(), json!({}));
    let _ = world.owner().bind_project("roles/run.invoker", &[&world.stranger().member()]).await.expect(200);
    let held = test(&stranger, asked).await.expect(200).json();
    assert_eq!(held, json!({ "permissions": ["run.routes.invoke"] }));
    let _ = test("the owner's", json!(["run.services.*"])).await.expect(400);

    let path = format!("/v1/projects/{PROJECT}:testIamPermissions");
    let body = json!({ "permissions": ["run.routes.invoke"] });
    let held = world.post(path, &body).bearer(&stranger).send().await.expect(200).json();
    assert_eq!(held, body);
}

/// `gcloud run services set-iam-policy FILE` sends the fields of the file as the mask.
#[tokio::test]
async fn a_mask_keeps_what_it_does_not_name() {
    let world = World::start().await;
    world.deploy("hello").await;
    world.owner().grant("hello").await;
    let path = format!("{}:setIamPolicy", Owner::resource_path("hello"));
    let body = json!({ "policy": { "bindings": [], "version": 3 }, "updateMask": "version" });
    let written = world.post(&path, &body).send().await.expect(200).json();
    assert_eq!(at(&written, "/bindings/0/members"), &json!([CALLER]));
    let body = json!({ "policy": { "bindings": [], "etag": "ACAB" }, "updateMask": "bindings" });
    let written = world.post(&path, &body).send().await.expect(200).json();
    assert_eq!(written.get("bindings"), None, "an etag outside of the mask is not compared");
}
