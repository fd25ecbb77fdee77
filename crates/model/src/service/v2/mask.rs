//! Which fields does a write through v2 change?

use serde_json::Value;

use super::container::ContainerV2;
use super::sandbox::SandboxesV2;
use super::target::TargetV2;
use super::volume::VolumeV2;
use crate::error::{Error, Result};
use crate::field::{Row, Spelling};
use crate::message::{Kept, camel, put_at, take_at};
use crate::schema::Schema as _;
use crate::service::{Map, ServiceSettings, TemplateSettings};

/// A field, by its path, and the schema of its type.
type Field = (&'static str, fn() -> Value);

/// Fields that no row of the tables is.
pub(crate) const STRUCTURE: &[Field] = &[
    ("labels", Map::schema),
    ("annotations", Map::schema),
    ("traffic", Vec::<TargetV2>::schema),
    ("binaryAuthorization.useDefault", bool::schema),
    ("binaryAuthorization.policy", String::schema),
    ("multiRegionSettings.multiRegionId", String::schema),
    ("template.revision", String::schema),
    ("template.labels", Map::schema),
    ("template.annotations", Map::schema),
    ("template.containers", Vec::<ContainerV2>::schema),
    ("template.volumes", Vec::<VolumeV2>::schema),
    ("template.sandboxes", SandboxesV2::schema),
];

/// Fields that say which service is meant, and in which state: no mask changes them.
pub(crate) const IDENTITY: &[&str] = &["name", "etag"];

/// What a write changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// Everything: the body replaces what was there.
    Everything,
    /// Nothing: the hosted service takes `*` so.
    Nothing,
    /// These fields, spelled as in JSON.
    Fields(Vec<String>),
}

impl Mask {
    /// Reads a field mask, such as `customAudiences,template.containers` or `custom_audiences`.
    ///
    /// # Errors
    /// 400 naming the path that is no field of a service.
    pub fn parse(text: &str) -> Result<Self> {
        let paths: Vec<&str> = text.split(',').map(str::trim).filter(|path| !path.is_empty()).collect();
        match paths.as_slice() {
            [] => return Ok(Self::Everything),
            ["*"] => return Ok(Self::Nothing),
            _ => {}
        }
        let mut fields = Vec::new();
        for path in paths {
            let camel = path.split('.').map(camel).collect::<Vec<_>>().join(".");
            if super::OUTPUT_ONLY.contains(&camel.as_str()) || IDENTITY.contains(&camel.as_str()) {
                continue;
            }
            if !is_field(&camel) {
                return Err(Error::field("update_mask", format!("Invalid update mask path: {path}")));
            }
            fields.push(camel);
        }
        Ok(if fields.is_empty() { Self::Nothing } else { Self::Fields(fields) })
    }

    /// What is asked for: `current` with the fields of the mask taken from `sent`; one that was not sent
    /// is unset.
    pub fn apply(&self, mut current: Kept, mut sent: Kept) -> Kept {
        match self {
            Self::Everything => sent,
            Self::Nothing => current,
            Self::Fields(paths) => {
                for path in paths {
                    match take_at(&mut sent, path) {
                        Some(value) if !value.is_null() => put_at(&mut current, path, value),
                        _ => drop::<Option<Value>>(take_at(&mut current, path)),
                    }
                }
                current
            }
        }
    }
}

/// Whether `path` is a field, or a message that has fields.
fn is_field(path: &str) -> bool {
    let own = |row: &&Row| row.spelling != Spelling::Parts;
    let service = ServiceSettings::ROWS.iter().filter(own).map(|row| row.v2.to_owned());
    let template = TemplateSettings::ROWS.iter().filter(own).map(|row| format!("template.{}", row.v2));
    let fields = service.chain(template).chain(STRUCTURE.iter().map(|(path, _)| (*path).to_owned()));
    fields
        .into_iter()
        .any(|field| field.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}
