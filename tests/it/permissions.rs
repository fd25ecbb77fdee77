//! Who may do what through the API, where permissions count?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{Owner, PROJECT, REGION, World, at, grpc};
use http::Method;
use serde_json::{Value, json};

use super::accounts::{EMAIL, bind, enforcing, person, post, strict};

/// The roles of the callers in the table below.
const ROLES: [&str; 6] =
    ["roles/run.viewer", "roles/run.developer", "roles/run.admin", "roles/editor", "roles/owner", "stranger"];

/// What each of [`ROLES`] may do: `y` or `n`, by method, the same through each edge.
const MAY: [(&str, &str); 5] = [
    ("get", "yyyyyn"),
    ("list", "yyyyyn"),
    // Whoever may write services may not yet let them run as an account.
    ("create", "nnnyyn"),
    ("setIamPolicy", "nnynyn"),
    ("delete", "nyyyyn"),
];

#[tokio::test]
async fn who_calls_must_say_so_where_identities_count() {
    for world in [strict().await, enforcing().await] {
        let read = || world.get(format!("/v1/projects/{PROJECT}"));
        let missing = read().send().await.expect(401);
        assert!(missing.message().starts_with("Request is missing required authentication credential."));
        assert!(missing.header("www-authenticate").unwrap().starts_with("Bearer "));
        let _ = read().bearer("ya29.a0AfH6SMB-a_real_one_of-googles").send().await.expect(401);
        let _ = read().bearer("anything").send().await.expect(401);
        let _ = read().bearer(OWNER_TOKEN).send().await.expect(200);
    }
}

/// The status of a method through v1 or v2.
async fn status(world: &World, edge: &str, method: &str, bearer: &str, name: &str) -> u16 {
    let v2 = format!("/v2/projects/{PROJECT}/locations/{REGION}/services");
    let v1 = Owner::services_path();
    let list = if edge == "v1" { &v1 } else { &v2 };
    let template = json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } });
    let policy = json!({ "policy": { "bindings": [] } });
    let asked = match (edge, method) {
        (_, "get") => world.get(format!("{list}/hello")),
        (_, "list") => world.get(list.clone()),
        ("v1", "create") => world.post(format!("{v1}?dryRun=all"), &Owner::service(name)),
        (_, "create") => world.post(format!("{v2}?validateOnly=true&serviceId={name}"), &template),
        ("v1", "setIamPolicy") => {
            world.post(format!("{}:setIamPolicy", Owner::resource_path("hello")), &policy)
        }
        (_, "setIamPolicy") => world.post(format!("{v2}/hello:setIamPolicy"), &policy),
        ("v1", _) => world.ask(Method::DELETE, format!("{v1}/hello?dryRun=all")),
        (_, _) => world.ask(Method::DELETE, format!("{v2}/hello?validateOnly=true")),
    };
    asked.bearer(bearer).send().await.status.as_u16()
}

/// The code of a method through gRPC.
async fn grpc_code(world: &World, method: &str, bearer: &str) -> i32 {
    async fn code<T: grpc::Message + Default>(
        world: &World,
        bearer: &str,
        method: &str,
        asked: impl grpc::Message,
    ) -> i32 {
        let method = format!("google.cloud.run.v2.Services/{method}");
        let answer = grpc::call_as::<T>(world, bearer, &method, &asked).await;
        answer.map_or_else(|refused| refused.code, |_| 0)
    }
    let parent = format!("projects/{PROJECT}/locations/{REGION}");
    let name = format!("{parent}/services/hello");
    match method {
        "get" => {
            let asked = grpc::run::GetServiceRequest { name };
            code::<grpc::run::Service>(world, bearer, "GetService", asked).await
        }
        "list" => {
            let asked = grpc::run::ListServicesRequest { parent, ..Default::default() };
            code::<grpc::run::ListServicesResponse>(world, bearer, "ListServices", asked).await
        }
        "create" => {
            let container =
                grpc::run::Container { image: "gcr.io/demo/hello".to_owned(), ..Default::default() };
            let template = grpc::run::RevisionTemplate { containers: vec![container], ..Default::default() };
            let service = grpc::run::Service { template: Some(template), ..Default::default() };
            let asked = grpc::run::CreateServiceRequest {
                parent,
                service: Some(service),
                service_id: "another".to_owned(),
                validate_only: true,
            };
            code::<grpc::longrunning::Operation>(world, bearer, "CreateService", asked).await
        }
        "setIamPolicy" => {
            let policy = Some(grpc::iam::Policy::default());
            let asked = grpc::iam::SetIamPolicyRequest { resource: name, policy, ..Default::default() };
            code::<grpc::iam::Policy>(world, bearer, "SetIamPolicy", asked).await
        }
        _ => {
            let asked = grpc::run::DeleteServiceRequest { name, validate_only: true, ..Default::default() };
            code::<grpc::longrunning::Operation>(world, bearer, "DeleteService", asked).await
        }
    }
}

#[tokio::test]
async fn a_role_allows_the_same_through_every_edge() {
    let world = enforcing().await;
    let service = format!("/v2/projects/{PROJECT}/locations/{REGION}/services");
    let template = json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } });
    let _ = post(&world, &format!("{service}?serviceId=hello"), &template).await.expect(200);
    let mut tokens = Vec::new();
    let mut bindings = vec![json!({ "role": "roles/owner", "members": ["user:local-owner@example.com"] })];
    for (at, role) in ROLES.iter().enumerate() {
        let who = format!("caller{at}@example.test");
        tokens.push(person(&world, &who).await);
        if *role != "stranger" {
            bindings.push(json!({ "role": role, "members": [format!("user:{who}")] }));
        }
    }
    let policy = json!({ "policy": { "bindings": bindings } });
    let _ = post(&world, &format!("/v1/projects/{PROJECT}:setIamPolicy"), &policy).await.expect(200);
    for (method, may) in MAY {
        for ((role, token), may) in ROLES.iter().zip(&tokens).zip(may.chars()) {
            let expected = if may == 'y' { 200 } else { 403 };
            for edge in ["v1", "v2"] {
                let status = status(&world, edge, method, token, "another").await;
                assert_eq!(status, expected, "{role} {method} through {edge}");
            }
            let code = grpc_code(&world, method, token).await;
            assert_eq!(code, if may == 'y' { 0 } else { 7 }, "{role} {method} through gRPC");
        }
    }
}

#[tokio::test]
async fn a_service_runs_as_an_account_only_for_those_who_may_act_as_it() {
    let world = enforcing().await;
    let ada = person(&world, "ada@example.test").await;
    let project = json!({ "policy": { "bindings": [
        { "role": "roles/owner", "members": ["user:local-owner@example.com"] },
        { "role": "roles/run.developer", "members": ["user:ada@example.test"] },
    ] } });
    let _ = post(&world, &format!("/v1/projects/{PROJECT}:setIamPolicy"), &project).await.expect(200);
    let services = format!("/v2/projects/{PROJECT}/locations/{REGION}/services");
    let body = |open: bool| {
        json!({ "invokerIamDisabled": open, "template": {
            "serviceAccount": EMAIL, "containers": [{ "image": "gcr.io/demo/hello" }] } })
    };
    let deploy = |open| world.post(format!("{services}?serviceId=hello"), &body(open)).bearer(&ada).send();
    let denied = deploy(false).await.expect(403);
    assert_eq!(
        denied.message(),
        format!(
            "Permission 'iam.serviceaccounts.actAs' denied on service account {EMAIL} (or it may not exist)."
        )
    );
    bind(&world, EMAIL, "roles/iam.serviceAccountUser", "user:ada@example.test").await;
    let denied = deploy(true).await.expect(403);
    assert!(denied.message().contains("'run.services.setIamPolicy'"), "{}", denied.message());
    let _ = deploy(false).await.expect(200);
    // What cuts no revision runs as nobody else.
    bind(&world, EMAIL, "roles/iam.serviceAccountUser", "user:eve@example.test").await;
    let tags = json!({ "traffic": [{ "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100, "tag": "t" }] });
    let update = |mask: &str, body: &Value| {
        let path = format!("{services}/hello?updateMask={mask}");
        world.ask(Method::PATCH, path).json(body).bearer(&ada).send()
    };
    let _ = update("traffic", &tags).await.expect(200);
    let denied = update("description", &json!({ "description": "new" })).await.expect(403);
    assert!(denied.message().contains("actAs"), "{}", denied.message());
}

#[tokio::test]
async fn projects_are_read_and_found_through_both_versions() {
    let world = World::start().await;
    let _ = world.get("/v1/projects/other-project").send().await.expect(200);
    let old = world.get(format!("/v1/projects/{PROJECT}")).send().await.expect(200).json();
    let new = world.get(format!("/v3/projects/{PROJECT}")).send().await.expect(200).json();
    assert_eq!(new["name"], format!("projects/{}", old["projectNumber"].as_str().unwrap()));
    assert_eq!((&new["projectId"], &new["state"]), (&json!(PROJECT), &json!("ACTIVE")));
    let ids = async |path: &str| -> Vec<String> {
        let found = world.get(path).send().await.expect(200).json();
        let found = found["projects"].as_array().unwrap().clone();
        found.iter().map(|project| project["projectId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        ids("/v1/projects?filter=lifecycleState:ACTIVE&pageSize=500").await,
        [PROJECT, "other-project"]
    );
    assert_eq!(ids("/v3/projects:search?query=id:other*").await, ["other-project"]);
    assert_eq!(ids("/v1/projects?pageSize=1").await, [PROJECT]);
    let policy = post(&world, &format!("/v3/projects/{PROJECT}:getIamPolicy"), &json!({})).await.expect(200);
    assert_eq!(at(&policy.json(), "/bindings/0/role"), "roles/owner");
    let _ = post(&world, "/revoke", &json!({})).await.expect(501);
}
