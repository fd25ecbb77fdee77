//! Is what is remembered of tokens never more than what a verification would say, and never too much?

use std::fs;

use groundrun_model::token::IdClaims;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{ID_TOKEN_KEY, NOW, claims, keys};
use crate::Keys;

/// A token is shown so many seconds after the beginning, perhaps after a change of one character.
type Step = (usize, i64, Option<Index>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Around the moments at which tokens begin and end, and a key leaves.
    let edges = vec![-301_i64, -300, 0, 1, 59, 60, 61, 3599, 3600, 3659, 3660, 7199, 7200];
    let moment = prop_oneof![prop::sample::select(edges), -400..8000_i64];
    let change = prop::option::weighted(0.2, any::<Index>());
    prop::collection::vec((0..6_usize, moment, change), 1..40)
}

/// The token with one character changed, of its signature: a long prefix is the same.
fn altered(token: &str, index: Index) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = signature.as_bytes().to_vec();
    let at = index.index(bytes.len());
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    format!("{signed}.{}", String::from_utf8(bytes).unwrap())
}

/// Whatever was shown before and in whatever order, the verdict is that of who remembers nothing: at the
/// second of the end, before the beginning, and when the key has left.
#[test]
fn a_memory_changes_no_verdict() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("keys")).unwrap();
    fs::write(directory.path().join("keys/id-token.pem"), ID_TOKEN_KEY).unwrap();
    let keys = Keys::open(Some(directory.path())).unwrap();
    let mut known = Vec::new();
    for (nth, end) in [1, 60, 100_000, 60, 3600, 100_000].into_iter().enumerate() {
        if nth == 3 {
            runtime.block_on(keys.rotate(NOW.plus_seconds(60))).unwrap();
        }
        let claims = IdClaims { exp: NOW.seconds() + end, ..claims() };
        known.push(runtime.block_on(keys.id_token(&claims)).unwrap());
    }
    // The same keys, in a ring of its own.
    let other = Keys::open(Some(directory.path())).unwrap();
    let (remembers, forgets) = (keys.verifier(), other.verifier());
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps())| {
        remembers.ring.verified.forget();
        for (nth, at, change) in steps {
            let token = change.map_or_else(|| known[nth].clone(), |index| altered(&known[nth], index));
            let now = NOW.plus_seconds(at);
            let verdict = remembers.verify(&token, now);
            forgets.ring.verified.forget();
            prop_assert_eq!(&verdict, &forgets.verify(&token, now), "token {} at {}", nth, at);
            prop_assert!(change.is_none() || verdict.is_err(), "a changed token passes");
        }
        prop_assert!(remembers.ring.verified.len() <= 6);
    });
}

/// Nobody without a key gets anything in, and so nothing out.
#[tokio::test]
async fn what_is_wrong_pushes_nothing_out() {
    let keys = keys();
    let verifier = keys.verifier();
    let good = keys.id_token(&claims()).await.unwrap();
    let first = verifier.verify(&good, NOW).unwrap();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for nth in 0..20_000_u32 {
        let bad = match nth % 4 {
            0 => format!("{signed}.{nth:08}{}", &signature[8..]),
            1 => format!("{nth}{good}"),
            2 => format!("{good}{nth}"),
            _ => format!("ya29.{nth}.{signature}"),
        };
        verifier.verify(&bad, NOW).unwrap_err();
    }
    assert_eq!(verifier.ring.verified.len(), 1);
    let again = verifier.verify(&good, NOW).unwrap();
    assert!(std::ptr::eq(first.claims(), again.claims()), "it was verified anew");
}
