//! Which names are well formed?

use proptest::prelude::*;

use super::*;
use crate::error::Code;

#[test]
fn a_project_has_a_stable_number_of_12_digits() {
    let project = Project::parse("demo-project").unwrap();
    assert_eq!(
        project.number.to_string(),
        "227280480153",
        "the number must never change: exports would break"
    );
    assert_eq!(project.to_string(), "demo-project");
    assert_eq!(Project::parse("demo-project").unwrap(), project);
    assert!(Project::parse("example.com:demo").is_ok());
    let long = "p".repeat(64);
    for bad in ["", "Demo", "1demo", "demo-", "a b", "a/b", "example.com:", "123456789012", &long, "dém"] {
        let error = Project::parse(bad).unwrap_err();
        assert_eq!((error.code, &*error.violations[0].field), (Code::InvalidArgument, "project"), "{bad}");
    }
}

#[test]
fn a_project_number_is_digits() {
    assert_eq!(ProjectNumber::parse("123456789012").unwrap().to_string(), "123456789012");
    for bad in ["", "demo", "+1", "-1", "1 ", "1.0", "99999999999999999999999"] {
        assert_eq!(ProjectNumber::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_region_is_any_name_of_that_form() {
    for good in ["us-central1", "northamerica-northeast1", "europe-west12", "mars-north7"] {
        assert_eq!(Region::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "-", "us", "us-central", "uscentral1", "US-central1", "us_central1", "us-central1-"] {
        assert_eq!(Region::parse(bad).unwrap_err().violations[0].field, "location", "{bad}");
    }
}

#[test]
fn a_service_name_has_at_most_49_characters() {
    assert!(ServiceName::parse(&"a".repeat(49), "metadata.name").is_ok());
    let long = "a".repeat(50);
    for bad in ["", "Hello", "1hello", "-hello", "hello-", "hel_lo", "hel.lo", &long] {
        let error = ServiceName::parse(bad, "metadata.name").unwrap_err();
        assert_eq!(
            error.message,
            "metadata.name: only lowercase, digits, and hyphens; must begin with letter, and may not end with \
             hyphen; must be less than 50 characters.",
            "{bad}"
        );
    }
}

#[test]
fn a_revision_name_begins_with_that_of_its_service() {
    let service = ServiceName::parse("hello", "f").unwrap();
    let message = |text: &str| RevisionName::parse(text, &service, "f").unwrap_err().message;
    assert!(RevisionName::parse("hello-v1", &service, "f").is_ok());
    for bad in ["", "hello", "hello-", "hellov1", "other-v1"] {
        assert_eq!(
            message(bad),
            "f: The revision name must be prefixed by the name of the enclosing Service with a trailing -",
            "{bad}"
        );
    }
    for bad in ["hello-V1", "hello-v-", "hello-v.1", &format!("hello-{}", "v".repeat(58))] {
        assert!(message(bad).ends_with("must be less than 64 characters."), "{bad}");
    }
    assert!(RevisionName::parse(&format!("hello-{}", "v".repeat(57)), &service, "f").is_ok());
}

#[test]
fn the_server_s_revision_names_count_generations() {
    let service = ServiceName::parse("hello", "f").unwrap();
    assert_eq!(RevisionName::generated(&service, 1, "abc").as_str(), "hello-00001-abc");
    assert_eq!(RevisionName::generated(&service, 123_456, "abc").as_str(), "hello-123456-abc");
}

#[test]
fn text_that_cannot_be_a_revision_names_none() {
    assert_eq!(RevisionName::lookup("hello-00001-abc").unwrap().as_str(), "hello-00001-abc");
    assert_eq!(RevisionName::lookup("../x"), None);
}

#[test]
fn a_service_has_a_full_resource_name() {
    let id = ServiceId {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse("us-central1").unwrap(),
        name: ServiceName::parse("hello", "f").unwrap(),
    };
    assert_eq!(id.to_string(), "projects/demo-project/locations/us-central1/services/hello");
}

#[test]
fn numbers_of_different_things_differ() {
    assert_ne!(stable_hash("a", "b"), stable_hash("a", "c"));
    assert_ne!(stable_hash("a", "b"), stable_hash("ab", ""), "the domain ends where it ends");
}

proptest! {
    #[test]
    fn no_text_makes_a_name_panic(text in any::<String>()) {
        let service = ServiceName::parse("hello", "f").unwrap();
        let _ = (Project::parse(&text), ProjectNumber::parse(&text), Region::parse(&text));
        let _ = (ServiceName::parse(&text, "f"), RevisionName::parse(&text, &service, "f"));
    }

    #[test]
    fn a_generated_name_is_one_that_the_service_may_have(
        name in "[a-z]([a-z0-9-]{0,47}[a-z0-9])?",
        generation in 1_u64..200_000,
        suffix in "[a-z]{3}",
    ) {
        let service = ServiceName::parse(&name, "f").unwrap();
        let generated = RevisionName::generated(&service, generation, &suffix);
        prop_assert_eq!(RevisionName::parse(generated.as_str(), &service, "f"), Ok(generated));
    }

    #[test]
    fn every_project_number_has_12_digits_and_is_read_back(id in "[a-z][a-z0-9-]{4,28}[a-z0-9]") {
        let number = Project::parse(&id).unwrap().number;
        prop_assert_eq!(number.to_string().len(), 12);
        prop_assert_eq!(ProjectNumber::parse(&number.to_string()), Some(number));
    }
}
