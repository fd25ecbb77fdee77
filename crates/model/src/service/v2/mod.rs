//! How does a service arrive through v2 (`google.cloud.run.v2.Service`)?

mod container;
mod documented;
mod etag;
mod mask;
mod merge;
mod probe;
mod render;
mod sandbox;
mod source;
mod target;
mod template_wide;
mod volume;

use serde_json::Value;

use self::container::ContainerV2;
pub use self::documented::messages;
pub use self::etag::{check_etag, etag};
pub use self::mask::Mask;
pub(crate) use self::mask::{IDENTITY, STRUCTURE};
pub use self::merge::three_way;
pub(crate) use self::render::{condition, template_fields};
pub use self::render::{full_name, service, spec};
use self::template_wide::{Aliases, TemplateWide};
use self::volume::{CLOUDSQL, VolumeV2};
use super::values::{LAUNCH_STAGES, OTHER_LAUNCH_STAGES};
use super::{Map, RevisionTemplate, ServiceSettings, ServiceSpec, TemplateSettings};
use crate::error::{Error, Result, Violations};
use crate::field::Row;
use crate::message::{Kept, camel, from_json, take_at};

/// Fields that only the server writes: clients send back what they read, and it is left out.
pub(crate) const OUTPUT_ONLY: &[&str] = &[
    "uid",
    "generation",
    "createTime",
    "updateTime",
    "deleteTime",
    "expireTime",
    "creator",
    "lastModifier",
    "urls",
    "uri",
    "observedGeneration",
    "terminalCondition",
    "conditions",
    "latestReadyRevision",
    "latestCreatedRevision",
    "trafficStatuses",
    "satisfiesPzs",
    "threatDetectionEnabled",
    "reconciling",
];

/// Namespaces of labels and annotations that v2 has fields for.
const SYSTEM: &[&str] =
    &["run.googleapis.com/", "cloud.googleapis.com/", "serving.knative.dev/", "autoscaling.knative.dev/"];

/// The label of v1 that holds `multiRegionSettings.multiRegionId`.
const MULTI_REGION_LABEL: &str = "run.googleapis.com/multi-region-id";

/// Maps of the user's own keys, which stay as they are spelled.
const MAPS: &[&str] = &["labels", "annotations", "limits", "environmentVariables"];

/// What of a service, in the JSON of v2, the messages of a client can hold. JSON holds everything.
pub type View = fn(Value) -> Value;

/// What a v2 Service says, read and not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceBody {
    /// The full name, if one is given.
    pub name: Option<String>,
    /// The etag that the writer read, if it says so.
    pub etag: Option<String>,
    /// What is asked for, as v2 spells it, without what only the server writes.
    pub fields: Kept,
}

impl ServiceBody {
    /// Reads the outside of a v2 Service: its name and etag are taken off.
    ///
    /// # Errors
    /// 400 if it is no object.
    pub fn read(body: Value) -> Result<Self> {
        let mut fields = match camel_keys(body) {
            Value::Object(fields) => fields,
            Value::Null => Kept::new(),
            other => {
                return Err(Error::wrong_type(
                    "service",
                    "type.googleapis.com/google.cloud.run.v2.Service",
                    &other,
                ));
            }
        };
        for name in OUTPUT_ONLY {
            fields.remove(*name);
        }
        Ok(Self { name: text(&mut fields, "name")?, etag: text(&mut fields, "etag")?, fields })
    }

    /// The same, of a body that must not say which service it is about.
    ///
    /// # Errors
    /// 400 in the words of the hosted service if it does.
    pub fn without_name(self) -> Result<Self> {
        match self.name {
            None => Ok(self),
            Some(_) => Err(Error::field("service", "service.name must be empty on CreateServiceRequest.")),
        }
    }

    /// The specification that the body replaces `current` with, where `mask` says so. What v2 cannot say
    /// stays as it was, and so does what the messages of the client cannot hold: `view` is what of a
    /// service they can.
    ///
    /// # Errors
    /// 400 naming the fields that are unknown or of the wrong type.
    pub fn into_spec(self, mask: &Mask, current: Option<&ServiceSpec>, view: View) -> Result<ServiceSpec> {
        let Some(current) = current else { return parse(self.fields, "") };
        let aliases = current.template.settings.secrets.as_deref().unwrap_or_default();
        let stored_fields = Value::Object(spec(current)?);
        let shown_fields = view(stored_fields.clone());
        let before = shown_fields.as_object().cloned().unwrap_or_default();
        let asked = Value::Object(mask.apply(before, self.fields));
        let sent = match three_way(&stored_fields, &shown_fields, asked) {
            Value::Object(fields) => parse(fields, aliases)?,
            _ => ServiceSpec::default(),
        };
        let shown = parse(spec(current)?, aliases)?;
        let json = |spec: &ServiceSpec| serde_json::to_value(spec).map_err(Error::internal);
        let merged = three_way(&json(current)?, &json(&shown)?, json(&sent)?);
        serde_json::from_value(merged).map_err(Error::internal)
    }
}

/// Reads the fields of a v2 Service; `aliases` are the names that v1 has for secrets so far.
fn parse(mut fields: Kept, aliases: &str) -> Result<ServiceSpec> {
    let mut violations = Violations::default();
    let mut labels = user_map(&mut fields, "labels", "service", &mut violations)?;
    let annotations = user_map(&mut fields, "annotations", "service", &mut violations)?;
    if let Some(id) = text(&mut fields, "multiRegionSettings.multiRegionId")? {
        labels.insert(MULTI_REGION_LABEL.to_owned(), id);
    }
    let other = |stage: &Value| stage.as_str().is_some_and(|stage| OTHER_LAUNCH_STAGES.contains(&stage));
    if fields.get("launchStage").is_some_and(other) {
        fields.remove("launchStage");
        violations.add("service.launch_stage", LAUNCH_STAGES);
    }
    let mut settings = ServiceSettings::take_v2(&mut fields)?;
    settings.binary_authorization = binary_authorization(&mut fields)?;
    let traffic = target::read(fields.remove("traffic").unwrap_or_default(), &mut violations)?;
    let template = match fields.remove("template").unwrap_or_default() {
        Value::Object(template) => read_template(template, aliases, &mut violations)?,
        Value::Null => RevisionTemplate::default(),
        other => {
            let expected = "type.googleapis.com/google.cloud.run.v2.RevisionTemplate";
            return Err(Error::wrong_type("service.template", expected, &other));
        }
    };
    nothing_left(fields, "service", ServiceSettings::ROWS)?;
    violations.into_result()?;
    Ok(ServiceSpec { labels, annotations, settings, template, traffic })
}

fn read_template(mut fields: Kept, aliases: &str, violations: &mut Violations) -> Result<RevisionTemplate> {
    let at = "service.template";
    let name = text(&mut fields, "revision")?;
    let labels = user_map(&mut fields, "labels", at, violations)?;
    let annotations = user_map(&mut fields, "annotations", at, violations)?;
    let mut settings = TemplateSettings::take_v2(&mut fields)?;
    let mut wide = TemplateWide { secrets: Aliases::parse(aliases), ..TemplateWide::default() };
    let mut part = |name: &str| fields.remove(name).unwrap_or_default();
    let (containers, volumes, sandboxes) = (part("containers"), part("volumes"), part("sandboxes"));
    one_of_each(&containers, &volumes)?;
    let containers: Option<Vec<ContainerV2>> = from_json(containers, "service.template.containers")?;
    let containers = containers.unwrap_or_default();
    wide.read_cpu(&containers);
    let containers = containers.into_iter().map(|container| container.into_container(&mut wide)).collect();
    let volumes: Option<Vec<VolumeV2>> = from_json(volumes, "service.template.volumes")?;
    let volumes = volumes.unwrap_or_default();
    for (index, volume) in
        volumes.iter().enumerate().filter(|(_, volume)| volume.cloud_sql_instance.is_some())
    {
        violations.check(
            volume.name.as_deref() == Some(CLOUDSQL),
            format!("{at}.volumes[{index}].name"),
            "Cloud SQL volume must be named 'cloudsql'",
        );
    }
    let volumes = volumes.into_iter().filter_map(|volume| volume.into_volume(&mut wide)).collect();
    let mut other = Kept::new();
    if let Some(sandboxes) = sandbox::to_v1(sandboxes, &mut wide.secrets)? {
        other.insert("sandboxes".to_owned(), sandboxes);
    }
    wide.write(&mut settings);
    nothing_left(fields, at, TemplateSettings::ROWS)?;
    Ok(RevisionTemplate { name, labels, annotations, settings, containers, volumes, other })
}

/// `default` is the policy of the project, as v1 spells it.
fn binary_authorization(fields: &mut Kept) -> Result<Option<String>> {
    let at = "binaryAuthorization.useDefault";
    let use_default = match take_at(fields, at) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => return Err(Error::wrong_type(&format!("service.{at}"), "TYPE_BOOL", &other)),
    };
    match (use_default, text(fields, "binaryAuthorization.policy")?) {
        (true, Some(_)) => Err(oneof("service.binaryAuthorization", "binauthz_method", "policy")),
        (true, None) => Ok(Some("default".to_owned())),
        (false, policy) => Ok(policy),
    }
}

/// Fields of which a message has one at most.
const ONE_OF: &[(&str, &[&str])] = &[
    ("values", &["value", "valueSource"]),
    ("probe_type", &["httpGet", "tcpSocket", "grpc"]),
    ("volume_type", &["secret", "cloudSqlInstance", "emptyDir", "nfs", "gcs", "filestore"]),
    ("source_type", &["cloudStorageSource", "inlinedSource"]),
];

/// Refuses two fields of a oneof, as Google's JSON transcoder does.
fn one_of_each(containers: &Value, volumes: &Value) -> Result<()> {
    for (value, path) in [(containers, "service.template.containers"), (volumes, "service.template.volumes")]
    {
        check_one_of(value, path)?;
    }
    Ok(())
}

fn check_one_of(value: &Value, path: &str) -> Result<()> {
    match value {
        Value::Array(list) => list
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check_one_of(item, &format!("{path}[{index}]"))),
        Value::Object(fields) => {
            for (name, members) in ONE_OF {
                let mut set =
                    members.iter().filter(|member| fields.get(**member).is_some_and(|v| !v.is_null()));
                if let (Some(_), Some(second)) = (set.next(), set.next()) {
                    return Err(oneof(path, name, second));
                }
            }
            let own = fields.iter().filter(|(key, _)| !MAPS.contains(&key.as_str()));
            own.into_iter().try_for_each(|(key, value)| check_one_of(value, &format!("{path}.{key}")))
        }
        _ => Ok(()),
    }
}

fn oneof(path: &str, name: &str, second: &str) -> Error {
    Error::field(
        "",
        format!(
            "Invalid value at '{path}' (oneof), oneof field '{name}' is already set. Cannot set '{second}'"
        ),
    )
}

/// A map of the user's own labels or annotations. What v2 has a field for is refused.
fn user_map(fields: &mut Kept, name: &str, at: &str, violations: &mut Violations) -> Result<Map> {
    let path = format!("{at}.{name}");
    let map: Option<Map> = from_json(fields.remove(name).unwrap_or_default(), &path)?;
    let map = map.unwrap_or_default();
    if map.keys().any(|key| is_system(key)) {
        violations.add(path, format!("system {name} are not supported in Cloud Run API v2"));
    }
    Ok(map)
}

/// Whether v2 keeps the label or annotation from its users.
pub(super) fn is_system(key: &str) -> bool {
    SYSTEM.iter().any(|namespace| key.starts_with(namespace))
}

fn text(fields: &mut Kept, name: &str) -> Result<Option<String>> {
    match take_at(fields, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(other) => Err(Error::wrong_type(&format!("service.{name}"), "TYPE_STRING", &other)),
    }
}

/// Refuses what nobody took. A message whose fields are rows was emptied by them.
fn nothing_left(fields: Kept, at: &str, rows: &[Row]) -> Result<()> {
    for (name, value) in fields {
        let begin = format!("{name}.");
        let is_message = rows.iter().any(|row| row.v2.starts_with(&begin));
        match value {
            Value::Object(inner) if is_message => match inner.keys().next() {
                Some(key) => return Err(Error::unknown_field(&format!("{at}.{name}"), key)),
                None => continue,
            },
            Value::Null => {}
            other if is_message => {
                return Err(Error::wrong_type(&format!("{at}.{name}"), "a message", &other));
            }
            _ => return Err(Error::unknown_field(at, &name)),
        }
    }
    Ok(())
}

/// The same with every name in lower camel case: proto3 JSON takes `custom_audiences`, too.
fn camel_keys(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let camel = |(key, value): (String, Value)| {
                let key = camel(&key);
                let value = if MAPS.contains(&key.as_str()) { value } else { camel_keys(value) };
                (key, value)
            };
            Value::Object(fields.into_iter().map(camel).collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(camel_keys).collect()),
        other => other,
    }
}
