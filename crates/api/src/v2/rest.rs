//! How does a call of v2 arrive by REST?
//!
//! A rule says which message a request stands for, as the `google.api.http` rules of the API do: the path
//! is the name of a resource, the body is the message or one field of it, and the query holds the rest.

use axum::extract::{FromRequestParts as _, Request, State as FromState};
use axum::response::{IntoResponse as _, Response};
use groundrun_model::{Error, Result};
use serde_json::{Map, Value};

use super::answer;
use crate::State;
use crate::call::{Body, Query, Who};
use crate::error::Refusal;
use crate::reply::Json;

/// What a request stands for.
struct Rule {
    /// The full name of the method in gRPC.
    method: &'static str,
    /// The field that the path is.
    path: &'static str,
    /// The field that the body is; `*` is all the others, empty is none.
    body: &'static str,
    /// The fields that the query may hold.
    query: &'static [&'static str],
}

macro_rules! rules {
    ($($handler:ident: $method:literal, path $path:literal, body $body:literal, query $query:expr;)+) => {
        $(pub(crate) async fn $handler(FromState(state): FromState<State>, request: Request) -> Response {
            const RULE: Rule = Rule { method: $method, path: $path, body: $body, query: &$query };
            match serve(&state, &RULE, request).await {
                Ok(reply) => reply.into_response(),
                Err(refusal) => refusal.into_response(),
            }
        })+

        /// What the query of a rule may hold, by the name of the rule.
        pub(crate) fn query_fields(name: &str) -> &'static [&'static str] {
            match name {
                $(stringify!($handler) => &$query,)+
                _ => &[],
            }
        }
    };
}

rules! {
    create_service: "google.cloud.run.v2.Services/CreateService", path "parent", body "service", query ["serviceId", "validateOnly"];
    list_services: "google.cloud.run.v2.Services/ListServices", path "parent", body "", query ["pageSize", "pageToken", "showDeleted"];
    get_service: "google.cloud.run.v2.Services/GetService", path "name", body "", query [];
    update_service: "google.cloud.run.v2.Services/UpdateService", path "service.name", body "service", query ["updateMask", "validateOnly", "allowMissing", "forceNewRevision"];
    delete_service: "google.cloud.run.v2.Services/DeleteService", path "name", body "", query ["validateOnly", "etag"];
    get_iam_policy: "google.cloud.run.v2.Services/GetIamPolicy", path "resource", body "", query ["options.requestedPolicyVersion"];
    set_iam_policy: "google.cloud.run.v2.Services/SetIamPolicy", path "resource", body "*", query [];
    test_iam_permissions: "google.cloud.run.v2.Services/TestIamPermissions", path "resource", body "*", query [];
    list_revisions: "google.cloud.run.v2.Revisions/ListRevisions", path "parent", body "", query ["pageSize", "pageToken", "showDeleted"];
    get_revision: "google.cloud.run.v2.Revisions/GetRevision", path "name", body "", query [];
    delete_revision: "google.cloud.run.v2.Revisions/DeleteRevision", path "name", body "", query ["validateOnly", "etag"];
    list_operations: "google.longrunning.Operations/ListOperations", path "name", body "", query ["filter", "pageSize", "pageToken", "returnPartialSuccess"];
    get_operation: "google.longrunning.Operations/GetOperation", path "name", body "", query [];
    wait_operation: "google.longrunning.Operations/WaitOperation", path "name", body "*", query [];
    delete_operation: "google.longrunning.Operations/DeleteOperation", path "name", body "", query [];
    list_locations: "google.cloud.location.Locations/ListLocations", path "name", body "", query ["filter", "pageSize", "pageToken"];
    get_location: "google.cloud.location.Locations/GetLocation", path "name", body "", query [];
}

async fn serve(state: &State, rule: &Rule, request: Request) -> Result<Json, Refusal> {
    let (mut parts, body) = request.into_parts();
    let Who(caller) = Who::from_request_parts(&mut parts, state).await?;
    let query = Query::from_request_parts(&mut parts, state).await?;
    let name = resource_name(parts.uri.path(), rule)?;
    let request = Request::from_parts(parts, body);
    let mut message = Map::new();
    match rule.body {
        "" => {}
        "*" => match read_body(request, state).await? {
            Value::Object(fields) => message = fields,
            other => return Err(Error::wrong_type("", "an object", &other).into()),
        },
        field => {
            message.insert(field.to_owned(), read_body(request, state).await?);
        }
    }
    for (name, value) in query.message_fields(rule.query)? {
        put(&mut message, &name, Value::String(value));
    }
    put(&mut message, rule.path, Value::String(name));
    Ok(Json(answer(state, &caller, rule.method, Value::Object(message), |service| service).await?))
}

async fn read_body(request: Request, state: &State) -> Result<Value, Refusal> {
    use axum::extract::FromRequest as _;
    Body::from_request(request, state).await.map(|Body(value)| value)
}

/// The name of the resource that the path is: without the version, the collection of a list, and the verb.
fn resource_name(path: &str, rule: &Rule) -> Result<String> {
    let name = path.strip_prefix("/v2/").unwrap_or(path);
    let name = name.split_once("/:").map_or(name, |(name, _)| name);
    let is_list = rule.path == "parent" || rule.method.contains("/List");
    let name = if is_list { name.rsplit_once('/').map_or(name, |(parent, _)| parent) } else { name };
    let decoded = percent_encoding::percent_decode_str(name).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| Error::field("name", "is not UTF-8"))
}

/// Puts a field of the message; a point leads into a message of its own.
fn put(message: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            message.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = message.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                // A body that is not an object is refused where it is read.
                return;
            }
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}
