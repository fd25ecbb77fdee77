//! Does a rotation end no token before its time, and no token of a key that left live on?

use std::fs;
use std::path::Path;

use groundrun_model::Timestamp;
use groundrun_model::token::IdClaims;

use super::{ID_TOKEN_KEY, NOW, SERVICE_ACCOUNT_KEY, caller, claims, keys};
use crate::{KeyState, Keys, TokenError};

/// When the keys are rotated, and when the old one leaves.
const ROTATED: Timestamp = NOW.plus_seconds(60);
const LEAVES: Timestamp = ROTATED.plus_seconds(3600);

async fn listed(keys: &Keys, now: Timestamp) -> Vec<(String, KeyState, Option<Timestamp>)> {
    let published = keys.published(now).await.unwrap();
    published.into_iter().map(|key| (key.key.kid().to_owned(), key.state, key.until)).collect()
}

/// A token of the old key that nothing but its key ends.
async fn long_token(keys: &Keys) -> String {
    let claims = IdClaims { exp: NOW.seconds() + 100_000, ..claims() };
    keys.id_token(&claims).await.unwrap()
}

#[tokio::test]
async fn the_old_key_stays_until_its_last_token_has_ended() {
    let keys = keys();
    let verifier = keys.verifier();
    let old = keys.kid().await.unwrap();
    let (remembered, not_seen) = (long_token(&keys).await, keys.id_token(&claims()).await.unwrap());
    verifier.verify(&remembered, NOW).unwrap();

    let new = keys.rotate(ROTATED).await.unwrap();
    assert_ne!(new, old);
    assert_eq!(keys.kid().await.unwrap(), new);
    let both = [(new.clone(), KeyState::Current, None), (old.clone(), KeyState::Published, Some(LEAVES))];
    assert_eq!(listed(&keys, LEAVES.plus_seconds(-1)).await, both);
    assert_eq!(listed(&keys, LEAVES).await, both[..1]);

    let later = keys.id_token(&IdClaims::new(&caller(), "aud", false, ROTATED)).await.unwrap();
    for token in [&remembered, &not_seen, &later] {
        verifier.verify(token, ROTATED).unwrap();
    }
    verifier.verify(&remembered, LEAVES.plus_seconds(-1)).unwrap();
    let refused = verifier.verify(&remembered, LEAVES).unwrap_err();
    assert_eq!(refused, TokenError::RetiredKey { kid: old, at: LEAVES });
    // Nothing was lost for good: the clock decides.
    verifier.verify(&remembered, ROTATED).unwrap();
}

#[tokio::test]
async fn what_was_remembered_is_forgotten_with_a_rotation() {
    let keys = keys();
    let verifier = keys.verifier();
    verifier.verify(&long_token(&keys).await, NOW).unwrap();
    assert_eq!(verifier.ring.verified.len(), 1);
    keys.rotate(ROTATED).await.unwrap();
    assert_eq!(verifier.ring.verified.len(), 0);
}

#[tokio::test]
async fn access_tokens_live_until_they_end() {
    let keys = keys();
    let token = keys.access_token(&caller(), &[], NOW, 12 * 3600).await.unwrap();
    keys.rotate(NOW).await.unwrap();
    keys.rotate(NOW.plus_seconds(1)).await.unwrap();
    keys.verify_access_token(&token, NOW.plus_seconds(12 * 3600 - 1)).unwrap();
    keys.verify_access_token(&token, NOW.plus_seconds(12 * 3600)).unwrap_err();
    let new = keys.access_token(&caller(), &[], NOW, 60).await.unwrap();
    keys.verify_access_token(&new, NOW).unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join("keys")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn data_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("keys")).unwrap();
    fs::write(directory.path().join("keys/id-token.pem"), ID_TOKEN_KEY).unwrap();
    directory
}

#[tokio::test]
async fn a_rotation_outlives_the_process() {
    let directory = data_directory();
    let keys = Keys::open(Some(directory.path())).unwrap();
    let token = long_token(&keys).await;
    let access_token = keys.access_token(&caller(), &[], NOW, 3600).await.unwrap();
    keys.rotate(ROTATED).await.unwrap();
    let old_name = names(directory.path()).into_iter().next().unwrap();
    assert!(old_name.ends_with(&format!(".until-{}.pem", LEAVES.seconds())), "{old_name}");
    #[cfg(unix)]
    for name in names(directory.path()) {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(directory.path().join("keys").join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    let again = Keys::open(Some(directory.path())).unwrap();
    assert_eq!(listed(&again, ROTATED).await, listed(&keys, ROTATED).await);
    again.verifier().verify(&token, ROTATED).unwrap();
    again.verifier().verify(&token, LEAVES).unwrap_err();
    again.verify_access_token(&access_token, ROTATED).unwrap();

    // What has no use any more goes with a later rotation.
    again.rotate(ROTATED.plus_seconds(24 * 3600)).await.unwrap();
    assert!(!names(directory.path()).contains(&old_name), "{:?}", names(directory.path()));
    assert_eq!(names(directory.path()).len(), 2);
}

/// Killed after the old key has its new name and before the new key has the old one.
#[tokio::test]
async fn a_rotation_that_was_killed_did_not_happen() {
    let directory = data_directory();
    let kid = keys().kid().await.unwrap();
    let aside = directory.path().join(format!("keys/id-token.{kid}.until-{}.pem", LEAVES.seconds()));
    fs::write(&aside, ID_TOKEN_KEY).unwrap();
    fs::write(directory.path().join("keys/.id-token.x.tmp"), &SERVICE_ACCOUNT_KEY[..100]).unwrap();
    let keys = Keys::open(Some(directory.path())).unwrap();
    assert_eq!(listed(&keys, NOW).await, [(kid, KeyState::Current, None)]);
    assert_eq!(names(directory.path()), ["id-token.pem"]);
}

/// The directory disappears: even root cannot write then. The current key stays the current one.
#[tokio::test]
async fn a_rotation_that_cannot_be_kept_does_not_happen() {
    let directory = data_directory();
    let keys = Keys::open(Some(directory.path())).unwrap();
    let kid = keys.kid().await.unwrap();
    fs::remove_dir_all(directory.path().join("keys")).unwrap();
    let error = keys.rotate(NOW).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot write the signing key"), "{error}");
    assert_eq!(listed(&keys, NOW).await, [(kid, KeyState::Current, None)]);
}
