//! Which ID tokens pass, and what is said of those that do not?

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use groundrun_model::Timestamp;
use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;
use serde_json::{Value, json};

use super::{NOW, caller, claims, id_token_key, keys};
use crate::ring::Ring;
use crate::slot::Slot;
use crate::{Keys, TokenError, Verifier, jwt};

/// What is said of this token at `NOW`.
fn refusal(token: &str) -> TokenError {
    keys().verifier().verify(token, NOW).unwrap_err()
}

/// A token with this header and payload, whose signature is whatever the text says.
fn unsigned(header: &Value, payload: &Value, signature: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(payload))
}

/// A token that the key of the ID tokens signed, with these claims changed.
fn signed_with(changes: &Value) -> String {
    let mut payload = serde_json::to_value(claims()).unwrap();
    for (claim, value) in changes.as_object().unwrap() {
        payload[claim] = value.clone();
    }
    jwt::sign(&id_token_key(), payload.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_token_comes_back_as_the_claims_it_was_made_of() {
    let full = claims();
    let bare = IdClaims::new(&Account::new("dev@example.com"), "aud1", false, NOW);
    for claims in [full, bare] {
        let token = keys().id_token(&claims).await.unwrap();
        assert_eq!(keys().verifier().verify(&token, NOW).unwrap().claims(), &claims);
    }
}

#[tokio::test]
async fn the_header_is_googles() {
    let keys = keys();
    let token = keys.id_token(&claims()).await.unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let kid = keys.kid().await.unwrap();
    assert_eq!(String::from_utf8(header).unwrap(), format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT"}}"#));
}

#[tokio::test]
async fn another_library_accepts_the_token_by_the_published_key() {
    let keys = keys();
    let token = keys.id_token(&claims()).await.unwrap();
    let set: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(crate::jwk_set([&keys.published(NOW).await.unwrap()[0].key])).unwrap();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_audience(&["https://api.example.test"]);
    rules.set_issuer(&["https://accounts.google.com"]);
    rules.validate_exp = false; // it reads the clock of the machine
    let read = jsonwebtoken::decode::<IdClaims>(&token, &key, &rules).unwrap();
    assert_eq!(read.claims, claims());
}

#[test]
fn a_token_has_three_parts() {
    for (token, text) in [
        ("", "the token has 1 part instead of 3"),
        ("secret", "the token has 1 part instead of 3"),
        ("a.b", "the token has 2 parts instead of 3"),
        ("a.b.c.d", "the token has 4 parts instead of 3"),
        ("....", "the token has 5 parts instead of 3"),
    ] {
        assert_eq!(refusal(token).to_string(), text, "{token}");
    }
}

#[test]
fn a_header_that_cannot_be_read_says_why() {
    assert_eq!(refusal("..").to_string(), refusal("e30.e30.").to_string());
    assert_eq!(refusal("!!.e30.").to_string(), "the header of the token cannot be read: it is not base64url");
    assert_eq!(
        refusal("e30.e30.").to_string(), // {}
        "the header of the token cannot be read: it is not a JSON object that names an algorithm (alg)"
    );
}

#[tokio::test]
async fn only_rs256_counts() {
    let kid = keys().kid().await.unwrap();
    let payload = serde_json::to_value(claims()).unwrap();
    for alg in ["none", "None", "HS256", "RS512", "PS256", "ES256", "rs256", ""] {
        let token = unsigned(&json!({"alg": alg, "kid": kid}), &payload, "");
        assert_eq!(refusal(&token), TokenError::Algorithm { alg: alg.to_owned() });
    }
    let token = unsigned(&json!({"alg": "none", "kid": kid}), &payload, "");
    assert_eq!(
        refusal(&token).to_string(),
        "the header of the token says alg none; an ID token is signed with RS256"
    );
}

/// The classic: an HMAC whose secret is the public key, which everybody has.
#[tokio::test]
async fn the_public_key_is_no_hmac_secret() {
    let keys = keys();
    let certificates = crate::certificates([&keys.published(NOW).await.unwrap()[0].key]);
    let kid = keys.kid().await.unwrap();
    let secret = certificates[&kid].as_str().unwrap();
    for alg in [jsonwebtoken::Algorithm::HS256, jsonwebtoken::Algorithm::HS512] {
        let mut header = jsonwebtoken::Header::new(alg);
        header.kid = Some(kid.clone());
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
        assert!(matches!(refusal(&token), TokenError::Algorithm { .. }));
        // The same signature under a header that says RS256.
        let (_, signature) = token.rsplit_once('.').unwrap();
        let header = json!({"alg": "RS256", "kid": kid});
        let token = unsigned(&header, &serde_json::to_value(claims()).unwrap(), signature);
        assert_eq!(refusal(&token), TokenError::Signature);
    }
}

#[test]
fn the_key_must_be_named_and_known() {
    let payload = serde_json::to_value(claims()).unwrap();
    let nameless = unsigned(&json!({"alg": "RS256"}), &payload, "");
    assert_eq!(refusal(&nameless).to_string(), "the header of the token names no key (kid)");
    let foreign = unsigned(&json!({"alg": "RS256", "kid": "9f25"}), &payload, "");
    assert_eq!(
        refusal(&foreign).to_string(),
        "the token is signed by key 9f25, which this emulator did not make"
    );
}

#[test]
fn what_a_stranger_wrote_is_shown_on_one_short_line() {
    let kid = format!("\n\u{1b}[2J\u{202e}{}", "k".repeat(5000));
    let text = refusal(&unsigned(&json!({"alg": "RS256", "kid": kid}), &json!({}), "")).to_string();
    assert!(text.len() < 200 && text.chars().all(|c| !c.is_control()), "{text}");
    assert!(text.starts_with(r"the token is signed by key \n\u{1b}[2J\u{202e}kkk"), "{text}");
}

#[tokio::test]
async fn another_signature_does_not_match() {
    let token = keys().id_token(&claims()).await.unwrap();
    let other = keys().id_token(&IdClaims { aud: "aud1".to_owned(), ..claims() }).await.unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    for token in [format!("{signed}.{signature}"), format!("{signed}."), format!("{signed}.!")] {
        assert_eq!(refusal(&token).to_string(), "the signature does not match");
    }
}

#[test]
fn the_issuer_is_google_in_either_spelling() {
    for issuer in ["https://accounts.google.com", "accounts.google.com"] {
        keys().verifier().verify(&signed_with(&json!({"iss": issuer})), NOW).unwrap();
    }
    for issuer in ["https://accounts.google.com/", "http://accounts.google.com", "caller@demo", ""] {
        let error = refusal(&signed_with(&json!({"iss": issuer})));
        assert_eq!(
            error.to_string(),
            format!("the token is issued by {issuer}, not by https://accounts.google.com")
        );
    }
}

#[test]
fn there_is_one_audience_and_it_is_a_string() {
    for audience in [json!(["https://api.example.test"]), json!(1), json!(null), json!({})] {
        let error = refusal(&signed_with(&json!({"aud": audience})));
        assert_eq!(error.to_string(), "the audience (aud) of the token is not a string");
    }
}

#[test]
fn claims_that_are_missing_or_of_another_type_are_named() {
    let error = refusal(&signed_with(&json!({"exp": "soon"})));
    assert!(
        error.to_string().starts_with("the claims are not those of an ID token: invalid type"),
        "{error}"
    );
    for payload in ["{}", "[]", "", "{\"aud\":\"a\"}", "\u{0}"] {
        let token = jwt::sign(&id_token_key(), payload.as_bytes()).unwrap();
        assert!(matches!(refusal(&token), TokenError::Claims { .. }), "{payload}");
    }
}

#[tokio::test]
async fn a_token_ends_at_the_second_it_names() {
    let token = keys().id_token(&claims()).await.unwrap();
    let verifier = keys().verifier();
    let end = Timestamp::from_seconds(claims().exp);
    verifier.verify(&token, Timestamp::from_micros(end.micros() - 1)).unwrap();
    verifier.verify(&token, end).unwrap_err();
    assert_eq!(
        verifier.verify(&token, end.plus_seconds(35)).unwrap_err().to_string(),
        "the token ended at 2026-08-16T10:23:43Z, 35 s ago"
    );
}

#[tokio::test]
async fn a_token_may_be_issued_300_seconds_ahead_and_no_more() {
    let token = keys().id_token(&claims()).await.unwrap();
    let verifier = keys().verifier();
    verifier.verify(&token, NOW.plus_seconds(-300)).unwrap();
    assert_eq!(
        verifier.verify(&token, NOW.plus_seconds(-301)).unwrap_err().to_string(),
        "the token was issued at 2026-08-16T09:23:43Z, 301 s in the future"
    );
}

#[test]
fn times_at_the_end_of_the_scale_are_compared_too() {
    let verify = |changes| keys().verifier().verify(&signed_with(&changes), NOW);
    verify(json!({"exp": i64::MAX, "iat": i64::MIN})).unwrap();
    assert!(matches!(verify(json!({"exp": i64::MIN})), Err(TokenError::Ended { .. })));
    assert!(matches!(verify(json!({"iat": i64::MAX})), Err(TokenError::NotYetIssued { .. })));
    for odd in [json!(1e300), json!(u64::MAX), json!(1.5)] {
        assert!(matches!(verify(json!({"exp": odd})), Err(TokenError::Claims { .. })));
    }
}

#[tokio::test]
async fn an_access_token_is_no_id_token() {
    let token = keys().access_token(&caller(), &[], NOW, 3600).await.unwrap();
    assert_eq!(refusal(&token).to_string(), "this is an access token; Cloud Run takes ID tokens only");
}

#[tokio::test]
async fn without_a_key_every_key_is_unknown_and_nobody_waits() {
    let token = keys().id_token(&claims()).await.unwrap();
    let ring = Arc::new(Ring::in_memory(Slot::lazy(None)));
    let verifier = Verifier { ring, accounts: Arc::default() };
    assert!(matches!(verifier.verify(&token, NOW), Err(TokenError::UnknownKey { .. })));
}

#[tokio::test]
async fn the_tokens_of_another_emulator_are_foreign() {
    let other = Keys::from_pem(super::SERVICE_ACCOUNT_KEY).unwrap();
    let token = other.id_token(&claims()).await.unwrap();
    let here = Keys::from_pem(super::ID_TOKEN_KEY).unwrap();
    assert!(matches!(here.verifier().verify(&token, NOW), Err(TokenError::UnknownKey { .. })));
}
