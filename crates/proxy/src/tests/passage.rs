//! What do session affinity and load balancers add, and who may say where a request comes from?

use std::sync::Arc;

use groundrun_model::instance::InstanceSpec;
use groundrun_model::routing::balancer::{Backend, BalancerHost, LoadBalancer, PathPrefix, PathRule};
use groundrun_model::routing::{Balancers, Ingress, Origin};
use http::{HeaderMap, HeaderValue};

use super::{World, get, id, public, revision};
use crate::affinity;

const HOST: &str = "shop.example.test";

/// A public service that has affinity, behind a load balancer.
fn world() -> World {
    let mut service = public();
    let sticky = InstanceSpec { session_affinity: true, ..(*revision("hello-00001-abc")).clone() };
    service.split = vec![(100, Arc::new(sticky))];
    let world = service.up();
    let rule = PathRule {
        path: PathPrefix::parse("/x").unwrap(),
        backend: Backend::Service { name: id().name, tag: None },
        project: id().project,
        regions: vec![id().region],
    };
    let host = BalancerHost::parse(HOST).unwrap();
    let balancer = LoadBalancer { host, address: "198.51.100.7".parse().unwrap(), paths: vec![rule] };
    let balancers = Arc::new(Balancers::new([balancer]));
    let table = world.plane.0.table.load().with_balancers(balancers);
    world.plane.0.table.store(Arc::new(table));
    world
}

#[tokio::test]
async fn a_response_through_a_load_balancer_is_marked_whatever_it_is() {
    let world = World { authority: HOST.to_owned(), ..world() };
    for (path, status) in [("/x", 200), ("/y", 404), ("/eventlog", 404)] {
        let answer = world.send(get(path)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["via"]),
            (status, &"1.1 google".parse().unwrap())
        );
    }
    let answer = world.send(get("/x").header("x-forwarded-for", "192.0.2.1")).await;
    assert_eq!(answer.echoed("x-forwarded-for"), "192.0.2.1, 203.0.113.7, 198.51.100.7");
    assert_eq!(answer.echoed("forwarded"), "for=\"203.0.113.7\";proto=https");
    let own = World { authority: super::host(), ..world };
    assert!(!own.send(get("/x")).await.headers.contains_key("via"));
}

#[tokio::test]
async fn the_cookie_is_set_once() {
    let world = world();
    let first = world.send(get("/")).await;
    let cookie = first.headers["set-cookie"].to_str().unwrap();
    assert_eq!(cookie, "GAESA=AQAAAAAAAAAA; expires=Tue, 15-Sep-2026 09:23:43 GMT; path=/");
    let answer = world.send(get("/").header("cookie", "GAESA=AQAAAAAAAAAA")).await;
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("cache-control"));
}

#[test]
fn the_cookies_of_the_application_stay() {
    let mut headers = HeaderMap::new();
    headers.insert("set-cookie", HeaderValue::from_static("a=b"));
    headers.insert("cache-control", HeaderValue::from_static("public"));
    affinity::set_cookie(&mut headers, None);
    assert_eq!(headers["cache-control"], "public");
    affinity::set_cookie(&mut headers, Some("GAESA=x; path=/"));
    let all: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(all, ["a=b", "GAESA=x; path=/"]);
    assert_eq!(headers["cache-control"], "private");
}

/// The client of these tests calls from elsewhere.
#[tokio::test]
async fn who_is_not_on_this_machine_does_not_say_where_from() {
    let mut service = public();
    service.ingress = Ingress::Internal;
    let world = service.up();
    for (origin, expected) in [(Origin::External, 404), (Origin::LoadBalancer, 404), (Origin::Internal, 200)]
    {
        let world = World { origin, plane: world.plane.clone(), ..public().up() };
        for told in ["internal", "external"] {
            let answer = world.send(get("/").header("x-groundrun-origin", told)).await;
            assert_eq!(answer.status.as_u16(), expected, "{origin:?} and {told}");
        }
    }
}
