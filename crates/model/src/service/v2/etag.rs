//! How does v2 spell the version of a resource?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The etag of a resource, as the hosted service was seen to make it: a text in quotes, of the protocol
/// buffer of the update time and of the name, each in URL-safe base64.
pub fn etag(updated: Timestamp, name: &str) -> String {
    let time = URL_SAFE_NO_PAD.encode(timestamp(updated));
    format!("\"{time}/{}\"", URL_SAFE_NO_PAD.encode(name))
}

/// An etag that the caller read, if it sent one, must be that of the resource `name` now; `short` is what a
/// refusal calls it. Clients send it with its quotes and without.
///
/// # Errors
/// 409 ABORTED if it is another.
pub fn check_etag(given: Option<&str>, updated: Timestamp, name: &str, short: &str) -> Result<()> {
    let current = etag(updated, name);
    match given {
        Some(given) if given.trim_matches('"') != current.trim_matches('"') => {
            Err(Error::etag_conflict(short, given, &current))
        }
        _ => Ok(()),
    }
}

/// The wire form of `google.protobuf.Timestamp`: field 1 is the seconds, field 2 the nanoseconds; zeros
/// are left out.
fn timestamp(moment: Timestamp) -> Vec<u8> {
    let seconds = moment.seconds();
    let nanos = (moment.micros() - seconds * 1_000_000) * 1_000;
    let mut bytes = Vec::with_capacity(12);
    for (key, value) in [(0x08, seconds), (0x10, nanos)] {
        if value != 0 {
            bytes.push(key);
            varint(u64::from_ne_bytes(value.to_ne_bytes()), &mut bytes);
        }
    }
    bytes
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An etag of the hosted service, with the update time and the name that were shown beside it.
    #[test]
    fn an_etag_is_that_of_the_hosted_service() {
        let updated = Timestamp::parse("2023-05-23T20:59:00.124692Z").unwrap();
        let tag = etag(updated, "projects/poc-iris3-exyon/locations/us-central1/services/hello");
        assert!(tag.starts_with("\"CJTStKMGEKDMujs/cHJvamVjdHMv"), "{tag}");
        assert!(tag.ends_with('"'));
    }

    #[test]
    fn a_moment_of_whole_seconds_has_no_nanoseconds() {
        assert_eq!(timestamp(Timestamp::from_seconds(1)), [0x08, 1]);
    }
}
