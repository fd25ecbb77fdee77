//! What becomes of requests to v2 that are wrong? The documented refusal, nothing stored, and the emulator
//! stays up.

use groundrun_tests::{Answer, Ask, PROJECT, REGION, World, at, patched};
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

const CONTAINERS: &str = "/template/containers";

fn location() -> String {
    format!("/v2/projects/{PROJECT}/locations/{REGION}")
}

fn path(name: &str) -> String {
    format!("{}/services/{name}", location())
}

fn good() -> Value {
    json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } })
}

fn create(world: &World, name: &str, service: &Value) -> Ask {
    world.post(format!("{}/services?serviceId={name}", location()), service)
}

fn update(world: &World, query: &str, service: &Value) -> Ask {
    world.ask(Method::PATCH, format!("{}?{query}", path("hello"))).json(service)
}

/// Deploys `hello` and answers what is read of it.
async fn deployed(world: &World) -> Value {
    let _ = create(world, "hello", &good()).send().await.expect(200);
    world.owner().settled("hello").await;
    read(world).await
}

async fn read(world: &World) -> Value {
    world.get(path("hello")).send().await.expect(200).json()
}

/// Nothing was made: no service, and no operation that made one.
async fn expect_empty(world: &World) {
    for list in ["services", "operations"] {
        let answer = world.get(format!("{}/{list}", location())).send().await.expect(200).json();
        assert_eq!(answer, json!({}), "{list}");
    }
}

fn told(answer: &Answer) -> String {
    let all: Vec<String> =
        answer.violations().iter().map(|(field, text)| format!("{field}: {text}")).collect();
    let message = if all.len() > 1 { all.join("; ") } else { answer.message() };
    let message: String = message.replace('\0', "(NUL)").chars().take(300).collect();
    format!("{} {}: {message}\n", answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn a_new_service_with_a_mistake_is_not_made() {
    let world = World::start().await;
    let many =
        |count: usize| -> Vec<Value> { (0..count).map(|i| json!({ "name": format!("A{i}") })).collect() };
    let mut all = String::new();
    for (pointer, value) in [
        (CONTAINERS, Value::Array(vec![json!({ "image": "i" }); 11])),
        (CONTAINERS, json!([])),
        (CONTAINERS, json!([{}])),
        ("/template/containers/0/env", json!(many(1_001))),
        ("/template/containers/0/env", json!([{ "name": "A", "value": "x".repeat(32_769) }])),
        ("/template/containers/0/env", json!([{ "name": "PORT", "value": "1" }])),
        ("/template/containers/0/env", json!([{ "name": "A", "value": "b", "valueSource": {} }])),
        ("/template/timeout", json!("3601s")),
        ("/template/timeout", json!("300")),
        ("/template/timeout", json!(300)),
        ("/template/maxInstanceRequestConcurrency", json!(1_001)),
        ("/template/revision", json!("green")),
        ("/template/scaling/maxInstanceCount", json!(1e30)),
        ("/ingress", json!("INGRESS_TRAFFIC_EVERYWHERE")),
        ("/customAudiences", json!([""])),
        ("/description", json!("x".repeat(513))),
        ("/labels", json!({ "Team": "a" })),
        ("/annotations", json!({ "run.googleapis.com/ingress": "all" })),
        ("/traffic", json!([{ "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 50 }])),
        ("/traffic", json!([{ "percent": 100 }])),
        ("/name", json!(format!("projects/{PROJECT}/locations/{REGION}/services/hello"))),
        ("/spec", json!({})),
        ("/template/metadata", json!({})),
        ("/template/vpcAccess/networkInterfaces", json!([{ "net": "default" }])),
    ] {
        let refused = create(&world, "hello", &patched(&good(), pointer, value)).send().await;
        assert_eq!(refused.status, 400, "{pointer}: {}", refused.text());
        all.push_str(&told(&refused));
    }
    assert_snapshot!(all.trim_end(), @r#"
    400 INVALID_ARGUMENT: service.template.containers: must contain at most 10 containers; service.template.containers: must contain exactly one container with an exposed port
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.containers: must contain at least one container
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.containers[0].image: must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.containers: exceeds the limit on EnvVars across all containers of 1000
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.containers[0].env[0].value: length cannot exceed 32768
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.containers[0].env: The following reserved env names were provided: PORT. These values are automatically set by the system.
    400 INVALID_ARGUMENT: Invalid value at 'service.template.containers[0].env[0]' (oneof), oneof field 'values' is already set. Cannot set 'valueSource'
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.timeout: maximum allowed time is one hour.
    400 INVALID_ARGUMENT: Invalid value at 'service.template.timeout' (type.googleapis.com/google.protobuf.Duration), "300"
    400 INVALID_ARGUMENT: Invalid value at 'service.template.timeout' (type.googleapis.com/google.protobuf.Duration), 300
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.max_instance_request_concurrency: Must be a number between 0 and 1000.
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.revision: The revision name must be prefixed by the name of the enclosing Service with a trailing -
    400 INVALID_ARGUMENT: Invalid value at 'service.template.scaling.max_instance_count' (TYPE_INT32), 1e+30
    400 INVALID_ARGUMENT: Invalid value at 'service.ingress' (type.googleapis.com/google.cloud.run.v2.Ingress), "INGRESS_TRAFFIC_EVERYWHERE"
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.custom_audiences: a custom audience must not be empty.
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.description: must be at most 512 characters.
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.labels[Team]: Label key 'Team' violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters, beginning with a letter.
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.annotations: system annotations are not supported in Cloud Run API v2
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.traffic: the sum of the traffic percentages is 50, it should be 100
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.traffic[0].type: must be specified
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service: service.name must be empty on CreateServiceRequest.
    400 INVALID_ARGUMENT: Invalid JSON payload received. Unknown name "spec" at 'service': Cannot find field.
    400 INVALID_ARGUMENT: Invalid JSON payload received. Unknown name "metadata" at 'service.template': Cannot find field.
    400 INVALID_ARGUMENT: Invalid value at 'service.template.vpc_access.network_interfaces' ([0].net: unknown field `net`, expected one of `network`, `subnetwork`, `tags`), [{"net":"default"}]
    "#);
    expect_empty(&world).await;
    // The most that is accepted.
    let most = patched(&good(), "/template/containers/0/env", json!(many(1_000)));
    let _ = create(&world, "hello", &most).send().await.expect(200);
}

#[tokio::test]
async fn ids_have_49_characters_at_most() {
    let world = World::start().await;
    let mut all = String::new();
    for id in
        ["x".repeat(50), "Hello".into(), "1hello".into(), "hello-".into(), "h%C3%A9".into(), "a%2Fb".into()]
    {
        all.push_str(&told(&create(&world, &id, &good()).send().await.expect(400)));
    }
    assert_snapshot!(all.trim_end(), @r"
    400 INVALID_ARGUMENT: service_id: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    400 INVALID_ARGUMENT: service_id: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    400 INVALID_ARGUMENT: service_id: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    400 INVALID_ARGUMENT: service_id: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    400 INVALID_ARGUMENT: service_id: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    400 INVALID_ARGUMENT: service_id: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    ");
    expect_empty(&world).await;
    let _ = create(&world, &"x".repeat(49), &good()).send().await.expect(200);
}

#[tokio::test]
async fn a_stale_etag_deletes_nothing_and_counts_in_an_update_if_it_is_asked_for() {
    let world = World::start().await;
    let before = deployed(&world).await;
    let stale = at(&before, "/etag").as_str().unwrap().to_owned();
    let changed = json!({ "description": "changed", "etag": stale });
    let _ = update(&world, "updateMask=description", &changed).send().await.expect(200);
    world.owner().settled("hello").await;
    let current = read(&world).await;
    assert_ne!(at(&current, "/etag"), stale.as_str());

    let quoted = stale.replace('"', "%22");
    let refused =
        world.ask(Method::DELETE, format!("{}?etag={quoted}", path("hello"))).send().await.expect(409);
    assert_eq!(refused.code(), "ABORTED");
    assert_eq!(read(&world).await, current);
    // Without strictness an update does not look at it, as the hosted service does not.
    let again = json!({ "description": "again", "etag": stale });
    let _ = update(&world, "updateMask=description", &again).send().await.expect(200);

    let strict = World::with(|options| options.strict_etags = true).await;
    let before = deployed(&strict).await;
    let wrong = json!({ "description": "changed", "etag": "\"AAAA/BBBB\"" });
    let refused = update(&strict, "updateMask=description", &wrong).send().await.expect(409);
    assert_eq!(refused.code(), "ABORTED");
    assert_eq!(read(&strict).await, before);
    let right = json!({ "description": "changed", "etag": before["etag"] });
    let _ = update(&strict, "updateMask=description", &right).send().await.expect(200);
}

#[tokio::test]
async fn a_wrong_mask_changes_nothing() {
    let world = World::start().await;
    let before = deployed(&world).await;
    let mut all = String::new();
    for mask in [
        "descriptio",
        "description,nothing",
        "service.description",
        "template.containers.image",
        "template.nothing",
        "spec.template",
        "description.text",
        "%20.%20",
        "*,description",
        "template.containers%5B0%5D",
        "%00",
    ] {
        let refused =
            update(&world, &format!("updateMask={mask}"), &json!({ "description": "x" })).send().await;
        assert_eq!(refused.status, 400, "{mask}: {}", refused.text());
        all.push_str(&told(&refused));
    }
    assert_snapshot!(all.trim_end(), @r"
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: descriptio
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: nothing
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: service.description
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: template.containers.image
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: template.nothing
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: spec.template
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: description.text
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: .
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: *
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: template.containers[0]
    400 INVALID_ARGUMENT: update_mask: Invalid update mask path: (NUL)
    ");
    assert_eq!(read(&world).await, before);
}

#[tokio::test]
async fn a_token_is_one_of_the_same_query() {
    let world = World::start().await;
    for name in ["one", "two"] {
        let _ = create(&world, name, &good()).send().await.expect(200);
    }
    let list = |query: String| world.get(format!("{}/{query}", location())).send();
    let page = list("services?pageSize=1".into()).await.expect(200).json();
    let token = page["nextPageToken"].as_str().unwrap().to_owned();
    let rest = list(format!("services?pageSize=1&pageToken={token}")).await.expect(200).json();
    assert_eq!(rest["services"].as_array().unwrap().len(), 1);
    let mut all = String::new();
    for query in [
        format!("services?showDeleted=true&pageToken={token}"),
        format!("operations?pageToken={token}"),
        format!("services/one/revisions?pageToken={token}"),
        format!("services?pageToken={token}A"),
        "services?pageToken=nonsense".into(),
        "services?pageToken=%00".into(),
        "services?pageSize=-1".into(),
        "services?pageSize=many".into(),
        "services?pageSize=99999999999".into(),
        "services?showDeleted=perhaps".into(),
        "services?nothing=1".into(),
        "operations?filter=nothing".into(),
    ] {
        let refused = list(query.clone()).await;
        assert_eq!(refused.status, 400, "{query}: {}", refused.text());
        all.push_str(&told(&refused));
    }
    let elsewhere = format!("/v2/projects/{PROJECT}/locations/-/services?pageToken={token}");
    all.push_str(&told(&world.get(elsewhere).send().await.expect(400)));
    assert_snapshot!(all.trim_end(), @r#"
    400 INVALID_ARGUMENT: page_token: is not a token of a page of this list
    400 INVALID_ARGUMENT: page_token: is not a token of a page of this list
    400 INVALID_ARGUMENT: page_token: is not a token of a page of this list
    400 INVALID_ARGUMENT: page_token: is not a token of a page of this list
    400 INVALID_ARGUMENT: page_token: is not a token of a page of this list
    400 INVALID_ARGUMENT: page_token: is not a token of a page of this list
    400 INVALID_ARGUMENT: page_size: must be greater than or equal to zero
    400 INVALID_ARGUMENT: Invalid value at 'page_size' (TYPE_INT32), "many"
    400 INVALID_ARGUMENT: Invalid value at 'page_size' (TYPE_INT32), "99999999999"
    400 INVALID_ARGUMENT: Invalid value at 'show_deleted' (TYPE_BOOL), "perhaps"
    400 INVALID_ARGUMENT: Invalid JSON payload received. Unknown name "nothing": Cannot bind query parameter. Field 'nothing' could not be found in request message.
    400 INVALID_ARGUMENT: filter: 'nothing' is not supported: use done:true or done:false
    400 INVALID_ARGUMENT: page_token: is not a token of a page of this list
    "#);
}

#[tokio::test]
async fn bodies_that_are_no_message_are_told_so() {
    let world = World::start().await;
    let nested = |levels: usize| {
        let open = "{\"ambientNetworking\":".repeat(levels);
        format!("{{\"template\":{open}1{}}}", "}".repeat(levels))
    };
    let lists = |levels: usize| format!("{{\"traffic\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let mut all = String::new();
    for body in [
        b"{\"template\":{\"containers\":[{\"image\":\"i\"".to_vec(),
        b"[]".to_vec(),
        b"[{}]".to_vec(),
        b"\"text\"".to_vec(),
        b"7".to_vec(),
        b"true".to_vec(),
        b"{} {}".to_vec(),
        b"\xff".to_vec(),
        b"{\"description\":\"\xff\"}".to_vec(),
        b"{\"description\":\"\\ud800\"}".to_vec(),
        b"{\"template\":{\"timeout\":1e999}}".to_vec(),
        b"{\"template\":{\"maxInstanceRequestConcurrency\":123456789012345678901234567890}}".to_vec(),
        b"{\"description\":\"a\",\"description\":\"b\"}".to_vec(),
        nested(10_000).into_bytes(),
        nested(101).into_bytes(),
        lists(10_000).into_bytes(),
        lists(110).into_bytes(),
    ] {
        let ask = world.ask(Method::POST, format!("{}/services?serviceId=hello", location()));
        let refused = ask.body("application/json", body.clone()).send().await;
        let begin = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(refused.status, 400, "{begin}: {}", refused.text());
        all.push_str(&told(&refused));
    }
    assert_snapshot!(all.trim_end(), @r#"
    400 INVALID_ARGUMENT: Invalid JSON payload received. EOF while parsing an object at line 1 column 39
    400 INVALID_ARGUMENT: Invalid value at 'service' (type.googleapis.com/google.cloud.run.v2.Service), []
    400 INVALID_ARGUMENT: Invalid value at 'service' (type.googleapis.com/google.cloud.run.v2.Service), [{}]
    400 INVALID_ARGUMENT: Invalid value at 'service' (type.googleapis.com/google.cloud.run.v2.Service), "text"
    400 INVALID_ARGUMENT: Invalid value at 'service' (type.googleapis.com/google.cloud.run.v2.Service), 7
    400 INVALID_ARGUMENT: Invalid value at 'service' (type.googleapis.com/google.cloud.run.v2.Service), true
    400 INVALID_ARGUMENT: Invalid JSON payload received. trailing characters at line 1 column 4
    400 INVALID_ARGUMENT: Invalid JSON payload received. expected value at line 1 column 1
    400 INVALID_ARGUMENT: Invalid JSON payload received. invalid unicode code point at line 1 column 17
    400 INVALID_ARGUMENT: Invalid JSON payload received. unexpected end of hex escape at line 1 column 23
    400 INVALID_ARGUMENT: Invalid JSON payload received. number out of range at line 1 column 28
    400 INVALID_ARGUMENT: Invalid value at 'service.template.max_instance_request_concurrency' (TYPE_INT32), 1.2345678901234568e+29
    400 INVALID_ARGUMENT: Violation in CreateServiceRequest.service.template.containers: must contain at least one container
    400 INVALID_ARGUMENT: Invalid JSON payload received. recursion limit exceeded at line 1 column 2659
    400 INVALID_ARGUMENT: Invalid JSON payload received. Message too deep. At most 100 levels are accepted.
    400 INVALID_ARGUMENT: Invalid JSON payload received. recursion limit exceeded at line 1 column 138
    400 INVALID_ARGUMENT: Invalid JSON payload received. Message too deep. At most 100 levels are accepted.
    "#);
    expect_empty(&world).await;
}

/// What is stored and answered stands inside of other JSON: it must be readable there.
#[tokio::test]
async fn json_that_is_nested_as_deep_as_is_accepted_can_be_read_again() {
    let world = World::start().await;
    let lists = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let deep = |levels: usize| {
        let mut service = groundrun_tests::Owner::service("hello");
        let annotations = json!({ "run.googleapis.com/sources": format!("{{\"\":{}}}", lists(levels)) });
        service["spec"]["template"]["metadata"] = json!({ "annotations": annotations });
        service["spec"]["template"]["spec"]["sandboxes"] = serde_json::from_str(&lists(levels)).unwrap();
        service
    };
    for levels in [64, 100, 120, 127] {
        let refused = world.owner().create(&deep(levels)).await.expect(400);
        assert_eq!(refused.code(), "INVALID_ARGUMENT");
    }
    let _ = world.owner().create(&deep(63)).await.expect(200);
    world.owner().settled("hello").await;
    let operations = world.get(format!("{}/operations", location())).send().await.expect(200).json();
    assert_eq!(operations["operations"].as_array().unwrap().len(), 1);
    let shown = read(&world).await;
    let _ = world.ask(Method::PATCH, path("hello")).json(&shown).send().await.expect(200);
}
