//! Which types can a setting have, and how does each API spell their values?

mod words;

use serde_json::{Value, json};

pub use self::words::*;
use crate::field::Setting;
use crate::schema::Schema;

impl Setting for String {
    const TYPE: &'static str = "a string";

    fn schema() -> Value {
        <Self as Schema>::schema()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn to_text(&self) -> String {
        self.clone()
    }

    fn is_unset(&self) -> bool {
        self.is_empty()
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| "TYPE_STRING".to_owned())
    }

    fn to_v2(&self) -> Value {
        Value::String(self.clone())
    }
}

/// gcloud writes Python's `True` and `False`; the hosted service answers in lower case.
impl Setting for bool {
    const TYPE: &'static str = "true or false";

    fn schema() -> Value {
        <Self as Schema>::schema()
    }

    fn text_schema() -> Value {
        json!({ "type": "string", "enum": ["true", "false"] })
    }

    fn from_text(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("must be true or false, not '{text}'")),
        }
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        value.as_bool().map(Some).ok_or_else(|| "TYPE_BOOL".to_owned())
    }

    fn to_v2(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Setting for i64 {
    const TYPE: &'static str = "an integer";

    fn schema() -> Value {
        i32::schema()
    }

    fn text_schema() -> Value {
        json!({ "type": "string", "pattern": "^[0-9]{1,4}$" })
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("must be an integer, not '{text}'"))
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn to_json(&self) -> Value {
        Value::from(*self)
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        // Google's JSON reader takes an integer as a string and 3.0 as 3, too.
        #[expect(clippy::cast_possible_truncation, reason = "only whole numbers of 32 bits come here")]
        let whole = |number: f64| {
            (number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX)).then_some(number as Self)
        };
        let number = match value {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        // Every integer among the settings is an int32 in v2.
        let number = number.filter(|number| i32::try_from(*number).is_ok());
        number.map(Some).ok_or_else(|| "TYPE_INT32".to_owned())
    }

    fn to_v2(&self) -> Value {
        Value::from(*self)
    }
}

/// A share between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Share(pub f64);

impl Setting for Share {
    const TYPE: &'static str = "a number between 0 and 1";

    fn schema() -> Value {
        json!({ "type": "number", "minimum": 0, "maximum": 1 })
    }

    fn text_schema() -> Value {
        json!({ "type": "string", "pattern": "^0[.][0-9]{1,3}$" })
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Self).ok_or_else(|| format!("must be a number, not '{text}'"))
    }

    fn to_text(&self) -> String {
        self.0.to_string()
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        number.map(|number| Some(Self(number))).ok_or_else(|| "TYPE_FLOAT".to_owned())
    }

    fn to_v2(&self) -> Value {
        Value::from(self.0)
    }
}

/// A list that an annotation holds as text with commas: `us-central1,europe-west1`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Commas(pub Vec<String>);

impl Setting for Commas {
    const TYPE: &'static str = "a list separated by commas";

    fn schema() -> Value {
        <Vec<String> as Schema>::schema()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        Ok(Self(items.map(str::to_owned).collect()))
    }

    fn to_text(&self) -> String {
        self.0.join(",")
    }

    fn is_unset(&self) -> bool {
        self.0.is_empty()
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        let list = Vec::<String>::from_v2(value)?;
        match list.iter().flatten().find(|item| item.is_empty() || item.contains(',')) {
            Some(_) => Err("a list of names without commas".to_owned()),
            None => Ok(list.map(Self)),
        }
    }

    fn to_v2(&self) -> Value {
        self.0.to_v2()
    }
}

/// A list that an annotation holds as JSON: `["a","b"]`.
impl Setting for Vec<String> {
    const TYPE: &'static str = "a JSON list of strings";

    fn schema() -> Value {
        <Self as Schema>::schema()
    }

    fn text_schema() -> Value {
        json!({ "type": "string", "contentMediaType": "application/json", "pattern": r#"^\["[a-z]{1,20}"\]$"# })
    }

    fn from_text(text: &str) -> Result<Self, String> {
        crate::audience::parse_annotation(text, "").map_err(crate::Error::into_description)
    }

    fn to_text(&self) -> String {
        crate::audience::render_annotation(self).unwrap_or_default()
    }

    fn is_unset(&self) -> bool {
        self.is_empty()
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        let list = value.as_array().ok_or_else(|| "a list of TYPE_STRING".to_owned())?;
        let text = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| "TYPE_STRING".to_owned());
        list.iter().map(text).collect::<Result<Self, _>>().map(Some)
    }

    fn to_v2(&self) -> Value {
        Value::from(self.clone())
    }
}

/// A value that an annotation holds as JSON and that groundrun keeps as it is.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Json(pub Value);

impl Setting for Json {
    const TYPE: &'static str = "JSON";

    fn schema() -> Value {
        Value::schema()
    }

    fn text_schema() -> Value {
        json!({ "type": "string", "contentMediaType": "application/json", "pattern": r#"^\{"[a-z]{1,20}":[0-9]\}$"# })
    }

    fn from_text(text: &str) -> Result<Self, String> {
        json_of_text(text).map(Self)
    }

    fn to_text(&self) -> String {
        self.0.to_string()
    }

    fn is_unset(&self) -> bool {
        self.0.is_null()
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        Ok(Some(Self(value.clone())))
    }

    fn to_v2(&self) -> Value {
        self.0.clone()
    }
}

/// How deep the JSON of an annotation may be nested. It is stored, and answered, inside of other JSON,
/// which readers take up to 128 levels of.
const DEEPEST: usize = 64;

/// Reads the JSON of an annotation.
pub(super) fn json_of_text(text: &str) -> Result<Value, String> {
    let json = serde_json::from_str(text).map_err(|problem| format!("must be JSON: {problem}"))?;
    if crate::message::depth(&json) > DEEPEST {
        return Err(format!("must be JSON of at most {DEEPEST} levels"));
    }
    Ok(json)
}

/// A value as a message of v2 spells it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct V2<T>(pub T);

impl<T: Setting> serde::Serialize for V2<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.to_v2().serialize(to)
    }
}

impl<T: Setting> Schema for V2<T> {
    fn schema() -> Value {
        T::schema()
    }
}

impl<T: Setting> crate::message::Field for Option<V2<T>> {
    fn unset(&self) -> bool {
        self.is_none()
    }

    fn read<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value: Option<Value> = serde::Deserialize::deserialize(from)?;
        let read = value.map_or(Ok(None), |value| T::from_v2(&value));
        read.map(|read| read.map(V2))
            .map_err(|expected| serde::de::Error::custom(format!("{expected} is expected")))
    }
}
