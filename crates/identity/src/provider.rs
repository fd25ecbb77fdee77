//! How does the JWT library sign without parsing the private key for every token?
//!
//! Its stock provider is handed the encoded key and parses it at each call, which makes a signature take
//! about twice as long. Ours knows the keys that a [`crate::signing_key::SigningKey`] has parsed, and leaves
//! every other key and algorithm to the stock one.

use std::sync::{Arc, LazyLock, Weak};

use arc_swap::ArcSwap;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER as STOCK;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner};
use jsonwebtoken::signature::{Error, Signer};
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey, errors};
use rcgen::{KeyPair, SigningKey as _};

#[cfg(test)]
mod tests;

/// The provider of this process, unless somebody has installed another one before.
static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(|| CryptoProvider {
    signer_factory: signer,
    verifier_factory: STOCK.verifier_factory,
    key_utils: STOCK.key_utils.clone(),
});

/// The keys in use, a few in an emulator. Read without a lock; it keeps no key alive, so that a private
/// key is gone with the last that may use it.
static KEYS: LazyLock<ArcSwap<Vec<Weak<ParsedKey>>>> = LazyLock::new(ArcSwap::default);

/// An RSA key pair, parsed, and as the JWT library takes it.
pub(crate) struct ParsedKey {
    pair: KeyPair,
    encoding: EncodingKey,
}

/// Makes the JWT library find this RSA key pair parsed for as long as the answer is kept.
pub(crate) fn register(pair: KeyPair) -> Arc<ParsedKey> {
    enter(ParsedKey::new(pair))
}

fn enter(key: ParsedKey) -> Arc<ParsedKey> {
    // Refused from the second time on, and for good if the library already signed something with its
    // stock provider: that one takes the same keys and makes the same signatures, only more slowly.
    PROVIDER.install_default().ok();
    let key = Arc::new(key);
    KEYS.rcu(|keys| {
        let in_use = keys.iter().filter(|key| key.strong_count() > 0).cloned();
        in_use.chain([Arc::downgrade(&key)]).collect::<Vec<_>>()
    });
    key
}

impl ParsedKey {
    fn new(pair: KeyPair) -> Self {
        Self { encoding: EncodingKey::from_rsa_der(unwrapped(pair.serialized_der())), pair }
    }

    /// The key pair as the maker of certificates takes it.
    pub(crate) fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// The private half as the JWT library takes it.
    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    /// The RS256 signature of these bytes.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.pair.sign(bytes)
    }
}

/// What a PKCS#8 structure of an RSA key has after the 4 bytes of its tag and length: version 0,
/// rsaEncryption without parameters, and the begin of an OCTET STRING whose length takes two bytes, as
/// it does for every key of 1024 to 8192 bits.
const WRAPPER: &[u8] = b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x04\x82";

/// The PKCS#1 structure in this PKCS#8 one, because the JWT library takes an RSA key as such; the bytes
/// themselves if they are no PKCS#8.
fn unwrapped(der: &[u8]) -> &[u8] {
    let inner = || {
        let (length, rest) = der.get(4..)?.strip_prefix(WRAPPER)?.split_first_chunk()?;
        rest.get(..usize::from(u16::from_be_bytes(*length)))
    };
    inner().unwrap_or(der)
}

/// RS256 with a key that is parsed already.
struct Rs256(Arc<ParsedKey>);

impl Signer<Vec<u8>> for Rs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(message).map_err(Error::from_source)
    }
}

impl JwtSigner for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> errors::Result<Box<dyn JwtSigner>> {
    match in_use(*algorithm, key.family(), |known| known.encoding.as_bytes() == key.as_bytes()) {
        Some(known) => Ok(Box::new(Rs256(known))),
        None => (STOCK.signer_factory)(algorithm, key),
    }
}

/// The key in use that `is` it, for RS256 with an RSA key. The family counts: an HMAC secret may be
/// anything, the bytes of a public key too.
fn in_use(
    algorithm: Algorithm,
    family: AlgorithmFamily,
    is: impl Fn(&ParsedKey) -> bool,
) -> Option<Arc<ParsedKey>> {
    if algorithm != Algorithm::RS256 || family != AlgorithmFamily::Rsa {
        return None;
    }
    KEYS.load().iter().filter_map(Weak::upgrade).find(|key| is(key))
}
