//! How are the public halves of the keys published?
//!
//! Google publishes each twice: as a JWK set (RFC 7517), and as X.509 certificates by key id, which is
//! what Python's google-auth reads.

use std::sync::Arc;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose,
    SerialNumber,
};
use serde_json::{Map, Value, json};
use time::macros::datetime;

use crate::error::KeyError;
use crate::public_key::{PublicKey, PublishedKey};
use crate::signing_key::SigningKey;

/// Whose the certificates of the ID tokens are: the name in Google's.
pub(crate) const ID_TOKEN_SIGNER: &str = "federated-signon.system.gserviceaccount.com";

/// The JWK set of these keys, as `https://www.googleapis.com/oauth2/v3/certs` answers.
pub fn jwk_set<'k>(keys: impl IntoIterator<Item = &'k PublishedKey>) -> Value {
    json!({ "keys": keys.into_iter().map(PublishedKey::jwk).collect::<Vec<_>>() })
}

/// The certificates of these keys by key id, as `https://www.googleapis.com/oauth2/v1/certs` answers.
pub fn certificates<'k>(keys: impl IntoIterator<Item = &'k PublishedKey>) -> Value {
    by_kid(keys, |key| key.certificate().to_owned())
}

/// The bare public keys in PEM by key id, as
/// `https://www.googleapis.com/service_accounts/v1/metadata/raw/EMAIL` answers.
pub fn raw_keys<'k>(keys: impl IntoIterator<Item = &'k PublishedKey>) -> Value {
    by_kid(keys, PublishedKey::public_key_pem)
}

fn by_kid<'k>(keys: impl IntoIterator<Item = &'k PublishedKey>, pem: fn(&PublishedKey) -> String) -> Value {
    let all: Map<String, Value> =
        keys.into_iter().map(|key| (key.kid().to_owned(), Value::String(pem(key)))).collect();
    Value::Object(all)
}

/// The public half of a key with a certificate that the key itself signs.
pub(crate) fn publish(key: &SigningKey, common_name: &str) -> Result<PublishedKey, KeyError> {
    let params = certificate(key.public(), common_name);
    let certificate = params.self_signed(key.pair()).map_err(|error| key.failure(&error))?;
    Ok(PublishedKey::new(Arc::clone(key.public()), certificate.pem()))
}

/// A public key whose private half is not here, with a certificate that `issuer` signs.
pub(crate) fn certify(
    key: PublicKey,
    common_name: &str,
    issuer: &SigningKey,
) -> Result<PublishedKey, KeyError> {
    let params = certificate(&key, common_name);
    let certificate = params
        .signed_by(&key, &Issuer::from_params(&certificate_of_issuer(issuer), issuer.pair()))
        .map_err(|error| issuer.failure(&error))?;
    Ok(PublishedKey::new(Arc::new(key), certificate.pem()))
}

fn certificate_of_issuer(issuer: &SigningKey) -> CertificateParams {
    certificate(issuer.public(), ID_TOKEN_SIGNER)
}

/// Nothing in the certificate depends on the moment, so that it is the same bytes after a restart.
fn certificate(key: &PublicKey, common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serial_number = Some(SerialNumber::from(serial_number(key)));
    // Within the years that X.509 writes with two digits, which every reader knows.
    params.not_before = datetime!(2020-01-01 00:00:00 UTC);
    params.not_after = datetime!(2049-12-31 23:59:59 UTC);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// The first 15 hexadecimal digits of the key id: positive in 64 bits whatever they are.
fn serial_number(key: &PublicKey) -> u64 {
    let digits: String = key.kid().chars().take(15).collect();
    u64::from_str_radix(&digits, 16).unwrap_or_default().max(1)
}
