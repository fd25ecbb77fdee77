//! Where does a body end that is sent in chunks?
//!
//! Every byte of the framing is looked at, and none is passed on: the chunks that the other side gets are
//! made here.

use std::mem::MaybeUninit;

use groundrun_model::request;

/// The longest line with the size of a chunk, in bytes, its extensions included.
const LONGEST_LINE: usize = 256;

/// How much the trailers may have, in bytes.
const MAX_TRAILERS: usize = 8 * 1024;

/// How many there may be.
const MAX_TRAILER_COUNT: usize = 32;

/// Reads the framing of one body.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    at: At,
    /// The trailers that the head announces, in lower case; nothing is allocated if it announces none.
    announced: Vec<Box<str>>,
}

#[derive(Debug, Default, Clone, Copy)]
enum At {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailers,
}

/// What stands at the front of the bytes that were read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'b> {
    /// Not enough to tell.
    More,
    /// Framing of this many bytes.
    Framing(usize),
    /// This many bytes of the body.
    Data(usize),
    /// The end: this many bytes of trailers, of which these may be passed on.
    End(usize, Vec<(&'b str, &'b [u8])>),
}

impl Chunked {
    /// Of a message with these headers. Trailers are passed on if `Trailer` announces them, as hyper does: of
    /// others an intermediary may not know that they can be kept (RFC 9110, section 6.6.2).
    pub(super) fn of(headers: &[httparse::Header<'_>]) -> Self {
        let lists = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("trailer"));
        let names = lists.flat_map(|header| header.value.split(|byte| *byte == b','));
        let name =
            |name: &[u8]| Some(std::str::from_utf8(name.trim_ascii()).ok()?.to_ascii_lowercase().into());
        Self { announced: names.filter_map(name).collect(), ..Self::default() }
    }

    /// What stands at the front of `bytes`; it counts as taken.
    ///
    /// # Errors
    /// The framing is not what RFC 9112, section 7.1, says, or is longer than anyone needs.
    pub(super) fn next<'b>(&mut self, bytes: &'b [u8]) -> Result<Piece<'b>, &'static str> {
        match self.at {
            At::Size => self.size(bytes),
            At::Data(_) if bytes.is_empty() => Ok(Piece::More),
            At::Data(left) => {
                let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let left = left - count as u64;
                self.at = if left == 0 { At::DataEnd } else { At::Data(left) };
                Ok(Piece::Data(count))
            }
            At::DataEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.at = At::Size;
                    Ok(Piece::Framing(2))
                }
                [] | [b'\r'] => Ok(Piece::More),
                _ => Err("a chunk does not end where it should"),
            },
            At::Trailers => self.trailers(bytes),
        }
    }

    fn size<'b>(&mut self, bytes: &'b [u8]) -> Result<Piece<'b>, &'static str> {
        let line = &bytes[..bytes.len().min(LONGEST_LINE)];
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        // 16 digits are all that a size of 64 bits can have.
        if digits > 16 || (digits == 0 && !line.is_empty()) {
            return Err("the size of a chunk is not a number");
        }
        let extension = line[digits..].iter().take_while(|byte| matches!(byte, b' '..=b'~' | b'\t')).count();
        if extension > 0 && line[digits] != b';' {
            return Err("the size of a chunk is not a number");
        }
        let end = digits + extension;
        match &line[end..] {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] if line.len() < LONGEST_LINE => return Ok(Piece::More),
            _ => return Err("the line with the size of a chunk does not end where it should"),
        }
        let text = std::str::from_utf8(&line[..digits]).unwrap_or_default();
        let size = u64::from_str_radix(text, 16).map_err(|_| "the size of a chunk is not a number")?;
        self.at = if size == 0 { At::Trailers } else { At::Data(size) };
        Ok(Piece::Framing(end + 2))
    }

    fn trailers<'b>(&self, bytes: &'b [u8]) -> Result<Piece<'b>, &'static str> {
        const WRONG: &str = "the trailers are not those of HTTP/1.1";
        match bytes {
            [b'\r', b'\n', ..] => return Ok(Piece::End(2, Vec::new())),
            [] | [b'\r'] => return Ok(Piece::More),
            _ => {}
        }
        let mut room = [httparse::EMPTY_HEADER; MAX_TRAILER_COUNT];
        match httparse::parse_headers(bytes, &mut room) {
            Ok(httparse::Status::Complete((length, found))) if length <= MAX_TRAILERS => {
                if lines_end(bytes, 0, found) != Some(length) {
                    return Err(WRONG);
                }
                let passed = found.iter().filter(|trailer| self.passes(trailer.name));
                Ok(Piece::End(length, passed.map(|trailer| (trailer.name, trailer.value)).collect()))
            }
            Ok(httparse::Status::Partial) if bytes.len() < MAX_TRAILERS => Ok(Piece::More),
            _ => Err(WRONG),
        }
    }

    fn passes(&self, name: &str) -> bool {
        self.announced.iter().any(|known| known.eq_ignore_ascii_case(name)) && request::may_be_trailer(name)
    }
}

/// Where the lines of `headers` end that begin at `at`, with the empty line, if each is exactly a name, a
/// colon, and a value between spaces or tabs, and ends in CR LF. The parser takes LF alone as well; of two
/// servers that read the same bytes one may not.
pub(super) fn lines_end(bytes: &[u8], at: usize, headers: &[httparse::Header<'_>]) -> Option<usize> {
    let mut at = at;
    for header in headers {
        at += header.name.len();
        if *bytes.get(at)? != b':' {
            return None;
        }
        at = behind_spaces(bytes, at + 1) + header.value.len();
        at = line_end(bytes, behind_spaces(bytes, at))?;
    }
    line_end(bytes, at)
}

/// Where the line ends that has nothing more at `at`.
pub(super) fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    (bytes.get(at..at + 2)? == b"\r\n").then_some(at + 2)
}

fn behind_spaces(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Room for the headers of a message, which costs nothing to make.
pub(super) const fn room<'b, const N: usize>() -> [MaybeUninit<httparse::Header<'b>>; N] {
    [const { MaybeUninit::uninit() }; N]
}
