//! Which tokens are minted, what do they say, and which does a service take?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{
    Answer, Ask, Jwt, PROJECT, World, at, base64, certificate_holds, check_signature, foreign_jwt,
    from_base64, unsigned_jwt,
};
use insta::assert_snapshot;
use serde_json::{Value, json};

const EMAIL: &str = "caller@demo-project.iam.gserviceaccount.com";

fn account_path(verb: &str) -> String {
    format!("/v1/projects/-/serviceAccounts/{EMAIL}:{verb}")
}

/// A private service that the invoker may call, and its URL.
async fn private(world: &World) -> String {
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    at(&service, "/status/url").as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_id_token_claims_what_googles_do() {
    let world = World::start().await;
    let plain = Jwt::read(&world.invoker().token("aud1").await);
    let keys: Vec<&str> = plain.claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["aud", "azp", "exp", "iat", "iss", "sub"]);
    assert_eq!(plain.claims["aud"], "aud1");
    assert_eq!(plain.claims["iss"], "https://accounts.google.com");
    assert_eq!(plain.claims["iat"], world.clock().seconds());
    assert_eq!(plain.claims["exp"], world.clock().seconds() + 3600);
    assert_eq!(plain.claims["azp"], plain.claims["sub"]);
    let account = world.get(format!("/v1/projects/-/serviceAccounts/{EMAIL}")).send().await.expect(200);
    assert_eq!(plain.claims["sub"], account.json()["uniqueId"]);
    assert_eq!(plain.header["alg"], "RS256");
    assert_eq!(plain.header["typ"], "JWT");

    let named = Jwt::read(&world.invoker().with_email().token("aud1").await);
    assert_eq!((&named.claims["email"], &named.claims["email_verified"]), (&json!(EMAIL), &json!(true)));
    assert_eq!(named.claims["sub"], plain.claims["sub"]);
}

#[tokio::test]
async fn an_access_token_ends_at_a_moment_without_a_fraction() {
    let world = World::start().await;
    let ask = |body: Value| world.post(account_path("generateAccessToken"), &body).send();
    let scope = json!(["https://www.googleapis.com/auth/cloud-platform"]);
    let minted =
        ask(json!({ "delegates": null, "scope": scope, "lifetime": "3600s" })).await.expect(200).json();
    assert!(minted["accessToken"].as_str().unwrap().starts_with("ya29."));
    assert_eq!(minted["expireTime"], "2026-11-24T07:00:00Z");
    let minted = ask(json!({ "scope": scope, "lifetime": "60s" })).await.expect(200).json();
    assert_eq!(minted["expireTime"], "2026-11-24T06:01:00Z");
    for (body, field) in [
        (json!({ "scope": [] }), "scope"),
        (json!({ "scope": scope, "lifetime": "3601s" }), "lifetime"),
        (json!({ "scope": scope, "lifetime": "1h" }), "lifetime"),
        (json!({ "scope": scope, "lifetime": 3600 }), "lifetime"),
        (json!({ "scope": scope, "sope": [] }), ""),
    ] {
        assert_eq!(ask(body).await.expect(400).violations()[0].0, field);
    }
}

/// Whoever shows an access token of groundrun's to the API is the account that it was minted for.
#[tokio::test]
async fn an_access_token_speaks_for_its_account() {
    let world = World::start().await;
    let token = world.owner().access_token(EMAIL).await;
    let path = "/apis/serving.knative.dev/v1/namespaces/demo-project/services";
    let create =
        |token: &str| world.post(path, &groundrun_tests::Owner::service("hello")).bearer(token).send();
    // The seal comes first: with another one the token is no longer what this emulator made.
    let (head, seal) = token.split_at("ya29.".len());
    let other = if seal.starts_with('A') { "B" } else { "A" };
    let refused = create(&format!("{head}{other}{}", &seal[1..])).await.expect(401);
    assert_eq!(refused.code(), "UNAUTHENTICATED");
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer "));
    let created = create(&token).await.expect(200).json();
    assert_eq!(at(&created, "/metadata/annotations/serving.knative.dev~1creator"), EMAIL);
    world.clock().pass(3600);
    let _ = world.get(path).bearer(&token).send().await.expect(401);
    for other in ["any other token is the developer's", "ya29.a0AfH6SMB-a_real_one_of-googles"] {
        let _ = world.get(path).bearer(other).send().await.expect(200);
    }
}

#[tokio::test]
async fn public_keys_check_the_signature() {
    let world = World::start().await;
    let token = world.invoker().token("aud1").await;
    let jwks = world.get("/oauth2/v3/certs").host("www.googleapis.com").send().await.expect(200).json();
    check_signature(&token, &jwks).unwrap();
    let jwt = Jwt::read(&token);
    let other = jwt.with_claims(&json!({ "aud": "aud2" }));
    assert!(check_signature(&other, &jwks).is_err());

    let certificates = world.get("/oauth2/v1/certs").send().await.expect(200).json();
    let kid = jwt.header["kid"].as_str().unwrap();
    let pem = certificates[kid].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(certificate_holds(pem, &jwks["keys"][0]));

    let discovery = world
        .get("/.well-known/openid-configuration")
        .host("accounts.google.com")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(discovery["issuer"], "https://accounts.google.com");
    let listed = discovery["jwks_uri"].as_str().unwrap();
    let path = listed.strip_prefix(&format!("http://{}", world.address())).unwrap();
    assert_eq!(world.get(path).send().await.expect(200).json(), jwks);
}

#[tokio::test]
async fn accounts_sign_with_a_key_of_their_own() {
    let world = World::start().await;
    let claims = json!({ "iss": EMAIL, "sub": EMAIL, "aud": "aud1", "exp": world.clock().seconds() + 60 });
    let signed = world
        .post(account_path("signJwt"), &json!({ "payload": claims.to_string() }))
        .send()
        .await
        .expect(200)
        .json();
    let token = signed["signedJwt"].as_str().unwrap();
    let jwks = world.get(format!("/service_accounts/v1/jwk/{EMAIL}")).send().await.expect(200).json();
    check_signature(token, &jwks).unwrap();
    assert_eq!(Jwt::read(token).claims, claims);
    assert_eq!(Jwt::read(token).header["kid"], signed["keyId"]);
    let googles = world.get("/oauth2/v3/certs").send().await.json();
    assert_ne!(googles["keys"][0]["kid"], signed["keyId"]);
    let x509 =
        world.get(format!("/service_accounts/v1/metadata/x509/{EMAIL}")).send().await.expect(200).json();
    assert!(certificate_holds(x509[signed["keyId"].as_str().unwrap()].as_str().unwrap(), &jwks["keys"][0]));

    // A blob that is the beginning of a JWT, signed, is a JWT.
    let (head, signature) = token.rsplit_once('.').unwrap();
    let blob = world
        .post(account_path("signBlob"), &json!({ "payload": base64(head) }))
        .send()
        .await
        .expect(200)
        .json();
    let again = groundrun_tests::url_safe_base64(from_base64(blob["signedBlob"].as_str().unwrap()));
    assert_eq!(again.trim_end_matches('='), signature);

    let sign = |payload: Value| world.post(account_path("signJwt"), &json!({ "payload": payload })).send();
    let far = json!({ "exp": world.clock().seconds() + 13 * 3600 }).to_string();
    for payload in [json!("[]"), json!("no JSON"), json!(far), json!(claims)] {
        assert_eq!(sign(payload).await.expect(400).violations()[0].0, "payload");
    }
    let refused = world.post(account_path("signBlob"), &json!({ "payload": "%" })).send().await.expect(400);
    assert_eq!(refused.violations()[0].0, "payload");
}

/// What a private service answers to each of these credentials.
#[tokio::test]
async fn a_private_service_takes_good_id_tokens_only() {
    let world = World::start().await;
    let url = private(&world).await;
    let good = world.invoker().token(&url).await;
    let jwt = Jwt::read(&good);
    let claims = json!({
        "iss": "https://accounts.google.com", "aud": url, "sub": jwt.claims["sub"], "azp": jwt.claims["sub"],
        "iat": world.clock().seconds(), "exp": world.clock().seconds() + 3600,
    });
    let signed = world
        .post(account_path("signJwt"), &json!({ "payload": claims.to_string() }))
        .send()
        .await
        .expect(200)
        .json();
    let later = groundrun_tests::patched(&claims, "/exp", json!(world.clock().seconds() + 7200));
    let flipped = {
        let (head, signature) = good.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{head}.{first}{}", &signature[1..])
    };
    let unsigned = unsigned_jwt(&json!({ "alg": "none", "typ": "JWT" }), &claims);
    let symmetric = jwt.with_header(&json!({ "alg": "HS256", "typ": "JWT", "kid": jwt.header["kid"] }));
    let unknown_key = jwt.with_header(&json!({ "alg": "RS256", "typ": "JWT", "kid": "0".repeat(40) }));
    let access = world.owner().access_token(EMAIL).await;
    let bearer = |token: &str| format!("Bearer {token}");
    let cases: Vec<(&str, Vec<String>)> = vec![
        ("a good token", vec![bearer(&good)]),
        ("the scheme in lower case", vec![format!("bearer {good}")]),
        ("no header", vec![]),
        ("an empty header", vec![String::new()]),
        ("the scheme alone", vec!["Bearer".to_owned()]),
        ("no token", vec!["Bearer ".to_owned()]),
        ("the token alone", vec![good.clone()]),
        ("another scheme", vec![format!("Basic {good}")]),
        ("two headers", vec![bearer(&good), bearer(&good)]),
        ("two tokens", vec![format!("Bearer {good} {good}")]),
        ("two tokens and a comma", vec![format!("Bearer {good},{good}")]),
        ("an access token", vec![bearer(&access)]),
        ("a JWT signed by the account", vec![bearer(signed["signedJwt"].as_str().unwrap())]),
        ("alg none", vec![bearer(&unsigned)]),
        ("alg none and no signature", vec![bearer(&Jwt::read(&unsigned).unsigned())]),
        ("no signature", vec![bearer(&jwt.unsigned())]),
        ("another algorithm", vec![bearer(&symmetric)]),
        ("an unknown key", vec![bearer(&unknown_key)]),
        ("a bit flipped", vec![bearer(&flipped)]),
        ("other claims", vec![bearer(&jwt.with_claims(&later))]),
        ("no JWT", vec!["Bearer a.b.c".to_owned()]),
        ("dots", vec!["Bearer ..".to_owned()]),
        ("for another service", vec![bearer(&world.invoker().token("https://other.example.test").await)]),
        ("of a stranger", vec![bearer(&world.stranger().token(&url).await)]),
    ];
    let mut told = String::new();
    for (what, headers) in cases {
        let ask =
            headers.iter().fold(world.anonymous().at(&url), |ask, value| ask.header("authorization", value));
        let answer = ask.send().await;
        told.push_str(&format!("{} {what}\n", answer.status.as_u16()));
        check_page(&answer);
    }
    assert_snapshot!(told.trim_end(), @r"
    200 a good token
    200 the scheme in lower case
    403 no header
    401 an empty header
    401 the scheme alone
    401 no token
    401 the token alone
    401 another scheme
    401 two headers
    401 two tokens
    401 two tokens and a comma
    401 an access token
    401 a JWT signed by the account
    401 alg none
    401 alg none and no signature
    401 no signature
    401 another algorithm
    401 an unknown key
    401 a bit flipped
    401 other claims
    401 no JWT
    401 dots
    401 for another service
    403 of a stranger
    ");

    world.clock().pass(3500);
    let _ = world.anonymous().at(&url).bearer(&good).send().await.expect(200);
    world.clock().pass(100);
    let expired = world.anonymous().at(&url).bearer(&good).send().await.expect(401);
    assert!(expired.header("x-groundrun-explain").unwrap().contains("the token ended at"));
}

/// The pages of the hosted front end.
fn check_page(answer: &Answer) {
    let challenge = answer.header("www-authenticate");
    match answer.status.as_u16() {
        200 => return,
        401 => assert_eq!(
            challenge,
            Some(
                r#"Bearer error="invalid_token" error_description="The access token could not be verified""#
            )
        ),
        _ => assert_eq!(challenge, None),
    }
    assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"));
    assert!(answer.text().starts_with("<html><head>\n<meta http-equiv="), "{}", answer.text());
}

#[tokio::test]
async fn the_pages_escape_the_path() {
    let world = World::start().await;
    let url = private(&world).await;
    let forbidden = world.anonymous().at(&format!("{url}/a&b'c")).send().await.expect(403);
    assert_snapshot!(forbidden.text(), @r#"
    <html><head>
    <meta http-equiv="content-type" content="text/html;charset=utf-8">
    <title>403 Forbidden</title>
    </head>
    <body text=#000000 bgcolor=#ffffff>
    <h1>Error: Forbidden</h1>
    <h2>Your client does not have permission to get URL <code>/a&amp;b&#39;c</code> from this server.</h2>
    <h2></h2>
    </body></html>
    "#);
    let unauthorized = world.anonymous().at(&url).bearer("x").send().await.expect(401);
    assert_snapshot!(unauthorized.text(), @r#"
    <html><head>
    <meta http-equiv="content-type" content="text/html;charset=utf-8">
    <title>401 Unauthorized</title>
    </head>
    <body text=#000000 bgcolor=#ffffff>
    <h1>Error: Unauthorized</h1>
    <h2>Your client does not have permission to the requested URL <code>/</code>.</h2>
    <h2></h2>
    </body></html>
    "#);
}

#[tokio::test]
async fn the_container_sees_the_token_without_its_signature() {
    let world = World::start().await;
    let url = private(&world).await;
    let good = world.invoker().token(&url).await;
    let seen = |answer: &Answer, header: &str| answer.json()["request"]["headers"][header].clone();
    let cut = json!(format!("Bearer {}.SIGNATURE_REMOVED_BY_GOOGLE", good.rsplit_once('.').unwrap().0));
    let ask = || -> Ask { world.anonymous().at(&url) };

    let answer = ask().bearer(&good).send().await.expect(200);
    assert_eq!(seen(&answer, "authorization"), cut);

    // X-Serverless-Authorization is the one that counts; Authorization then belongs to the container.
    let serverless = |token: &str| ask().header("x-serverless-authorization", format!("Bearer {token}"));
    let answer = serverless(&good).bearer("the container's own").send().await.expect(200);
    assert_eq!(seen(&answer, "x-serverless-authorization"), cut);
    assert_eq!(seen(&answer, "authorization"), "Bearer the container's own");
    let _ = serverless("bad").bearer(&good).send().await.expect(401);

    // A public service checks nothing: what a client shows to it stays.
    world.owner().bind("hello", "roles/run.invoker", &["allUsers"]).await;
    let answer = ask().bearer("a.foreign.jwt").send().await.expect(200);
    assert_eq!(seen(&answer, "authorization"), "Bearer a.foreign.jwt");
    let answer = ask().bearer(&good).send().await.expect(200);
    assert_eq!(seen(&answer, "authorization"), json!(format!("Bearer {good}")));
    let answer = serverless(&good).send().await.expect(200);
    assert_eq!(seen(&answer, "x-serverless-authorization"), cut);
}

#[tokio::test]
async fn the_token_endpoint_knows_two_grants() {
    let world = World::start().await;
    let ask = |fields: &[(&str, &str)]| world.ask(http::Method::POST, "/token").form(fields).send();
    let assertion = |extra: Value| {
        let now = world.clock().seconds();
        let mut claims = json!({ "iss": EMAIL, "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 60 });
        claims.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        foreign_jwt(&json!({ "alg": "RS256", "typ": "JWT" }), &claims)
    };
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    let for_audience = assertion(json!({ "target_audience": "aud1" }));
    let answer = ask(&[("grant_type", bearer), ("assertion", &for_audience)]).await.expect(200).json();
    let claims = Jwt::read(answer["id_token"].as_str().unwrap()).claims;
    assert_eq!((&claims["aud"], &claims["email"]), (&json!("aud1"), &json!(EMAIL)));
    assert_eq!(answer.as_object().unwrap().len(), 1);

    let for_scope = assertion(json!({ "scope": "openid email" }));
    let answer = ask(&[("grant_type", bearer), ("assertion", &for_scope)]).await.expect(200).json();
    assert!(answer["access_token"].as_str().unwrap().starts_with("ya29."));
    assert_eq!(answer["token_type"], "Bearer");
    assert!((3598..=3600).contains(&answer["expires_in"].as_i64().unwrap()), "{answer}");

    let refresh = [("grant_type", "refresh_token"), ("client_id", "client"), ("refresh_token", "r")];
    let answer = ask(&refresh).await.expect(200).json();
    let claims = Jwt::read(answer["id_token"].as_str().unwrap()).claims;
    assert_eq!((&claims["aud"], &claims["azp"]), (&json!("client"), &json!("client")));
    assert_eq!(claims["email"], "local-owner@example.com");
    assert!(answer["access_token"].is_string());

    let mut told = String::new();
    for fields in [
        &[][..],
        &[("grant_type", "password")],
        &[("grant_type", bearer)],
        &[("grant_type", bearer), ("assertion", "a.b.c")],
        &[("grant_type", bearer), ("assertion", &foreign_jwt(&json!({ "alg": "RS256" }), &json!({})))],
    ] {
        let refused = ask(fields).await.expect(400).json();
        told.push_str(&format!("{}: {}\n", refused["error"], refused["error_description"]));
    }
    assert_snapshot!(told.trim_end(), @r#"
    "invalid_request": "Missing required parameter: grant_type"
    "unsupported_grant_type": "groundrun does not emulate the grant 'password'."
    "invalid_request": "Missing required parameter: assertion"
    "invalid_grant": "Invalid JWT: the header of the token cannot be read: it is not base64url."
    "invalid_grant": "Invalid JWT: it has no claim 'iss'."
    "#);
}

#[tokio::test]
async fn strict_identities_must_be_created_first() {
    let world = World::with(|options| options.strict_identity = true).await;
    let body = json!({ "audience": "aud1" });
    let post = |path: &str, body: &Value| world.post(path, body).bearer(OWNER_TOKEN).send();
    let refused = post(&account_path("generateIdToken"), &body).await.expect(404);
    assert_eq!(refused.message(), format!("Not found; Gaia id not found for email {EMAIL}"));
    let create = json!({ "accountId": "caller", "serviceAccount": { "displayName": "Calls" } });
    let accounts = format!("/v1/projects/{PROJECT}/serviceAccounts");
    let created = post(&accounts, &create).await.expect(200).json();
    assert_eq!(created["email"], EMAIL);
    let refused = post(&account_path("generateIdToken"), &body).await.expect(403);
    assert_eq!(
        refused.message(),
        "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist)."
    );
    assert_eq!(post(&accounts, &create).await.expect(409).code(), "ALREADY_EXISTS");
    let listed = world.get(&accounts).bearer(OWNER_TOKEN).send().await.expect(200).json();
    assert_eq!(listed["accounts"], json!([created]));
}

#[tokio::test]
async fn an_audience_is_needed() {
    let world = World::start().await;
    for body in [json!({}), json!({ "audience": "" }), json!({ "audience": null })] {
        let refused = world.post(account_path("generateIdToken"), &body).send().await.expect(400);
        assert_eq!(refused.violations()[0].0, "audience", "{body}");
    }
    let path = "/v1/projects/-/serviceAccounts/nobody:generateIdToken";
    let refused = world.post(path, &json!({ "audience": "a" })).send().await.expect(404);
    assert_eq!(refused.message(), "Not found; Gaia id not found for email nobody");
}
