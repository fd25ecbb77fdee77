//! Does each host and path lead to its door?

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::name::{Project, ServiceId, ServiceName};
use crate::routing::tests::{facts, spec};
use crate::routing::{Route, RoutingTable};
use crate::url::project_hash;

fn table() -> RoutingTable {
    let id = id();
    let mut facts = facts(&id);
    facts.tags = vec![("green".to_owned(), Arc::new(spec(&id, "hello-00001-abc")))];
    let gone = ServiceId { name: ServiceName::parse("gone", "f").unwrap(), ..id.clone() };
    let domains = [("api.example.com".to_owned(), id), ("old.example.com".to_owned(), gone)];
    RoutingTable::default().with(Route::build(facts)).with_domains(domains)
}

fn id() -> ServiceId {
    ServiceId {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse("us-central1").unwrap(),
        name: ServiceName::parse("hello", "f").unwrap(),
    }
}

/// The door in a word or two.
fn door(authority: Option<&str>, path: &str, absolute_form: bool) -> String {
    let number = id().project.number;
    let authority = authority
        .map(|text| text.replace("HASH", &project_hash(number)).replace("NUMBER", &number.to_string()));
    match classify(&table(), authority.as_deref(), path, absolute_form) {
        Door::DataPlane(HostMatch { route, tag: None, .. }) => route.id.name.to_string(),
        Door::DataPlane(HostMatch { route, tag: Some(tag), .. }) => format!("{} {tag}", route.id.name),
        Door::NoSuchService { .. } => "no service".to_owned(),
        Door::Api { region, host } => {
            format!("api {host:?}{}", region.map_or(String::new(), |region| format!(" {region}")))
        }
        Door::Metadata => "metadata".to_owned(),
        Door::Foreign { host } => format!("foreign {host}"),
        Door::InvalidAuthority(_) => "invalid".to_owned(),
    }
}

#[test]
fn by_host() {
    for (host, expected) in [
        ("api.example.com", "hello"),
        ("API.Example.com:8786", "hello"),
        ("old.example.com", "no service"),
        ("other.example.com", "api Unknown"),
        ("hello-HASH-uc.a.run.app", "hello"),
        ("hello-HASH-uc.a.run.app:443", "hello"),
        ("hello-HASH-uc.a.run.app.", "hello"),
        ("Hello-HASH-uc.A.run.app", "hello"),
        ("hello-NUMBER.us-central1.run.app", "hello"),
        ("hello-HASH-uc.a.run.localhost:8786", "hello"),
        ("hello-NUMBER.us-central1.run.localhost:8786", "hello"),
        ("green---hello-HASH-uc.a.run.app", "hello green"),
        ("green---hello-NUMBER.us-central1.run.localhost:8786", "hello green"),
        ("red---hello-HASH-uc.a.run.app", "no service"),
        ("other-HASH-uc.a.run.app", "no service"),
        ("x.run.localhost:8786", "no service"),
        ("run.googleapis.com", "api Google"),
        ("run.googleapis.com:443", "api Google"),
        ("www.googleapis.com", "api Google"),
        ("accounts.google.com", "api Google"),
        ("us-central1-run.googleapis.com", "api Google us-central1"),
        ("US-central1-RUN.googleapis.com", "api Google us-central1"),
        ("northamerica-northeast1-run.googleapis.com", "api Google northamerica-northeast1"),
        ("mars-north7-run.googleapis.com", "api Google mars-north7"),
        ("run.us-central1.rep.googleapis.com", "api Google us-central1"),
        ("us-central1-127.0.0.1:8786", "api Loopback us-central1"),
        ("us-central1-127.0.0.1", "api Loopback us-central1"),
        ("us-central1-localhost:8786", "api Loopback us-central1"),
        ("us-central1-run.localhost:8786", "api Loopback us-central1"),
        ("us-central1-[::1]:8786", "api Loopback us-central1"),
        ("us-central1-run.x.test", "api Unknown us-central1"),
        ("us-central1-my-groundrun", "api Unknown us-central1"),
        ("build-agent-7-lan", "api Unknown"),
        ("127.0.0.1", "api Loopback"),
        ("127.0.0.1:8786", "api Loopback"),
        ("localhost:8786", "api Loopback"),
        ("run.localhost:8786", "api Loopback"),
        ("[::1]:8786", "api Loopback"),
        ("[::1]", "api Loopback"),
        ("groundrun.lan:8786", "api Unknown"),
        ("host_docker", "api Unknown"),
        ("192.168.1.7:8786", "api Unknown"),
        ("metadata.google.internal", "metadata"),
        ("METADATA.google.internal.:80", "metadata"),
        ("169.254.169.254", "metadata"),
        ("run.app", "api Unknown"),
        ("evilrun.app", "api Unknown"),
        ("googleapis.com.evil.test", "api Unknown"),
        ("", "api Unknown"),
    ] {
        assert_eq!(door(Some(host), "/", false), expected, "{host}");
    }
}

#[test]
fn without_a_host_the_path_decides() {
    assert_eq!(door(None, "/", false), "api Unknown");
    assert_eq!(door(None, "/computeMetadata/v1/", false), "metadata");
}

#[test]
fn the_path_of_the_metadata_server_does_not_hide_a_service() {
    assert_eq!(door(Some("127.0.0.1:8786"), "/computeMetadata/v1/instance", false), "metadata");
    assert_eq!(door(Some("127.0.0.1:8786"), "/computeMetadata", false), "metadata");
    assert_eq!(door(Some("127.0.0.1:8786"), "/computeMetadataX", false), "api Loopback");
    assert_eq!(door(Some("hello-HASH-uc.a.run.app"), "/computeMetadata/v1/", false), "hello");
    assert_eq!(door(Some("x-HASH-uc.a.run.app"), "/computeMetadata/v1/", false), "no service");
    assert_eq!(door(Some("example.com"), "/computeMetadata/v1/", true), "foreign example.com");
}

#[test]
fn a_proxy_request_for_a_host_elsewhere_is_foreign() {
    for (host, expected) in [
        ("example.com", "foreign example.com"),
        ("Example.com:443", "foreign example.com"),
        ("us-central1-docker.pkg.dev", "foreign us-central1-docker.pkg.dev"),
        ("googleapis.com.evil.test", "foreign googleapis.com.evil.test"),
        ("evilgoogleapis.com", "foreign evilgoogleapis.com"),
        ("192.168.1.7:80", "foreign 192.168.1.7"),
        ("us-central1-run.googleapis.com", "api Google us-central1"),
        ("us-central1-127.0.0.1:8786", "api Loopback us-central1"),
        ("oauth2.googleapis.com:443", "api Google"),
        ("accounts.google.com:443", "api Google"),
        ("127.0.0.1:9", "api Loopback"),
        ("metadata.google.internal", "metadata"),
        ("hello-HASH-uc.a.run.app:443", "hello"),
        ("hello-HASH-uc.a.run.localhost:8786", "hello"),
        ("other-HASH-uc.a.run.app:443", "no service"),
    ] {
        assert_eq!(door(Some(host), "/", true), expected, "{host}");
    }
}

#[test]
fn what_is_not_an_authority_is_refused() {
    for host in [
        "a b",
        "a/b",
        "user@127.0.0.1",
        "127.0.0.1:x",
        "127.0.0.1:99999",
        "127.0.0.1:80:80",
        "[::1",
        "[::1]x",
        "[x]",
        "::1",
        ":80",
        ".",
        "localhost..",
        ".localhost",
        "a..b",
        "ü.test",
        "a?b",
        "us-central1-[x]",
        "a,b@c/us-central1-[::1]",
    ] {
        assert_eq!(door(Some(host), "/", false), "invalid", "{host}");
    }
    assert_eq!(door(Some(&"a".repeat(254)), "/", false), "invalid");
}

#[test]
fn only_pages_of_this_machine_may_use_the_apis() {
    for own in
        ["http://127.0.0.1:8786", "http://localhost:3000", "https://app.localhost", "http://[::1]:8786"]
    {
        assert!(is_own_origin(own), "{own}");
    }
    let foreign = [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1.evil.example",
        "http://us-central1-run.googleapis.com",
    ];
    for foreign in foreign {
        assert!(!is_own_origin(foreign), "{foreign}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(authority in any::<String>(), path in any::<String>(), absolute_form in any::<bool>()) {
        let _ = classify(&table(), Some(&authority), &path, absolute_form);
    }

    #[test]
    fn nothing_that_resembles_a_host_makes_it_panic(authority in "[a-z0-9.:\\[\\]-]{0,40}", absolute_form in any::<bool>()) {
        let _ = classify(&table(), Some(&authority), "/", absolute_form);
    }

    #[test]
    fn a_proxy_request_reaches_the_api_only_under_our_names(host in "[a-z]{1,8}\\.[a-z]{2,3}") {
        prop_assert_eq!(door(Some(&host), "/", true), format!("foreign {host}"));
    }
}

#[test]
fn the_flavor_leads_the_root_of_this_machine_to_the_metadata_server() {
    let table = table();
    let is_metadata = |host: &str, path: &str, flavor: Option<&str>| {
        let door = classify(&table, Some(host), path, false).with_flavor(flavor, path);
        matches!(door, Door::Metadata)
    };
    assert!(is_metadata("127.0.0.1:8786", "/", Some("Google")));
    assert!(is_metadata("emulator:8786", "/", Some("Google")));
    assert!(!is_metadata("127.0.0.1:8786", "/", None));
    assert!(!is_metadata("127.0.0.1:8786", "/", Some("google")));
    assert!(!is_metadata("127.0.0.1:8786", "/v1/projects", Some("Google")));
    assert!(!is_metadata("run.googleapis.com", "/", Some("Google")));
    assert!(!is_metadata("api.example.com", "/", Some("Google")));
}
