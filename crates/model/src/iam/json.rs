//! How is a policy spelled in JSON?

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::{Binding, Condition, Policy};
use crate::error::{Error, Result};

/// Reads the standard alphabet, padded or not. What it writes is padded.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads an etag in either alphabet: gcloud sends back the URL-safe one for what it was given in the standard one.
fn decode_etag(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// The etag as JSON: standard alphabet, padded.
pub(super) mod etag {
    use base64::Engine as _;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(in crate::iam) fn serialize<S: Serializer>(etag: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::BASE64.encode(etag))
    }

    pub(in crate::iam) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::decode_etag(&text).ok_or_else(|| de::Error::custom("the etag is not base64"))
    }
}

impl Policy {
    /// Reads the policy of a request; `path` is its field there: `policy`.
    ///
    /// # Errors
    /// 400 in the words of Google's JSON transcoder for unknown fields and wrong types; 400 for audit
    /// configurations, which are not emulated.
    pub fn from_json(value: &Value, path: &str) -> Result<Self> {
        let mut policy = Self { version: 0, bindings: Vec::new(), etag: Vec::new() };
        for (key, value) in fields(value, path)? {
            let at = format!("{path}.{key}");
            match key.as_str() {
                "version" => policy.version = integer(value, &at)?,
                "bindings" => policy.bindings = list(value, &at, binding)?,
                "etag" => {
                    policy.etag = decode_etag(text(value, &at)?)
                        .ok_or_else(|| Error::invalid_value(&at, "TYPE_BYTES"))?;
                }
                "auditConfigs" | "audit_configs" if value.as_array().is_some_and(Vec::is_empty) => {}
                "auditConfigs" | "audit_configs" => {
                    return Err(Error::field(
                        at,
                        "audit configurations are not emulated by groundrun; leave them out.",
                    ));
                }
                _ => return Err(Error::unknown_field(path, key)),
            }
        }
        Ok(policy)
    }

    /// The policy as the API answers it.
    pub fn to_json(&self) -> Value {
        // Strings, integers and lists of them always have a JSON form.
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn binding(value: &Value, path: &str) -> Result<Binding> {
    let mut binding = Binding { role: String::new(), members: Vec::new(), condition: None };
    for (key, value) in fields(value, path)? {
        let at = format!("{path}.{key}");
        match key.as_str() {
            "role" => text(value, &at)?.clone_into(&mut binding.role),
            "members" => binding.members = list(value, &at, |value, at| Ok(text(value, at)?.to_owned()))?,
            "condition" => binding.condition = Some(condition(value, &at)?),
            _ => return Err(Error::unknown_field(path, key)),
        }
    }
    Ok(binding)
}

fn condition(value: &Value, path: &str) -> Result<Condition> {
    let mut condition = Condition::default();
    for (key, value) in fields(value, path)? {
        let text = text(value, &format!("{path}.{key}"));
        match key.as_str() {
            "expression" => text?.clone_into(&mut condition.expression),
            "title" => text?.clone_into(&mut condition.title),
            "description" => text?.clone_into(&mut condition.description),
            "location" => text?.clone_into(&mut condition.location),
            _ => return Err(Error::unknown_field(path, key)),
        }
    }
    Ok(condition)
}

/// The fields of an object that are there: null is absent.
fn fields<'a>(value: &'a Value, path: &str) -> Result<impl Iterator<Item = (&'a String, &'a Value)>> {
    let object: &Map<_, _> =
        value.as_object().ok_or_else(|| Error::invalid_value(path, "an object is expected"))?;
    Ok(object.iter().filter(|(_, value)| !value.is_null()))
}

fn list<T>(value: &Value, path: &str, read: impl Fn(&Value, &str) -> Result<T>) -> Result<Vec<T>> {
    let items = value.as_array().ok_or_else(|| Error::invalid_value(path, "a list is expected"))?;
    items.iter().enumerate().map(|(i, item)| read(item, &format!("{path}[{i}]"))).collect()
}

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str> {
    value.as_str().ok_or_else(|| Error::invalid_value(path, "TYPE_STRING"))
}

/// An integer, or one in a string, which protobuf's JSON allows.
fn integer(value: &Value, path: &str) -> Result<i32> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    number
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| Error::invalid_value(path, "TYPE_INT32"))
}
