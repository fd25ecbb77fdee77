//! What does this reader make of the bytes of a connection?
//!
//! For who holds it against another reader: the judge, the chunks and the head that an instance is sent, as
//! they are used for a connection, without one.

use std::net::{IpAddr, Ipv4Addr};

use groundrun_model::request::TraceContext;

use super::chunked::{Chunked, Piece, room};
use super::judge::{Framing, Verdict, judge};
use super::request::{self, Spelled};

/// What the bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// A part of a request.
    Part,
    /// Nothing that is passed on.
    Refused,
    /// What is left to hyper.
    Elsewhere,
    /// A request.
    Request(Taken),
}

/// A request that was read whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// How many bytes it has, with the empty lines before it.
    pub length: usize,
    /// The head that an instance is sent.
    pub head: Vec<u8>,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// The trailers that are passed on.
    pub trailers: Vec<(String, Vec<u8>)>,
}

/// Reads the request that `bytes` begin with, as that of a client at 203.0.113.7 whose credential is in
/// no header.
pub fn read(bytes: &[u8]) -> Reading {
    let mut room = room();
    let head = match judge(bytes, &mut room, &|_| true) {
        Verdict::Partial => return Reading::Part,
        Verdict::Refused(_) => return Reading::Refused,
        Verdict::Elsewhere => return Reading::Elsewhere,
        Verdict::Head(head) => head,
    };
    let mut taken = Taken { length: head.length, head: Vec::new(), body: Vec::new(), trailers: Vec::new() };
    let peer = Spelled::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)));
    let trace = TraceContext::new(None, None, 1, 1);
    let admitted = request::Admitted { checked: None, is_verified: false, trace: &trace };
    request::push(&mut taken.head, &head, admitted, &peer);
    match head.framing {
        Framing::None => Reading::Request(taken),
        Framing::Length(length) => {
            let body = usize::try_from(length).ok().and_then(|length| bytes[taken.length..].get(..length));
            let Some(body) = body else { return Reading::Part };
            taken.length += body.len();
            taken.body = body.to_vec();
            Reading::Request(taken)
        }
        Framing::Chunked => chunks(taken, Chunked::of(head.headers), bytes),
    }
}

fn chunks(mut taken: Taken, mut chunked: Chunked, bytes: &[u8]) -> Reading {
    loop {
        let rest = &bytes[taken.length..];
        match chunked.next(rest) {
            Err(_) => return Reading::Refused,
            Ok(Piece::More) => return Reading::Part,
            Ok(Piece::Framing(length)) => taken.length += length,
            Ok(Piece::Data(length)) => {
                taken.body.extend_from_slice(&rest[..length]);
                taken.length += length;
            }
            Ok(Piece::End(length, trailers)) => {
                taken.length += length;
                taken.trailers =
                    trailers.into_iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
                return Reading::Request(taken);
            }
        }
    }
}
