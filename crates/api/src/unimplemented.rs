//! What of Google's APIs is known here and not emulated? It is refused by name, never with an empty
//! success.

use axum::response::Response;
use groundrun_model::{Code, Error};
use http::{Method, StatusCode};

use crate::error::{refusal, refusal_as};

/// Paths of APIs that are not emulated yet, with the name by which they are refused. The first that
/// matches counts; `*` stands for one segment.
pub const NOT_EMULATED: &[(&str, &str)] = &[
    (
        "/apis/run.googleapis.com/v1/namespaces/*/",
        "The v1 API of Cloud Run jobs, executions, tasks, worker pools and instances",
    ),
    ("/v1/projects/*/locations/*/jobs", "The v1 API of Cloud Run jobs"),
    ("/v1/projects/*/locations/*/workerpools", "The v1 API of Cloud Run worker pools"),
    ("/v2/entries", "This method of the Cloud Logging API"),
    ("/v2/projects/*/locations/*/jobs", "The v2 API of Cloud Run jobs, executions and tasks"),
    ("/v2/projects/*/locations/*/workerPools", "The v2 API of Cloud Run worker pools"),
    ("/v2/projects/*/locations/*/instances", "The v2 API of Cloud Run instances"),
    ("/v2/projects/*/locations/*/builds", "The v2 API of Cloud Run builds"),
    ("/v2/", "This method of the Cloud Run Admin API v2"),
    ("/v1/projects/*/serviceAccounts/", "This method of the IAM API"),
    ("/v1/projects/*/roles", "This method of the IAM API"),
    ("/v1/roles", "This method of the IAM API"),
    ("/v1/projects/*", "This method of the Resource Manager API"),
    ("/v3/", "This method of the Resource Manager API"),
    ("/revoke", "Revoking tokens"),
    ("/o/oauth2/revoke", "Revoking tokens"),
];

/// The answer to a request that no route takes: 501 if the hosted service would, 404 otherwise.
pub fn not_emulated(method: &Method, path: &str) -> Response {
    refusal(&unknown(method, path))
}

/// The answer where a route takes the path and not the method: 405, in the same words. What is asked there
/// by another method is rarely one of Google's, and no failure of this server.
pub(crate) fn not_allowed(method: &Method, path: &str) -> Response {
    let error = unknown(method, path);
    match error.code {
        Code::Unimplemented => refusal_as(StatusCode::METHOD_NOT_ALLOWED, &error),
        _ => refusal(&error),
    }
}

fn unknown(method: &Method, path: &str) -> Error {
    let known = NOT_EMULATED.iter().find(|(pattern, _)| begins_with(path, pattern));
    match known {
        Some((_, name)) => Error::unimplemented(&format!("{name} ({method} {path})")),
        None => Error::new(Code::NotFound, format!("{method} {path} is not a method of an API that groundrun knows."))
            .hint("the API of Cloud Run is under /apis/serving.knative.dev/v1 and /v1/projects; a service answers at its own host"),
    }
}

fn begins_with(path: &str, pattern: &str) -> bool {
    let mut segments = path.split('/');
    let mut parts = pattern.split('/').peekable();
    while let Some(part) = parts.next() {
        let Some(segment) = segments.next() else { return false };
        let last = parts.peek().is_none();
        let matches = match part {
            "*" => !segment.is_empty(),
            _ if last => segment.starts_with(part),
            _ => segment == part,
        };
        if !matches {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_by_segments() {
        assert!(begins_with("/v2/projects/p", "/v2/"));
        assert!(begins_with("/v1/projects/p/locations/l/jobs/j", "/v1/projects/*/locations/*/jobs"));
        assert!(!begins_with("/v1/projects/p/locations/l/services", "/v1/projects/*/locations/*/jobs"));
        assert!(!begins_with("/v1/projects//x", "/v1/projects/*/x"));
        assert!(!begins_with("/", "/v2/"));
    }
}
