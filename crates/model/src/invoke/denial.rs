//! Why was a caller turned away, and which command would let it in?

use std::fmt::Write as _;

use super::Caller;
use crate::account::Account;
use crate::iam::Refusal;
use crate::routing::Route;

const NO_TOKEN: &str = "the service is private and the request has no token";

/// How many accepted audiences an explanation lists: a service may have thousands.
const LISTED: usize = 8;

/// The reason that a request is not forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The service is private and the request shows no credential.
    NoCredential {
        /// What the policies say about callers without one.
        why: Refusal,
    },
    /// The credential is malformed, forged, expired or of another issuer; the text says which.
    Credential(String),
    /// The token is good, but not for this service.
    Audience {
        /// The `aud` of the token.
        given: String,
        /// What would be accepted.
        accepted: Vec<String>,
    },
    /// The token is good and for this service, but its account may not invoke it.
    NotAnInvoker {
        /// Who calls. The address can be filled in by one who knows the account of the unique id.
        caller: Caller,
        /// What the policies say about the caller.
        why: Refusal,
    },
}

impl Denial {
    /// Fills in the address of a caller whose token has none, if `find` knows whose unique id it is.
    #[must_use]
    pub fn name_caller(mut self, find: impl Fn(&str) -> Option<String>) -> Self {
        if let Self::NotAnInvoker { caller: Caller { email: email @ None, unique_id }, .. } = &mut self {
            *email = find(unique_id);
        }
        self
    }

    /// What was wrong, in one line.
    pub fn explanation(&self) -> String {
        let text = match self {
            Self::NoCredential { why: Refusal::NoBinding } => NO_TOKEN.to_owned(),
            Self::NoCredential { why } => format!("{NO_TOKEN}: {why}"),
            Self::Credential(why) => format!("the token is not valid: {why}"),
            Self::Audience { given, accepted } => {
                format!("token aud {given:?} is not accepted; accepted: {}", listed(accepted))
            }
            Self::NotAnInvoker { caller, why } => {
                let who = match &caller.email {
                    Some(email) => Account::new(email).member(),
                    None => format!(
                        "the account with the unique id {} (the token has no email)",
                        caller.unique_id
                    ),
                };
                format!("{who} lacks run.routes.invoke: {why}")
            }
        };
        one_line(&text)
    }

    /// The command that would let this caller in to the service of `route`, in one line for a POSIX shell.
    pub fn remedy(&self, route: &Route) -> String {
        match self {
            Self::Audience { given, .. } if !given.is_empty() && !given.contains(char::is_control) => {
                // gcloud splits lists at commas unless another delimiter is named.
                let list = if given.contains(',') {
                    format!("^{}^{given}", delimiter(given))
                } else {
                    given.clone()
                };
                gcloud(route, "update", &format!("--add-custom-audiences={}", quoted(&list)))
            }
            // The binding is there: another one would only begin its own delay.
            Self::NoCredential { why: Refusal::NotYet { from } }
            | Self::NotAnInvoker { why: Refusal::NotYet { from }, .. } => {
                format!("groundrun clock set {from}")
            }
            Self::NoCredential { .. } | Self::Credential(_) | Self::Audience { .. } => format!(
                "gcloud auth print-identity-token --impersonate-service-account={} --audiences={}",
                quoted(&route.example_caller()),
                quoted(&route.audiences.default_url()),
            ),
            Self::NotAnInvoker { caller, .. } => {
                let member = match &caller.email {
                    Some(email) => Account::new(email).member(),
                    None => format!("serviceAccount:{}", route.example_caller()),
                };
                let mut flags = format!("--member={} --role=roles/run.invoker", quoted(&member));
                if route.access.has_conditions() {
                    // gcloud asks for it as soon as the policy has conditions.
                    flags.push_str(" --condition=None");
                }
                gcloud(route, "add-iam-policy-binding", &flags)
            }
        }
    }
}

impl Route {
    /// The address of a caller for an example, in the project of the service.
    fn example_caller(&self) -> String {
        format!("CALLER@{}.iam.gserviceaccount.com", self.id.project.id)
    }
}

fn gcloud(route: &Route, verb: &str, flags: &str) -> String {
    let id = &route.id;
    format!(
        "gcloud run services {verb} {} --region={} --project={} {flags}",
        id.name, id.region, id.project.id
    )
}

/// The first audiences, and how many more there are.
fn listed(accepted: &[String]) -> String {
    let shown = accepted.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match accepted.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A character that `text` does not contain.
fn delimiter(text: &str) -> char {
    ['|', ';', '~', '@', '%', '!'].into_iter().find(|c| !text.contains(*c)).unwrap_or('\u{a6}')
}

/// `text` as one word of a POSIX shell: what it holds came from a stranger and may be pasted.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// `text` with its control characters escaped: it goes into a log and a header.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            // Writing to a String does not fail.
            let _ = write!(line, "{}", c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}
