//! What can be done with one private key?

use std::fmt::{self, Display};
use std::sync::Arc;

use aws_lc_rs::{hkdf, hmac};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData as _, RsaKeySize};

use crate::error::KeyError;
use crate::provider::{self, ParsedKey};
use crate::public_key::PublicKey;

/// An RSA key pair, and all that depends on it alone.
pub(crate) struct SigningKey {
    parsed: Arc<ParsedKey>,
    header: Header,
    public: Arc<PublicKey>,
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
        let public = PublicKey::from_der(pair.der_bytes())?;
        Ok(Self {
            header: header(public.kid()),
            public: Arc::new(public),
            access_tokens: access_token_secret(pair.serialized_der())?,
            parsed: provider::register(pair),
        })
    }

    /// The private key as it is kept on disk: PKCS#8, PEM.
    pub(crate) fn to_pem(&self) -> String {
        self.parsed.pair().serialize_pem()
    }

    /// The id of the key.
    pub(crate) fn kid(&self) -> &str {
        self.public.kid()
    }

    /// The public half.
    pub(crate) fn public(&self) -> &Arc<PublicKey> {
        &self.public
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

    /// What to answer when a library refuses to sign or to write what is to be signed.
    pub(crate) fn failure(&self, error: &dyn Display) -> KeyError {
        KeyError::Sign { kid: self.kid().to_owned(), reason: error.to_string() }
    }
}

/// Which key it is: never the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid())
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

/// A secret of its own, so that nothing that RSA signs can pass for an access token; derived, so that
/// access tokens outlive a restart without a second file.
fn access_token_secret(private_key: &[u8]) -> Result<hmac::Key, &'static str> {
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"groundrun")
        .extract(private_key)
        .expand(&[b"access tokens"], hmac::HMAC_SHA256)
        .map(hmac::Key::from)
        .map_err(|_| "no secret can be derived from it")
}
