//! Which JSON may stand in a field? The schema of each type, in the words of JSON Schema.
//!
//! The schemas follow from the tables and the messages and are nowhere written by hand: the document that
//! the server publishes is made of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A type that a field of a message has.
pub trait Schema {
    /// The JSON that is accepted. What is accepted besides, such as an integer in a string, is left out:
    /// a schema is for those who write.
    fn schema() -> Value;

    /// The fields of a message: the name of each in JSON, and what it says. A plain value has none.
    fn fields() -> Vec<(String, &'static str)> {
        Vec::new()
    }
}

impl Schema for String {
    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

impl Schema for bool {
    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl Schema for i32 {
    fn schema() -> Value {
        json!({ "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX })
    }
}

impl Schema for crate::message::Int64 {
    fn schema() -> Value {
        json!({ "type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX })
    }
}

impl Schema for Value {
    fn schema() -> Value {
        json!({})
    }
}

impl Schema for Map<String, Value> {
    fn schema() -> Value {
        json!({ "type": "object" })
    }
}

impl Schema for BTreeMap<String, String> {
    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": { "type": "string" } })
    }
}

impl<T: Schema> Schema for Option<T> {
    fn schema() -> Value {
        T::schema()
    }
}

impl<T: Schema> Schema for Vec<T> {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// The schema of a message with these fields and no others.
pub(crate) fn object(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// Puts the schema of the field at a path such as `scaling.minInstanceCount`; the messages on the way are
/// made.
pub(crate) fn put(message: &mut Value, path: &str, schema: Value) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(properties) = message.get_mut("properties").and_then(Value::as_object_mut) else { return };
    match rest {
        None => {
            properties.insert(name.to_owned(), schema);
        }
        Some(rest) => put(properties.entry(name).or_insert_with(|| object(Map::new())), rest, schema),
    }
}
