//! Is this the head of a request, of which every server would read the same?
//!
//! Whatever two servers could read differently is refused before anything is passed on, to an instance or to
//! hyper. What is right and not known here is left to hyper, which knows more.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use groundrun_model::door;
use groundrun_model::request;
use groundrun_model::routing::origin::ORIGIN_HEADER;
use http::{HeaderName, Version};
use httparse::{Header, Status};

use super::body;
use super::chunked::{line_end, lines_end};
use crate::head::RequestHead;
use crate::reject::Rejection;

/// The most that the head of a request may have, in bytes. What the hosted service takes is not documented.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// The most that its first line may have, in bytes.
const MAX_LINE: usize = 32 * 1024;

/// The most headers that it may have.
pub(super) const MAX_HEADERS: usize = 100;

/// How many empty lines may stand before it: some clients send one behind a body (RFC 9112, section 2.2).
const EMPTY_LINES: usize = 2;

/// How a connection of HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Says whether a host (lower case, no port) is one of a service's, also of one that is not there.
pub(super) type IsService<'a> = &'a dyn Fn(&str) -> bool;

/// What the first bytes are.
#[derive(Debug)]
pub(super) enum Verdict<'h, 'b> {
    /// Not enough to tell.
    Partial,
    /// Nothing that is passed on.
    Refused(Rejection),
    /// Right, or not known here: for hyper.
    Elsewhere,
    /// The head of a request.
    Head(Head<'h, 'b>),
}

/// How long the body is that comes behind a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(u64),
    Chunked,
}

/// The head of a request of HTTP/1.1 in origin form, whose framing is beyond doubt.
#[derive(Debug)]
pub(super) struct Head<'h, 'b> {
    /// How many bytes it has, with all before it.
    pub(super) length: usize,
    pub(super) method: &'b str,
    pub(super) target: &'b str,
    /// The Host header.
    pub(super) host: &'b str,
    /// The host in it: lower case, no port.
    pub(super) name: Cow<'b, str>,
    pub(super) headers: &'h [Header<'b>],
    pub(super) framing: Framing,
    /// Whether the client asks for the end of the connection behind the answer.
    pub(super) closes: bool,
    /// Whether `Connection` names more than what everybody knows.
    pub(super) names_more: bool,
    /// Whether the client waits with the body until it is told to go on.
    pub(super) expects: bool,
}

/// Room for the headers of a request.
pub(super) type Room<'b> = [MaybeUninit<Header<'b>>; MAX_HEADERS];

/// Judges the bytes at the front of a connection.
pub(super) fn judge<'h, 'b>(
    bytes: &'b [u8],
    room: &'h mut Room<'b>,
    is_service: IsService<'_>,
) -> Verdict<'h, 'b> {
    if bytes.starts_with(&PREFACE[..PREFACE.len().min(bytes.len())]) {
        return if bytes.len() < PREFACE.len() { Verdict::Partial } else { Verdict::Elsewhere };
    }
    let empty = 2 * bytes.chunks_exact(2).take(EMPTY_LINES).take_while(|line| *line == b"\r\n").count();
    let text = &bytes[empty..];
    match text.first() {
        None => return Verdict::Partial,
        Some(b'\r') if text.len() == 1 && empty < 2 * EMPTY_LINES => return Verdict::Partial,
        // The parser would skip any number of them, of either kind.
        Some(b'\r' | b'\n') => return refused("there is no request line"),
        _ => {}
    }
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(text, room) {
        Ok(Status::Partial) => partial(text),
        Ok(Status::Complete(length)) if length > MAX_HEAD => Verdict::Refused(Rejection::HeadTooLarge),
        Ok(Status::Complete(length)) => match whole(request, text, length, is_service) {
            Ok(Some(head)) => Verdict::Head(Head { length: empty + length, ..head }),
            Ok(None) => Verdict::Elsewhere,
            Err(why) => refused(why),
        },
        Err(httparse::Error::TooManyHeaders) => Verdict::Refused(Rejection::HeadTooLarge),
        Err(_) => refused("the head is not that of a request"),
    }
}

fn refused<'h, 'b>(why: &'static str) -> Verdict<'h, 'b> {
    Verdict::Refused(Rejection::Malformed(why))
}

fn partial<'h, 'b>(text: &[u8]) -> Verdict<'h, 'b> {
    if text.len() >= MAX_LINE && !text[..MAX_LINE].contains(&b'\n') {
        return refused("the request line is too long");
    }
    if text.len() >= MAX_HEAD { Verdict::Refused(Rejection::HeadTooLarge) } else { Verdict::Partial }
}

/// The head, unless it is for hyper.
fn whole<'h, 'b>(
    request: httparse::Request<'h, 'b>,
    text: &'b [u8],
    length: usize,
    is_service: IsService<'_>,
) -> Result<Option<Head<'h, 'b>>, &'static str> {
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err("the head is not that of a request");
    };
    // Spaces, and ` HTTP/1.x`.
    let line = method.len() + 1 + target.len() + 9;
    let headers: &'h [Header<'b>] = request.headers;
    if line > MAX_LINE {
        return Err("the request line is too long");
    }
    if line_end(text, line).and_then(|at| lines_end(text, at, headers)) != Some(length) {
        return Err("a line of the head does not end where it should");
    }
    let seen = Seen::in_all(headers)?;
    let framing = seen.framing(version)?;
    if method == "CONNECT" {
        // It goes by its target alone, and whoever opens tunnels says what is wrong with that.
        return Ok(None);
    }
    let (host, name) = seen.host(version)?;
    if let Some(authority) = authority_of(target) {
        agree(authority?, host, is_service)?;
        return Ok(None);
    }
    let is_known = version == 1
        && !host.is_empty()
        && !seen.is_special
        && target.starts_with('/')
        && target.bytes().all(is_plain)
        && !request::is_refused_method(method);
    let Seen { closes, names_more, .. } = seen;
    let expects = seen.expects && !matches!(framing, Framing::None | Framing::Length(0));
    Ok(is_known.then_some(Head {
        length,
        method,
        target,
        host,
        name,
        headers,
        framing,
        closes,
        names_more,
        expects,
    }))
}

/// What the headers say of the message and of the connection.
#[derive(Default)]
struct Seen<'b> {
    host: Option<&'b [u8]>,
    length: Option<u64>,
    is_chunked: bool,
    closes: bool,
    names_more: bool,
    expects: bool,
    /// Whether there is one that hyper knows, and this does not.
    is_special: bool,
}

impl<'b> Seen<'b> {
    fn in_all(headers: &[Header<'b>]) -> Result<Self, &'static str> {
        let mut seen = Self::default();
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            match header.name.len() {
                4 if is("host") => once(&mut seen.host, header.value, "there is more than one Host")?,
                6 if is("expect") => {
                    seen.expects = header.value.eq_ignore_ascii_case(b"100-continue");
                    seen.is_special |= !seen.expects;
                }
                7 if is("upgrade") => seen.is_special = true,
                10 if is("connection") => seen.connection(header.value),
                14 if is("content-length") => {
                    let length = body::length(header.value).ok_or("Content-Length is not a number")?;
                    once(&mut seen.length, length, "there is more than one Content-Length")?;
                }
                18 if is(ORIGIN_HEADER) => seen.is_special = true,
                17 if is("transfer-encoding") => {
                    if seen.is_chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                        return Err("Transfer-Encoding is something else than chunked");
                    }
                    seen.is_chunked = true;
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    fn connection(&mut self, value: &[u8]) {
        for name in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if name.eq_ignore_ascii_case(b"close") {
                self.closes = true;
            } else if !name.eq_ignore_ascii_case(b"keep-alive") {
                self.names_more = true;
            }
        }
    }

    fn framing(&self, version: u8) -> Result<Framing, &'static str> {
        match (self.length, self.is_chunked) {
            (Some(_), true) => Err("there are both Content-Length and Transfer-Encoding"),
            (None, true) if version == 0 => Err("HTTP/1.0 has no Transfer-Encoding"),
            (None, true) => Ok(Framing::Chunked),
            (Some(length), false) => Ok(Framing::Length(length)),
            (None, false) => Ok(Framing::None),
        }
    }

    /// The Host header, and the host in it; empty if there is none and need not be.
    fn host(&self, version: u8) -> Result<(&'b str, Cow<'b, str>), &'static str> {
        let Some(host) = self.host else {
            return if version == 0 { Ok(("", Cow::default())) } else { Err("there is no Host") };
        };
        let host = std::str::from_utf8(host).map_err(|_| "the Host is not one")?;
        if host.is_empty() {
            return Ok(("", Cow::default()));
        }
        Ok((host, door::host_of(host).map_err(|_| "the Host is not one")?))
    }
}

fn once<T>(known: &mut Option<T>, value: T, why: &'static str) -> Result<(), &'static str> {
    if known.replace(value).is_some() { Err(why) } else { Ok(()) }
}

/// The authority of a target in absolute form.
fn authority_of(target: &str) -> Option<Result<&str, &'static str>> {
    if target.starts_with('/') {
        return None;
    }
    let (scheme, rest) = target.split_once("://")?;
    let is_scheme = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    is_scheme.then(|| match door::host_of(authority) {
        Ok(_) => Ok(authority),
        Err(_) => Err("the target names no host"),
    })
}

/// One server goes by the target and another by Host: for a service they must be the same.
fn agree(authority: &str, host: &str, is_service: IsService<'_>) -> Result<(), &'static str> {
    let (named, host) = match (door::host_of(authority), door::host_of(host)) {
        (Ok(named), Ok(host)) if named != host => (named, host),
        _ => return Ok(()),
    };
    if is_service(&named) || is_service(&host) {
        return Err("the target and the Host header name different hosts");
    }
    Ok(())
}

/// Whether a byte stands for itself in a target, to every server.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'$'..=b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'[' | b']' | b'_' | b'~')
}

impl RequestHead for Head<'_, '_> {
    fn method(&self) -> &str {
        self.method
    }

    fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    fn path_and_query(&self) -> &str {
        self.target
    }

    fn version(&self) -> Version {
        Version::HTTP_11
    }

    fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let name = name.as_str();
        let named = self.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value)
    }
}
