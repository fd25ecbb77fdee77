//! Does the service model keep its rules? This file builds what the tests are given.

mod bodies;
mod defaults;
mod fields;
mod generate;
mod laws;
mod plan;
mod routed;
mod status;
mod v1_parse;
mod v1_render;
mod v2;
mod validate;

use serde_json::{Value, json};
use uuid::Uuid;

use super::plan::{Current, Plan, RevisionPolicy, Writer};
use super::{Failure, Service, ServiceId, ServiceSpec, reconcile, v1};
use crate::error::{Error, Result};
use crate::field::{Api, Level, Place, Row};
use crate::name::{Project, Region, ServiceName};
use crate::revision::{Revision, RevisionPhase};
use crate::time::Timestamp;
use crate::url::{UrlConfig, UrlStyle};

/// The moment of the first write: 2026-08-16T09:23:43.639166Z.
const START: i64 = 1_786_872_223_639_166;

/// A change of a JSON body: the path, its parts separated by blanks, and the value; null removes the key.
type Edit<'a> = (&'a str, Value);

fn id() -> ServiceId {
    ServiceId {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse("us-central1").unwrap(),
        name: ServiceName::parse("hello", "metadata.name").unwrap(),
    }
}

fn urls() -> UrlConfig {
    UrlConfig { style: UrlStyle::Hosted, port: 8786 }
}

/// The least that a service can be, with `edits`.
fn body(edits: &[Edit<'_>]) -> Value {
    let mut body = json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": { "name": "hello", "namespace": "demo-project" },
        "spec": { "template": { "spec": { "containers": [{ "image": "gcr.io/demo/hello" }] } } },
    });
    for (path, value) in edits {
        set(&mut body, path, value.clone());
    }
    body
}

fn set(body: &mut Value, path: &str, value: Value) {
    let (parents, last) = path.rsplit_once(' ').unwrap_or(("", path));
    let place = parents.split_whitespace().fold(body, |place, part| match part.parse::<usize>() {
        Ok(index) => {
            if place.is_null() {
                *place = json!([]);
            }
            let list = place.as_array_mut().unwrap();
            if list.len() <= index {
                list.resize(index + 1, json!({}));
            }
            &mut list[index]
        }
        Err(_) => {
            if place.is_null() {
                *place = json!({});
            }
            place.as_object_mut().unwrap().entry(part).or_insert(Value::Null)
        }
    });
    if place.is_null() {
        *place = json!({});
    }
    match value {
        Value::Null => drop(place.as_object_mut().unwrap().remove(last)),
        value => drop(place.as_object_mut().unwrap().insert(last.to_owned(), value)),
    }
}

fn spec(edits: &[Edit<'_>]) -> ServiceSpec {
    v1::parse(body(edits)).unwrap().spec
}

/// Where `row` stands in a v1 body, as a path of an [`Edit`].
fn place(row: &Row) -> String {
    match (row.v1, row.level) {
        (Place::Annotation(key), Level::Service) => format!("metadata annotations {key}"),
        (Place::Annotation(key), Level::Template) => format!("spec template metadata annotations {key}"),
        (Place::Spec(key), _) => format!("spec template spec {key}"),
        (Place::NodeSelector(key), _) => format!("spec template spec nodeSelector {key}"),
    }
}

/// The violations of a refusal, one a line.
fn lines(error: &Error) -> String {
    let line = |violation: &crate::Violation| format!("{}: {}", violation.field, violation.description);
    error.violations.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn failure() -> Failure {
    Failure { reason: "HealthCheckContainerError".to_owned(), message: "It did not listen.".to_owned() }
}

/// A service, its revisions and the clock.
struct World {
    policy: RevisionPolicy,
    now: i64,
    expected: Option<i64>,
    suffix: &'static str,
    force_new_revision: bool,
    service: Option<Service>,
    revisions: Vec<Revision>,
}

impl World {
    fn new(policy: RevisionPolicy) -> Self {
        Self {
            policy,
            now: START,
            expected: None,
            suffix: "abc",
            force_new_revision: false,
            service: None,
            revisions: Vec::new(),
        }
    }

    /// A world in which `edits` were deployed and the revision is ready.
    fn ready(policy: RevisionPolicy, edits: &[Edit<'_>]) -> Self {
        let mut world = Self::new(policy);
        world.write(edits).unwrap();
        world.settle(RevisionPhase::Ready);
        world
    }

    fn write(&mut self, edits: &[Edit<'_>]) -> Result<Plan> {
        self.write_spec(spec(edits))
    }

    /// Plans the write and carries it out.
    fn write_spec(&mut self, spec: ServiceSpec) -> Result<Plan> {
        let writer = Writer {
            email: "dev@example.com",
            now: Timestamp::from_micros(self.now),
            api: Api::V1,
            policy: self.policy,
            expected: self.expected,
            service_uid: Uuid::from_u128(0x51),
            revision_uid: Uuid::from_u128(0xa0 + self.revisions.len() as u128),
            operation: Uuid::from_u128(0x0b),
            force_new_revision: self.force_new_revision,
            suffix: self.suffix,
        };
        let named = |revision: &&Revision| spec.template.name.as_deref() == Some(revision.name.as_str());
        let named = self.revisions.iter().find(named);
        let current = self.service.as_ref().map(|service| Current { service, named });
        let plan = super::plan::plan(&id(), current, spec, &writer)?;
        self.service = Some(plan.service.clone());
        self.revisions.extend(plan.revision.clone());
        self.now += 1_000_000;
        Ok(plan)
    }

    /// Moves the newest revision on, and the service with it.
    fn settle(&mut self, phase: RevisionPhase) {
        let now = Timestamp::from_micros(self.now);
        if let Some(newest) = self.revisions.last_mut() {
            newest.phase = phase;
            newest.updated = now;
        }
        self.reconcile();
    }

    /// Whether reconciling changed the status.
    fn reconcile(&mut self) -> bool {
        let phase =
            |one: &Revision| (one.name.to_string(), (one.configuration_generation, one.phase.clone()));
        let phases = self.revisions.iter().map(phase).collect();
        let status = reconcile::reconcile(self.service(), &phases, Timestamp::from_micros(self.now));
        let changed = status.is_some();
        if let (Some(status), Some(service)) = (status, self.service.as_mut()) {
            service.status = status;
        }
        changed
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }
}
