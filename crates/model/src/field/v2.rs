//! How is a row read from and written to v2?

use serde_json::{Map, Value};

use super::{Api, Row, Setting, Spelling};
use crate::error::Error;

/// Takes out what stands at `row`'s path in v2 and reads it.
pub(crate) fn take_v2<T: Setting>(row: &Row, body: &mut Map<String, Value>) -> crate::Result<Option<T>> {
    if row.spelling == Spelling::Parts {
        return Ok(None);
    }
    let Some(value) = crate::message::take_at(body, row.v2) else { return Ok(None) };
    if value.is_null() {
        return Ok(None);
    }
    let read = match row.spelling.unit() {
        Some(unit) => read_duration(&value, unit).and_then(|count| T::from_v2(&count.into())),
        None => T::from_v2(&value),
    };
    let read = read.map_err(|expected| Error::wrong_type(&row.path(Api::V2), &expected, &value))?;
    // What proto3 leaves out is unset, once it is known to be of the right type.
    Ok(read.filter(|_| row.spelling == Spelling::Optional || !is_default(&value)))
}

/// Puts `value` at `row`'s path in v2; the default of proto3 leaves no trace.
pub(crate) fn put_v2<T: Setting>(row: &Row, value: &T, body: &mut Map<String, Value>) {
    let value = value.to_v2();
    if row.spelling == Spelling::Parts || (row.spelling != Spelling::Optional && is_default(&value)) {
        return;
    }
    let value = match (row.spelling.unit(), value.as_i64()) {
        (Some(unit), Some(count)) => Value::String(format!("{}s", count.saturating_mul(unit))),
        _ => value,
    };
    crate::message::put_at(body, row.v2, value);
}

impl Spelling {
    /// How many seconds v1 counts as one.
    pub(super) const fn unit(self) -> Option<i64> {
        match self {
            Self::Seconds => Some(1),
            Self::Hours => Some(3600),
            Self::Field | Self::Optional | Self::Parts => None,
        }
    }
}

/// Reads a duration of proto3 JSON, such as `"300s"`, in units of `unit` seconds.
fn read_duration(value: &Value, unit: i64) -> Result<i64, String> {
    let seconds = value.as_str().and_then(|text| {
        let number = text.strip_suffix('s')?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // Parts of a second cannot be said in v1, and mean nothing to these settings.
        fraction.bytes().all(|digit| digit == b'0').then(|| whole.parse::<i64>().ok()).flatten()
    });
    match seconds {
        Some(seconds) if seconds % unit == 0 => Ok(seconds / unit),
        Some(_) => Err("a whole number of hours".to_owned()),
        None => Err("type.googleapis.com/google.protobuf.Duration".to_owned()),
    }
}

/// Whether proto3 JSON leaves the value out.
pub(crate) fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}
