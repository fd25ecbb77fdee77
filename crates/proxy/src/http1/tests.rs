//! Does what is let through mean one thing only, to every server?

use std::net::{IpAddr, Ipv4Addr};

use groundrun_model::request::{TraceContext, without_needless_escapes};
use proptest::prelude::*;

use super::body::{Body, Broken};
use super::buffer::{Input, Output};
use super::chunked::{Chunked, room};
use super::judge::{Framing, Head, Verdict, judge};
use super::request::{self, Spelled};
use crate::reject::Rejection;

const SERVICE: &str = "hello-1.us-central1.run.app";

/// What the judge says, in one word.
fn verdict(text: &[u8]) -> &'static str {
    match judge(text, &mut room(), &|host| host == SERVICE) {
        Verdict::Partial => "partial",
        Verdict::Refused(Rejection::HeadTooLarge) => "too large",
        Verdict::Refused(_) => "refused",
        Verdict::Elsewhere => "elsewhere",
        Verdict::Head(_) => "head",
    }
}

fn with(rest: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {SERVICE}\r\n{rest}\r\n")
}

#[test]
fn good_heads() {
    for rest in [
        "",
        "Content-Length: 0\r\n",
        "Content-Length: 007\r\n",
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding: \tCHUNKED \r\n",
        "X-Empty:\r\nX-Spaces:   \r\nX-Tab:\ta\tb\t\r\n",
        "X-Latin: \u{e9}\r\n",
        "Connection: close, X-A\r\n",
        "Expect: 100-continue\r\n",
        "TE: trailers\r\n",
        "X_Serverless_Authorization: a\r\n",
    ] {
        assert_eq!(verdict(with(rest).as_bytes()), "head", "{rest:?}");
    }
    let preceded = format!("\r\n\r\n{}", with(""));
    assert_eq!(verdict(preceded.as_bytes()), "head");
    for target in ["/", "/a?b=c", "/%2e%2E/a", "//", "/a;b@c:d", "/?a?b/[1]"] {
        let text = format!("M-SEARCH {target} HTTP/1.1\r\nHost: {SERVICE}:443\r\n\r\n");
        assert_eq!(verdict(text.as_bytes()), "head", "{target}");
    }
}

#[test]
fn what_two_servers_could_read_differently_is_refused() {
    for rest in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        "Transfer-Encoding\u{b}: chunked\r\n",
        " X-Fold: a\r\n",
        "X-A: b\r\n c\r\n",
        "X-A: b\r\n\tc\r\n",
        "X-A: b\n",
        "X-A: b\rX-B: c\r\n",
        "X-A: a\0b\r\n",
        "X-A: a\u{7f}b\r\n",
        "X-A: a\u{1}b\r\n",
        ": a\r\n",
        "X A: a\r\n",
        "X-A\r\n",
        "Host: hello-1.us-central1.run.app\r\n",
        "Host: other.test\r\n",
    ] {
        assert_eq!(verdict(with(rest).as_bytes()), "refused", "{rest:?}");
    }
    let host = format!("Host: {SERVICE}\r\n\r\n");
    for line in [
        "GET  / HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n",
        "GET\t/ HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.2\r\n",
        "GET / HTTP/2.0\r\n",
        "GET / http/1.1\r\n",
        "GET /\r\n",
        " GET / HTTP/1.1\r\n",
        "G(T / HTTP/1.1\r\n",
        "\r\n\r\n\r\nGET / HTTP/1.1\r\n",
        "\nGET / HTTP/1.1\r\n",
        "\rGET / HTTP/1.1\r\n",
        "GET http://other.test/ HTTP/1.1\r\n",
        "GET http://a@b/ HTTP/1.1\r\n",
        "PRI / HTTP/2.0\r\n",
    ] {
        assert_eq!(verdict(format!("{line}{host}").as_bytes()), "refused", "{line:?}");
    }
    for text in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n",
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET http://hello-1.us-central1.run.app/ HTTP/1.1\r\nHost: other.test\r\n\r\n",
    ] {
        assert_eq!(verdict(text.as_bytes()), "refused", "{text:?}");
    }
}

#[test]
fn what_hyper_knows_better_is_left_to_it() {
    for rest in ["Upgrade: websocket\r\n", "Expect: else\r\n"] {
        assert_eq!(verdict(with(rest).as_bytes()), "elsewhere", "{rest:?}");
    }
    for text in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET http://hello-1.us-central1.run.app/a HTTP/1.1\r\nHost: HELLO-1.us-central1.run.app:80\r\n\r\n",
        "GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n",
        "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "GET /{a} HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    ] {
        assert_eq!(verdict(text.as_bytes()), "elsewhere", "{text:?}");
    }
}

#[test]
fn a_part_of_a_head_is_no_head_and_too_much_of_one_is_refused() {
    let whole = with("Content-Length: 1\r\n");
    for end in 0..whole.len() {
        assert_eq!(verdict(&whole.as_bytes()[..end]), "partial", "{end}");
    }
    for end in 1..24 {
        assert_eq!(verdict(&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..end]), "partial", "{end}");
    }
    let line = |count: usize| format!("GET /{}", "a".repeat(count));
    assert_eq!(verdict(line(30_000).as_bytes()), "partial");
    assert_eq!(verdict(line(33_000).as_bytes()), "refused");
    let large = format!("X-A: {}", "a".repeat(66_000));
    assert_eq!(verdict(with(&large).trim_end().as_bytes()), "too large");
    assert_eq!(verdict(with(&format!("{large}\r\n")).as_bytes()), "too large");
    assert_eq!(verdict(with(&"X: a\r\n".repeat(99)).as_bytes()), "head");
    assert_eq!(verdict(with(&"X: a\r\n".repeat(100)).as_bytes()), "too large");
}

/// A request as the strictest of servers reads it.
#[derive(Debug, PartialEq, Eq)]
struct Strict {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    /// How many bytes it has.
    length: usize,
}

/// The next line, which ends in CR LF and has neither otherwise.
fn line<'b>(bytes: &'b [u8], at: &mut usize) -> Option<&'b [u8]> {
    let rest = bytes.get(*at..)?;
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    *at += end + 2;
    let line = &rest[..end];
    (!line.contains(&b'\r') && !line.contains(&b'\n') && !line.contains(&0)).then_some(line)
}

fn fields(bytes: &[u8], at: &mut usize) -> Option<Vec<(String, Vec<u8>)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(bytes, at)?;
        if line.is_empty() {
            return Some(fields);
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        if name.is_empty() || !name.iter().all(is_token) {
            return None;
        }
        let name = String::from_utf8(name.to_ascii_lowercase()).ok()?;
        fields.push((name, value[1..].trim_ascii().to_vec()));
    }
}

impl Strict {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut at = 0;
        while bytes[at..].starts_with(b"\r\n") {
            at += 2;
        }
        let first = std::str::from_utf8(line(bytes, &mut at)?).ok()?;
        let words: Vec<&str> = first.split(' ').collect();
        let [method, target, "HTTP/1.1"] = words[..] else { return None };
        let headers = fields(bytes, &mut at)?;
        let all = |wanted: &str| -> Vec<&[u8]> {
            headers.iter().filter(|(name, _)| name == wanted).map(|(_, value)| &value[..]).collect()
        };
        let (lengths, encodings) = (all("content-length"), all("transfer-encoding"));
        let mut body = Vec::new();
        match (&lengths[..], &encodings[..]) {
            ([], []) => {}
            ([length], []) => {
                let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
                body.extend(bytes.get(at..at.checked_add(length)?)?);
                at += length;
            }
            ([], [encoding]) if encoding.eq_ignore_ascii_case(b"chunked") => loop {
                let size = std::str::from_utf8(line(bytes, &mut at)?).ok()?;
                let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
                if size == 0 {
                    fields(bytes, &mut at)?;
                    break;
                }
                body.extend(bytes.get(at..at.checked_add(size)?)?);
                at += size;
                if !line(bytes, &mut at)?.is_empty() {
                    return None;
                }
            },
            _ => return None,
        }
        let (method, target) = (method.to_owned(), target.to_owned());
        Some(Self { method, target, headers, body, length: at })
    }
}

fn body(head: &Head<'_, '_>) -> Body {
    match head.framing {
        Framing::None => Body::Done,
        Framing::Length(length) => Body::of_length(length),
        Framing::Chunked => Body::Chunked(Chunked::of(head.headers), 1000),
    }
}

/// What an instance would be sent of the first request in `bytes`; `None` if it would not be
/// forwarded. What comes behind the head is read in pieces of `piece`.
async fn forwarded(bytes: &[u8], piece: usize) -> Option<Result<Vec<u8>, Broken>> {
    let mut room = room();
    let Verdict::Head(head) = judge(bytes, &mut room, &|_| true) else { return None };
    let spelled = Spelled::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut output = Output::default();
    let trace = TraceContext::new(None, None, 1, 1);
    let admitted = request::Admitted { checked: None, is_verified: false, trace: &trace };
    request::push(output.bytes(), &head, admitted, &spelled);
    let mut body = body(&head);
    let (mut near, mut far) = tokio::io::duplex(piece);
    let rest = bytes[head.length..].to_vec();
    let writing = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        // Whoever has what it wants reads no further.
        let _ = near.write_all(&rest).await;
    });
    let (mut input, mut sent, mut moved) = (Input::default(), Vec::new(), false);
    let passed = std::future::poll_fn(|cx| {
        body.poll_pass(cx, (&mut far, &mut input), (&mut output, &mut sent), &mut moved)
    });
    let passed = passed.await;
    writing.abort();
    Some(passed.map(|()| sent))
}

/// What breaks parsers.
fn nasty() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec![
        &b"\r\n"[..],
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"\0",
        b"\x0b",
        b",",
        b";",
        b"0",
        b"5",
        b"a",
        b"g",
        b"+",
        b"0x",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Host: b\r\n",
        b"\r\n\r\n",
        b"0\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
        b"HTTP/1.0",
        b"3\r\nabc\r\n",
        b"\xff",
        b"%41",
        b"?",
        b"X:\r\n",
        b"Connection: host\r\n",
    ])
    .prop_map(<[u8]>::to_vec)
}

fn almost_requests() -> impl Strategy<Value = Vec<u8>> {
    let bases = prop::sample::select(vec![
        "GET /a?b HTTP/1.1\r\nHost: a.test\r\nX-A: b\r\n\r\n",
        "POST /%41 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc",
        "PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\nT: u\r\n\r\n",
    ]);
    let change = (any::<prop::sample::Index>(), 0_usize..3, nasty());
    (bases, prop::collection::vec(change, 0..4)).prop_map(|(base, changes)| {
        let mut bytes = base.as_bytes().to_vec();
        for (at, gone, put) in changes {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..(at + gone).min(bytes.len()), put);
        }
        bytes.extend_from_slice(b"GET /next HTTP/1.1\r\nHost: n.test\r\n\r\n");
        bytes
    })
}

fn check(bytes: &[u8], piece: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let Some(Ok(sent)) = runtime.block_on(forwarded(bytes, piece)) else { return };
    let asked = Strict::read(bytes).unwrap_or_else(|| panic!("not strict: {}", bytes.escape_ascii()));
    let seen = Strict::read(&sent).unwrap_or_else(|| panic!("not strict: {}", sent.escape_ascii()));
    assert_eq!(seen.length, sent.len(), "more than one: {}", sent.escape_ascii());
    let (path, query) = asked.target.split_at(asked.target.find('?').unwrap_or(asked.target.len()));
    assert_eq!(seen.target, format!("{}{query}", without_needless_escapes(path)));
    assert_eq!((seen.method, &seen.body), (asked.method, &asked.body), "{}", bytes.escape_ascii());
    let hosts = |strict: &Strict| {
        strict.headers.iter().filter(|(name, _)| name == "host").cloned().collect::<Vec<_>>()
    };
    let asked = Strict::read(bytes).map(|strict| hosts(&strict)).unwrap_or_default();
    let seen = Strict::read(&sent).map(|strict| hosts(&strict)).unwrap_or_default();
    assert_eq!(seen, asked);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_forwarded_is_one_request_and_the_one_that_was_sent(bytes in almost_requests(), piece in 1_usize..64) {
        check(&bytes, piece);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes, 16);
    }

    #[test]
    fn no_response_is_too_strange(text in "(HTTP/1.1 [0-9]{3} [a-z ]{0,3}\r?\n)?(.|\r|\n){0,100}(\r\n\r\n)?") {
        let trace = TraceContext::new(None, None, 1, 1);
        let manner = super::response::Manner { trace: &trace, method: "GET", closes: false };
        let _ = super::response::pass(text.as_bytes(), &mut Vec::new(), manner);
    }
}

#[test]
fn the_judge_lets_the_bases_through() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let chunked = b"PUT /c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\nT: u\r\n\r\n";
    let sent = runtime.block_on(forwarded(chunked, 5)).unwrap().unwrap();
    assert_eq!(Strict::read(&sent).unwrap().body, b"abcd");
    assert!(sent.ends_with(b"0\r\nT: u\r\n\r\n"), "{}", sent.escape_ascii());
}
