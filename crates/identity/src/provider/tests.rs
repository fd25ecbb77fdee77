//! Does the JWT library use the keys that are parsed already, and only those?

use jsonwebtoken::crypto;

use super::*;

const MESSAGE: &[u8] = b"header.payload";

/// The key of the ID tokens of the other tests.
fn pair() -> KeyPair {
    let pem = include_str!("../../fixtures/test-id-token-key.pem");
    KeyPair::from_pem_and_sign_algo(pem, &rcgen::PKCS_RSA_SHA256).unwrap()
}

/// The stock provider's signature of `MESSAGE`.
fn stock_signature(algorithm: Algorithm, key: &EncodingKey) -> Vec<u8> {
    (STOCK.signer_factory)(&algorithm, key).unwrap().try_sign(MESSAGE).unwrap()
}

#[test]
fn the_stock_provider_makes_the_same_signature_with_the_same_key() {
    let key = register(pair());
    assert_eq!(key.sign(MESSAGE).unwrap(), stock_signature(Algorithm::RS256, &key.encoding));
}

/// Bytes that nobody could parse show that nobody does, and that the library asks our provider.
#[test]
fn a_key_in_use_is_not_parsed_again_and_no_longer_known_when_it_is_dropped() {
    let mut key = ParsedKey::new(pair());
    key.encoding = EncodingKey::from_rsa_der(b"no private key");
    let private = key.encoding.clone();
    let key = enter(key);
    crypto::sign(MESSAGE, &private, Algorithm::RS256).unwrap();
    drop(key);
    crypto::sign(MESSAGE, &private, Algorithm::RS256).unwrap_err();
}

#[test]
fn installing_twice_is_harmless() {
    let first = register(pair());
    PROVIDER.install_default().unwrap_err();
    let second = register(pair());
    drop(first);
    // Another key with the same bytes is still in use.
    assert!(
        in_use(Algorithm::RS256, AlgorithmFamily::Rsa, |key| std::ptr::eq(key, &raw const *second)).is_some()
    );
}

#[test]
fn other_algorithms_are_left_to_the_stock_provider() {
    let key = register(pair());
    let signer = signer(&Algorithm::RS512, &key.encoding).unwrap();
    assert_eq!(signer.algorithm(), Algorithm::RS512);
    let signature = signer.try_sign(MESSAGE).unwrap();
    assert_eq!(signature, stock_signature(Algorithm::RS512, &key.encoding));
}

/// A secret is compared with secrets: it is no RSA key, even if its bytes are those of one.
#[test]
fn an_hmac_secret_is_no_rsa_key() {
    let key = register(pair());
    assert!(signer(&Algorithm::RS256, &EncodingKey::from_secret(key.encoding.as_bytes())).is_err());
}

#[test]
fn what_is_no_pkcs8_is_not_unwrapped() {
    let pair = pair();
    let whole = pair.serialized_der();
    let inner = unwrapped(whole);
    assert_eq!(inner.len(), whole.len() - 26);
    assert_eq!(unwrapped(inner), inner);
    for end in 0..whole.len() {
        assert_eq!(unwrapped(&whole[..end]), &whole[..end], "a structure that was cut after {end} bytes");
    }
    let trailed = [whole, b"attributes"].concat();
    assert_eq!(unwrapped(&trailed), inner);
}
