//! Whose signature counts: of keys that rotate, that users import, and that service accounts have?

use groundrun_tests::{
    Jwt, PROJECT, Program, World, at, check_signature, foreign_jwt, from_base64, signed_jwt,
};
use http::Method;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_groundrun");

const EMAIL: &str = "caller@demo-project.iam.gserviceaccount.com";

const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";

fn keys_path(email: &str) -> String {
    format!("/v1/projects/{PROJECT}/serviceAccounts/{email}/keys")
}

/// A private service that the invoker may call, and its URL.
async fn private(world: &World) -> String {
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    at(&service, "/status/url").as_str().unwrap().to_owned()
}

/// A key file, and how its owner signs with it.
struct KeyFile {
    id: String,
    json: Value,
}

impl KeyFile {
    /// Has a key made for an account.
    async fn create(world: &World, email: &str) -> Self {
        let made = world
            .owner()
            .ask(Method::POST, keys_path(email))
            .json(&json!({}))
            .send()
            .await
            .expect(200)
            .json();
        let file = from_base64(made["privateKeyData"].as_str().unwrap());
        let id = made["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        Self { id, json: serde_json::from_slice(&file).unwrap() }
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.id, claims)
    }

    fn sign_as(&self, kid: &str, claims: &Value) -> String {
        signed_jwt(self.json["private_key"].as_str().unwrap(), kid, claims)
    }

    fn path(&self, email: &str) -> String {
        format!("{}/{}", keys_path(email), self.id)
    }
}

/// An assertion as google-auth makes it, changed.
fn assertion(world: &World, changes: Value) -> Value {
    let now = world.clock().seconds();
    let mut claims = json!({
        "iss": EMAIL, "aud": TOKEN_ENDPOINT, "iat": now, "exp": now + 3600, "target_audience": "aud1",
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

async fn ask(world: &World, jwt: &str) -> groundrun_tests::Answer {
    world.ask(Method::POST, "/token").form(&[("grant_type", BEARER), ("assertion", jwt)]).send().await
}

/// The error and the description with which the token endpoint refuses.
async fn refused(world: &World, jwt: &str) -> (String, String) {
    let answer = ask(world, jwt).await.expect(400).json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("error"), text("error_description"))
}

fn invalid_signature() -> (String, String) {
    ("invalid_grant".to_owned(), "Invalid JWT Signature.".to_owned())
}

#[tokio::test]
async fn a_rotation_ends_no_token_before_its_time() {
    let world = World::start().await;
    let url = private(&world).await;
    let call = async |token: &str| world.anonymous().at(&url).bearer(token).send().await.status.as_u16();
    let before = world.invoker().token(&url).await;
    assert_eq!(call(&before).await, 200);

    let listed = world.ask(Method::POST, "/emulator/keys:rotate").send().await.expect(200).json();
    let states: Vec<&str> =
        listed["keys"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["current", "published"]);
    assert!(listed["keys"][1]["until"].as_str().unwrap().starts_with("2026-11-24T07:00:0"));
    let after = world.invoker().token(&url).await;
    assert_eq!(Jwt::read(&after).header["kid"], listed["keys"][0]["kid"]);
    let jwks = world.get("/oauth2/v3/certs").send().await.expect(200).json();
    let certificates = world.get("/oauth2/v1/certs").send().await.expect(200).json();
    for token in [&before, &after] {
        assert_eq!(call(token).await, 200);
        check_signature(token, &jwks).unwrap();
        assert!(certificates[Jwt::read(token).header["kid"].as_str().unwrap()].is_string());
    }
    world.clock().pass(3601);
    assert_eq!(call(&before).await, 401);
    let listed = world.get("/emulator/keys").send().await.expect(200).json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1);
    assert_eq!(call(&world.invoker().token(&url).await).await, 200);
}

#[tokio::test]
async fn a_key_of_the_users_vouches_for_tokens_made_elsewhere() {
    let world = World::start().await;
    let url = private(&world).await;
    let file = KeyFile::create(&world, "maker@demo-project.iam.gserviceaccount.com").await;
    let mut claims = Jwt::read(&world.invoker().token("x").await).claims;
    claims["aud"] = json!(url);
    let token = file.sign_as("fixture-1", &claims);
    let call = async || world.anonymous().at(&url).bearer(&token).send().await.status.as_u16();
    assert_eq!(call().await, 401);
    let import =
        |kid: &str, pem: &Value| world.post("/emulator/keys", &json!({ "pem": pem, "kid": kid })).send();
    let imported = import("fixture-1", &file.json["private_key"]).await.expect(200);
    assert!(!imported.text().contains("PRIVATE"));
    assert_eq!(imported.json()["keys"][1], json!({ "kid": "fixture-1", "state": "imported" }));
    assert_eq!(call().await, 200);
    let jwks = world.get("/oauth2/v3/certs").send().await.expect(200).json();
    check_signature(&token, &jwks).unwrap();
    let own = jwks["keys"][0]["kid"].as_str().unwrap();
    assert_eq!(import(own, &file.json["private_key"]).await.expect(409).code(), "ALREADY_EXISTS");
    assert_eq!(import("fixture-2", &json!("no key")).await.expect(400).violations()[0].0, "pem");
    assert_eq!(import("", &file.json["private_key"]).await.expect(400).violations()[0].0, "kid");
}

#[tokio::test]
async fn a_key_file_gets_tokens_until_its_key_is_deleted() {
    let world = World::start().await;
    let made = world.post(keys_path(EMAIL), &json!({ "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE" }));
    let made = made.send().await.expect(200).json();
    assert_eq!(made["keyType"], "USER_MANAGED");
    assert_eq!(made["keyOrigin"], "GOOGLE_PROVIDED");
    assert_eq!(made["keyAlgorithm"], "KEY_ALG_RSA_2048");
    assert_eq!(made["validAfterTime"], "2026-11-24T06:00:00Z");
    assert_eq!(made["validBeforeTime"], "9999-12-31T23:59:59Z");
    let file: Value = serde_json::from_slice(&from_base64(made["privateKeyData"].as_str().unwrap())).unwrap();
    let id = file["private_key_id"].as_str().unwrap().to_owned();
    assert_eq!(made["name"], format!("projects/{PROJECT}/serviceAccounts/{EMAIL}/keys/{id}"));
    assert_eq!(file["token_uri"], format!("http://{}/token", world.address()));
    let file = KeyFile { id, json: file };

    let asserted = file.sign(&assertion(&world, json!({})));
    let answer = ask(&world, &asserted).await.expect(200).json();
    let claims = Jwt::read(answer["id_token"].as_str().unwrap()).claims;
    assert_eq!((&claims["aud"], &claims["email"]), (&json!("aud1"), &json!(EMAIL)));

    // The private key is in that one answer and nowhere else.
    let shown = world.get(file.path(EMAIL)).send().await.expect(200);
    let listed = world.get(keys_path(EMAIL)).send().await.expect(200);
    for answer in [&shown, &listed] {
        assert!(!answer.text().contains("privateKey"), "{}", answer.text());
    }
    assert_eq!(listed.json()["keys"].as_array().unwrap().len(), 2);
    let of = async |kind: &str| {
        let answer = world.get(format!("{}?keyTypes={kind}", keys_path(EMAIL))).send().await;
        answer.expect(200).json()["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["keyType"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("USER_MANAGED").await, ["USER_MANAGED"]);
    assert_eq!(of("SYSTEM_MANAGED").await, ["SYSTEM_MANAGED"]);

    let verb = async |verb: &str| {
        let _ = world.ask(Method::POST, format!("{}:{verb}", file.path(EMAIL))).send().await.expect(200);
    };
    verb("disable").await;
    assert_eq!(world.get(file.path(EMAIL)).send().await.expect(200).json()["disabled"], true);
    assert_eq!(refused(&world, &asserted).await, invalid_signature());
    verb("enable").await;
    let _ = ask(&world, &asserted).await.expect(200);
    let _ = world.ask(Method::DELETE, file.path(EMAIL)).send().await.expect(200);
    assert_eq!(refused(&world, &asserted).await, invalid_signature());
    let gone = world.get(file.path(EMAIL)).send().await.expect(404);
    assert_eq!(gone.message(), format!("Service account key {} does not exist.", file.id));
}

#[tokio::test]
async fn the_published_keys_verify_what_an_account_signs_and_no_other() {
    let world = World::start().await;
    let file = KeyFile::create(&world, EMAIL).await;
    let token = file.sign(&json!({ "iss": EMAIL }));
    let jwks = async |email: &str| {
        world.get(format!("/service_accounts/v1/metadata/jwk/{email}")).send().await.expect(200).json()
    };
    check_signature(&token, &jwks(EMAIL).await).unwrap();
    assert!(check_signature(&token, &jwks("other@demo-project.iam.gserviceaccount.com").await).is_err());
    let form = async |form: &str| {
        let path = format!("/service_accounts/v1/metadata/{form}/{EMAIL}");
        world.get(path).send().await.expect(200).json()[&file.id].as_str().unwrap().to_owned()
    };
    let shown = async |form: &str| {
        let shown = world.get(format!("{}?publicKeyType={form}", file.path(EMAIL))).send().await.expect(200);
        String::from_utf8(from_base64(shown.json()["publicKeyData"].as_str().unwrap())).unwrap()
    };
    assert_eq!(form("x509").await, shown("TYPE_X509_PEM_FILE").await);
    assert_eq!(form("raw").await, shown("TYPE_RAW_PUBLIC_KEY").await);
    let named = file.json["client_x509_cert_url"].as_str().unwrap();
    let path = named.strip_prefix(&format!("http://{}", world.address())).unwrap();
    assert!(world.get(path).send().await.expect(200).json()[&file.id].is_string());
    let _ = world.ask(Method::POST, format!("{}:disable", file.path(EMAIL))).send().await.expect(200);
    assert!(check_signature(&token, &jwks(EMAIL).await).is_err());
}

#[tokio::test]
async fn an_uploaded_key_signs_like_one_that_was_made_here() {
    let world = World::start().await;
    let other = "other@demo-project.iam.gserviceaccount.com";
    let file = KeyFile::create(&world, other).await;
    let public = world.get(format!("{}?publicKeyType=TYPE_X509_PEM_FILE", file.path(other))).send().await;
    let public = public.expect(200).json()["publicKeyData"].clone();
    // A key belongs to one account of a project.
    let upload = |data: &Value| {
        world.post(format!("{}:upload", keys_path(EMAIL)), &json!({ "publicKeyData": data })).send()
    };
    assert_eq!(upload(&public).await.expect(409).code(), "ALREADY_EXISTS");
    for data in [json!("%"), json!("AAAA"), json!(groundrun_tests::base64("no key"))] {
        assert_eq!(upload(&data).await.expect(400).violations()[0].0, "public_key_data");
    }
    // In another project the same key is another account's, too.
    let elsewhere = "caller@other-project.iam.gserviceaccount.com";
    let path = format!("/v1/projects/-/serviceAccounts/{elsewhere}/keys:upload");
    let uploaded = world.post(path, &json!({ "publicKeyData": public })).send().await.expect(200).json();
    assert_eq!(uploaded["keyOrigin"], "USER_PROVIDED");
    assert_eq!(uploaded["validBeforeTime"], "2049-12-31T23:59:59Z");
    let _ = ask(&world, &file.sign(&assertion(&world, json!({ "iss": elsewhere })))).await.expect(200);
}

#[tokio::test]
async fn what_cannot_be_made_is_refused_by_name() {
    let world = World::start().await;
    let create = |body: Value| world.post(keys_path(EMAIL), &body).send();
    let refused = create(json!({ "privateKeyType": "TYPE_PKCS12_FILE" })).await;
    assert_eq!(refused.code(), "UNIMPLEMENTED");
    assert!(refused.message().contains("TYPE_PKCS12_FILE"), "{}", refused.message());
    for (body, field) in [
        (json!({ "keyAlgorithm": "KEY_ALG_RSA_1024" }), "key_algorithm"),
        (json!({ "keyAlgorithm": "ED25519" }), "key_algorithm"),
        (json!({ "privateKeyType": "PEM" }), "private_key_type"),
    ] {
        assert_eq!(create(body).await.expect(400).violations()[0].0, field);
    }
    let listed = world.get(keys_path(EMAIL)).send().await.expect(200).json();
    let system = listed["keys"][0]["name"].as_str().unwrap();
    let refused = world.ask(Method::DELETE, format!("/v1/{system}")).send().await.expect(400);
    assert_eq!(
        (refused.code().as_str(), refused.message().as_str()),
        ("FAILED_PRECONDITION", "Precondition check failed.")
    );
    let _ = world
        .ask(Method::DELETE, format!("{}/{}", keys_path(EMAIL), "0".repeat(40)))
        .send()
        .await
        .expect(404);
}

/// A signature by a key that is known here counts for the account of that key, and for nobody else.
#[tokio::test]
async fn an_assertion_must_be_signed_by_the_account() {
    let world = World::start().await;
    let file = KeyFile::create(&world, EMAIL).await;
    let other = KeyFile::create(&world, "other@demo-project.iam.gserviceaccount.com").await;
    let claims = assertion(&world, json!({}));
    let good = file.sign(&claims);
    let _ = ask(&world, &good).await.expect(200);
    let jwt = Jwt::read(&good);
    let google =
        world.get("/oauth2/v3/certs").send().await.json()["keys"][0]["kid"].as_str().unwrap().to_owned();
    for (what, token) in [
        ("of another account", other.sign(&claims)),
        ("of another account under the right id", other.sign_as(&file.id, &claims)),
        ("under Google's id", file.sign_as(&google, &claims)),
        ("with other claims", jwt.with_claims(&assertion(&world, json!({ "target_audience": "aud2" })))),
        ("cut", good[..good.len() - 8].to_owned()),
        ("without a signature", jwt.unsigned()),
    ] {
        assert_eq!(refused(&world, &token).await, invalid_signature(), "{what}");
    }
    for header in
        [json!({ "alg": "none" }), json!({ "alg": "HS256", "kid": file.id }), json!({ "alg": "RS512" })]
    {
        assert_eq!(refused(&world, &jwt.with_header(&header)).await.0, "invalid_grant", "{header}");
    }
    let long = jwt.with_claims(&assertion(&world, json!({ "padding": "x".repeat(16 * 1024) })));
    assert!(refused(&world, &long).await.1.contains("bytes long"));
    for (changes, error) in [
        (json!({ "sub": "ada@example.test" }), "unauthorized_client"),
        (json!({ "aud": "https://run.googleapis.com/" }), "invalid_grant"),
        (json!({ "exp": 1 }), "invalid_grant"),
        (json!({ "target_audience": null }), "invalid_scope"),
        (json!({ "iss": null }), "invalid_grant"),
    ] {
        assert_eq!(refused(&world, &file.sign(&assertion(&world, changes))).await.0, error);
    }
    // The emulator's own address is the token endpoint, too.
    let own = format!("http://{}/token", world.address());
    let _ =
        ask(&world, &file.sign(&assertion(&world, json!({ "aud": own, "sub": EMAIL })))).await.expect(200);
}

#[tokio::test]
async fn a_strangers_key_is_believed_unless_identities_are_strict() {
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a-real-one" });
    let world = World::start().await;
    let _ = ask(&world, &foreign_jwt(&header, &assertion(&world, json!({})))).await.expect(200);
    let strict = World::with(|options| options.strict_identity = true).await;
    let create = json!({ "accountId": "caller" });
    let accounts = format!("/v1/projects/{PROJECT}/serviceAccounts");
    let _ = strict.owner().ask(Method::POST, accounts).json(&create).send().await.expect(200);
    let foreign = foreign_jwt(&header, &assertion(&strict, json!({})));
    assert_eq!(refused(&strict, &foreign).await, invalid_signature());
    let file = KeyFile::create(&strict, EMAIL).await;
    let _ = ask(&strict, &file.sign(&assertion(&strict, json!({})))).await.expect(200);
}

/// gcloud with `auth/service_account_use_self_signed_jwt`.
#[tokio::test]
async fn a_jwt_of_its_own_speaks_for_the_account_at_the_api() {
    let world = World::start().await;
    let file = KeyFile::create(&world, EMAIL).await;
    let path = "/apis/serving.knative.dev/v1/namespaces/demo-project/services";
    let bearer = |changes: Value| {
        let now = world.clock().seconds();
        let mut claims = json!({ "iss": EMAIL, "sub": EMAIL, "iat": now, "exp": now + 3600 });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        file.sign(&claims)
    };
    let create = |name: &str, token: &str| {
        world.post(path, &groundrun_tests::Owner::service(name)).bearer(token).send()
    };
    for (name, changes) in [
        ("one", json!({ "scope": "https://www.googleapis.com/auth/cloud-platform" })),
        ("two", json!({ "aud": "https://run.googleapis.com/" })),
    ] {
        let created = create(name, &bearer(changes)).await.expect(200).json();
        assert_eq!(at(&created, "/metadata/annotations/serving.knative.dev~1creator"), EMAIL);
    }
    let good = bearer(json!({ "scope": "email" }));
    let forged = Jwt::read(&good).with_claims(&json!({ "iss": EMAIL, "scope": "cloud-platform" }));
    for token in [forged, bearer(json!({})), bearer(json!({ "scope": "email", "exp": 1 }))] {
        let refused = create("three", &token).await.expect(401);
        assert_eq!(refused.code(), "UNAUTHENTICATED");
        assert!(!refused.text().contains(&token));
    }
    // What the account signs itself is no ID token, with whichever of its keys.
    let url = private(&world).await;
    let now = world.clock().seconds();
    let dressed = file.sign(&json!({
        "iss": "https://accounts.google.com", "aud": url, "sub": "1", "email": EMAIL,
        "email_verified": true, "iat": now, "exp": now + 3600,
    }));
    let answer = world.anonymous().at(&url).bearer(&dressed).send().await.expect(401);
    assert!(answer.header("x-groundrun-explain").is_none_or(|why| !why.contains(&dressed)));
}

#[tokio::test]
async fn the_keys_of_a_running_emulator_are_listed_rotated_and_imported() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let serve = || {
        Program::serve(Program::command(PROGRAM, ["serve", "--listen", "127.0.0.1:0", "--data-dir", data]))
    };
    let emulator = serve().await;
    let keys = async |address: String, arguments: &[&str]| {
        let all = [&["keys"], arguments, &["--listen", &address]].concat();
        Program::run(Program::command(PROGRAM, all)).await
    };
    let address = emulator.client().address().to_string();
    let listed = keys(address.clone(), &["list"]).await.stdout;
    let first = listed.split_whitespace().next().unwrap().to_owned();
    assert_eq!(listed, format!("{first}  current\n"));
    let rotated = keys(address.clone(), &["rotate"]).await.stdout;
    assert!(rotated.lines().nth(1).unwrap().starts_with(&format!("{first}  published until ")), "{rotated}");
    let certificates = emulator.client().get("/oauth2/v1/certs").send().await.expect(200).json();
    let pem = directory.path().join("fixture.pem");
    std::fs::write(&pem, certificates[&first].as_str().unwrap()).unwrap();
    let imported =
        keys(address.clone(), &["import", "--pem", pem.to_str().unwrap(), "--kid", "fixture"]).await;
    assert_eq!(imported.stdout, format!("{rotated}fixture  imported\n"), "{imported:?}");
    let refused = keys(address.clone(), &["import", "--pem", "nowhere.pem", "--kid", "fixture"]).await;
    assert!(!refused.status.success() && refused.stderr.contains("nowhere.pem"), "{refused:?}");
    emulator.kill().await;
    let missing = keys(address, &["list"]).await;
    assert!(!missing.status.success() && missing.stderr.contains("no emulator runs"), "{missing:?}");
    let again = serve().await;
    assert_eq!(keys(again.client().address().to_string(), &["list"]).await.stdout, imported.stdout);
}

/// What a private service answers to tokens that a trusted key signed, and that are no good all the same.
#[tokio::test]
async fn a_trusted_signature_alone_lets_nobody_in() {
    let world = World::start().await;
    let url = private(&world).await;
    let file = KeyFile::create(&world, "maker@demo-project.iam.gserviceaccount.com").await;
    let import = json!({ "pem": file.json["private_key"], "kid": "fixture" });
    let _ = world.post("/emulator/keys", &import).send().await.expect(200);
    let claims = Jwt::read(&world.invoker().token(&url).await).claims;
    let now = world.clock().seconds();
    let sign = |changes: Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        file.sign_as("fixture", &claims)
    };
    let good = sign(json!({}));
    let elsewhere = World::with(|_| ()).await;
    let _ = elsewhere.ask(Method::POST, "/emulator/keys:rotate").send().await.expect(200);
    for (what, token, status) in [
        ("good", good.clone(), 200),
        ("valid since now", sign(json!({ "nbf": now })), 200),
        ("not yet valid", sign(json!({ "nbf": now + 400 })), 401),
        ("issued in the future", sign(json!({ "iat": now + 400 })), 401),
        ("expired", sign(json!({ "exp": now })), 401),
        ("of another issuer", sign(json!({ "iss": "https://example.com" })), 401),
        ("for two audiences", sign(json!({ "aud": [url, "x"] })), 401),
        ("longer than 16 KiB", sign(json!({ "padding": "x".repeat(16 * 1024) })), 401),
        ("cut", good[..good.len() - 8].to_owned(), 401),
        ("under the id of the account's key", file.sign(&claims), 401),
        ("under another id", file.sign_as("fixture-2", &claims), 401),
        ("of another emulator", elsewhere.invoker().token(&url).await, 401),
    ] {
        let answer = world.anonymous().at(&url).bearer(&token).send().await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
    }
    let twice = world.anonymous().at(&url).bearer(&good).bearer(&good).send().await;
    assert_eq!(twice.status.as_u16(), 401, "two headers");
    let pair = world.anonymous().at(&url).bearer(format!("{good} {good}")).send().await;
    assert_eq!(pair.status.as_u16(), 401, "two tokens");
}
