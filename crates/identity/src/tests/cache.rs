//! What is remembered of tokens, and what is asked at every use all the same?

use super::{NOW, claims, keys};
use crate::TokenError;

#[tokio::test]
async fn a_token_is_verified_once() {
    let keys = keys();
    let verifier = keys.verifier();
    let token = keys.id_token(&claims()).await.unwrap();
    let first = verifier.verify(&token, NOW).unwrap();
    // A clone, as every connection has one, remembers the same tokens.
    let second = verifier.clone().verify(&token, NOW).unwrap();
    assert!(std::ptr::eq(first.claims(), second.claims()));
    assert_eq!(verifier.ring.verified.len(), 1);
}

#[tokio::test]
async fn a_remembered_token_ends_all_the_same() {
    let keys = keys();
    let verifier = keys.verifier();
    let token = keys.id_token(&claims()).await.unwrap();
    verifier.verify(&token, NOW).unwrap();
    let ended = verifier.verify(&token, NOW.plus_seconds(3600));
    assert!(matches!(ended, Err(TokenError::Ended { .. })), "{ended:?}");
    let early = verifier.verify(&token, NOW.plus_seconds(-301));
    assert!(matches!(early, Err(TokenError::NotYetIssued { .. })), "{early:?}");
}

#[tokio::test]
async fn what_is_refused_is_not_remembered() {
    let keys = keys();
    let verifier = keys.verifier();
    let token = keys.id_token(&claims()).await.unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for bad in
        [format!("{signed}."), format!("{signed}.AAAA"), format!("{signed}.{signature}A"), "x".to_owned()]
    {
        verifier.verify(&bad, NOW).unwrap_err();
    }
    verifier.verify(&token, NOW.plus_seconds(7200)).unwrap_err();
    assert_eq!(verifier.ring.verified.len(), 0);
}

#[tokio::test]
async fn its_debug_form_shows_no_token() {
    let keys = keys();
    let verifier = keys.verifier();
    let token = keys.id_token(&claims()).await.unwrap();
    verifier.verify(&token, NOW).unwrap();
    assert!(!format!("{verifier:?}").contains(&token));
}
