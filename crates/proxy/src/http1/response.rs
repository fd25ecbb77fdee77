//! What does a client see of the response of an instance, and where does that end?
//!
//! The rules of the headers are those of the model, as in `headers::for_client`.

use std::cell::RefCell;

use groundrun_model::Timestamp;
use groundrun_model::request::{self, MAX_RESPONSE_HEADERS, TraceContext, headers as rules, push_decimal};
use httparse::{Header, Status};

use super::body::{self, Body, push_header, push_length, push_name};
use super::chunked::{Chunked, room};
use super::request::lists_in_connection;

/// The most that the head of a response may have, in bytes.
pub(super) const MAX_HEAD: usize = 256 * 1024;

/// What the head of a response says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Body,
    /// How many bytes the client gets, if that is known.
    pub(super) size: Option<u64>,
    /// Whether the connection to the instance can be used again once the body has been read.
    pub(super) is_kept: bool,
}

/// What was read of a response.
#[derive(Debug)]
pub(super) enum Read {
    /// Not the whole head.
    Partial,
    /// A head of this many bytes in advance of another one.
    Interim(usize),
    /// The head, of this many bytes.
    Head(usize, Answer),
}

/// Why what an instance said is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no response.
    Malformed(&'static str),
    /// It announces so many bytes, which is more than it may.
    TooLarge(u64),
}

impl From<&'static str> for Fault {
    fn from(why: &'static str) -> Self {
        Self::Malformed(why)
    }
}

/// How the head is written for the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) trace: &'a TraceContext,
    /// Of the request.
    pub(super) method: &'a str,
    /// Whether the connection of the client ends behind the response.
    pub(super) closes: bool,
}

/// Reads the head of a response, and puts the one that the client is to see behind `out`.
///
/// # Errors
/// Why it is none.
pub(super) fn pass(bytes: &[u8], out: &mut Vec<u8>, manner: Manner<'_>) -> Result<Read, Fault> {
    let mut room = room::<MAX_RESPONSE_HEADERS>();
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let length = match parser.parse_response_with_uninit_headers(&mut response, bytes, &mut room) {
        Ok(Status::Complete(length)) if length <= MAX_HEAD => length,
        Ok(Status::Partial) if bytes.len() < MAX_HEAD => return Ok(Read::Partial),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => {
            return Err("the head of the response is too large".into());
        }
        Err(_) => return Err("what came is no response of HTTP/1".into()),
    };
    let (status, version) = (response.code.unwrap_or_default(), response.version.unwrap_or_default());
    let headers: &[Header<'_>] = response.headers;
    if status < 100 || status == 101 {
        return Err("the status of the response is one that nobody asked for".into());
    }
    if status < 200 {
        // Who waits for a 100 was told to go on before; others are not known to pass the front end.
        return Ok(Read::Interim(length));
    }
    push_line(out, status, response.reason.unwrap_or_default());
    let framing = Framing::of(headers)?;
    if let Framing::Length(length) = framing
        && !request::may_announce(length, manner.method, status)
    {
        return Err(Fault::TooLarge(length));
    }
    let has_cookie = push_headers(out, headers);
    push_own(out, manner, has_cookie, headers);
    let has_body = manner.method != "HEAD" && !matches!(status, 204 | 304);
    let (body, size) = framing.put(out, headers, has_body, !matches!(status, 204 | 304));
    if manner.closes {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    let is_kept = match version {
        0 => false,
        _ => !matches!(body, Body::UntilClose) && !lists_in_connection(headers, "close"),
    };
    Ok(Read::Head(length, Answer { status, body, size, is_kept }))
}

/// What the headers say of the body.
enum Framing {
    Length(u64),
    Chunked,
    Nothing,
}

impl Framing {
    fn of(headers: &[Header<'_>]) -> Result<Self, &'static str> {
        let mut framing = Self::Nothing;
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            let next = match header.name.len() {
                14 if is("content-length") => body::length(header.value).map(Self::Length),
                17 if is("transfer-encoding") => {
                    header.value.eq_ignore_ascii_case(b"chunked").then_some(Self::Chunked)
                }
                _ => continue,
            };
            let next = next.ok_or("it is unclear where the body of the response ends")?;
            if !matches!(framing, Self::Nothing) {
                return Err("the response says twice where its body ends");
            }
            framing = next;
        }
        Ok(framing)
    }

    /// Puts the header that says how long the body is, and returns what is to come and how much that is.
    fn put(
        self,
        out: &mut Vec<u8>,
        headers: &[Header<'_>],
        has_body: bool,
        may_have_length: bool,
    ) -> (Body, Option<u64>) {
        match self {
            // Of a body that is not sent the length is still told.
            Self::Length(length) if !has_body => {
                if may_have_length {
                    push_length(out, length);
                }
                (Body::Done, Some(0))
            }
            _ if !has_body => (Body::Done, Some(0)),
            Self::Length(length) => {
                push_length(out, length);
                (Body::of_length(length), Some(length))
            }
            Self::Chunked | Self::Nothing => {
                out.extend_from_slice(b"transfer-encoding: chunked\r\n");
                match self {
                    Self::Chunked => (Body::Chunked(Chunked::of(headers), u64::MAX), None),
                    _ => (Body::UntilClose, None),
                }
            }
        }
    }
}

fn push_line(out: &mut Vec<u8>, status: u16, reason: &str) {
    out.extend_from_slice(b"HTTP/1.1 ");
    push_decimal(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Passes on what the application says. Whether it sets a cookie.
fn push_headers(out: &mut Vec<u8>, headers: &[Header<'_>]) -> bool {
    let has_cookie = headers.iter().any(|header| header.name.eq_ignore_ascii_case("set-cookie"))
        && !lists_in_connection(headers, "set-cookie");
    push_passed(out, headers, |name| {
        rules::is_told_to_clients(name, has_cookie) || name.eq_ignore_ascii_case("content-length")
    });
    has_cookie
}

/// Passes on what belongs neither to the connection nor to what `is_replaced`.
fn push_passed(out: &mut Vec<u8>, headers: &[Header<'_>], is_replaced: impl Fn(&str) -> bool) {
    let has_connection = headers.iter().any(|header| header.name.eq_ignore_ascii_case("connection"));
    for header in headers {
        let is_for_connection = request::is_hop_by_hop(header.name)
            || (has_connection && lists_in_connection(headers, header.name));
        if !is_for_connection && !is_replaced(header.name) {
            push_header(out, header.name, header.value);
        }
    }
}

/// What the front end says. Whatever else it is to say to clients belongs here and in `headers::for_client`.
fn push_own(out: &mut Vec<u8>, manner: Manner<'_>, has_cookie: bool, headers: &[Header<'_>]) {
    push_header(out, rules::SERVER, rules::FRONT_END.as_bytes());
    push_name(out, rules::CLOUD_TRACE);
    manner.trace.push_cloud_response(out);
    out.extend_from_slice(b"\r\n");
    if has_cookie {
        push_header(out, "cache-control", rules::KEPT_WITH_COOKIE.as_bytes());
    }
    if !headers.iter().any(|header| header.name.eq_ignore_ascii_case("date")) {
        push_date(out);
    }
}

/// The date of now, by the clock of the machine, as the server of the other ways says it. Spelled once a second.
pub(super) fn push_date(out: &mut Vec<u8>) {
    thread_local! {
        static SPELLED: RefCell<(i64, String)> = const { RefCell::new((-1, String::new())) };
    }
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_secs()).unwrap_or_default();
    SPELLED.with_borrow_mut(|(second, date)| {
        if *second != now {
            (*second, *date) = (now, Timestamp::from_seconds(now).to_http_date());
        }
        push_header(out, "date", date.as_bytes());
    });
}
