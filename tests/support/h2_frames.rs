//! How is HTTP/2 spoken badly? Frames as bytes, headers as literals, and the first thing that comes back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What every connection begins with.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The types of frames (RFC 9113, section 6).
pub mod kind {
    #![expect(missing_docs, reason = "the names are those of the standard")]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// The flags of frames.
pub mod flag {
    #![expect(missing_docs, reason = "the names are those of the standard")]
    pub const END_STREAM: u8 = 1;
    pub const ACK: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    pub const PADDED: u8 = 8;
}

/// What a server does about a connection, of what it does first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ends the connection with this error code.
    GoAway(u32),
    /// It ends a stream with this error code.
    Reset(u32),
    /// It answers a request with this status.
    Status(u16),
    /// It closes without a word.
    Closed,
    /// Nothing, for as long as one is willing to wait.
    Silent,
}

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Headers as HPACK literals that are not indexed, names as they are given.
pub fn literals<N: AsRef<[u8]>, V: AsRef<[u8]>>(headers: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            integer(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn integer(block: &mut Vec<u8>, value: usize) {
    let Some(mut rest) = value.checked_sub(127) else { return block.push(u8::try_from(value).unwrap()) };
    block.push(127);
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// Sends bytes on a connection of their own and waits for the first outcome.
pub async fn outcome(address: SocketAddr, bytes: &[u8], patience: Duration) -> Outcome {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let reading = async {
        let mut buffer = Vec::new();
        loop {
            while let Some(frame) = take_frame(&mut buffer) {
                if let Some(outcome) = judged(&frame) {
                    return outcome;
                }
            }
            if !matches!(reader.read_buf(&mut buffer).await, Ok(1..)) {
                return Outcome::Closed;
            }
        }
    };
    let writing = async {
        // Who refuses may stop reading.
        let _ = writer.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    let both = async {
        tokio::select! {
            outcome = reading => outcome,
            () = writing => Outcome::Silent,
        }
    };
    tokio::time::timeout(patience, both).await.unwrap_or(Outcome::Silent)
}

/// Type and payload of the frame that the buffer begins with, if it is all there.
fn take_frame(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let length = u32::from_be_bytes([0, *buffer.first()?, *buffer.get(1)?, *buffer.get(2)?]);
    let end = 9 + usize::try_from(length).unwrap();
    let frame = (*buffer.get(3)?, buffer.get(9..end)?.to_vec());
    buffer.drain(..end);
    Some(frame)
}

fn judged((kind, payload): &(u8, Vec<u8>)) -> Option<Outcome> {
    let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
    match *kind {
        kind::GOAWAY => Some(Outcome::GoAway(number(4))),
        kind::RST_STREAM => Some(Outcome::Reset(number(0))),
        kind::HEADERS => Some(Outcome::Status(status(payload))),
        _ => None,
    }
}

/// The status that a block of headers begins with, behind changes of the table's size.
fn status(block: &[u8]) -> u16 {
    let block = &block[block.iter().take_while(|byte| **byte >> 5 == 1).count()..];
    match block {
        [indexed @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(*indexed - 0x88)],
        [0x48 | 0x08 | 0x18, length, text @ ..] if length & 0x80 == 0 => {
            std::str::from_utf8(&text[..usize::from(*length)]).unwrap().parse().unwrap()
        }
        [0x48 | 0x08 | 0x18, length, text @ ..] => digits(&text[..usize::from(length & 0x7f)]),
        _ => panic!("no status: {}", block.escape_ascii()),
    }
}

/// Three digits in the Huffman code of HPACK: 0 to 2 have five bits, 3 to 9 six.
fn digits(coded: &[u8]) -> u16 {
    let bits: String = coded.iter().map(|byte| format!("{byte:08b}")).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let five = u16::from_str_radix(&bits[at..at + 5], 2).unwrap();
        let (digit, width) = match five {
            0..=2 => (five, 5),
            _ => (u16::from_str_radix(&bits[at..at + 6], 2).unwrap() - 0x19 + 3, 6),
        };
        number = number * 10 + digit;
        at += width;
    }
    number
}
