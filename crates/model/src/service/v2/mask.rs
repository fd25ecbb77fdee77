//! Which fields does a write through v2 change?

use serde_json::Value;

use crate::error::{Error, Result};
use crate::field::{Row, Spelling};
use crate::message::{Kept, put_at, take_at};
use crate::service::{ServiceSettings, TemplateSettings};

/// Fields that no row of the tables is.
const STRUCTURE: &[&str] = &[
    "labels",
    "annotations",
    "traffic",
    "binaryAuthorization.useDefault",
    "binaryAuthorization.policy",
    "multiRegionSettings.multiRegionId",
    "template.revision",
    "template.labels",
    "template.annotations",
    "template.containers",
    "template.volumes",
    "template.sandboxes",
];

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
            if super::OUTPUT_ONLY.contains(&camel.as_str()) || ["name", "etag"].contains(&camel.as_str()) {
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
    let fields = service.chain(template).chain(STRUCTURE.iter().map(|path| (*path).to_owned()));
    fields
        .into_iter()
        .any(|field| field.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// A name in lower camel case: JSON spells fields so, protocol buffers with underscores.
pub(super) fn camel(name: &str) -> String {
    let mut upper = false;
    let mut text = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                text.extend(letter.to_uppercase());
                upper = false;
            }
            _ => text.push(letter),
        }
    }
    text
}
