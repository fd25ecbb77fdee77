//! Which keys of the user's are trusted, and with what they can never do?

use groundrun_model::account::Account;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

use super::{ID_TOKEN_KEY, NOW, SERVICE_ACCOUNT_KEY, claims, keys};
use crate::signing_key::SigningKey;
use crate::{KeyState, Keys, TokenError, document, jwt, pem};

const KID: &str = "made-elsewhere/1";

/// The key of the service accounts of the other tests: here it is the user's.
fn user_key() -> SigningKey {
    SigningKey::from_pem(SERVICE_ACCOUNT_KEY).unwrap()
}

/// A token that the user's key signed and that names it by `kid`.
fn token(kid: &str) -> String {
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    jsonwebtoken::encode(&header, &claims(), user_key().encoding()).unwrap()
}

fn public_key() -> String {
    document::publish(&user_key(), "x").unwrap().public_key_pem()
}

fn certificate() -> String {
    document::publish(&user_key(), "x").unwrap().certificate().to_owned()
}

#[tokio::test]
async fn each_form_of_the_key_is_taken() {
    let pkcs1 = pem::write("RSA PUBLIC KEY", user_key().public().der());
    let with_words = format!("Bag Attributes\n{}", certificate().replace('\n', "\r\n"));
    for pem in [public_key(), pkcs1, certificate(), with_words, SERVICE_ACCOUNT_KEY.to_owned()] {
        let keys = Keys::from_pem(ID_TOKEN_KEY).unwrap();
        let refused = keys.verifier().verify(&token(KID), NOW).unwrap_err();
        assert_eq!(refused, TokenError::UnknownKey { kid: KID.to_owned() });
        keys.import(&pem, KID).await.unwrap();
        keys.verifier().verify(&token(KID), NOW).unwrap();
        // Its own id is not the one under which it is trusted.
        keys.verifier().verify(&token(user_key().kid()), NOW).unwrap_err();
        let published = keys.published(NOW).await.unwrap();
        let [current, imported] = published.as_slice() else { panic!("{published:?}") };
        assert_eq!((current.state, imported.state), (KeyState::Current, KeyState::Imported));
        assert_eq!(imported.key.kid(), KID);
        assert_eq!(imported.key.jwk()["n"], user_key().public().jwk(KID)["n"]);
        assert_eq!(imported.key.public_key_pem(), public_key());
        assert_ne!(keys.kid().await.unwrap(), KID, "it must not sign");
    }
}

#[tokio::test]
async fn a_certificate_is_published_as_it_was_given() {
    let keys = keys();
    keys.import(&certificate(), KID).await.unwrap();
    assert_eq!(keys.published(NOW).await.unwrap()[1].key.certificate(), certificate());
}

#[tokio::test]
async fn a_key_id_means_one_key() {
    let keys = Keys::from_pem(ID_TOKEN_KEY).unwrap();
    keys.import(&public_key(), KID).await.unwrap();
    keys.import(&certificate(), KID).await.unwrap();
    assert_eq!(keys.published(NOW).await.unwrap().len(), 2, "the same key once more is not another one");
    let error = keys.import(ID_TOKEN_KEY, KID).await.unwrap_err();
    assert!(error.to_string().starts_with("another key was imported under the key id"), "{error}");
    let own = keys.kid().await.unwrap();
    keys.rotate(NOW).await.unwrap();
    let (account, _) = keys.sign_blob(&Account::new("a@demo.iam.gserviceaccount.com"), b"").await.unwrap();
    for kid in [&own, &keys.kid().await.unwrap(), &account] {
        let error = keys.import(&public_key(), kid).await.unwrap_err();
        assert!(error.to_string().contains("is that of a key of this emulator"), "{error}");
    }
    for kid in ["", "with space", "ü", &"x".repeat(129)] {
        keys.import(&public_key(), kid).await.unwrap_err();
    }
}

#[tokio::test]
async fn only_rsa_keys_of_a_safe_length_are_taken() {
    let elliptic = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let half = &public_key()[..200];
    let unknown = pem::write("SOMETHING", user_key().public().der());
    let no_certificate = pem::write("CERTIFICATE", user_key().public().der());
    for pem in [
        elliptic.public_key_pem().as_str(),
        &elliptic.serialize_pem(),
        SHORT,
        half,
        &unknown,
        &no_certificate,
        "",
    ] {
        let error = keys().import(pem, KID).await.unwrap_err();
        assert!(error.to_string().contains("2048 to 8192 bits"), "{error}");
    }
}

#[tokio::test]
async fn an_imported_key_outlives_the_process_without_its_private_half() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Keys::open(Some(directory.path())).unwrap();
    open().import(SERVICE_ACCOUNT_KEY, KID).await.unwrap();
    let again = open();
    again.kid().await.unwrap();
    again.verifier().verify(&token(KID), NOW).unwrap();
    for entry in std::fs::read_dir(directory.path().join("keys")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let is_own = path.file_name().unwrap() == "id-token.pem";
        assert_eq!(text.contains("PRIVATE"), is_own, "{}", path.display());
    }
}

/// A JWT of an account stays one, even if the user trusts another key.
#[tokio::test]
async fn a_foreign_signature_under_the_id_of_an_imported_key_is_refused() {
    let keys = Keys::from_pem(ID_TOKEN_KEY).unwrap();
    keys.import(&public_key(), KID).await.unwrap();
    let (head, _) =
        token(KID).rsplit_once('.').map(|(head, tail)| (head.to_owned(), tail.to_owned())).unwrap();
    let other = jwt::sign(&super::id_token_key(), b"{}").unwrap();
    let forged = format!("{head}.{}", other.rsplit_once('.').unwrap().1);
    assert_eq!(keys.verifier().verify(&forged, NOW).unwrap_err(), TokenError::Signature);
}

/// An RSA key of 1024 bits, public half (`openssl genrsa 1024 | openssl rsa -pubout`).
const SHORT: &str = "-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCpBcpYRSVz/2xXMAxyZwW6V0eU\n\
01QJ7Mbm8Zvqxvz3M2ZA8jhjPFpfudYI/l0URvF9feWSUC3nHvQqwPwSNvNFeRNz\n\
KEAPfig2giLuUD0jA9E//NPZJIoKo22MyVVveVcK36ge6xM4YgLHMGpjxsGMT1vM\n\
7CgsoIQ18CShQ2s6MwIDAQAB\n\
-----END PUBLIC KEY-----";
