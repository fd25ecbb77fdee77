//! Is there anything that no story reaches? Every route is driven, and every row of the field tables goes
//! through a PUT.

use groundrun_api::{ROUTES, grpc_methods};
use groundrun_model::field::{Change, Place, Row};
use groundrun_model::service::{ServiceSettings, TemplateSettings};
use groundrun_tests::grpc;
use groundrun_tests::{Ask, Owner, PROJECT, REGION, World, at, foreign_jwt, revision_name, set};
use http::Method;
use serde_json::{Value, json};

/// The routes that no story drives. This list may only shrink.
const UNCOVERED_ROUTES: &[&str] = &[];

/// The rows that no story sends. This list may only shrink.
const UNCOVERED_ROWS: &[&str] = &[];

/// The domain that is mapped to the service of the stories here.
const DOMAIN: &str = "api.example.com";

const EMAIL: &str = "caller@demo-project.iam.gserviceaccount.com";

/// A key that nobody here has, and whose private half nobody kept.
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAl/kZjXrz98XnVJiViBqP\n\
9HX039QC4D8k1K6d/5tiV7qnPfqmyahQjYQ9VHga1SAWcPAruu3eXSyMWjQ0rq3k\n\
CLFiw141Bx+4nSwqKz/b0v5BYEyyBnuiWMvSHudxtOEB2N9PBVUU8r78rNDQZ9F7\n\
i7ASTr8obgCw1QnNxcZc2NWD0dGcTgaLqUWCcVtZyXAtmiMW+xtCRHu/TFvdTYr0\n\
9r1x6aeABjpSnuD1cBsHANfyLay0RkRowpQWWoy7hW1jSj4rWMKhIBJYPuOdowy+\n\
Trslb4hDsGiZeG8DxZpkT1v4NrDID8PUz3+7dRA9yL4HBlMuOs3ToCkMM1Yh1OoY\n\
vQIDAQAB\n\
-----END PUBLIC KEY-----\n\
";

/// A mapping of a domain to that service.
fn mapping(domain: &str) -> Value {
    json!({ "metadata": { "name": domain }, "spec": { "routeName": "hello" } })
}

/// What a route is asked, by its name in Google's API.
fn body(name: &str) -> Option<Value> {
    let verb = name.rsplit('.').next().unwrap_or_default();
    Some(match verb {
        "patch" if name.contains("serviceAccounts") => json!({ "serviceAccount": { "displayName": "x" } }),
        "update" if name.contains("serviceAccounts") => json!({ "displayName": "y" }),
        "login" => json!({ "email": "ada@example.test" }),
        "create" if name.contains("serviceAccounts.keys") => json!({}),
        "upload" => json!({ "publicKeyData": groundrun_tests::base64(PUBLIC_KEY) }),
        "import" => json!({ "pem": PUBLIC_KEY, "kid": "fixture" }),
        "create" if name.contains("serviceAccounts") => json!({ "accountId": "another" }),
        "create" if name.contains("roles") => json!({ "roleId": "run.invoker", "role": { "title": "t" } }),
        "patch" if name.contains("roles") => json!({ "description": "d" }),
        "undelete" => json!({}),
        "queryGrantableRoles" | "queryTestablePermissions" => {
            json!({ "fullResourceName": format!("//cloudresourcemanager.googleapis.com/projects/{PROJECT}") })
        }
        "create" if name.contains("domainmappings") => mapping("another.example.com"),
        "create" => Owner::service("another"),
        "list" => json!({ "resourceNames": [format!("projects/{PROJECT}")] }),
        "patch" => json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } }),
        "wait" => json!({ "timeout": "1s" }),
        "replaceService" => Owner::service("hello"),
        "setIamPolicy" => json!({ "policy": {} }),
        "testIamPermissions" => json!({ "permissions": ["run.services.get"] }),
        "getIamPolicy" => json!({}),
        "change" => json!({ "advance": "1s" }),
        "batchEnable" => json!({ "serviceIds": ["run.googleapis.com"] }),
        "generateIdToken" => json!({ "audience": "aud1" }),
        "generateAccessToken" => json!({ "scope": ["email"] }),
        "signBlob" => json!({ "payload": "AAAA" }),
        "signJwt" => json!({ "payload": "{}" }),
        _ => return None,
    })
}

/// A token of another provider for one of this emulator.
fn exchange() -> [(&'static str, &'static str); 5] {
    [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        // {"alg":"RS256"} and {"sub":"me"}.
        ("subject_token", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSIsImV4cCI6NDEwMjQ0NDgwMH0.c2ln"),
    ]
}

/// The request that drives a route.
async fn drive(
    world: &World,
    (method, path, name): (&str, &str, &str),
    (retired, account_key): (&str, &str),
    operations: &[String],
) -> Ask {
    let is_v2 = path.starts_with("/v2/");
    // One for each deletion, and one for all others.
    let operation = &operations[if method != "delete" { 2 } else { usize::from(is_v2) }];
    let mut path = path.replace("/:", ":");
    for (parameter, value) in [
        ("{namespace}", PROJECT),
        ("{project}", PROJECT),
        ("{location}", REGION),
        ("{service}", "hello"),
        ("{revision}", retired),
        ("{domain}", DOMAIN),
        ("{operation}", operation),
        ("{api}", "run.googleapis.com"),
        ("{account}", EMAIL),
        // The first that is opened.
        ("{workload}", "1"),
        ("{key}", account_key),
        ("{role}", "run.invoker"),
    ] {
        path = path.replace(parameter, value);
    }
    assert!(!path.contains('{'), "{name}: no value for a parameter of {path}");
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    // Nothing that is tried here may be gone for the next route.
    let writes = ["POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) && !path.contains(':');
    let path = match (name.starts_with("run.") && writes && !path.contains("/operations/"), is_v2) {
        (false, _) => path,
        (true, false) => format!("{path}?dryRun=all"),
        (true, true) => format!("{path}?validateOnly=true"),
    };
    let asks_with_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
    let ask = world.ask(method.clone(), &path);
    match body(name) {
        _ if name.ends_with(".tokeninfo") => {
            let token = world.owner().access_token(EMAIL).await;
            world.ask(method, format!("{path}?access_token={token}"))
        }
        _ if name.contains("userinfo") => ask.bearer(world.owner().access_token(EMAIL).await),
        _ if name == "sts.exchange" => ask.form(&exchange()),
        Some(_) if is_v2 && name.ends_with("services.create") => {
            ask.json(&json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } }))
        }
        Some(body) if asks_with_body => ask.json(&body),
        _ if name.ends_with(".token") => {
            let now = world.clock().seconds();
            let claims = json!({
                "iss": EMAIL, "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 60,
                "target_audience": "aud1",
            });
            let assertion = foreign_jwt(&json!({ "alg": "RS256" }), &claims);
            let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
            ask.form(&[("grant_type", grant), ("assertion", &assertion)])
        }
        _ => ask,
    }
}

#[tokio::test]
async fn every_route_answers() {
    let world = World::start().await;
    let retired = revision_name(&world.deploy("hello").await);
    world.owner().set_env("hello", "A", "1").await;
    let mappings = format!("/apis/domains.cloudrun.com/v1/namespaces/{PROJECT}/domainmappings");
    let _ = world.owner().ask(Method::POST, mappings).json(&mapping(DOMAIN)).send().await.expect(200);
    world.owner().set_env("hello", "A", "2").await;
    let listed = format!("/v2/projects/{PROJECT}/locations/{REGION}/operations");
    let listed = world.get(listed).send().await.expect(200).json();
    let id =
        |operation: &Value| at(operation, "/name").as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let operations: Vec<String> = at(&listed, "/operations").as_array().unwrap().iter().map(id).collect();
    let keys = format!("/v1/projects/-/serviceAccounts/{EMAIL}/keys");
    let made = world.post(keys, &json!({})).send().await.expect(200).json();
    let account_key = id(&made);
    let mut failing = Vec::new();
    for route in ROUTES {
        let answer = drive(&world, *route, (&retired, &account_key), &operations).await.send().await;
        if !answer.status.is_success() {
            failing.push((route.2, format!("{}: {} {}", answer.asked, answer.status, answer.text())));
        }
    }
    let names: Vec<&str> = failing.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, UNCOVERED_ROUTES, "{failing:#?}");
}

/// An empty message is refused for what it lacks, or answered; never for its method.
#[tokio::test]
async fn every_method_of_grpc_is_there() {
    let world = World::start().await;
    for method in grpc_methods() {
        let answer = grpc::send::<grpc::longrunning::Operation>(&world, method, grpc::framed(&[])).await;
        let code = answer.map_or_else(|refused| refused.code, |_| 0);
        assert!([0, 3].contains(&code), "{method}: {code}");
    }
}

/// A list of routes that repeats itself, or names two things alike, drives less than it seems.
#[test]
fn routes_are_there_once() {
    let places: std::collections::BTreeSet<_> =
        ROUTES.iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(places.len(), ROUTES.len());
    assert!(ROUTES.len() > 50);
}

/// A value of the type of a row which is not its default.
fn sample(row: &Row) -> String {
    match row.name {
        "service_account" => return "runner@demo-project.iam.gserviceaccount.com".to_owned(),
        "cloudsql_instances" => return "demo-project:us-central1:db".to_owned(),
        "accelerator" => return "nvidia-l4".to_owned(),
        "network_interfaces" => return "[{\"network\":\"default\"}]".to_owned(),
        "container_dependencies" => return "{}".to_owned(),
        // Messages with names of their own.
        "ambient_networking" => return "{\"enabled\":true}".to_owned(),
        "build_environment_variables" => return "{\"A\":\"b\"}".to_owned(),
        _ => {}
    }
    match row.kind {
        "a string" => "text".to_owned(),
        "a list separated by commas" => "us-central1,europe-west1".to_owned(),
        "a number between 0 and 1" => "0.5".to_owned(),
        "true or false" => "true".to_owned(),
        "an integer" => "7".to_owned(),
        "a JSON list of strings" => "[\"aud1\",\"aud2\"]".to_owned(),
        "JSON" => "{\"a\":[1]}".to_owned(),
        // "one of `a` `b`": the last one, which is no default.
        words => words.rsplit('`').nth(1).unwrap_or_else(|| panic!("{}: {words}", row.name)).to_owned(),
    }
}

/// Where v1 has a row in a service.
fn pointer(row: &Row, base: &str) -> String {
    let (place, key) = match row.v1 {
        Place::Annotation(key) => ("metadata/annotations", key),
        Place::Spec(key) => ("spec", key),
        Place::NodeSelector(key) => ("spec/nodeSelector", key),
    };
    format!("{base}/{place}/{}", key.replace('/', "~1"))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Sends each row in a PUT of its own and reads it back from the service, and what is frozen from the
/// revision.
async fn send_each(rows: &[Row], base: &str) {
    let world = World::start().await;
    let owner = world.owner();
    let mut before = world.deploy("hello").await;
    let mut lost = Vec::new();
    for row in rows {
        let (place, value) = (pointer(row, base), sample(row));
        let after = owner
            .edit("hello", |service| {
                let json = if row.kind == "an integer" && !matches!(row.v1, Place::Annotation(_)) {
                    json!(value.parse::<i64>().unwrap())
                } else {
                    json!(value)
                };
                set(service, &place, json);
                if row.name == "manual_instance_count" {
                    set(service, "/metadata/annotations/run.googleapis.com~1scalingMode", json!("manual"));
                }
                if row.name == "network_interfaces" {
                    // A revision has a connector or an interface.
                    let annotations = service.pointer_mut("/spec/template/metadata/annotations").unwrap();
                    annotations.as_object_mut().unwrap().remove("run.googleapis.com/vpc-access-connector");
                }
            })
            .await;
        assert_ne!(at(&before, &place), at(&after, &place), "{}: the sample is no change", row.name);
        let name = revision_name(&after);
        let revision = owner.read(format!("{}/{name}", Owner::revisions_path())).await.expect(200).json();
        let cut = name != revision_name(&before);
        let shown = text(at(&revision, &pointer(row, ""))) == value;
        let is_configuration = row.change == Change::Configuration;
        let good =
            text(at(&after, &place)) == value && cut == is_configuration && (shown || !is_configuration);
        if !good {
            lost.push(row.name);
        }
        before = after;
    }
    assert_eq!(lost, UNCOVERED_ROWS);

    // All of them but the connector stand side by side, and what was read can be written back.
    let answer = owner.replace("hello", &before).await.expect(200).json();
    assert_eq!(answer, before);
    for row in rows.iter().filter(|row| row.name != "vpc_connector") {
        assert_eq!(text(at(&before, &pointer(row, base))), sample(row), "{}", row.name);
    }
}

#[tokio::test]
async fn every_service_level_row_goes_through_a_put() {
    send_each(ServiceSettings::ROWS, "").await;
}

#[tokio::test]
async fn every_template_level_row_goes_through_a_put() {
    send_each(TemplateSettings::ROWS, "/spec/template").await;
}
