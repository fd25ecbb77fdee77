//! What is well formed enough to be asked who signed it?

use serde_json::json;

use super::{caller, id_token_key, keys};
use crate::{SelfSigned, TokenError, jwt};

#[tokio::test]
async fn it_tells_its_key_and_its_claims() {
    let (kid, token) = keys().sign_jwt(&caller(), r#"{"iss":"a","aud":["b"]}"#).await.unwrap();
    let read = SelfSigned::read(&token).unwrap();
    assert_eq!(read.kid(), Some(kid.as_str()));
    assert_eq!(read.claims(), &json!({ "iss": "a", "aud": ["b"] }));
    assert!(read.is_signed_by(&keys().account_key(&caller()).await.unwrap()));
    assert!(!format!("{read:?}").contains(&token));
}

#[test]
fn what_cannot_be_one_is_refused() {
    let sound = jwt::sign(&id_token_key(), b"{}").unwrap();
    let [header, payload, signature] = sound.split('.').collect::<Vec<_>>()[..] else { panic!("{sound}") };
    let encoded = |text: &str| base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, text);
    SelfSigned::read(&sound).unwrap();
    for (what, token) in [
        ("no signature", format!("{header}.{payload}.")),
        ("half a signature", format!("{header}.{payload}.{}", &signature[..100])),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{sound}.{signature}")),
        ("alg none", format!("{}.{payload}.{signature}", encoded(r#"{"alg":"none"}"#))),
        ("HS256", format!("{}.{payload}.{signature}", encoded(r#"{"alg":"HS256"}"#))),
        ("no algorithm", format!("{}.{payload}.{signature}", encoded("{}"))),
        ("a list of claims", format!("{header}.{}.{signature}", encoded("[]"))),
        ("no claims", format!("{header}..{signature}")),
    ] {
        assert!(SelfSigned::read(&token).is_err(), "{what}");
    }
    let long = format!("{header}.{}.{signature}", "A".repeat(16 * 1024));
    assert!(matches!(SelfSigned::read(&long), Err(TokenError::TooLong { .. })));
}
