//! Which access tokens pass?

use groundrun_model::Timestamp;
use groundrun_model::account::Account;

use super::{ID_TOKEN_KEY, NOW, SERVICE_ACCOUNT_KEY, caller, claims, keys};
use crate::{Keys, TokenError};

fn scopes() -> Vec<String> {
    vec!["https://www.googleapis.com/auth/cloud-platform".to_owned(), "email".to_owned()]
}

async fn token() -> String {
    keys().access_token(&caller(), &scopes(), NOW, 3600).await.unwrap()
}

#[tokio::test]
async fn a_token_comes_back_as_what_it_was_made_for() {
    let token = token().await;
    assert!(token.starts_with("ya29.") && !token.contains("caller"), "{token}");
    let claims = keys().verify_access_token(&token, NOW).unwrap();
    assert_eq!(claims.account(), &caller());
    assert_eq!(claims.scopes(), scopes());
    assert_eq!(claims.expires(), NOW.plus_seconds(3600));
}

/// The second account with an address is not the first, and a federated identity has no address.
#[tokio::test]
async fn an_account_whose_id_does_not_follow_from_its_address_comes_back_too() {
    let pool = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci";
    for account in [Account::after(&caller().email, 1), Account::federated(pool, "Repo:Main")] {
        let token = keys().access_token(&account, &scopes(), NOW, 3600).await.unwrap();
        assert_eq!(keys().verify_access_token(&token, NOW).unwrap().account(), &account);
    }
}

#[tokio::test]
async fn it_outlives_a_restart_and_ends_with_its_time() {
    let token = token().await;
    let restarted = Keys::from_pem(ID_TOKEN_KEY).unwrap();
    let end = NOW.plus_seconds(3600);
    restarted.verify_access_token(&token, Timestamp::from_micros(end.micros() - 1)).unwrap();
    assert_eq!(
        restarted.verify_access_token(&token, end.plus_seconds(5)).unwrap_err().to_string(),
        "the token ended at 2026-08-16T10:23:43Z, 5 s ago"
    );
}

#[tokio::test]
async fn an_id_token_is_no_access_token() {
    let id_token = keys().id_token(&claims()).await.unwrap();
    for token in [id_token.as_str(), "", "ya29", "owner"] {
        assert_eq!(
            keys().verify_access_token(token, NOW).unwrap_err().to_string(),
            "this is not an access token: an access token begins with ya29."
        );
    }
}

#[tokio::test]
async fn what_no_emulator_made_is_foreign() {
    let id_token = keys().id_token(&claims()).await.unwrap();
    let dressed = format!("ya29.{id_token}");
    for token in [&dressed, "ya29.", "ya29.AAAA", "ya29.a0AfH6SMB-real_one.of-google"] {
        assert_eq!(keys().verify_access_token(token, NOW), Err(TokenError::ForeignAccessToken), "{token}");
    }
}

#[tokio::test]
async fn what_another_emulator_made_is_told_from_what_none_did() {
    let other = Keys::from_pem(SERVICE_ACCOUNT_KEY).unwrap();
    let others = other.access_token(&caller(), &scopes(), NOW, 3600).await.unwrap();
    assert_eq!(keys().verify_access_token(&others, NOW), Err(TokenError::BrokenAccessToken));
}
