//! What does the server fill in that a user left out?

use super::container::{Container, ContainerPort, Resources};
use super::probe::{Probe, TcpSocket};
use super::{RevisionTemplate, ServiceId, ServiceSpec, TrafficTarget, quantity};
use crate::account::AccountName;
use crate::field::Defaults;
use crate::name::is_dns_label;

/// The port of a container that names none.
pub const DEFAULT_PORT: i32 = 8080;

/// Fills in everything that has a default; the filled values are stored and shown.
pub fn fill(spec: &mut ServiceSpec, id: &ServiceId) {
    let template = &mut spec.template;
    fill_containers(template);
    let defaults = Defaults {
        project_number: id.project.number.to_string(),
        below_one_cpu: template.containers.iter().map(millicpus).sum::<u64>() < 1000,
    };
    // Zero is unset, as proto3 has it and the API documents for the first.
    template.settings.max_instance_request_concurrency.take_if(|count| *count == 0);
    template.settings.timeout.take_if(|seconds| *seconds == 0);
    // A service account of the service's own project may be named by its id alone.
    if let Some(account) = template.settings.service_account.as_mut()
        && is_dns_label(account)
    {
        *account = AccountName::email(account, &id.project);
    }
    template.settings.fill(&defaults);
    spec.settings.fill(&defaults);
    if spec.traffic.is_empty() {
        spec.traffic.push(TrafficTarget::all_to_latest());
    }
}

fn fill_containers(template: &mut RevisionTemplate) {
    if let [only] = template.containers.as_mut_slice()
        && only.ports.is_empty()
    {
        only.ports.push(ContainerPort::default());
    }
    for container in &mut template.containers {
        let limits = &mut container.resources.get_or_insert_with(Resources::default).limits;
        limits.entry("cpu".to_owned()).or_insert_with(|| "1000m".to_owned());
        limits.entry("memory".to_owned()).or_insert_with(|| "512Mi".to_owned());
        for port in &mut container.ports {
            port.name.get_or_insert_with(|| "http1".to_owned());
            port.container_port.take_if(|number| *number == 0);
            port.container_port.get_or_insert(DEFAULT_PORT);
        }
        fill_probes(container);
    }
}

/// Only the container that takes the requests gets a startup probe of its own.
fn fill_probes(container: &mut Container) {
    // A port that is refused is refused once, not again in the probes that would follow it.
    let allowed = |port: &i32| (1..=65535).contains(port);
    let port = container.ports.first().and_then(|port| port.container_port).filter(allowed);
    let probes =
        [&mut container.startup_probe, &mut container.liveness_probe, &mut container.readiness_probe];
    for probe in probes.into_iter().flatten() {
        fill_probe(probe, port);
    }
    if let Some(port) = port {
        container.startup_probe.get_or_insert_with(|| default_startup_probe(port));
    }
}

/// In a probe zero means the default, as it does in the hosted service. A sidecar has no port to probe
/// by default.
fn fill_probe(probe: &mut Probe, port: Option<i32>) {
    let fill = |field: &mut Option<i32>, default| {
        if field.unwrap_or(0) == 0 {
            *field = Some(default);
        }
    };
    fill(&mut probe.timeout_seconds, 1);
    fill(&mut probe.period_seconds, 10);
    fill(&mut probe.failure_threshold, 3);
    if let Some(http) = &mut probe.http_get {
        http.path.get_or_insert_with(|| "/".to_owned());
    }
    let Some(port) = port else { return };
    let ports = [
        probe.http_get.as_mut().map(|action| &mut action.port),
        probe.tcp_socket.as_mut().map(|action| &mut action.port),
        probe.grpc.as_mut().map(|action| &mut action.port),
    ];
    for field in ports.into_iter().flatten() {
        fill(field, port);
    }
}

fn default_startup_probe(port: i32) -> Probe {
    Probe {
        timeout_seconds: Some(240),
        period_seconds: Some(240),
        failure_threshold: Some(1),
        tcp_socket: Some(TcpSocket { port: Some(port), host: None }),
        ..Probe::default()
    }
}

/// Whether the startup probe of the template is the one that the server fills in.
pub fn has_default_startup_probe(template: &RevisionTemplate) -> bool {
    let Some(container) = template.ingress_container() else { return false };
    let port = container.ports.first().and_then(|port| port.container_port).unwrap_or(DEFAULT_PORT);
    container.startup_probe.as_ref() == Some(&default_startup_probe(port))
}

/// The CPU of a container in thousandths; what cannot be read counts as one CPU and is refused by the
/// checks.
pub fn millicpus(container: &Container) -> u64 {
    container.limit("cpu").and_then(quantity::millicpus).unwrap_or(1000)
}
