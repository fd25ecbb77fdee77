//! What is a token of another identity provider worth?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{Answer, World, unsigned_jwt};
use http::Method;
use serde_json::json;

use super::accounts::{EMAIL, bind, create, enforcing, strict};
use super::minting::mints;

/// The pool of the federated identities here.
const POOL: &str = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci";

fn exchange(subject_token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange".to_owned()),
        ("audience", format!("//{POOL}/providers/github")),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token".to_owned()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt".to_owned()),
        ("scope", "https://www.googleapis.com/auth/cloud-platform".to_owned()),
        ("subject_token", subject_token.to_owned()),
    ]
}

async fn exchanged(world: &World, fields: &[(&str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.ask(Method::POST, "/v1/token").host("sts.googleapis.com").form(&fields).send().await
}

#[tokio::test]
async fn a_federated_identity_mints_for_the_accounts_that_it_is_bound_to() {
    let world = enforcing().await;
    let claims = json!({ "sub": "repo:acme/App", "iss": "https://token.actions.example", "exp": world.clock().seconds() + 60 });
    let subject = unsigned_jwt(&json!({ "alg": "RS256" }), &claims);
    let answer = exchanged(&world, &exchange(&subject)).await.expect(200).json();
    assert_eq!(answer["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let token = answer["access_token"].as_str().unwrap();
    let role = "roles/iam.workloadIdentityUser";
    for (member, status) in [
        (format!("principal://{POOL}/subject/repo:acme/App"), 200),
        (format!("principalSet://{POOL}/*"), 200),
        (format!("principal://{POOL}/subject/repo:acme/app"), 403),
        (format!("principalSet://{}/*", &POOL[..POOL.len() - 1]), 403),
        ("allAuthenticatedUsers".to_owned(), 403),
    ] {
        bind(&world, EMAIL, role, &member).await;
        let _ = mints(&world, token, EMAIL, &[]).await.expect(status);
    }
    for (name, value, error) in [
        ("audience", "https://api.example.com".to_owned(), "invalid_request"),
        ("grant_type", "password".to_owned(), "unsupported_grant_type"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2".to_owned(), "invalid_request"),
        ("requested_token_type", "x".to_owned(), "invalid_request"),
        ("subject_token", "no.jwt".to_owned(), "invalid_grant"),
        ("subject_token", unsigned_jwt(&json!({}), &json!({ "sub": "a", "exp": 1 })), "invalid_grant"),
        ("subject_token", unsigned_jwt(&json!({}), &json!({ "iss": "a" })), "invalid_grant"),
    ] {
        let mut fields = exchange(&subject);
        fields.iter_mut().find(|field| field.0 == name).unwrap().1 = value;
        assert_eq!(exchanged(&world, &fields).await.expect(400).json()["error"], error, "{name}");
    }
}

#[tokio::test]
async fn with_strict_identities_a_subject_token_must_be_signed_here() {
    let world = strict().await;
    let subject = unsigned_jwt(&json!({ "alg": "RS256" }), &json!({ "sub": "me" }));
    assert_eq!(exchanged(&world, &exchange(&subject)).await.expect(400).json()["error"], "invalid_grant");
    create(&world, "caller").await;
    bind(&world, EMAIL, "roles/iam.serviceAccountTokenCreator", "user:local-owner@example.com").await;
    let signed = mints(&world, OWNER_TOKEN, EMAIL, &[]).await.expect(200).json();
    let _ = exchanged(&world, &exchange(signed["token"].as_str().unwrap())).await.expect(200);
}
