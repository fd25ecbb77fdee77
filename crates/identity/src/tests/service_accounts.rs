//! What can a service account sign, and what can it not?

use groundrun_model::account::Account;
use serde_json::json;

use super::{ID_TOKEN_KEY, NOW, caller, claims, id_token_key, keys};
use crate::signing_key::SigningKey;
use crate::{KeyError, Keys, SelfSigned, TokenError, jwk_set, jwt};

/// The real Cloud Run refuses a self-signed JWT, whatever it claims.
#[tokio::test]
async fn a_jwt_that_claims_to_be_an_id_token_is_none() {
    let payload = serde_json::to_string(&claims()).unwrap();
    // The payload itself is sound: signed by Google's key it passes.
    keys().verifier().verify(&jwt::sign(&id_token_key(), payload.as_bytes()).unwrap(), NOW).unwrap();
    let keys = keys();
    let (kid, token) = keys.sign_jwt(&caller(), &payload).await.unwrap();
    let error = keys.verifier().verify(&token, NOW).unwrap_err();
    assert_eq!(error, TokenError::ServiceAccountKey { kid: kid.clone(), email: caller().email });
    assert_eq!(
        error.to_string(),
        format!(
            "the token is signed by the service account caller@demo.iam.gserviceaccount.com itself (key {kid}); \
             Cloud Run takes ID tokens that Google signed"
        )
    );
}

/// The same, with a blob signed and dressed up as a JWT that names Google's key.
#[tokio::test]
async fn a_blob_that_spells_an_id_token_is_none() {
    let genuine = keys().id_token(&claims()).await.unwrap();
    let (signed, _) = genuine.rsplit_once('.').unwrap();
    let (_, signature) = keys().sign_blob(&caller(), signed.as_bytes()).await.unwrap();
    let signature = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, signature);
    let error = keys().verifier().verify(&format!("{signed}.{signature}"), NOW).unwrap_err();
    assert_eq!(error, TokenError::Signature);
}

#[tokio::test]
async fn a_jwt_carries_its_payload_to_the_byte_and_is_verified_by_the_accounts_key() {
    let keys = keys();
    let payload = r#"{ "sub":"x",  "aud": ["a", "b"], "n": 1.50 }"#;
    let (kid, token) = keys.sign_jwt(&caller(), payload).await.unwrap();
    let carried = token.split('.').nth(1).unwrap();
    let carried = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, carried).unwrap();
    assert_eq!(String::from_utf8(carried).unwrap(), payload);

    let jwks = jwk_set([&keys.account_key(&caller()).await.unwrap()]);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_required_spec_claims::<&str>(&[]);
    rules.validate_aud = false;
    let read = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &rules).unwrap();
    assert_eq!(read.claims["sub"], json!("x"));
}

#[tokio::test]
async fn a_blob_is_verified_by_the_accounts_key() {
    let (kid, signature) = keys().sign_blob(&caller(), b"blob").await.unwrap();
    let key = SigningKey::from_pem(super::SERVICE_ACCOUNT_KEY).unwrap();
    assert_eq!(kid, key.kid());
    let signature = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, signature);
    assert!(key.public().made(b"blob", &signature));
    assert!(!key.public().made(b"blot", &signature));
}

#[tokio::test]
async fn a_payload_is_a_json_object() {
    for payload in ["", "[]", "\"x\"", "{", "{} {}"] {
        let error = keys().sign_jwt(&caller(), payload).await.unwrap_err();
        assert!(error.to_string().starts_with("the payload to sign is not a JSON object: "), "{error}");
    }
}

#[tokio::test]
async fn the_two_keys_are_two() {
    let keys = Keys::from_pems(ID_TOKEN_KEY, ID_TOKEN_KEY).unwrap();
    let error = keys.sign_jwt(&caller(), "{}").await.unwrap_err();
    assert!(matches!(error, KeyError::SameKey { .. }), "{error}");
    assert!(matches!(keys.sign_blob(&caller(), b"").await, Err(KeyError::SameKey { .. })));
    assert!(matches!(keys.account_key(&caller()).await, Err(KeyError::SameKey { .. })));
}

/// Two accounts have two keys; neither's certificate verifies what the other signed.
#[tokio::test]
async fn each_account_signs_with_its_own_key() {
    let keys = Keys::from_pem(ID_TOKEN_KEY).unwrap();
    let other = Account::new("other@demo.iam.gserviceaccount.com");
    assert!(keys.account_key_if_made(&caller()).await.unwrap().is_none(), "made before it is needed");
    let (kid, token) = keys.sign_jwt(&caller(), "{}").await.unwrap();
    let (other_kid, _) = keys.sign_blob(&other, b"blob").await.unwrap();
    assert_ne!(kid, other_kid);
    let token = SelfSigned::read(&token).unwrap();
    let made = keys.account_key_if_made(&caller()).await.unwrap().unwrap();
    assert!(token.is_signed_by(&made));
    assert!(!token.is_signed_by(&keys.account_key(&other).await.unwrap()));
    assert_eq!(keys.account_of_key(&kid), Some(caller().email));
    assert_eq!(keys.account_of_key(&other_kid), Some(other.email));
}

/// A key file holds what its account signs with, and only its public half stays.
#[tokio::test]
async fn a_key_file_holds_the_key_that_was_published() {
    let keys = keys();
    let base = "http://127.0.0.1:8786";
    let (published, file) = keys.account_key_file(&caller(), "demo", base).await.unwrap();
    assert_eq!(format!("{file:?}"), "KeyFile");
    let file: serde_json::Value = serde_json::from_str(file.expose()).unwrap();
    let key = SigningKey::from_pem(file["private_key"].as_str().unwrap()).unwrap();
    assert!(file["private_key"].as_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!((key.kid(), &file["private_key_id"]), (published.kid(), &json!(key.kid())));
    let token = jwt::sign(&key, b"{}").unwrap();
    assert!(SelfSigned::read(&token).unwrap().is_signed_by(&published));
    let refused = keys.verifier().verify(&token, NOW).unwrap_err();
    assert_eq!(refused, TokenError::ServiceAccountKey { kid: key.kid().to_owned(), email: caller().email });
    assert_eq!(file["type"], "service_account");
    assert_eq!(file["project_id"], "demo");
    assert_eq!(file["client_email"], json!(caller().email));
    assert_eq!(file["client_id"], json!(caller().unique_id));
    assert_eq!(file["token_uri"], "http://127.0.0.1:8786/token");
    assert_eq!(file["universe_domain"], "googleapis.com");
    let certificate = "http://127.0.0.1:8786/robot/v1/metadata/x509/caller%40demo.iam.gserviceaccount.com";
    assert_eq!(file["client_x509_cert_url"], certificate);
}
