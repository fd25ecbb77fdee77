//! Which services are refused, in which words and at which path?

use serde_json::{Value, json};

use super::super::{defaults, validate};
use super::*;

const C: &str = "spec template spec containers";
const C0: &str = "spec template spec containers 0";
const V: &str = "spec template spec volumes";

/// `when` is refused with exactly these lines, `field: description`.
fn check(api: Api, when: &[Edit<'_>], expect: &str) {
    let mut spec = spec(when);
    defaults::fill(&mut spec, &id());
    let error = validate::check(&spec, &id(), api).map(|()| format!("{when:?} was allowed")).unwrap_err();
    assert_eq!(lines(&error), expect, "{when:?}");
}

fn v1(when: &[Edit<'_>], expect: &str) {
    check(Api::V1, when, expect);
}

/// A change of the only container; its path in both APIs ends with `at`.
fn container(part: &str, value: Value, at: &str, words: &str) {
    let edit = [(format!("{C0} {part}"), value)];
    let edit = [(edit[0].0.as_str(), edit[0].1.clone())];
    check(Api::V1, &edit, &format!("spec.template.spec.containers[0]{at}: {words}"));
    check(Api::V2, &edit, &format!("service.template.containers[0]{at}: {words}"));
}

#[test]
fn settings() {
    let s = "metadata annotations run.googleapis.com";
    let t = "spec template metadata annotations";
    let negative = "must be greater than or equal to zero";
    v1(
        &[(&format!("{s}/description"), json!("é".repeat(513)))],
        "metadata.annotations[run.googleapis.com/description]: must be at most 512 characters.",
    );
    for key in ["minScale", "maxScale"] {
        v1(
            &[(&format!("{s}/{key}"), json!("-1"))],
            &format!("metadata.annotations[run.googleapis.com/{key}]: {negative}"),
        );
        v1(
            &[(&format!("{t} autoscaling.knative.dev/{key}"), json!("-1"))],
            &format!("spec.template.metadata.annotations[autoscaling.knative.dev/{key}]: {negative}"),
        );
    }
    let least = "must be greater than or equal to min_instance_count";
    let scale = [(&*format!("{s}/minScale"), json!("3")), (&*format!("{s}/maxScale"), json!("2"))];
    v1(&scale, &format!("metadata.annotations[run.googleapis.com/maxScale]: {least}"));
    check(Api::V2, &scale, &format!("service.scaling.maxInstanceCount: {least}"));
    v1(
        &[(&format!("{t} autoscaling.knative.dev/minScale"), json!("101"))],
        &format!("spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]: {least}"),
    );
    let manual = [(&*format!("{s}/manualInstanceCount"), json!("3"))];
    let words = "scaling mode must be set to MANUAL";
    v1(&manual, &format!("metadata.annotations[run.googleapis.com/manualInstanceCount]: {words}"));
    check(Api::V2, &manual, &format!("service.scaling.manualInstanceCount: {words}"));
}

#[test]
fn concurrency_and_timeout() {
    let concurrency = "Must be a number between 0 and 1000.";
    for count in [-1, 1001] {
        let when = [("spec template spec containerConcurrency", json!(count))];
        v1(&when, &format!("spec.template.spec.containerConcurrency: {concurrency}"));
        check(Api::V2, &when, &format!("service.template.maxInstanceRequestConcurrency: {concurrency}"));
    }
    let hour = [("spec template spec timeoutSeconds", json!(3601))];
    v1(&hour, "spec.template.spec.timeoutSeconds: maximum allowed time is one hour.");
    check(Api::V2, &hour, "service.template.timeout: maximum allowed time is one hour.");
    v1(
        &[("spec template spec timeoutSeconds", json!(-1))],
        "spec.template.spec.timeoutSeconds: must be greater than zero.",
    );
}

#[test]
fn annotations_of_the_other_level() {
    v1(
        &[("metadata annotations run.googleapis.com/vpc-access-connector", json!("c"))],
        "metadata.annotations[run.googleapis.com/vpc-access-connector]: Annotation \
         'run.googleapis.com/vpc-access-connector' is not supported on resources of kind 'Service'. Supported \
         kinds are: Revision, Execution",
    );
    v1(
        &[("spec template metadata annotations run.googleapis.com/custom-audiences", json!("[\"a\"]"))],
        "spec.template.metadata.annotations[run.googleapis.com/custom-audiences]: Annotation \
         'run.googleapis.com/custom-audiences' is not supported on resources of kind 'Revision'. Supported \
         kinds are: Service",
    );
    // The API documents it for both kinds.
    let mut both = spec(&[("metadata annotations run.googleapis.com/base-images", json!("{}"))]);
    defaults::fill(&mut both, &id());
    assert_eq!(validate::check(&both, &id(), Api::V1), Ok(()));
}

#[test]
fn labels() {
    let value = "violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters";
    v1(
        &[("metadata labels version", json!("v1.0.0"))],
        &format!("metadata.labels[version]: Label value 'v1.0.0' {value}."),
    );
    for key in ["Team", "1st", "a.b", &"k".repeat(64)] {
        v1(
            &[(&format!("spec template metadata labels {key}"), json!(""))],
            &format!(
                "spec.template.metadata.labels[{key}]: Label key '{key}' {value}, beginning with a letter."
            ),
        );
    }
    check(
        Api::V2,
        &[("metadata labels a", json!("B"))],
        &format!("service.labels[a]: Label value 'B' {value}."),
    );
}

#[test]
fn names_of_revisions() {
    let prefix = "The revision name must be prefixed by the name of the enclosing Service with a trailing -";
    let charset = "only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must \
                   be less than 64 characters.";
    let long = format!("hello-{}", "a".repeat(58));
    let names =
        [("other-1", prefix), ("hello", prefix), ("hello-", prefix), ("hello-A", charset), (&long, charset)];
    for (name, words) in names {
        let when = [("spec template metadata name", json!(name))];
        v1(&when, &format!("spec.template.metadata.name: {words}"));
        check(Api::V2, &when, &format!("service.template.revision: {words}"));
    }
}

#[test]
fn sets_of_containers() {
    let at = "spec.template.spec.containers";
    let app = |name: &str| json!({"name": name, "image": "app", "ports": [{"containerPort": 8080}]});
    let sidecar = |name: &str| json!({"name": name, "image": "app"});
    v1(&[(C, json!([]))], &format!("{at}: must contain at least one container"));
    let eleven: Vec<Value> =
        (0..11).map(|n| if n == 0 { app("a") } else { sidecar(&format!("s{n}")) }).collect();
    v1(&[(C, json!(eleven))], &format!("{at}: must contain at most 10 containers"));
    for two in [json!([app("a"), app("b")]), json!([sidecar("a"), sidecar("b")])] {
        v1(&[(C, two.clone())], &format!("{at}: must contain exactly one container with an exposed port"));
        check(
            Api::V2,
            &[(C, two)],
            "service.template.containers: must contain exactly one container with an exposed port",
        );
    }
    v1(&[(C, json!([app("a"), sidecar("a")]))], &format!("{at}: contains duplicate container names 'a'"));
    let many: Vec<Value> = (0..1001).map(|n| json!({"name": format!("A{n}")})).collect();
    v1(
        &[(&format!("{C0} env"), json!(many))],
        &format!("{at}: exceeds the limit on EnvVars across all containers of 1000"),
    );
    v1(
        &[(&format!("{C0} args"), json!(vec!["x"; 1001]))],
        &format!("{at}: exceeds the limit on args across all containers of 1000"),
    );
}

#[test]
fn one_container() {
    let image = "must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]";
    for text in ["", " app", "-app", "app tag", "app;rm"] {
        container("image", json!(text), ".image", image);
    }
    for name in ["App", "a_b", "a..b", "-a"] {
        container("name", json!(name), ".name", &format!("'{name}' must conform to RFC 1123"));
    }
    container("ports", json!([{}, {}]), ".ports", "should contain 0 or 1 port");
    let named = json!([{"name": "http"}]);
    container("ports", named, ".ports[0].name", "must be one of empty, 'http1' or 'h2c'");
    for number in [-1, 65536] {
        let port = json!([{"containerPort": number}]);
        container("ports", port, ".ports[0].containerPort", "must be between 1 and 65535");
    }
}

#[test]
fn environment() {
    let reserved = |names: &str| {
        format!(
            "The following reserved env names were provided: {names}. These values are automatically set by the system."
        )
    };
    container("env", json!([{"name": "PORT", "value": "1"}]), ".env", &reserved("PORT"));
    let both = json!([{"name": "K_REVISION"}, {"name": "A"}, {"name": "PORT"}]);
    container("env", both, ".env", &reserved("PORT, K_REVISION"));
    container("env", json!([{"value": "1"}]), ".env[0].name", "must not be empty");
    let long = json!([{"name": "A", "value": "x".repeat(32_769)}]);
    container("env", long, ".env[0].value", "length cannot exceed 32768");
    let both = json!([{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "1"}}}]);
    container("env", both, ".env[0]", "only one of value and valueFrom may be set");
    container("envFrom", json!([{"prefix": "A"}]), ".envFrom", "is not supported by Cloud Run");
}

#[test]
fn limits() {
    let cpu = |value: &str| {
        format!(
            "Invalid value specified for cpu: '{value}'. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0"
        )
    };
    for value in ["3", "0.07", "1.5", "16"] {
        let spec = json!({"cpu": value});
        let edit = [
            (&*format!("{C0} resources limits"), spec),
            ("spec template spec containerConcurrency", json!(1)),
        ];
        v1(&edit, &format!("spec.template.spec.containers[0].resources.limits.cpu: {}", cpu(value)));
    }
    let limit = |name: &str, value: &str, at: &str, words: &str| {
        container("resources", json!({"limits": {name: value}}), at, words);
    };
    limit("cpu", "one", ".resources.limits.cpu", "Could not parse Quantity 'one'");
    limit(
        "memory",
        "512MB",
        ".resources.limits.memory",
        "could not match suffix MB while parsing Quantity. Allowed values are [m, k, M, G, T, Ki, Mi, Gi, Ti, Pi, Ei]",
    );
    for value in ["64Mi", "33Gi", "1"] {
        limit(
            "memory",
            value,
            ".resources.limits.memory",
            &format!(
                "Invalid value specified for container memory: '{value}'. It must be between 128Mi and 32Gi."
            ),
        );
    }
    limit("memory", "Gi", ".resources.limits.memory", "Could not parse Quantity 'Gi'");
    limit("nvidia.com/gpu", "2", ".resources.limits.nvidia.com/gpu", "GPU can only be set to 1");
    limit(
        "disk",
        "1Gi",
        ".resources.limits",
        "only 'cpu', 'memory' and 'nvidia.com/gpu' limits are supported, not 'disk'",
    );
    v1(
        &[
            (&format!("{C0} resources limits"), json!({"cpu": "500m"})),
            ("spec template spec containerConcurrency", json!(2)),
        ],
        "spec.template.spec.containers[0].resources.limits.cpu: Invalid value specified for cpu. Total cpu < 1 is \
         not supported with concurrency > 1.",
    );
}

#[test]
fn probes() {
    let http = |extra: Value| {
        let mut probe = json!({"httpGet": {"path": "/"}});
        probe.as_object_mut().unwrap().append(extra.clone().as_object_mut().unwrap());
        probe
    };
    let (startup, liveness, readiness) = ("startupProbe", "livenessProbe", "readinessProbe");
    let one = "Exactly one probe action must be set";
    container(startup, json!({"periodSeconds": 5}), ".startupProbe", one);
    container(liveness, http(json!({"grpc": {}})), ".livenessProbe", one);
    let exec = json!({"exec": {"command": ["true"]}});
    container(startup, exec, ".startupProbe.exec", "is not supported by Cloud Run");
    let tcp = |kind: &str| format!("Cloud Run does not support TCP socket in {kind} probe");
    container(liveness, json!({"tcpSocket": {}}), ".livenessProbe.tcpSocket", &tcp("liveness"));
    container(readiness, json!({"tcpSocket": {}}), ".readinessProbe.tcpSocket", &tcp("readiness"));
    container(
        readiness,
        http(json!({"initialDelaySeconds": 1})),
        ".readinessProbe.initialDelaySeconds",
        "Initial delay is not supported for readiness probe",
    );
    let between = |least: i32, most: i32| format!("if specified, must be between {least} and {most}");
    let limits = [
        (startup, "initialDelaySeconds", 241, between(0, 240)),
        (startup, "periodSeconds", 241, between(1, 240)),
        (liveness, "initialDelaySeconds", 3601, between(0, 3600)),
        (liveness, "periodSeconds", 3601, between(1, 3600)),
        (readiness, "periodSeconds", 301, between(1, 300)),
        (startup, "failureThreshold", -1, between(0, i32::MAX)),
    ];
    for (probe, field, value, words) in limits {
        container(probe, http(json!({field: value})), &format!(".{probe}.{field}"), &words);
    }
    container(
        liveness,
        http(json!({"timeoutSeconds": 11})),
        ".livenessProbe.timeoutSeconds",
        "must be less than period_seconds.",
    );
    let port = json!({"httpGet": {"port": 65536}});
    container(startup, port, ".startupProbe.httpGet.port", "if specified, must be between 1 and 65535");
    container(
        liveness,
        json!({"grpc": {"port": -1}}),
        ".livenessProbe.grpc.port",
        "if specified, must be between 1 and 65535",
    );
}

#[test]
fn volumes_and_mounts() {
    let at = "spec.template.spec.volumes";
    let v = |name: &str| json!({"name": name, "emptyDir": {"medium": "Memory"}});
    v1(&[(V, json!([v("a"), v("a")]))], &format!("{at}: Duplicate volume name 'a'"));
    v1(&[(V, json!([{"emptyDir": {}}]))], &format!("{at}[0].name: must not be empty"));
    for volume in [json!({"name": "a"}), json!({"name": "a", "emptyDir": {}, "secret": {"secretName": "s"}})]
    {
        let when = [(V, json!([volume]))];
        v1(&when, &format!("{at}[0]: must have exactly one source"));
        check(Api::V2, &when, "service.template.volumes[0]: must have exactly one source");
    }
    let mount = |name: &str, path: &str, expect: &str| {
        let mounts = json!([{"name": name, "mountPath": path}]);
        v1(
            &[(V, json!([v("a")])), (&format!("{C0} volumeMounts"), mounts)],
            &format!("spec.template.spec.containers[0].volumeMounts[0].{expect}"),
        );
    };
    mount("b", "/b", "name: refers to volumes which were not found in volumes list: 'b'");
    for path in ["", "relative", "/a:b"] {
        mount("a", path, "mountPath: must be a valid unix absolute path");
    }
    for path in ["/dev", "/proc/1", "/sys"] {
        mount("a", path, "mountPath: mount paths are in one of disallowed mount points /dev, /proc, /sys");
    }
}

#[test]
fn traffic() {
    let latest = |percent: i32| json!({"latestRevision": true, "percent": percent});
    let when = [("spec traffic", json!([latest(50)]))];
    v1(&when, "spec.traffic: the sum of the traffic percentages is 50, it should be 100");
    check(Api::V2, &when, "service.traffic: the sum of the traffic percentages is 50, it should be 100");
    v1(
        &[("spec traffic", json!([latest(-1), latest(101)]))],
        "spec.traffic[0].percent: must be a number between 0 and 100\n\
         spec.traffic[1].percent: must be a number between 0 and 100",
    );
    let tagged = |tag: &str| json!([latest(100), {"latestRevision": true, "tag": tag}]);
    v1(
        &[(
            "spec traffic",
            json!([latest(100), {"latestRevision": true, "tag": "a"}, {"latestRevision": true, "tag": "a"}]),
        )],
        "spec.traffic[2].tag: may not contain a duplicate tag 'a'",
    );
    let long = "t".repeat(42);
    v1(
        &[("spec traffic", tagged(&long))],
        &format!(
            "spec.traffic.tag: traffic tag '{long}' and service name 'hello' together are too long. Combined \
             traffic tag and service name cannot exceed 46 characters."
        ),
    );
    let name = [("spec traffic", json!([{"revisionName": "Hello_1", "percent": 100}]))];
    v1(&name, "spec.traffic[0].revisionName: 'Hello_1' is not the name of a revision.");
    check(Api::V2, &name, "service.traffic[0].revision: 'Hello_1' is not the name of a revision.");
}

#[test]
fn what_is_allowed_at_the_edges() {
    let allowed: [&[Edit<'_>]; 6] = [
        &[
            ("spec template spec timeoutSeconds", json!(3600)),
            ("spec template spec containerConcurrency", json!(1000)),
        ],
        &[("metadata annotations run.googleapis.com/description", json!("é".repeat(512)))],
        &[(
            "spec template spec containers 0 env",
            json!([{"name": "X_GOOGLE_A"}, {"name": "1.odd"}, {"name": "1.odd"}]),
        )],
        &[("spec template spec containers 0 name", json!("app.v2"))],
        &[("spec template spec containers 0 resources limits", json!({"memory": "128M", "cpu": "8"}))],
        &[("spec traffic", json!([{"latestRevision": true, "percent": 100, "tag": "t".repeat(41)}]))],
    ];
    for when in allowed {
        let mut spec = spec(when);
        defaults::fill(&mut spec, &id());
        let outcome = validate::check(&spec, &id(), Api::V1);
        assert_eq!(outcome.map_err(|error| lines(&error)), Ok(()), "{when:?}");
    }
}
