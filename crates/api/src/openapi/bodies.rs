//! What does the body of a request hold?

use groundrun_model::domain_mapping_v1::DomainMappingMessage;
use groundrun_model::iam::Policy;
use groundrun_model::schema::Schema as _;
use serde_json::{Value, json};

use super::{reference, traced};
use crate::emulator::{clock, workloads};
use crate::v1::operations::WaitOperation;
use crate::{
    account_keys, iam_credentials, iam_policy, logging, login, roles, service_accounts, signing_keys,
};

/// The body of a route, if it has one. What a handler reads by hand is any object.
pub(super) fn of(handler: &str) -> Option<Value> {
    let (module, name) = handler.split_once("::")?;
    let schema = match (module, name) {
        ("services", "create" | "replace") => reference("v1.Service"),
        ("domain_mappings", "create") => DomainMappingMessage::schema(),
        ("logging", "list_entries") => traced::schema::<logging::ListEntries>(),
        ("rest", "create_service" | "update_service") => reference("v2.Service"),
        ("iam_policy", "set_of_service" | "set_of_project") | ("rest", "set_iam_policy") => set_policy(),
        ("iam_policy", "test_of_service" | "test_of_project") | ("rest", "test_iam_permissions") => {
            traced::schema::<iam_policy::TestIamPermissions>()
        }
        ("iam_policy", "get_of_project") => traced::schema::<iam_policy::GetIamPolicy>(),
        ("operations", "wait") | ("rest", "wait_operation") => wait(),
        ("iam_credentials", "generate_id_token") => traced::schema::<iam_credentials::GenerateIdToken>(),
        ("iam_credentials", "generate_access_token") => {
            traced::schema::<iam_credentials::GenerateAccessToken>()
        }
        ("iam_credentials", "sign_blob" | "sign_jwt") => traced::schema::<iam_credentials::Sign>(),
        ("service_accounts", "create") => traced::schema::<service_accounts::CreateServiceAccount>(),
        ("workloads", "open") => traced::schema::<workloads::OpenWorkload>(),
        ("clock", "change") => traced::schema::<clock::ChangeClock>(),
        ("service_accounts", "patch") => traced::schema::<service_accounts::PatchServiceAccount>(),
        ("service_accounts", "update") => traced::schema::<service_accounts::Message>(),
        ("service_accounts", "disable" | "enable" | "undelete" | "get_policy") => {
            traced::schema::<service_accounts::Nothing>()
        }
        ("service_accounts", "set_policy") => set_policy(),
        ("service_accounts", "test_permissions") => traced::schema::<iam_policy::TestIamPermissions>(),
        ("login", "login") => traced::schema::<login::Login>(),
        ("account_keys", "create") => traced::schema::<account_keys::CreateKey>(),
        ("account_keys", "upload") => traced::schema::<account_keys::UploadKey>(),
        ("signing_keys", "import") => traced::schema::<signing_keys::ImportKey>(),
        ("roles", "create") => traced::schema::<roles::CreateRole>(),
        ("roles", "update") => traced::schema::<roles::RoleMessage>(),
        ("roles", "undelete") => traced::schema::<roles::UndeleteRole>(),
        ("roles", "query_grantable" | "query_testable") => traced::schema::<roles::QueryRoles>(),
        ("service_usage", "batch_enable") => json!({ "type": "object" }),
        ("oauth", "token") => return Some(token()),
        ("sts", "token") => return Some(exchange()),
        _ => return None,
    };
    let mut content = json!({ "schema": schema });
    if let (Some(example), Some(fields)) = (example(module, name), content.as_object_mut()) {
        fields.insert("example".to_owned(), example);
    }
    Some(json!({ "required": true, "content": { "application/json": content } }))
}

/// An IAM policy.
pub(super) fn policy() -> Value {
    traced::schema::<Policy>()
}

/// The policy stands in the request as any JSON, and is read by hand.
fn set_policy() -> Value {
    let mut schema = traced::schema::<iam_policy::SetIamPolicy>();
    if let Some(policy) = schema.pointer_mut("/properties/policy") {
        *policy = reference("iam.Policy");
    }
    schema
}

/// Nobody wants to wait for long to see whether waiting works.
fn wait() -> Value {
    let mut schema = traced::schema::<WaitOperation>();
    if let Some(timeout) = schema.pointer_mut("/properties/timeout") {
        *timeout = json!({ "type": "string", "pattern": "^0[.][0-9]{1,3}s$" });
    }
    schema
}

/// The form of RFC 7523 and of a refresh.
fn token() -> Value {
    let grants = ["urn:ietf:params:oauth:grant-type:jwt-bearer", "refresh_token"];
    let schema = json!({
        "type": "object",
        "properties": {
            "grant_type": { "type": "string", "enum": grants },
            "assertion": { "type": "string" },
            "refresh_token": { "type": "string" },
            "client_id": { "type": "string" },
        },
    });
    json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": schema } } })
}

/// The form of RFC 8693.
fn exchange() -> Value {
    let kinds = ["jwt", "id_token"].map(|kind| format!("urn:ietf:params:oauth:token-type:{kind}"));
    let schema = json!({
        "type": "object",
        "properties": {
            "grant_type": { "const": "urn:ietf:params:oauth:grant-type:token-exchange" },
            "audience": { "type": "string" },
            "requested_token_type": { "const": "urn:ietf:params:oauth:token-type:access_token" },
            "scope": { "type": "string" },
            "subject_token": { "type": "string" },
            "subject_token_type": { "type": "string", "enum": kinds },
        },
    });
    json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": schema } } })
}

/// A body that is accepted, where few are.
fn example(module: &str, name: &str) -> Option<Value> {
    let container = json!({ "image": "us-docker.pkg.dev/cloudrun/container/hello" });
    match (module, name) {
        ("services", "create" | "replace") => Some(json!({
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": { "name": "hello" },
            "spec": { "template": { "spec": { "containers": [container] } } },
        })),
        ("domain_mappings", "create") => Some(json!({
            "apiVersion": "domains.cloudrun.com/v1",
            "kind": "DomainMapping",
            "metadata": { "name": "api.example.com" },
            "spec": { "routeName": "hello" },
        })),
        ("roles", "create") => Some(json!({
            "roleId": "callers",
            "role": { "title": "Callers", "includedPermissions": ["run.routes.invoke"] },
        })),
        ("rest", "create_service" | "update_service") => {
            Some(json!({ "template": { "containers": [container] } }))
        }
        _ => None,
    }
}
