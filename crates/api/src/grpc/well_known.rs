//! How are protobuf's own messages spelled in JSON: moments, durations, field masks, messages of any type?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_types::{Any, Duration, FieldMask, Timestamp};
use serde_json::{Map, Value, json};

use super::json::{Json, Mismatch, Taken, json_name, object};
use super::messages::KNOWN;

/// What stands before the name of a message in the type of an `Any`.
const TYPE_URL: &str = "type.googleapis.com/";

/// The seconds since the epoch of the years 1 to 9999, which are the moments that have a spelling.
const MOMENTS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The seconds of the longest duration that has a spelling, which is 10,000 years.
const LONGEST: i64 = 315_576_000_000;

impl Json for Timestamp {
    fn to_json(&self) -> Value {
        if MOMENTS.contains(&self.seconds) {
            return self.to_string().into();
        }
        // It has no spelling: what is no moment is for the reader to refuse.
        self.seconds.to_string().into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        let text = String::from_json(value)?;
        text.parse().map_err(|_| Mismatch::new(format!("'{text}' is not a moment")))
    }
}

impl Json for Duration {
    fn to_json(&self) -> Value {
        if (-LONGEST..=LONGEST).contains(&self.seconds) {
            return self.to_string().into();
        }
        format!("{}s", self.seconds).into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        let text = String::from_json(value)?;
        text.parse().map_err(|_| Mismatch::new(format!("'{text}' is not a duration")))
    }
}

impl Json for FieldMask {
    fn to_json(&self) -> Value {
        let path = |path: &String| {
            let camel: Vec<String> = path.split('.').map(json_name).collect();
            let camel = camel.join(".");
            // A path that would not come back, such as the key of a map, stays as it is.
            if proto_path(&camel) == *path { camel } else { path.clone() }
        };
        let paths: Vec<String> = self.paths.iter().map(path).collect();
        paths.join(",").into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        let text = String::from_json(value)?;
        Ok(Self { paths: text.split(',').filter(|path| !path.is_empty()).map(proto_path).collect() })
    }
}

fn proto_path(path: &str) -> String {
    let mut snake = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// A message of a type that is known is spelled with its own fields, as the hosted service answers.
impl Json for Any {
    fn to_json(&self) -> Value {
        let known = wire_of(&self.type_url).and_then(|wire| wire.read(&self.value).ok());
        let mut fields = match known {
            Some(Value::Object(fields)) => fields,
            _ => Map::from_iter([("value".to_owned(), json!(STANDARD.encode(&self.value)))]),
        };
        fields.insert("@type".to_owned(), self.type_url.as_str().into());
        Value::Object(fields)
    }

    fn from_json(value: &Value) -> Taken<Self> {
        let fields = object(value)?;
        let type_url = fields.get("@type").and_then(Value::as_str).unwrap_or_default();
        let bytes = match (wire_of(type_url), fields.get("value")) {
            (Some(wire), _) => wire.write(value)?,
            (None, Some(bytes)) => Vec::from_json(bytes)?,
            (None, None) => return Err(Mismatch::new(format!("'{type_url}' is not a type that is known"))),
        };
        Ok(Self { type_url: type_url.to_owned(), value: bytes })
    }
}

fn wire_of(type_url: &str) -> Option<super::message::Wire> {
    let name = type_url.strip_prefix(TYPE_URL)?;
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, wire)| *wire)
}

/// `google.protobuf.Empty`.
impl Json for () {
    fn to_json(&self) -> Value {
        json!({})
    }

    fn from_json(value: &Value) -> Taken<Self> {
        object(value).map(|_| ())
    }
}
