//! What can be refused, and in which words?
//!
//! One error for every use case, without any notion of HTTP or gRPC: the edges map [`Code`] to their
//! wire. The words of each refusal exist once, in the constructors; where a client may match on the
//! hosted service's wording, that wording is used.

use std::fmt;

/// The canonical codes of `google.rpc.Code` that groundrun answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is wrong whatever the state of the system.
    InvalidArgument,
    /// The request is right, but not in the present state.
    FailedPrecondition,
    /// There is no valid credential.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// There is no such resource or method.
    NotFound,
    /// There is such a resource already.
    AlreadyExists,
    /// Another writer was faster.
    Aborted,
    /// The request is larger, or the callers are more, than allowed.
    ResourceExhausted,
    /// The method exists in the hosted service and is not emulated.
    Unimplemented,
    /// Something is starting or stopping; try again.
    Unavailable,
    /// groundrun failed.
    Internal,
}

impl Code {
    /// The number in `google.rpc.Code`.
    pub const fn number(self) -> i32 {
        match self {
            Self::InvalidArgument => 3,
            Self::NotFound => 5,
            Self::AlreadyExists => 6,
            Self::PermissionDenied => 7,
            Self::ResourceExhausted => 8,
            Self::FailedPrecondition => 9,
            Self::Aborted => 10,
            Self::Unimplemented => 12,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }
}

/// One field that is wrong, named by its path in the caller's own API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, for example `spec.template.spec.timeoutSeconds`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// A machine-readable cause (`google.rpc.ErrorInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// The cause in upper snake case.
    pub reason: &'static str,
    /// The API that refuses; gcloud looks for `run.googleapis.com`.
    pub domain: &'static str,
    /// What it is about, by name: `permission`. In a box, because every result has room for an error.
    pub metadata: Option<Box<(&'static str, String)>>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Which kind of refusal this is.
    pub code: Code,
    /// What is wrong, and why.
    pub message: String,
    /// The fields at fault, if the request's content is.
    pub violations: Vec<Violation>,
    /// A machine-readable cause, if a client looks for one.
    pub reason: Option<Reason>,
    /// What the user can do about it.
    pub hint: Option<String>,
}

/// A result whose error is a refusal.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal with nothing but a code and words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), violations: Vec::new(), reason: None, hint: None }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// 400: one field of the request is wrong.
    pub fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::violations(vec![Violation { field: field.into(), description: description.into() }])
    }

    /// 400: some fields of the request are wrong; `violations` must not be empty. The message names
    /// the field if it is one, as the hosted service does.
    pub fn violations(violations: Vec<Violation>) -> Self {
        let message = match violations.as_slice() {
            [one] if one.field.is_empty() => one.description.clone(),
            [one] => format!("{}: {}", one.field, one.description),
            _ => "The request has errors".to_owned(),
        };
        Self { violations, ..Self::new(Code::InvalidArgument, message) }
    }

    /// 400: the request is wrong, in these words and no others.
    pub fn in_words(description: impl Into<String>) -> Self {
        Self::field("", description)
    }

    /// What is wrong, without the field's path, for a caller that names the field itself.
    pub fn into_description(self) -> String {
        self.violations.into_iter().next().map_or(self.message, |violation| violation.description)
    }

    /// 400: a key that the message does not have, in the words of Google's JSON transcoder.
    pub fn unknown_field(parent: &str, name: &str) -> Self {
        let place = if parent.is_empty() { String::new() } else { format!(" at '{parent}'") };
        let description =
            format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field.");
        let violation = Violation { field: parent.to_owned(), description: description.clone() };
        Self { violations: vec![violation], ..Self::new(Code::InvalidArgument, description) }
    }

    /// 400: a value of the wrong type, in the words of Google's JSON transcoder.
    pub fn invalid_value(path: &str, detail: impl fmt::Display) -> Self {
        let description = format!("Invalid value at '{path}' ({detail})");
        let violation = Violation { field: path.to_owned(), description: description.clone() };
        Self { violations: vec![violation], ..Self::new(Code::InvalidArgument, description) }
    }

    /// 400: a value that is not of the type `expected`, in the words of Google's JSON transcoder.
    pub fn wrong_type(path: &str, expected: &str, value: &serde_json::Value) -> Self {
        let value: String = value.to_string().chars().take(100).collect();
        let description = format!("Invalid value at '{path}' ({expected}), {value}");
        let violation = Violation { field: path.to_owned(), description: description.clone() };
        Self { violations: vec![violation], ..Self::new(Code::InvalidArgument, description) }
    }

    /// The same refusal, with its fields named as parts of a message `request` of v2, in the form of the
    /// hosted service: `Violation in CreateServiceRequest.service.template.timeout: …`.
    #[must_use]
    pub fn within(mut self, request: &str) -> Self {
        let own = |field: &str| field == "service" || field.starts_with("service.");
        if let [one] = self.violations.as_slice()
            && own(&one.field)
            && self.message.starts_with(&one.field)
        {
            self.message = format!("Violation in {request}.{}", self.message);
        }
        self
    }

    /// 404: a resource of the Cloud Run API that is not there. `kind` is upper case: `SERVICE`.
    pub fn not_found(kind: &str, name: &str, region: &str, project: &str) -> Self {
        let message = format!(
            "Resource '{name}' of kind '{kind}' in region '{region}' in project '{project}' does not exist."
        );
        // Without the domain gcloud believes that the region is wrong and says so.
        let reason = Reason { reason: "RESOURCE_NOT_FOUND", domain: "run.googleapis.com", metadata: None };
        Self { reason: Some(reason), ..Self::new(Code::NotFound, message) }
    }

    /// 409: a resource of that name is there already.
    pub fn already_exists(name: &str) -> Self {
        Self::new(Code::AlreadyExists, format!("Resource '{name}' already exists."))
    }

    /// 409: the write was made against a version that is not the current one. Versions are in
    /// microseconds since the epoch.
    pub fn conflict(name: &str, given: i64, current: i64) -> Self {
        Self::new(
            Code::Aborted,
            format!(
                "Conflict for resource '{name}': version '{given}' was specified but current version is \
                 '{current}'."
            ),
        )
    }

    /// 409: the write was made against an etag that is not the current one.
    pub fn etag_conflict(name: &str, given: &str, current: &str) -> Self {
        Self::new(
            Code::Aborted,
            format!(
                "Conflict for resource '{name}': etag '{given}' was specified but current etag is '{current}'."
            ),
        )
    }

    /// 409: the policy was changed since the caller read it.
    pub fn policy_conflict() -> Self {
        Self::new(
            Code::Aborted,
            "There were concurrent policy changes. Please retry the whole read-modify-write with \
             exponential backoff.",
        )
    }

    /// 403: the caller lacks `permission` on `resource`.
    pub fn permission_denied(permission: &str, resource: &str) -> Self {
        Self::new(
            Code::PermissionDenied,
            format!("Permission '{permission}' denied on resource '{resource}' (or resource may not exist)."),
        )
    }

    /// 403: the caller lacks `permission` on a service account, in the words of IAM and its credentials API.
    pub fn account_permission_denied(permission: &str) -> Self {
        let message = format!("Permission '{permission}' denied on resource (or it may not exist).");
        let metadata = Some(Box::new(("permission", permission.to_owned())));
        let reason = Reason { reason: "IAM_PERMISSION_DENIED", domain: "iam.googleapis.com", metadata };
        Self { reason: Some(reason), ..Self::new(Code::PermissionDenied, message) }
    }

    /// 403: the caller may not let a service run as the service account `email`.
    pub fn may_not_act_as(email: &str) -> Self {
        Self::new(
            Code::PermissionDenied,
            format!(
                "Permission 'iam.serviceaccounts.actAs' denied on service account {email} (or it may not \
                 exist)."
            ),
        )
    }

    /// 400: nothing can be had for the service account `email` as long as it is disabled.
    pub fn account_disabled(email: &str) -> Self {
        Self::new(Code::FailedPrecondition, format!("Service account {email} is disabled."))
    }

    /// 401: what the caller shows is no credential, or is none any more; `why` says what is wrong with it.
    pub fn invalid_credential(why: impl fmt::Display) -> Self {
        Self::new(
            Code::Unauthenticated,
            format!(
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                 cookie or other valid authentication credential. ({why})"
            ),
        )
    }

    /// 401: the account of a credential was disabled or deleted; `why` says which.
    pub fn account_state_invalid(email: &str, why: impl fmt::Display) -> Self {
        let metadata = Some(Box::new(("email", email.to_owned())));
        let reason = Reason { reason: "ACCOUNT_STATE_INVALID", domain: "googleapis.com", metadata };
        Self { reason: Some(reason), ..Self::invalid_credential(why) }
    }

    /// 401: the caller shows nothing.
    pub fn no_credential() -> Self {
        let reason = Reason { reason: "CREDENTIALS_MISSING", domain: "googleapis.com", metadata: None };
        Self {
            reason: Some(reason),
            ..Self::new(
                Code::Unauthenticated,
                "Request is missing required authentication credential. Expected OAuth 2 access token, \
                 login cookie or other valid authentication credential. See \
                 https://developers.google.com/identity/sign-in/web/devconsole-project.",
            )
        }
    }

    /// 501: the hosted service has this method, groundrun does not.
    pub fn unimplemented(method: &str) -> Self {
        Self::new(Code::Unimplemented, format!("{method} is not emulated by groundrun."))
    }

    /// 500: groundrun itself failed. `detail` must not hold a secret.
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self::new(Code::Internal, format!("groundrun failed: {detail}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Collects the fields that are wrong, so that a user sees all of them at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes that `field` is wrong.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(Violation { field: field.into(), description: description.into() });
    }

    /// Notes `field` unless `holds`.
    pub fn check(&mut self, holds: bool, field: impl Into<String>, description: impl Into<String>) {
        if !holds {
            self.add(field, description);
        }
    }

    /// Notes what `outcome` refuses, if it does.
    pub fn note(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.0.extend(error.violations);
        }
    }

    /// `Ok` if nothing was noted.
    pub fn into_result(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::violations(self.0)) }
    }
}
