//! Does a load balancer lead where its paths, regions and masks say?

use super::*;
use crate::routing::tests::{facts, service, spec};
use crate::routing::{Closed, Ingress, Origin, RouteFacts};

const ADDRESS: IpAddr = crate::routing::origin::BALANCER_ADDRESS;

fn rule(path: &str, backend: Backend, regions: &[&str]) -> PathRule {
    PathRule {
        path: PathPrefix::parse(path).unwrap(),
        backend,
        project: Project::parse("demo-project").unwrap(),
        regions: regions.iter().map(|region| Region::parse(region).unwrap()).collect(),
    }
}

fn to(path: &str, name: &str, regions: &[&str]) -> PathRule {
    rule(path, Backend::Service { name: ServiceName::parse(name, "f").unwrap(), tag: None }, regions)
}

fn to_tag(path: &str, name: &str, tag: &str) -> PathRule {
    let backend =
        Backend::Service { name: ServiceName::parse(name, "f").unwrap(), tag: Some(tag.to_owned()) };
    rule(path, backend, &["us-central1"])
}

fn masked(path: &str, mask: &str, regions: &[&str]) -> PathRule {
    rule(path, Backend::Mask(UrlMask::parse(mask).unwrap()), regions)
}

fn at(host: &str, paths: Vec<PathRule>) -> LoadBalancer {
    LoadBalancer { host: BalancerHost::parse(host).unwrap(), address: ADDRESS, paths }
}

/// Services `api` in two regions, `web` in one, and `only-eu`; each has the tag `green`.
fn table(balancers: Vec<LoadBalancer>) -> RoutingTable {
    let services = [
        ("us-central1", "api"),
        ("europe-west1", "api"),
        ("us-central1", "web"),
        ("europe-west1", "only-eu"),
        ("us-central1", "b-c"),
    ];
    let all = services.map(|(region, name)| service("demo-project", region, name));
    let table = all.iter().fold(RoutingTable::default(), |table, id| {
        let tags = vec![("green".to_owned(), Arc::new(spec(id, "api-00002-abc")))];
        table.with(Route::build(RouteFacts { tags, ..facts(id) }))
    });
    table.with_balancers(Arc::new(Balancers::new(balancers)))
}

/// The service, its region and the tag that a URL leads to; or that it leads nowhere.
fn led(table: &RoutingTable, url: &str) -> String {
    let (host, path) = url.split_at(url.find('/').unwrap());
    match table.route_at(host, path) {
        None => "nowhere".to_owned(),
        Some(found) => {
            let tag = found.tag.map_or_else(String::new, |tag| format!(" {tag}"));
            format!("{} {}{tag}", found.route.id.name, found.route.id.region)
        }
    }
}

#[track_caller]
fn check(table: &RoutingTable, expected: &[(&str, &str)]) {
    for (url, expected) in expected {
        assert_eq!(led(table, url), *expected, "{url}");
    }
}

#[test]
fn the_longest_path_by_whole_segments_leads() {
    let both = ["us-central1", "europe-west1"];
    let table = table(vec![at(
        "shop.example.test",
        vec![
            to("/", "web", &both),
            to("/api", "api", &both),
            to_tag("/api/v2", "api", "green"),
            to_tag("/red", "api", "red"),
            to("/gone", "gone", &both),
        ],
    )]);
    check(
        &table,
        &[
            ("shop.example.test/", "web us-central1"),
            ("shop.example.test/apix", "web us-central1"),
            ("shop.example.test/API", "web us-central1"),
            ("shop.example.test/api", "api us-central1"),
            ("shop.example.test/api/", "api us-central1"),
            ("shop.example.test/api/x", "api us-central1"),
            ("shop.example.test/api/v2", "api us-central1 green"),
            ("shop.example.test/api/v20", "api us-central1"),
            ("shop.example.test/red", "nowhere"),
            ("shop.example.test/gone", "nowhere"),
            ("x.shop.example.test/", "nowhere"),
        ],
    );
    let found = table.route_at("shop.example.test", "/").unwrap();
    assert_eq!(found.entry, Entry::Balancer(ADDRESS));
    assert!(table.is_balanced("shop.example.test") && !table.is_balanced("example.test"));
    assert!(table.route("shop.example.test").is_none(), "without a path no load balancer is asked");
}

#[test]
fn the_nearest_region_that_has_the_service_answers() {
    let table = table(vec![at(
        "shop.example.test",
        vec![
            to("/near", "api", &["europe-west1", "us-central1"]),
            to("/far", "only-eu", &["us-central1", "europe-west1"]),
            to("/away", "only-eu", &["us-central1"]),
            masked("/m", "/m/<service>", &["us-central1", "europe-west1"]),
        ],
    )]);
    check(
        &table,
        &[
            ("shop.example.test/near", "api europe-west1"),
            ("shop.example.test/far", "only-eu europe-west1"),
            ("shop.example.test/away", "nowhere"),
            ("shop.example.test/m/api", "api us-central1"),
            ("shop.example.test/m/only-eu", "only-eu europe-west1"),
            ("shop.example.test/", "nowhere"),
        ],
    );
    // What is gone in one region is taken over by the next, and comes back.
    let id = service("demo-project", "europe-west1", "api");
    let without = table.without(&id);
    check(&without, &[("shop.example.test/near", "api us-central1")]);
    check(&without.with(Route::build(facts(&id))), &[("shop.example.test/near", "api europe-west1")]);
}

#[test]
fn a_mask_finds_the_service_and_the_tag() {
    let here = ["us-central1"];
    let table = table(vec![
        at("*.example.test", vec![masked("/", "<tag>.<service>.example.test", &here)]),
        at("*.shop.example.test", vec![masked("/", "<service>.shop.example.test", &here)]),
        at("*.apps.test", vec![masked("/", "<tag>.apps.test/<service>", &here)]),
        at("one.apps.test", vec![to("/", "web", &here)]),
        at("*.dash.test", vec![masked("/", "<tag>-<service>.dash.test", &here)]),
    ]);
    check(
        &table,
        &[
            ("green.api.example.test/x", "api us-central1 green"),
            ("red.api.example.test/", "nowhere"),
            ("green.gone.example.test/", "nowhere"),
            ("api.example.test/", "nowhere"),
            ("api.shop.example.test/", "api us-central1"),
            ("green.apps.test/web/x", "web us-central1 green"),
            ("green.apps.test/", "nowhere"),
            ("one.apps.test/x", "web us-central1"),
            ("green-b-c.dash.test/", "b-c us-central1 green"),
        ],
    );
    for host in ["a.example.test", "a.b.c.example.test"] {
        assert!(table.is_balanced(host), "{host}");
    }
    for host in ["example.test", "xexample.test", "test"] {
        assert!(!table.is_balanced(host), "{host}");
    }
}

#[test]
fn hosts_of_services_come_first_then_load_balancers_then_domains_then_wildcards() {
    let here = ["us-central1"];
    let api = service("demo-project", "us-central1", "api");
    let table = table(vec![
        at("shop.example.test", vec![to("/", "web", &here)]),
        at("*.example.test", vec![to("/", "b-c", &here)]),
    ]);
    let table = table.with_domains([
        ("shop.example.test".to_owned(), api.clone()),
        ("own.example.test".to_owned(), api.clone()),
        ("lost.example.test".to_owned(), service("demo-project", "us-central1", "gone")),
    ]);
    check(
        &table,
        &[
            ("shop.example.test/", "web us-central1"),
            ("own.example.test/", "api us-central1"),
            ("lost.example.test/", "nowhere"),
            ("other.example.test/", "b-c us-central1"),
        ],
    );
    assert!(!table.is_balanced("own.example.test") && table.is_balanced("other.example.test"));
    // It stays through whatever else is published.
    let later = table.with(Route::build(facts(&api))).without(&api).with_domains([]);
    check(&later, &[("own.example.test/", "b-c us-central1")]);
}

#[test]
fn behind_a_load_balancer_a_client_comes_from_that() {
    let id = service("demo-project", "us-central1", "hello");
    let closed = |ingress, default_url_disabled, entry, client| {
        let route = Arc::new(Route::build(RouteFacts { ingress, default_url_disabled, ..facts(&id) }));
        HostMatch { route: &route, tag: None, entry }.closed_to(client)
    };
    let balanced = Entry::Balancer(ADDRESS);
    use Ingress::{All, Internal, InternalAndCloudLoadBalancing as Both, None as Nobody};
    for client in [Origin::External, Origin::Internal, Origin::LoadBalancer] {
        assert_eq!(closed(All, true, balanced, client), None);
        assert_eq!(closed(Both, true, balanced, client), None);
        assert_eq!(closed(Internal, false, balanced, client), Some(Closed::Ingress(Internal)));
        assert_eq!(closed(Nobody, false, balanced, client), Some(Closed::Ingress(Nobody)));
    }
    for entry in [Entry::Own, Entry::Mapped] {
        assert_eq!(closed(Both, false, entry, Origin::LoadBalancer), None);
        assert_eq!(closed(Both, false, entry, Origin::External), Some(Closed::Ingress(Both)));
        assert_eq!(closed(Internal, false, entry, Origin::LoadBalancer), Some(Closed::Ingress(Internal)));
        assert_eq!(closed(Internal, false, entry, Origin::Internal), None);
    }
    assert_eq!(closed(All, true, Entry::Own, Origin::LoadBalancer), Some(Closed::DefaultUrlDisabled));
}

#[test]
fn what_is_no_host_or_path_is_refused() {
    for good in ["shop.example.test", "*.example.test", "shop.localhost", "a.b.c.d"] {
        assert!(BalancerHost::parse(good).is_ok(), "{good}");
    }
    for (bad, why) in [
        ("", "is not a host"),
        ("localhost", "is not a host"),
        ("*", "is not a host"),
        ("*.test", "is not a host"),
        ("*.*.example.test", "is not a host"),
        ("Shop.example.test", "is not a host"),
        ("shop.example.test:80", "is not a host"),
        ("https://shop.example.test", "is not a host"),
        ("127.0.0.1", "is not a host"),
        ("run.googleapis.com", "leads elsewhere"),
        ("hello-1.us-central1.run.app", "leads elsewhere"),
        ("metadata.google.internal", "leads elsewhere"),
        ("*.run.app", "leads elsewhere"),
        ("*.run.localhost", "leads elsewhere"),
        ("*.googleapis.com", "leads elsewhere"),
        ("*.google.com", "leads elsewhere"),
        ("*.google.internal", "leads elsewhere"),
    ] {
        let told = BalancerHost::parse(bad).unwrap_err();
        assert!(told.contains(why) && told.starts_with(&format!("'{bad}'")), "{bad}: {told}");
    }
    for good in ["/", "/api", "/api/v1", "/a-b_c.d~e", "/%20"] {
        assert!(PathPrefix::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "api", "/api/", "//", "/api/*", "/a?b", "/a#b", "/a b", "/ä"] {
        assert!(PathPrefix::parse(bad).unwrap_err().starts_with(&format!("'{bad}' is not")), "{bad}");
    }
}
