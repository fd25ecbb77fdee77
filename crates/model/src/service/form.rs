//! Which settings hold JSON of a known form? v1 keeps it in an annotation, v2 in messages of its own.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::values::{AmbientScope, V2, json_of_text};
use crate::field::Setting;
use crate::message::message;
use crate::schema::Schema;

/// JSON that reads as `T`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Form<T>(pub T);

message! {
    /// A network interface of Direct VPC.
    pub struct NetworkInterface {
        /// The network.
        network: Option<String>,
        /// The subnetwork.
        subnetwork: Option<String>,
        /// Network tags.
        tags: Vec<String>,
    }
}

message! {
    /// The ambient network of instances.
    pub struct AmbientNetworking {
        /// How far it reaches.
        ambient_scope: Option<V2<AmbientScope>>,
        /// Whether there is one.
        enabled: Option<bool>,
    }
}

impl<T: Schema + Default + Serialize + DeserializeOwned> Setting for Form<T> {
    const TYPE: &'static str = "JSON";

    fn schema() -> Value {
        T::schema()
    }

    fn text_schema() -> Value {
        json!({ "type": "string", "contentMediaType": "application/json" })
    }

    fn from_text(text: &str) -> Result<Self, String> {
        // Null is unset, as everywhere.
        let read: Option<T> = serde_path_to_error::deserialize(json_of_text(text)?)
            .map_err(|problem| format!("must be JSON of another form: {problem}"))?;
        Ok(Self(read.unwrap_or_default()))
    }

    fn to_text(&self) -> String {
        self.to_v2().to_string()
    }

    fn is_unset(&self) -> bool {
        crate::field::is_default(&self.to_v2())
    }

    fn from_v2(value: &Value) -> Result<Option<Self>, String> {
        let read = serde_path_to_error::deserialize(value.clone());
        read.map(|form| Some(Self(form)))
            .map_err(|problem: serde_path_to_error::Error<_>| problem.to_string())
    }

    fn to_v2(&self) -> Value {
        // Messages of texts, flags and lists always have a JSON form.
        serde_json::to_value(&self.0).unwrap_or_default()
    }
}
