//! Does every URL that is reported lead to its service and tag, whatever else is there?

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::balancer::{Backend, BalancerHost, LoadBalancer, PathPrefix, PathRule};
use super::tests::{facts, service, spec};
use super::*;
use crate::door::{self, Door};
use crate::url::{ServiceHosts, UrlStyle, tag_splits};

/// Services with their tags.
type Services = BTreeMap<ServiceId, BTreeSet<String>>;

/// Names that look like tags, codes and numbers, and such as have the mark of a tag in them.
fn name() -> impl Strategy<Value = String> {
    let plain = "[a-c](-?[a-c0-9]){0,3}";
    prop_oneof![
        6 => plain,
        1 => ("[a-c]", "[a-c]").prop_map(|(a, b)| format!("{a}---{b}")),
        1 => ("[a-c]", "[a-c]").prop_map(|(a, b)| format!("{a}----{b}")),
        1 => ("[a-c]", "[a-c]").prop_map(|(a, b)| format!("{a}--{b}")),
        1 => Just("uc".to_owned()),
    ]
}

fn services() -> impl Strategy<Value = Services> {
    let region = prop_oneof![Just("us-central1"), Just("europe-west1"), Just("mars-north7")];
    let project = prop_oneof![Just("demo-project"), Just("other-project")];
    let id = (project, region, name()).prop_map(|(project, region, name)| service(project, region, &name));
    let tags = proptest::collection::btree_set(name(), 0..4);
    proptest::collection::btree_map(id, tags, 1..8)
}

fn table(services: &Services) -> RoutingTable {
    services.iter().fold(RoutingTable::default(), |table, (id, tags)| {
        let tag = |tag: &String| (tag.clone(), Arc::new(spec(id, "a-00001-abc")));
        table.with(Route::build(RouteFacts { tags: tags.iter().map(tag).collect(), ..facts(id) }))
    })
}

/// The URLs that a service reports in both styles, each with its tag, and its tag hosts in the other form.
fn reported(id: &ServiceId, tags: &BTreeSet<String>) -> Vec<(String, Option<String>)> {
    let hosts = ServiceHosts::new(id);
    let mut all: Vec<(String, Option<String>)> = Vec::new();
    for style in [UrlStyle::Hosted, UrlStyle::Local] {
        let config = UrlConfig { style, port: 8786 };
        all.extend(config.urls(&hosts).all.into_iter().map(|url| (url, None)));
        all.extend(tags.iter().map(|tag| (config.tag_url(&hosts, tag), Some(tag.clone()))));
    }
    for (host, tag) in hosts.iter().flat_map(|host| tags.iter().map(move |tag| (host, tag))) {
        all.push((format!("https://{tag}---{host}"), Some(tag.clone())));
    }
    all
}

fn authority(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

/// Every reading of a host as a service or as a tag of one, among those that are there.
fn meanings(services: &Services, host: &str) -> Vec<(ServiceId, Option<String>)> {
    let own = |host: &str| {
        let has = |id: &&ServiceId| ServiceHosts::new(id).iter().any(|own| **own == *host);
        services.keys().filter(has).cloned().collect::<Vec<_>>()
    };
    let mut all: Vec<_> = own(host).into_iter().map(|id| (id, None)).collect();
    for (tag, rest) in tag_splits(host) {
        let tagged = own(rest).into_iter().filter(|id| services[id].contains(tag));
        all.extend(tagged.map(|id| (id, Some(tag.to_owned()))));
    }
    all
}

/// Where an authority leads: to which service and tag.
fn led(table: &RoutingTable, authority: &str, path: &str) -> Option<(ServiceId, Option<String>)> {
    match door::classify(table, Some(authority), path, false) {
        Door::DataPlane(found) => Some((found.route.id.clone(), found.tag.map(str::to_owned))),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where names have `---` in them two services can have one host (`a---b` of `c` and `a` of `b---c`):
    /// then that of the longest service host counts. Otherwise there is one meaning, and it is the one
    /// that was reported.
    #[test]
    fn every_reported_url_leads_to_its_service_and_tag(services in services()) {
        let table = table(&services);
        for (id, tags) in &services {
            for (url, tag) in reported(id, tags) {
                let meanings = meanings(&services, door::host_of(authority(&url)).unwrap().as_ref());
                prop_assert!(meanings.contains(&(id.clone(), tag.clone())), "{url}: {meanings:?}");
                let led = led(&table, authority(&url), "/").unwrap();
                prop_assert_eq!(Some(&led), meanings.first(), "{}", &url);
                let is_plain = !url.contains("-----") && url.matches("---").count() <= 1;
                prop_assert!(!is_plain || led == (id.clone(), tag), "{url}");
            }
        }
    }

    #[test]
    fn case_a_final_dot_and_the_port_do_not_count(services in services(), port in 1_u16..) {
        let table = table(&services);
        for (url, _) in services.iter().flat_map(|(id, tags)| reported(id, tags)) {
            let host = door::host_of(authority(&url)).unwrap();
            let expected = led(&table, &host, "/");
            prop_assert!(expected.is_some());
            let upper = host.to_ascii_uppercase();
            for other in [format!("{host}."), format!("{host}:{port}"), format!("{upper}.:{port}"), format!("{host}:"), upper] {
                prop_assert_eq!(&led(&table, &other, "/"), &expected, "{}", other);
            }
        }
    }

    /// Text before, behind or in the middle of a host that leads somewhere leads nowhere, or to what has
    /// exactly that host.
    #[test]
    fn what_is_not_reported_leads_nowhere(services in services(), noise in "[a-c0-9.-]{1,4}", at in 0_usize..80) {
        let table = table(&services);
        for (url, _) in services.iter().flat_map(|(id, tags)| reported(id, tags)) {
            let host = door::host_of(authority(&url)).unwrap().into_owned();
            let at = at.min(host.len());
            let other = format!("{}{noise}{}", &host[..at], &host[at..]);
            let Ok(read) = door::host_of(&other) else { continue };
            prop_assert_eq!(led(&table, &other, "/"), meanings(&services, &read).first().cloned(), "{}", other);
        }
    }

    /// Mapped domains and load balancers take no host of a service, and lead to what they name.
    #[test]
    fn domains_and_load_balancers_lead_to_what_they_name(services in services(), mapped in any::<prop::sample::Index>(), behind in any::<prop::sample::Index>()) {
        let ids: Vec<&ServiceId> = services.keys().collect();
        let (mapped, behind) = (*mapped.get(&ids), *behind.get(&ids));
        let rule = PathRule {
            path: PathPrefix::parse("/x").unwrap(),
            backend: Backend::Service { name: behind.name.clone(), tag: None },
            project: behind.project.clone(),
            regions: vec![behind.region.clone()],
        };
        let address = origin::BALANCER_ADDRESS;
        let at = |host| LoadBalancer { host: BalancerHost::parse(host).unwrap(), address, paths: vec![rule.clone()] };
        let plain = table(&services);
        let full = plain
            .with_domains([("own.example.test".to_owned(), mapped.clone())])
            .with_balancers(Arc::new(Balancers::new([at("shop.example.test"), at("*.example.test")])));
        for (url, _) in services.iter().flat_map(|(id, tags)| reported(id, tags)) {
            let host = authority(&url);
            prop_assert_eq!(led(&full, host, "/x"), led(&plain, host, "/"));
            prop_assert_eq!(led(&full, host, "/"), led(&plain, host, "/"));
        }
        prop_assert_eq!(led(&full, "Own.Example.test:1", "/x"), Some((mapped.clone(), None)));
        for host in ["shop.example.test", "SHOP.example.test.:8786", "any.example.test", "a.b.example.test"] {
            prop_assert_eq!(led(&full, host, "/x/y"), Some((behind.clone(), None)));
            prop_assert_eq!(led(&full, host, "/xy"), None);
        }
    }
}
