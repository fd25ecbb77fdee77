//! How is a value of a protobuf message spelled in JSON? The rules of proto3 JSON.
//!
//! Documented at <https://protobuf.dev/programming-guides/json/>: a field that has its default is left
//! out, a 64-bit number is a string, bytes are base64, an enumeration is its name and may be read as its
//! number.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// What in a JSON value does not fit the message: the path of the field, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    path: String,
    problem: String,
}

/// A result whose error is a mismatch.
pub(crate) type Taken<T> = Result<T, Mismatch>;

impl Mismatch {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { path: String::new(), problem: problem.into() }
    }

    fn expected(what: &str, value: &Value) -> Self {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        Self::new(format!("{what} is expected, not {kind}"))
    }

    fn within(mut self, place: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{place}{dot}{}", self.path);
        self
    }
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}': {}", self.path, self.problem)
    }
}

/// A value that has a spelling in JSON.
pub(crate) trait Json: Sized {
    /// The value in JSON.
    fn to_json(&self) -> Value;

    /// The value that `value` spells. What a message has no field for is skipped.
    ///
    /// # Errors
    /// If a value is of the wrong type.
    fn from_json(value: &Value) -> Taken<Self>;
}

/// A field of a message, which knows when it is left out.
pub(crate) trait Field: Default {
    /// The value in JSON; `None` if it is the default.
    fn put(&self) -> Option<Value>;

    /// The value that `value`, which is not null, spells.
    ///
    /// # Errors
    /// If it is of the wrong type.
    fn take(value: &Value) -> Taken<Self>;
}

/// An enumeration, of which a message holds the number.
pub(crate) trait Enumeration: TryFrom<i32> + Into<i32> {
    /// The name in the proto.
    fn name(&self) -> &'static str;

    /// The value of a name in the proto.
    fn of_name(name: &str) -> Option<Self>;
}

/// The fields of an object.
///
/// # Errors
/// If it is no object.
pub(crate) fn object(value: &Value) -> Taken<&Map<String, Value>> {
    value.as_object().ok_or_else(|| Mismatch::expected("an object", value))
}

/// What is read of the field `name`, which is as Rust or the proto spells it; `None` if it is not given.
///
/// # Errors
/// What `read` cannot read.
pub(crate) fn given<T>(
    fields: &Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Value) -> Taken<T>,
) -> Taken<Option<T>> {
    let name = json_name(name);
    match fields.get(&name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(value).map(Some).map_err(|mismatch| mismatch.within(&name)),
    }
}

/// The name in JSON of a field, or of a case of a choice, as Rust spells it.
pub(crate) fn json_name(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let mut camel = String::with_capacity(name.len());
    let mut raise = false;
    for (at, letter) in name.chars().enumerate() {
        match letter {
            '_' => raise = true,
            _ if at == 0 => camel.push(letter.to_ascii_lowercase()),
            _ if std::mem::take(&mut raise) => camel.push(letter.to_ascii_uppercase()),
            _ => camel.push(letter),
        }
    }
    camel
}

/// The number of an enumeration in JSON: its name, or the number if it has none.
pub(crate) fn enum_to_json<E: Enumeration>(number: i32) -> Value {
    E::try_from(number).map_or_else(|_| number.into(), |known| known.name().into())
}

/// The number of an enumeration that JSON gives by name or by number. A name that the published protos
/// do not have yet is skipped, as the field would be.
///
/// # Errors
/// If it is neither.
pub(crate) fn enum_from_json<E: Enumeration>(value: &Value) -> Taken<i32> {
    match value {
        Value::String(name) => Ok(E::of_name(name).map_or(0, Into::into)),
        Value::Number(_) => i32::from_json(value),
        _ => Err(Mismatch::expected("the name of an enumeration's value", value)),
    }
}

impl Json for String {
    fn to_json(&self) -> Value {
        self.as_str().into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        value.as_str().map(Self::from).ok_or_else(|| Mismatch::expected("a string", value))
    }
}

impl Json for bool {
    fn to_json(&self) -> Value {
        (*self).into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        value.as_bool().ok_or_else(|| Mismatch::expected("a bool", value))
    }
}

impl Json for i32 {
    fn to_json(&self) -> Value {
        (*self).into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        let number = i64::from_json(value)?;
        Self::try_from(number).map_err(|_| Mismatch::new(format!("{number} does not fit 32 bits")))
    }
}

impl Json for i64 {
    fn to_json(&self) -> Value {
        self.to_string().into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| Mismatch::expected("an integer", value))
    }
}

impl Json for Vec<u8> {
    fn to_json(&self) -> Value {
        STANDARD.encode(self).into()
    }

    fn from_json(value: &Value) -> Taken<Self> {
        let text = String::from_json(value)?;
        STANDARD.decode(text).map_err(|problem| Mismatch::new(format!("not base64: {problem}")))
    }
}

macro_rules! scalars {
    ($($scalar:ty),+) => {$(
        impl Field for $scalar {
            fn put(&self) -> Option<Value> {
                (*self != Self::default()).then(|| self.to_json())
            }

            fn take(value: &Value) -> Taken<Self> {
                Self::from_json(value)
            }
        }
    )+};
}

scalars!(String, bool, i32, i64, Vec<u8>);

/// A message, or a scalar with presence: what was given is kept even if it is the default.
impl<T: Json> Field for Option<T> {
    fn put(&self) -> Option<Value> {
        self.as_ref().map(Json::to_json)
    }

    fn take(value: &Value) -> Taken<Self> {
        T::from_json(value).map(Some)
    }
}

impl<T: Json> Field for Vec<T> {
    fn put(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.iter().map(Json::to_json).collect())
    }

    fn take(value: &Value) -> Taken<Self> {
        let items = value.as_array().ok_or_else(|| Mismatch::expected("a list", value))?;
        let item = |(at, item)| T::from_json(item).map_err(|mismatch| mismatch.within(&format!("[{at}]")));
        items.iter().enumerate().map(item).collect()
    }
}

impl<T: Json> Field for BTreeMap<String, T> {
    fn put(&self) -> Option<Value> {
        let entry = |(key, value): (&String, &T)| (key.clone(), value.to_json());
        (!self.is_empty()).then(|| Value::Object(self.iter().map(entry).collect()))
    }

    fn take(value: &Value) -> Taken<Self> {
        let entry = |(key, value): (&String, &Value)| match T::from_json(value) {
            Ok(value) => Ok((key.clone(), value)),
            Err(mismatch) => Err(mismatch.within(key)),
        };
        object(value)?.iter().map(entry).collect()
    }
}
