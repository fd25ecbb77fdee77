//! Who may mint tokens for an account, and what do they say?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{Answer, Jwt, World, at};
use http::Method;
use serde_json::json;

use super::accounts::{EMAIL, ask, bind, create, email, path, person, post, refreshed, strict};

/// Mints an ID token and tells the status.
pub(crate) async fn mints(world: &World, bearer: &str, account: &str, delegates: &[&str]) -> Answer {
    let delegates: Vec<String> =
        delegates.iter().map(|delegate| format!("projects/-/serviceAccounts/{delegate}")).collect();
    let body = json!({ "audience": "aud1", "delegates": delegates });
    world.post(format!("{}:generateIdToken", path(account)), &body).bearer(bearer).send().await
}

#[tokio::test]
async fn whoever_mints_needs_the_permission_and_each_delegate_that_to_delegate() {
    let world = strict().await;
    for id in ["delegate1", "delegate2", "target"] {
        create(&world, id).await;
    }
    let (first, second, target) = (email("delegate1"), email("delegate2"), email("target"));
    let ada = person(&world, "ada@example.test").await;
    let denied = mints(&world, &ada, &target, &[]).await.expect(403).json();
    assert_eq!(at(&denied, "/error/details/0/reason"), "IAM_PERMISSION_DENIED");
    assert_eq!(at(&denied, "/error/details/0/domain"), "iam.googleapis.com");
    assert_eq!(at(&denied, "/error/details/0/metadata/permission"), "iam.serviceAccounts.getOpenIdToken");
    // An owner does not hold it either.
    let _ = mints(&world, OWNER_TOKEN, &target, &[]).await.expect(403);
    bind(&world, &target, "roles/iam.serviceAccountOpenIdTokenCreator", "user:ada@example.test").await;
    let _ = mints(&world, &ada, &target, &[]).await.expect(200);
    let body = json!({ "scope": ["email"] });
    let access = format!("{}:generateAccessToken", path(&target));
    let _ = world.post(&access, &body).bearer(&ada).send().await.expect(403);

    // Through two delegates: each link is needed.
    let creator = "roles/iam.serviceAccountTokenCreator";
    bind(&world, &target, creator, &format!("serviceAccount:{second}")).await;
    let chain = [first.as_str(), second.as_str()];
    let _ = mints(&world, &ada, &target, &chain).await.expect(403);
    bind(&world, &first, creator, "user:ada@example.test").await;
    let _ = mints(&world, &ada, &target, &chain).await.expect(403);
    bind(&world, &second, creator, &format!("serviceAccount:{first}")).await;
    let minted = mints(&world, &ada, &target, &chain).await.expect(200).json();
    let account = ask(&world, Method::GET, &path(&target)).send().await.expect(200).json();
    assert_eq!(Jwt::read(minted["token"].as_str().unwrap()).claims["sub"], account["uniqueId"]);
    // As gcloud names them.
    let plain = json!({ "audience": "aud1", "delegates": chain });
    let mint = format!("{}:generateIdToken", path(&target));
    let _ = world.post(&mint, &plain).bearer(&ada).send().await.expect(200);

    for (chain, field) in [
        (vec![first.as_str(), first.as_str()], "delegates[1]"),
        (vec![target.as_str()], "delegates[0]"),
        (vec!["a/b"], "delegates[0]"),
        (vec![first.as_str(); 11], "delegates"),
    ] {
        let refused = mints(&world, &ada, &target, &chain).await.expect(400);
        assert_eq!(refused.violations()[0].0, field);
    }
    let _ = mints(&world, &ada, &target, &["nobody@demo-project.iam.gserviceaccount.com"]).await.expect(404);
}

#[tokio::test]
async fn the_number_of_the_organization_is_null() {
    let world = World::start().await;
    let body = json!({ "audience": "a", "includeEmail": true, "organizationNumberIncluded": true });
    let minted = post(&world, &format!("{}:generateIdToken", path(EMAIL)), &body).await.expect(200).json();
    let claims = Jwt::read(minted["token"].as_str().unwrap()).claims;
    assert_eq!(claims["google"], json!({ "organization_number": null }));
    assert_eq!(claims["email"], EMAIL);
}

#[tokio::test]
async fn a_person_who_signed_in_is_that_person() {
    let world = strict().await;
    let signed_in =
        post(&world, "/emulator/login", &json!({ "email": "Ada@example.test" })).await.expect(200);
    let refresh = signed_in.json()["refreshToken"].as_str().unwrap().to_owned();
    let answer = refreshed(&world, &refresh).await.expect(200).json();
    let claims = Jwt::read(answer["id_token"].as_str().unwrap()).claims;
    assert_eq!(
        (&claims["aud"], &claims["azp"], &claims["email"]),
        (&json!("gcloud"), &json!("gcloud"), &json!("ada@example.test"))
    );
    let access = answer["access_token"].as_str().unwrap();
    let info = world.get("/oauth2/v3/userinfo").bearer(access).send().await.expect(200).json();
    assert_eq!((&info["sub"], &info["email"]), (&claims["sub"], &json!("ada@example.test")));
    let info = world.get(format!("/tokeninfo?access_token={access}")).send().await.expect(200).json();
    assert_eq!((&info["email"], &info["expires_in"]), (&json!("ada@example.test"), &json!("3600")));
    let id_token = answer["id_token"].as_str().unwrap();
    let info = world.get(format!("/tokeninfo?id_token={id_token}")).send().await.expect(200).json();
    assert_eq!((&info["aud"], &info["alg"]), (&json!("gcloud"), &json!("RS256")));

    // What is no refresh token refreshes nothing, and one is no access token.
    let undressed = format!("1//0{}", &access["ya29.".len()..]);
    for token in ["unknown", access, &undressed, "1//0AAAA", &format!("{}x", &refresh[..refresh.len() - 1])] {
        assert_eq!(refreshed(&world, token).await.expect(400).json()["error"], "invalid_grant", "{token}");
    }
    let dressed = format!("ya29.{}", &refresh["1//0".len()..]);
    for token in [&dressed, "unknown"] {
        let _ = world.get("/oauth2/v3/userinfo").bearer(token).send().await.expect(401);
        let told = world.get(format!("/tokeninfo?access_token={token}")).send().await.expect(400).json();
        assert_eq!(told["error"], "invalid_token");
    }
    let _ = world
        .post("/emulator/login", &json!({ "email": "eve@example.test" }))
        .bearer(access)
        .send()
        .await
        .expect(403);
    for email in ["", "ada", "a/b@example.test", "a@b@c", EMAIL] {
        let refused = post(&world, "/emulator/login", &json!({ "email": email })).await.expect(400);
        assert_eq!(refused.violations()[0].0, "email");
    }
    let code = [("grant_type", "authorization_code"), ("code", "4/x")];
    let refused = world.ask(Method::POST, "/token").form(&code).send().await.expect(400).json();
    assert!(refused["error_description"].as_str().unwrap().contains("groundrun login"), "{refused}");
}
