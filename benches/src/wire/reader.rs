//! How is an answer read without keeping it?

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer::{self, Framing};
use crate::Outcome;

/// The bytes that are read at once: more than a head, and enough for a large body at full rate.
const BUFFER: usize = 256 * 1024;

/// The first reads of a connection, which need no more.
const SMALL: usize = 16 * 1024;

/// A connection and what was read of it and not used yet.
#[derive(Debug)]
pub(crate) struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Reader {
    /// Reads `stream` from here on.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: vec![0; SMALL], start: 0, end: 0 }
    }

    /// Writes bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Reads an answer, which must be a 200, and says how long its body was.
    pub(crate) async fn answer(&mut self) -> Outcome<usize> {
        let (status, framing) = self.head().await?;
        if status != 200 {
            return Err(format!("answered {status}: {}", self.rest()).into());
        }
        match framing {
            Framing::Length(length) => self.skip(length).await.map(|()| length),
            Framing::Chunked => self.chunks().await,
        }
    }

    /// Reads the head of an answer that switches protocols.
    pub(crate) async fn switched(&mut self) -> Outcome<()> {
        match self.head().await? {
            (101, _) => Ok(()),
            (status, _) => Err(format!("answered {status} instead of switching: {}", self.rest()).into()),
        }
    }

    /// Reads this many bytes, at most what one read takes.
    pub(crate) async fn exactly(&mut self, count: usize) -> Outcome<&[u8]> {
        while self.end - self.start < count {
            self.fill().await?;
        }
        let start = self.start;
        self.start += count;
        self.buffer.get(start..start + count).ok_or_else(|| "too much at once".into())
    }

    async fn head(&mut self) -> Outcome<(u16, Framing)> {
        loop {
            if let Some(head) = answer::head(self.unread())? {
                self.start += head.length;
                if head.status != 100 {
                    return Ok((head.status, head.framing));
                }
            } else {
                self.fill().await?;
            }
        }
    }

    async fn chunks(&mut self) -> Outcome<usize> {
        let mut total = 0;
        loop {
            let line = self.line().await?;
            let length =
                self.buffer.get(line.clone()).and_then(answer::chunk).ok_or("no length of a chunk")?;
            self.skip(length + 2).await?;
            if length == 0 {
                return Ok(total);
            }
            total += length;
        }
    }

    /// Where in the buffer the next line is.
    async fn line(&mut self) -> Outcome<std::ops::Range<usize>> {
        loop {
            if let Some(length) = self.unread().iter().position(|byte| *byte == b'\n') {
                let start = self.start;
                self.start += length + 1;
                return Ok(start..start + length);
            }
            self.fill().await?;
        }
    }

    async fn skip(&mut self, count: usize) -> Outcome<()> {
        let mut left = count;
        loop {
            let taken = left.min(self.end - self.start);
            self.start += taken;
            left -= taken;
            if left == 0 {
                return Ok(());
            }
            if left > self.buffer.len() && self.buffer.len() < BUFFER {
                self.buffer.resize(BUFFER, 0);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Outcome<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start.., 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        if room.is_empty() {
            return Err("an answer with too long a head".into());
        }
        match self.stream.read(room).await? {
            0 => Err("the connection was closed before the answer was whole".into()),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The beginning of what is there, for an error.
    fn rest(&self) -> String {
        String::from_utf8_lossy(self.unread()).chars().take(200).collect()
    }
}
