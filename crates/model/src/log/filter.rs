//! Which entries does a filter choose?
//!
//! The part of the Logging query language that clients of Cloud Run send: comparisons, all of which must
//! hold. What is not understood is refused by name and never ignored, since an ignored condition shows
//! entries that nobody asked for. <https://cloud.google.com/logging/docs/view/logging-query-language>.

use super::{LogEntry, Payload, RequestLine, Severity};
use crate::error::{Error, Result};
use crate::name::RevisionName;
use crate::time::Timestamp;

/// The longest filter, in characters; documented.
const LONGEST: usize = 20_000;

/// A filter; the default one chooses everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Comparison {
    Text(Field, Operator, String),
    Severity(Operator, Severity),
    Timestamp(Operator, Timestamp),
    Status(Operator, u16),
}

/// A field that is a text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Field {
    LogName,
    TextPayload,
    ResourceType,
    Project,
    Location,
    Service,
    Revision,
    RequestMethod,
    RequestUrl,
    UserAgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Has,
}

/// Every operator, longer ones before what they begin with.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    (":", Operator::Has),
];

/// What is understood instead.
const ONLY: &str = "it takes comparisons, such as severity >= ERROR, joined by AND";

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// 400 naming what is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        if text.chars().count() > LONGEST {
            return Err(Error::field("filter", format!("must not exceed {LONGEST} characters.")));
        }
        let mut rest = text.trim_start();
        let mut comparisons = Vec::new();
        while !rest.is_empty() {
            if !comparisons.is_empty() {
                // A space alone means AND too.
                rest = keyword(rest, "AND").unwrap_or(rest);
            }
            let (comparison, behind) = comparison(rest)?;
            comparisons.push(comparison);
            rest = behind.trim_start();
        }
        Ok(Self(comparisons))
    }

    /// Whether the filter chooses the entry.
    pub fn matches(&self, entry: &LogEntry) -> bool {
        self.0.iter().all(|comparison| comparison.holds(entry))
    }
}

/// What follows `word`, if `text` begins with it.
fn keyword<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    rest.starts_with(char::is_whitespace).then(|| rest.trim_start())
}

/// The comparison that `text` begins with, and what follows it.
fn comparison(text: &str) -> Result<(Comparison, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c))).unwrap_or(text.len());
    let (field, rest) = (&text[..end], text[end..].trim_start());
    if field.is_empty() || matches!(field, "AND" | "OR" | "NOT") {
        return Err(not_understood(first_word(text), ONLY));
    }
    let known = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)));
    let Some((operator, rest)) = known else {
        return Err(not_understood(first_word(text), ONLY));
    };
    if rest.starts_with('~') {
        return Err(not_understood("=~", "regular expressions are not supported"));
    }
    let (value, rest) = value(rest.trim_start(), field)?;
    Ok((Comparison::new(field, operator, value)?, rest))
}

/// The value that `text` begins with, quoted or bare, and what follows it.
fn value<'t>(text: &'t str, field: &str) -> Result<(String, &'t str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c.is_whitespace() || "()\"".contains(c)).unwrap_or(text.len());
        if end == 0 {
            return Err(Error::field("filter", format!("Unparseable filter: '{field}' has no value.")));
        }
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(Error::field("filter", format!("Unparseable filter: the value of '{field}' has no closing quote.")))
}

impl Comparison {
    fn new(field: &str, operator: Operator, value: String) -> Result<Self> {
        let unreadable = |what: &str| {
            Error::field("filter", format!("Unparseable filter: '{value}' is not {what} ('{field}')."))
        };
        let has_order = operator != Operator::Has;
        match field {
            "severity" if has_order => {
                let severity = Severity::parse(&value).ok_or_else(|| unreadable("a severity"))?;
                Ok(Self::Severity(operator, severity))
            }
            "timestamp" if has_order => {
                let moment = Timestamp::parse(&value).ok_or_else(|| unreadable("a timestamp"))?;
                Ok(Self::Timestamp(operator, moment))
            }
            "httpRequest.status" if has_order => {
                let status = value.parse().map_err(|_| unreadable("a status"))?;
                Ok(Self::Status(operator, status))
            }
            _ => {
                let known = Field::parse(field).ok_or_else(|| {
                    not_understood(field, "this field of an entry cannot be compared in this way")
                })?;
                if !matches!(operator, Operator::Equal | Operator::NotEqual | Operator::Has) {
                    return Err(not_understood(field, "a text can be compared with =, != and : only"));
                }
                Ok(Self::Text(known, operator, value))
            }
        }
    }

    fn holds(&self, entry: &LogEntry) -> bool {
        let request = match &entry.payload {
            Payload::Request(request) => Some(request),
            Payload::Line(..) => None,
        };
        match self {
            Self::Text(field, operator, value) => field.holds(entry, *operator, value),
            Self::Severity(operator, severity) => operator.compares(entry.severity(), *severity),
            Self::Timestamp(operator, moment) => operator.compares(entry.timestamp, *moment),
            Self::Status(operator, status) => match request {
                Some(request) => operator.compares(request.status, *status),
                None => *operator == Operator::NotEqual,
            },
        }
    }
}

impl Operator {
    fn compares<T: Ord>(self, left: T, right: T) -> bool {
        match self {
            Self::Equal | Self::Has => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Field {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "logName" => Self::LogName,
            "textPayload" => Self::TextPayload,
            "resource.type" => Self::ResourceType,
            "resource.labels.project_id" => Self::Project,
            "resource.labels.location" => Self::Location,
            "resource.labels.service_name" | "resource.labels.configuration_name" => Self::Service,
            "resource.labels.revision_name" => Self::Revision,
            "httpRequest.requestMethod" => Self::RequestMethod,
            "httpRequest.requestUrl" => Self::RequestUrl,
            "httpRequest.userAgent" => Self::UserAgent,
            _ => return None,
        })
    }

    /// Whether the field of the entry compares so with `value`. An entry that does not have the field has
    /// another value. Case does not matter, as in the language.
    fn holds(&self, entry: &LogEntry, operator: Operator, value: &str) -> bool {
        let service = entry.source.service();
        let line = match &entry.payload {
            Payload::Request(request) => Some(&request.line),
            Payload::Line(..) => None,
        };
        let log_name;
        let own = match self {
            Self::LogName => {
                log_name = entry.log_name();
                Some(log_name.as_str())
            }
            Self::TextPayload => entry.text(),
            Self::ResourceType => Some("cloud_run_revision"),
            Self::Project => Some(service.project.id.as_str()),
            Self::Location => Some(service.region.as_str()),
            Self::Service => Some(service.name.as_str()),
            Self::Revision => entry.source.revision().map(RevisionName::as_str),
            Self::RequestMethod => line.map(RequestLine::method),
            Self::RequestUrl => line.map(RequestLine::url),
            Self::UserAgent => line.map(RequestLine::user_agent),
        };
        let (own, value) = (own.map(str::to_lowercase), value.to_lowercase());
        match operator {
            Operator::Has => own.is_some_and(|own| own.contains(&value)),
            Operator::NotEqual => own.is_none_or(|own| own != value),
            _ => own.is_some_and(|own| own == value),
        }
    }
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or(text)
}

fn not_understood(what: &str, why: &str) -> Error {
    Error::field("filter", format!("Unparseable filter: '{what}' is not understood by groundrun: {why}."))
}
