//! What does the metadata server answer to a workload?
//!
//! The paths, the replies and the refusals of Cloud Run's metadata server:
//! <https://cloud.google.com/run/docs/container-contract#metadata-server>. A token is not made here: the
//! answer says which one is asked for.

mod query;
mod tree;

use crate::name::{Project, Region, RevisionName, ServiceName, stable_hash};

pub use self::query::{IdentityFormat, Query};
use self::tree::{Node, root};

/// The header that every request of a workload has and every answer, with [`FLAVOR`] as its value.
pub const FLAVOR_HEADER: &str = "metadata-flavor";

/// The value of [`FLAVOR_HEADER`].
pub const FLAVOR: &str = "Google";

/// The name of the default service account in a path.
pub const DEFAULT_ACCOUNT: &str = "default";

/// What the access token of a workload may be used for, unless it asks for less or for other scopes.
pub const DEFAULT_SCOPES: [&str; 1] = ["https://www.googleapis.com/auth/cloud-platform"];

/// Where every path below the root begins.
const PREFIX: &str = "/computeMetadata";

/// Who asks: what runs somewhere as a service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The project that it runs in.
    pub project: Project,
    /// The region that it runs in.
    pub region: Region,
    /// The id of its instance: hexadecimal digits.
    pub instance_id: String,
    /// The email of the account that it runs as.
    pub account: String,
    /// The revision that it is an instance of, if it is one of a service.
    pub revision: Option<(ServiceName, RevisionName)>,
}

impl Workload {
    /// The id of the instance of a workload that is there as long as its project.
    pub fn lasting_instance_id(project: &Project) -> String {
        let half = |domain| stable_hash(domain, project.id.as_str());
        format!("{:016x}{:016x}", half("instance-id"), half("instance-id-2"))
    }
}

/// What a request says besides its path and its query.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// Whether it is a GET or a HEAD.
    pub reads: bool,
    /// The value of [`FLAVOR_HEADER`].
    pub flavor: Option<&'r str>,
    /// Whether it has the header `X-Forwarded-For`.
    pub forwarded: bool,
    /// The path, decoded.
    pub path: &'r str,
    /// The query.
    pub query: &'r Query,
}

/// An answer, or the token that it is to hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// The entries of a directory, one a line.
    Listing(String),
    /// The value of an entry, or a whole directory as text.
    Text(String),
    /// A value or a whole directory as JSON.
    Json(serde_json::Value),
    /// An access token with these scopes.
    Token {
        /// The scopes, at least one.
        scopes: Vec<String>,
    },
    /// An ID token.
    Identity {
        /// Whom it is for; not empty.
        audience: String,
        /// What it claims.
        format: IdentityFormat,
    },
    /// The directory is at this path with its final slash; the query stays.
    Redirect(String),
    /// The request is refused.
    Refused(Refusal),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 404: there is no such entry, or no such account any more.
    NotFound,
    /// 400: a parameter is missing or wrong; the text says which.
    BadRequest(&'static str),
    /// 403: the header that no page of a browser can send is not there, or has another value.
    Flavor,
    /// 403: it came through a proxy, so that somebody else may be asking.
    Forwarded,
    /// 405: nothing can be written here.
    Method,
}

/// What `workload` is answered. `account` is the email of the account that it runs as, if there is one (any
/// more): without it everything about accounts is not found.
///
/// The root and the directory below it say only that a metadata server is here, and need no header: some
/// clients find out by them where they run.
pub fn answer(workload: &Workload, account: Option<&str>, request: Request<'_>) -> Found {
    if !request.reads {
        return Found::Refused(Refusal::Method);
    }
    if request.forwarded {
        return Found::Refused(Refusal::Forwarded);
    }
    let below = match request.path {
        "/" => return Found::Listing("computeMetadata/\n".to_owned()),
        PREFIX => return Found::Redirect(format!("{PREFIX}/")),
        path => path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/')),
    };
    if below == Some("/") {
        return Found::Listing("v1/\n".to_owned());
    }
    if request.flavor != Some(FLAVOR) {
        return Found::Refused(Refusal::Flavor);
    }
    let below = below.and_then(|below| below.strip_prefix("/v1"));
    let Some(below) = below.filter(|below| below.is_empty() || below.starts_with('/')) else {
        return Found::Refused(Refusal::NotFound);
    };
    match root(workload, account).descend(below) {
        None => Found::Refused(Refusal::NotFound),
        Some(node) => entry(&node, request),
    }
}

fn entry(node: &Node, request: Request<'_>) -> Found {
    let query = request.query;
    match node {
        Node::Directory(_) if !request.path.ends_with('/') => Found::Redirect(format!("{}/", request.path)),
        Node::Directory(entries) if !query.recursive => {
            Found::Listing(entries.iter().map(tree::Entry::line).collect())
        }
        // A whole directory is JSON unless text is asked for; a value is text unless JSON is.
        Node::Directory(_) if query.alt.as_deref() == Some("text") => Found::Text(node.text()),
        Node::Directory(_) => Found::Json(node.json()),
        Node::Text(_) | Node::Number(_) | Node::List(_) if query.alt.as_deref() == Some("json") => {
            Found::Json(node.json())
        }
        Node::Text(_) | Node::Number(_) | Node::List(_) => Found::Text(node.text()),
        Node::Token => Found::Token { scopes: query.scopes() },
        Node::Identity => query.identity(),
    }
}

/// Whether `path` needs to know the account of the workload.
pub fn needs_account(path: &str) -> bool {
    path.starts_with(PREFIX) && path.len() > PREFIX.len() + 1
}

/// The ETag of an answer with this content: the same for the same content.
pub fn etag(content: &str) -> String {
    format!("{:016x}", stable_hash("metadata-etag", content))
}

#[cfg(test)]
mod tests;
