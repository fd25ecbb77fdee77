//! What becomes of requests that are wrong? 400 that names the field, nothing stored, and the emulator
//! stays up.

use groundrun_tests::{AUDIENCES, Answer, Owner, PROJECT, REGIONAL, World, patched};
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

const CONTAINER: &str = "/spec/template/spec/containers/0";

/// A pointer and what is put there: each makes a good service a bad one.
fn mistakes() -> Vec<(String, Value)> {
    let audiences = format!("/metadata/annotations/{}", AUDIENCES.replace('/', "~1"));
    let annotation = |key: &str| format!("/metadata/annotations/run.googleapis.com~1{key}");
    let template = |key: &str| format!("/spec/template/metadata/annotations/{key}");
    let spec = |key: &str| format!("/spec/template/spec/{key}");
    let container = |key: &str| format!("{CONTAINER}/{key}");
    let long = "x".repeat(32_769);
    vec![
        ("/apiVersion".into(), json!("serving.knative.dev/v2")),
        ("/kind".into(), json!("Job")),
        ("/spek".into(), json!({})),
        ("/metadata/nme".into(), json!("x")),
        ("/metadata".into(), json!(["hello"])),
        ("/metadata/labels".into(), json!([])),
        ("/metadata/labels".into(), json!({ "Team": "a" })),
        ("/metadata/labels".into(), json!({ "team": "v1.0.0" })),
        ("/metadata/annotations".into(), json!({ "a": 1 })),
        ("/metadata/annotations".into(), json!("a")),
        (audiences.clone(), json!("aud1")),
        (audiences.clone(), json!("{\"a\":1}")),
        (audiences.clone(), json!("[1]")),
        (audiences.clone(), json!("[\"\"]")),
        (audiences.clone(), json!("[\"a\"")),
        (audiences.clone(), json!("")),
        (audiences.clone(), json!(json!([long]).to_string())),
        (audiences, json!(["aud1"])),
        (annotation("ingress"), json!("everywhere")),
        (annotation("invoker-iam-disabled"), json!("yes")),
        (annotation("minScale"), json!("many")),
        (annotation("minScale"), json!("-1")),
        (annotation("maxScale"), json!("99999999999")),
        (annotation("manualInstanceCount"), json!("1")),
        (annotation("launch-stage"), json!("OMEGA")),
        (annotation("description"), json!("x".repeat(513))),
        (annotation("vpc-access-connector"), json!("c")),
        (template("run.googleapis.com~1custom-audiences"), json!("[\"a\"]")),
        (template("autoscaling.knative.dev~1maxScale"), json!("0x10")),
        (template("run.googleapis.com~1container-dependencies"), json!("{")),
        ("/spec/template/metadata/name".into(), json!("green")),
        ("/spec/template/metadata/name".into(), json!("hello-Green")),
        ("/spec/template/metadata/name".into(), json!(format!("hello-{}", "x".repeat(58)))),
        (spec("containerConcurrency"), json!(1001)),
        (spec("containerConcurrency"), json!("many")),
        (spec("containerConcurrency"), json!([])),
        (spec("timeoutSeconds"), json!(3601)),
        (spec("timeoutSeconds"), json!(-1)),
        (spec("replicas"), json!(3)),
        (spec("containers"), json!([])),
        (spec("containers"), json!({})),
        (spec("containers"), json!([{}])),
        (spec("containers"), json!([["name", "example.test/image"]])),
        (spec("containers"), Value::Array(vec![json!({ "image": "i" }); 11])),
        (spec("containers"), json!([{ "image": "i" }, { "image": "i" }])),
        (spec("volumes"), json!([{ "name": "v" }])),
        (container("image"), json!("")),
        (container("image"), json!("not an image")),
        (container("image"), json!(7)),
        (container("imagee"), json!("i")),
        (container("name"), json!("Not RFC 1123")),
        (container("env"), json!([{ "name": "PORT", "value": "1" }])),
        (container("env"), json!([{ "value": "1" }])),
        (container("env"), json!([{ "name": "A", "value": 1 }])),
        (container("env"), json!([{ "name": "A", "value": long }])),
        (container("env"), Value::Array(vec![json!({ "name": "A" }); 1001])),
        (container("ports"), json!([{ "containerPort": "http" }])),
        (container("ports"), json!([{ "containerPort": 65536 }])),
        (container("ports"), json!([{ "containerPort": 65536 }])),
        (container("ports"), json!([{ "name": "grpc", "containerPort": 1 }])),
        (container("ports"), json!([{ "containerPort": 1 }, { "containerPort": 2 }])),
        (container("resources"), json!({ "limits": { "memory": "512MB" } })),
        (container("resources"), json!({ "limits": { "memory": "64Mi" } })),
        (container("resources"), json!({ "limits": { "cpu": "3" } })),
        (container("resources"), json!({ "limits": { "cpu": "lots" } })),
        (container("resources"), json!({ "limits": { "disk": "1Gi" } })),
        (container("volumeMounts"), json!([{ "name": "v", "mountPath": "/v" }])),
        ("/spec/traffic".into(), json!([{ "latestRevision": true, "percent": 50 }])),
        ("/spec/traffic".into(), json!({})),
        ("/spec/traffic".into(), json!([{ "latestRevision": "yes", "percent": 100 }])),
    ]
}

fn described(answer: &Answer) -> String {
    let violations = answer.violations();
    assert!(!violations.is_empty(), "{}: {}", answer.asked, answer.text());
    let shortened = |text: &str| -> String { text.chars().take(150).collect() };
    violations.iter().map(|(field, text)| format!("{field}: {}\n", shortened(text))).collect()
}

#[tokio::test]
async fn a_new_service_with_a_mistake_is_not_made() {
    let world = World::start().await;
    let owner = world.owner();
    let mut told = String::new();
    for (pointer, value) in mistakes() {
        let service = patched(&Owner::service("hello"), &pointer, value.clone());
        let refused = owner.create(&service).await;
        assert_eq!(refused.status, 400, "{pointer} {value}: {}", refused.text());
        assert_eq!(refused.code(), "INVALID_ARGUMENT");
        told.push_str(&described(&refused));
        let _ = owner.read(Owner::service_path("hello")).await.expect(404);
    }
    assert_snapshot!(told.trim_end(), @r#"
    apiVersion: must be serving.knative.dev/v1
    kind: must be Service
    : Invalid JSON payload received. Unknown name "spek": Cannot find field.
    metadata: Invalid JSON payload received. Unknown name "nme" at 'metadata': Cannot find field.
    metadata: Invalid value at 'metadata' (invalid type: sequence, expected an object)
    metadata.labels: Invalid value at 'metadata.labels' (invalid type: sequence, expected a map)
    metadata.labels[Team]: Label key 'Team' violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters, beginning with a letter.
    metadata.labels[team]: Label value 'v1.0.0' violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters.
    metadata.annotations.a: Invalid value at 'metadata.annotations.a' (invalid type: integer `1`, expected a string)
    metadata.annotations: Invalid value at 'metadata.annotations' (invalid type: string "a", expected a map)
    metadata.annotations[run.googleapis.com/custom-audiences]: custom audiences must be a JSON array of strings, such as ["https://example.com"].
    metadata.annotations[run.googleapis.com/custom-audiences]: custom audiences must be a JSON array of strings, such as ["https://example.com"].
    metadata.annotations[run.googleapis.com/custom-audiences]: custom audiences must be a JSON array of strings, such as ["https://example.com"].
    metadata.annotations[run.googleapis.com/custom-audiences]: a custom audience must not be empty.
    metadata.annotations[run.googleapis.com/custom-audiences]: custom audiences must be a JSON array of strings, such as ["https://example.com"].
    metadata.annotations[run.googleapis.com/custom-audiences]: custom audiences must be a JSON array of strings, such as ["https://example.com"].
    metadata.annotations[run.googleapis.com/custom-audiences]: the JSON encoding of the custom audiences has 32773 bytes; it must not exceed 32768 bytes.
    metadata.annotations[run.googleapis.com/custom-audiences]: Invalid value at 'metadata.annotations[run.googleapis.com/custom-audiences]' (invalid type: sequence, expected a string)
    metadata.annotations[run.googleapis.com/ingress]: 'everywhere' is not valid. Allowed values are [all, internal, internal-and-cloud-load-balancing, none]
    metadata.annotations[run.googleapis.com/invoker-iam-disabled]: must be true or false, not 'yes'
    metadata.annotations[run.googleapis.com/minScale]: must be an integer, not 'many'
    metadata.annotations[run.googleapis.com/minScale]: must be greater than or equal to zero
    metadata.annotations[run.googleapis.com/maxScale]: must be at most 2147483647
    metadata.annotations[run.googleapis.com/manualInstanceCount]: scaling mode must be set to MANUAL
    metadata.annotations[run.googleapis.com/launch-stage]: only ALPHA, BETA, GA, or unspecified are supported
    metadata.annotations[run.googleapis.com/description]: must be at most 512 characters.
    metadata.annotations[run.googleapis.com/vpc-access-connector]: Annotation 'run.googleapis.com/vpc-access-connector' is not supported on resources of kind 'Service'. Supported kinds are: Revision, Execution
    spec.template.metadata.annotations[run.googleapis.com/custom-audiences]: Annotation 'run.googleapis.com/custom-audiences' is not supported on resources of kind 'Revision'. Supported kinds are: Service
    spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]: must be an integer, not '0x10'
    spec.template.metadata.annotations[run.googleapis.com/container-dependencies]: must be JSON: EOF while parsing an object at line 1 column 1
    spec.template.metadata.name: The revision name must be prefixed by the name of the enclosing Service with a trailing -
    spec.template.metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 64 characters.
    spec.template.metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 64 characters.
    spec.template.spec.containerConcurrency: Must be a number between 0 and 1000.
    spec.template.spec.containerConcurrency: must be an integer, not 'many'
    spec.template.spec.containerConcurrency: must be an integer
    spec.template.spec.timeoutSeconds: maximum allowed time is one hour.
    spec.template.spec.timeoutSeconds: must be greater than zero.
    spec.template.spec: Invalid JSON payload received. Unknown name "replicas" at 'spec.template.spec': Cannot find field.
    spec.template.spec.containers: must contain at least one container
    spec.template.spec.containers: Invalid value at 'spec.template.spec.containers' (invalid type: map, expected a sequence)
    spec.template.spec.containers[0].image: must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]
    spec.template.spec.containers[0]: Invalid value at 'spec.template.spec.containers[0]' (invalid type: sequence, expected an object)
    spec.template.spec.containers: must contain at most 10 containers
    spec.template.spec.containers: must contain exactly one container with an exposed port
    spec.template.spec.containers: must contain exactly one container with an exposed port
    spec.template.spec.volumes[0]: must have exactly one source
    spec.template.spec.containers[0].image: must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]
    spec.template.spec.containers[0].image: must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]
    spec.template.spec.containers[0].image: Invalid value at 'spec.template.spec.containers[0].image' (invalid type: integer `7`, expected a string)
    spec.template.spec.containers[0]: Invalid JSON payload received. Unknown name "imagee" at 'spec.template.spec.containers[0]': Cannot find field.
    spec.template.spec.containers[0].name: 'Not RFC 1123' must conform to RFC 1123
    spec.template.spec.containers[0].env: The following reserved env names were provided: PORT. These values are automatically set by the system.
    spec.template.spec.containers[0].env[0].name: must not be empty
    spec.template.spec.containers[0].env[0].value: Invalid value at 'spec.template.spec.containers[0].env[0].value' (invalid type: integer `1`, expected a string)
    spec.template.spec.containers[0].env[0].value: length cannot exceed 32768
    spec.template.spec.containers: exceeds the limit on EnvVars across all containers of 1000
    spec.template.spec.containers[0].ports[0].containerPort: Invalid value at 'spec.template.spec.containers[0].ports[0].containerPort' ("http" is not an integer)
    spec.template.spec.containers[0].ports[0].containerPort: must be 0 (the default port) or between 1 and 65535
    spec.template.spec.containers[0].ports[0].containerPort: must be 0 (the default port) or between 1 and 65535
    spec.template.spec.containers[0].ports[0].name: must be one of empty, 'http1' or 'h2c'
    spec.template.spec.containers[0].ports: ports should contain 0 or 1 port
    spec.template.spec.containers[0].resources.limits.memory: could not match suffix MB while parsing Quantity. Allowed values are [m, k, M, G, T, Ki, Mi, Gi, Ti, Pi, Ei]
    spec.template.spec.containers[0].resources.limits.memory: Invalid value specified for container memory. For 1.0 CPU, memory must be between 128Mi and 4Gi inclusive.
    For more troubleshooting guidance, see http
    spec.template.spec.containers[0].resources.limits.cpu: Invalid value specified for cpu: '3'. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0
    spec.template.spec.containers[0].resources.limits.cpu: Could not parse Quantity 'lots'
    spec.template.spec.containers[0].resources.limits: only 'cpu', 'memory' and 'nvidia.com/gpu' limits are supported, not 'disk'
    spec.template.spec.containers[0].volumeMounts[0].name: refers to volumes which were not found in volumes list: 'v'
    spec.traffic: the sum of the traffic percentages is 50, it should be 100
    spec.traffic: Invalid value at 'spec.traffic' (invalid type: map, expected a sequence)
    spec.traffic[0].latestRevision: Invalid value at 'spec.traffic[0].latestRevision' (invalid type: string "yes", expected a boolean)
    "#);
    assert_eq!(owner.revisions("hello").await, Vec::<Value>::new());
    // And there was nothing else wrong with it.
    owner.deploy("hello").await;
}

#[tokio::test]
async fn a_mistake_in_a_change_changes_nothing() {
    let world = World::start().await;
    let owner = world.owner();
    let before = world.deploy("hello").await;
    for (pointer, value) in mistakes() {
        let refused = owner.replace("hello", &patched(&before, &pointer, value.clone())).await;
        assert_eq!(refused.status, 400, "{pointer} {value}: {}", refused.text());
        described(&refused);
    }
    assert_eq!(owner.get("hello").await, before);
    assert_eq!(owner.revisions("hello").await.len(), 1);
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let world = World::start().await;
    let mut service = Owner::service("hello");
    for (pointer, value) in [
        ("/spec/template/spec/timeoutSeconds", json!(3601)),
        ("/spec/template/spec/containerConcurrency", json!(1001)),
        ("/spec/template/spec/containers/0/env", json!([{ "name": "PORT" }])),
    ] {
        service = patched(&service, pointer, value);
    }
    let refused = world.owner().create(&service).await.expect(400);
    assert_eq!(refused.message(), "The request has errors");
    assert_eq!(refused.violations().len(), 3);
}

#[tokio::test]
async fn names_are_checked() {
    let world = World::start().await;
    let mut told = String::new();
    for name in ["", "Hello", "1hello", "hello-", "hel_lo", "hé", "a b", "a/b", "..", &"x".repeat(50)] {
        let service = patched(&Owner::service("x"), "/metadata/name", json!(name));
        let answer = world.owner().create(&service).await;
        if name.is_empty() {
            // An empty name is no name: the server makes one.
            let made = answer.expect(200).json()["metadata"]["name"].as_str().unwrap().to_owned();
            assert!(made.starts_with("service-"), "{made}");
            continue;
        }
        told.push_str(&described(&answer.expect(400)));
    }
    assert_snapshot!(told.trim_end(), @r"
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must be less than 50 characters.
    ");
    let longest = "x".repeat(49);
    let _ = world.owner().create(&Owner::service(&longest)).await.expect(200);
    let misnamed = world.owner().replace(&longest, &Owner::service("other")).await.expect(400);
    assert_eq!(misnamed.violations()[0].0, "metadata.name");
    for name in ["Hello", "%20", "h%C3%A9", "..%2F..", &"x".repeat(4000)] {
        let _ = world.owner().read(Owner::service_path(name)).await.expect(404);
    }
    for project in ["UPPER", "%00", &"p".repeat(300)] {
        let path = format!("/apis/serving.knative.dev/v1/namespaces/{project}/services");
        let _ = world.owner().read(path).await.expect(400);
    }
    let unknown = "/apis/serving.knative.dev/v1/namespaces/123456789012/services";
    assert_eq!(world.owner().read(unknown).await.expect(403).code(), "PERMISSION_DENIED");
    let location = format!("/v1/projects/{PROJECT}/locations/Mars!/services");
    let _ = world.owner().read(location).await.expect(400);
}

#[tokio::test]
async fn bodies_that_are_no_json_are_told_so() {
    let world = World::start().await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep_object = format!("{{\"metadata\":{}1{}}}", "{\"a\":".repeat(500), "}".repeat(500));
    let twice = br#"{"kind":"Service","kind":"Service"}"#;
    let mut told = String::new();
    for body in [
        &b"{"[..],
        b"{\"a\":}",
        b"nonsense",
        b"\xff\xfe",
        b"{\"kind\": \"\xff\"}",
        b"{\"kind\": \"\\ud800\"}",
        b"\x00",
        b"[]",
        b"null",
        b"1",
        b"\"text\"",
        b"[\"serving.knative.dev/v1\",\"Service\",{\"name\":\"hello\"}]",
        deep.as_bytes(),
        deep_object.as_bytes(),
        twice,
    ] {
        let ask = world.ask(Method::POST, Owner::services_path()).host(REGIONAL);
        let answer = ask.body("application/json", body.to_vec()).send().await;
        assert_eq!(
            answer.status,
            400,
            "{:?}: {}",
            String::from_utf8_lossy(&body[..body.len().min(40)]),
            answer.text()
        );
        told.push_str(&described(&answer));
    }
    assert_snapshot!(told.trim_end(), @r#"
    : Invalid JSON payload received. EOF while parsing an object at line 1 column 1
    : Invalid JSON payload received. expected value at line 1 column 6
    : Invalid JSON payload received. expected ident at line 1 column 2
    : Invalid JSON payload received. expected value at line 1 column 1
    : Invalid JSON payload received. invalid unicode code point at line 1 column 11
    : Invalid JSON payload received. unexpected end of hex escape at line 1 column 17
    : Invalid JSON payload received. expected value at line 1 column 1
    : Invalid value at '' (invalid type: sequence, expected an object)
    : Invalid value at '' (invalid type: null, expected an object)
    : Invalid value at '' (invalid type: integer `1`, expected an object)
    : Invalid value at '' (invalid type: string "text", expected an object)
    : Invalid value at '' (invalid type: sequence, expected an object)
    : Invalid JSON payload received. recursion limit exceeded at line 1 column 128
    : Invalid JSON payload received. recursion limit exceeded at line 1 column 643
    spec.template.spec.containers: must contain at least one container
    "#);
    let list = world.owner().read(Owner::services_path()).await.expect(200).json();
    assert_eq!(list["items"], json!([]));

    let mint = "/v1/projects/-/serviceAccounts/a@demo-project.iam.gserviceaccount.com:generateIdToken";
    for body in [json!([]), json!(["aud1"]), Value::Null, json!("aud1")] {
        described(&world.post(mint, &body).send().await.expect(400));
    }
}

#[tokio::test]
async fn a_body_may_have_10_mebibytes() {
    const LIMIT: usize = 10 * 1024 * 1024;
    let world = World::start().await;
    let send = |size: usize| {
        let mut body = Owner::service("hello").to_string();
        body.push_str(&" ".repeat(size - body.len()));
        let ask = world.ask(Method::POST, format!("{}?dryRun=all", Owner::services_path()));
        ask.host(REGIONAL).body("application/json", body).send()
    };
    let _ = send(LIMIT).await.expect(200);
    let refused = send(LIMIT + 1).await.expect(400);
    assert_snapshot!(refused.message(), @"Request payload size exceeds the limit: 10485760 bytes.");
}

/// Bytes that are no HTTP, and requests that break off.
#[tokio::test]
async fn what_is_no_request_does_not_bring_the_emulator_down() {
    let world = World::start().await;
    let path = Owner::services_path();
    for bytes in [
        b"\x00\x01\x02\x03\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n".to_vec(),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(100_000)).into_bytes(),
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n").into_bytes(),
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n").into_bytes(),
    ] {
        let answer = world.raw(&bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let _ = world.get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn queries_are_checked() {
    let world = World::start().await;
    let owner = world.owner();
    let read = |query: &str| owner.read(format!("{}?{query}", Owner::services_path()));
    for (query, field) in [
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("continue=x", "continue"),
        ("labelSelector=%28", "labelSelector"),
    ] {
        assert_eq!(read(query).await.expect(400).violations()[0].0, field, "{query}");
    }
    for query in [
        "limit=0",
        "limit=",
        "watch=true",
        "fieldSelector=a",
        "resourceVersion=1",
        "%ff=%fe",
        "unknown=1",
        "&&",
        "alt=json",
    ] {
        let _ = read(query).await.expect(200);
    }
}

#[tokio::test]
async fn a_token_is_one_of_the_same_selection() {
    let world = World::start().await;
    let owner = world.owner();
    for name in ["one", "two"] {
        let _ = owner.create(&Owner::service(name)).await.expect(200);
    }
    let list = |query: &str| owner.read(format!("{}?{query}", Owner::services_path()));
    let here = "labelSelector=cloud.googleapis.com%2Flocation%3Dus-central1";
    let page = list(&format!("limit=1&{here}")).await.expect(200).json();
    let token = page["metadata"]["continue"].as_str().unwrap();
    let rest = list(&format!("{here}&continue={token}")).await.expect(200).json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    let refused = list(&format!("continue={token}")).await.expect(400);
    assert_eq!(refused.violations()[0].0, "continue");
}
