//! How does a body get from one connection to the other?
//!
//! In pieces as they come, and no faster than they are taken: what waits is bounded.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use groundrun_model::request::push_decimal;
use tokio::io::{AsyncRead, AsyncWrite};

use super::buffer::{Input, Output};
use super::chunked::{Chunked, Piece};

/// How much of a body waits at most, in bytes, in each of two buffers.
const MOST: usize = 128 * 1024;

/// How much of a body is copied in order to go with its head in one piece, in bytes.
const WITH_HEAD: usize = 16 * 1024;

/// What is left of a body, by the framing that it comes in. To the other side a length stays a length;
/// chunks are made anew, and what ends with its connection is sent in chunks.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing.
    Done,
    /// This many bytes.
    Length(u64),
    /// Chunks, with at most this many bytes in them.
    Chunked(Chunked, u64),
    /// Whatever comes until the connection ends.
    UntilClose,
}

/// Why a body did not get through.
#[derive(Debug)]
pub(super) enum Broken {
    /// Its source went away, or sent no more than a part.
    Source,
    /// Nobody takes it.
    Sink,
    /// Its framing is wrong.
    Malformed,
    /// It has more than it may have.
    TooLarge,
}

/// What is to be done next.
enum Next {
    /// It is through, as soon as the output is sent.
    Done,
    /// Something was put into the output.
    Put,
    /// So many bytes of the input can be sent as they are.
    Direct(usize),
    /// More must be read.
    Read,
}

impl Body {
    /// Of this length.
    pub(super) fn of_length(length: u64) -> Self {
        if length == 0 { Self::Done } else { Self::Length(length) }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Puts what is small and there already behind the head in `out`.
    ///
    /// # Errors
    /// As for the rest of it.
    pub(super) fn begin(&mut self, input: &mut Input, out: &mut Output) -> Result<(), Broken> {
        if let Self::Length(left) = self {
            let count = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            if count > 0 && count <= WITH_HEAD {
                out.bytes().extend_from_slice(&input.as_slice()[..count]);
                input.consume(count);
                *self = Self::of_length(*left - count as u64);
            }
        } else if input.len() <= WITH_HEAD {
            self.next(input, out)?;
        }
        Ok(())
    }

    /// Passes on the rest, after what is in `out`. `has_moved` is set if something was read or written.
    pub(super) fn poll_pass<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        (from, input): (&mut R, &mut Input),
        (out, to): (&mut Output, &mut W),
        has_moved: &mut bool,
    ) -> Poll<Result<(), Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            if !out.is_sent() {
                ready!(out.poll_send(cx, to)).map_err(|_| Broken::Sink)?;
                *has_moved = true;
            }
            match self.next(input, out)? {
                Next::Done => return Pin::new(to).poll_flush(cx).map_err(|_| Broken::Sink),
                Next::Put => continue,
                Next::Direct(count) => {
                    let sent = Pin::new(&mut *to).poll_write(cx, &input.as_slice()[..count]);
                    let sent = ready!(sent).map_err(|_| Broken::Sink)?;
                    if sent == 0 {
                        return Poll::Ready(Err(Broken::Sink));
                    }
                    input.consume(sent);
                    self.took(sent);
                }
                Next::Read => {
                    let Poll::Ready(read) = input.poll_fill(cx, from, MOST) else {
                        // What goes through TLS may be written and not sent.
                        return match Pin::new(to).poll_flush(cx) {
                            Poll::Ready(Err(_)) => Poll::Ready(Err(Broken::Sink)),
                            _ => Poll::Pending,
                        };
                    };
                    match read {
                        Ok(1..) => self.widen(input),
                        Ok(0) if matches!(self, Self::UntilClose) => self.end(out, &[]),
                        _ => return Poll::Ready(Err(Broken::Source)),
                    }
                }
            }
            *has_moved = true;
        }
    }

    /// What there is much of is read in large pieces.
    fn widen(&self, input: &mut Input) {
        let is_much = match self {
            Self::Done => false,
            Self::Length(left) => *left > MOST as u64,
            // Nobody says how much it is: as much as there was room for is the sign of more.
            Self::Chunked(..) | Self::UntilClose => input.is_full(),
        };
        if is_much {
            input.widen(MOST);
        }
    }

    fn next(&mut self, input: &mut Input, out: &mut Output) -> Result<Next, Broken> {
        match self {
            Self::Done => Ok(Next::Done),
            Self::Length(left) => match input.len().min(usize::try_from(*left).unwrap_or(usize::MAX)) {
                0 => Ok(Next::Read),
                count => Ok(Next::Direct(count)),
            },
            Self::UntilClose if input.is_empty() => Ok(Next::Read),
            Self::UntilClose => {
                put_chunk(out, input.as_slice());
                input.consume(input.len());
                Ok(Next::Put)
            }
            Self::Chunked(..) => self.next_chunks(input, out),
        }
    }

    /// Takes all chunks that are there.
    fn next_chunks(&mut self, input: &mut Input, out: &mut Output) -> Result<Next, Broken> {
        let mut has_put = false;
        while let Self::Chunked(chunked, left) = self {
            match chunked.next(input.as_slice()).map_err(|_| Broken::Malformed)? {
                Piece::More => return Ok(if has_put { Next::Put } else { Next::Read }),
                Piece::Framing(count) => input.consume(count),
                Piece::Data(count) => {
                    *left = left.checked_sub(count as u64).ok_or(Broken::TooLarge)?;
                    put_chunk(out, &input.as_slice()[..count]);
                    input.consume(count);
                }
                Piece::End(count, trailers) => {
                    put_end(out, &trailers);
                    input.consume(count);
                    *self = Self::Done;
                }
            }
            has_put = true;
        }
        Ok(Next::Put)
    }

    fn end(&mut self, out: &mut Output, trailers: &[(&str, &[u8])]) {
        put_end(out, trailers);
        *self = Self::Done;
    }

    fn took(&mut self, count: usize) {
        if let Self::Length(left) = self {
            *self = Self::of_length(*left - count as u64);
        }
    }
}

fn put_chunk(out: &mut Output, data: &[u8]) {
    let out = out.bytes();
    push_size(out, data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// The size of a chunk and the end of its line.
fn push_size(out: &mut Vec<u8>, size: usize) {
    let width = ((usize::BITS - size.leading_zeros()).div_ceil(4)).max(1);
    for digit in (0..width).rev() {
        out.push(b"0123456789abcdef"[(size >> (digit * 4)) & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

fn put_end(out: &mut Output, trailers: &[(&str, &[u8])]) {
    let out = out.bytes();
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        push_header(out, name, value);
    }
    out.extend_from_slice(b"\r\n");
}

/// A line of a head.
pub(super) fn push_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    push_name(out, name);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The beginning of such a line.
pub(super) fn push_name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
}

/// The line that says how long a body is.
pub(super) fn push_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"content-length: ");
    push_decimal(out, length);
    out.extend_from_slice(b"\r\n");
}

/// The number that a Content-Length is: digits and nothing else.
pub(super) fn length(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.len() <= 19 && value.iter().all(u8::is_ascii_digit);
    let digit = |number: u64, digit: &u8| number * 10 + u64::from(digit - b'0');
    is_number.then(|| value.iter().fold(0, digit))
}
