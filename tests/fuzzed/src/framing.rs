//! Do two readers take the same bytes for the same request?
//!
//! The front end's own, and one that forgives nothing. What the front end takes for a request the other one
//! takes for the same, and so it does with what an instance is sent.

use groundrun_model::request::{is_hop_by_hop, without_needless_escapes};
use groundrun_proxy::http1::reading::{Reading, Taken, read};

use crate::strict_http1::{Message, Read, Side};

/// What would make another request of it if an instance took it from behind the body.
const NO_TRAILERS: [&str; 4] = ["authorization", "content-length", "host", "x-serverless-authorization"];

/// The bytes of a connection.
pub fn framing(bytes: &[u8]) {
    let Reading::Request(taken) = read(bytes) else { return };
    assert!(taken.length <= bytes.len());
    let taken_bytes = &bytes[..taken.length];
    stable(taken_bytes, &taken);
    let lines = taken_bytes.chunks_exact(2).take_while(|line| *line == b"\r\n").count();
    let sent = same(&taken_bytes[2 * lines..], &taken);
    let asked = passed_on(&taken);
    // Method, target and host are the client's.
    assert_eq!(asked.values("host").collect::<Vec<_>>(), sent.values("host").collect::<Vec<_>>());
    let (method, target) = sent.asks().split_once(' ').unwrap();
    let (path, query) = target.find('?').map_or((target, ""), |at| target.split_at(at));
    assert_eq!(asked.asks(), format!("{method} {}{query}", without_needless_escapes(path)));
}

/// How the bytes are cut, and what comes behind, changes nothing.
fn stable(bytes: &[u8], taken: &Taken) {
    let with_more = [bytes, b"GET / HTTP/1.1\r\n"].concat();
    assert_eq!(read(&with_more), Reading::Request(Taken { ..clone(taken) }), "with more behind");
    for cut in [1, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        assert_eq!(read(&bytes[..cut.min(bytes.len() - 1)]), Reading::Part, "after {cut} bytes");
    }
}

fn clone(taken: &Taken) -> Taken {
    Taken {
        length: taken.length,
        head: taken.head.clone(),
        body: taken.body.clone(),
        trailers: taken.trailers.clone(),
    }
}

/// The request as the other reader sees it.
fn same(bytes: &[u8], taken: &Taken) -> Message {
    match Message::read(Side::Requests, bytes) {
        Ok(Read::Whole(message, length)) => {
            assert_eq!(length, bytes.len(), "another end");
            assert_eq!(message.body, taken.body, "another body");
            message
        }
        // The other one knows no extensions of chunks; the head is the same all the same.
        Err(why) if why.contains("size of a chunk") => {
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
            match Message::read(Side::Requests, &bytes[..end + 4]) {
                Ok(Read::Part(Some(message))) => message,
                other => panic!("{other:?}"),
            }
        }
        other => panic!("another request: {other:?}"),
    }
}

/// What an instance reads of the head that it is sent.
fn passed_on(taken: &Taken) -> Message {
    let message = match Message::read(Side::Requests, &taken.head) {
        Ok(Read::Whole(message, length)) => {
            assert_eq!((length, taken.body.len()), (taken.head.len(), 0), "the head has another end");
            message
        }
        Ok(Read::Part(Some(message))) => message,
        other => panic!("an instance is sent no head: {other:?}"),
    };
    let lengths: Vec<&str> = message.values("content-length").collect();
    let codings: Vec<&str> = message.values("transfer-encoding").collect();
    assert!(lengths.len() + codings.len() <= 1, "{lengths:?} {codings:?}");
    if let [length] = lengths[..] {
        assert_eq!(length.parse(), Ok(taken.body.len()));
    }
    for (name, _) in &message.headers {
        let is_ours = name == "transfer-encoding";
        assert!(is_ours || !is_hop_by_hop(name), "{name} is for one connection");
    }
    for (name, value) in &taken.trailers {
        let name = name.to_ascii_lowercase();
        assert!(!is_hop_by_hop(&name) && !NO_TRAILERS.contains(&name.as_str()), "{name}");
        assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
    }
    message
}
