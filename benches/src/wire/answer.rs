//! What does the head of an answer say?

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// It has so many bytes.
    Length(usize),
    /// It comes in chunks, each of which says its length.
    Chunked,
}

/// The head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its bytes, with the empty line.
    pub(super) length: usize,
    /// The status code.
    pub(super) status: u16,
    /// What follows.
    pub(super) framing: Framing,
}

/// The head at the beginning of `bytes`: `None` if it is not whole yet.
///
/// # Errors
/// It is none that a server may write, or tells no length.
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>, &'static str> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let mut lines = bytes.get(..end).unwrap_or_default().split(|byte| *byte == b'\n');
    let status = lines.next().and_then(status).ok_or("no status line of HTTP/1.1")?;
    let informational = (100..200).contains(&status);
    let framing = lines.find_map(framing).or(informational.then_some(Framing::Length(0)));
    Ok(Some(Head { length: end + 4, status, framing: framing.ok_or("an answer without a length")? }))
}

/// The bytes of the chunk that a line announces.
pub(super) fn chunk(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn status(line: &[u8]) -> Option<u16> {
    let code = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

fn framing(line: &[u8]) -> Option<Framing> {
    // Most lines are told apart by their first letter.
    let length = match line.first()? | 0x20 {
        b'c' => value(line, b"content-length")?,
        b't' => return value(line, b"transfer-encoding").map(|_| Framing::Chunked),
        _ => return None,
    };
    std::str::from_utf8(length).ok()?.parse().ok().map(Framing::Length)
}

fn value<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nServer: s\r\nConnection: c\r\nContent-Length: 13\r\n\r\nhello";
        let whole = Head { length: text.len() - 5, status: 200, framing: Framing::Length(13) };
        assert_eq!(head(text), Ok(Some(whole)));
        for end in 0..whole.length {
            assert_eq!(head(&text[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn an_answer_must_say_where_it_ends() {
        assert!(head(b"HTTP/1.1 200 OK\r\nx-content-length: 1\r\n\r\n").is_err());
        assert!(head(b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n").is_err());
        let chunked = head(b"HTTP/1.1 404 No\r\ntransfer-encoding: chunked\r\n\r\n").unwrap().unwrap();
        assert_eq!((chunked.status, chunked.framing), (404, Framing::Chunked));
        assert_eq!(head(b"HTTP/1.1 101 S\r\n\r\n").unwrap().unwrap().framing, Framing::Length(0));
    }

    #[test]
    fn a_chunk_says_its_length_in_hexadecimal() {
        assert_eq!(chunk(b"1f; a=b\r\n"), Some(31));
        assert_eq!(chunk(b"0\r\n"), Some(0));
        assert_eq!(chunk(b"g\r\n"), None);
    }
}
