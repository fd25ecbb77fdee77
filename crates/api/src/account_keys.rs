//! Keys of service accounts, as the IAM API shows them.

use axum::extract::{Path, State as FromState};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use groundrun_engine::{AccountKeyView, KeyManager};
use groundrun_model::{Error, Result};
use http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Who};
use crate::reply::{Json, Reply};

/// The path: the project, which the account's name makes superfluous, and that name.
type Account = Path<(String, String)>;

/// The same, and the id of a key.
type Key = Path<(String, String, String)>;

const CREDENTIALS_FILE: &str = "TYPE_GOOGLE_CREDENTIALS_FILE";
const RSA_2048: &str = "KEY_ALG_RSA_2048";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct CreateKey {
    private_key_type: Option<String>,
    key_algorithm: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct UploadKey {
    public_key_data: String,
}

pub(crate) async fn create(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let asked: CreateKey = body.read()?;
    match asked.private_key_type.as_deref() {
        None | Some("" | "TYPE_UNSPECIFIED" | CREDENTIALS_FILE) => {}
        Some("TYPE_PKCS12_FILE") => {
            return Err(Error::unimplemented("A private key of the type TYPE_PKCS12_FILE").into());
        }
        Some(other) => return Err(unknown_value("private_key_type", other).into()),
    }
    match asked.key_algorithm.as_deref() {
        None | Some("" | "KEY_ALG_UNSPECIFIED" | RSA_2048) => {}
        Some("KEY_ALG_RSA_1024") => {
            let text = "KEY_ALG_RSA_1024 is too weak: ask for KEY_ALG_RSA_2048.";
            return Err(Error::field("key_algorithm", text).into());
        }
        Some(other) => return Err(unknown_value("key_algorithm", other).into()),
    }
    let (key, file) = state.engine.create_account_key(&caller, &account, &state.base).await?;
    let mut json = render(&key);
    json["privateKeyType"] = json!(CREDENTIALS_FILE);
    json["privateKeyData"] = json!(STANDARD.encode(file.expose()));
    Ok(Json(json))
}

pub(crate) async fn upload(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let asked: UploadKey = body.read()?;
    let refuse = |text: &str| Error::field("public_key_data", text);
    // gcloud sends the URL-safe alphabet.
    let bytes = STANDARD
        .decode(&asked.public_key_data)
        .or_else(|_| URL_SAFE.decode(&asked.public_key_data))
        .map_err(|_| refuse("must be base64 of a certificate or a public key in PEM form."))?;
    let pem = String::from_utf8(bytes).map_err(|_| refuse("must be PEM, which is text."))?;
    Ok(Json(render(&state.engine.upload_account_key(&caller, &account, &pem).await?)))
}

pub(crate) async fn list_all(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    uri: Uri,
) -> Reply {
    let wanted = key_types(&uri)?;
    let keys = state.engine.list_account_keys(&caller, &account).await?;
    let keys: Vec<Value> = keys.iter().filter(|key| wanted(key.manager)).map(render).collect();
    Ok(Json(if keys.is_empty() { json!({}) } else { json!({ "keys": keys }) }))
}

pub(crate) async fn get(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account, key)): Key,
    uri: Uri,
) -> Reply {
    let form = values(&uri, "publicKeyType").pop();
    let key = state.engine.get_account_key(&caller, &account, &key).await?;
    let mut json = render(&key);
    let pem = match form.as_deref() {
        None | Some("" | "TYPE_NONE") => return Ok(Json(json)),
        Some("TYPE_X509_PEM_FILE") => key.key.certificate().to_owned(),
        Some("TYPE_RAW_PUBLIC_KEY") => key.key.public_key_pem(),
        Some(other) => return Err(unknown_value("public_key_type", other).into()),
    };
    json["publicKeyData"] = json!(STANDARD.encode(pem));
    Ok(Json(json))
}

pub(crate) async fn delete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account, key)): Key,
) -> Reply {
    state.engine.delete_account_key(&caller, &account, &key).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn disable(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account, key)): Key,
) -> Reply {
    state.engine.disable_account_key(&caller, &account, &key).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn enable(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account, key)): Key,
) -> Reply {
    state.engine.enable_account_key(&caller, &account, &key).await?;
    Ok(Json(json!({})))
}

/// Which keys `keyTypes` asks for, which may be given more than once; all if it is not.
fn key_types(uri: &Uri) -> Result<impl Fn(KeyManager) -> bool> {
    let mut wanted = Vec::new();
    for value in values(uri, "keyTypes") {
        match value.as_str() {
            "USER_MANAGED" => wanted.push(KeyManager::User),
            "SYSTEM_MANAGED" => wanted.push(KeyManager::System),
            "" | "KEY_TYPE_UNSPECIFIED" => {}
            other => return Err(unknown_value("key_types", other)),
        }
    }
    Ok(move |manager| wanted.is_empty() || wanted.contains(&manager))
}

fn values(uri: &Uri, name: &str) -> Vec<String> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

fn unknown_value(field: &str, value: &str) -> Error {
    Error::field(field, format!("'{value}' is not one of its values."))
}

fn render(key: &AccountKeyView) -> Value {
    let mut json = json!({
        "name": format!("projects/{}/serviceAccounts/{}/keys/{}", key.project, key.email, key.key.kid()),
        "validAfterTime": key.valid_after.to_rfc3339_seconds(),
        "validBeforeTime": key.valid_before.to_rfc3339_seconds(),
        "keyAlgorithm": RSA_2048,
        "keyOrigin": key.origin,
        "keyType": match key.manager {
            KeyManager::User => "USER_MANAGED",
            KeyManager::System => "SYSTEM_MANAGED",
        },
    });
    if key.disabled {
        json["disabled"] = json!(true);
        json["disableReason"] = json!("SERVICE_ACCOUNT_KEY_DISABLE_REASON_USER_INITIATED");
    }
    json
}
