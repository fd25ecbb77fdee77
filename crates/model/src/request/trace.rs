//! To which trace does a request belong?
//!
//! A trace that the client began is continued, whichever of the two headers it used; else one begins
//! here. <https://cloud.google.com/run/docs/trace>, <https://www.w3.org/TR/trace-context/>.

/// The trace of a request, and the span that its way through the front end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    is_sampled: bool,
}

impl TraceContext {
    /// Continues the trace of `traceparent`, or else of `X-Cloud-Trace-Context`, or else begins the trace
    /// `fresh`; what is malformed counts as not there. `span` is the new span. Neither id may be 0, and a
    /// 0 becomes a 1.
    pub fn new(traceparent: Option<&str>, cloud: Option<&str>, fresh: u128, span: u64) -> Self {
        let (trace, is_sampled) =
            traceparent.and_then(w3c).or_else(|| cloud.and_then(google)).unwrap_or((fresh.max(1), false));
        Self { trace, span: span.max(1), is_sampled }
    }

    /// The id of the trace.
    pub fn id(&self) -> u128 {
        self.trace
    }

    /// The value of `traceparent`: `00-TRACE-SPAN-FLAGS`.
    pub fn traceparent(&self) -> String {
        text(|out| self.push_traceparent(out))
    }

    /// Puts the value of `traceparent` behind `out`.
    pub fn push_traceparent(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"00-");
        push_hex::<32>(out, &self.trace.to_be_bytes());
        out.push(b'-');
        push_hex::<16>(out, &self.span.to_be_bytes());
        out.extend_from_slice(if self.is_sampled { b"-01" } else { b"-00" });
    }

    /// The value of `X-Cloud-Trace-Context` in a request: `TRACE/SPAN;o=1`, the span in decimal.
    pub fn cloud(&self) -> String {
        text(|out| self.push_cloud(out))
    }

    /// Puts the value of `X-Cloud-Trace-Context` in a request behind `out`.
    pub fn push_cloud(&self, out: &mut Vec<u8>) {
        push_hex::<32>(out, &self.trace.to_be_bytes());
        out.push(b'/');
        push_decimal(out, self.span);
        out.extend_from_slice(if self.is_sampled { b";o=1" } else { b";o=0" });
    }

    /// The value of `X-Cloud-Trace-Context` in a response: `TRACE;o=1`.
    pub fn cloud_response(&self) -> String {
        text(|out| self.push_cloud_response(out))
    }

    /// Puts the value of `X-Cloud-Trace-Context` in a response behind `out`.
    pub fn push_cloud_response(&self, out: &mut Vec<u8>) {
        push_hex::<32>(out, &self.trace.to_be_bytes());
        out.extend_from_slice(if self.is_sampled { b";o=1" } else { b";o=0" });
    }
}

fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    // Digits, letters and signs of ASCII.
    String::from_utf8(out).unwrap_or_default()
}

/// The `WIDTH` hexadecimal digits of `bytes`, of which there are half as many.
fn push_hex<const WIDTH: usize>(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [b'0'; WIDTH];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    out.extend_from_slice(&digits);
}

/// `number` in decimal.
pub fn push_decimal(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    let mut rest = number;
    loop {
        first -= 1;
        // A digit is less than 10.
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Trace and sampling of a `traceparent`. A version after 00 may have more fields behind the flags.
fn w3c(value: &str) -> Option<(u128, bool)> {
    let mut fields = value.trim().split('-');
    let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let has_more = fields.next().is_some();
    let version = hex(version, 2)?;
    if version == 0xff || (version == 0 && has_more) || hex(span, 16)? == 0 {
        return None;
    }
    let trace = hex(trace, 32).filter(|trace| *trace != 0)?;
    Some((trace, hex(flags, 2)? & 1 == 1))
}

/// Trace and sampling of an `X-Cloud-Trace-Context`: `TRACE[/SPAN][;o=OPTIONS]`.
fn google(value: &str) -> Option<(u128, bool)> {
    let (ids, options) = value.trim().split_once(';').unwrap_or((value.trim(), ""));
    let trace = ids.split_once('/').map_or(ids, |(trace, _)| trace);
    let trace = hex(&trace.to_ascii_lowercase(), 32).filter(|trace| *trace != 0)?;
    Some((trace, options.trim() == "o=1"))
}

/// The number of exactly `width` lower-case hexadecimal digits.
fn hex(text: &str, width: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if text.len() != width || !text.bytes().all(is_digit) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
}
