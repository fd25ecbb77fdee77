//! Which accounts are there, and what becomes of one that is disabled, deleted or made anew?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{Answer, Ask, Jwt, Owner, PROJECT, World, at};
use http::Method;
use serde_json::{Value, json};

pub(crate) const EMAIL: &str = "caller@demo-project.iam.gserviceaccount.com";

pub(crate) fn path(account: &str) -> String {
    format!("/v1/projects/-/serviceAccounts/{account}")
}

pub(crate) fn email(id: &str) -> String {
    format!("{id}@{PROJECT}.iam.gserviceaccount.com")
}

pub(crate) async fn strict() -> World {
    World::with(|options| options.strict_identity = true).await
}

pub(crate) async fn enforcing() -> World {
    World::with(|options| options.enforce_api_iam = true).await
}

/// What the owner of the machine asks.
pub(crate) fn ask(world: &World, method: Method, path: &str) -> Ask {
    world.ask(method, path).bearer(OWNER_TOKEN)
}

pub(crate) async fn post(world: &World, path: &str, body: &Value) -> Answer {
    ask(world, Method::POST, path).json(body).send().await
}

pub(crate) async fn create(world: &World, id: &str) -> Value {
    let accounts = format!("/v1/projects/{PROJECT}/serviceAccounts");
    post(world, &accounts, &json!({ "accountId": id })).await.expect(200).json()
}

/// Binds members to a role on the account, and nothing else.
pub(crate) async fn bind(world: &World, account: &str, role: &str, member: &str) {
    let policy = json!({ "bindings": [{ "role": role, "members": [member] }] });
    let _ = post(world, &format!("{}:setIamPolicy", path(account)), &json!({ "policy": policy }))
        .await
        .expect(200);
}

/// A person's access token, by way of a login.
pub(crate) async fn person(world: &World, email: &str) -> String {
    let signed_in = post(world, "/emulator/login", &json!({ "email": email })).await.expect(200).json();
    let refresh = signed_in["refreshToken"].as_str().unwrap().to_owned();
    let answer = refreshed(world, &refresh).await.expect(200).json();
    answer["access_token"].as_str().unwrap().to_owned()
}

pub(crate) async fn refreshed(world: &World, token: &str) -> Answer {
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
