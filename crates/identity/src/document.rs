//! How are the public halves of the keys published?
//!
//! Google publishes each twice: as a JWK set (RFC 7517), and as X.509 certificates by key id, which is
//! what Python's google-auth reads.

use groundrun_model::account::Account;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    SerialNumber,
};
use serde_json::{Value, json};
use time::macros::datetime;

use crate::error::KeyError;
use crate::signing_key::SigningKey;

/// Whose the certificates of the ID tokens are: the name in Google's.
const ID_TOKEN_SIGNER: &str = "federated-signon.system.gserviceaccount.com";

/// The set of this one key, as `https://www.googleapis.com/oauth2/v3/certs` answers.
pub(crate) fn jwks(key: &SigningKey) -> Value {
    json!({ "keys": [{
        "alg": "RS256",
        "e": key.exponent(),
        "kid": key.kid(),
        "kty": "RSA",
        "n": key.modulus(),
        "use": "sig",
    }] })
}

/// The certificate of the key of the ID tokens, as `https://www.googleapis.com/oauth2/v1/certs` answers.
pub(crate) fn id_token_certificates(key: &SigningKey) -> Result<Value, KeyError> {
    certificates(key, ID_TOKEN_SIGNER)
}

/// The certificate of an account's key, as
/// `https://www.googleapis.com/service_accounts/v1/metadata/x509/EMAIL` answers. It bears the unique id,
/// because an email can be longer than the 64 characters that a common name may have.
pub(crate) fn account_certificates(key: &SigningKey, account: &Account) -> Result<Value, KeyError> {
    certificates(key, &account.unique_id)
}

/// Nothing in the certificate depends on the moment, so that it is the same bytes after a restart.
fn certificates(key: &SigningKey, common_name: &str) -> Result<Value, KeyError> {
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
    let certificate = params.self_signed(key.pair()).map_err(|error| key.failure(&error))?;
    Ok(json!({ key.kid(): certificate.pem() }))
}

/// The first 15 hexadecimal digits of the key id: positive in 64 bits whatever they are.
fn serial_number(key: &SigningKey) -> u64 {
    let digits: String = key.kid().chars().take(15).collect();
    u64::from_str_radix(&digits, 16).unwrap_or_default().max(1)
}
