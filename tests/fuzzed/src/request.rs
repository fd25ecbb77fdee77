//! Is what an instance is told of a request well-formed, whatever the client sent?

use std::net::{IpAddr, Ipv4Addr};

use groundrun_model::request::{TraceContext, forwarded_for, without_needless_escapes};

/// Three lines: the path, `traceparent` and `X-Cloud-Trace-Context`; all further ones are values of
/// `X-Forwarded-For`.
pub fn request(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut text = || lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let (path, traceparent, cloud) = (text(), text(), text());
    if let Some(path) = path {
        escapes(path);
    }
    trace(traceparent, cloud);
    addresses(&lines.collect::<Vec<_>>());
}

/// What a server makes of a path that decodes every escape, once.
fn decoded(path: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), path.as_bytes());
    while let [first, behind @ ..] = rest {
        let digit = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap());
                rest = &behind[2..];
            }
            _ => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

/// What the conditions are asked about is what an instance reads.
fn escapes(path: &str) {
    let plain = without_needless_escapes(path);
    assert_eq!(without_needless_escapes(&plain), plain, "an escape is made of what is left");
    assert_eq!(decoded(&plain), decoded(path), "{path} means something else than {plain}");
    assert!(plain.len() <= path.len());
}

fn trace(traceparent: Option<&str>, cloud: Option<&str>) {
    const FRESH: u128 = 0x1234_5678;
    let trace = TraceContext::new(traceparent, cloud, FRESH, 7);
    assert!(trace.id() != 0);
    let shown = trace.traceparent();
    assert_eq!(shown.len(), 55, "{shown}");
    assert!(shown.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{shown}");
    let again = TraceContext::new(Some(&shown), None, FRESH, 7);
    assert_eq!(again, trace, "the next hop reads another trace");
    let by_cloud = TraceContext::new(None, Some(&trace.cloud()), FRESH, 7);
    assert_eq!(by_cloud, trace, "the two headers tell of different traces");
    // It is the client's or a new one, and nothing in between.
    let hex = format!("{:032x}", trace.id());
    let sent = [traceparent, cloud].into_iter().flatten();
    let is_the_clients = sent.map(str::to_ascii_lowercase).any(|text| text.contains(&hex));
    assert!(is_the_clients || trace.id() == FRESH, "{hex}");
}

fn addresses(sent: &[&[u8]]) {
    let peer = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
    let value = forwarded_for(sent.iter().copied(), peer);
    assert!(value.ends_with(b"203.0.113.7"));
    let mut expected: Vec<&[u8]> = sent.iter().copied().filter(|value| !value.is_empty()).collect();
    expected.push(b"203.0.113.7");
    assert_eq!(value, expected.join(&b", "[..]));
}
