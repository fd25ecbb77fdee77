//! How is a message described, so that both directions follow from one line?

use groundrun_model::{Error, Result};
use prost::Message;
use serde_json::Value;

use super::json::Json;

/// Describes messages by their fields; the types follow from the structs. A field that holds the number of
/// an enumeration names it, and a choice (`oneof`) lists its cases. Every field must be listed: the struct
/// is taken apart without `..`, so that a field that a new version of the protos brings does not compile
/// until it is here.
macro_rules! message {
    ($(
        $message:ty { $($field:ident $(: enum $kind:ty)?),* $(,)? }
        $(oneof $choice:ident: $cases:ty { $($case:ident $(: enum $case_kind:ty)?),+ $(,)? })?;
    )+) => {$(
        impl $crate::grpc::json::Json for $message {
            fn to_json(&self) -> serde_json::Value {
                let Self { $($field,)* $($choice,)? } = self;
                let mut fields = serde_json::Map::new();
                $(
                    let value = $crate::grpc::message::put!($field $(, $kind)?);
                    if let Some(value) = value {
                        fields.insert($crate::grpc::json::json_name(stringify!($field)), value);
                    }
                )*
                $({
                    type Cases = $cases;
                    match $choice {
                        None => (),
                        $(Some(Cases::$case(value)) => {
                            let value = $crate::grpc::message::put_case!(value $(, $case_kind)?);
                            fields.insert($crate::grpc::json::json_name(stringify!($case)), value);
                        })+
                    }
                })?
                serde_json::Value::Object(fields)
            }

            fn from_json(value: &serde_json::Value) -> $crate::grpc::json::Taken<Self> {
                let fields = $crate::grpc::json::object(value)?;
                Ok(Self {
                    $($field: $crate::grpc::json::given(
                        fields,
                        stringify!($field),
                        $crate::grpc::message::take!($($kind)?),
                    )?.unwrap_or_default(),)*
                    $($choice: {
                        let mut chosen = None;
                        $(if let Some(value) = $crate::grpc::json::given(
                            fields,
                            stringify!($case),
                            $crate::grpc::message::take_case!($($case_kind)?),
                        )? {
                            chosen = Some(<$cases>::$case(value));
                        })+
                        chosen
                    },)?
                })
            }
        }

        #[cfg(test)]
        impl $crate::grpc::tests::sample::Sample for $message {
            fn sample(dice: &mut $crate::grpc::tests::sample::Dice) -> Self {
                Self {
                    $($field: $crate::grpc::message::sample!(dice $(, $kind)?),)*
                    $($choice: {
                        let cases: &[fn(&mut $crate::grpc::tests::sample::Dice) -> $cases] = &[
                            $(|dice| <$cases>::$case($crate::grpc::message::sample_case!(dice $(, $case_kind)?))),+
                        ];
                        dice.choose(cases).map(|case| case(dice))
                    },)?
                }
            }
        }
    )+};
}

macro_rules! put {
    ($field:ident) => {
        $crate::grpc::json::Field::put($field)
    };
    ($field:ident, $kind:ty) => {
        (*$field != 0).then(|| $crate::grpc::json::enum_to_json::<$kind>(*$field))
    };
}

macro_rules! put_case {
    ($value:ident) => {
        $crate::grpc::json::Json::to_json($value)
    };
    ($value:ident, $kind:ty) => {
        $crate::grpc::json::enum_to_json::<$kind>(*$value)
    };
}

macro_rules! take {
    () => {
        $crate::grpc::json::Field::take
    };
    ($kind:ty) => {
        $crate::grpc::json::enum_from_json::<$kind>
    };
}

macro_rules! take_case {
    () => {
        $crate::grpc::json::Json::from_json
    };
    ($kind:ty) => {
        $crate::grpc::json::enum_from_json::<$kind>
    };
}

#[cfg(test)]
macro_rules! sample {
    ($dice:ident) => {
        $crate::grpc::tests::sample::SampleField::sample_field($dice)
    };
    ($dice:ident, $kind:ty) => {
        $crate::grpc::tests::sample::sample_enum::<$kind>($dice)
    };
}

#[cfg(test)]
macro_rules! sample_case {
    ($dice:ident) => {
        $crate::grpc::tests::sample::Sample::sample($dice)
    };
    ($dice:ident, $kind:ty) => {
        $crate::grpc::tests::sample::sample_enum::<$kind>($dice)
    };
}

/// Makes enumerations of the published protos known by name.
macro_rules! enumeration {
    ($($kind:ty),+ $(,)?) => {$(
        impl $crate::grpc::json::Enumeration for $kind {
            fn name(&self) -> &'static str {
                self.as_str_name()
            }

            fn of_name(name: &str) -> Option<Self> {
                Self::from_str_name(name)
            }
        }
    )+};
}

pub(crate) use {enumeration, message, put, put_case, take, take_case};
#[cfg(test)]
pub(crate) use {sample, sample_case};

/// A type of message, reduced to what its bytes and its JSON have to do with each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire {
    read: fn(&[u8]) -> Result<Value, prost::DecodeError>,
    write: fn(&Value) -> Result<Vec<u8>, super::json::Mismatch>,
}

impl Wire {
    /// The wire of a type.
    pub(crate) const fn of<T: Message + Default + Json>() -> Self {
        Self {
            read: |bytes| T::decode(bytes).map(|message| message.to_json()),
            write: |value| T::from_json(value).map(|message| message.encode_to_vec()),
        }
    }

    /// The JSON of the message in `bytes`.
    ///
    /// # Errors
    /// If they hold no such message.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Value, prost::DecodeError> {
        (self.read)(bytes)
    }

    /// The bytes of the message that `value` spells.
    ///
    /// # Errors
    /// If it does not spell such a message.
    pub(crate) fn write(&self, value: &Value) -> Result<Vec<u8>, super::json::Mismatch> {
        (self.write)(value)
    }
}

/// What is wrong with bytes that hold no request: the client's fault.
pub(crate) fn unreadable(method: &str, problem: &prost::DecodeError) -> Error {
    Error::field("", format!("The message is not a request of {method}: {problem}"))
}
