//! Does a load balancer of `groundrun.yaml` lead to its services, as the hosted one would?
//!
//! <https://cloud.google.com/load-balancing/docs/negs/serverless-neg-concepts>

use groundrun::config::ConfigFile;
use groundrun::server::ServeOptions;
use groundrun_tests::{Answer, GLOBAL, Http2, Owner, TlsClient, World, at, over_http1, patched};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};

/// The annotation that says from where a service may be called.
const INGRESS: &str = "run.googleapis.com/ingress";

const FILE: &str = "
loadBalancers:
- host: shop.example.test
  address: 198.51.100.7
  paths:
  - {path: /, service: web}
  - {path: /api, service: api, regions: [us-central1, europe-west1]}
  - {path: /api/next, service: api, tag: next}
  - {path: /gone, service: gone}
- host: '*.apps.example.test'
  paths:
  - {path: /, urlMask: '<tag>.apps.example.test/<service>'}
";

/// What is read from a file with this text.
fn balancers(text: &str) -> impl FnOnce(&mut ServeOptions) + use<> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let read = ConfigFile { config: Some(file.path().to_owned()) }.read().unwrap();
    let settings = read.resolve().unwrap();
    move |options| options.balancers = settings.serve_options().balancers
}

async fn world() -> World {
    let world = World::with(balancers(FILE)).await;
    for name in ["api", "web"] {
        world.deploy(name).await;
        world.owner().bind(name, "roles/run.invoker", &["allUsers"]).await;
    }
    world
}

async fn get(world: &World, url: &str) -> Answer {
    world.anonymous().at(url).send().await
}

/// The service, its region, and the path that it saw.
async fn led(world: &World, url: &str) -> (String, String, String) {
    let answer = get(world, url).await.expect(200);
    assert_eq!(answer.header("via"), Some("1.1 google"));
    let json = answer.json();
    let text = |path: &str| at(&json, path).as_str().unwrap().to_owned();
    assert_eq!(text("/request/headers/host"), url.split_once('/').unwrap().0, "the host is kept");
    (text("/service"), text("/region"), text("/request/path"))
}

fn place(service: &str, region: &str, path: &str) -> (String, String, String) {
    (service.to_owned(), region.to_owned(), path.to_owned())
}

/// The page of a host that does not exist, as it passes a load balancer.
#[track_caller]
fn expect_page(answer: Answer) {
    let answer = answer.expect(404);
    assert!(answer.text().contains("<title>404 Page not found</title>"), "{}", answer.text());
    assert_eq!(answer.header("via"), Some("1.1 google"));
}

#[tokio::test]
async fn host_and_path_lead_to_a_service() {
    let world = world().await;
    assert_eq!(led(&world, "shop.example.test/").await, place("web", "us-central1", "/"));
    assert_eq!(led(&world, "shop.example.test/apix").await, place("web", "us-central1", "/apix"));
    assert_eq!(led(&world, "shop.example.test/api").await, place("api", "us-central1", "/api"));
    assert_eq!(led(&world, "Shop.Example.test:8786/api/x").await, place("api", "us-central1", "/api/x"));
    // An escape leads around no path: the service sees it decoded.
    assert_eq!(led(&world, "shop.example.test/%61pi/x").await, place("api", "us-central1", "/api/x"));
    expect_page(get(&world, "shop.example.test/gone").await);
    expect_page(get(&world, "shop.example.test/api/next").await);
    expect_page(get(&world, "one.apps.example.test/").await);
    assert_eq!(get(&world, "example.test/").await.header("via"), None, "no load balancer is there");

    // Without a load balancer in between there is no mark of one.
    let url = world.owner().get("web").await["status"]["url"].as_str().unwrap().to_owned();
    let direct = get(&world, &url).await.expect(200);
    assert_eq!(direct.header("via"), None);
}

#[tokio::test]
async fn the_next_region_takes_over_where_a_service_is_gone() {
    let world = world().await;
    let path = "/v2/projects/demo-project/locations/europe-west1/services?serviceId=api";
    let body = json!({ "template": { "containers": [{ "image": "us-docker.pkg.dev/cloudrun/container/hello" }] },
        "invokerIamDisabled": true });
    let created = world.post(path, &body).host(GLOBAL).bearer(groundrun_engine::OWNER_TOKEN).send().await;
    let _ = created.expect(200);
    assert_eq!(led(&world, "shop.example.test/api").await, place("api", "us-central1", "/api"));

    let _ = world.owner().delete(Owner::service_path("api")).await.expect(200);
    let waiting = async {
        loop {
            let answer = get(&world, "shop.example.test/api").await;
            if answer.status == 200 && answer.json()["region"] == "europe-west1" {
                return;
            }
        }
    };
    tokio::time::timeout(groundrun_tests::DEADLINE, waiting).await.expect("the other region answers");
}

#[tokio::test]
async fn a_mask_and_a_tag_lead_to_a_revision() {
    let world = world().await;
    let owner = world.owner();
    let first = groundrun_tests::revision_name(&owner.get("api").await);
    owner.set_env("api", "A", "1").await;
    let traffic =
        json!([{ "latestRevision": true, "percent": 100 }, { "revisionName": first, "tag": "next" }]);
    owner.set_traffic("api", traffic).await;
    for url in ["shop.example.test/api/next/x", "next.apps.example.test/api", "next.apps.example.test/api/y"]
    {
        let json = get(&world, url).await.expect(200).json();
        assert_eq!(json["revision"], json!(first), "{url}");
    }
    let json = get(&world, "shop.example.test/api").await.expect(200).json();
    assert_ne!(json["revision"], json!(first));
    expect_page(get(&world, "none.apps.example.test/api").await);
}

#[tokio::test]
async fn the_service_sees_the_client_and_then_the_load_balancer() {
    let world = world().await;
    let forwarded = |answer: Answer| at(&answer.json(), "/request/headers/x-forwarded-for").clone();
    let ask = || world.get("/").host("shop.example.test");
    assert_eq!(forwarded(ask().send().await), "127.0.0.1, 198.51.100.7");
    let told = ask().header("x-forwarded-for", "192.0.2.1");
    assert_eq!(forwarded(told.send().await), "192.0.2.1, 127.0.0.1, 198.51.100.7");
    assert_eq!(forwarded(ask().http2(Http2).send().await), "127.0.0.1, 198.51.100.7");
}

/// The host of a load balancer is no audience, and its refusals are those of the service.
#[tokio::test]
async fn tokens_are_checked_as_everywhere() {
    let world = world().await;
    let owner = world.owner();
    let service = owner.get("web").await;
    owner.grant("web").await;
    let audience = "https://shop.example.test";
    let call = |token: String| world.get("/").host("shop.example.test").bearer(token).send();
    let refused = get(&world, "shop.example.test/").await.expect(403);
    assert_eq!(refused.header("via"), Some("1.1 google"));
    call(world.invoker().token(audience).await).await.must_be(401);
    call(world.invoker().token(at(&service, "/status/url").as_str().unwrap()).await).await.must_be(200);
    owner.set_audiences("web", &[audience]).await;
    call(world.invoker().token(audience).await).await.must_be(200);
}

#[tokio::test]
async fn ingress_admits_what_passes_a_load_balancer() {
    let world = world().await;
    let owner = world.owner();
    let url = owner.get("web").await["status"]["url"].as_str().unwrap().to_owned();
    for (ingress, direct, balanced) in [
        ("all", 200, 200),
        ("internal-and-cloud-load-balancing", 404, 200),
        ("internal", 404, 404),
        ("none", 404, 404),
    ] {
        owner.annotate("web", INGRESS, Some(ingress)).await;
        assert_eq!(get(&world, &url).await.status, direct, "{ingress}");
        let answer = get(&world, "shop.example.test/").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("via")),
            (balanced, Some("1.1 google")),
            "{ingress}"
        );
    }
    owner.annotate("web", INGRESS, Some("all")).await;
    owner.annotate("web", "run.googleapis.com/default-url-disabled", Some("true")).await;
    get(&world, &url).await.must_be(404);
    get(&world, "shop.example.test/").await.must_be(200);
}

#[tokio::test]
async fn every_way_into_the_emulator_knows_the_host() {
    let world = world().await;
    let as_proxy = world.get("http://shop.example.test/api").send().await.expect(200);
    assert_eq!(as_proxy.json()["service"], "api");
    let tls = TlsClient::of(&world).await;
    for host in ["shop.example.test", "x.apps.example.test"] {
        let stream = tls.through(&format!("{host}:443"), host, "http/1.1").await.unwrap();
        let request = Request::get("/gone").header("host", host).body(Full::default()).unwrap();
        expect_page(over_http1(stream, request).await);
    }
    let stream = tls.open("shop.example.test", "http/1.1").await.unwrap();
    let request = Request::get("/api").header("host", "shop.example.test").body(Full::default()).unwrap();
    assert_eq!(over_http1(stream, request).await.expect(200).json()["service"], "api");
    let other =
        world.raw(b"CONNECT shop.example.com:443 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(other.starts_with("HTTP/1.1 403"), "{other}");
}

/// A mapped domain below the domain of a wildcard keeps its service; the host of a load balancer is one
/// whatever is mapped.
#[tokio::test]
async fn a_mapped_domain_is_tried_before_a_wildcard_and_after_a_host() {
    let world = world().await;
    for domain in ["shop.example.test", "own.apps.example.test"] {
        let body = json!({ "metadata": { "name": domain }, "spec": { "routeName": "api" } });
        let path = "/v1/projects/demo-project/locations/us-central1/domainmappings";
        let _ = world.post(path, &body).host(GLOBAL).send().await.expect(200);
    }
    let mapped = get(&world, "own.apps.example.test/").await.expect(200);
    assert_eq!((mapped.json()["service"].as_str(), mapped.header("via")), (Some("api"), None));
    assert_eq!(led(&world, "shop.example.test/").await, place("web", "us-central1", "/"));
}

#[tokio::test]
async fn a_restart_and_a_change_of_services_keep_it() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_owned();
    let start = || {
        let with = balancers(FILE);
        World::with(|options| {
            with(options);
            options.data_dir = Some(data.clone());
        })
    };
    let world = start().await;
    world.deploy("web").await;
    world.owner().bind("web", "roles/run.invoker", &["allUsers"]).await;
    get(&world, "shop.example.test/").await.must_be(200);
    let service: Value = patched(&world.owner().get("web").await, "/metadata/labels", json!({ "a": "b" }));
    let _ =
        world.owner().ask(Method::PUT, Owner::service_path("web")).json(&service).send().await.expect(200);
    get(&world, "shop.example.test/").await.must_be(200);
    world.stop().await;
    let world = start().await;
    get(&world, "shop.example.test/").await.must_be(200);
    world.stop().await;
}
