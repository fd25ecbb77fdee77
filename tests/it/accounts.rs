//! Which accounts are there, who may mint for them, and who may do what through the API?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{Answer, Ask, Jwt, Owner, PROJECT, REGION, World, at, grpc, unsigned_jwt};
use http::Method;
use serde_json::{Value, json};

const EMAIL: &str = "caller@demo-project.iam.gserviceaccount.com";

/// The pool of the federated identities here.
const POOL: &str = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci";

fn path(account: &str) -> String {
    format!("/v1/projects/-/serviceAccounts/{account}")
}

fn email(id: &str) -> String {
    format!("{id}@{PROJECT}.iam.gserviceaccount.com")
}

async fn strict() -> World {
    World::with(|options| options.strict_identity = true).await
}

async fn enforcing() -> World {
    World::with(|options| options.enforce_api_iam = true).await
}

/// What the owner of the machine asks.
fn ask(world: &World, method: Method, path: &str) -> Ask {
    world.ask(method, path).bearer(OWNER_TOKEN)
}

async fn post(world: &World, path: &str, body: &Value) -> Answer {
    ask(world, Method::POST, path).json(body).send().await
}

async fn create(world: &World, id: &str) -> Value {
    let accounts = format!("/v1/projects/{PROJECT}/serviceAccounts");
    post(world, &accounts, &json!({ "accountId": id })).await.expect(200).json()
}

/// Binds members to a role on the account, and nothing else.
async fn bind(world: &World, account: &str, role: &str, member: &str) {
    let policy = json!({ "bindings": [{ "role": role, "members": [member] }] });
    let _ = post(world, &format!("{}:setIamPolicy", path(account)), &json!({ "policy": policy }))
        .await
        .expect(200);
}

/// A person's access token, by way of a login.
async fn person(world: &World, email: &str) -> String {
    let signed_in = post(world, "/emulator/login", &json!({ "email": email })).await.expect(200).json();
    let refresh = signed_in["refreshToken"].as_str().unwrap().to_owned();
    let answer = refreshed(world, &refresh).await.expect(200).json();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn refreshed(world: &World, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "gcloud"), ("refresh_token", token)];
    world.ask(Method::POST, "/token").form(&form).send().await
}

#[tokio::test]
async fn an_account_is_created_changed_and_listed_page_by_page() {
    let world = World::start().await;
    let accounts = format!("/v1/projects/{PROJECT}/serviceAccounts");
    let body =
        json!({ "accountId": "builder", "serviceAccount": { "displayName": "B", "description": "builds" } });
    let created = post(&world, &accounts, &body).await.expect(200).json();
    assert_eq!((&created["displayName"], &created["description"]), (&json!("B"), &json!("builds")));
    let by_id = path(created["uniqueId"].as_str().unwrap());
    assert_eq!(ask(&world, Method::GET, &by_id).send().await.expect(200).json(), created);

    let change =
        json!({ "serviceAccount": { "description": "" , "displayName": "no" }, "updateMask": "description" });
    let patched = ask(&world, Method::PATCH, &by_id).json(&change).send().await.expect(200).json();
    assert_eq!((&patched["displayName"], patched.get("description")), (&json!("B"), None));
    assert_ne!(patched["etag"], created["etag"]);
    let stale = json!({ "serviceAccount": { "displayName": "C", "etag": created["etag"] } });
    let refused = ask(&world, Method::PATCH, &by_id).json(&stale).send().await.expect(409);
    assert_eq!(refused.code(), "ABORTED");
    let put =
        ask(&world, Method::PUT, &by_id).json(&json!({ "displayName": "D" })).send().await.expect(200).json();
    assert_eq!(put["displayName"], "D");
    for (change, field) in [
        (json!({ "serviceAccount": {}, "updateMask": "email" }), "updateMask"),
        (json!({ "serviceAccount": { "displayName": "x".repeat(101) } }), "service_account.display_name"),
        (json!({ "serviceAccount": { "description": "x".repeat(257) } }), "service_account.description"),
        (json!({ "serviceAccount": { "etag": "AAAA" } }), "service_account.etag"),
    ] {
        let refused = ask(&world, Method::PATCH, &by_id).json(&change).send().await.expect(400);
        assert_eq!(refused.violations()[0].0, field);
    }

    for id in ["abacus", "zebra1"] {
        create(&world, id).await;
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = ask(&world, Method::GET, &format!("{accounts}?pageSize=2&pageToken={token}"));
        let page = page.send().await.expect(200).json();
        let accounts = page["accounts"].as_array().unwrap();
        assert!(accounts.len() <= 2);
        seen.extend(accounts.iter().map(|account| account["email"].as_str().unwrap().to_owned()));
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(seen, [email("abacus"), email("builder"), email("zebra1")]);
}

#[tokio::test]
async fn a_disabled_account_is_refused_until_it_is_enabled() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap().to_owned();
    let id_token = world.invoker().token(&url).await;
    let access_token = world.owner().access_token(EMAIL).await;
    let call = || world.invoker().at(&url).bearer(&id_token).send();
    let read = || world.get(Owner::services_path()).bearer(&access_token).send();
    let _ = call().await.expect(200);
    let _ = read().await.expect(200);

    let _ = post(&world, &format!("{}:disable", path(EMAIL)), &json!({})).await.expect(200);
    assert_eq!(ask(&world, Method::GET, &path(EMAIL)).send().await.expect(200).json()["disabled"], true);
    let denied = call().await.expect(401);
    let why = denied.header("x-groundrun-explain").unwrap_or_default().to_owned();
    assert!(why.contains("is disabled"), "{why}");
    let denied = read().await.expect(401).json();
    assert_eq!(at(&denied, "/error/details/0/reason"), "ACCOUNT_STATE_INVALID");
    let mint = json!({ "audience": url });
    let refused = post(&world, &format!("{}:generateIdToken", path(EMAIL)), &mint).await.expect(400);
    assert_eq!(
        (refused.code(), refused.message()),
        ("FAILED_PRECONDITION".to_owned(), format!("Service account {EMAIL} is disabled."))
    );
    let _ = post(&world, &format!("{}:enable", path(EMAIL)), &json!({})).await.expect(200);
    let _ = call().await.expect(200);
    let _ = read().await.expect(200);
}

#[tokio::test]
async fn a_deleted_account_comes_back_within_30_days_and_its_successor_is_another() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap().to_owned();
    let first = ask(&world, Method::GET, &path(EMAIL)).send().await.expect(200).json();
    let first_id = first["uniqueId"].as_str().unwrap().to_owned();
    let token = world.invoker().token(&url).await;
    let members = async || at(&world.owner().policy("hello").await, "/bindings/0/members/0").clone();

    let _ = ask(&world, Method::DELETE, &path(EMAIL)).send().await.expect(200);
    assert_eq!(members().await, format!("deleted:serviceAccount:{EMAIL}?uid={first_id}"));
    let _ = world.invoker().at(&url).bearer(&token).send().await.expect(401);
    // Named again, it stays deleted.
    let _ = ask(&world, Method::GET, &path(EMAIL)).send().await.expect(404);
    let mint = json!({ "audience": url });
    let _ = post(&world, &format!("{}:generateIdToken", path(EMAIL)), &mint).await.expect(404);

    let undelete = format!("{}:undelete", path(&first_id));
    let restored = post(&world, &undelete, &json!({})).await.expect(200).json();
    assert_eq!(at(&restored, "/restoredAccount/uniqueId"), first_id.as_str());
    assert_eq!(members().await, format!("serviceAccount:{EMAIL}"));
    let _ = world.invoker().at(&url).bearer(&token).send().await.expect(200);
    assert_eq!(post(&world, &undelete, &json!({})).await.expect(400).code(), "FAILED_PRECONDITION");

    // Another account with the address has none of it, until it is given that itself.
    let _ = ask(&world, Method::DELETE, &path(EMAIL)).send().await.expect(200);
    let second = create(&world, "caller").await;
    assert_ne!(second["uniqueId"], first["uniqueId"]);
    assert_eq!(post(&world, &undelete, &json!({})).await.expect(400).code(), "FAILED_PRECONDITION");
    let _ = world.invoker().at(&url).bearer(&token).send().await.expect(401);
    let new_token = world.invoker().token(&url).await;
    assert_eq!(Jwt::read(&new_token).claims["sub"], second["uniqueId"]);
    let _ = world.invoker().at(&url).bearer(&new_token).send().await.expect(403);
    world.owner().grant("hello").await;
    let _ = world.invoker().at(&url).bearer(&new_token).send().await.expect(200);

    let gone = create(&world, "goner1").await;
    let gone = path(gone["uniqueId"].as_str().unwrap());
    let _ = ask(&world, Method::DELETE, &gone).send().await.expect(200);
    world.clock().pass(30 * 24 * 3600 + 1);
    let _ = post(&world, &format!("{gone}:undelete"), &json!({})).await.expect(404);
}

/// Mints an ID token and tells the status.
async fn mints(world: &World, bearer: &str, account: &str, delegates: &[&str]) -> Answer {
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
async fn who_calls_must_say_so_where_identities_count() {
    for world in [strict().await, enforcing().await] {
        let read = || world.get(format!("/v1/projects/{PROJECT}"));
        let missing = read().send().await.expect(401);
        assert!(missing.message().starts_with("Request is missing required authentication credential."));
        assert!(missing.header("www-authenticate").unwrap().starts_with("Bearer "));
        let _ = read().bearer("ya29.a0AfH6SMB-a_real_one_of-googles").send().await.expect(401);
        let _ = read().bearer("anything").send().await.expect(401);
        let _ = read().bearer(OWNER_TOKEN).send().await.expect(200);
    }
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

/// The roles of the callers in the table below.
const ROLES: [&str; 6] =
    ["roles/run.viewer", "roles/run.developer", "roles/run.admin", "roles/editor", "roles/owner", "stranger"];

/// What each of [`ROLES`] may do: `y` or `n`, by method, the same through each edge.
const MAY: [(&str, &str); 5] = [
    ("get", "yyyyyn"),
    ("list", "yyyyyn"),
    // Whoever may write services may not yet let them run as an account.
    ("create", "nnnyyn"),
    ("setIamPolicy", "nnynyn"),
    ("delete", "nyyyyn"),
];

/// The status of a method through v1 or v2.
async fn status(world: &World, edge: &str, method: &str, bearer: &str, name: &str) -> u16 {
    let v2 = format!("/v2/projects/{PROJECT}/locations/{REGION}/services");
    let v1 = Owner::services_path();
    let list = if edge == "v1" { &v1 } else { &v2 };
    let template = json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } });
    let policy = json!({ "policy": { "bindings": [] } });
    let asked = match (edge, method) {
        (_, "get") => world.get(format!("{list}/hello")),
        (_, "list") => world.get(list.clone()),
        ("v1", "create") => world.post(format!("{v1}?dryRun=all"), &Owner::service(name)),
        (_, "create") => world.post(format!("{v2}?validateOnly=true&serviceId={name}"), &template),
        ("v1", "setIamPolicy") => {
            world.post(format!("{}:setIamPolicy", Owner::resource_path("hello")), &policy)
        }
        (_, "setIamPolicy") => world.post(format!("{v2}/hello:setIamPolicy"), &policy),
        ("v1", _) => world.ask(Method::DELETE, format!("{v1}/hello?dryRun=all")),
        (_, _) => world.ask(Method::DELETE, format!("{v2}/hello?validateOnly=true")),
    };
    asked.bearer(bearer).send().await.status.as_u16()
}

/// The code of a method through gRPC.
async fn grpc_code(world: &World, method: &str, bearer: &str) -> i32 {
    async fn code<T: grpc::Message + Default>(
        world: &World,
        bearer: &str,
        method: &str,
        asked: impl grpc::Message,
    ) -> i32 {
        let method = format!("google.cloud.run.v2.Services/{method}");
        let answer = grpc::call_as::<T>(world, bearer, &method, &asked).await;
        answer.map_or_else(|refused| refused.code, |_| 0)
    }
    let parent = format!("projects/{PROJECT}/locations/{REGION}");
    let name = format!("{parent}/services/hello");
    match method {
        "get" => {
            let asked = grpc::run::GetServiceRequest { name };
            code::<grpc::run::Service>(world, bearer, "GetService", asked).await
        }
        "list" => {
            let asked = grpc::run::ListServicesRequest { parent, ..Default::default() };
            code::<grpc::run::ListServicesResponse>(world, bearer, "ListServices", asked).await
        }
        "create" => {
            let container =
                grpc::run::Container { image: "gcr.io/demo/hello".to_owned(), ..Default::default() };
            let template = grpc::run::RevisionTemplate { containers: vec![container], ..Default::default() };
            let service = grpc::run::Service { template: Some(template), ..Default::default() };
            let asked = grpc::run::CreateServiceRequest {
                parent,
                service: Some(service),
                service_id: "another".to_owned(),
                validate_only: true,
            };
            code::<grpc::longrunning::Operation>(world, bearer, "CreateService", asked).await
        }
        "setIamPolicy" => {
            let policy = Some(grpc::iam::Policy::default());
            let asked = grpc::iam::SetIamPolicyRequest { resource: name, policy, ..Default::default() };
            code::<grpc::iam::Policy>(world, bearer, "SetIamPolicy", asked).await
        }
        _ => {
            let asked = grpc::run::DeleteServiceRequest { name, validate_only: true, ..Default::default() };
            code::<grpc::longrunning::Operation>(world, bearer, "DeleteService", asked).await
        }
    }
}

#[tokio::test]
async fn a_role_allows_the_same_through_every_edge() {
    let world = enforcing().await;
    let service = format!("/v2/projects/{PROJECT}/locations/{REGION}/services");
    let template = json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } });
    let _ = post(&world, &format!("{service}?serviceId=hello"), &template).await.expect(200);
    let mut tokens = Vec::new();
    let mut bindings = vec![json!({ "role": "roles/owner", "members": ["user:local-owner@example.com"] })];
    for (at, role) in ROLES.iter().enumerate() {
        let who = format!("caller{at}@example.test");
        tokens.push(person(&world, &who).await);
        if *role != "stranger" {
            bindings.push(json!({ "role": role, "members": [format!("user:{who}")] }));
        }
    }
    let policy = json!({ "policy": { "bindings": bindings } });
    let _ = post(&world, &format!("/v1/projects/{PROJECT}:setIamPolicy"), &policy).await.expect(200);
    for (method, may) in MAY {
        for ((role, token), may) in ROLES.iter().zip(&tokens).zip(may.chars()) {
            let expected = if may == 'y' { 200 } else { 403 };
            for edge in ["v1", "v2"] {
                let status = status(&world, edge, method, token, "another").await;
                assert_eq!(status, expected, "{role} {method} through {edge}");
            }
            let code = grpc_code(&world, method, token).await;
            assert_eq!(code, if may == 'y' { 0 } else { 7 }, "{role} {method} through gRPC");
        }
    }
}

#[tokio::test]
async fn a_service_runs_as_an_account_only_for_those_who_may_act_as_it() {
    let world = enforcing().await;
    let ada = person(&world, "ada@example.test").await;
    let project = json!({ "policy": { "bindings": [
        { "role": "roles/owner", "members": ["user:local-owner@example.com"] },
        { "role": "roles/run.developer", "members": ["user:ada@example.test"] },
    ] } });
    let _ = post(&world, &format!("/v1/projects/{PROJECT}:setIamPolicy"), &project).await.expect(200);
    let services = format!("/v2/projects/{PROJECT}/locations/{REGION}/services");
    let body = |open: bool| {
        json!({ "invokerIamDisabled": open, "template": {
            "serviceAccount": EMAIL, "containers": [{ "image": "gcr.io/demo/hello" }] } })
    };
    let deploy = |open| world.post(format!("{services}?serviceId=hello"), &body(open)).bearer(&ada).send();
    let denied = deploy(false).await.expect(403);
    assert_eq!(
        denied.message(),
        format!(
            "Permission 'iam.serviceaccounts.actAs' denied on service account {EMAIL} (or it may not exist)."
        )
    );
    bind(&world, EMAIL, "roles/iam.serviceAccountUser", "user:ada@example.test").await;
    let denied = deploy(true).await.expect(403);
    assert!(denied.message().contains("'run.services.setIamPolicy'"), "{}", denied.message());
    let _ = deploy(false).await.expect(200);
    // What cuts no revision runs as nobody else.
    bind(&world, EMAIL, "roles/iam.serviceAccountUser", "user:eve@example.test").await;
    let tags = json!({ "traffic": [{ "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100, "tag": "t" }] });
    let update = |mask: &str, body: &Value| {
        let path = format!("{services}/hello?updateMask={mask}");
        world.ask(Method::PATCH, path).json(body).bearer(&ada).send()
    };
    let _ = update("traffic", &tags).await.expect(200);
    let denied = update("description", &json!({ "description": "new" })).await.expect(403);
    assert!(denied.message().contains("actAs"), "{}", denied.message());
}

#[tokio::test]
async fn projects_are_read_and_found_through_both_versions() {
    let world = World::start().await;
    let _ = world.get("/v1/projects/other-project").send().await.expect(200);
    let old = world.get(format!("/v1/projects/{PROJECT}")).send().await.expect(200).json();
    let new = world.get(format!("/v3/projects/{PROJECT}")).send().await.expect(200).json();
    assert_eq!(new["name"], format!("projects/{}", old["projectNumber"].as_str().unwrap()));
    assert_eq!((&new["projectId"], &new["state"]), (&json!(PROJECT), &json!("ACTIVE")));
    let ids = async |path: &str| -> Vec<String> {
        let found = world.get(path).send().await.expect(200).json();
        let found = found["projects"].as_array().unwrap().clone();
        found.iter().map(|project| project["projectId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        ids("/v1/projects?filter=lifecycleState:ACTIVE&pageSize=500").await,
        [PROJECT, "other-project"]
    );
    assert_eq!(ids("/v3/projects:search?query=id:other*").await, ["other-project"]);
    assert_eq!(ids("/v1/projects?pageSize=1").await, [PROJECT]);
    let policy = post(&world, &format!("/v3/projects/{PROJECT}:getIamPolicy"), &json!({})).await.expect(200);
    assert_eq!(at(&policy.json(), "/bindings/0/role"), "roles/owner");
    let _ = post(&world, "/revoke", &json!({})).await.expect(501);
}
