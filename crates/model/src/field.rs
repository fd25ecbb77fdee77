//! The machinery of the field tables: what a row says, and what follows from it.
//!
//! A scalar setting of a service or of a revision template is one row of a `settings!` table. From the
//! rows follow the struct, the reading and writing of each API, the defaults, the checks in the caller's
//! own field path, the detection of changes and the documentation.

mod path;
mod v2;

use std::collections::BTreeMap;

pub use self::path::FieldPath;
pub(crate) use self::v2::{is_default, put_v2, take_v2};
use serde_json::{Map, Value};

use crate::error::Violations;
use crate::schema::Schema;

/// The API that a request came through: it decides how a field is called in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// The Knative API, `serving.knative.dev/v1`.
    V1,
    /// The Admin API, `google.cloud.run.v2`.
    V2,
}

/// What a setting belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The service: in force at once, for every revision that serves.
    Service,
    /// The revision template: frozen in each revision.
    Template,
}

/// Where v1 keeps a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In `metadata.annotations` of the service, or of the template.
    Annotation(&'static str),
    /// In `spec.template.spec`.
    Spec(&'static str),
    /// In `spec.template.spec.nodeSelector`.
    NodeSelector(&'static str),
}

/// How v2 spells a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As a field at its path; unset and the default of proto3 (`false`, 0, empty) are the same.
    Field,
    /// As a field that tells unset from the default of proto3 (`optional`).
    Optional,
    /// As a duration (`"300s"`) of what v1 counts in seconds.
    Seconds,
    /// As a duration (`"3600s"`) of what v1 counts in hours.
    Hours,
    /// In parts of containers, volumes or other messages, which are written by hand in `service/v2`.
    Parts,
}

/// Whether a change of a setting is a change of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Under the policy `every-change` it cuts a revision.
    Configuration,
    /// It is a remark on who wrote; it never cuts a revision.
    Remark,
}

/// What groundrun does with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emulation {
    /// It changes what groundrun does.
    ActedOn,
    /// It is kept and shown, and changes nothing here.
    Stored,
}

/// One row of a field table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The name in snake case.
    pub name: &'static str,
    /// What the setting does.
    pub doc: &'static str,
    /// The type, in words.
    pub kind: &'static str,
    /// The default, in words; empty where there is none.
    pub default: &'static str,
    /// What it belongs to.
    pub level: Level,
    /// Where v1 keeps it.
    pub v1: Place,
    /// Its path in v2, from the service or from the template.
    pub v2: &'static str,
    /// How v2 spells it there.
    pub spelling: Spelling,
    /// Whether its change is a change of the configuration.
    pub change: Change,
    /// What groundrun does with it.
    pub emulation: Emulation,
}

impl Row {
    /// The path of this setting as the caller's API spells it.
    pub fn path(&self, api: Api) -> String {
        match (api, self.level, self.v1) {
            (Api::V1, Level::Service, Place::Annotation(key)) => format!("metadata.annotations[{key}]"),
            (Api::V1, Level::Template, Place::Annotation(key)) => {
                format!("spec.template.metadata.annotations[{key}]")
            }
            (Api::V1, _, Place::Spec(key)) => format!("spec.template.spec.{key}"),
            (Api::V1, _, Place::NodeSelector(key)) => format!("spec.template.spec.nodeSelector[{key}]"),
            (Api::V2, Level::Service, _) => format!("service.{}", path::snake(self.v2)),
            (Api::V2, Level::Template, _) => format!("service.template.{}", path::snake(self.v2)),
        }
    }

    /// The annotation that shows this setting on a revision, if v1 keeps it in an annotation.
    pub const fn annotation(&self) -> Option<&'static str> {
        match self.v1 {
            Place::Annotation(key) => Some(key),
            Place::Spec(_) | Place::NodeSelector(_) => None,
        }
    }
}

/// Which JSON may stand at a row's place in each API.
#[derive(Debug, Clone, PartialEq)]
pub struct RowSchema {
    /// The row.
    pub row: &'static Row,
    /// What stands at its place in v1.
    pub v1: Value,
    /// What stands at its path in v2.
    pub v2: Value,
}

impl RowSchema {
    pub(crate) fn of<T: Setting>(row: &'static Row) -> Self {
        let v1 = match row.v1 {
            Place::Spec(_) => T::schema(),
            Place::Annotation(_) | Place::NodeSelector(_) => T::text_schema(),
        };
        let v2 = match row.spelling.unit() {
            Some(_) => serde_json::json!({ "type": "string", "pattern": "^[0-9]{1,4}s$" }),
            None => T::schema(),
        };
        Self { row, v1, v2 }
    }
}

/// A type that a setting can have.
pub trait Setting: Sized {
    /// The type, in words, for the documentation.
    const TYPE: &'static str;

    /// The JSON schema of the v2 spelling.
    fn schema() -> Value;

    /// The JSON schema of the v1 spelling in an annotation.
    fn text_schema() -> Value {
        <String as Schema>::schema()
    }

    /// Reads the v1 spelling; the error says what the value must be.
    ///
    /// # Errors
    /// A description that follows the field's path.
    fn from_text(text: &str) -> Result<Self, String>;

    /// The v1 spelling.
    fn to_text(&self) -> String;

    /// Whether the value means that the setting is unset, as an empty list does.
    fn is_unset(&self) -> bool {
        false
    }

    /// The v1 spelling where it stands in a spec and not in an annotation.
    fn to_json(&self) -> Value {
        Value::String(self.to_text())
    }

    /// Reads the v2 spelling; `None` is a value that means unset.
    ///
    /// # Errors
    /// The type that is expected, as Google's JSON transcoder calls it.
    fn from_v2(value: &Value) -> Result<Option<Self>, String>;

    /// The v2 spelling.
    fn to_v2(&self) -> Value;
}

/// What defaults depend on besides the setting itself.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The number of the project that owns the service.
    pub project_number: String,
    /// Whether the containers have less than one CPU together.
    pub below_one_cpu: bool,
}

/// The parts of a v1 object that settings are read from and written to. What no row takes stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct V1Parts {
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `spec.template.spec`, empty at service level.
    pub spec: Map<String, Value>,
}

impl V1Parts {
    /// Takes out what stands at `row`'s place and reads it. A value that cannot be read is noted.
    pub(crate) fn take<T: Setting>(&mut self, row: &Row, violations: &mut Violations) -> Option<T> {
        let text = match row.v1 {
            Place::Annotation(key) => self.annotations.remove(key)?,
            Place::Spec(key) => scalar(self.spec.remove(key)?, row, violations)?,
            Place::NodeSelector(key) => {
                let selector = self.spec.get_mut("nodeSelector")?.as_object_mut()?;
                scalar(selector.remove(key)?, row, violations)?
            }
        };
        let read = T::from_text(&text).map_err(|problem| violations.add(row.path(Api::V1), problem));
        read.ok().filter(|value| !value.is_unset())
    }

    /// Puts `value` at `row`'s place; a value that means unset leaves no trace.
    pub(crate) fn put<T: Setting>(&mut self, row: &Row, value: &T) {
        match row.v1 {
            _ if value.is_unset() => {}
            Place::Annotation(key) => {
                self.annotations.insert(key.to_owned(), value.to_text());
            }
            Place::Spec(key) => {
                self.spec.insert(key.to_owned(), value.to_json());
            }
            Place::NodeSelector(key) => {
                let selector = self.spec.entry("nodeSelector").or_insert_with(|| Value::Object(Map::new()));
                if let Some(selector) = selector.as_object_mut() {
                    selector.insert(key.to_owned(), value.to_json());
                }
            }
        }
    }
}

/// The text of a JSON string or number; null and the empty string are unset, as proto3 JSON has it.
fn scalar(value: Value, row: &Row, violations: &mut Violations) -> Option<String> {
    let counts = row.kind == <i64 as Setting>::TYPE;
    match value {
        Value::Null => None,
        Value::String(text) => (counts || !text.is_empty()).then_some(text),
        Value::Number(number) if counts => Some(number.to_string()),
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            violations.add(row.path(Api::V1), format!("must be {}", row.kind));
            None
        }
    }
}

/// Declares a field table: a struct of optional settings, and what follows from its rows.
macro_rules! settings {
    (
        $(#[$outer:meta])*
        pub struct $Table:ident at $level:ident {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $ty:ty {
                    v1: $place:ident($key:literal), v2: $spelling:ident($v2:literal), $change:ident, $emulation:ident
                    $(, default: $default_words:literal => $default:expr)?
                    $(, check: $check:expr)?
                }
            )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $Table {
            $(
                $(#[doc = $doc])+
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$ty>,
            )+
        }

        impl $Table {
            /// The rows, in the order of the documentation.
            pub const ROWS: &'static [$crate::field::Row] = &[
                $($crate::field::Row {
                    name: stringify!($field),
                    // Each line of a `///` comment begins with a blank: between lines it stays.
                    doc: concat!($($doc),+).trim_ascii_start(),
                    kind: <$ty as $crate::field::Setting>::TYPE,
                    default: concat!($($default_words)?),
                    level: $crate::field::Level::$level,
                    v1: $crate::field::Place::$place($key),
                    v2: $v2,
                    spelling: $crate::field::Spelling::$spelling,
                    change: $crate::field::Change::$change,
                    emulation: $crate::field::Emulation::$emulation,
                }),+
            ];

            /// Which JSON may stand at the place of each row.
            pub fn schemas() -> Vec<$crate::field::RowSchema> {
                let of: &[fn(&'static $crate::field::Row) -> $crate::field::RowSchema] =
                    &[$($crate::field::RowSchema::of::<$ty>),+];
                Self::ROWS.iter().zip(of).map(|(row, of)| of(row)).collect()
            }

            /// Takes the settings out of a v1 object; what cannot be read is noted and left out.
            pub fn take_v1(
                parts: &mut $crate::field::V1Parts,
                violations: &mut $crate::error::Violations,
            ) -> Self {
                let mut rows = Self::ROWS.iter();
                // The struct is built in the order of the rows, so that each field meets its own.
                Self { $($field: rows.next().and_then(|row| parts.take::<$ty>(row, violations)),)+ }
            }

            /// Puts the settings that are set into a v1 object.
            pub fn put_v1(&self, parts: &mut $crate::field::V1Parts) {
                let mut rows = Self::ROWS.iter();
                $(
                    if let (Some(row), Some(value)) = (rows.next(), &self.$field) {
                        parts.put(row, value);
                    }
                )+
            }

            /// Takes the settings that are fields of v2 out of `body`.
            ///
            /// # Errors
            /// 400 naming the field whose value has the wrong type.
            pub fn take_v2(body: &mut $crate::message::Kept) -> $crate::error::Result<Self> {
                let mut rows = Self::ROWS.iter();
                Ok(Self { $($field: match rows.next() {
                    Some(row) => $crate::field::take_v2::<$ty>(row, body)?,
                    None => None,
                },)+ })
            }

            /// Puts the settings that are fields of v2 into `body`.
            pub fn put_v2(&self, body: &mut $crate::message::Kept) {
                let mut rows = Self::ROWS.iter();
                $(
                    if let (Some(row), Some(value)) = (rows.next(), &self.$field) {
                        $crate::field::put_v2(row, value, body);
                    }
                )+
            }

            /// Fills what is not set and has a default.
            pub fn fill(&mut self, defaults: &$crate::field::Defaults) {
                let _ = defaults;
                $($(
                    if self.$field.is_none() {
                        let default: fn(&$crate::field::Defaults) -> $ty = $default;
                        self.$field = Some(default(defaults));
                    }
                )?)+
            }

            /// Notes each setting whose value is not allowed, in the words of the caller's API.
            pub fn check(&self, api: $crate::field::Api, violations: &mut $crate::error::Violations) {
                let mut rows = Self::ROWS.iter();
                $(
                    let row = rows.next();
                    $(
                        if let (Some(row), Some(value)) = (row, &self.$field) {
                            let check: fn(&$ty) -> Result<(), String> = $check;
                            if let Err(problem) = check(value) {
                                violations.add(row.path(api), problem);
                            }
                        }
                    )?
                    let _ = row;
                )+
            }

            /// The rows of the configuration in which `self` and `other` differ.
            pub fn changes(&self, other: &Self) -> Vec<&'static $crate::field::Row> {
                let same = [$(self.$field == other.$field),+];
                let changed = Self::ROWS.iter().zip(same).filter(|(_, same)| !same).map(|(row, _)| row);
                changed.filter(|row| row.change == $crate::field::Change::Configuration).collect()
            }
        }
    };
}

pub(crate) use settings;
