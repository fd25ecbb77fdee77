//! How is a message of v1 read and written?
//!
//! Messages are spelled as v1 spells them, which is also how they are stored; those of v2 are in `service/v2`. Empty strings, lists and
//! maps are unset, as in proto3 JSON; a key that v1 does not have is refused.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};
use crate::schema::Schema;

/// Declares a message of v1: every field optional, unset ones left out, unknown ones refused.
macro_rules! message {
    (
        $(#[$outer:meta])*
        $vis:vis struct $Name:ident { $($(#[doc = $doc:literal])+ $field:ident: $ty:ty,)+ }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        // `remote` makes the derived code inherent, so that reading can insist on an object.
        #[serde(rename_all = "camelCase", deny_unknown_fields, default, remote = "Self")]
        $vis struct $Name {
            $(
                $(#[doc = $doc])+
                #[serde(
                    skip_serializing_if = "crate::message::is_unset",
                    deserialize_with = "crate::message::read"
                )]
                $vis $field: $ty,
            )+
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
                Self::serialize(self, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $Name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    // Nothing else: serde would read a list as the values of the fields in their order.
                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        map: A,
                    ) -> std::result::Result<$Name, A::Error> {
                        $Name::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }

                from.deserialize_map(Object)
            }
        }

        impl crate::schema::Schema for $Name {
            fn schema() -> serde_json::Value {
                let mut properties = serde_json::Map::new();
                $(properties.insert(
                    crate::message::camel(stringify!($field).trim_start_matches("r#")),
                    <$ty as crate::schema::Schema>::schema(),
                );)+
                crate::schema::object(properties)
            }

            fn fields() -> Vec<(String, &'static str)> {
                // Each line of a `///` comment begins with a blank: between lines it stays.
                vec![$((
                    crate::message::camel(stringify!($field).trim_start_matches("r#")),
                    concat!($($doc),+).trim_ascii_start(),
                )),+]
            }
        }
    };
}

/// A type that a field of a message can have.
pub(crate) trait Field: Sized + Schema {
    /// Whether the field is unset.
    fn unset(&self) -> bool;

    /// Reads the field. Null is unset, as in proto3 JSON.
    fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error>;
}

pub(crate) fn is_unset<T: Field>(field: &T) -> bool {
    field.unset()
}

pub(crate) fn read<'de, T: Field, D: Deserializer<'de>>(from: D) -> std::result::Result<T, D::Error> {
    T::read(from)
}

impl Field for Option<String> {
    fn unset(&self) -> bool {
        self.is_none()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(from)?.filter(|text| !text.is_empty()))
    }
}

impl Field for Option<bool> {
    fn unset(&self) -> bool {
        self.is_none()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        Self::deserialize(from)
    }
}

/// Reads an integer. Google's JSON reader takes it as a string, too.
fn integer<'de, T, D>(from: D) -> std::result::Result<Option<T>, D::Error>
where
    T: Deserialize<'de> + std::str::FromStr,
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an integer")]
    enum Spelling<T> {
        Number(T),
        Text(String),
    }
    match Option::<Spelling<T>>::deserialize(from)? {
        None => Ok(None),
        Some(Spelling::Number(number)) => Ok(Some(number)),
        Some(Spelling::Text(text)) => {
            text.parse().map(Some).map_err(|_| D::Error::custom(format!("\"{text}\" is not an integer")))
        }
    }
}

impl Field for Option<i32> {
    fn unset(&self) -> bool {
        self.is_none()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        integer(from)
    }
}

/// An integer of 64 bits, which proto3 JSON spells as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int64(pub(crate) i64);

impl serde::Serialize for Int64 {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl Field for Option<Int64> {
    fn unset(&self) -> bool {
        self.is_none()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        integer(from).map(|number| number.map(Int64))
    }
}

impl<T: serde::de::DeserializeOwned + Schema> Field for Vec<T> {
    fn unset(&self) -> bool {
        self.is_empty()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        Ok(Option::<Self>::deserialize(from)?.unwrap_or_default())
    }
}

impl Field for BTreeMap<String, String> {
    fn unset(&self) -> bool {
        self.is_empty()
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        Ok(Option::<Self>::deserialize(from)?.unwrap_or_default())
    }
}

/// Makes messages usable as fields of other messages.
macro_rules! message_field {
    ($($Name:ident),+ $(,)?) => {$(
        impl crate::message::Field for Option<$Name> {
            fn unset(&self) -> bool {
                self.is_none()
            }

            fn read<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
                serde::Deserialize::deserialize(from)
            }
        }
    )+};
}

/// A message that is kept as it is.
pub type Kept = serde_json::Map<String, serde_json::Value>;

message_field!(Kept);

/// How deep `value` is nested: 0 for what holds nothing else.
pub fn depth(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Takes out what stands at a path such as `scaling.minInstanceCount`. Messages that become empty on the
/// way stay, so that a message that was given can be told from one that was not.
pub(crate) fn take_at(message: &mut Kept, path: &str) -> Option<serde_json::Value> {
    match path.split_once('.') {
        None => message.remove(path),
        Some((first, rest)) => take_at(message.get_mut(first)?.as_object_mut()?, rest),
    }
}

/// Puts `value` at a path; the messages on the way are made.
pub(crate) fn put_at(message: &mut Kept, path: &str, value: serde_json::Value) {
    match path.split_once('.') {
        None => {
            message.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = message.entry(first).or_insert_with(|| Kept::new().into());
            if let Some(inner) = inner.as_object_mut() {
                put_at(inner, rest, value);
            }
        }
    }
}

pub(crate) use {message, message_field};

/// A name in lower camel case: JSON spells fields so, protocol buffers with underscores.
pub(crate) fn camel(name: &str) -> String {
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

/// Reads a message whose own path in the request is `base`.
///
/// # Errors
/// 400 naming the path of the first key that is unknown or has a value of the wrong type.
pub fn from_json<T: serde::de::DeserializeOwned>(value: serde_json::Value, base: &str) -> Result<T> {
    serde_path_to_error::deserialize(value).map_err(|problem| {
        let path = spell(problem.path(), base);
        let words = problem.inner().to_string();
        match words.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
            Some((name, _)) => {
                // The path ends with the unknown key itself, in one of the two spellings of `spell`.
                let own = [format!("[{name}]"), format!(".{name}"), name.to_owned()];
                let parent = own.iter().find_map(|own| path.strip_suffix(own.as_str()));
                Error::unknown_field(parent.unwrap_or(&path), name)
            }
            None => Error::invalid_value(&path, words),
        }
    })
}

/// Spells a path as field violations do: `metadata.annotations[run.googleapis.com/ingress]`.
fn spell(path: &serde_path_to_error::Path, base: &str) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(base.to_owned(), |mut text, segment| {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } if key.contains(['.', '/']) => text.push_str(&format!("[{key}]")),
            Segment::Map { key } if text.is_empty() => text.push_str(key),
            Segment::Map { key } => text.push_str(&format!(".{key}")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        text
    })
}
