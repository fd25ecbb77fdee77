//! What is one HTTP/1.1 message, for a reader that forgives nothing?
//!
//! The reference against which stories hold what passes through the emulator: RFC 9112, without any of
//! the leniency that it allows.

/// A request or a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The first line.
    pub start: String,
    /// Name, as sent, and value of each header.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// The headers behind a chunked body.
    pub trailers: Vec<(String, String)>,
}

/// What the bytes of a connection begin with.
#[derive(Debug)]
pub enum Read {
    /// A message, and how many bytes it takes.
    Whole(Message, usize),
    /// The beginning of a message; the head, if that is there.
    Part(Option<Message>),
}

/// Which messages are read: the framing of both is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Requests: without a length there is no body.
    Requests,
    /// Responses to anything but HEAD: without a length the body is what comes until the end.
    Responses,
}

impl Message {
    /// The values of a header.
    pub fn values<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Method and target of a request.
    pub fn asks(&self) -> &str {
        self.start.rsplit_once(' ').map_or("", |(asks, _)| asks)
    }

    /// The status of a response.
    pub fn status(&self) -> u16 {
        self.start.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or_default()
    }

    /// The message that the bytes begin with.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(side: Side, bytes: &[u8]) -> Result<Read, String> {
        let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(Read::Part(None)) };
        let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let (start, lines) = text.split_once("\r\n").unwrap_or((&text, ""));
        if start.split(' ').count() < 3 || start.contains(['\r', '\n', '\0', '\t']) {
            return Err(format!("{start:?} begins no message"));
        }
        let mut message = Self { start: start.to_owned(), ..Self::default() };
        message.headers = fields(lines)?;
        let used = end + 4;
        match message.body(side, &bytes[used..])? {
            Some(length) => Ok(Read::Whole(message, used + length)),
            None => Ok(Read::Part(Some(message))),
        }
    }

    /// Takes the body; answers how many bytes it takes, or `None` if they are not all there.
    fn body(&mut self, side: Side, bytes: &[u8]) -> Result<Option<usize>, String> {
        let codings: Vec<&str> = self.values("transfer-encoding").collect();
        let lengths: Vec<&str> = self.values("content-length").collect();
        match (&codings[..], &lengths[..]) {
            ([], []) if side == Side::Responses && !matches!(self.status(), 100..200 | 204 | 304) => {
                self.body = bytes.to_vec();
                Ok(Some(bytes.len()))
            }
            ([], []) => Ok(Some(0)),
            ([], [length]) => {
                if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(format!("content-length: {length}"));
                }
                let length: usize = length.parse().map_err(|_| format!("content-length: {length}"))?;
                let Some(body) = bytes.get(..length) else { return Ok(None) };
                self.body = body.to_vec();
                Ok(Some(length))
            }
            ([coding], []) if coding.eq_ignore_ascii_case("chunked") => self.chunks(bytes),
            framing => Err(format!("framed by {framing:?}")),
        }
    }

    fn chunks(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        let mut at = 0;
        loop {
            let Some(end) = find(&bytes[at..], b"\r\n") else { return Ok(None) };
            let line = String::from_utf8_lossy(&bytes[at..at + end]).into_owned();
            if line.is_empty() || line.len() > 16 || !line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(format!("{line:?} is no size of a chunk"));
            }
            let size = usize::from_str_radix(&line, 16).map_err(|_| line)?;
            at += end + 2;
            if size == 0 {
                break;
            }
            let Some(chunk) = bytes.get(at..at + size + 2) else { return Ok(None) };
            if !chunk.ends_with(b"\r\n") {
                return Err("a chunk ends elsewhere".to_owned());
            }
            self.body.extend_from_slice(&chunk[..size]);
            at += size + 2;
        }
        if bytes[at..].starts_with(b"\r\n") {
            return Ok(Some(at + 2));
        }
        let Some(end) = find(&bytes[at..], b"\r\n\r\n") else { return Ok(None) };
        self.trailers = fields(&String::from_utf8_lossy(&bytes[at..at + end]))?;
        Ok(Some(at + end + 4))
    }
}

/// Reads every message of a connection that has ended.
///
/// # Errors
/// What is wrong with one, or what is left behind the last.
pub fn messages(side: Side, bytes: &[u8]) -> Result<Vec<Message>, String> {
    let (mut at, mut all) = (0, Vec::new());
    while at < bytes.len() {
        match Message::read(side, &bytes[at..])? {
            Read::Whole(message, length) => {
                all.push(message);
                at += length;
            }
            Read::Part(_) => return Err(format!("cut off: {}", bytes[at..].escape_ascii())),
        }
    }
    Ok(all)
}

fn fields(lines: &str) -> Result<Vec<(String, String)>, String> {
    let field = |line: &str| {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("{line:?} is no header"))?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) || value.contains(['\r', '\n', '\0']) {
            return Err(format!("{line:?} is no header"));
        }
        Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
    };
    lines.split("\r\n").filter(|line| !line.is_empty()).map(field).collect()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
