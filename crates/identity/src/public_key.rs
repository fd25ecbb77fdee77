//! What can be done with the public half of a key?

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKey as Components;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use groundrun_model::Timestamp;
use rcgen::{PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
use serde_json::{Value, json};

use crate::error::KeyError;
use crate::pem;

/// An RSA public key, parsed.
pub(crate) struct PublicKey {
    kid: String,
    /// As PKCS#1.
    der: Vec<u8>,
    modulus: String,
    exponent: String,
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// The key in this DER, PKCS#1. The error says what is wrong with it.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, &'static str> {
        const INVALID: &str = "its public half is invalid";
        let components = Components::from_der(der).map_err(|_| INVALID)?;
        let base64 = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut key = Self {
            kid: String::new(),
            der: der.to_vec(),
            modulus: base64(components.modulus().big_endian_without_leading_zero()),
            exponent: base64(components.exponent().big_endian_without_leading_zero()),
            parsed: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|_| INVALID)?,
        };
        let hash = digest::digest(&digest::SHA256, &key.subject_public_key_info());
        key.kid = hash.as_ref().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        Ok(key)
    }

    /// The id of the key: 40 hexadecimal digits, as Google's are, and a function of the public key, so
    /// that it need not be stored.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The key as PKCS#1.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// The key as a JWK, under the id `kid`.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        json!({
            "alg": "RS256",
            "e": self.exponent,
            "kid": kid,
            "kty": "RSA",
            "n": self.modulus,
            "use": "sig",
        })
    }

    /// Whether this key made this signature (base64url, read strictly) of these bytes.
    pub(crate) fn made(&self, bytes: &[u8], signature: &str) -> bool {
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature);
        signature.is_ok_and(|signature| self.parsed.verify_sig(bytes, &signature).is_ok())
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.der
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.kid)
    }
}

/// A public key under the id and with the certificate by which it is published. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PublishedKey {
    key: Arc<PublicKey>,
    kid: Arc<str>,
    certificate: Arc<str>,
    valid: Option<(Timestamp, Timestamp)>,
}

impl PublishedKey {
    /// The key in an X.509 certificate (PEM), under the id that follows from the key.
    ///
    /// # Errors
    /// A text that is no certificate, or one of another key than RSA of 2048 to 8192 bits.
    pub fn from_certificate(pem: &str) -> Result<Self, KeyError> {
        Self::certified(pem).and_then(|key| key.ok_or(KeyError::PublicKey("it is not an X.509 certificate")))
    }

    /// As [`PublishedKey::from_certificate`]; `None` if the text holds a key without a certificate.
    pub(crate) fn certified(pem: &str) -> Result<Option<Self>, KeyError> {
        let read = pem::read(pem)?;
        let key = PublicKey::from_der(&read.der).map_err(KeyError::PublicKey)?;
        let found = read.certificate.map(|certificate| {
            let valid = Some((certificate.not_before, certificate.not_after));
            Self { valid, ..Self::new(Arc::new(key), certificate.pem) }
        });
        Ok(found)
    }

    pub(crate) fn new(key: Arc<PublicKey>, certificate: String) -> Self {
        Self { kid: key.kid().into(), key, certificate: certificate.into(), valid: None }
    }

    /// The same key under another id.
    pub(crate) fn under(self, kid: &str) -> Self {
        Self { kid: kid.into(), ..self }
    }

    /// The id of the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its X.509 certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// From when on and until when a certificate is valid that was handed over.
    pub fn valid(&self) -> Option<(Timestamp, Timestamp)> {
        self.valid
    }

    /// The bare public key, PEM (`SubjectPublicKeyInfo`).
    pub fn public_key_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.key.subject_public_key_info())
    }

    /// The key as a JWK: `{alg, e, kid, kty, n, use}`.
    pub fn jwk(&self) -> Value {
        self.key.jwk(&self.kid)
    }

    pub(crate) fn key(&self) -> &Arc<PublicKey> {
        &self.key
    }
}
