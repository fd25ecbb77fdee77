//! Containers, their ports and their environment.

use super::*;

fn app(name: &str) -> Value {
    json!({"name": name, "image": "app", "ports": [{"containerPort": 8080}]})
}

fn sidecar(name: &str) -> Value {
    json!({"name": name, "image": "app"})
}

#[track_caller]
fn set(containers: Value, words: &str) {
    refused(&[(C, containers)], "spec.template.spec.containers", "service.template.containers", words);
}

fn sidecars(count: usize) -> Value {
    (0..=count).map(|n| if n == 0 { app("a") } else { sidecar(&format!("s{n}")) }).collect()
}

#[test]
fn sets_of_containers() {
    set(json!([]), "must contain at least one container");
    set(sidecars(10), "must contain at most 10 containers");
    allowed(&[(C, sidecars(9))]);
    for two in [json!([app("a"), app("b")]), json!([sidecar("a"), sidecar("b")])] {
        set(two, "must contain exactly one container with an exposed port");
    }
    set(json!([app("a"), sidecar("a")]), "contains duplicate container names 'a'");
    let many = |count: usize| {
        let variables: Vec<Value> = (0..count).map(|n| json!({"name": format!("A{n}")})).collect();
        let mut second = sidecar("b");
        second["env"] = json!([{"name": "B"}]);
        let mut first = app("a");
        first["env"] = json!(variables);
        json!([first, second])
    };
    set(many(1000), "exceeds the limit on EnvVars across all containers of 1000");
    allowed(&[(C, many(999))]);
    let many = |count: usize| json!([{"image": "app", "args": vec!["x"; count]}]);
    set(many(1001), "exceeds the limit on args across all containers of 1000");
    allowed(&[(C, many(1000))]);
}

#[test]
fn images_and_names() {
    let image = "must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]";
    for text in ["", " app", "-app", "app tag", "app;rm"] {
        container("image", json!(text), ".image", ".image", image);
    }
    let long = "a".repeat(64);
    for name in ["App", "a_b", "a..b", "-a", &long] {
        container("name", json!(name), ".name", ".name", &format!("'{name}' must conform to RFC 1123"));
    }
    for name in ["app.v2", "1", &long[1..]] {
        allowed(&[(&format!("{C0} name"), json!(name))]);
    }
}

#[test]
fn ports() {
    container("ports", json!([{}, {}]), ".ports", ".ports", "ports should contain 0 or 1 port");
    let name = ".ports[0].name";
    for text in ["http", "http2", "HTTP1"] {
        container("ports", json!([{"name": text}]), name, name, "must be one of empty, 'http1' or 'h2c'");
    }
    for number in [-1, 65536] {
        container(
            "ports",
            json!([{"containerPort": number}]),
            ".ports[0].containerPort",
            ".ports[0].container_port",
            "must be 0 (the default port) or between 1 and 65535",
        );
    }
    for port in [
        json!({"containerPort": 1}),
        json!({"containerPort": 65535, "name": "h2c"}),
        json!({"containerPort": 0}),
    ] {
        allowed(&[(&format!("{C0} ports"), json!([port]))]);
    }
}

#[test]
fn environment() {
    let reserved = |names: &str| {
        format!(
            "The following reserved env names were provided: {names}. These values are automatically set by the system."
        )
    };
    for name in ["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"] {
        container("env", json!([{"name": name, "value": "1"}]), ".env", ".env", &reserved(name));
    }
    let both = json!([{"name": "K_REVISION"}, {"name": "A"}, {"name": "PORT"}]);
    container("env", both, ".env", ".env", &reserved("PORT, K_REVISION"));
    container("env", json!([{"value": "1"}]), ".env[0].name", ".env[0].name", "must not be empty");
    let long = |bytes: usize| json!([{"name": "A", "value": "x".repeat(bytes)}]);
    container("env", long(32_769), ".env[0].value", ".env[0].value", "length cannot exceed 32768");
    allowed(&[(&format!("{C0} env"), long(32_768))]);
    let both = json!([{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "1"}}}]);
    container("env", both, ".env[0]", ".env[0]", "only one of value and valueFrom may be set");
    container("envFrom", json!([{"prefix": "A"}]), ".envFrom", ".env_from", "is not supported by Cloud Run");
    let odd = json!([{"name": "X_GOOGLE_A"}, {"name": "1.odd"}, {"name": "1.odd"}]);
    allowed(&[(&format!("{C0} env"), odd)]);
}

#[test]
fn secrets_in_the_environment() {
    let secret = |secret: Value| json!([{"name": "A", "valueFrom": {"secretKeyRef": secret}}]);
    for version in ["1.0", "la-test", "1 "] {
        container(
            "env",
            secret(json!({"name": "s", "key": version})),
            ".env[0].valueFrom.secretKeyRef.key",
            ".env[0].value_source.secret_key_ref.version",
            "should have only alphanumeric characters",
        );
    }
    container(
        "env",
        secret(json!({"key": "1"})),
        ".env[0].valueFrom.secretKeyRef.name",
        ".env[0].value_source.secret_key_ref.secret",
        "must not be empty",
    );
    for good in [
        json!({"name": "s", "key": "latest"}),
        json!({"name": "s"}),
        json!({"key": "7", "localObjectReference": {"name": "s"}}),
    ] {
        allowed(&[(&format!("{C0} env"), secret(good))]);
    }
}
