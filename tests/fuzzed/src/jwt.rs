//! Does anything pass for an ID token but what the keys signed for this moment?

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use groundrun_identity::{Keys, Verifier};
use groundrun_model::Timestamp;
use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;
use serde_json::Value;

/// A fixture of the tests; it guards nothing.
const KEY: &str = include_str!("../../../crates/identity/fixtures/test-id-token-key.pem");

/// The moment of every verification: 2026-08-16T09:23:43Z.
const NOW: Timestamp = Timestamp::from_seconds(1_786_872_223);

struct Fixture {
    keys: Keys,
    verifier: Verifier,
    account: Account,
    token: String,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    // The key of the accounts is that of the ID tokens: so `sign_jwt` signs claims that no method would.
    let keys = Keys::from_pems(KEY, KEY).unwrap();
    let account = Account::new("caller@demo.iam.gserviceaccount.com");
    let claims = IdClaims::new(&account, "https://api.example.test", true, NOW);
    let token = at_once(keys.id_token(&claims)).unwrap();
    Fixture { verifier: keys.verifier(), keys, account, token }
});

/// What a future gives that has nothing to wait for.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the key is there, and yet it is waited for"),
    }
}

/// The first byte says what the others are: a script of changes to a token that is good, claims that the
/// key signs as they are, or a token as it is.
pub fn jwt(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'm', script)) => altered(script),
        Some((b'c', claims)) => signed(claims),
        _ => alone(bytes),
    }
}

/// Three bytes a change: what, and where in two; the byte that is put in is the third of the next.
fn altered(script: &[u8]) {
    let mut token = FIXTURE.token.clone().into_bytes();
    for step in script.chunks_exact(4).take(32) {
        let at = usize::from(u16::from_be_bytes([step[1], step[2]])) % (token.len() + 1);
        match step[0] % 5 {
            0 => token.insert(at, step[3]),
            1 => drop(token.drain(at..token.len().min(at + usize::from(step[3])))),
            2 => drop(token.splice(at..at, FIXTURE.token.bytes().take(usize::from(step[3])))),
            _ if at < token.len() => token[at] = step[3],
            _ => token.push(step[3]),
        }
    }
    alone(&token);
}

/// Nothing but the token passes, and what is said of the others does not hold them.
fn alone(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let verdict = FIXTURE.verifier.verify(text, NOW);
    assert_eq!(verdict.is_ok(), text == FIXTURE.token, "{text}: {verdict:?}");
    if let Err(error) = verdict {
        let said = error.to_string();
        let signature = text.rsplit('.').next().unwrap_or_default();
        assert!(signature.len() < 40 || !said.contains(signature), "{said}");
        assert!(!said.chars().any(char::is_control), "{said:?}");
    }
}

/// Claims of any kind under a good signature: what passes is an issuer's, has one audience and is of now.
fn signed(claims: &[u8]) {
    let Ok(text) = std::str::from_utf8(claims) else { return };
    let Fixture { keys, verifier, account, .. } = &*FIXTURE;
    let Ok((_, token)) = at_once(keys.sign_jwt(account, text)) else { return };
    let Ok(verified) = verifier.verify(&token, NOW) else { return };
    // Read once more, by other means.
    let said: Value = serde_json::from_str(text).unwrap();
    let seen = verified.claims();
    assert!(matches!(&*seen.iss, "https://accounts.google.com" | "accounts.google.com"));
    assert_eq!((said["iss"].as_str(), said["aud"].as_str()), (Some(&*seen.iss), Some(&*seen.aud)), "{text}");
    assert_eq!((said["sub"].as_str(), said["email"].as_str()), (Some(&*seen.sub), seen.email.as_deref()));
    let now = NOW.seconds();
    assert!(said["exp"].as_i64().is_some_and(|end| now < end), "{text}");
    for begin in ["iat", "nbf"] {
        let at = said[begin].as_i64();
        assert!(at.map_or(begin == "nbf" && said[begin].is_null(), |at| at <= now + 300), "{text}");
    }
    // Its last second is the one before `exp`.
    let end = Timestamp::from_seconds(seen.exp);
    assert!(verifier.verify(&token, end).is_err() && verifier.verify(&token, NOW).is_ok());
}
