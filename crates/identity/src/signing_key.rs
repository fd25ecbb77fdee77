//! What can be done with one private key?

use std::fmt::Display;
use std::sync::Arc;

use aws_lc_rs::rsa::PublicKey;
use aws_lc_rs::{digest, hkdf, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData as _, RsaKeySize};

use crate::error::KeyError;
use crate::provider::{self, ParsedKey};

/// An RSA key pair, and all that depends on it alone.
pub(crate) struct SigningKey {
    parsed: Arc<ParsedKey>,
    header: Header,
    kid: String,
    modulus: String,
    exponent: String,
    access_tokens: hmac::Key,
}

impl SigningKey {
    /// Makes an RSA-2048 key. Takes 80 to 600 ms of one core: never call it where others wait.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        Self::new(pair.map_err(|error| KeyError::Make(error.to_string()))?)
            .map_err(|reason| KeyError::Make(reason.to_owned()))
    }

    /// Reads an RSA private key in PEM form, PKCS#8 or PKCS#1. The error says what is wrong and never
    /// quotes the text.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, &'static str> {
        let pair = KeyPair::from_pem_and_sign_algo(pem, &PKCS_RSA_SHA256)
            .map_err(|_| "it does not hold a whole RSA private key")?;
        Self::new(pair)
    }

    fn new(pair: KeyPair) -> Result<Self, &'static str> {
        let components = PublicKey::from_der(pair.der_bytes()).map_err(|_| "its public half is invalid")?;
        let base64 = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let kid = key_id(&pair);
        Ok(Self {
            header: header(&kid),
            kid,
            modulus: base64(components.modulus().big_endian_without_leading_zero()),
            exponent: base64(components.exponent().big_endian_without_leading_zero()),
            access_tokens: access_token_secret(pair.serialized_der())?,
            parsed: provider::register(pair)?,
        })
    }

    /// The private key as it is kept on disk: PKCS#8, PEM.
    pub(crate) fn to_pem(&self) -> String {
        self.parsed.pair().serialize_pem()
    }

    /// The id of the key: 40 hexadecimal digits, as Google's are, and a function of the public key, so
    /// that it need not be stored.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The modulus (`n` of a JWK), base64url.
    pub(crate) fn modulus(&self) -> &str {
        &self.modulus
    }

    /// The public exponent (`e` of a JWK), base64url.
    pub(crate) fn exponent(&self) -> &str {
        &self.exponent
    }

    /// The key pair as the maker of certificates takes it.
    pub(crate) fn pair(&self) -> &KeyPair {
        self.parsed.pair()
    }

    /// The secret of the access tokens that go with this key.
    pub(crate) fn access_token_secret(&self) -> &hmac::Key {
        &self.access_tokens
    }

    /// The header of every JWT that this key signs.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The private key as the JWT library takes it.
    pub(crate) fn encoding(&self) -> &EncodingKey {
        self.parsed.encoding()
    }

    /// The RSASSA-PKCS1-v1_5 signature with SHA-256 (`RS256`): the same for the same bytes.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.parsed.sign(bytes).map_err(|error| self.failure(&error))
    }

    /// Whether this key made this signature (base64url, read strictly) of these bytes.
    pub(crate) fn made(&self, bytes: &[u8], signature: &str) -> bool {
        let verified =
            jsonwebtoken::crypto::verify(signature, bytes, self.parsed.decoding(), Algorithm::RS256);
        matches!(verified, Ok(true))
    }

    /// What to answer when a library refuses to sign or to write what is to be signed.
    pub(crate) fn failure(&self, error: &dyn Display) -> KeyError {
        KeyError::Sign { kid: self.kid.clone(), reason: error.to_string() }
    }
}

/// `{"alg":"RS256","kid":KID,"typ":"JWT"}`, in Google's order: the library's own field for `typ` would
/// put it first, and its further fields come last.
fn header(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    if let Some(typ) = header.typ.take() {
        header.extras.insert("typ", typ);
    }
    header
}

fn key_id(pair: &KeyPair) -> String {
    let hash = digest::digest(&digest::SHA256, &pair.subject_public_key_info());
    hash.as_ref().iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

/// A secret of its own, so that nothing that RSA signs can pass for an access token; derived, so that
/// access tokens outlive a restart without a second file.
fn access_token_secret(private_key: &[u8]) -> Result<hmac::Key, &'static str> {
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"groundrun")
        .extract(private_key)
        .expand(&[b"access tokens"], hmac::HMAC_SHA256)
        .map(hmac::Key::from)
        .map_err(|_| "no secret can be derived from it")
}
