//! What can a service account sign, and what can it not?

use serde_json::json;

use super::{ID_TOKEN_KEY, NOW, caller, claims, id_token_key, keys};
use crate::signing_key::SigningKey;
use crate::{KeyError, Keys, TokenError, jwt};

/// The real Cloud Run refuses a self-signed JWT, whatever it claims.
#[tokio::test]
async fn a_jwt_that_claims_to_be_an_id_token_is_none() {
    let payload = serde_json::to_string(&claims()).unwrap();
    // The payload itself is sound: signed by Google's key it passes.
    keys().verifier().verify(&jwt::sign(&id_token_key(), payload.as_bytes()).unwrap(), NOW).unwrap();
    let (kid, token) = keys().sign_jwt(&caller(), &payload).await.unwrap();
    let error = keys().verifier().verify(&token, NOW).unwrap_err();
    assert_eq!(error, TokenError::ServiceAccountKey { kid: kid.clone() });
    assert_eq!(
        error.to_string(),
        format!(
            "the token is signed by the service account itself (key {kid}); \
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

    let jwks = keys.service_account_jwks(&caller()).await.unwrap();
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
    assert!(key.made(b"blob", &signature));
    assert!(!key.made(b"blot", &signature));
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
    assert!(matches!(keys.service_account_jwks(&caller()).await, Err(KeyError::SameKey { .. })));
}
