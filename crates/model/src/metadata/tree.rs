//! Which entries are there?
//!
//! What Cloud Run documents, and what the client libraries fetch beyond that.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{DEFAULT_ACCOUNT, DEFAULT_SCOPES, Workload};
use crate::name::ProjectNumber;

/// What is at a path.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Directory(Vec<Entry>),
    Text(String),
    Number(ProjectNumber),
    List(Vec<String>),
    /// An access token.
    Token,
    /// An ID token.
    Identity,
}

/// A name in a directory, and what it is the name of.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    name: Cow<'static, str>,
    node: Node,
}

impl Entry {
    /// The line of the entry in the listing of its directory.
    pub(super) fn line(&self) -> String {
        let slash = if matches!(self.node, Node::Directory(_)) { "/" } else { "" };
        format!("{}{slash}\n", self.name)
    }

    /// Its key in JSON, in camel case. An email is its own key.
    fn key(&self) -> String {
        if self.name.contains('@') {
            return self.name.clone().into_owned();
        }
        let mut words = self.name.split('-');
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |key, word| {
            let (head, tail) = word.split_at(word.len().min(1));
            key + &head.to_ascii_uppercase() + tail
        })
    }
}

/// Everything that `workload` can read.
pub(super) fn root(workload: &Workload, account: Option<&str>) -> Node {
    let Workload { project, region, instance_id, .. } = workload;
    let number = project.number;
    let universe = entry("universe-domain", Node::Text("googleapis.com".to_owned()));
    directory([
        entry(
            "instance",
            directory([
                entry("id", Node::Text(instance_id.clone())),
                entry("region", Node::Text(format!("projects/{number}/regions/{region}"))),
                entry("service-accounts", accounts(account)),
                // Always the first zone of the region, as documented: an instance has none of its own.
                entry("zone", Node::Text(format!("projects/{number}/zones/{region}-1"))),
            ]),
        ),
        entry(
            "project",
            directory([
                entry("numeric-project-id", Node::Number(number)),
                entry("project-id", Node::Text(project.id.to_string())),
            ]),
        ),
        entry("universe", directory([universe])),
    ])
}

/// The only account, by its email and as the default one.
fn accounts(account: Option<&str>) -> Node {
    let Some(email) = account else { return directory([]) };
    let about = || {
        directory([
            entry("aliases", Node::List(vec![DEFAULT_ACCOUNT.to_owned()])),
            entry("email", Node::Text(email.to_owned())),
            entry("identity", Node::Identity),
            entry("scopes", Node::List(DEFAULT_SCOPES.map(str::to_owned).to_vec())),
            entry("token", Node::Token),
        ])
    };
    directory([entry(email.to_owned(), about()), entry(DEFAULT_ACCOUNT, about())])
}

fn directory<const N: usize>(entries: [Entry; N]) -> Node {
    Node::Directory(entries.into())
}

fn entry(name: impl Into<Cow<'static, str>>, node: Node) -> Entry {
    Entry { name: name.into(), node }
}

impl Node {
    /// What is at `path` below this node: empty, or beginning with a slash. A final slash names a
    /// directory and nothing else.
    pub(super) fn descend(self, path: &str) -> Option<Self> {
        let Some(path) = path.strip_prefix('/').filter(|path| !path.is_empty()) else {
            let is_there = path.is_empty() || matches!(self, Self::Directory(_));
            return is_there.then_some(self);
        };
        let (name, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        let Self::Directory(entries) = self else { return None };
        let found = entries.into_iter().find(|entry| entry.name == name)?;
        found.node.descend(rest)
    }

    /// The node and all below it, without tokens.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Directory(entries) => {
                let kept = entries.iter().filter(|entry| !entry.node.is_token());
                Value::Object(kept.map(|entry| (entry.key(), entry.node.json())).collect::<Map<_, _>>())
            }
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => number
                .to_string()
                .parse::<u64>()
                .map_or_else(|_| Value::from(number.to_string()), Value::from),
            Self::List(items) => Value::from(items.clone()),
            Self::Token | Self::Identity => Value::Null,
        }
    }

    /// The same as text: of a directory a line for each value, `name value`, with the path below it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::List(items) => items.iter().map(|item| format!("{item}\n")).collect(),
            Self::Directory(_) => {
                let mut lines = Vec::new();
                self.lines("", &mut lines);
                lines.into_iter().map(|line| line + "\n").collect()
            }
            Self::Token | Self::Identity => String::new(),
        }
    }

    fn lines(&self, path: &str, lines: &mut Vec<String>) {
        let Self::Directory(entries) = self else {
            lines.extend(self.text().lines().map(|value| format!("{path} {value}")));
            return;
        };
        for entry in entries.iter().filter(|entry| !entry.node.is_token()) {
            let slash = if path.is_empty() { "" } else { "/" };
            entry.node.lines(&format!("{path}{slash}{}", entry.name), lines);
        }
    }

    fn is_token(&self) -> bool {
        matches!(self, Self::Token | Self::Identity)
    }
}
