//! Which probes may a container have?

use super::super::container::Container;
use super::super::probe::Probe;
use crate::error::Violations;
use crate::field::FieldPath;

/// Which of a container's probes is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Startup,
    Liveness,
    Readiness,
}

/// Notes what is wrong with the probes of the container at `at`.
pub(super) fn check(container: &Container, at: &FieldPath, out: &mut Violations) {
    let probes = [
        ("startupProbe", Role::Startup, &container.startup_probe),
        ("livenessProbe", Role::Liveness, &container.liveness_probe),
        ("readinessProbe", Role::Readiness, &container.readiness_probe),
    ];
    for (name, role, probe) in probes {
        if let Some(probe) = probe {
            check_probe(probe, role, &at.probe(name), out);
        }
    }
}

fn check_probe(probe: &Probe, role: Role, at: &FieldPath, out: &mut Violations) {
    let actions =
        [probe.http_get.is_some(), probe.tcp_socket.is_some(), probe.grpc.is_some(), probe.exec.is_some()];
    let count = actions.iter().filter(|set| **set).count();
    out.check(count == 1, at, "Exactly one probe action must be set");
    out.check(probe.exec.is_none(), at.field("exec"), "is not supported by Cloud Run");
    if role != Role::Startup && probe.tcp_socket.is_some() {
        let kind = if role == Role::Readiness { "readiness" } else { "liveness" };
        out.add(at.field("tcpSocket"), format!("Cloud Run does not support TCP socket in {kind} probe"));
    }
    if role == Role::Readiness {
        let none = probe.initial_delay_seconds.unwrap_or(0) == 0;
        out.check(
            none,
            at.field("initialDelaySeconds"),
            "Initial delay is not supported for readiness probe",
        );
    }
    let (most_delay, most_timeout, most_period) = match role {
        Role::Startup => (240, 240, 240),
        Role::Liveness => (3600, 3600, 3600),
        Role::Readiness => (0, 300, 300),
    };
    let limits = [
        ("initialDelaySeconds", probe.initial_delay_seconds, 0, most_delay),
        ("timeoutSeconds", probe.timeout_seconds, 1, most_timeout),
        ("periodSeconds", probe.period_seconds, 1, most_period),
        ("failureThreshold", probe.failure_threshold, 0, i32::MAX),
    ];
    for (name, value, least, most) in limits {
        let good = value.is_none_or(|value| (least..=most).contains(&value));
        if role == Role::Readiness && name == "initialDelaySeconds" {
            continue;
        }
        out.check(good, at.field(name), format!("if specified, must be between {least} and {most}"));
    }
    if let (Some(timeout), Some(period)) = (probe.timeout_seconds, probe.period_seconds) {
        // Equal passes: the probe that the server fills in has 240 for both.
        out.check(timeout <= period, at.field("timeoutSeconds"), "must be less than period_seconds.");
    }
    let ports = [
        ("httpGet", probe.http_get.as_ref().and_then(|action| action.port)),
        ("tcpSocket", probe.tcp_socket.as_ref().and_then(|action| action.port)),
        ("grpc", probe.grpc.as_ref().and_then(|action| action.port)),
    ];
    for (action, port) in ports {
        let good = port.is_none_or(|port| (1..=65535).contains(&port));
        out.check(good, at.field(action).field("port"), "if specified, must be between 1 and 65535");
    }
}
