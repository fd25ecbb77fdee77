//! Service accounts, as the IAM API shows them.

use axum::extract::State as FromState;
use groundrun_engine::ServiceAccount;
use groundrun_model::message::Kept;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Target, Who};
use crate::reply::{Json, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateServiceAccount {
    account_id: String,
    #[serde(default)]
    service_account: Kept,
}

pub(crate) async fn create(
    FromState(state): FromState<State>,
    Who(caller): Who,
    target: Target,
    body: Body,
) -> Reply {
    let asked: CreateServiceAccount = body.read()?;
    let display_name = asked.service_account.get("displayName").and_then(Value::as_str).unwrap_or_default();
    let project = &target.scope.project;
    let created =
        state.engine.create_service_account(&caller, project, &asked.account_id, display_name).await?;
    Ok(Json(render(&created)))
}

pub(crate) async fn get(
    FromState(state): FromState<State>,
    Who(caller): Who,
    axum::extract::Path((_project, account)): axum::extract::Path<(String, String)>,
) -> Reply {
    Ok(Json(render(&state.engine.get_service_account(&caller, &account).await?)))
}

pub(crate) async fn list_all(FromState(state): FromState<State>, Who(caller): Who, target: Target) -> Reply {
    let accounts = state.engine.list_service_accounts(&caller, &target.scope.project).await?;
    let accounts: Vec<Value> = accounts.iter().map(render).collect();
    Ok(Json(if accounts.is_empty() { json!({}) } else { json!({ "accounts": accounts }) }))
}

fn render(account: &ServiceAccount) -> Value {
    let email = &account.account.email;
    let mut json = json!({
        "name": format!("projects/{}/serviceAccounts/{email}", account.project),
        "projectId": account.project,
        "uniqueId": account.account.unique_id,
        "email": email,
        "oauth2ClientId": account.account.unique_id,
    });
    if let Some(json) = json.as_object_mut() {
        if !account.display_name.is_empty() {
            json.insert("displayName".to_owned(), json!(account.display_name));
        }
        if account.disabled {
            json.insert("disabled".to_owned(), json!(true));
        }
    }
    json
}
