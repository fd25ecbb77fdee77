//! What does the server fill in, and what does it leave?

use serde_json::{Value, json};

use super::super::{defaults, quantity, v1_render};
use super::*;

/// The template as v1 shows it once `edits` are filled in.
fn filled(edits: &[Edit<'_>]) -> Value {
    let mut world = World::new(RevisionPolicy::EveryChange);
    world.write(edits).unwrap();
    v1_render::service(world.service(), &urls()).unwrap()["spec"].take()
}

fn check(edits: &[Edit<'_>], at: &str, expect: Value) {
    let spec = filled(edits);
    assert_eq!(spec.pointer(at).cloned().unwrap_or(Value::Null), expect, "{edits:?}: {spec:#}");
}

const CONTAINERS: &str = "spec template spec containers";
const LIMITS: &str = "spec template spec containers 0 resources limits";

#[test]
fn a_service_with_nothing_but_an_image() {
    let number = id().project.number;
    assert_eq!(
        filled(&[]),
        json!({
            "template": {
                "metadata": {
                    "labels": { "run.googleapis.com/startupProbeType": "Default" },
                    "annotations": { "autoscaling.knative.dev/maxScale": "100" },
                },
                "spec": {
                    "containerConcurrency": 80,
                    "timeoutSeconds": 300,
                    "serviceAccountName": format!("{number}-compute@developer.gserviceaccount.com"),
                    "containers": [{
                        "image": "gcr.io/demo/hello",
                        "ports": [{ "name": "http1", "containerPort": 8080 }],
                        "resources": { "limits": { "cpu": "1000m", "memory": "512Mi" } },
                        "startupProbe": {
                            "timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1,
                            "tcpSocket": { "port": 8080 },
                        },
                    }],
                },
            },
            "traffic": [{ "latestRevision": true, "percent": 100 }],
        })
    );
}

#[test]
fn what_the_user_wrote_stays_word_for_word() {
    for cpu in ["1", "1000m", "2", "1.0"] {
        check(
            &[(&format!("{LIMITS} cpu"), json!(cpu))],
            "/template/spec/containers/0/resources/limits/cpu",
            json!(cpu),
        );
    }
    let memory = [("spec template spec containers 0 resources limits memory", json!("1Gi"))];
    let limits = json!({"cpu": "1000m", "memory": "1Gi"});
    check(&memory, "/template/spec/containers/0/resources/limits", limits);
    let traffic = json!([{"revisionName": "hello-00001-abc", "percent": 100}]);
    check(&[("spec traffic", traffic.clone())], "/traffic", traffic);
}

#[test]
fn concurrency_follows_the_cpu_of_all_containers() {
    let at = "/template/spec/containerConcurrency";
    let cpu = |text: &str| (format!("{LIMITS} cpu"), json!(text));
    for (text, expect) in [("0.5", 1), ("500m", 1), ("1", 80), ("2", 80)] {
        let (path, value) = cpu(text);
        check(&[(&path, value.clone())], at, json!(expect));
        // Zero is the default too.
        check(&[(&path, value), ("spec template spec containerConcurrency", json!(0))], at, json!(expect));
    }
    let (path, value) = cpu("500m");
    let sidecar = json!({"image": "db", "resources": {"limits": {"cpu": "500m"}}});
    let port = ("spec template spec containers 0 ports", json!([{"containerPort": 8080}]));
    check(&[(&path, value), port, (&format!("{CONTAINERS} 1 image"), json!("db"))], at, json!(80));
    let (path, value) = cpu("400m");
    let port = ("spec template spec containers 0 ports", json!([{"containerPort": 8080}]));
    let containers = |edits: &[Edit<'_>]| {
        let mut whole = body(edits);
        whole["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().push(sidecar.clone());
        let mut spec = v1::parse(whole).unwrap().spec;
        defaults::fill(&mut spec, &id());
        spec.template.settings.max_instance_request_concurrency
    };
    assert_eq!(containers(&[(&path, value), port]), Some(1));
}

#[test]
fn a_sidecar_gets_limits_but_neither_port_nor_startup_probe() {
    let containers = json!([
        {"name": "app", "image": "app", "ports": [{"containerPort": 9000}]},
        {"name": "db", "image": "db", "livenessProbe": {"httpGet": {"port": 5432}}},
    ]);
    check(
        &[(CONTAINERS, containers)],
        "/template/spec/containers",
        json!([
            {
                "name": "app", "image": "app",
                "ports": [{ "name": "http1", "containerPort": 9000 }],
                "resources": { "limits": { "cpu": "1000m", "memory": "512Mi" } },
                "startupProbe": { "timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1,
                                  "tcpSocket": { "port": 9000 } },
            },
            {
                "name": "db", "image": "db",
                "resources": { "limits": { "cpu": "1000m", "memory": "512Mi" } },
                "livenessProbe": { "timeoutSeconds": 1, "periodSeconds": 10, "failureThreshold": 3,
                                   "httpGet": { "path": "/", "port": 5432 } },
            },
        ]),
    );
}

#[test]
fn a_partial_probe_is_completed_and_zero_means_the_default() {
    let startup = "spec template spec containers 0 startupProbe";
    let at = "/template/spec/containers/0/startupProbe";
    let probe = |action: Value| {
        let mut probe = json!({"timeoutSeconds": 1, "periodSeconds": 10, "failureThreshold": 3});
        probe.as_object_mut().unwrap().append(action.clone().as_object_mut().unwrap());
        probe
    };
    for given in [
        json!({"httpGet": {}}),
        json!({"httpGet": {"port": 0}, "timeoutSeconds": 0, "periodSeconds": 0, "failureThreshold": 0}),
    ] {
        check(&[(startup, given)], at, probe(json!({"httpGet": {"path": "/", "port": 8080}})));
    }
    check(&[(startup, json!({"grpc": {}}))], at, probe(json!({"grpc": {"port": 8080}})));
    check(&[(startup, json!({"tcpSocket": {}}))], at, probe(json!({"tcpSocket": {"port": 8080}})));
    let given = json!({"httpGet": {"path": "/up", "port": 9}, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 7});
    check(&[(startup, given.clone())], at, given);
}

#[test]
fn the_label_tells_whose_startup_probe_it_is() {
    let at = "/template/metadata/labels/run.googleapis.com~1startupProbeType";
    let startup = "spec template spec containers 0 startupProbe";
    let own = json!({"timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1, "tcpSocket": {"port": 8080}});
    check(&[(startup, own)], at, json!("Default"));
    check(&[(startup, json!({"httpGet": {"path": "/up"}}))], at, json!("Custom"));
    check(
        &[("spec template spec containers 0 ports", json!([{"containerPort": 9000}]))],
        at,
        json!("Default"),
    );
}

#[test]
fn what_is_filled_in_stays_when_it_is_filled_in_again() {
    let mut once = spec(&[]);
    defaults::fill(&mut once, &id());
    let mut twice = once.clone();
    defaults::fill(&mut twice, &id());
    assert_eq!(once, twice);
}

#[test]
fn quantities_of_cpu() {
    let quantities = [
        ("1", Some(1000)),
        ("1000m", Some(1000)),
        ("0.08", Some(80)),
        (".08", Some(80)),
        ("1.5", Some(1500)),
        ("1.", Some(1000)),
        ("0.0001", None),
        ("-1", None),
        ("one", None),
        ("99999999999999999999", None),
        ("18446744073709551615", None),
    ];
    for (text, expect) in quantities {
        assert_eq!(quantity::millicpus(text), expect, "{text}");
    }
}
