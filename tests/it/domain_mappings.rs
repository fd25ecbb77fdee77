//! Does a domain of one's own lead to its service, and is it no audience by itself?
//!
//! <https://cloud.google.com/run/docs/mapping-custom-domains>

use groundrun_tests::{
    Answer, Ask, GLOBAL, Owner, PROJECT, Program, REGION, World, annotation, at, condition,
};
use http::Method;
use serde_json::{Value, json};

const DOMAIN: &str = "api.example.com";

/// The default URL of a service off, by the annotation that gcloud sets.
const NO_DEFAULT_URL: &str = "run.googleapis.com/default-url-disabled";

fn path(domain: &str) -> String {
    format!("/apis/domains.cloudrun.com/v1/namespaces/{PROJECT}/domainmappings/{domain}")
}

/// What gcloud sends.
fn mapping(domain: &str, service: &str) -> Value {
    json!({
        "apiVersion": "domains.cloudrun.com/v1",
        "kind": "DomainMapping",
        "metadata": {
            "annotations": { "run.googleapis.com/launch-stage": "BETA" },
            "labels": {},
            "name": domain,
            "namespace": PROJECT,
        },
        "spec": { "forceOverride": false, "routeName": service },
        "status": {},
    })
}

fn creation(owner: Owner<'_>, body: &Value) -> Ask {
    owner.ask(Method::POST, path("").trim_end_matches('/')).json(body)
}

async fn create(owner: Owner<'_>, domain: &str, service: &str) -> Value {
    creation(owner, &mapping(domain, service)).send().await.expect(200).json()
}

/// A creation by location, which names project and region in its path.
async fn create_in(world: &World, project: &str, region: &str, force: bool) -> Value {
    let body = json!({
        "metadata": { "name": DOMAIN },
        "spec": { "routeName": "hello", "forceOverride": force },
    });
    let path = format!("/v1/projects/{project}/locations/{region}/domainmappings");
    world.post(path, &body).host(GLOBAL).send().await.expect(200).json()
}

/// Who answers at the domain: the service and the region of the echo.
async fn answering(world: &World) -> (Value, Value) {
    let answer = world.get("/").host(DOMAIN).send().await.expect(200).json();
    (answer["project"].clone(), answer["region"].clone())
}

/// The 404 page of the data plane, and not the JSON of the API.
#[track_caller]
fn expect_page(answer: Answer) {
    let answer = answer.expect(404);
    assert!(answer.text().contains("<title>404 Page not found</title>"), "{}", answer.text());
}

async fn open(owner: Owner<'_>, service: &str) {
    owner.deploy(service).await;
    owner.bind(service, "roles/run.invoker", &["allUsers"]).await;
}

#[tokio::test]
async fn a_mapping_is_ready_at_once_and_says_which_records_to_make() {
    let world = World::start().await;
    let owner = world.owner();
    owner.deploy("hello").await;
    let created = create(owner, DOMAIN, "hello").await;
    for kind in ["Ready", "CertificateProvisioned", "DomainRoutable"] {
        assert_eq!(condition(&created, kind)["status"], "True", "{kind}");
    }
    assert_eq!(created["status"]["mappedRouteName"], "hello");
    assert_eq!(
        created["status"]["resourceRecords"],
        json!([{ "name": "api", "type": "CNAME", "rrdata": "ghs.googlehosted.com." }])
    );
    assert_eq!(annotation(&created, "run.googleapis.com/launch-stage"), Some("BETA"));
    assert_eq!(created["metadata"]["labels"]["cloud.googleapis.com/location"], REGION);
    assert_eq!(owner.read(path(DOMAIN)).await.expect(200).json(), created);

    let apex = create(owner, "example.org", "hello").await;
    let kinds: Vec<&Value> =
        at(&apex, "/status/resourceRecords").as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(kinds, ["A", "A", "A", "A", "AAAA", "AAAA", "AAAA", "AAAA"]);

    // By namespace and by location, newest first, and page by page.
    let listed = owner.read(path("").trim_end_matches('/')).await.expect(200).json();
    assert_eq!(
        (&listed["kind"], &listed["apiVersion"]),
        (&json!("DomainMappingList"), &json!("domains.cloudrun.com/v1"))
    );
    assert_eq!(listed["items"], json!([apex, created]));
    for location in ["-", REGION] {
        let path = format!("/v1/projects/{PROJECT}/locations/{location}/domainmappings");
        let first = world.get(format!("{path}?limit=1")).host(GLOBAL).send().await.expect(200).json();
        assert_eq!(first["items"], json!([apex]));
        let next = at(&first, "/metadata/continue").as_str().unwrap();
        let last = world.get(format!("{path}?limit=1&continue={next}")).host(GLOBAL).send().await;
        assert_eq!(last.expect(200).json()["items"], json!([created]));
    }
    let other = world.get(format!("/v1/projects/{PROJECT}/locations/us-east1/domainmappings")).send().await;
    assert_eq!(other.expect(200).json()["items"], json!([]));

    let deleted = owner.delete(path(DOMAIN)).await.expect(200).json();
    assert_eq!((&deleted["status"], &deleted["details"]["name"]), (&json!("Success"), &json!(DOMAIN)));
    for missing in [DOMAIN, "x"] {
        for answer in [owner.read(path(missing)).await, owner.delete(path(missing)).await] {
            let expected = format!(
                "Resource '{missing}' of kind 'DOMAIN_MAPPING' in region 'us-central1' in project \
                 'demo-project' does not exist."
            );
            assert_eq!(answer.expect(404).message(), expected);
        }
    }
}

/// gcloud asks before it creates a mapping, and wants an id that is a part of the domain.
#[tokio::test]
async fn every_domain_counts_as_verified() {
    let world = World::start().await;
    for parent in [
        format!("/v1/projects/{PROJECT}"),
        format!("/v1/projects/{PROJECT}/locations/{REGION}"),
        format!("/apis/domains.cloudrun.com/v1/namespaces/{PROJECT}"),
    ] {
        let answer = world.get(format!("{parent}/authorizeddomains")).host(GLOBAL).send().await.expect(200);
        let id = answer.json()["domains"][0]["id"].as_str().unwrap().to_owned();
        assert!(!id.is_empty() && "any.example.org".contains(&id), "{id}");
    }
}

#[tokio::test]
async fn the_mapped_host_leads_to_the_service_and_is_no_audience() {
    let world = World::start().await;
    let owner = world.owner();
    let service = owner.deploy("hello").await;
    owner.grant("hello").await;
    let _ = world.get("/a").host(DOMAIN).send().await.expect(404).json();
    create(owner, DOMAIN, "hello").await;

    let (caller, url) = (world.invoker(), format!("https://{DOMAIN}"));
    let status = async |audience: &str| caller.call(&url, audience).await.status.as_u16();
    assert_eq!(world.anonymous().call(&url, "").await.status, 403);
    let refused = caller.call(&url, &url).await.expect(401);
    assert!(refused.header("x-groundrun-explain").unwrap().contains("is not accepted"));
    let own = at(&service, "/status/url").as_str().unwrap();
    assert_eq!(status(own).await, 200);
    // The container sees the domain.
    let answer = caller.call(&format!("{url}/path"), own).await.expect(200).json();
    assert_eq!(answer["request"]["headers"]["host"], DOMAIN);
    assert_eq!((&answer["request"]["path"], &answer["service"]), (&json!("/path"), &json!("hello")));

    owner.set_audiences("hello", &[&url]).await;
    assert_eq!(status(&url).await, 200);
    owner.set_audiences("hello", &[]).await;
    assert_eq!(status(&url).await, 401);
    assert_eq!(status(own).await, 200);
}

#[tokio::test]
async fn ingress_closes_a_domain_and_the_default_url_does_not() {
    let world = World::start().await;
    let owner = world.owner();
    open(owner, "hello").await;
    let own = at(&owner.get("hello").await, "/status/url").as_str().unwrap().to_owned();
    create(owner, DOMAIN, "hello").await;
    let at_domain = || world.get("/").host(DOMAIN).send();

    owner.annotate("hello", NO_DEFAULT_URL, Some("true")).await;
    expect_page(world.anonymous().call(&own, "").await);
    let _ = at_domain().await.expect(200);

    owner.annotate("hello", "run.googleapis.com/ingress", Some("internal")).await;
    expect_page(at_domain().await);
    owner.annotate("hello", "run.googleapis.com/ingress", Some("all")).await;
    let _ = at_domain().await.expect(200);
}

#[tokio::test]
async fn a_mapping_outlives_its_service_and_waits_for_one() {
    let world = World::start().await;
    let owner = world.owner();
    let created = create(owner, DOMAIN, "hello").await;
    let ready = condition(&created, "Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("RouteMissing")));
    assert_eq!(ready["message"], "Service 'hello' does not exist.");
    assert_eq!(created["status"].get("resourceRecords"), None);
    expect_page(world.get("/").host(DOMAIN).send().await);

    open(owner, "hello").await;
    let _ = world.get("/").host(DOMAIN).send().await.expect(200);
    assert_eq!(condition(&owner.read(path(DOMAIN)).await.json(), "Ready")["status"], "True");

    let _ = owner.delete(Owner::service_path("hello")).await.expect(200);
    expect_page(world.get("/").host(DOMAIN).send().await);
    assert_eq!(condition(&owner.read(path(DOMAIN)).await.json(), "Ready")["status"], "False");

    let _ = owner.delete(path(DOMAIN)).await.expect(200);
    let unknown = world.get("/no-such-path").host(DOMAIN).send().await.expect(404);
    assert_eq!(unknown.code(), "NOT_FOUND", "the host is unknown again: the API answers");
}

#[tokio::test]
async fn a_domain_belongs_to_one_mapping() {
    let world = World::start().await;
    let owner = world.owner();
    open(owner, "hello").await;
    create(owner, DOMAIN, "hello").await;
    let twice = creation(owner, &mapping(DOMAIN, "hello")).send().await.expect(409);
    assert_eq!(
        (twice.code(), twice.message().as_str()),
        ("ALREADY_EXISTS".to_owned(), "Resource 'api.example.com' already exists.",)
    );

    for (project, region) in [(PROJECT, "us-east1"), ("other-project", REGION)] {
        let path = format!("/v1/projects/{project}/locations/{region}/services");
        let body = json!({ "metadata": { "name": "hello" }, "spec": Owner::service("hello")["spec"] });
        let _ = world.post(&path, &body).host(GLOBAL).send().await.expect(200);
        let policy = json!({ "policy": {
            "bindings": [{ "role": "roles/run.invoker", "members": ["allUsers"] }],
        } });
        let _ =
            world.post(format!("{path}/hello:setIamPolicy"), &policy).host(GLOBAL).send().await.expect(200);
        let taken = create_in(&world, project, region, false).await;
        let ready = condition(&taken, "Ready");
        assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("MappingAlreadyExists")));
        assert_eq!(answering(&world).await, (json!(PROJECT), json!(REGION)));
    }

    // The one that overrides takes it, and gives it back when it goes.
    let elsewhere = format!("/v1/projects/other-project/locations/{REGION}/domainmappings/{DOMAIN}");
    let _ = owner.delete(&elsewhere).await.expect(200);
    let forced = create_in(&world, "other-project", REGION, true).await;
    assert_eq!(condition(&forced, "Ready")["status"], "True");
    assert_eq!(answering(&world).await, (json!("other-project"), json!(REGION)));
    let lost = owner.read(path(DOMAIN)).await.expect(200).json();
    assert_eq!(condition(&lost, "Ready")["reason"], "MappingAlreadyExists");
    let _ = owner.delete(&elsewhere).await.expect(200);
    assert_eq!(answering(&world).await, (json!(PROJECT), json!(REGION)));
    assert_eq!(condition(&owner.read(path(DOMAIN)).await.json(), "Ready")["status"], "True");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_stored() {
    let world = World::start().await;
    let owner = world.owner();
    owner.deploy("hello").await;
    let with =
        |pointer: &str, value: Value| groundrun_tests::patched(&mapping(DOMAIN, "hello"), pointer, value);
    for (body, field) in [
        (with("/metadata/name", json!("nodomain")), "metadata.name"),
        (with("/metadata/name", json!("Api.Example.com")), "metadata.name"),
        (with("/metadata/name", json!("run.googleapis.com")), "metadata.name"),
        (with("/metadata/name", json!("hello-1.us-central1.run.app")), "metadata.name"),
        (with("/metadata/name", Value::Null), "metadata.name"),
        (with("/metadata/namespace", json!("another-project")), "metadata.namespace"),
        (with("/spec/routeName", Value::Null), "spec.routeName"),
        (with("/spec/routeName", json!("A b")), "spec.routeName"),
        (with("/spec/certificateMode", json!("MANUAL")), "spec.certificateMode"),
        (with("/spec/routeNames", json!("hello")), "spec"),
        (with("/kind", json!("Service")), "kind"),
    ] {
        let refused = creation(owner, &body).send().await.expect(400);
        assert_eq!(refused.code(), "INVALID_ARGUMENT");
        assert_eq!(refused.violations()[0].0, field, "{body}");
    }
    let collection = path("").trim_end_matches('/').to_owned();
    let dry = |method, path: String| owner.ask(method, format!("{path}?dryRun=all"));
    let tried = dry(Method::POST, collection.clone()).json(&mapping(DOMAIN, "hello")).send().await;
    assert_eq!(condition(&tried.expect(200).json(), "Ready")["status"], "True");
    assert_eq!(owner.read(&collection).await.json()["items"], json!([]));
    let _ = owner
        .ask(Method::POST, format!("{collection}?dryRun=some"))
        .json(&mapping(DOMAIN, "hello"))
        .send()
        .await
        .expect(400);

    create(owner, DOMAIN, "hello").await;
    let _ = dry(Method::DELETE, path(DOMAIN)).send().await.expect(200);
    let kept = owner.read(path(DOMAIN)).await.expect(200).json();
    // There is no update: a mapping is deleted and made anew.
    assert!(!owner.ask(Method::PUT, path(DOMAIN)).json(&kept).send().await.status.is_success());
    assert_eq!(owner.read(path(DOMAIN)).await.json(), kept);
}

#[tokio::test]
async fn a_mapping_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let serve = || {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--project", PROJECT, "--data-dir"];
        let mut command = Program::command(env!("CARGO_BIN_EXE_groundrun"), arguments);
        command.arg(directory.path());
        command
    };
    let first = Program::serve(serve()).await;
    open(Owner::new(first.client()), "hello").await;
    let created = create(Owner::new(first.client()), DOMAIN, "hello").await;
    first.kill().await;

    let second = Program::serve(serve()).await;
    assert_eq!(Owner::new(second.client()).read(path(DOMAIN)).await.expect(200).json(), created);
    let answer = second.client().get("/").host(DOMAIN).send().await.expect(200);
    assert_eq!(answer.json()["service"], "hello");
}
