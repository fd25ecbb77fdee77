//! What must be written when a user creates or replaces a service, and does it cut a revision?
//!
//! The plan is a value: it is computed from the present state, what is asked for, and ids and a moment
//! that the caller draws. Planning a second time what was carried out plans nothing.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Map, Service, ServiceId, ServiceSettings, ServiceSpec, ServiceStatus, defaults, validate};
use crate::error::{Code, Error, Result};
use crate::field::{Api, Change, Row, V1Parts};
use crate::kind::{Key, Resource, Write};
use crate::name::RevisionName;
use crate::operation::{Operation, Verb};
use crate::revision::{Revision, RevisionPhase};
use crate::time::Timestamp;

/// Which changes cut a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevisionPolicy {
    /// Every change of the configuration: the template and the service-level settings. Traffic, tags and
    /// access are not configuration.
    #[default]
    EveryChange,
    /// The template only, as the hosted service was observed to do.
    Template,
}

/// What is there before the write.
#[derive(Debug, Clone, Copy)]
pub struct Current<'a> {
    /// The service.
    pub service: &'a Service,
    /// The revision that has the name which the new template asks for, if there is one.
    pub named: Option<&'a Revision>,
}

/// Who writes, when, through which API, and the ids for what may be created.
#[derive(Debug, Clone)]
pub struct Writer<'a> {
    /// The email of the caller.
    pub email: &'a str,
    /// The moment of the write.
    pub now: Timestamp,
    /// The API that the request came through.
    pub api: Api,
    /// Which changes cut a revision.
    pub policy: RevisionPolicy,
    /// The version that the writer read, if it said so.
    pub expected: Option<i64>,
    /// For a new service.
    pub service_uid: Uuid,
    /// For a new revision.
    pub revision_uid: Uuid,
    /// For the operation that the write is.
    pub operation: Uuid,
    /// Whether a revision is cut even if nothing has changed.
    pub force_new_revision: bool,
    /// Three characters for the name of a new revision.
    pub suffix: &'a str,
}

/// What a write comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The service after the write.
    pub service: Service,
    /// The revision that is cut, if one is.
    pub revision: Option<Revision>,
    /// The operation that the write is; one that changes nothing is done.
    pub operation: Operation,
    /// What must be committed, all or nothing; empty if the write changes nothing.
    pub writes: Vec<Write>,
}

/// Plans the creation of a service (`current` is `None`) or its replacement.
///
/// # Errors
/// 400 for fields that are wrong, 409 ABORTED for a version that is not current, 409 ALREADY_EXISTS for
/// a revision name that is taken by another configuration.
pub fn plan(
    id: &ServiceId,
    current: Option<Current<'_>>,
    asked: ServiceSpec,
    writer: &Writer<'_>,
) -> Result<Plan> {
    let mut spec = asked;
    defaults::fill(&mut spec, id);
    validate::check(&spec, id, writer.api)?;
    let before = current.map(|current| current.service);
    if let (Some(before), Some(expected)) = (before, writer.expected)
        && before.updated.micros() != expected
    {
        return Err(Error::conflict(id.name.as_str(), expected, before.updated.micros()));
    }
    let cut = cut(id, current, &spec, writer)?;
    match before {
        Some(before) if before.spec == spec && cut.is_none() => {
            let operation = Operation::on_service(writer.operation, Verb::Update, before, writer.now).done();
            Ok(Plan { service: before.clone(), revision: None, operation, writes: Vec::new() })
        }
        _ => carry_out(id, before, spec, cut, writer),
    }
}

/// A revision that must be cut.
struct Cut {
    /// The name that the template asks for.
    name: Option<RevisionName>,
    /// The settings whose change is the cause.
    causes: Vec<String>,
}

/// Whether the write cuts a revision.
fn cut(
    id: &ServiceId,
    current: Option<Current<'_>>,
    spec: &ServiceSpec,
    writer: &Writer<'_>,
) -> Result<Option<Cut>> {
    let path = writer.api.revision_name_path();
    let name =
        spec.template.name.as_deref().map(|name| RevisionName::parse(name, &id.name, path)).transpose()?;
    let Some(current) = current else { return Ok(Some(Cut { name, causes: Vec::new() })) };
    let before = &current.service.spec;
    let mut causes = before.template.changes(&spec.template);
    if let Some(named) = current.named {
        // A template that pins the name of an existing revision means that very revision: what changes
        // at service level applies at once, and another template needs another name.
        return if named.template.changes(&spec.template).is_empty() && !writer.force_new_revision {
            Ok(None)
        } else {
            Err(revision_exists(&named.name))
        };
    }
    if spec.template.name != before.template.name {
        causes.push(Api::V1.revision_name_path().to_owned());
    }
    if writer.policy == RevisionPolicy::EveryChange {
        causes.extend(service_level_changes(before, spec));
    }
    Ok((!causes.is_empty() || writer.force_new_revision).then_some(Cut { name, causes }))
}

/// The service-level parts of the configuration in which two specifications differ, as v1 spells their
/// paths: causes are kept with the revision and read through either API.
fn service_level_changes(before: &ServiceSpec, after: &ServiceSpec) -> Vec<String> {
    let rows = before.settings.changes(&after.settings);
    let mut changes: Vec<String> = rows.iter().map(|row| row.path(Api::V1)).collect();
    if before.labels != after.labels {
        changes.push(Api::V1.metadata().field("labels").into());
    }
    if before.annotations != after.annotations {
        changes.push(Api::V1.metadata().field("annotations").into());
    }
    changes
}

fn revision_exists(name: &RevisionName) -> Error {
    Error::new(
        Code::AlreadyExists,
        format!("Revision named '{name}' with different configuration already exists."),
    )
    .hint("give the template another name, or none so that the server names the revision")
}

/// The state after the write, and the writes that reach it.
fn carry_out(
    id: &ServiceId,
    before: Option<&Service>,
    spec: ServiceSpec,
    cut: Option<Cut>,
    writer: &Writer<'_>,
) -> Result<Plan> {
    // Versions never go back, even if the clock does.
    let now = before.map_or(writer.now, |service| service.updated.advance(writer.now));
    let mut service = match before {
        Some(before) => Service {
            generation: before.generation + 1,
            updated: now,
            last_modifier: writer.email.to_owned(),
            operation: Some(writer.operation),
            spec,
            ..before.clone()
        },
        None => Service {
            id: id.clone(),
            uid: writer.service_uid,
            generation: 1,
            created: now,
            updated: now,
            creator: writer.email.to_owned(),
            last_modifier: writer.email.to_owned(),
            operation: Some(writer.operation),
            spec,
            status: ServiceStatus::default(),
        },
    };
    let revision = cut.map(|cut| cut_revision(&mut service, cut, now, writer));
    let record = service.to_record()?;
    let mut writes = vec![match before {
        Some(before) => Write::Update { record, expected: before.updated.micros() },
        None => Write::Insert(record),
    }];
    if let Some(revision) = &revision {
        writes.push(Write::Insert(revision.to_record()?));
    }
    let verb = if before.is_some() { Verb::Update } else { Verb::Create };
    let operation = Operation::on_service(writer.operation, verb, &service, now);
    writes.push(Write::Insert(operation.to_record()?));
    Ok(Plan { service, revision, operation, writes })
}

fn cut_revision(service: &mut Service, cut: Cut, now: Timestamp, writer: &Writer<'_>) -> Revision {
    let status = &mut service.status;
    status.configuration_generation += 1;
    let number = status.configuration_generation;
    let name = cut.name.unwrap_or_else(|| RevisionName::generated(&service.id.name, number, writer.suffix));
    status.latest_created = Some(name.clone());
    Revision {
        service: service.id.clone(),
        name,
        uid: writer.revision_uid,
        service_uid: service.uid,
        created: now,
        updated: now,
        configuration_generation: number,
        creator: service.last_modifier.clone(),
        template: service.spec.template.clone(),
        inherited: inherited(&service.spec, writer.policy),
        causes: cut.causes,
        phase: RevisionPhase::Pending,
    }
}

/// The service-level settings that a new revision shows among its annotations: all that are in force
/// under `every-change`, and under `template` the launch stage only, as in the hosted service.
fn inherited(spec: &ServiceSpec, policy: RevisionPolicy) -> Map {
    let mut parts = V1Parts::default();
    match policy {
        RevisionPolicy::EveryChange => {
            parts.annotations.clone_from(&spec.annotations);
            spec.settings.put_v1(&mut parts);
        }
        RevisionPolicy::Template => {
            let launch_stage = spec.settings.launch_stage;
            ServiceSettings { launch_stage, ..ServiceSettings::default() }.put_v1(&mut parts);
        }
    }
    let remarks = ServiceSettings::ROWS.iter().filter(|row| row.change == Change::Remark);
    for key in remarks.filter_map(Row::annotation) {
        parts.annotations.remove(key);
    }
    parts.annotations
}

/// The writes that delete a service with its revisions and its policy, whose etag is `policy`. The
/// operations that are under way on it end with it.
///
/// # Errors
/// 500 if an operation cannot be written as JSON.
pub fn delete(
    service: &Service,
    revisions: Vec<Key>,
    policy: Option<Vec<u8>>,
    running: Vec<Operation>,
    operation: &Operation,
) -> Result<Vec<Write>> {
    let own = Write::Delete { key: service.id.key(), expected: Some(service.updated.micros()) };
    let policy = policy.map(|etag| Write::SetPolicy {
        resource: service.id.to_string(),
        policy: None,
        expected: Some(etag),
        etag: Vec::new(),
    });
    let revisions = revisions.into_iter().map(|key| Write::Delete { key, expected: None });
    let mut writes: Vec<Write> = std::iter::once(own).chain(revisions).chain(policy).collect();
    for running in running {
        let expected = running.updated.micros();
        writes.push(Write::Update { record: running.abandon(operation.created).to_record()?, expected });
    }
    writes.push(Write::Insert(operation.to_record()?));
    Ok(writes)
}
