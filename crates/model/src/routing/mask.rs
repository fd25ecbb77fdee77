//! Which service and tag does a URL name, if a load balancer has a mask and not a service?
//!
//! <https://cloud.google.com/load-balancing/docs/negs/serverless-neg-concepts#url_masks>

use std::fmt;

use serde::Serialize;

use crate::name::{ServiceName, is_dns_label};

const SERVICE: &str = "<service>";
const TAG: &str = "<tag>";

/// A URL with placeholders, such as `<tag>.example.test/<service>`: host, path or both. The path of a mask
/// is the beginning of that of the URL, up to the end of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct UrlMask {
    text: String,
    /// `None` takes every host.
    host: Option<Vec<Part>>,
    path: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Service,
    Tag,
}

/// What a URL says if a mask is laid on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'u> {
    /// The service.
    pub service: ServiceName,
    /// The tag, if the mask has one.
    pub tag: Option<&'u str>,
}

#[derive(Clone, Copy, Default)]
struct Words<'u> {
    service: Option<&'u str>,
    tag: Option<&'u str>,
}

impl UrlMask {
    /// Reads a mask.
    ///
    /// # Errors
    /// What is wrong: `<service>` is there once, `<tag>` at most once, text between them, and nothing is
    /// there that neither a host nor a path has.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| format!("'{text}' is not a URL mask: {why}");
        if text.contains("://") {
            return Err(refuse("it begins with a host or with /, not with a scheme"));
        }
        let cut = text.find('/').unwrap_or(text.len());
        let (host, path) = text.split_at(cut);
        let host = if host.is_empty() { None } else { Some(parts(host, is_of_host).map_err(&refuse)?) };
        let path = parts(path, is_of_path).map_err(&refuse)?;
        let count = |wanted: &Part| host.iter().flatten().chain(&path).filter(|part| *part == wanted).count();
        if count(&Part::Service) != 1 {
            return Err(refuse("it names <service> exactly once"));
        }
        if count(&Part::Tag) > 1 {
            return Err(refuse("it names <tag> at most once"));
        }
        Ok(Self { text: text.to_owned(), host, path })
    }

    /// Whether the mask can find anything in a URL of `host`.
    pub fn fits_host(&self, host: &str) -> bool {
        let mut found = Vec::new();
        self.host.as_ref().is_none_or(|parts| {
            read(parts, host, false, Words::default(), &mut found);
            !found.is_empty()
        })
    }

    /// Everything that the mask can find in a URL of `host` (lower case, no port) and `path` (no query):
    /// names have hyphens, so a mask such as `<tag>-<service>.example.test` has several readings. Those with
    /// the shortest first name come first.
    pub fn readings<'u>(&self, host: &'u str, path: &'u str) -> Vec<Reading<'u>> {
        let mut hosts = Vec::new();
        match &self.host {
            None => hosts.push(Words::default()),
            Some(parts) => read(parts, host, false, Words::default(), &mut hosts),
        }
        let mut found = Vec::new();
        for words in hosts {
            read(&self.path, path, true, words, &mut found);
        }
        let named = |words: Words<'u>| {
            let service = ServiceName::parse(words.service?, "").ok()?;
            Some(Reading { service, tag: words.tag })
        };
        found.into_iter().filter_map(named).collect()
    }
}

/// Lays `parts` on `text`; what follows them may only be the rest of a path, if `is_path`.
fn read<'u>(parts: &[Part], text: &'u str, is_path: bool, words: Words<'u>, found: &mut Vec<Words<'u>>) {
    let Some((part, later)) = parts.split_first() else {
        if text.is_empty() || is_path && text.starts_with('/') {
            found.push(words);
        }
        return;
    };
    if let Part::Text(literal) = part {
        if let Some(rest) = text.strip_prefix(literal.as_str()) {
            // A literal that ends in a slash has ended its segment.
            if later.is_empty() && is_path && literal.ends_with('/') {
                found.push(words);
            } else {
                read(later, rest, is_path, words, found);
            }
        }
        return;
    }
    let run = text.bytes().take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-').count();
    for (word, rest) in (1..=run).map(|end| text.split_at(end)).filter(|(word, _)| is_dns_label(word)) {
        let words = match part {
            Part::Tag => Words { tag: Some(word), ..words },
            _ => Words { service: Some(word), ..words },
        };
        read(later, rest, is_path, words, found);
    }
}

/// Cuts a host or a path with placeholders into its parts.
fn parts(text: &str, is_good: fn(u8) -> bool) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let placeholder = [(SERVICE, Part::Service), (TAG, Part::Tag)]
            .into_iter()
            .find_map(|(name, part)| Some((part, rest.strip_prefix(name)?)));
        if let Some((part, after)) = placeholder {
            if matches!(parts.last(), Some(Part::Service | Part::Tag)) {
                return Err("there is no text between <tag> and <service>");
            }
            parts.push(part);
            rest = after;
            continue;
        }
        let (literal, after) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        if literal.is_empty() {
            return Err("the placeholders are <service> and <tag>");
        }
        if !literal.bytes().all(is_good) {
            return Err(
                "a host has lowercase letters, digits, hyphens and dots, a path neither * nor ? nor #",
            );
        }
        parts.push(Part::Text(literal.to_owned()));
        rest = after;
    }
    Ok(parts)
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
}

fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"*?#<>\"".contains(&byte)
}

impl fmt::Display for UrlMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<UrlMask> for String {
    fn from(mask: UrlMask) -> Self {
        mask.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The readings of a URL, each as `service` or `service@tag`.
    fn readings(mask: &str, url: &str) -> Vec<String> {
        let mask = UrlMask::parse(mask).unwrap();
        let (host, path) = url.split_at(url.find('/').unwrap());
        let told = |it: Reading<'_>| match it.tag {
            Some(tag) => format!("{}@{tag}", it.service),
            None => it.service.to_string(),
        };
        mask.readings(host, path).into_iter().map(told).collect()
    }

    #[test]
    fn a_mask_finds_service_and_tag_in_host_and_path() {
        for (mask, url, expected) in [
            ("<service>.example.test", "login.example.test/a/b", &["login"][..]),
            ("<tag>.<service>.example.test", "green.login.example.test/", &["login@green"]),
            ("<tag>.example.test/<service>", "green.example.test/login", &["login@green"]),
            ("<tag>.example.test/<service>", "green.example.test/login/web", &["login@green"]),
            ("example.test/<service>", "example.test/login", &["login"]),
            ("/<service>", "any.test/login/", &["login"]),
            ("/v1/<service>/<tag>", "any.test/v1/login/green/x", &["login@green"]),
            ("/<service>/app", "any.test/login/app", &["login"]),
            ("/<service>/app/", "any.test/login/app/x", &["login"]),
            ("<tag>---<service>.example.test", "pr-1---login.example.test/", &["login@pr-1"]),
            ("<tag>-<service>.example.test", "a-b-c.example.test/", &["b-c@a", "c@a-b"]),
        ] {
            assert_eq!(readings(mask, url), expected, "{mask} on {url}");
        }
    }

    #[test]
    fn a_url_that_the_mask_does_not_fit_says_nothing() {
        for (mask, url) in [
            ("<service>.example.test", "example.test/"),
            ("<service>.example.test", "a.b.example.test/"),
            ("<service>.example.test", "login.example.test.x/"),
            ("<service>.example.test", "-a.example.test/"),
            ("<service>.example.test", "1a.example.test/"),
            ("/<service>", "any.test/"),
            ("/<service>", "any.test/Login"),
            ("/<service>", "any.test/login.html"),
            ("/<service>", "any.test/lo%67in"),
            ("/<service>/app", "any.test/login/apple"),
            ("/<service>/app", "any.test/login"),
            ("<tag>.<service>.example.test", "login.example.test/"),
        ] {
            assert_eq!(readings(mask, url), [""; 0], "{mask} on {url}");
        }
        let long = format!("{}.example.test/", "s".repeat(50));
        assert_eq!(readings("<service>.example.test", &long), [""; 0], "no service has so long a name");
    }

    #[test]
    fn what_is_no_mask_is_told_why() {
        for (bad, why) in [
            ("", "exactly once"),
            ("example.test", "exactly once"),
            ("<tag>.example.test", "exactly once"),
            ("<service>.example.test/<service>", "exactly once"),
            ("<tag>.<tag>.<service>.test", "at most once"),
            ("<tag><service>.test", "no text between"),
            ("<version>.<service>.test", "placeholders are"),
            ("<Service>.test", "placeholders are"),
            ("<service", "placeholders are"),
            ("https://<service>.test", "scheme"),
            ("<service>.Example.test", "lowercase"),
            ("*.<service>.test", "lowercase"),
            ("/<service>?x=1", "neither"),
            ("/<service>/*", "neither"),
            ("/<service> ", "neither"),
        ] {
            let told = UrlMask::parse(bad).unwrap_err();
            assert!(told.contains(why) && told.contains(&format!("'{bad}'")), "{bad}: {told}");
        }
    }
}
