//! Where do bytes wait between two connections?

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is asked for first, in bytes: more than the head of most requests, with a token.
const FIRST: usize = 4 * 1024;

/// How much a buffer may keep while its connection is idle, in bytes.
const KEPT: usize = 16 * 1024;

/// What was read and not yet looked at.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether the last read has filled all the room that there was.
    pub(super) fn is_full(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Takes the first `count` bytes away.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Gives back the memory of a large body.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() && self.bytes.len() > KEPT {
            self.bytes = Vec::new();
        }
    }

    /// Reads more, and returns how much: 0 is the end. At most `most` bytes wait here at once; there must be
    /// fewer when this is called.
    pub(super) fn poll_fill<R>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
        most: usize,
    ) -> Poll<io::Result<usize>>
    where
        R: AsyncRead + Unpin,
    {
        self.make_room(most);
        let mut room = ReadBuf::new(&mut self.bytes[self.end..]);
        debug_assert!(room.remaining() > 0, "no room to read into");
        ready!(Pin::new(from).poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.end += count;
        Poll::Ready(Ok(count))
    }

    /// Makes room behind what waits: by moving it to the front, or else by more memory. A buffer that was
    /// filled to its end by the last read was too small for what there was to read.
    fn make_room(&mut self, most: usize) {
        if self.end < self.bytes.len() {
            return;
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end * 2 >= self.bytes.len() {
            let larger = (self.bytes.len() * 4).max(FIRST).min(most.max(self.end + 1));
            if larger > self.bytes.len() {
                self.bytes.resize(larger, 0);
            }
        }
    }

    /// More memory from now on, since a large body is on its way: `most` bytes.
    pub(super) fn widen(&mut self, most: usize) {
        if self.bytes.len() < most {
            self.bytes.resize(most, 0);
        }
    }
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Output {
    bytes: Vec<u8>,
    sent: usize,
}

impl Output {
    /// What is to be written, in order to put more behind it.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        if self.is_sent() {
            self.clear();
        }
        &mut self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
    }

    pub(super) fn is_sent(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Begins anew: over another connection, if nothing was put behind what was sent.
    pub(super) fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Gives back the memory of a large body.
    pub(super) fn shrink(&mut self) {
        if self.is_sent() && self.bytes.capacity() > KEPT {
            *self = Self::default();
        }
    }

    /// Writes until nothing is left.
    pub(super) fn poll_send<W>(&mut self, cx: &mut Context<'_>, to: &mut W) -> Poll<io::Result<()>>
    where
        W: AsyncWrite + Unpin,
    {
        while !self.is_sent() {
            let count = ready!(Pin::new(&mut *to).poll_write(cx, &self.bytes[self.sent..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += count;
        }
        Poll::Ready(Ok(()))
    }
}
