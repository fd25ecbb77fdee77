//! Which names are domains, who has one of them, and what does a mapping say of itself?

use super::*;

pub(crate) fn mapping(domain: &str, created: i64, force_override: bool) -> DomainMapping {
    DomainMapping {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse("us-central1").unwrap(),
        domain: DomainName::parse(domain, "f").unwrap(),
        uid: Uuid::from_u128(u128::try_from(created).unwrap()),
        created: Timestamp::from_seconds(created),
        creator: "owner@example.com".to_owned(),
        spec: DomainMappingSpec {
            route: ServiceName::parse("hello", "f").unwrap(),
            certificate_mode: CertificateMode::Automatic,
            force_override,
            labels: Map::new(),
            annotations: Map::new(),
        },
    }
}

#[test]
fn domains_have_two_labels_and_lead_nowhere_else() {
    let long = format!("{}.example.com", "a.".repeat(121) + "ab");
    assert_eq!(long.len(), 256);
    for good in
        ["example.com", "a.b.c.example.com", "1.example.com", "xn--bcher-kva.example", "api.localhost"]
    {
        assert_eq!(DomainName::parse(good, "f").unwrap().as_str(), good);
    }
    for bad in [
        "",
        ".",
        "com",
        "localhost",
        "example.com.",
        ".example.com",
        "a..b",
        "Example.com",
        "exa mple.com",
        "exa_mple.com",
        "*.example.com",
        "-a.example.com",
        "example.com:80",
        "http://example.com",
        "127.0.0.1",
        "[::1]",
        "example.com/x",
        &long,
    ] {
        let error = DomainName::parse(bad, "metadata.name").unwrap_err();
        assert_eq!(error.violations[0].field, "metadata.name", "{bad}");
        assert!(error.message.contains("is not a domain in lower case"), "{bad}: {error}");
    }
    for taken in [
        "hello-1.us-central1.run.app",
        "x.run.localhost",
        "run.googleapis.com",
        "accounts.google.com",
        "metadata.google.internal",
    ] {
        assert!(DomainName::parse(taken, "f").unwrap_err().message.contains("it leads elsewhere"), "{taken}");
    }
}

#[test]
fn subdomains_get_a_cname_and_an_apex_gets_addresses() {
    let below = |text: &str| DomainName::parse(text, "f").unwrap().below_apex().map(str::to_owned);
    for (domain, expected) in [
        ("www.example.com", Some("www")),
        ("a.b.example.com", Some("a.b")),
        ("www.example.co.uk", Some("www")),
        ("example.com", None),
        ("example.co.uk", None),
        ("co.uk", None),
        ("co.example.de", Some("co")),
    ] {
        assert_eq!(below(domain).as_deref(), expected, "{domain}");
    }
    let www = DomainName::parse("www.example.com", "f").unwrap();
    let expected = ResourceRecord { name: Some("www"), kind: "CNAME", data: "ghs.googlehosted.com." };
    assert_eq!(www.records(), [expected]);
    let apex = DomainName::parse("example.com", "f").unwrap();
    let kinds: Vec<&str> = apex.records().iter().map(|record| record.kind).collect();
    assert_eq!(kinds, ["A", "A", "A", "A", "AAAA", "AAAA", "AAAA", "AAAA"]);
}

#[test]
fn a_domain_belongs_to_the_first_unless_one_overrides() {
    let all = [(3, false), (1, false), (2, false)].map(|(at, force)| mapping("a.example.com", at, force));
    assert_eq!(holder(&all), Some(&all[1]));
    let all = [(1, false), (2, true), (3, true), (4, false)].map(|(at, f)| mapping("a.example.com", at, f));
    assert_eq!(holder(&all), Some(&all[2]));
    assert_eq!(holder([]), None);
}

#[test]
fn conditions_follow_from_what_else_is_there() {
    let (first, second) = (mapping("a.example.com", 10, false), mapping("a.example.com", 20, true));
    let service = Timestamp::from_seconds(15);
    assert_eq!(first.standing(&first, Some(service)), Standing::Mapped(service));
    assert_eq!(first.standing(&first, None), Standing::RouteMissing);
    assert_eq!(first.standing(&second, Some(service)), Standing::Taken(second.created));

    let told = |mapping: &DomainMapping, standing| -> Vec<String> {
        let told = mapping.conditions(standing).into_iter();
        told.map(|c| format!("{} {:?} {:?} {}", c.kind, c.status, c.reason, c.changed.seconds())).collect()
    };
    assert_eq!(
        told(&first, Standing::Mapped(service)),
        ["Ready True None 15", "CertificateProvisioned True None 15", "DomainRoutable True None 15"]
    );
    // A service that was there before.
    assert_eq!(told(&second, Standing::Mapped(service))[0], "Ready True None 20");
    assert_eq!(told(&first, Standing::RouteMissing)[0], "Ready False Some(\"RouteMissing\") 10");
    assert_eq!(
        told(&first, Standing::Taken(second.created))[0],
        "Ready False Some(\"MappingAlreadyExists\") 20"
    );
    let mut bare = first.clone();
    bare.spec.certificate_mode = CertificateMode::None;
    assert_eq!(told(&bare, Standing::Mapped(service)).len(), 2);
}

#[test]
fn what_is_stored_is_read_back() {
    let mapping = mapping("a.example.com", 10, true);
    assert_eq!(DomainMapping::from_record(mapping.to_record().unwrap()).unwrap(), mapping);
}
