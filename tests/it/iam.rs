//! Do conditions, groups, domains, custom roles and slow propagation count for calls and for the API?

use std::collections::BTreeMap;

use groundrun_model::iam::Identities;
use groundrun_tests::{Caller, Owner, PROJECT, World, at};
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

const CALLER: &str = "serviceAccount:caller@demo-project.iam.gserviceaccount.com";

async fn deployed(world: &World) -> String {
    at(&world.deploy("hello").await, "/status/url").as_str().unwrap().to_owned()
}

async fn bind_if(world: &World, member: &str, expression: &str) {
    let condition = json!({ "title": "when", "expression": expression });
    let binding = json!({ "role": "roles/run.invoker", "members": [member], "condition": condition });
    let policy = json!({ "version": 3, "bindings": [binding] });
    let _ = world.owner().set_policy("hello", &policy).await.expect(200);
}

/// The status of a call of `path` at `url`, with a token for the service.
async fn status(caller: &Caller<'_>, url: &str, path: &str) -> u16 {
    caller.at(&format!("{url}{path}")).bearer(caller.token(url).await).send().await.status.as_u16()
}

async fn grantable(world: &World, url: &str) -> u16 {
    status(&world.invoker(), url, "/").await
}

#[tokio::test]
async fn a_condition_lets_in_by_path_host_and_time() {
    let world = World::start().await;
    let url = deployed(&world).await;
    let caller = world.invoker();

    bind_if(&world, CALLER, "request.path.startsWith('/api/') && request.host.startsWith('hello-')").await;
    assert_eq!(status(&caller, &url, "/api/v1?path=/x").await, 200);
    assert_eq!(status(&caller, &url, "/admin").await, 403);
    assert_eq!(status(&world.stranger(), &url, "/api/v1").await, 403);
    let denied = caller.call(&url, &url).await.expect(403);
    assert_snapshot!(denied.header("x-groundrun-explain").unwrap(), @"serviceAccount:caller@demo-project.iam.gserviceaccount.com lacks run.routes.invoke: a binding for serviceAccount:caller@demo-project.iam.gserviceaccount.com exists (roles/run.invoker) but its condition 'when' is not met; fix: gcloud run services add-iam-policy-binding hello --region=us-central1 --project=demo-project --member=serviceAccount:caller@demo-project.iam.gserviceaccount.com --role=roles/run.invoker --condition=None");

    let name = "projects/demo-project/locations/us-central1/services/hello";
    bind_if(
        &world,
        CALLER,
        &format!("resource.name == '{name}' && resource.service == 'run.googleapis.com'"),
    )
    .await;
    assert_eq!(status(&caller, &url, "/").await, 200);

    let soon = groundrun_model::Timestamp::from_seconds(world.clock().seconds() + 60).to_rfc3339_seconds();
    bind_if(&world, CALLER, &format!("request.time < timestamp('{soon}')")).await;
    assert_eq!(status(&caller, &url, "/").await, 200);
    world.clock().pass(61);
    assert_eq!(status(&caller, &url, "/").await, 403);
}

#[tokio::test]
async fn the_public_is_let_in_where_the_condition_holds() {
    let world = World::start().await;
    let url = deployed(&world).await;
    bind_if(&world, "allUsers", "request.path == '/open'").await;
    let anonymous = |path: &str| world.anonymous().at(&format!("{url}{path}")).send();
    anonymous("/open").await.must_be(200);
    anonymous("/").await.must_be(403);
    let forged = world.anonymous().at(&format!("{url}/")).bearer("x.y.z").send().await;
    forged.must_be(401);
}

#[tokio::test]
async fn a_condition_that_does_not_compile_is_refused_with_its_place() {
    let world = World::start().await;
    let _ = deployed(&world).await;
    let refused = async |expression: &str| {
        let condition = json!({ "title": "when", "expression": expression });
        let binding = json!({ "role": "roles/run.invoker", "members": [CALLER], "condition": condition });
        let policy = json!({ "version": 3, "bindings": [binding] });
        let of_service = world.owner().set_policy("hello", &policy).await.expect(400);
        let path = format!("/v1/projects/{PROJECT}:setIamPolicy");
        let of_project = world.post(path, &json!({ "policy": policy })).send().await.expect(400);
        assert_eq!(of_service.message(), of_project.message());
        of_service.message()
    };
    assert_snapshot!(refused("request.path == '/a' &&\n  request.color == 'red'").await, @"policy.bindings[0].condition.expression: 2:11: undefined field 'color': request has host, path and time");
    assert_snapshot!(refused("request.path = '/a'").await, @"policy.bindings[0].condition.expression: 1:14: Syntax error: mismatched input '=' expecting <EOF>");
    assert_snapshot!(refused("request.path").await, @"policy.bindings[0].condition.expression: 1:1: the expression must be of type bool, not string");
}

#[tokio::test]
async fn groups_and_domains_of_the_file_count_everywhere() {
    let world = World::with(|options| {
        let listed = |name: &str, members: &[&str]| {
            (name.to_owned(), members.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let groups = BTreeMap::from([
            listed("all@example.test", &["group:devs@example.test"]),
            listed("devs@example.test", &[CALLER]),
        ]);
        let domains = BTreeMap::from([listed("corp.test", &["ada@gmail.test"])]);
        options.identities = Identities::read(&groups, &domains).unwrap();
    })
    .await;
    let url = deployed(&world).await;
    let owner = world.owner();
    assert_eq!(grantable(&world, &url).await, 403);
    owner.bind("hello", "roles/run.invoker", &["group:all@example.test", "domain:corp.test"]).await;
    assert_eq!(grantable(&world, &url).await, 200);
    assert_eq!(status(&world.stranger(), &url, "/").await, 403);
}

fn roles_path() -> String {
    format!("/v1/projects/{PROJECT}/roles")
}

async fn create_role(world: &World, id: &str, permissions: &[&str]) -> Value {
    let role = json!({ "title": "Callers", "includedPermissions": permissions, "stage": "GA" });
    let body = json!({ "roleId": id, "role": role });
    world.owner().ask(Method::POST, roles_path()).json(&body).send().await.expect(200).json()
}

#[tokio::test]
async fn a_custom_role_counts_until_it_is_deleted_and_again_after() {
    let world = World::start().await;
    let url = deployed(&world).await;
    let owner = world.owner();
    let name = format!("projects/{PROJECT}/roles/callers");
    let unknown = json!({ "bindings": [{ "role": name, "members": [CALLER] }] });
    let refused = owner.set_policy("hello", &unknown).await.expect(400);
    assert_snapshot!(refused.message(), @"Role projects/demo-project/roles/callers does not exist in the resource's hierarchy.");

    let role = create_role(&world, "callers", &["run.services.get", "run.routes.invoke"]).await;
    assert_eq!(role["includedPermissions"], json!(["run.routes.invoke", "run.services.get"]));
    owner.bind("hello", &name, &[CALLER]).await;
    assert_eq!(grantable(&world, &url).await, 200);

    let at_role = format!("{}/callers", roles_path());
    let stale = role["etag"].as_str().unwrap();
    let change = json!({ "includedPermissions": ["run.services.get"], "etag": stale });
    let patch = |body: &Value| {
        owner.ask(Method::PATCH, format!("{at_role}?updateMask=includedPermissions")).json(body).send()
    };
    let changed = patch(&change).await.expect(200).json();
    assert_eq!(changed["title"], "Callers");
    assert_eq!(grantable(&world, &url).await, 403);
    let conflict = patch(&change).await.expect(409);
    assert!(conflict.message().contains("concurrent policy changes"), "{conflict:?}");
    let _ = patch(&json!({ "includedPermissions": ["run.routes.invoke"] })).await.expect(200);
    assert_eq!(grantable(&world, &url).await, 200);

    let deleted = owner.delete(&at_role).await.expect(200).json();
    assert_eq!(deleted["deleted"], true);
    assert_eq!(grantable(&world, &url).await, 403);
    let listed = async |query: &str| {
        let list = owner.read(format!("{}{query}", roles_path())).await.expect(200).json();
        list["roles"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((listed("").await, listed("?showDeleted=true").await), (0, 1));
    let again =
        world.post(roles_path(), &json!({ "roleId": "callers", "role": {} })).send().await.expect(400);
    assert!(again.message().contains("in a deleted state"), "{again:?}");
    let _ = world.post(format!("{at_role}:undelete"), &json!({})).send().await.expect(200);
    assert_eq!(grantable(&world, &url).await, 200);
}

#[tokio::test]
async fn roles_are_listed_page_by_page_and_shown() {
    let world = World::start().await;
    let owner = world.owner();
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = owner.read(format!("/v1/roles?pageSize=7&pageToken={token}")).await.expect(200).json();
        for role in page["roles"].as_array().unwrap() {
            assert_eq!(role.get("includedPermissions"), None, "the view is BASIC");
            names.push(role["name"].as_str().unwrap().to_owned());
        }
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert!(names.is_sorted() && names.len() > 30 && names.contains(&"roles/run.invoker".to_owned()));
    let invoker = owner.read("/v1/roles/run.invoker").await.expect(200).json();
    assert_eq!(
        invoker["includedPermissions"],
        json!(["run.instances.invoke", "run.jobs.run", "run.routes.invoke"])
    );
    owner.read("/v1/roles/run.nothing").await.must_be(404);
    owner.read("/v1/roles?view=ALL").await.must_be(400);
    owner.read("/v1/roles?pageToken=%21").await.must_be(400);

    let full = format!("//run.googleapis.com/projects/{PROJECT}/locations/us-central1/services/hello");
    let asked = json!({ "fullResourceName": full });
    let roles = world.post("/v1/roles:queryGrantableRoles", &asked).send().await.expect(200).json();
    assert!(roles["roles"].as_array().unwrap().iter().any(|role| role["name"] == "roles/run.invoker"));
    let testable =
        world.post("/v1/permissions:queryTestablePermissions", &asked).send().await.expect(200).json();
    assert!(testable["permissions"].as_array().unwrap().iter().any(|one| one["name"] == "run.routes.invoke"));
    let bad = json!({ "roleId": "callers", "role": { "includedPermissions": ["run.routes.fly"] } });
    let refused = world.post(roles_path(), &bad).send().await.expect(400);
    assert_snapshot!(refused.message(), @"Permission run.routes.fly is not valid.");
}

#[tokio::test]
async fn a_change_counts_after_the_time_that_it_takes_to_spread() {
    let directory = tempfile::tempdir().unwrap();
    let start = async || {
        World::with(|options| {
            options.iam_propagation_seconds = 60;
            options.data_dir = Some(directory.path().to_owned());
        })
        .await
    };
    let world = start().await;
    let url = deployed(&world).await;
    let owner = world.owner();
    owner.grant("hello").await;
    assert_eq!(owner.policy("hello").await["bindings"][0]["members"], json!([CALLER]), "it is read at once");
    let denied = world.invoker().call(&url, &url).await.expect(403);
    assert!(denied.header("x-groundrun-explain").unwrap().contains("--iam-propagation"), "{denied:?}");
    world.clock().pass(59);
    assert_eq!(grantable(&world, &url).await, 403);
    world.clock().pass(2);
    assert_eq!(grantable(&world, &url).await, 200);

    owner.bind("hello", "roles/run.invoker", &[]).await;
    assert_eq!(grantable(&world, &url).await, 200, "what is taken lasts as long");
    world.stop().await;

    // The clock of the next world begins where the first began, which is before the change counts.
    let world = start().await;
    let url = at(&world.owner().get("hello").await, "/status/url").as_str().unwrap().to_owned();
    world.clock().pass(62);
    assert_eq!(grantable(&world, &url).await, 200, "it is remembered over a restart");
    world.clock().pass(60);
    assert_eq!(grantable(&world, &url).await, 403);
}

#[tokio::test]
async fn what_a_caller_holds_follows_conditions_and_roles() {
    let world = World::with(|options| {
        options.enforce_api_iam = true;
        let groups = BTreeMap::from([("devs@example.test".to_owned(), vec![CALLER.to_owned()])]);
        options.identities = Identities::read(&groups, &BTreeMap::new()).unwrap();
    })
    .await;
    // Not even an owner may mint tokens of a service account without being given the right.
    let owner = ["user:local-owner@example.com"];
    let binding = |role: &str| json!({ "role": role, "members": owner });
    let policy =
        json!({ "bindings": [binding("roles/owner"), binding("roles/iam.serviceAccountTokenCreator")] });
    let path = format!("/v1/projects/{PROJECT}:setIamPolicy");
    let _ = world.owner().ask(Method::POST, path).json(&json!({ "policy": policy })).send().await.expect(200);
    let _ = deployed(&world).await;
    let _ = create_role(&world, "readers", &["run.services.get"]).await;
    let token = world.owner().access_token("caller@demo-project.iam.gserviceaccount.com").await;
    let read = || world.get(Owner::service_path("hello")).bearer(&token).send();
    read().await.must_be(403);
    let name = format!("projects/{PROJECT}/roles/readers");
    let bind = async |expression: &str| {
        let condition = json!({ "title": "when", "expression": expression });
        let binding = json!({ "role": name, "members": [CALLER], "condition": condition });
        let _ = world
            .owner()
            .set_policy("hello", &json!({ "version": 3, "bindings": [binding] }))
            .await
            .expect(200);
    };
    bind("resource.type == 'run.googleapis.com/Service'").await;
    read().await.must_be(200);
    bind("request.path == '/'").await;
    read().await.must_be(403);
    world.owner().bind("hello", &name, &["group:devs@example.test"]).await;
    read().await.must_be(200);
}
