//! How does v2 spell sandbox templates?
//!
//! Both APIs keep them as a list of messages that look like containers; only the sources of variables are
//! spelled differently.

use serde_json::{Value, json};

use super::container::{EnvVarV2, VolumeMountV2};
use super::template_wide::Aliases;
use crate::error::{Error, Result};
use crate::kind::write;
use crate::message::{from_json, message, message_field};
use crate::service::container::{EnvVar, VolumeMount};

message! {
    /// The sandboxes that a revision may start, in v2.
    pub(super) struct SandboxesV2 {
        /// The templates.
        templates: Vec<SandboxV2>,
    }
}

message! {
    /// A template of sandboxes, in v2.
    pub(super) struct SandboxV2 {
        /// Its name.
        name: Option<String>,
        /// The image.
        image: Option<String>,
        /// Replaces the entry point.
        command: Vec<String>,
        /// Replaces the arguments.
        args: Vec<String>,
        /// Its environment.
        env: Vec<EnvVarV2>,
        /// Where volumes appear.
        volume_mounts: Vec<VolumeMountV2>,
        /// Its working directory.
        working_dir: Option<String>,
    }
}

message! {
    /// What the two APIs spell differently, in v1.
    pub(super) struct SandboxV1 {
        /// Its environment.
        env: Vec<EnvVar>,
        /// Where volumes appear.
        volume_mounts: Vec<VolumeMount>,
    }
}

message_field!(SandboxesV2);

/// What v1 keeps in `spec.sandboxes`.
///
/// # Errors
/// 400 naming the field that is unknown or of the wrong type.
pub(super) fn to_v1(sandboxes: Value, secrets: &mut Aliases) -> Result<Option<Value>> {
    let sandboxes: Option<SandboxesV2> = from_json(sandboxes, "service.template.sandboxes")?;
    let Some(sandboxes) = sandboxes else { return Ok(None) };
    let mut templates = Vec::new();
    for mut template in sandboxes.templates {
        let env = std::mem::take(&mut template.env);
        let mounts = std::mem::take(&mut template.volume_mounts);
        let own = SandboxV1 {
            env: env.into_iter().map(|variable| variable.into_variable(secrets)).collect(),
            volume_mounts: mounts.into_iter().map(VolumeMountV2::into_mount).collect(),
        };
        templates.push(joined(write(&template)?, write(&own)?));
    }
    Ok(Some(json!({ "templates": templates })))
}

/// What v2 shows of `spec.sandboxes`; nothing if v1 keeps there what v2 cannot say.
pub(super) fn to_v2(sandboxes: &Value, secrets: &Aliases) -> Result<Option<Value>> {
    let Some(templates) = sandboxes.get("templates").and_then(Value::as_array) else { return Ok(None) };
    let mut shown = Vec::new();
    for template in templates {
        let mut rest = template.clone();
        let Some(fields) = rest.as_object_mut() else { return Ok(None) };
        let mut part = |name: &str| fields.remove(name).unwrap_or_default();
        let own = json!({ "env": part("env"), "volumeMounts": part("volumeMounts") });
        let Ok(own) = from_json::<SandboxV1>(own, "") else { return Ok(None) };
        let Ok(mut template) = from_json::<SandboxV2>(rest, "") else { return Ok(None) };
        template.env = own.env.iter().map(|variable| EnvVarV2::of(variable, secrets)).collect();
        template.volume_mounts = own.volume_mounts.iter().map(VolumeMountV2::of).collect();
        shown.push(template);
    }
    serde_json::to_value(SandboxesV2 { templates: shown }).map(Some).map_err(Error::internal)
}

fn joined(mut one: Value, other: Value) -> Value {
    if let (Some(one), Value::Object(other)) = (one.as_object_mut(), other) {
        one.extend(other);
    }
    one
}
