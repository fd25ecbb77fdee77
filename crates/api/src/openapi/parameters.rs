//! What do the path and the query of a route hold?

use serde_json::{Value, json};

use crate::v1::list;
use crate::v2::rest;

/// Where the server is: what the parameters of a path are mostly about.
pub(super) struct Places<'p> {
    /// The id of the project.
    pub(super) project: &'p str,
    /// The region.
    pub(super) region: &'p str,
}

/// The parameters of a route.
pub(super) fn of(path: &str, handler: &str, places: &Places<'_>) -> Vec<Value> {
    let in_path = names(path).map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name, places) }),
    );
    let in_query = query(handler)
        .iter()
        .map(|name| json!({ "name": name, "in": "query", "schema": query_schema(name) }));
    in_path.chain(in_query).collect()
}

/// The names in braces.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// What is there, or else what could be: of a project and of a region nothing else is.
fn path_schema(name: &str, places: &Places<'_>) -> Value {
    let account = format!("{}@{}.iam.gserviceaccount.com", "caller", places.project);
    match name {
        "project" | "namespace" => json!({ "type": "string", "enum": [places.project] }),
        "location" => json!({ "type": "string", "enum": [places.region, "-"] }),
        "api" => json!({ "type": "string", "enum": ["run.googleapis.com"] }),
        "account" => json!({ "type": "string", "enum": [account] }),
        "service" => one_of("hello", "^[a-z][a-z0-9-]{0,47}[a-z0-9]$"),
        "domainmapping" | "domain" => one_of("api.example.com", "^[a-z]{1,20}[.]example[.]com$"),
        "role" => one_of("run.invoker", "^[a-zA-Z0-9_.]{3,64}$"),
        "revision" => one_of("hello-one", "^[a-z][a-z0-9-]{0,61}[a-z0-9]$"),
        _ => json!({ "type": "string", "pattern": "^[a-z0-9-]{1,36}$" }),
    }
}

fn one_of(example: &str, pattern: &str) -> Value {
    json!({
        "type": "string",
        "examples": [example],
        "anyOf": [{ "const": example }, { "pattern": pattern }],
    })
}

/// The parameters of the query: for v2 those of the rule.
pub(super) fn query(handler: &str) -> &'static [&'static str] {
    match handler.split_once("::") {
        Some(("rest", name)) => rest::query_fields(name),
        Some(("operations", "list_all")) => &["filter", "pageSize", "pageToken"],
        Some(("token_info", "token_info" | "older_token_info")) => &["access_token", "id_token"],
        Some(("service_accounts", "list_all")) => &["pageSize", "pageToken"],
        Some(("resource_manager", "list_all")) => &["filter", "pageSize", "pageToken"],
        Some(("resource_manager", "search")) => &["query", "pageSize", "pageToken"],
        Some(("iam_policy", "get_of_service") | ("service_accounts", "get_policy")) => {
            &["options.requestedPolicyVersion"]
        }
        Some(("account_keys", "list_all")) => &["keyTypes"],
        Some(("account_keys", "get")) => &["publicKeyType"],
        Some(("roles", "list_predefined")) => &["pageSize", "pageToken", "parent", "showDeleted", "view"],
        Some(("roles", "list_all")) => &["pageSize", "pageToken", "showDeleted", "view"],
        Some(("roles", "update")) => &["updateMask"],
        Some(("roles", "delete")) => &["etag"],
        Some(
            ("services", "create" | "replace" | "delete")
            | ("domain_mappings", "create" | "delete")
            | ("revisions", "delete"),
        ) => &["dryRun"],
        Some(("services" | "revisions" | "domain_mappings", name)) if name.starts_with("list_") => {
            list::QUERY
        }
        _ => &[],
    }
}

/// What may stand in a query; text, unless it is known to be something else.
fn query_schema(name: &str) -> Value {
    match name {
        "limit" | "pageSize" => json!({ "type": "integer", "minimum": 0, "maximum": 2000 }),
        "options.requestedPolicyVersion" => json!({ "type": "integer", "enum": [0, 1, 3] }),
        "validateOnly" | "allowMissing" | "forceNewRevision" | "showDeleted" | "returnPartialSuccess" => {
            json!({ "type": "boolean" })
        }
        "view" => json!({ "type": "string", "enum": ["BASIC", "FULL"] }),
        "parent" => json!({ "type": "string", "enum": [""] }),
        "dryRun" => json!({ "type": "string", "enum": ["all"] }),
        "serviceId" => json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]{0,47}[a-z0-9]$" }),
        "updateMask" => {
            json!({ "type": "string", "examples": ["template.containers", "description,ingress"] })
        }
        _ => json!({ "type": "string" }),
    }
}
