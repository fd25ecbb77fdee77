//! Which tokens are refused, and for what reason? One row a way to get past the verifier.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use groundrun_model::token::IdClaims;
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use super::{NOW, caller, claims, id_token_key, keys};
use crate::{Keys, TokenError, jwt};

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token that Google's key signed, with these claims changed or added.
fn signed(changes: &[(&str, Value)]) -> String {
    let mut all = serde_json::to_value(claims()).unwrap();
    for (name, value) in changes {
        all[*name] = value.clone();
    }
    jwt::sign(&id_token_key(), all.to_string().as_bytes()).unwrap()
}

/// A token that is sealed with an HMAC of which everybody knows the secret.
fn symmetric(secret: &[u8]) -> String {
    let header = json!({ "alg": "HS256", "kid": id_token_key().kid(), "typ": "JWT" });
    let head = format!("{}.{}", encoded(&header), encoded(&serde_json::to_value(claims()).unwrap()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), head.as_bytes());
    format!("{head}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn each_is_refused_for_what_is_wrong_with_it() {
    let keys = keys();
    let now = NOW.seconds();
    let good = signed(&[]);
    let [_, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let with_header = |header: Value| format!("{}.{payload}.{signature}", encoded(&header));
    let elsewhere = Keys::open(None).unwrap();
    let spki = id_token_key().public().subject_public_key_info();
    let pem = keys.published(NOW).await.unwrap()[0].key.public_key_pem();
    let kid = id_token_key().kid().to_owned();
    let payload_of_an_id_token = serde_json::to_string(&claims()).unwrap();
    let rows = [
        ("alg none", with_header(json!({ "alg": "none", "kid": kid })), "says alg none"),
        (
            "alg none, no signature",
            format!("{}.{payload}.", encoded(&json!({ "alg": "none" }))),
            "says alg none",
        ),
        ("HS256 with the public key, DER", symmetric(&spki), "says alg HS256"),
        ("HS256 with the public key, PKCS#1", symmetric(id_token_key().public().der()), "says alg HS256"),
        ("HS256 with the public key, PEM", symmetric(pem.as_bytes()), "says alg HS256"),
        ("another key id", with_header(json!({ "alg": "RS256", "kid": "0123" })), "signed by key 0123"),
        ("no key id", with_header(json!({ "alg": "RS256" })), "names no key"),
        ("cut in the signature", good[..good.len() - 4].to_owned(), "signature does not match"),
        ("cut in the payload", good[..good.len() - 500].to_owned(), "instead of 3"),
        (
            "one byte too long",
            format!("{good}{}", "A".repeat(16 * 1024 + 1 - good.len())),
            "16385 bytes long",
        ),
        ("expired", signed(&[("exp", json!(now))]), "ended at"),
        ("issued in the future", signed(&[("iat", json!(now + 301))]), "301 s in the future"),
        ("not yet valid", signed(&[("nbf", json!(now + 301))]), "is not valid before"),
        ("nbf that is no number", signed(&[("nbf", json!("soon"))]), "claims are not those"),
        ("of another issuer", signed(&[("iss", json!("https://example.com"))]), "is issued by"),
        ("with two audiences", signed(&[("aud", json!(["a", "b"]))]), "is not a string"),
        ("of another emulator", elsewhere.id_token(&claims()).await.unwrap(), "did not make"),
        ("an access token", keys.access_token(&caller(), &[], NOW, 60).await.unwrap(), "is an access token"),
        (
            "what signJwt made",
            keys.sign_jwt(&caller(), &payload_of_an_id_token).await.unwrap().1,
            "account caller@",
        ),
        ("a certificate", keys.published(NOW).await.unwrap()[0].key.certificate().to_owned(), "1 part"),
        ("nothing", String::new(), "0 part"),
    ];
    let verifier = keys.verifier();
    verifier.verify(&good, NOW).unwrap();
    for (what, token, reason) in rows {
        let refused = verifier.verify(&token, NOW).expect_err(what).to_string();
        assert!(refused.contains(reason) || what == "nothing", "{what}: {refused}");
        assert!(token.len() < 20 || !refused.contains(&token), "{what}: {refused}");
    }
}

/// What is within the allowance passes: the rows above are refused for being beyond it.
#[tokio::test]
async fn within_the_allowance_they_pass() {
    let now = NOW.seconds();
    let verifier = keys().verifier();
    for (name, value) in [("iat", now + 300), ("nbf", now + 300), ("exp", now + 1)] {
        verifier.verify(&signed(&[(name, json!(value))]), NOW).unwrap();
    }
    // The longest that is read.
    let room = 16 * 1024 - signed(&[("padding", json!(""))]).len();
    let long = signed(&[("padding", json!("x".repeat(room / 4 * 3)))]);
    assert!((16 * 1024 - 8..=16 * 1024).contains(&long.len()), "{}", long.len());
    verifier.verify(&long, NOW).unwrap();
}

#[tokio::test]
async fn not_before_is_asked_at_every_use() {
    let verifier = keys().verifier();
    let token = signed(&[("nbf", json!(NOW.seconds()))]);
    verifier.verify(&token, NOW).unwrap();
    let early = verifier.verify(&token, NOW.plus_seconds(-300));
    assert!(early.is_ok(), "{early:?}");
    let token = signed(&[("nbf", json!(NOW.seconds())), ("iat", json!(NOW.seconds() - 1000))]);
    verifier.verify(&token, NOW).unwrap();
    let early = verifier.verify(&token, NOW.plus_seconds(-301));
    assert!(matches!(early, Err(TokenError::NotYetValid { ahead_seconds: 301, .. })), "{early:?}");
}

/// The rules look at the token that was minted here, too: no claim is needed that it does not have.
#[tokio::test]
async fn a_minted_token_passes() {
    let keys = keys();
    let minted = keys.id_token(&IdClaims::new(&caller(), "aud", true, NOW)).await.unwrap();
    assert_eq!(keys.verifier().verify(&minted, NOW).unwrap().claims().aud, "aud");
}
