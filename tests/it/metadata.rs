//! Who is a workload to the metadata server, which tokens does it get, and when do they end?

use std::time::Instant;

use groundrun_tests::{Answer, Caller, Client, Jwt, Owner, PROJECT, REGION, World, at, set};
use http::Method;
use serde_json::{Value, json};

const DEFAULT: &str = "/computeMetadata/v1/instance/service-accounts/default";

/// A request as a client library sends it.
async fn ask(client: &Client, path: &str) -> Answer {
    client.get(path).header("metadata-flavor", "Google").send().await
}

async fn text(client: &Client, path: &str) -> String {
    let answer = ask(client, path).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/text"), "{path}");
    answer.text()
}

/// Opens the port of a workload.
async fn open(world: &World, wanted: Value) -> (Client, Value) {
    let opened = world.post("/emulator/workloads", &wanted).send().await.expect(200).json();
    (Client::new(opened["address"].as_str().unwrap().parse().unwrap()), opened)
}

async fn deploy_as(world: &World, name: &str, account: &str) -> String {
    let mut service = Owner::service(name);
    set(&mut service, "/spec/template/spec/serviceAccountName", json!(account));
    let service = world.owner().deploy_as(&service).await;
    at(&service, "/status/url").as_str().unwrap().to_owned()
}

async fn id_token(client: &Client, audience: &str) -> String {
    text(client, &format!("{DEFAULT}/identity?audience={audience}&format=full")).await
}

async fn call(world: &World, url: &str, token: &str) -> Answer {
    Caller::service_account(world, "nobody").at(url).bearer(token).send().await
}

#[tokio::test]
async fn two_services_on_one_machine_are_two_callers() {
    let world = World::start().await;
    let (bound, unbound) = (world.account("a-account"), world.account("other-account"));
    deploy_as(&world, "a", bound.email()).await;
    deploy_as(&world, "other", unbound.email()).await;
    let url = deploy_as(&world, "b", "b-account@demo-project.iam.gserviceaccount.com").await;
    world.owner().bind("b", "roles/run.invoker", &[&bound.member()]).await;

    let (a, opened) = open(&world, json!({ "service": "a" })).await;
    let (other, _) = open(&world, json!({ "service": "other", "region": REGION })).await;
    assert_eq!(opened["serviceAccount"], bound.email());
    assert!(opened["revision"].as_str().unwrap().starts_with("a-"), "{opened}");
    assert_eq!(text(&a, &format!("{DEFAULT}/email")).await, bound.email());
    assert_eq!(text(&other, &format!("{DEFAULT}/email")).await, unbound.email());

    let token = id_token(&a, &url).await;
    let _ = call(&world, &url, &token).await.expect(200);
    let _ = call(&world, &url, &id_token(&other, &url).await).await.expect(403);
    let claims = Jwt::read(&token).claims;
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(bound.email()), &json!(true)));
    assert_eq!(claims["azp"], claims["sub"]);
    assert_eq!(claims["aud"], url.as_str());
    // An access token is no ID token.
    let access = ask(&a, &format!("{DEFAULT}/token?scopes=x,y")).await.expect(200).json();
    assert_eq!((&access["token_type"], &access["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let _ = call(&world, &url, access["access_token"].as_str().unwrap()).await.expect(401);
    world.stop().await;
}

#[tokio::test]
async fn the_port_of_the_emulator_speaks_for_the_default_account() {
    let world = World::start().await;
    let number = text(&world, "/computeMetadata/v1/project/numeric-project-id").await;
    let email = format!("{number}-compute@developer.gserviceaccount.com");
    assert_eq!(text(&world, &format!("{DEFAULT}/email")).await, email);
    assert_eq!(text(&world, "/computeMetadata/v1/project/project-id").await, PROJECT);
    assert_eq!(
        text(&world, "/computeMetadata/v1/instance/region").await,
        format!("projects/{number}/regions/{REGION}")
    );
    for host in ["metadata.google.internal", "169.254.169.254"] {
        let by_host = world.get(format!("{DEFAULT}/email")).host(host).header("Metadata-Flavor", "Google");
        assert_eq!(by_host.send().await.expect(200).text(), email);
        let through_proxy =
            world.get(format!("http://{host}{DEFAULT}/email")).header("Metadata-Flavor", "Google");
        assert_eq!(through_proxy.send().await.expect(200).text(), email);
        let _ = world.get("/").host(host).send().await.expect(200);
    }
    let all = ask(&world, &format!("{DEFAULT}/?recursive=true")).await.expect(200);
    assert_eq!(all.header("content-type"), Some("application/json"));
    assert_eq!(all.json()["email"], email.as_str());
    assert_eq!(all.json().get("token"), None);
    let listed = text(&world, "/computeMetadata/v1/instance/service-accounts/").await;
    assert_eq!(listed, format!("{email}/\ndefault/\n"));

    let named = World::with(|options| options.metadata_account = Some("dev@example.com".to_owned())).await;
    assert_eq!(text(&named, &format!("{DEFAULT}/email")).await, "dev@example.com");
    let token = id_token(&named, "aud1").await;
    assert_eq!(Jwt::read(&token).claims["email"], "dev@example.com");
}

#[tokio::test]
async fn clients_find_out_by_the_root_where_they_run() {
    let world = World::start().await;
    let (workload, _) = open(&world, json!({})).await;
    for client in [&*world, &workload] {
        let ping = ask(client, "/").await.expect(200);
        assert_eq!(ping.header("metadata-flavor"), Some("Google"));
        let moved = ask(client, "/computeMetadata/v1/instance?recursive=true").await.expect(301);
        assert_eq!(moved.header("metadata-flavor"), Some("Google"));
        assert_eq!(moved.header("location"), Some("/computeMetadata/v1/instance/?recursive=true"));
    }
    // Without the header the root of the emulator is the page for people; that of a workload answers all.
    let page = world.get("/").send().await.expect(200);
    assert_eq!(page.header("metadata-flavor"), None);
    let ping = workload.get("/").send().await.expect(200);
    assert_eq!(
        (ping.header("metadata-flavor"), ping.text()),
        (Some("Google"), "computeMetadata/\n".to_owned())
    );
}

#[tokio::test]
async fn who_may_not_ask_is_refused() {
    let world = World::start().await;
    let id = "/computeMetadata/v1/instance/id";
    let refused = world.get(id).send().await.expect(403);
    assert!(
        refused.text().contains("Missing required header \"Metadata-Flavor\": \"Google\""),
        "{}",
        refused.text()
    );
    assert_eq!(refused.header("metadata-flavor"), Some("Google"));
    let _ = world.get(id).header("Metadata-Flavor", "Bing").send().await.expect(403);
    let flavored = |method| world.ask(method, id).header("Metadata-Flavor", "Google");
    let _ = flavored(Method::GET).header("X-Forwarded-For", "10.0.0.1").send().await.expect(403);
    let _ = flavored(Method::POST).send().await.expect(405);
    let _ = flavored(Method::HEAD).send().await.expect(200);
    let _ = ask(&world, "/computeMetadata/v1/instance/attributes/").await.expect(404);
    let no_audience = ask(&world, &format!("{DEFAULT}/identity")).await.expect(400);
    assert_eq!(no_audience.text(), "non-empty audience parameter required\n");
}

#[tokio::test]
async fn an_answer_can_wait_for_a_change() {
    let world = World::with(|options| {
        options.strict_identity = true;
        options.metadata_account = Some("late-account@demo-project.iam.gserviceaccount.com".to_owned());
    })
    .await;
    // Strict: the account is not there yet, for tokens neither.
    let accounts = "/computeMetadata/v1/instance/service-accounts/";
    let _ = ask(&world, &format!("{DEFAULT}/token")).await.expect(404);
    let empty = ask(&world, accounts).await.expect(200);
    let etag = empty.header("etag").unwrap().to_owned();
    assert_eq!(ask(&world, accounts).await.expect(200).header("etag"), Some(etag.as_str()));

    let waiting = format!("{accounts}?wait_for_change=true&last_etag={etag}&timeout_sec=");
    let begun = Instant::now();
    let same = ask(&world, &format!("{waiting}1")).await.expect(200);
    assert!(begun.elapsed().as_millis() >= 900, "it was answered before anything changed");
    assert_eq!(same.header("etag"), Some(etag.as_str()));

    let path = format!("/v1/projects/{PROJECT}/serviceAccounts");
    let body = json!({ "accountId": "late-account" });
    let target = format!("{waiting}600");
    let (changed, _) = tokio::join!(ask(&world, &target), async {
        world.owner().ask(Method::POST, path).json(&body).send().await.expect(200)
    });
    assert_ne!(changed.expect(200).header("etag"), Some(etag.as_str()));
    let _ = ask(&world, &format!("{DEFAULT}/token")).await.expect(200);
    // Who knows something else need not wait.
    let _ = ask(&world, &target).await.expect(200);
}

#[tokio::test]
async fn a_workload_is_there_until_it_is_closed() {
    let world = World::start().await;
    let (workload, opened) = open(&world, json!({ "serviceAccount": "dev@example.com" })).await;
    assert_eq!(text(&workload, &format!("{DEFAULT}/email")).await, "dev@example.com");
    let list = world.get("/emulator/workloads").send().await.expect(200).json();
    assert_eq!(list["workloads"], json!([opened]));
    // As gcloud asks it: with the emulator as a proxy.
    let through_proxy = format!("http://{}{DEFAULT}/email", workload.address());
    let of_workload = ask(&world, &through_proxy).await.expect(200);
    assert_eq!(of_workload.text(), "dev@example.com");
    let path = format!("/emulator/workloads/{}", opened["id"].as_str().unwrap());
    let _ = world.ask(Method::DELETE, &path).send().await.expect(200);
    let closed = async {
        while tokio::net::TcpStream::connect(workload.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(groundrun_tests::DEADLINE, closed).await.expect("the port is closed");
    let _ = world.ask(Method::DELETE, &path).send().await.expect(404);
    assert_ne!(ask(&world, &through_proxy).await.expect(200).text(), "dev@example.com");

    for wrong in [
        json!({ "service": "a", "serviceAccount": "b@c.d" }),
        json!({ "serviceAccount": "nobody" }),
        json!({ "project": "demo-project" }),
        json!({ "services": "a" }),
    ] {
        let _ = world.post("/emulator/workloads", &wrong).send().await.expect(400);
    }
    let _ = world.post("/emulator/workloads", &json!({ "service": "none" })).send().await.expect(404);
    let foreign = world.post("/emulator/workloads", &json!({})).header("origin", "https://example.com");
    let _ = foreign.send().await.expect(403);
}

#[tokio::test]
async fn tokens_end_when_the_clock_says_so() {
    let world = World::start().await;
    let caller = world.account("a-account");
    let url = deploy_as(&world, "b", "b-account@demo-project.iam.gserviceaccount.com").await;
    world.owner().bind("b", "roles/run.invoker", &[&caller.member()]).await;
    let (workload, _) = open(&world, json!({ "serviceAccount": caller.email() })).await;
    let access = async || {
        let token = ask(&workload, &format!("{DEFAULT}/token")).await.expect(200).json();
        token["access_token"].as_str().unwrap().to_owned()
    };
    let (id_token_before, access_before) = (id_token(&workload, &url).await, access().await);
    let projects = async |token: &str| world.get("/v1/projects").bearer(token).send().await;
    let _ = call(&world, &url, &id_token_before).await.expect(200);
    let _ = projects(&access_before).await.expect(200);

    let moved = world.post("/emulator/clock", &json!({ "advance": "2h" })).send().await.expect(200).json();
    assert_eq!(moved["offset"], "7200s");
    let _ = call(&world, &url, &id_token_before).await.expect(401);
    let _ = projects(&access_before).await.expect(401);
    let (id_token_after, access_after) = (id_token(&workload, &url).await, access().await);
    let _ = call(&world, &url, &id_token_after).await.expect(200);
    let _ = projects(&access_after).await.expect(200);

    // Back again: the first token is as good as before, the second one is of the future.
    let reset = world.post("/emulator/clock", &json!({ "reset": true })).send().await.expect(200).json();
    assert_eq!(reset["offset"], "0s");
    let _ = call(&world, &url, &id_token_before).await.expect(200);
    let _ = call(&world, &url, &id_token_after).await.expect(401);
}

#[tokio::test]
async fn the_clock_can_be_read_and_set() {
    let world = World::start().await;
    let to = json!({ "now": "2030-02-03T04:05:06Z" });
    let set = world.post("/emulator/clock", &to).send().await.expect(200).json();
    assert!(set["now"].as_str().unwrap().starts_with("2030-02-03T04:05:06."), "{set}");
    let shown = world.get("/emulator/clock").send().await.expect(200).json();
    assert_eq!(shown["offset"], set["offset"]);
    // What is stored from now on has the new time.
    let service = world.deploy("hello").await;
    assert!(at(&service, "/metadata/creationTimestamp").as_str().unwrap().starts_with("2030-02-03T04:05:"));
    for wrong in [
        json!({}),
        json!({ "advance": "1h", "reset": true }),
        json!({ "advance": "-1h" }),
        json!({ "advance": "9999999d" }),
        json!({ "now": "tomorrow" }),
        json!({ "now": "1969-01-01T00:00:00Z" }),
        json!({ "later": "1h" }),
    ] {
        let _ = world.post("/emulator/clock", &wrong).send().await.expect(400);
    }
    let foreign = world.post("/emulator/clock", &to).header("origin", "https://example.com");
    let _ = foreign.send().await.expect(403);
    let after = world.get("/emulator/clock").send().await.expect(200).json();
    assert_eq!(after["offset"], set["offset"]);
}
