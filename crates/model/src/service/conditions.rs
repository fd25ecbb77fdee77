//! Which conditions do a service and its revisions show? Derived from facts, never set.

use super::{Failure, Service};
use crate::revision::{Revision, RevisionPhase};
use crate::time::Timestamp;

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is not known yet.
    Unknown,
}

/// How much a condition weighs. Only `Error` decides whether the resource is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The resource is not ready while the condition does not hold.
    Error,
    /// For information.
    Info,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its name, such as `Ready`.
    pub kind: &'static str,
    /// Whether it holds.
    pub status: Truth,
    /// How much it weighs.
    pub severity: Severity,
    /// Why, in upper camel case; none where the condition holds.
    pub reason: Option<String>,
    /// Why, in words.
    pub message: Option<String>,
    /// When the status changed last.
    pub changed: Timestamp,
}

/// Why a revision that gets no requests is not active, word for word.
const RETIRED: &str = "Revision retired.";

impl Condition {
    fn new(kind: &'static str, status: Truth, changed: Timestamp) -> Self {
        Self { kind, status, severity: Severity::Error, reason: None, message: None, changed }
    }

    fn because(mut self, reason: &str, message: &str) -> Self {
        self.reason = (!reason.is_empty()).then(|| reason.to_owned());
        self.message = (!message.is_empty()).then(|| message.to_owned());
        self
    }

    fn info(mut self) -> Self {
        self.severity = Severity::Info;
        self
    }
}

/// The conditions of a service: `Ready`, `ConfigurationsReady`, `RoutesReady`, in this order.
pub fn of_service(service: &Service) -> Vec<Condition> {
    let [configurations, routes] = [configurations_ready(service), routes_ready(service)];
    let ready = match (configurations.status, routes.status) {
        (Truth::True, Truth::True) => Condition { kind: "Ready", ..configurations.clone() },
        (Truth::False, _) | (Truth::Unknown, _) => Condition { kind: "Ready", ..configurations.clone() },
        (Truth::True, _) => Condition { kind: "Ready", ..routes.clone() },
    };
    vec![ready, configurations, routes]
}

/// The condition `ConfigurationsReady` of a service, which is `Ready` of its configuration.
pub fn configurations_ready(service: &Service) -> Condition {
    settled(service, "ConfigurationsReady", service.status.configuration_failure.as_ref())
}

/// The condition `RoutesReady` of a service, which is `Ready` of its route.
pub fn routes_ready(service: &Service) -> Condition {
    settled(service, "RoutesReady", service.status.route_failure.as_ref())
}

fn settled(service: &Service, kind: &'static str, failure: Option<&Failure>) -> Condition {
    if !service.is_settled() {
        return Condition::new(kind, Truth::Unknown, service.updated);
    }
    match failure {
        None => Condition::new(kind, Truth::True, service.status.settled),
        Some(failure) => Condition::new(kind, Truth::False, service.status.settled)
            .because(&failure.reason, &failure.message),
    }
}

/// The conditions of a revision; `routed` tells whether requests can reach it.
pub fn of_revision(revision: &Revision, routed: bool) -> Vec<Condition> {
    let mut conditions = without_min_instances(revision, routed);
    if revision.template.settings.min_instance_count.unwrap_or(0) > 0 {
        // In alphabetical order, as the hosted service has them.
        let place = conditions.iter().position(|condition| condition.kind == "ResourcesAvailable");
        conditions.insert(place.unwrap_or(conditions.len()), min_instances(revision, routed));
    }
    conditions
}

/// Whether the least number of instances is there, of a revision that has one.
fn min_instances(revision: &Revision, routed: bool) -> Condition {
    let condition = |status| Condition::new("MinInstancesProvisioned", status, revision.updated).info();
    match &revision.phase {
        RevisionPhase::Ready if routed => {
            let seconds = took(revision);
            condition(Truth::True)
                .because("", &format!("Min instances provisioned successfully in {seconds}."))
        }
        RevisionPhase::Pending => {
            condition(Truth::Unknown).because("Deploying", "Provisioning min instances.")
        }
        RevisionPhase::Ready | RevisionPhase::Failed(_) => {
            condition(Truth::False).because("NotProvisioned", "")
        }
    }
}

fn without_min_instances(revision: &Revision, routed: bool) -> Vec<Condition> {
    let at = revision.updated;
    let condition = |kind, status| Condition::new(kind, status, at);
    match &revision.phase {
        RevisionPhase::Pending => {
            let pending = |kind| condition(kind, Truth::Unknown);
            vec![
                pending("Ready").because("Deploying", "Deploying Revision."),
                pending("ContainerHealthy").because("Deploying", "Waiting for the container to start."),
                condition("ContainerReady", Truth::True),
                pending("ResourcesAvailable").because("Deploying", "Provisioning Revision instances."),
            ]
        }
        RevisionPhase::Ready if !routed => vec![
            condition("Ready", Truth::True).because("Retired", ""),
            condition("Active", Truth::False).because("Retired", RETIRED).info(),
            condition("ContainerHealthy", Truth::Unknown).because("Retired", ""),
            condition("ContainerReady", Truth::True),
            condition("ResourcesAvailable", Truth::Unknown).because("Retired", RETIRED),
        ],
        RevisionPhase::Ready => {
            let seconds = took(revision);
            vec![
                condition("Ready", Truth::True)
                    .because("", &format!("Deploying revision succeeded in {seconds}.")),
                condition("Active", Truth::True).info(),
                condition("ContainerHealthy", Truth::True)
                    .because("", &format!("Containers became healthy in {seconds}.")),
                condition("ContainerReady", Truth::True),
                condition("ResourcesAvailable", Truth::True),
            ]
        }
        RevisionPhase::Failed(failure) => {
            let failed = |kind| condition(kind, Truth::False).because(&failure.reason, &failure.message);
            vec![
                failed("Ready"),
                failed("ContainerHealthy"),
                condition("ContainerReady", Truth::True),
                failed("ResourcesAvailable"),
            ]
        }
    }
}

/// How long the revision took to come up, as messages spell it: `8.03s`.
fn took(revision: &Revision) -> String {
    let micros = revision.updated.micros() - revision.created.micros();
    format!("{}.{:02}s", micros / 1_000_000, micros % 1_000_000 / 10_000)
}
