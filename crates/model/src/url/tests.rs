//! Are hosts, codes and tags as documented?

use proptest::prelude::*;

use super::*;
use crate::error::Code;
use crate::name::Project;

fn id(project: &str, region: &str, name: &str) -> ServiceId {
    ServiceId {
        project: Project::parse(project).unwrap(),
        region: Region::parse(region).unwrap(),
        name: ServiceName::parse(name, "metadata.name").unwrap(),
    }
}

#[test]
fn the_hash_is_the_project_s_in_every_service_and_region() {
    let hash = project_hash(Project::parse("demo-project").unwrap().number);
    assert_eq!(hash, "t4kd2fdaaq", "the hash must never change: audiences would break");
    assert!(hash.len() == 10 && hash.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    for (region, code) in
        [("us-central1", "uc"), ("europe-west1", "ew"), ("europe-west10", "oe"), ("asia-east1", "de")]
    {
        for name in ["hello", "world"] {
            let hosts = ServiceHosts::new(&id("demo-project", region, name));
            assert_eq!(*hosts.hash, *format!("{name}-{hash}-{code}.a.run.app"));
        }
    }
    assert_ne!(hash, project_hash(Project::parse("demo-project2").unwrap().number));
}

#[test]
fn the_code_table_is_sorted_and_codes_are_unique() {
    assert!(REGION_CODES.is_sorted_by(|a, b| a.0 < b.0));
    for (region, code) in REGION_CODES {
        assert_eq!(region_code(&Region::parse(region).unwrap()), *code);
        assert_eq!(REGION_CODES.iter().filter(|row| row.1 == *code).count(), 1, "{code}");
    }
}

#[test]
fn all_four_hosts() {
    let id = id("demo-project", "us-central1", "hello");
    let (hash, number) = (project_hash(id.project.number), id.project.number);
    let hosts = ServiceHosts::new(&id);
    let all: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    assert_eq!(
        all,
        [
            format!("hello-{hash}-uc.a.run.app"),
            format!("hello-{hash}-uc.a.run.localhost"),
            format!("hello-{number}.us-central1.run.app"),
            format!("hello-{number}.us-central1.run.localhost"),
        ]
    );
}

#[test]
fn a_label_of_more_than_63_characters_drops_the_deterministic_host() {
    let mut id = id("demo-project", "us-central1", &"s".repeat(49));
    assert!(ServiceHosts::new(&id).deterministic.is_some());
    id.project.number = ProjectNumber::parse("12345678901234").unwrap();
    let hosts = ServiceHosts::new(&id);
    assert_eq!((&hosts.deterministic, &hosts.local_deterministic, hosts.iter().count()), (&None, &None, 2));
    assert_eq!(hosts.hash.split('.').next().unwrap().len(), 63, "the hash host always fits");
    let urls = UrlConfig { style: UrlStyle::Hosted, port: 8786 }.urls(&hosts);
    assert_eq!(urls.all, [urls.status_url]);
}

#[test]
fn urls_follow_the_configured_style() {
    let id = id("demo-project", "us-central1", "hello");
    let (hash, number) = (project_hash(id.project.number), id.project.number);
    let hosts = ServiceHosts::new(&id);

    let hosted = UrlConfig { style: UrlStyle::Hosted, port: 8786 };
    assert_eq!(hosted.urls(&hosts).status_url, format!("https://hello-{hash}-uc.a.run.app"));
    assert_eq!(
        hosted.urls(&hosts).all,
        [format!("https://hello-{number}.us-central1.run.app"), format!("https://hello-{hash}-uc.a.run.app")]
    );
    assert_eq!(hosted.tag_url(&hosts, "green"), format!("https://green---hello-{hash}-uc.a.run.app"));

    let local = UrlConfig { style: UrlStyle::Local, port: 8786 };
    assert_eq!(local.urls(&hosts).status_url, format!("http://hello-{hash}-uc.a.run.localhost:8786"));
    assert_eq!(local.urls(&hosts).all[0], format!("http://hello-{number}.us-central1.run.localhost:8786"));
    let port_80 = UrlConfig { style: UrlStyle::Local, port: 80 };
    assert_eq!(port_80.tag_url(&hosts, "green"), format!("http://green---hello-{hash}-uc.a.run.localhost"));
}

#[test]
fn a_tag_is_split_off_at_the_first_mark_that_ends_a_tag() {
    for (host, tag, rest) in [
        ("hello-x-uc.a.run.app", None, "hello-x-uc.a.run.app"),
        ("green---hello-x-uc.a.run.app", Some("green"), "hello-x-uc.a.run.app"),
        ("pr-1---hello", Some("pr-1"), "hello"),
        ("a---b---c", Some("a"), "b---c"),
        ("---hello", None, "---hello"),
        ("Green---hello", None, "Green---hello"),
        ("a.b---hello", None, "a.b---hello"),
        ("pr----hello", Some("pr"), "-hello"),
        ("a--b", None, "a--b"),
    ] {
        assert_eq!(split_tag(host), (tag, rest), "{host}");
    }
}

#[test]
fn tag_and_service_have_46_characters_together() {
    let service = ServiceName::parse(&"s".repeat(40), "f").unwrap();
    assert_eq!(check_tag(&"t".repeat(6), &service, "spec.traffic.tag"), Ok(()));
    let error = check_tag("ttttttt", &service, "spec.traffic.tag").unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "spec.traffic.tag: traffic tag 'ttttttt' and service name '{service}' together are too long. Combined \
             traffic tag and service name cannot exceed 46 characters."
        )
    );
    let hello = ServiceName::parse("hello", "f").unwrap();
    for bad in ["", "Green", "1a", "a-", "-a", "a_b", "a.b", "ü"] {
        let error = check_tag(bad, &hello, "spec.traffic[0].tag").unwrap_err();
        assert_eq!(
            (error.code, &*error.violations[0].field),
            (Code::InvalidArgument, "spec.traffic[0].tag"),
            "{bad}"
        );
    }
}

proptest! {
    #[test]
    fn an_unknown_region_never_takes_a_code_of_the_table(text in "[a-z]{1,9}-[a-z]{1,9}[0-9]{1,2}") {
        let code = region_code(&Region::parse(&text).unwrap());
        prop_assert_eq!(code.len(), 2);
        let owner = REGION_CODES.iter().find(|row| row.1 == code);
        prop_assert!(owner.is_none_or(|row| row.0 == text), "{} has the code of {:?}", text, owner);
    }

    #[test]
    fn no_host_makes_a_split_panic(host in any::<String>()) {
        let (tag, rest) = split_tag(&host);
        match tag {
            Some(tag) => prop_assert_eq!(format!("{tag}---{rest}"), host),
            None => prop_assert_eq!(rest, &host),
        }
    }

    #[test]
    fn a_tag_that_is_allowed_is_read_back_from_its_host(tag in "[a-z]([a-z0-9-]{0,20}[a-z0-9])?", name in "[a-z]([a-z0-9]{0,20})?") {
        let id = id("demo-project", "us-central1", &name);
        prop_assume!(check_tag(&tag, &id.name, "tag").is_ok() && !tag.contains("---"));
        let hosts = ServiceHosts::new(&id);
        let url = UrlConfig { style: UrlStyle::Hosted, port: 1 }.tag_url(&hosts, &tag);
        let host = url.strip_prefix("https://").unwrap();
        prop_assert_eq!(split_tag(host), (Some(&*tag), &*hosts.hash));
        prop_assert!(HostStems::new(&id).covers(host));
        prop_assert!(host.split('.').next().unwrap().len() <= 63);
    }
}
