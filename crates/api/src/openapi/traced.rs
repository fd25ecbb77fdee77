//! Which JSON does a type read? serde knows: a reader is asked for each field in turn, and says which
//! type it wants there.

use serde::de::value::Error;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, json};

/// The schema of what `T` reads: a struct whose reader serde derived.
pub(super) fn schema<T: DeserializeOwned>() -> Value {
    let mut schema = json!({});
    // What is read is of no interest, nor whether it may be what it is.
    drop(T::deserialize(Tracer(&mut schema)));
    schema
}

/// Gives a reader something of the type that it asks for, and notes the type.
struct Tracer<'s>(&'s mut Value);

macro_rules! scalars {
    ($($method:ident: $type:literal, $visit:ident($value:expr);)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            *self.0 = json!({ "type": $type });
            visitor.$visit($value)
        }
    )+};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Error;

    scalars! {
        deserialize_bool: "boolean", visit_bool(false);
        deserialize_i32: "integer", visit_i32(0);
        deserialize_i64: "integer", visit_i64(0);
        deserialize_u32: "integer", visit_u32(0);
        deserialize_u64: "integer", visit_u64(0);
        deserialize_f64: "number", visit_f64(0.0);
        deserialize_str: "string", visit_str("");
        deserialize_string: "string", visit_str("");
    }

    /// Any JSON.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut items = json!({});
        let read = visitor.visit_seq(One(Some(&mut items)));
        *self.0 = json!({ "type": "array", "items": items });
        read
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        *self.0 = json!({ "type": "object" });
        visitor.visit_map(Fields { names: &[], properties: &mut Map::new(), now: "" })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut properties = Map::new();
        let read = visitor.visit_map(Fields { names, properties: &mut properties, now: "" });
        *self.0 = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        read
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct
        enum identifier ignored_any
    }
}

/// A list of one item, until it is taken.
struct One<'s>(Option<&'s mut Value>);

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|items| seed.deserialize(Tracer(items))).transpose()
    }
}

/// A map of all fields, each once.
struct Fields<'s> {
    names: &'static [&'static str],
    properties: &'s mut Map<String, Value>,
    now: &'static str,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((now, rest)) = self.names.split_first() else { return Ok(None) };
        (self.now, self.names) = (now, rest);
        seed.deserialize((*now).into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        if self.now.is_empty() {
            return Err(Error::custom("a value without a key"));
        }
        seed.deserialize(Tracer(self.properties.entry(self.now).or_insert_with(|| json!({}))))
    }
}
