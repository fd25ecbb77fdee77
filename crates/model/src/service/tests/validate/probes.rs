//! Probes. The hosted service spells their fields with underscores in v1, too.

use super::*;

const STARTUP: &str = "startupProbe";
const LIVENESS: &str = "livenessProbe";
const READINESS: &str = "readinessProbe";

fn http(extra: Value) -> Value {
    let mut probe = json!({"httpGet": {"path": "/"}});
    probe.as_object_mut().unwrap().append(extra.clone().as_object_mut().unwrap());
    probe
}

#[track_caller]
fn probe(part: &str, value: Value, at: &str, words: &str) {
    container(part, value, at, at, words);
}

#[test]
fn actions() {
    let one = "Exactly one probe action must be set";
    probe(STARTUP, json!({"periodSeconds": 5}), ".startup_probe", one);
    probe(LIVENESS, http(json!({"grpc": {}})), ".liveness_probe", one);
    probe(READINESS, json!({"failureThreshold": 1}), ".readiness_probe", one);
    let exec = json!({"exec": {"command": ["true"]}});
    probe(STARTUP, exec, ".startup_probe.exec", "is not supported by Cloud Run");
    let tcp = |kind: &str| format!("Cloud Run does not support TCP socket in {kind} probe");
    probe(LIVENESS, json!({"tcpSocket": {}}), ".liveness_probe.tcp_socket", &tcp("liveness"));
    probe(READINESS, json!({"tcpSocket": {}}), ".readiness_probe.tcp_socket", &tcp("readiness"));
    for good in [json!({"tcpSocket": {}}), json!({"grpc": {}}), http(json!({}))] {
        allowed(&[(&format!("{C0} {STARTUP}"), good)]);
    }
}

#[test]
fn numbers() {
    let between = |least: i32, most: i32| format!("if specified, must be between {least} and {most}");
    // What may be set, and the last value that is allowed; the first that is not is one more.
    let limits = [
        (STARTUP, ".startup_probe", "initialDelaySeconds", ".initial_delay_seconds", 0, 240),
        (STARTUP, ".startup_probe", "periodSeconds", ".period_seconds", 1, 240),
        (LIVENESS, ".liveness_probe", "initialDelaySeconds", ".initial_delay_seconds", 0, 3600),
        (LIVENESS, ".liveness_probe", "periodSeconds", ".period_seconds", 1, 3600),
        (READINESS, ".readiness_probe", "periodSeconds", ".period_seconds", 1, 300),
    ];
    for (part, at, field, name, least, most) in limits {
        probe(part, http(json!({field: most + 1})), &format!("{at}{name}"), &between(least, most));
        allowed(&[(&format!("{C0} {part}"), http(json!({field: most})))]);
    }
    for (part, at, most) in [
        (STARTUP, ".startup_probe", 240),
        (LIVENESS, ".liveness_probe", 3600),
        (READINESS, ".readiness_probe", 300),
    ] {
        let both = |seconds: i32| http(json!({"timeoutSeconds": seconds, "periodSeconds": seconds}));
        allowed(&[(&format!("{C0} {part}"), both(most))]);
        let lines = outcome(Api::V1, &[(&format!("{C0} {part}"), both(most + 1))]).unwrap_err();
        let timeout = format!("{at}.timeout_seconds: {}", between(1, most));
        assert!(lines.contains(&timeout), "{lines}");
    }
    probe(
        STARTUP,
        http(json!({"failureThreshold": -1})),
        ".startup_probe.failure_threshold",
        &between(0, i32::MAX),
    );
    let later = "must be less than period_seconds.";
    probe(LIVENESS, http(json!({"timeoutSeconds": 11})), ".liveness_probe.timeout_seconds", later);
    probe(STARTUP, http(json!({"timeoutSeconds": 11})), ".startup_probe.timeout_seconds", later);
    probe(
        READINESS,
        http(json!({"initialDelaySeconds": 1})),
        ".readiness_probe.initial_delay_seconds",
        "Initial delay is not supported for readiness probe",
    );
    allowed(&[(&format!("{C0} {READINESS}"), http(json!({"initialDelaySeconds": 0})))]);
}

#[test]
fn ports() {
    let words = "if specified, must be between 1 and 65535";
    for number in [-1, 65536] {
        let port = json!({"port": number});
        probe(STARTUP, json!({"httpGet": port}), ".startup_probe.http_get.port", words);
        probe(STARTUP, json!({"tcpSocket": port}), ".startup_probe.tcp_socket.port", words);
        probe(LIVENESS, json!({"grpc": port}), ".liveness_probe.grpc.port", words);
    }
    for number in [0, 1, 65535] {
        allowed(&[(&format!("{C0} {STARTUP}"), json!({"httpGet": {"port": number}}))]);
    }
}
