//! What do services and their instances leave in the log?
//!
//! The entries of Cloud Logging's resource `cloud_run_revision`: one for each request that the hosted
//! service logs, and one for each line that an instance writes. An entry is made on the way of a request,
//! so it holds what was at hand; it is spelled when somebody reads it.
//! <https://cloud.google.com/run/docs/logging>.

pub mod filter;
mod json;

use std::net::IpAddr;
use std::sync::Arc;

use crate::instance::InstanceSpec;
use crate::invoke::Denial;
use crate::name::{RevisionName, ServiceId};
use crate::time::Timestamp;

pub use filter::Filter;

/// The longest line of an instance and the longest part of a request that is kept, in bytes.
const MAX_TEXT: usize = 8 * 1024;

/// One entry.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// Counts the entries of one program from its start; set when the entry is kept.
    pub sequence: u64,
    /// When the request arrived, or the line was written.
    pub timestamp: Timestamp,
    /// Who left it.
    pub source: Source,
    /// What it says.
    pub payload: Payload,
}

/// Who leaves an entry.
#[derive(Debug, Clone)]
pub enum Source {
    /// An instance.
    Instance(Arc<InstanceSpec>),
    /// The front of a service, which let the request through to no instance.
    Service(Box<ServiceId>),
}

/// What an entry says.
#[derive(Debug, Clone)]
pub enum Payload {
    /// A request.
    Request(RequestEntry),
    /// A line of an instance.
    Line(Stream, Box<str>),
}

/// Where an instance writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What is logged of a request.
#[derive(Debug, Clone)]
pub struct RequestEntry {
    /// The texts that the client sent.
    pub line: RequestLine,
    /// The status that it saw.
    pub status: u16,
    /// How many bytes the body of the response has, if that was known.
    pub response_size: Option<u64>,
    /// How long it took until the response began, in microseconds.
    pub latency: i64,
    /// The address that the client called from.
    pub remote: IpAddr,
    /// The trace that the request belongs to.
    pub trace: Option<u128>,
    /// Why it was refused, in the words of the hosted service.
    pub message: Option<&'static str>,
}

/// What a client sent, in one allocation. Longer parts are cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    text: Box<str>,
    /// Where method, URL and protocol end; the user agent is the rest.
    ends: [u16; 3],
}

/// How much an entry matters, in the order of Cloud Logging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nobody said.
    Default = 0,
    /// For debugging.
    Debug = 100,
    /// Routine.
    Info = 200,
    /// Normal, but significant.
    Notice = 300,
    /// May cause problems.
    Warning = 400,
    /// Likely causes problems.
    Error = 500,
    /// Causes severe problems.
    Critical = 600,
    /// Somebody must act at once.
    Alert = 700,
    /// The system is unusable.
    Emergency = 800,
}

impl Severity {
    /// Every severity with its name, the least first.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Default, "DEFAULT"),
        (Self::Debug, "DEBUG"),
        (Self::Info, "INFO"),
        (Self::Notice, "NOTICE"),
        (Self::Warning, "WARNING"),
        (Self::Error, "ERROR"),
        (Self::Critical, "CRITICAL"),
        (Self::Alert, "ALERT"),
        (Self::Emergency, "EMERGENCY"),
    ];

    /// The severity that is called `text`, in any case, or has this number.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.parse::<u16>().ok();
        let is_it = |&&(severity, name): &&(Self, &str)| {
            name.eq_ignore_ascii_case(text) || number == Some(severity as u16)
        };
        Self::ALL.iter().find(is_it).map(|(severity, _)| *severity)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(severity, _)| *severity == self).map_or("DEFAULT", |(_, name)| name)
    }
}

impl RequestLine {
    /// Keeps what a client sent. The URL is put together from its parts.
    pub fn new(method: &str, url: [&str; 3], protocol: &str, user_agent: &str) -> Self {
        let [scheme, authority, target] = url.map(|part| cut(part, MAX_TEXT));
        let (method, protocol, user_agent) = (cut(method, 64), cut(protocol, 16), cut(user_agent, 1024));
        let parts = [method, scheme, "://", authority, target, protocol, user_agent];
        let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| text.push_str(part));
        let url = scheme.len() + 3 + authority.len() + target.len();
        let ends = [method.len(), method.len() + url, method.len() + url + protocol.len()];
        // No sum exceeds three times MAX_TEXT and a little.
        Self { text: text.into_boxed_str(), ends: ends.map(|end| u16::try_from(end).unwrap_or(u16::MAX)) }
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.part(0, self.ends[0])
    }

    /// The URL with its query.
    pub fn url(&self) -> &str {
        self.part(self.ends[0], self.ends[1])
    }

    /// The protocol, such as `HTTP/1.1`.
    pub fn protocol(&self) -> &str {
        self.part(self.ends[1], self.ends[2])
    }

    /// The user agent; empty if there was none.
    pub fn user_agent(&self) -> &str {
        &self.text[usize::from(self.ends[2])..]
    }

    fn part(&self, from: u16, to: u16) -> &str {
        &self.text[usize::from(from)..usize::from(to)]
    }
}

impl Source {
    /// The service.
    pub fn service(&self) -> &ServiceId {
        match self {
            Self::Instance(instance) => &instance.service,
            Self::Service(service) => service,
        }
    }

    /// The revision, if the entry has to do with one.
    pub fn revision(&self) -> Option<&RevisionName> {
        match self {
            Self::Instance(instance) => Some(&instance.revision),
            Self::Service(_) => None,
        }
    }
}

impl LogEntry {
    /// A line that an instance wrote at `timestamp`.
    pub fn line(instance: Arc<InstanceSpec>, stream: Stream, text: &str, timestamp: Timestamp) -> Self {
        let payload = Payload::Line(stream, cut(text, MAX_TEXT).into());
        Self { sequence: 0, timestamp, source: Source::Instance(instance), payload }
    }

    /// How much it matters: of a request that follows from its status, and a line says nothing of it.
    pub fn severity(&self) -> Severity {
        match &self.payload {
            Payload::Line(..) => Severity::Default,
            Payload::Request(request) => match request.status {
                500.. => Severity::Error,
                400.. => Severity::Warning,
                _ => Severity::Info,
            },
        }
    }

    /// The log that it stands in, as the end of `run.googleapis.com%2F…`.
    pub fn log_id(&self) -> &'static str {
        match &self.payload {
            Payload::Request(_) => "requests",
            Payload::Line(Stream::Stdout, _) => "stdout",
            Payload::Line(Stream::Stderr, _) => "stderr",
        }
    }

    /// Its text, if it has one.
    pub fn text(&self) -> Option<&str> {
        match &self.payload {
            Payload::Request(request) => request.message,
            Payload::Line(_, text) => Some(text),
        }
    }

    /// Where it stands in a list by time; entries of the same moment stand as they came.
    pub fn place(&self) -> Place {
        Place { timestamp: self.timestamp, sequence: self.sequence }
    }
}

/// A place in a list of entries by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The moment of the entry there.
    pub timestamp: Timestamp,
    /// Its number.
    pub sequence: u64,
}

/// What the request log says of a request that was refused: whether the credential is at fault, as with a
/// 401, or its absence, or the caller's permissions.
pub const fn refusal_message(denial: &Denial) -> &'static str {
    match denial {
        Denial::NoCredential { .. } => {
            "The request was not authenticated. Either allow unauthenticated invocations or set the proper \
             Authorization header."
        }
        Denial::NotAnInvoker { .. } => {
            "The request was not authorized to invoke this service: the caller lacks {run.routes.invoke} \
             permission."
        }
        Denial::Credential(_) | Denial::Audience { .. } => {
            "The request was not authorized to invoke this service. The access token could not be verified."
        }
    }
}

/// At most the first `most` bytes of `text`, whole characters.
fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests;
