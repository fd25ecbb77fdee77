//! Who is inside, and what does that open?
//!
//! <https://cloud.google.com/run/docs/securing/ingress>

use std::net::{Ipv4Addr, SocketAddr};

use groundrun_tests::{Answer, Client, Http2, World, at};
use serde_json::json;

const INGRESS: &str = "run.googleapis.com/ingress";
const ORIGIN: &str = "x-groundrun-origin";

/// A public service with this ingress setting, and its URL.
async fn with_ingress(world: &World, name: &str, ingress: &str) -> String {
    world.deploy(name).await;
    world.owner().bind(name, "roles/run.invoker", &["allUsers"]).await;
    let service = world.owner().annotate(name, INGRESS, Some(ingress)).await;
    at(&service, "/status/url").as_str().unwrap().to_owned()
}

fn host(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

/// The page that says that there is no such service, and why it is not there.
#[track_caller]
fn expect_closed(answer: Answer, why: &str) {
    let answer = answer.expect(404);
    assert!(answer.text().contains("<title>404 Page not found</title>"), "{}", answer.text());
    let told = answer.header("x-groundrun-explain").unwrap_or_default();
    assert!(told.contains(why), "{told}");
}

#[tokio::test]
async fn a_client_on_this_machine_says_where_it_calls_from() {
    let world = World::start().await;
    with_ingress(&world, "hello", "all").await;
    for (ingress, internal, balanced) in [
        ("all", 200, 200),
        ("internal", 200, 404),
        ("internal-and-cloud-load-balancing", 200, 200),
        ("none", 404, 404),
    ] {
        let service = world.owner().annotate("hello", INGRESS, Some(ingress)).await;
        let url = at(&service, "/status/url").as_str().unwrap();
        for (told, expected) in [("internal", internal), ("load-balancer", balanced)] {
            let answer = world.get("/").host(host(url)).header(ORIGIN, told).send().await;
            assert_eq!(answer.status.as_u16(), expected, "{ingress} from {told}");
        }
        let outside = if ingress == "all" { 200 } else { 404 };
        for told in ["external", "", "Internal", "inside"] {
            let answer = world.get("/").host(host(url)).header(ORIGIN, told).send().await;
            assert_eq!(answer.status.as_u16(), outside, "{ingress} from {told}");
        }
    }
}

#[tokio::test]
async fn no_instance_sees_the_header_and_no_proxy_passes_it_on() {
    let world = World::start().await;
    let url = with_ingress(&world, "hello", "internal").await;
    let ask = || world.get("/").host(host(&url)).header(ORIGIN, "internal");
    for answer in [ask().send().await, ask().http2(Http2).send().await] {
        let json = answer.expect(200).json();
        assert!(json["request"]["headers"].get(ORIGIN).is_none(), "{json:#}");
    }
    for passed_on in ["x-forwarded-for", "forwarded", "via"] {
        expect_closed(ask().header(passed_on, "x").send().await, "from outside");
    }
    expect_closed(ask().header(ORIGIN, "internal").send().await, "from outside");
    // An open service loses it too.
    world.owner().annotate("hello", INGRESS, Some("all")).await;
    let json = ask().header(ORIGIN, "external").send().await.expect(200).json();
    assert!(json["request"]["headers"].get(ORIGIN).is_none(), "{json:#}");
}

#[tokio::test]
async fn the_page_says_nothing_and_the_reason_says_how_to_get_in() {
    let world = World::start().await;
    let url = with_ingress(&world, "hello", "internal").await;
    let refused = world.get("/").host(host(&url)).send().await;
    expect_closed(refused, "x-groundrun-origin: internal");
    world.owner().annotate("hello", INGRESS, Some("internal-and-cloud-load-balancing")).await;
    let refused = world.get("/").host(host(&url)).send().await;
    expect_closed(refused, "x-groundrun-origin: load-balancer");
    world.owner().annotate("hello", INGRESS, Some("none")).await;
    let refused = world.get("/").host(host(&url)).header(ORIGIN, "internal").send().await;
    expect_closed(refused, "nobody may call it");
}

/// Being inside opens the door and nothing else: a private service wants its token all the same.
#[tokio::test]
async fn who_is_inside_needs_a_token_like_everybody() {
    let world = World::start().await;
    let url = with_ingress(&world, "hello", "internal").await;
    world.owner().grant("hello").await;
    let ask = || world.get("/").host(host(&url)).header(ORIGIN, "internal");
    ask().send().await.must_be(403);
    ask().bearer(world.invoker().token(&url).await).send().await.must_be(200);
    ask().bearer(world.stranger().token(&url).await).send().await.must_be(403);
}

#[tokio::test]
async fn the_port_of_a_workload_is_inside() {
    let world = World::start().await;
    let url = with_ingress(&world, "hello", "internal").await;
    let opened = world.post("/emulator/workloads", &json!({})).send().await.expect(200).json();
    let workload = Client::new(opened["address"].as_str().unwrap().parse().unwrap());
    // A workload reaches services by having its port for a proxy.
    let through = |client: &Client| client.get(format!("{url}/")).send();
    through(&workload).await.must_be(200);
    expect_closed(through(&world).await, "from outside");
    let told = workload.get(format!("{url}/")).header(ORIGIN, "external").send().await;
    expect_closed(told, "from outside");
    world.owner().annotate("hello", INGRESS, Some("none")).await;
    through(&workload).await.must_be(404);
}

#[tokio::test]
async fn a_second_port_may_be_inside() {
    let world = World::with(|options| {
        options.internal_listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    })
    .await;
    let url = with_ingress(&world, "hello", "internal").await;
    let inside = Client::new(world.server().internal_address().unwrap());
    assert_ne!(inside.address(), world.address());
    let ask = |client: &Client| client.get("/").host(host(&url));
    ask(&inside).send().await.must_be(200);
    ask(&inside).http2(Http2).send().await.must_be(200);
    // Also when another proxy stands before it.
    ask(&inside).header("x-forwarded-for", "192.0.2.1").send().await.must_be(200);
    ask(&world).send().await.must_be(404);
    // It is a port like the other in all else.
    inside.get("/computeMetadata/v1/").send().await.must_be(403);
    let address = inside.address();
    world.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "it is closed with the other");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let world = World::start().await;
    let settings = groundrun::config::Settings::default();
    let options = groundrun::server::ServeOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        internal_listen: Some(address),
        data_dir: None,
        ..settings.serve_options()
    };
    let error = groundrun::server::start(options).await.unwrap_err().to_string();
    assert!(error.contains(&address.to_string()), "{error}");
    world.stop().await;
}
