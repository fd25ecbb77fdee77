//! How is a JWT put together, and taken apart?
//!
//! The compact form of RFC 7515: header, payload and signature in base64url without padding, joined by
//! dots. Base64 is read strictly, so that no token has a second spelling.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

use crate::error::{KeyError, TokenError};
use crate::public_key::PublicKey;
use crate::signing_key::SigningKey;

/// The JWT with these claims, signed by the key with RS256.
pub(crate) fn mint(key: &SigningKey, claims: &impl Serialize) -> Result<String, KeyError> {
    jsonwebtoken::encode(key.header(), claims, key.encoding()).map_err(|error| key.failure(&error))
}

/// The JWT with exactly this payload, signed by the key with RS256. [`mint`] would write the payload
/// anew, without its white space and with its numbers as it reads them.
pub(crate) fn sign(key: &SigningKey, payload: &[u8]) -> Result<String, KeyError> {
    let header = serde_json::to_vec(key.header()).map_err(|error| key.failure(&error))?;
    let mut token = BASE64_URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = jsonwebtoken::crypto::sign(token.as_bytes(), key.encoding(), Algorithm::RS256)
        .map_err(|error| key.failure(&error))?;
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}

/// How long a token may be, in bytes. Google's front end takes no longer header, and what is longer is not
/// even looked at.
pub(crate) const LONGEST_BYTES: usize = 16 * 1024;

/// What the header of a JWT says about its signature.
#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) kid: Option<String>,
}

/// A JWT in its parts: nothing about it is proven.
pub(crate) struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes a token apart at its dots.
    pub(crate) fn of(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > LONGEST_BYTES {
            return Err(TokenError::TooLong { bytes: token.len() });
        }
        let wrong_count = || TokenError::Parts { count: token.split('.').count() };
        let (signed, signature) = token.rsplit_once('.').ok_or_else(wrong_count)?;
        let (header, payload) = signed.split_once('.').ok_or_else(wrong_count)?;
        if payload.contains('.') {
            return Err(wrong_count());
        }
        Ok(Self { signed, header, payload, signature })
    }

    pub(crate) fn header(&self) -> Result<Header, TokenError> {
        let json = decode(self.header).ok_or(TokenError::Header { reason: "it is not base64url" })?;
        serde_json::from_slice(&json).map_err(|_| TokenError::Header {
            reason: "it is not a JSON object that names an algorithm (alg)",
        })
    }

    /// The payload, if this key signed it together with this header.
    pub(crate) fn payload_signed_by(&self, key: &PublicKey) -> Result<Vec<u8>, TokenError> {
        if !key.made(self.signed.as_bytes(), self.signature) {
            return Err(TokenError::Signature);
        }
        self.payload()
    }

    /// The payload, whoever signed it.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, TokenError> {
        decode(self.payload).ok_or_else(|| TokenError::Claims { reason: "they are not base64url".to_owned() })
    }

    /// The signature as it stands there.
    pub(crate) fn signature(&self) -> &'a str {
        self.signature
    }
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}
