//! Does an authority lead where it says, however it is spelled?

use std::sync::{Arc, LazyLock};

use groundrun_model::door::{self, Door};
use groundrun_model::instance::{InstanceSpec, Protocol};
use groundrun_model::routing::{AccessFacts, Entry, Ingress, Route, RouteFacts, RoutingTable};
use groundrun_model::rule::Runs;
use groundrun_model::url::{UrlConfig, UrlStyle};
use groundrun_model::{Project, Region, RevisionName, ServiceId, ServiceName};
use http::uri::Authority;

/// A domain that is mapped to the first service.
const DOMAIN: &str = "shop.example.test";

/// Services whose names, tags and regions are easily taken for one another.
static TABLE: LazyLock<RoutingTable> = LazyLock::new(|| {
    let services = [
        ("us-central1", "hello", &["blue", "a"][..]),
        ("us-central1", "a---hello", &["b"]),
        ("europe-west1", "hello", &["blue"]),
        ("us-central1", "blue", &[]),
    ];
    let ids = services.map(|(region, name, tags)| (id(region, name), tags));
    let table = ids.iter().filter_map(|(id, tags)| Some(route(id.as_ref()?, tags)));
    let table = table.fold(RoutingTable::default(), |table, route| table.with(route));
    let mapped = ids[0].0.clone().map(|id| (DOMAIN.to_owned(), id));
    table.with_domains(mapped)
});

/// `None` for a name that no service may have.
fn id(region: &str, name: &str) -> Option<ServiceId> {
    Some(ServiceId {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse(region).unwrap(),
        name: ServiceName::parse(name, "name").ok()?,
    })
}

fn route(id: &ServiceId, tags: &[&str]) -> Route {
    let spec = Arc::new(InstanceSpec {
        service: id.clone(),
        revision: RevisionName::lookup("hello-00001-abc").unwrap(),
        image: "image".to_owned(),
        service_account: "sa@demo-project.iam.gserviceaccount.com".to_owned(),
        env: Vec::new(),
        port: 8080,
        concurrency: 80,
        timeout_seconds: 300,
        runs: Runs::Echo,
        protocol: Protocol::Http1,
        session_affinity: false,
    });
    Route::build(RouteFacts {
        id: id.clone(),
        urls: UrlConfig { style: UrlStyle::Hosted, port: 8786 },
        custom_audiences: Vec::new(),
        invoker_iam_disabled: false,
        access: AccessFacts::default(),
        ingress: Ingress::All,
        default_url_disabled: false,
        split: vec![(100, Arc::clone(&spec))],
        tags: tags.iter().map(|tag| ((*tag).to_owned(), Arc::clone(&spec))).collect(),
    })
}

/// Where an authority leads, as a text to compare.
fn place(authority: &str, absolute_form: bool) -> String {
    match door::classify(&TABLE, Some(authority), "/", absolute_form) {
        Door::DataPlane(found) => {
            format!("{:?} {:?} {}", found.route.id, found.tag, found.entry == Entry::Mapped)
        }
        other => format!("{other:?}"),
    }
}

/// Any text as an authority: its host is canonical, leads to the same place in every spelling, and a
/// service gets only its own hosts.
pub fn host(bytes: &[u8]) {
    let Ok(authority) = std::str::from_utf8(bytes) else { return };
    let led = place(authority, false);
    assert_eq!(place(&authority.to_ascii_uppercase(), false), place(&authority.to_ascii_lowercase(), false));
    assert_eq!(led, place(&authority.to_ascii_lowercase(), false), "the case decides");
    if authority.is_empty() {
        return;
    }
    let Ok(host) = door::host_of(authority) else {
        assert!(led.starts_with("InvalidAuthority"), "{led}");
        return;
    };
    canonical(authority, &host);
    for spelled in [host.to_string(), format!("{host}:443"), format!("{host}:"), format!("{host}.")] {
        // Behind the brackets of an address there is no room for a dot.
        if !spelled.ends_with("].") {
            assert_eq!(place(&spelled, false), led, "{spelled}");
        }
    }
    owned(&host, authority);
}

/// The host is what other parsers would take it for, too.
fn canonical(authority: &str, host: &str) {
    assert_eq!(door::host_of(host).as_deref(), Ok(host), "the host of a host is another one");
    let is_good = |byte: u8| !byte.is_ascii_uppercase() && byte.is_ascii_graphic();
    assert!(host.bytes().all(is_good), "{host:?}");
    assert!(!host.contains(['@', '/', '?', '#', '\\', ',', '%']), "{host:?}");
    // What gcloud makes of an IPv6 address is nothing that a URL could have.
    if let (Ok(other), false) = (authority.parse::<Authority>(), host.contains("-[")) {
        let other = other.host().to_ascii_lowercase();
        assert_eq!(other.strip_suffix('.').unwrap_or(&other), host, "two parsers, two hosts");
    }
}

/// Whoever answers is named by the host.
fn owned(host: &str, authority: &str) {
    match door::classify(&TABLE, Some(authority), "/", true) {
        Door::DataPlane(found) if found.entry == Entry::Mapped => assert_eq!(host, DOMAIN),
        Door::DataPlane(found) => {
            assert!(found.route.hosts.covers(host), "{host} is none of {:?}", found.route.id);
            match found.tag {
                Some(tag) => assert!(host.starts_with(&format!("{tag}---"))),
                None => assert!(found.route.hosts.iter().any(|own| **own == *host)),
            }
        }
        Door::NoSuchService { host: named } | Door::Foreign { host: named } => assert_eq!(named, host),
        Door::Api { .. } | Door::Metadata => {
            let is_service = host.ends_with(".run.app") || host.ends_with(".run.localhost");
            assert!(!is_service && host != DOMAIN, "{host} is a host of services");
        }
        Door::InvalidAuthority(why) => panic!("{authority}: {why}"),
    }
}
