//! Service accounts, as the IAM API shows them.

use axum::extract::{Path, State as FromState};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use groundrun_engine::{AccountChange, Cursor, ServiceAccount};
use groundrun_model::{Error, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Query, Target, Who};
use crate::iam_policy::{SetIamPolicy, TestIamPermissions, permissions, requested_version};
use crate::paging::{read_token, write_token};
use crate::reply::{Json, Reply};

/// How many accounts a page has that does not say, and the most that it may have, as documented.
const PAGE: (usize, usize) = (20, 100);

/// The path: the project, which the account's name makes superfluous, and that name.
type Account = Path<(String, String)>;

/// A service account in a request: of what the server says of one, only three fields count.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Message {
    display_name: Option<String>,
    description: Option<String>,
    etag: Option<String>,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "projectId")]
    _project_id: Option<String>,
    #[serde(rename = "uniqueId")]
    _unique_id: Option<String>,
    #[serde(rename = "email")]
    _email: Option<String>,
    #[serde(rename = "oauth2ClientId")]
    _oauth2_client_id: Option<String>,
    #[serde(rename = "disabled")]
    _disabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateServiceAccount {
    account_id: String,
    #[serde(default)]
    service_account: Message,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PatchServiceAccount {
    service_account: Message,
    update_mask: Option<String>,
}

/// The body of a verb that says all there is to say.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl Message {
    /// What it asks to change, of the fields that `is_named` names.
    ///
    /// # Errors
    /// 400 if the etag is none of an account.
    fn change(self, is_named: impl Fn(&str) -> bool) -> Result<AccountChange> {
        let named = |field: &str, value: Option<String>| is_named(field).then(|| value.unwrap_or_default());
        let etag = self.etag.filter(|etag| !etag.is_empty()).map(|etag| {
            let bytes = STANDARD.decode(etag.replace('-', "+").replace('_', "/")).ok();
            let bytes = bytes.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
            bytes
                .map(i64::from_be_bytes)
                .ok_or_else(|| Error::field("service_account.etag", "is not the etag of a service account."))
        });
        Ok(AccountChange {
            display_name: named("displayName", self.display_name),
            description: named("description", self.description),
            expected: etag.transpose()?,
        })
    }
}

pub(crate) async fn create(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let asked: CreateServiceAccount = body.read()?;
    let change = AccountChange { expected: None, ..asked.service_account.change(|_| true)? };
    let project = &target.scope.project;
    let created = state.engine.create_service_account(&caller, project, &asked.account_id, change).await?;
    Ok(Json(render(&created)))
}

pub(crate) async fn get(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
) -> Reply {
    Ok(Json(render(&state.engine.get_service_account(&caller, &account).await?)))
}

pub(crate) async fn list_all(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    query: Query,
) -> Reply {
    let project = &target.scope.project;
    let list = format!("projects/{}/serviceAccounts", project.id);
    let after = query.get("pageToken").map(|token| read_token(&list, token, "pageToken")).transpose()?;
    let after = after.map(|cursor| cursor.name);
    let limit = page_size(query.get("pageSize"), PAGE)?;
    let (accounts, more) =
        state.engine.list_service_accounts(&caller, project, limit, after.as_deref()).await?;
    let mut body = json!({});
    if !accounts.is_empty() {
        body["accounts"] = accounts.iter().map(render).collect();
    }
    if let Some(last) = accounts.last().filter(|_| more) {
        let name = last.account.email.clone();
        let place = Cursor { created: Timestamp::default(), location: "global".to_owned(), name };
        body["nextPageToken"] = json!(write_token(&list, &place));
    }
    Ok(Json(body))
}

/// Reads the size of a page: `(default, most)` say what counts if there is none, and what is too much.
///
/// # Errors
/// 400 if it is no number, or a negative one.
pub(crate) fn page_size(text: Option<&str>, (default, most): (usize, usize)) -> Result<usize> {
    let wrong = |text: &str| Error::field("pageSize", format!("must be a number from 0, not '{text}'"));
    match text {
        None => Ok(default),
        Some(text) => match text.parse().map_err(|_| wrong(text))? {
            0 => Ok(default),
            size => Ok(size.min(most)),
        },
    }
}

/// Changes what a mask names; without one, what is there.
pub(crate) async fn patch(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let asked: PatchServiceAccount = body.read()?;
    let mask = asked.update_mask.unwrap_or_default();
    let mut named: Vec<&str> = Vec::new();
    for path in mask.split(',').map(str::trim).filter(|path| !path.is_empty()) {
        named.push(match path.trim_start_matches("serviceAccount.").trim_start_matches("service_account.") {
            "displayName" | "display_name" => "displayName",
            "description" => "description",
            "etag" => continue,
            _ => {
                let text = format!("'{path}' cannot be changed: use displayName and description.");
                return Err(Error::field("updateMask", text).into());
            }
        });
    }
    if mask.is_empty() {
        named.extend(asked.service_account.display_name.is_some().then_some("displayName"));
        named.extend(asked.service_account.description.is_some().then_some("description"));
    }
    let change = asked.service_account.change(|field| named.contains(&field))?;
    Ok(Json(render(&state.engine.update_service_account(&caller, &account, change).await?)))
}

/// The older way to change an account, with which only the display name can be, as documented.
pub(crate) async fn update(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let asked: Message = body.read()?;
    let change = asked.change(|field| field == "displayName")?;
    Ok(Json(render(&state.engine.update_service_account(&caller, &account, change).await?)))
}

pub(crate) async fn delete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
) -> Reply {
    state.engine.delete_service_account(&caller, &account).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn undelete(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let Nothing {} = body.read()?;
    let restored = state.engine.undelete_service_account(&caller, &account).await?;
    Ok(Json(json!({ "restoredAccount": render(&restored) })))
}

pub(crate) async fn disable(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let Nothing {} = body.read()?;
    state.engine.set_service_account_disabled(&caller, &account, true).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn enable(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let Nothing {} = body.read()?;
    state.engine.set_service_account_disabled(&caller, &account, false).await?;
    Ok(Json(json!({})))
}

pub(crate) async fn get_policy(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    query: Query,
    body: Body,
) -> Reply {
    let Nothing {} = body.read()?;
    let requested = requested_version(&query)?;
    Ok(Json(state.engine.get_account_policy(&caller, &account, requested).await?.to_json()))
}

pub(crate) async fn set_policy(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let (policy, mask) = SetIamPolicy::read(body)?;
    let written = state.engine.set_account_policy(&caller, &account, policy, mask.as_deref()).await?;
    Ok(Json(written.to_json()))
}

pub(crate) async fn test_permissions(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path((_, account)): Account,
    body: Body,
) -> Reply {
    let asked: TestIamPermissions = body.read()?;
    let held = state.engine.test_account_permissions(&caller, &account, asked.permissions).await?;
    Ok(Json(permissions(&held)))
}

fn render(found: &ServiceAccount) -> Value {
    let email = &found.account.email;
    let mut json = json!({
        "name": format!("projects/{}/serviceAccounts/{email}", found.project),
        "projectId": found.project,
        "uniqueId": found.account.unique_id,
        "email": email,
        "etag": STANDARD.encode(found.updated.micros().to_be_bytes()),
        "oauth2ClientId": found.account.unique_id,
    });
    for (name, text) in [("displayName", &found.display_name), ("description", &found.description)] {
        if !text.is_empty() {
            json[name] = json!(text);
        }
    }
    if found.disabled {
        json["disabled"] = json!(true);
    }
    json
}
