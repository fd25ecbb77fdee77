//! What can be asked of this server? The OpenAPI document, which follows from the list of routes, the
//! rules of v2 and the tables of the model.

mod bodies;
mod parameters;
mod traced;

use axum::extract::State as FromState;
use groundrun_model::service::schema::{v1_service, v2_service};
use serde_json::{Map, Value, json};

use self::parameters::Places;
use crate::State;
use crate::reply::{Json, Reply};
use crate::routes::{HANDLERS, ROUTES};

/// The document of this server: its project and its region stand in the parameters of the paths.
pub(crate) async fn document(FromState(state): FromState<State>) -> Reply {
    let config = state.engine.config();
    let places = Places { project: config.project.id.as_str(), region: config.region.as_str() };
    Ok(Json(openapi(&state.base, &places)))
}

fn openapi(base: &str, places: &Places<'_>) -> Value {
    let mut paths = Map::new();
    let mut seen: Vec<&str> = Vec::new();
    for ((method, path, name), handler) in ROUTES.iter().zip(HANDLERS) {
        seen.push(name);
        let operation = operation(path, &operation_id(name, &seen), handler, places);
        let path = paths.entry(path.replace("/:", ":")).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert((*method).to_owned(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "groundrun",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The APIs of Cloud Run and of its surroundings, as this emulator answers them.",
        },
        "servers": [{ "url": base }],
        "paths": paths,
        "components": { "schemas": {
            "v1.Service": v1_service(),
            "v2.Service": v2_service(),
            "iam.Policy": bodies::policy(),
            "rpc.Error": error(),
            "oauth.Error": oauth_error(),
        } },
    })
}

/// The name of a method; v1 and v2 share names, so that the second one of a name is numbered.
fn operation_id(name: &str, seen: &[&str]) -> String {
    match seen.iter().filter(|other| **other == name).count() {
        0 | 1 => name.to_owned(),
        count => format!("{name}.{count}"),
    }
}

fn operation(path: &str, id: &str, handler: &str, places: &Places<'_>) -> Value {
    let error = match handler {
        "oauth::token" | "sts::token" | "token_info::token_info" | "token_info::older_token_info" => {
            "oauth.Error"
        }
        _ => "rpc.Error",
    };
    let mut operation = json!({
        "operationId": id,
        "parameters": parameters::of(path, handler, places),
        "responses": {
            "200": { "description": "What was asked for.", "content": answer(handler) },
            "default": { "description": "A refusal.", "content": json_of(&reference(error)) },
        },
    });
    if let (Some(body), Some(fields)) = (bodies::of(handler), operation.as_object_mut()) {
        fields.insert("requestBody".to_owned(), body);
    }
    operation
}

/// What an answer holds: JSON, but for the page that people read.
fn answer(handler: &str) -> Value {
    match handler {
        "overview::page" => json!({ "text/html": {} }),
        _ => json_of(&json!({ "type": "object" })),
    }
}

fn json_of(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The JSON of `google.rpc.Status`, as `crate::error` writes it.
fn error() -> Value {
    let error = json!({
        "type": "object",
        "properties": {
            "code": { "type": "integer" },
            "message": { "type": "string" },
            "status": { "type": "string" },
            "details": { "type": "array", "items": { "type": "object" } },
        },
        "required": ["code", "message", "status"],
    });
    json!({ "type": "object", "properties": { "error": error }, "required": ["error"] })
}

/// A refusal of the token endpoint (RFC 6749, section 5.2).
fn oauth_error() -> Value {
    json!({
        "type": "object",
        "properties": { "error": { "type": "string" }, "error_description": { "type": "string" } },
        "required": ["error"],
    })
}

#[cfg(test)]
mod tests;
