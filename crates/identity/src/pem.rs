//! Which RSA public key does a PEM text hold, whatever form it has?
//!
//! Users hand keys over as `openssl` writes them: a public key, an X.509 certificate or a private key. Of
//! a certificate only the key and the time of its validity are read: it is trusted because the user says
//! so, and not because of who signed it.

use aws_lc_rs::rsa::PublicKey as Components;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use groundrun_model::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::error::KeyError;
use crate::signing_key::SigningKey;

/// The tags of DER that a certificate is made of.
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// What is asked for where a text holds no key.
const WANTED: &str = "it must hold an RSA key of 2048 to 8192 bits: a public key, an X.509 certificate or a \
                      private key in PEM form";

/// What a PEM text holds.
#[derive(Debug)]
pub(crate) struct Read {
    /// The public key, as PKCS#1.
    pub(crate) der: Vec<u8>,
    /// The certificate that it stands in, if it does.
    pub(crate) certificate: Option<Certificate>,
}

/// A certificate, of which nothing but the key is believed.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// The certificate in PEM, without what may surround it.
    pub(crate) pem: String,
    /// From when on it is valid.
    pub(crate) not_before: Timestamp,
    /// Until when it is valid.
    pub(crate) not_after: Timestamp,
}

/// Reads the first block of a PEM text.
///
/// # Errors
/// A text that holds no RSA key, or one of less than 2048 bits. The error never quotes the text.
pub(crate) fn read(text: &str) -> Result<Read, KeyError> {
    let refuse = || KeyError::PublicKey(WANTED);
    let (label, bytes) = block(text).ok_or_else(refuse)?;
    if label.ends_with("PRIVATE KEY") {
        let key = SigningKey::from_pem(text).map_err(|_| refuse())?;
        return Ok(Read { der: key.public().der().to_vec(), certificate: None });
    }
    let certificate = match label {
        "CERTIFICATE" => Some(certificate(&bytes).ok_or_else(refuse)?),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => None,
        _ => return Err(refuse()),
    };
    let key = certificate.as_ref().map_or(bytes.as_slice(), |(key, _)| key);
    let components = Components::from_der(key).map_err(|_| refuse())?;
    let modulus = components.modulus().big_endian_without_leading_zero();
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(refuse());
    }
    let der = components.as_ref().to_vec();
    Ok(Read { der, certificate: certificate.map(|(_, certificate)| certificate) })
}

/// Bytes as a block of PEM.
pub(crate) fn write(label: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in BASE64_STANDARD.encode(bytes).as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

fn block(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    Some((label, BASE64_STANDARD.decode(body).ok()?))
}

/// The key in a certificate, and the certificate.
fn certificate(der: &[u8]) -> Option<(Vec<u8>, Certificate)> {
    let (whole, rest) = Element::read(der, SEQUENCE)?;
    let (signed, _) = Element::read(whole.content, SEQUENCE)?;
    let mut at = signed.content;
    if at.first() == Some(&VERSION) {
        at = Element::read(at, VERSION)?.1;
    }
    let (_serial, at) = Element::read(at, INTEGER)?;
    let (_algorithm, at) = Element::read(at, SEQUENCE)?;
    let (_issuer, at) = Element::read(at, SEQUENCE)?;
    let (validity, at) = Element::read(at, SEQUENCE)?;
    let (_subject, at) = Element::read(at, SEQUENCE)?;
    let (key, _) = Element::read(at, SEQUENCE)?;
    let (not_before, after) = moment(validity.content)?;
    let (not_after, _) = moment(after)?;
    let pem = write("CERTIFICATE", whole.whole);
    rest.is_empty().then(|| (key.whole.to_vec(), Certificate { pem, not_before, not_after }))
}

/// One element of DER.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The element with this tag that `input` begins with, and what follows it.
    fn read(input: &'a [u8], tag: u8) -> Option<(Self, &'a [u8])> {
        let (&first, rest) = input.split_first()?;
        let (&short, rest) = rest.split_first()?;
        let (length, rest) = match short {
            0..0x80 => (usize::from(short), rest),
            _ => {
                let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
                let in_range = (1..=4).contains(&digits.len());
                let length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
                (in_range.then_some(length)?, rest)
            }
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = input.get(..input.len() - after.len())?;
        (first == tag).then_some((Self { whole, content }, after))
    }
}

/// The time that `input` begins with, and what follows it.
fn moment(input: &[u8]) -> Option<(Timestamp, &[u8])> {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[year][month][day][hour][minute][second]Z");
    let tag = *input.first()?;
    let (element, rest) = Element::read(input, tag)?;
    let text = std::str::from_utf8(element.content).ok()?;
    let text = match tag {
        GENERALIZED_TIME => text.to_owned(),
        // RFC 5280: two digits mean 1950 to 2049.
        UTC_TIME if text.get(..2)?.parse::<u8>().ok()? < 50 => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        _ => return None,
    };
    let moment: OffsetDateTime = PrimitiveDateTime::parse(&text, FORMAT).ok()?.assume_utc();
    Some((Timestamp::from_seconds(moment.unix_timestamp()), rest))
}
