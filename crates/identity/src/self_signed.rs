//! What does a JWT claim that a service account signed itself, and with which key?
//!
//! Such a JWT is an assertion at the token endpoint or a bearer at the API; never an ID token.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::error::{TokenError, printable};
use crate::jwt::Parts;
use crate::public_key::PublishedKey;

/// The length of a signature by RSA with 1024, 2048, 3072 or 4096 bits, in bytes.
const SIGNATURE_BYTES: [usize; 4] = [128, 256, 384, 512];

/// A JWT that is well formed. Its signature is not verified yet: ask [`SelfSigned::is_signed_by`].
pub struct SelfSigned<'a> {
    parts: Parts<'a>,
    kid: Option<String>,
    claims: Value,
}

impl<'a> SelfSigned<'a> {
    /// Takes a JWT apart.
    ///
    /// # Errors
    /// What is longer than 16 KiB, has not three parts, names another algorithm than RS256, claims
    /// nothing, or whose signature cannot be one of RSA's.
    pub fn read(token: &'a str) -> Result<Self, TokenError> {
        let parts = Parts::of(token)?;
        let header = parts.header()?;
        if header.alg != "RS256" {
            return Err(TokenError::Algorithm { alg: printable(&header.alg) });
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(parts.signature());
        if !signature.is_ok_and(|signature| SIGNATURE_BYTES.contains(&signature.len())) {
            return Err(TokenError::Signature);
        }
        let claims: Value = serde_json::from_slice(&parts.payload()?)
            .map_err(|error| TokenError::Claims { reason: printable(&error.to_string()) })?;
        if !claims.is_object() {
            return Err(TokenError::Claims { reason: "they are not a JSON object".to_owned() });
        }
        Ok(Self { parts, kid: header.kid.filter(|kid| !kid.is_empty()), claims })
    }

    /// The id of the key that the JWT names.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What the JWT claims: a JSON object.
    pub fn claims(&self) -> &Value {
        &self.claims
    }

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &PublishedKey) -> bool {
        self.parts.payload_signed_by(key.key()).is_ok()
    }
}

/// Without the token, which no output may show.
impl fmt::Debug for SelfSigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelfSigned").field("kid", &self.kid).finish_non_exhaustive()
    }
}
