//! Do the keys outlive the process, and does a bad file say so?

use std::fs;
use std::path::{Path, PathBuf};

use super::{ID_TOKEN_KEY, NOW, SERVICE_ACCOUNT_KEY, caller, claims};
use crate::signing_key::SigningKey;
use crate::{KeyError, Keys, file};

/// A data directory in which these keys are kept already.
fn directory(keys: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("keys")).unwrap();
    for (name, pem) in keys {
        fs::write(path(&directory, name), pem).unwrap();
    }
    directory
}

fn path(directory: &tempfile::TempDir, name: &str) -> PathBuf {
    directory.path().join("keys").join(name)
}

fn names(directory: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path().join("keys")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The one story in which keys are really made: both, kept, read again.
#[tokio::test]
async fn keys_are_made_once_kept_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data"); // not there yet
    let keys = Keys::open(Some(&data)).unwrap();
    let (token, access_token) = {
        let scopes = ["email".to_owned()];
        let access_token = keys.access_token(&caller(), &scopes, NOW, 60).await.unwrap();
        (keys.id_token(&claims()).await.unwrap(), access_token)
    };
    let own = data.join(format!("keys/account-{}.pem", caller().unique_id));
    assert!(!own.exists(), "made before it is needed");
    let (kid, _) = keys.sign_jwt(&caller(), "{}").await.unwrap();
    #[cfg(unix)]
    {
        assert_eq!(mode(&data.join("keys")), 0o700);
        assert_eq!(mode(&data.join("keys/id-token.pem")), 0o600);
        assert_eq!(mode(&own), 0o600);
    }
    assert!(
        fs::read_to_string(data.join("keys/id-token.pem")).unwrap().starts_with("-----BEGIN PRIVATE KEY")
    );

    let again = Keys::open(Some(&data)).unwrap();
    assert_eq!(again.verifier().verify(&token, NOW).unwrap().claims(), &claims());
    assert_eq!(again.verify_access_token(&access_token, NOW).unwrap().account(), &caller());
    assert_eq!(again.kid().await.unwrap(), keys.kid().await.unwrap());
    assert_eq!(again.sign_jwt(&caller(), "{}").await.unwrap().0, kid);
    let certificate = |keys: &Keys| {
        let keys = keys.clone();
        async move { keys.published(NOW).await.unwrap()[0].key.certificate().to_owned() }
    };
    assert_eq!(certificate(&again).await, certificate(&keys).await);
    assert_eq!(fs::read_dir(data.join("keys")).unwrap().count(), 2, "no unfinished file is left");
}

#[tokio::test]
async fn whoever_opens_and_waits_gets_the_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let openers: Vec<Keys> = (0..3).map(|_| Keys::open(Some(directory.path())).unwrap()).collect();
    let mut waiters = tokio::task::JoinSet::new();
    for keys in openers.iter().cycle().take(12) {
        let keys = keys.clone();
        waiters.spawn(async move { keys.kid().await.unwrap() });
    }
    let kids = waiters.join_all().await;
    assert_eq!(kids.len(), 12);
    assert!(kids.iter().all(|kid| kid == &kids[0]), "{kids:?}");
    assert_eq!(names(&directory), ["id-token.pem"]);
}

#[tokio::test]
async fn in_memory_each_emulator_has_its_own_key_and_writes_nothing() {
    let (one, other) = (Keys::open(None).unwrap(), Keys::open(None).unwrap());
    let (one, other) = tokio::join!(one.kid(), other.kid());
    assert_ne!(one.unwrap(), other.unwrap());
}

#[test]
fn a_damaged_key_is_named_and_left_alone() {
    let half = &ID_TOKEN_KEY[..ID_TOKEN_KEY.len() / 2];
    let garbled = ID_TOKEN_KEY.replacen("A", "B", 40);
    let certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for name in ["id-token.pem", "id-token.0.until-9.pem"] {
        for contents in ["", "\n", half, &garbled, certificate, "-----BEGIN PRIVATE KEY-----"] {
            let directory = directory(&[(name, contents)]);
            let error = Keys::open(Some(directory.path())).unwrap_err();
            assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(&*path(&directory, name).to_string_lossy()), "{text}");
            assert!(text.contains("is damaged (it does not hold a whole RSA private key)"), "{text}");
            assert_eq!(fs::read_to_string(path(&directory, name)).unwrap(), contents);
        }
    }
}

#[test]
fn a_key_that_is_not_even_text_is_damaged() {
    let directory = directory(&[]);
    fs::write(path(&directory, "id-token.pem"), [0xff, 0x00, 0xfe]).unwrap();
    let error = Keys::open(Some(directory.path())).unwrap_err();
    assert!(error.to_string().contains("id-token.pem is damaged (it is not text)"), "{error}");
}

/// The key of an account is read when it is needed; it is not replaced either.
#[tokio::test]
async fn a_damaged_key_of_an_account_is_named_and_left_alone() {
    let name = format!("account-{}.pem", caller().unique_id);
    let directory = directory(&[("id-token.pem", ID_TOKEN_KEY), (&name, "half")]);
    let error = Keys::open(Some(directory.path())).unwrap().sign_blob(&caller(), b"").await.unwrap_err();
    assert!(matches!(error, KeyError::Damaged { .. }) && error.to_string().contains(&name), "{error}");
    assert_eq!(fs::read_to_string(path(&directory, &name)).unwrap(), "half");
}

#[test]
fn a_key_that_cannot_be_read_is_named() {
    let directory = directory(&[]);
    fs::create_dir(path(&directory, "id-token.pem")).unwrap();
    let error = Keys::open(Some(directory.path())).unwrap_err();
    assert!(matches!(error, KeyError::Read { .. }), "{error}");
    assert!(error.to_string().contains("id-token.pem"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let error = Keys::open(Some(&directory.path().join("file"))).unwrap_err();
    assert!(error.to_string().contains("file/keys"), "{error}");
}

/// The directory disappears while the key is being made: even root cannot write then.
#[tokio::test]
async fn every_waiter_learns_that_the_key_could_not_be_written() {
    let directory = directory(&[("id-token.pem", ID_TOKEN_KEY)]);
    let keys = Keys::open(Some(directory.path())).unwrap();
    fs::remove_dir_all(directory.path().join("keys")).unwrap();
    for _ in 0..2 {
        let error = keys.sign_blob(&caller(), b"").await.unwrap_err();
        assert!(matches!(error, KeyError::Write { .. }), "{error}");
        assert!(error.to_string().contains("/account-"), "{error}");
    }
    keys.id_token(&claims()).await.unwrap();
}

#[test]
fn a_key_that_was_kept_is_never_replaced() {
    let directory = directory(&[("id-token.pem", ID_TOKEN_KEY)]);
    let path = path(&directory, "id-token.pem");
    let late = SigningKey::from_pem(SERVICE_ACCOUNT_KEY).unwrap();
    let kept = file::keep(&path, late).unwrap();
    assert_eq!(kept.kid(), SigningKey::from_pem(ID_TOKEN_KEY).unwrap().kid());
    assert_eq!(fs::read_to_string(&path).unwrap(), ID_TOKEN_KEY);
}

#[test]
fn what_a_killed_process_left_half_written_is_no_key_and_goes() {
    let half = &ID_TOKEN_KEY[..100];
    let directory = directory(&[
        ("id-token.pem", ID_TOKEN_KEY),
        (".id-token.x1.tmp", half),
        (".service-account.x2.tmp", half),
        ("notes.txt", ""),
    ]);
    Keys::open(Some(directory.path())).unwrap();
    assert_eq!(names(&directory), [".service-account.x2.tmp", "id-token.pem", "notes.txt"]);
}

#[cfg(unix)]
#[test]
fn what_others_could_read_they_can_read_no_more() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = directory(&[("id-token.pem", ID_TOKEN_KEY)]);
    fs::set_permissions(path(&directory, "id-token.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    Keys::open(Some(directory.path())).unwrap();
    assert_eq!(mode(&path(&directory, "id-token.pem")), 0o600);
    assert_eq!(mode(&directory.path().join("keys")), 0o700);
}

#[test]
fn a_key_that_was_handed_over_must_be_one() {
    for pem in ["", "key", &ID_TOKEN_KEY[..500]] {
        let error = Keys::from_pem(pem).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this is no RSA private key in PEM form: it does not hold a whole RSA private key"
        );
    }
}
