//! What happened in a story, as text that is the same at every run?

use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::http_client::Answer;
use crate::json::at;

/// The characters of the suffixes of revisions.
const SUFFIX: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Requests and what of their answers matters. What differs from run to run is hidden, and what is hidden
/// is checked first.
#[derive(Debug, Default)]
pub struct Transcript(String);

impl Transcript {
    /// An empty transcript.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes the request, the status and what is at the JSON pointers.
    #[track_caller]
    pub fn note(&mut self, answer: &Answer, pointers: &[&str]) {
        let asked = redacted(&answer.asked);
        let _ = writeln!(self.0, "{asked} → {}", answer.status.as_u16());
        let json = if pointers.is_empty() { Value::Null } else { answer.json() };
        for pointer in pointers {
            let shown = hide(pointer.rsplit('/').next().unwrap_or_default(), at(&json, pointer));
            let _ = writeln!(self.0, "  {pointer}: {shown}");
        }
    }

    /// Notes what a person would say at this place.
    pub fn say(&mut self, text: impl fmt::Display) {
        let _ = writeln!(self.0, "{}", redacted(&text.to_string()));
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim_end())
    }
}

/// `value` with what differs from run to run hidden, by the key under which it stands.
#[track_caller]
fn hide(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), hide(key, value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(|value| hide(key, value)).collect()),
        Value::String(text) => Value::String(hide_text(key, text)),
        other => other.clone(),
    }
}

#[track_caller]
fn hide_text(key: &str, text: &str) -> String {
    match key {
        "uid" | "serving.knative.dev/serviceUid" => {
            assert!(is_uuid(text), "{key}: {text} is no random UUID");
            "[uuid]".to_owned()
        }
        "resourceVersion" => {
            let good =
                text.len() == 11 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b));
            assert!(good, "{key}: {text} is no version");
            "[version]".to_owned()
        }
        "creationTimestamp" | "lastTransitionTime" => {
            assert!(is_moment(text), "{key}: {text} is no moment in microseconds");
            "[moment]".to_owned()
        }
        "etag" if text != "ACAB" => {
            assert!(
                text.starts_with('B') && text.len() == 12,
                "{key}: {text} is no etag of a written policy"
            );
            "[etag]".to_owned()
        }
        _ => redacted(text),
    }
}

/// `text` with the drawn ends of the names of revisions and the ports of local URLs hidden.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(end) = drawn_suffix(rest) {
            out.push_str(&rest[..7]);
            out.push_str("xyz");
            rest = &rest[end..];
        } else if let Some(end) = port(&out, rest) {
            out.push_str(":PORT");
            rest = &rest[end..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The end of `-00001-abc` at the beginning of `text`.
fn drawn_suffix(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = bytes.get(1..6)?.iter().all(u8::is_ascii_digit);
    let drawn = bytes.get(7..10)?.iter().all(|byte| SUFFIX.contains(byte));
    let ends = bytes.get(10).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-');
    (bytes[0] == b'-' && bytes[6] == b'-' && digits && drawn && ends).then_some(10)
}

/// The end of the port at the beginning of `text`, if what stands before it is a host of this machine.
fn port(before: &str, text: &str) -> Option<usize> {
    let local = before.ends_with(".run.localhost") || before.ends_with("127.0.0.1");
    let digits = text.strip_prefix(':')?.bytes().take_while(u8::is_ascii_digit).count();
    (local && digits >= 4).then_some(digits + 1)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]);
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    lengths && parts[2].starts_with('4') && parts.iter().all(|part| part.bytes().all(hex))
}

fn is_moment(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00.000000Z"
}
