//! Do the published documents say which keys there are?

use aws_lc_rs::encoding::AsDer as _;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rcgen::PublicKeyData as _;
use serde_json::Value;

use super::{NOW, caller, id_token_key, keys};
use crate::signing_key::SigningKey;
use crate::{Keys, PublishedKey, certificates, jwk_set, raw_keys};

/// `openssl pkey -pubout -outform DER | sha256sum`, the first 40 digits: a change of the rule would end
/// every token that is out there.
const TEST_KID: &str = "453679626b6ccf1927f7494eefdbdd67f2e8449d";

fn bytes_of(pem: &str) -> Vec<u8> {
    let lines: Vec<&str> = pem.lines().collect();
    assert_eq!(lines.first(), Some(&"-----BEGIN CERTIFICATE-----"));
    assert_eq!(lines.last(), Some(&"-----END CERTIFICATE-----"));
    BASE64_STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

async fn published(keys: &Keys) -> Vec<PublishedKey> {
    keys.published(NOW).await.unwrap().into_iter().map(|key| key.key).collect()
}

fn check_certificate(document: &Value, key: &SigningKey, common_name: &str) {
    assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), [key.kid()]);
    let der = bytes_of(document[key.kid()].as_str().unwrap());
    assert!(holds(&der, &key.pair().subject_public_key_info()));
    assert!(holds(&der, common_name.as_bytes()));
}

#[tokio::test]
async fn the_key_id_is_a_function_of_the_public_key() {
    assert_eq!(keys().kid().await.unwrap(), TEST_KID);
}

#[tokio::test]
async fn the_jwk_set_holds_the_public_key() {
    let document = jwk_set(&published(&keys()).await);
    let keys = document["keys"].as_array().unwrap();
    let [key] = keys.as_slice() else { panic!("{document}") };
    let names: Vec<&String> = key.as_object().unwrap().keys().collect();
    assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!((&key["alg"], &key["e"], &key["kid"]), (&"RS256".into(), &"AQAB".into(), &TEST_KID.into()));
    assert_eq!((&key["kty"], &key["use"]), (&"RSA".into(), &"sig".into()));
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    let public = aws_lc_rs::rsa::PublicKey::from_der(id_token_key().pair().der_bytes()).unwrap();
    assert_eq!(modulus.len(), 256);
    assert!(holds(public.as_der().unwrap().as_ref(), &modulus));
}

#[tokio::test]
async fn the_certificates_hold_the_public_keys() {
    let own = SigningKey::from_pem(super::SERVICE_ACCOUNT_KEY).unwrap();
    let google = "federated-signon.system.gserviceaccount.com";
    check_certificate(&certificates(&published(&keys()).await), &id_token_key(), google);
    let certificates = certificates([&keys().account_key(&caller()).await.unwrap()]);
    check_certificate(&certificates, &own, &caller().unique_id);
}

#[tokio::test]
async fn the_key_of_the_service_accounts_is_not_googles() {
    let google = jwk_set(&published(&keys()).await);
    let own = jwk_set([&keys().account_key(&caller()).await.unwrap()]);
    assert_ne!(google["keys"][0]["kid"], own["keys"][0]["kid"]);
    assert_ne!(google["keys"][0]["n"], own["keys"][0]["n"]);
}

/// `openssl pkey -pubout` writes the same text.
#[tokio::test]
async fn the_raw_key_is_the_public_key_in_pem() {
    let document = raw_keys(&published(&keys()).await);
    let pem = document[TEST_KID].as_str().unwrap();
    let lines: Vec<&str> = pem.lines().collect();
    assert_eq!(
        (lines[0], lines[lines.len() - 1]),
        ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----")
    );
    let der = BASE64_STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap();
    assert_eq!(der, id_token_key().pair().subject_public_key_info());
}

#[tokio::test]
async fn the_certificates_are_the_same_bytes_after_a_restart() {
    assert_eq!(certificates(&published(&keys()).await), certificates(&published(&keys()).await));
}

#[tokio::test]
async fn no_document_and_no_debug_text_holds_a_private_key() {
    let keys = keys();
    let shown = [
        format!("{keys:?} {:?}", keys.verifier()),
        jwk_set(&published(&keys).await).to_string(),
        certificates(&published(&keys).await).to_string(),
    ];
    let private: Vec<&str> = super::ID_TOKEN_KEY.lines().filter(|line| !line.starts_with("--")).collect();
    for text in shown {
        assert!(!text.contains("PRIVATE") && !text.contains(r#""d""#), "{text}");
        // The last lines: the first ones hold the modulus, which is public.
        assert!(private.iter().rev().take(10).all(|line| !text.contains(line)), "{text}");
    }
}
