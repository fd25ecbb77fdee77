//! How does a message of gRPC become the JSON of v2, and come back?
//!
//! The rules of proto3 JSON: names in lower camel case, defaults left out, 64-bit integers as text, enums
//! by name (a number is read, too), moments and durations as text. A message names its fields once, in
//! [`message!`]; a field that the published crate gains and the list does not name does not compile.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use groundrun_model::{Error, Result, Timestamp};
use serde_json::{Map, Value};

/// A value of a message.
pub(crate) trait Json: Sized {
    /// Whether proto3 JSON leaves it out.
    fn is_default(&self) -> bool;

    /// The value in JSON.
    fn to_json(&self) -> Value;

    /// Reads what [`Json::to_json`] writes.
    ///
    /// # Errors
    /// 500 for a value of another type: what is read here was written by this program.
    fn from_json(value: Value) -> Result<Self>;
}

/// A name of a field in JSON.
pub(crate) fn camel(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

pub(crate) fn put<T: Json>(json: &mut Map<String, Value>, name: &str, value: &T) {
    if !value.is_default() {
        json.insert(camel(name), value.to_json());
    }
}

pub(crate) fn take<T: Json + Default>(json: &mut Map<String, Value>, name: &str) -> Result<T> {
    match json.remove(&camel(name)) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => T::from_json(value),
    }
}

pub(crate) fn object(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(unexpected("a message", &other)),
    }
}

pub(crate) fn unexpected(expected: &str, value: &Value) -> Error {
    Error::internal(format!("{expected} was expected in an answer, not {value}"))
}

/// Declares how a message is spelled: its fields, those of them that are enums with their type, and its
/// oneof with the field of each of its variants.
macro_rules! message {
    ($Message:path {
        $($field:ident $(: enum $Enum:path)?),* $(,)?
    } $(oneof $oneof:ident: $Oneof:path { $($Variant:ident: $variant:ident $(: enum $VariantEnum:path)?),+ $(,)? })?) => {
        impl $crate::grpc::json::Json for $Message {
            fn is_default(&self) -> bool {
                false
            }

            fn to_json(&self) -> serde_json::Value {
                // Without `..`: every field must be named.
                let Self { $($field,)* $($oneof,)? } = self;
                #[allow(unused_mut, reason = "a message may have no field")]
                let mut json = serde_json::Map::new();
                $($crate::grpc::json::message!(@put json $field $(: enum $Enum)?);)*
                $({
                    use $Oneof as Oneof;
                    match $oneof {
                        $(Some(Oneof::$Variant(value)) => {
                            let value = $crate::grpc::json::message!(@json value $(: enum $VariantEnum)?);
                            json.insert($crate::grpc::json::camel(stringify!($variant)), value);
                        })+
                        None => {}
                    }
                })?
                serde_json::Value::Object(json)
            }

            fn from_json(value: serde_json::Value) -> groundrun_model::Result<Self> {
                #[allow(unused_mut, unused_variables, reason = "a message may have no field")]
                let mut json = $crate::grpc::json::object(value)?;
                $(let $field = $crate::grpc::json::message!(@take json $field $(: enum $Enum)?);)*
                $(let $oneof = {
                    use $Oneof as Oneof;
                    let mut set = None;
                    $(if let Some(value) = json.remove(&$crate::grpc::json::camel(stringify!($variant))) {
                        let value = $crate::grpc::json::message!(@read value $(: enum $VariantEnum)?);
                        set = Some(Oneof::$Variant(value));
                    })+
                    set
                };)?
                Ok(Self { $($field,)* $($oneof,)? })
            }
        }
    };
    (@put $json:ident $field:ident) => { $crate::grpc::json::put(&mut $json, stringify!($field), $field) };
    (@put $json:ident $field:ident: enum $Enum:path) => {
        if *$field != 0 {
            let value = $crate::grpc::json::message!(@json $field: enum $Enum);
            $json.insert($crate::grpc::json::camel(stringify!($field)), value);
        }
    };
    (@json $value:ident) => { $crate::grpc::json::Json::to_json($value) };
    (@json $value:ident: enum $Enum:path) => {{
        use $Enum as Enum;
        match Enum::try_from(*$value) {
            Ok(known) => serde_json::Value::from(known.as_str_name()),
            Err(_) => serde_json::Value::from(*$value),
        }
    }};
    (@take $json:ident $field:ident) => { $crate::grpc::json::take(&mut $json, stringify!($field))? };
    (@take $json:ident $field:ident: enum $Enum:path) => {
        match $json.remove(&$crate::grpc::json::camel(stringify!($field))) {
            None | Some(serde_json::Value::Null) => 0,
            Some(value) => $crate::grpc::json::message!(@read value: enum $Enum),
        }
    };
    (@read $value:ident) => { $crate::grpc::json::Json::from_json($value)? };
    (@read $value:ident: enum $Enum:path) => {{
        use $Enum as Enum;
        let number = match &$value {
            serde_json::Value::String(name) => Enum::from_str_name(name).map(|known| known as i32),
            serde_json::Value::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            _ => None,
        };
        // A name that the published crate does not know yet is left unset.
        number.unwrap_or(0)
    }};
}

pub(crate) use message;

impl Json for String {
    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn to_json(&self) -> Value {
        Value::String(self.clone())
    }

    fn from_json(value: Value) -> Result<Self> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(unexpected("text", &other)),
        }
    }
}

impl Json for bool {
    fn is_default(&self) -> bool {
        !self
    }

    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }

    fn from_json(value: Value) -> Result<Self> {
        value.as_bool().ok_or_else(|| unexpected("true or false", &value))
    }
}

impl Json for i32 {
    fn is_default(&self) -> bool {
        *self == 0
    }

    fn to_json(&self) -> Value {
        Value::from(*self)
    }

    fn from_json(value: Value) -> Result<Self> {
        i64::from_json(value.clone())
            .ok()
            .and_then(|number| Self::try_from(number).ok())
            .ok_or_else(|| unexpected("an int32", &value))
    }
}

impl Json for i64 {
    fn is_default(&self) -> bool {
        *self == 0
    }

    fn to_json(&self) -> Value {
        Value::String(self.to_string())
    }

    fn from_json(value: Value) -> Result<Self> {
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| unexpected("an integer", &value))
    }
}

impl Json for Bytes {
    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn to_json(&self) -> Value {
        Value::String(STANDARD.encode(self))
    }

    fn from_json(value: Value) -> Result<Self> {
        let text = value.as_str().unwrap_or_default();
        let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
        bytes.map(Self::from).map_err(|_| unexpected("base64", &value))
    }
}

impl<T: Json> Json for Vec<T> {
    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(Json::to_json).collect())
    }

    fn from_json(value: Value) -> Result<Self> {
        match value {
            Value::Array(list) => list.into_iter().map(T::from_json).collect(),
            other => Err(unexpected("a list", &other)),
        }
    }
}

impl Json for BTreeMap<String, String> {
    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn to_json(&self) -> Value {
        Value::Object(self.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect())
    }

    fn from_json(value: Value) -> Result<Self> {
        object(value)?.into_iter().map(|(key, value)| Ok((key, String::from_json(value)?))).collect()
    }
}

/// A message that may be missing, or a field with explicit presence.
impl<T: Json> Json for Option<T> {
    fn is_default(&self) -> bool {
        self.is_none()
    }

    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Json::to_json)
    }

    fn from_json(value: Value) -> Result<Self> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }
}

/// `google.protobuf.Empty`.
impl Json for () {
    fn is_default(&self) -> bool {
        true
    }

    fn to_json(&self) -> Value {
        Value::Object(Map::new())
    }

    fn from_json(_value: Value) -> Result<Self> {
        Ok(())
    }
}

/// In microseconds, as every moment of this program.
impl Json for prost_types::Timestamp {
    fn is_default(&self) -> bool {
        false
    }

    fn to_json(&self) -> Value {
        let micros = self.seconds.saturating_mul(1_000_000).saturating_add(i64::from(self.nanos / 1_000));
        Value::String(Timestamp::from_micros(micros).to_string())
    }

    fn from_json(value: Value) -> Result<Self> {
        let moment =
            value.as_str().and_then(Timestamp::parse).ok_or_else(|| unexpected("a moment", &value))?;
        let seconds = moment.seconds();
        let nanos = (moment.micros() - seconds * 1_000_000) * 1_000;
        Ok(Self { seconds, nanos: i32::try_from(nanos).unwrap_or(0) })
    }
}

impl Json for prost_types::Duration {
    fn is_default(&self) -> bool {
        false
    }

    fn to_json(&self) -> Value {
        let sign = if self.seconds < 0 || self.nanos < 0 { "-" } else { "" };
        let (seconds, nanos) = (self.seconds.unsigned_abs(), self.nanos.unsigned_abs());
        Value::String(match nanos {
            0 => format!("{sign}{seconds}s"),
            _ => format!("{sign}{seconds}.{nanos:09}s"),
        })
    }

    fn from_json(value: Value) -> Result<Self> {
        let read = || {
            let number = value.as_str()?.strip_suffix('s')?;
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            let nanos: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
            let sign = if number.starts_with('-') { -1 } else { 1 };
            Some(Self { seconds: whole.parse().ok()?, nanos: sign * nanos })
        };
        read().ok_or_else(|| unexpected("a duration", &value))
    }
}

/// Paths with commas between them; either spelling of a name is understood.
impl Json for prost_types::FieldMask {
    fn is_default(&self) -> bool {
        self.paths.is_empty()
    }

    fn to_json(&self) -> Value {
        Value::String(self.paths.join(","))
    }

    fn from_json(value: Value) -> Result<Self> {
        let text = String::from_json(value)?;
        Ok(Self { paths: text.split(',').filter(|path| !path.is_empty()).map(str::to_owned).collect() })
    }
}
