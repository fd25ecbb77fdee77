//! How is a message spelled whose type it says itself (`google.protobuf.Any`)?

use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;
use googleapis_tonic_google_rpc::google::rpc;
use groundrun_model::Result;
use prost::Message;
use prost_types::Any;
use serde_json::{Map, Value};

use super::json::{Json, object, unexpected};

const PREFIX: &str = "type.googleapis.com/";

/// The types that an answer can hold.
macro_rules! types {
    ($($name:literal => $Message:path;)+) => {
        fn encode(name: &str, fields: Value) -> Result<Vec<u8>> {
            match name {
                $($name => Ok(<$Message>::from_json(fields)?.encode_to_vec()),)+
                _ => Err(unexpected("a type that is known", &Value::from(name))),
            }
        }

        fn decode(name: &str, bytes: &[u8]) -> Option<Value> {
            match name {
                $($name => <$Message>::decode(bytes).ok().map(|message| message.to_json()),)+
                _ => None,
            }
        }
    };
}

types! {
    "google.cloud.run.v2.Service" => run::Service;
    "google.cloud.run.v2.Revision" => run::Revision;
    "google.rpc.BadRequest" => rpc::BadRequest;
    "google.rpc.ErrorInfo" => rpc::ErrorInfo;
    "google.rpc.LocalizedMessage" => rpc::LocalizedMessage;
}

impl Json for Any {
    fn is_default(&self) -> bool {
        false
    }

    fn to_json(&self) -> Value {
        let name = self.type_url.rsplit('/').next().unwrap_or_default();
        let mut json = match decode(name, &self.value) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        json.insert("@type".to_owned(), Value::from(self.type_url.as_str()));
        Value::Object(json)
    }

    fn from_json(value: Value) -> Result<Self> {
        let mut fields = object(value)?;
        let type_url = String::from_json(fields.remove("@type").unwrap_or_default())?;
        let name = type_url.strip_prefix(PREFIX).unwrap_or(&type_url);
        Ok(Self { value: encode(name, Value::Object(fields))?, type_url })
    }
}
