//! What does an image stand for on this machine?
//!
//! Rules of the developer claim images by a pattern; the first that matches counts. What no rule claims is
//! an echo.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Violation};

/// What the revisions of an image run as.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Runs {
    /// Nothing runs: the emulator answers with what it was sent.
    #[default]
    Echo,
    /// A server that runs already, which the emulator neither starts nor stops.
    Url(Upstream),
}

/// A server that speaks HTTP in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Upstream {
    /// Host and port, such as `127.0.0.1:3000`.
    authority: Arc<str>,
}

impl Upstream {
    /// The server at `url`, such as `http://127.0.0.1:3000`; without a port it is 80.
    ///
    /// # Errors
    /// Why it is none: it needs the scheme http, a host, and no path.
    pub fn parse(url: &str) -> std::result::Result<Self, &'static str> {
        let rest = url.strip_prefix("http://").ok_or("a URL of a server begins with http://")?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@']) {
            return Err("a URL of a server has nothing but a host and a port");
        }
        let host = crate::door::host_of(authority)?;
        let has_port = authority.len() > host.len() && !authority.ends_with([':', '.']);
        let authority = if has_port { authority.to_owned() } else { format!("{host}:80") };
        Ok(Self { authority: authority.into() })
    }

    /// Host and port, such as `127.0.0.1:3000`.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

/// A rule as the file of options has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// The images that it claims, as the template names them: `*` stands for any number of characters.
    pub image: String,
    /// The server that runs already.
    pub url: String,
}

/// The rules, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules(Arc<[(String, Runs)]>);

impl Rules {
    /// The rules of the file.
    ///
    /// # Errors
    /// What is wrong with each entry that is no rule.
    pub fn read(entries: &[RuleEntry]) -> Result<Self> {
        let mut violations = Vec::new();
        let mut rules = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if entry.image.is_empty() {
                let why = "a rule needs a pattern of images; * is every image";
                violations
                    .push(Violation { field: format!("rules[{index}].image"), description: why.into() });
            }
            match Upstream::parse(&entry.url) {
                Ok(upstream) => rules.push((entry.image.clone(), Runs::Url(upstream))),
                Err(why) => violations
                    .push(Violation { field: format!("rules[{index}].url"), description: why.into() }),
            }
        }
        if violations.is_empty() { Ok(Self(rules.into())) } else { Err(Error::violations(violations)) }
    }

    /// What the revisions of `image` run as.
    pub fn claim(&self, image: &str) -> Runs {
        self.0
            .iter()
            .find(|(pattern, _)| matches(pattern, image))
            .map(|(_, runs)| runs.clone())
            .unwrap_or_default()
    }
}

/// Whether `text` is what `pattern` says, in which `*` stands for any number of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests;
