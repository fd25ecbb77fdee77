//! Who is let in, and by which header?

use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;
use http::{HeaderValue, Method, Request, StatusCode};
use proptest::prelude::*;

use super::{DELETED, DISABLED, INVOKER, NOW, RECREATED, Service, World, get, host, private, public};
use crate::{EXPLAIN_HEADER, Options};

const AUTHORIZATION: &str = "authorization";
const SERVERLESS: &str = "x-serverless-authorization";

async fn status(world: &World, headers: &[(&str, &str)]) -> u16 {
    let request = headers.iter().fold(get("/"), |request, (name, value)| request.header(*name, *value));
    world.send(request).await.status.as_u16()
}

#[tokio::test]
async fn audience_and_role() {
    let world = private().up();
    let hash = host();
    for (email, audience, expected) in [
        (INVOKER, "aud1", 200),
        (INVOKER, "aud1/", 401),
        (INVOKER, "https://wrong.example", 401),
        (INVOKER, &format!("https://{hash}"), 200),
        (INVOKER, &format!("https://{hash}/path"), 200),
        (INVOKER, &format!("https://{hash}/?query"), 401),
        ("stranger@example.com", "aud1", 403),
        ("stranger@example.com", "https://wrong.example", 401),
    ] {
        let token = world.bearer(email, audience).await;
        assert_eq!(status(&world, &[(AUTHORIZATION, &token)]).await, expected, "{email} {audience}");
    }
}

#[tokio::test]
async fn time_counts() {
    let world = private().up();
    for (issued, expected) in [(NOW.plus_seconds(-3599), 200), (NOW.plus_seconds(-3600), 401)] {
        let token = world.bearer_of(&IdClaims::new(&Account::new(INVOKER), "aud1", true, issued)).await;
        assert_eq!(status(&world, &[(AUTHORIZATION, &token)]).await, expected);
    }
}

#[tokio::test]
async fn malformed_credentials_of_every_kind() {
    let world = private().up();
    let good = world.bearer(INVOKER, "aud1").await;
    let two = format!("{good}, {good}");
    let altered = format!("{}x", &good[..good.len() - 1]);
    for (headers, expected) in [
        (&[][..], 403),
        (&[(AUTHORIZATION, &*good)], 200),
        (&[(SERVERLESS, &*good)], 200),
        (&[(AUTHORIZATION, &*good), (AUTHORIZATION, &*good)], 401),
        (&[(AUTHORIZATION, &*two)], 401),
        (&[(AUTHORIZATION, "Basic dXNlcjpwYXNz")], 401),
        (&[(AUTHORIZATION, "Digest x")], 401),
        (&[(AUTHORIZATION, "Bearer ya29.access-token")], 401),
        (&[(AUTHORIZATION, "Bearer")], 401),
        (&[(AUTHORIZATION, "")], 401),
        (&[(AUTHORIZATION, &*altered)], 401),
        (&[(SERVERLESS, &*good), (AUTHORIZATION, "garbage")], 200),
        (&[(SERVERLESS, "garbage"), (AUTHORIZATION, &*good)], 401),
    ] {
        assert_eq!(status(&world, headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_preflight_without_a_token_is_forbidden() {
    let preflight = || Request::options("/api").header("access-control-request-method", "POST");
    assert_eq!(private().up().send(preflight()).await.status, 403);
    assert_eq!(public().up().send(preflight()).await.status, 200);
}

#[tokio::test]
async fn a_public_service_looks_at_no_credential() {
    let mut disabled = private();
    disabled.invoker_iam_disabled = true;
    for world in [public().up(), disabled.up()] {
        for value in ["Basic dXNlcjpwYXNz", "Bearer a.b.c", "garbage"] {
            assert_eq!(status(&world, &[(AUTHORIZATION, value), (SERVERLESS, value)]).await, 200);
        }
        assert_eq!(world.send(get("/")).await.json()["caller"], serde_json::Value::Null);
    }
}

#[tokio::test]
async fn the_instance_is_told_the_caller() {
    let world = private().up();
    let account = Account::new(INVOKER);
    for include_email in [true, false] {
        let token = world.bearer_of(&IdClaims::new(&account, "aud1", include_email, NOW)).await;
        let caller = world.send(get("/").header(AUTHORIZATION, token)).await.json()["caller"].clone();
        let email = include_email.then_some(INVOKER);
        assert_eq!(caller, serde_json::json!({"email": email, "sub": account.unique_id, "audience": "aud1"}));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_of_a_header_make_it_panic(
        bytes in proptest::collection::vec(prop_oneof![Just(9_u8), 32..=126_u8, 128..=255_u8], 0..40),
        method in proptest::sample::select(&["GET", "HEAD", "OPTIONS", "TRACE"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for service in [private(), public()] {
            let world = service.up();
            let value = HeaderValue::from_bytes(&bytes).unwrap();
            let names = [AUTHORIZATION, SERVERLESS, "x-forwarded-for", "traceparent", "connection", "te", "host", "content-length"];
            let request = names.iter().fold(
                Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri("/"),
                |request, name| request.header(*name, value.clone()),
            );
            runtime.block_on(world.send(request));
        }
    }
}

/// Of an account that was disabled or deleted every token is refused, however good; one that was created
/// anew is let in, and the former one with its address is not.
#[tokio::test]
async fn a_token_is_as_good_as_the_account_it_was_made_for() {
    const MEMBERS: &[&str] = &[
        "serviceAccount:anew@demo.iam.gserviceaccount.com",
        "serviceAccount:off@demo.iam.gserviceaccount.com",
        "serviceAccount:gone@demo.iam.gserviceaccount.com",
    ];
    let options = Options { explain: true, ..Options::default() };
    let world = Service { options, members: MEMBERS, ..private() }.up();
    for (email, lives, with_email, expected, why) in [
        (RECREATED, 1, true, StatusCode::OK, None),
        (RECREATED, 1, false, StatusCode::OK, None),
        (RECREATED, 0, true, StatusCode::UNAUTHORIZED, Some("was deleted")),
        (RECREATED, 0, false, StatusCode::FORBIDDEN, None),
        (DISABLED, 0, true, StatusCode::UNAUTHORIZED, Some("is disabled")),
        (DISABLED, 0, false, StatusCode::UNAUTHORIZED, Some("is disabled")),
        (DELETED, 0, true, StatusCode::UNAUTHORIZED, Some("was deleted")),
        (DELETED, 0, false, StatusCode::UNAUTHORIZED, Some("was deleted")),
    ] {
        let claims = IdClaims::new(&Account::after(email, lives), "aud1", with_email, NOW);
        let bearer = world.bearer_of(&claims).await;
        let answer = world.send(get("/").header("authorization", bearer)).await;
        assert_eq!(answer.status, expected, "{email} {lives} {with_email}");
        if let Some(why) = why {
            let told = answer.headers[EXPLAIN_HEADER].to_str().unwrap();
            assert!(told.contains(&format!("the service account {email} {why}")), "{told}");
        }
    }
}
