//! What does somebody try who may not, and what comes of it?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{
    Answer, Ask, Jwt, Owner, PROJECT, Program, World, at, foreign_jwt, from_base64, signed_jwt,
    symmetric_jwt, unsigned_jwt,
};
use http::Method;
use serde_json::{Value, json};

const POOL: &str = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci";

/// The worlds in which who calls must say so.
async fn worlds_that_ask() -> Vec<World> {
    vec![
        World::with(|options| options.strict_identity = true).await,
        World::with(|options| options.enforce_api_iam = true).await,
        World::with(|options| (options.strict_identity, options.enforce_api_iam) = (true, true)).await,
    ]
}

async fn refresh_token(world: &World, email: &str) -> String {
    let login = world.post("/emulator/login", &json!({ "email": email })).bearer(OWNER_TOKEN);
    login.send().await.expect(200).json()["refreshToken"].as_str().unwrap().to_owned()
}

async fn refreshed(world: &World, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "gcloud"), ("refresh_token", token)];
    world.ask(Method::POST, "/token").form(&form).send().await
}

/// The access token of a person who holds no role.
async fn stranger(world: &World) -> String {
    let token = refresh_token(world, "eve@example.test").await;
    refreshed(world, &token).await.expect(200).json()["access_token"].as_str().unwrap().to_owned()
}

async fn create_account(world: &World, id: &str) -> String {
    let accounts = format!("/v1/projects/{PROJECT}/serviceAccounts");
    let create = world.post(accounts, &json!({ "accountId": id })).bearer(OWNER_TOKEN);
    create.send().await.expect(200).json()["email"].as_str().unwrap().to_owned()
}

/// A workload is a source of tokens, an imported key makes them, and a clock that goes back revives them.
#[tokio::test]
async fn only_the_owner_uses_what_is_the_emulators_own() {
    let calls = [
        (Method::POST, "/emulator/workloads", json!({})),
        (Method::GET, "/emulator/workloads", Value::Null),
        (Method::DELETE, "/emulator/workloads/1", Value::Null),
        (Method::POST, "/emulator/clock", json!({ "reset": true })),
        (Method::GET, "/emulator/keys", Value::Null),
        (Method::POST, "/emulator/keys:rotate", json!({})),
        (Method::POST, "/emulator/login", json!({ "email": "bob@example.test" })),
    ];
    let ask = |world: &World, (method, path, body): &(Method, &str, Value)| -> Ask {
        let ask = world.ask(method.clone(), *path);
        if body.is_null() { ask } else { ask.json(body) }
    };
    for world in worlds_that_ask().await {
        let eve = stranger(&world).await;
        for call in &calls {
            let missing = ask(&world, call).send().await.expect(401);
            assert_eq!(missing.code(), "UNAUTHENTICATED", "{}", call.1);
            let _ = ask(&world, call).bearer("anything").send().await.expect(401);
            let denied = ask(&world, call).bearer(&eve).send().await.expect(403);
            assert_eq!(denied.code(), "PERMISSION_DENIED", "{}", call.1);
            let _ = ask(&world, call).bearer(OWNER_TOKEN).send().await.expect(200);
        }
        let pem = json!({ "pem": "x", "kid": "mine" });
        let _ = world.post("/emulator/keys", &pem).bearer(&eve).send().await.expect(403);
    }
    let lenient = World::start().await;
    for call in &calls {
        let _ = ask(&lenient, call).send().await.expect(200);
    }
}

/// The command line is the owner's: it works where credentials are asked for.
#[tokio::test]
async fn the_command_line_says_who_it_is() {
    let program = env!("CARGO_BIN_EXE_groundrun");
    let script = "echo $GCE_METADATA_HOST && $0 clock advance 1h --listen $GROUNDRUN_LISTEN";
    let arguments =
        ["exec", "--listen", "127.0.0.1:0", "--ephemeral", "--strict-identity", "--as", "a@b.test"];
    let mut command = Program::command(program, arguments);
    command.args(["--", "sh", "-c", script, program]);
    let finished = Program::run(command).await;
    assert!(finished.status.success(), "{finished:?}");
    assert!(finished.stdout.starts_with("127.0.0.1:"), "{finished:?}");
    assert!(finished.stdout.trim_end().ends_with("(3600s)"), "{finished:?}");
}

/// Where credentials are asked for, none can be made out of nothing.
#[tokio::test]
async fn nobody_becomes_somebody_else() {
    for world in worlds_that_ask().await {
        let eve = stranger(&world).await;
        for person in ["local-owner@example.com", "bob@example.test", "principal:%2F%2Fa@b"] {
            for (verb, body) in [
                ("generateAccessToken", json!({ "scope": ["email"] })),
                ("generateIdToken", json!({ "audience": "aud1" })),
            ] {
                let path = format!("/v1/projects/-/serviceAccounts/{person}:{verb}");
                let refused = world.post(path, &body).bearer(&eve).send().await;
                assert!([403, 404].contains(&refused.status.as_u16()), "{person}: {}", refused.text());
            }
        }
        for email in ["local-owner@example.com", "caller@demo-project.iam.gserviceaccount.com"] {
            let now = world.clock().seconds();
            let claims = json!({
                "iss": email, "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 3600,
                "scope": "email",
            });
            let forged = foreign_jwt(&json!({ "alg": "RS256", "kid": "mine" }), &claims);
            let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
            let form = [("grant_type", grant), ("assertion", forged.as_str())];
            let refused = world.ask(Method::POST, "/token").form(&form).send().await.expect(400).json();
            assert_eq!(refused["error"], "invalid_grant", "{email}");
        }
        let _ = refreshed(&world, "1//0a-real-one").await.expect(400);
        // One kind of token dressed as the other.
        let refresh = refresh_token(&world, "eve@example.test").await;
        let dressed = refresh.replacen("1//0", "ya29.", 1);
        let _ = world.get("/v1/projects").bearer(&dressed).send().await.expect(401);
        let _ = world.get("/oauth2/v3/userinfo").bearer(&dressed).send().await.expect(401);
        let _ = refreshed(&world, &eve.replacen("ya29.", "1//0", 1)).await.expect(400);
    }
}

/// An account that is there and one that is not look the same to those who may see neither.
#[tokio::test]
async fn a_stranger_does_not_learn_which_accounts_there_are() {
    let world =
        World::with(|options| (options.strict_identity, options.enforce_api_iam) = (true, true)).await;
    let (eve, known) = (stranger(&world).await, create_account(&world, "target").await);
    let unknown = known.replacen("target", "nobody", 1);
    for (method, rest) in [
        (Method::GET, ""),
        (Method::DELETE, ""),
        (Method::GET, "/keys"),
        (Method::POST, "/keys"),
        (Method::POST, ":getIamPolicy"),
        (Method::POST, ":disable"),
        (Method::POST, ":undelete"),
    ] {
        let ask = async |name: &str, bearer: &str| {
            let path = format!("/v1/projects/-/serviceAccounts/{name}{rest}");
            world.ask(method.clone(), path).bearer(bearer).send().await
        };
        let (of_known, of_unknown) = (ask(&known, &eve).await, ask(&unknown, &eve).await.expect(403));
        assert_eq!(of_known.expect(403).text(), of_unknown.text(), "{rest}");
        let _ = ask(&unknown, OWNER_TOKEN).await.expect(404);
    }
}

/// What stands in a condition is about the path that the instance gets.
#[tokio::test]
async fn an_escape_leads_around_no_condition() {
    let world = World::start().await;
    let url = at(&world.deploy("hello").await, "/status/url").as_str().unwrap().to_owned();
    let condition = json!({ "title": "all but admin", "expression": "!request.path.startsWith('/admin')" });
    let policy = json!({
        "version": 3,
        "bindings": [{ "role": "roles/run.invoker", "members": ["allUsers"], "condition": condition }],
    });
    let _ = world.owner().set_policy("hello", &policy).await.expect(200);
    let ask = async |path: &str| world.anonymous().at(&format!("{url}{path}")).send().await;
    assert_eq!(ask("/%70ublic").await.expect(200).json()["request"]["path"], "/public");
    for path in ["/admin", "/%61dmin", "/%61%64%6D%69%6e/x"] {
        let _ = ask(path).await.expect(403);
    }
    // As it was sent, and so does the instance see it.
    for path in ["/x/%2e%2e/admin", "//admin", "/ADMIN", "/%2Fadmin", "/x/../admin"] {
        assert_eq!(ask(path).await.expect(200).json()["request"]["path"], path);
    }
}

async fn exchanged(world: &World, subject_token: &str) -> Answer {
    let audience = format!("//{POOL}/providers/github");
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", audience.as_str()),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ("subject_token", subject_token),
    ];
    world.ask(Method::POST, "/v1/token").host("sts.googleapis.com").form(&fields).send().await
}

#[tokio::test]
async fn a_subject_token_that_nobody_signed_is_exchanged_nowhere() {
    let mut worlds = worlds_that_ask().await;
    worlds.push(World::start().await);
    for world in worlds {
        let now = world.clock().seconds();
        let claims = json!({ "sub": "repo:acme/app", "iat": now, "exp": now + 60 });
        let no_end = json!({ "sub": "repo:acme/app" });
        let rs256 = json!({ "alg": "RS256" });
        for (what, token) in [
            ("alg none", unsigned_jwt(&json!({ "alg": "none" }), &claims)),
            ("alg None", unsigned_jwt(&json!({ "alg": "None" }), &claims)),
            ("HS256", unsigned_jwt(&json!({ "alg": "HS256" }), &claims)),
            ("no algorithm", unsigned_jwt(&json!({}), &claims)),
            ("no end", foreign_jwt(&rs256, &no_end)),
            ("an end in words", foreign_jwt(&rs256, &json!({ "sub": "a", "exp": "9999999999" }))),
            ("ended", foreign_jwt(&rs256, &json!({ "sub": "a", "exp": now }))),
            (
                "of the future",
                foreign_jwt(&rs256, &json!({ "sub": "a", "iat": now + 400, "exp": now + 800 })),
            ),
            ("four parts", format!("{}.x", foreign_jwt(&rs256, &claims))),
        ] {
            let refused = exchanged(&world, &token).await.expect(400).json();
            assert_eq!(refused["error"], "invalid_grant", "{what}");
        }
        // With a signature that nobody can check: good only where the providers are elsewhere.
        let foreign = exchanged(&world, &foreign_jwt(&rs256, &claims)).await;
        let status = if world.server().engine().config().strict_identity { 400 } else { 200 };
        foreign.must_be(status);
    }
}

/// RFC 9112, section 3.2.
#[tokio::test]
async fn a_request_has_one_host() {
    let world = World::start().await;
    let url = at(&world.deploy("hello").await, "/status/url").as_str().unwrap().to_owned();
    world.owner().bind("hello", "roles/run.invoker", &["allUsers"]).await;
    let host = url.strip_prefix("http://").unwrap();
    for (first, second) in [(host, "127.0.0.1"), ("127.0.0.1", host), (host, host)] {
        let request =
            format!("GET /healthy HTTP/1.1\r\nHost: {first}\r\nHost: {second}\r\nConnection: close\r\n\r\n");
        let answer = world.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

/// HS256 with what everybody knows of the key as the secret: each form in which it is published.
#[tokio::test]
async fn a_public_key_is_no_secret_to_sign_with() {
    let world = World::start().await;
    let url = at(&world.deploy("hello").await, "/status/url").as_str().unwrap().to_owned();
    world.owner().grant("hello").await;
    let good = world.invoker().token(&url).await;
    let _ = world.anonymous().at(&url).bearer(&good).send().await.expect(200);
    let jwt = Jwt::read(&good);
    let kid = jwt.header["kid"].as_str().unwrap();
    let pem = world.get("/oauth2/v1/certs").send().await.expect(200).json()[kid].as_str().unwrap().to_owned();
    let jwks = world.get("/oauth2/v3/certs").send().await.expect(200).json();
    let modulus = jwks["keys"][0]["n"].as_str().unwrap().to_owned();
    for secret in [pem.as_str(), pem.trim(), modulus.as_str(), ""] {
        for alg in ["HS256", "hs256", "RS256"] {
            let header = json!({ "alg": alg, "kid": kid });
            let forged = symmetric_jwt(secret.as_bytes(), &header, &jwt.claims);
            let _ = world.anonymous().at(&url).bearer(&forged).send().await.expect(401);
        }
    }
}

/// A private key of an account, its id, and the account.
struct Signer {
    email: String,
    kid: String,
    pem: String,
}

impl Signer {
    async fn create(world: &World, id: &str) -> Self {
        let email = create_account(world, id).await;
        Self::of(world, email).await
    }

    async fn of(world: &World, email: String) -> Self {
        let path = format!("/v1/projects/-/serviceAccounts/{email}/keys");
        let made = world.post(path, &json!({})).bearer(OWNER_TOKEN).send().await.expect(200).json();
        let file: Value =
            serde_json::from_slice(&from_base64(made["privateKeyData"].as_str().unwrap())).unwrap();
        let text = |name: &str| file[name].as_str().unwrap().to_owned();
        Self { email, kid: text("private_key_id"), pem: text("private_key") }
    }

    /// The answer of the token endpoint to an assertion that asks for `wanted`.
    async fn asks(&self, world: &World, wanted: (&str, &str)) -> Answer {
        let now = world.clock().seconds();
        let mut claims = json!({
            "iss": self.email, "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 3600,
        });
        claims[wanted.0] = json!(wanted.1);
        let jwt = signed_jwt(&self.pem, &self.kid, &claims);
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let form = [("grant_type", grant), ("assertion", jwt.as_str())];
        world.ask(Method::POST, "/token").form(&form).send().await
    }

    async fn change(&self, world: &World, method: Method, rest: &str) {
        let path = format!("/v1/projects/-/serviceAccounts/{}{rest}", self.email);
        let _ = world.ask(method, path).bearer(OWNER_TOKEN).send().await.expect(200);
    }
}

/// What a key file and the tokens from it are worth after the account or the key went away.
#[tokio::test]
async fn what_is_left_of_an_account_lets_nobody_in() {
    for is_enforced in [false, true] {
        let world = World::with(|options| {
            options.strict_identity = true;
            options.enforce_api_iam = is_enforced;
        })
        .await;
        let create = Owner::service("hello");
        let services = Owner::services_path();
        let _ = world.post(services, &create).bearer(OWNER_TOKEN).send().await.expect(200);
        let service = world.get(Owner::service_path("hello")).bearer(OWNER_TOKEN).send().await.expect(200);
        let url = at(&service.json(), "/status/url").as_str().unwrap().to_owned();
        for (what, by, method, rest, is_key_only) in [
            ("disabled", "off-account", Method::POST, ":disable".to_owned(), false),
            ("deleted", "gone-account", Method::DELETE, String::new(), false),
            ("key disabled", "key-off-account", Method::POST, "/keys/KEY:disable".to_owned(), true),
            ("key deleted", "key-gone-account", Method::DELETE, "/keys/KEY".to_owned(), true),
        ] {
            let signer = Signer::create(&world, by).await;
            let member = format!("serviceAccount:{}", signer.email);
            let policy = json!({ "bindings": [{ "role": "roles/run.invoker", "members": [member] }] });
            let path = format!("{}:setIamPolicy", Owner::resource_path("hello"));
            let bind = world.post(path, &json!({ "policy": policy })).bearer(OWNER_TOKEN);
            let _ = bind.send().await.expect(200);
            let access = signer.asks(&world, ("scope", "email")).await.expect(200).json();
            let access = access["access_token"].as_str().unwrap().to_owned();
            let id_token = signer.asks(&world, ("target_audience", &url)).await.expect(200).json();
            let id_token = id_token["id_token"].as_str().unwrap().to_owned();
            let seen = async || {
                let call = world.anonymous().at(&url).bearer(&id_token).send().await;
                let user = world.get("/oauth2/v3/userinfo").bearer(&access).send().await;
                let info = world.get(format!("/tokeninfo?id_token={id_token}")).send().await;
                [call.status.as_u16(), user.status.as_u16(), info.status.as_u16()]
            };
            assert_eq!(seen().await, [200, 200, 200], "{what}");
            signer.change(&world, method, &rest.replace("KEY", &signer.kid)).await;
            for wanted in [("scope", "email"), ("target_audience", url.as_str())] {
                let refused = signer.asks(&world, wanted).await.expect(400).json();
                assert_eq!(refused["error"], "invalid_grant", "{what}");
            }
            // Tokens that a key got outlive it; those of an account do not.
            let after = if is_key_only { [200, 200, 200] } else { [401, 401, 400] };
            assert_eq!(seen().await, after, "{what}");
            if what == "deleted" {
                // Who gets the address later is somebody else, though bound by the same name.
                create_account(&world, by).await;
                assert_eq!(seen().await, after, "{what} and created again");
                let refused = signer.asks(&world, ("scope", "email")).await.expect(400).json();
                assert_eq!(refused["error"], "invalid_grant", "{what} and created again");
            }
        }
    }
}

/// An audience is compared as a whole.
#[tokio::test]
async fn an_audience_with_more_than_the_url_is_another_one() {
    let world = World::start().await;
    let url = at(&world.deploy("hello").await, "/status/url").as_str().unwrap().to_owned();
    world.owner().grant("hello").await;
    let _ = world.invoker().call(&url, &url).await.expect(200);
    for rest in ["?a=b", "#a", "/?", "/#", "?", "#", "%2F", " ", "@evil.test", ".evil.test", "\u{0}"] {
        let _ = world.invoker().call(&url, &format!("{url}{rest}")).await.expect(401);
    }
}
