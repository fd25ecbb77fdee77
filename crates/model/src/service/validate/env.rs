//! Which environment may a container have?

use super::super::container::{Container, EnvVar};
use crate::error::Violations;
use crate::field::FieldPath;

/// Environment variables that Cloud Run sets itself.
const RESERVED: &[&str] = &["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"];

/// The most that a value may have, in bytes.
const MAX_BYTES: usize = 32_768;

pub(super) fn check(container: &Container, at: &FieldPath, out: &mut Violations) {
    let names = || container.env.iter().filter_map(|variable| variable.name.as_deref());
    let reserved: Vec<&str> =
        RESERVED.iter().filter(|name| names().any(|given| given == **name)).copied().collect();
    let list = at.field("env");
    out.check(
        reserved.is_empty(),
        &list,
        format!(
            "The following reserved env names were provided: {}. These values are automatically set by the system.",
            reserved.join(", ")
        ),
    );
    for (index, variable) in container.env.iter().enumerate() {
        check_variable(variable, &list.index(index), out);
    }
    out.check(container.env_from.is_empty(), at.field("envFrom"), "is not supported by Cloud Run");
}

fn check_variable(variable: &EnvVar, at: &FieldPath, out: &mut Violations) {
    out.check(variable.name.is_some(), at.field("name"), "must not be empty");
    let length = variable.value.as_ref().map_or(0, String::len);
    out.check(length <= MAX_BYTES, at.field("value"), format!("length cannot exceed {MAX_BYTES}"));
    let both = variable.value.is_some() && variable.value_from.is_some();
    out.check(!both, at, "only one of value and valueFrom may be set");
    let source = variable.value_from.as_ref().and_then(|source| source.secret_key_ref.as_ref());
    let Some(secret) = source else { return };
    let at = at.differs("valueFrom", "valueSource").field("secretKeyRef");
    let alias = secret.local_object_reference.as_ref().and_then(|reference| reference.name.as_ref());
    out.check(secret.name.is_some() || alias.is_some(), at.differs("name", "secret"), "must not be empty");
    let version = secret.key.as_deref().unwrap_or_default();
    out.check(
        version.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        at.differs("key", "version"),
        "should have only alphanumeric characters",
    );
}
