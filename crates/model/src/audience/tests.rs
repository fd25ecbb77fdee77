//! Which audiences pass, and which lists may be set?

use proptest::prelude::*;

use super::*;
use crate::name::{Project, Region, ServiceId, ServiceName};
use crate::url::{UrlStyle, project_hash};

const FIELD: &str = "metadata.annotations[run.googleapis.com/custom-audiences]";

fn id() -> ServiceId {
    ServiceId {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse("us-central1").unwrap(),
        name: ServiceName::parse("hello", "f").unwrap(),
    }
}

fn set(custom: &[&str]) -> AudienceSet {
    let custom = custom.iter().map(ToString::to_string).collect();
    AudienceSet::new(custom, HostStems::new(&id()), UrlConfig { style: UrlStyle::Local, port: 8786 })
}

/// Replaces HASH and NUMBER by those of the project.
fn fill(text: &str) -> String {
    let number = id().project.number;
    text.replace("HASH", &project_hash(number)).replace("NUMBER", &number.to_string())
}

#[test]
fn accepted_audiences() {
    let set = set(&["aud1", "https://api.example.test"]);
    for aud in [
        "aud1",
        "https://api.example.test",
        "https://hello-HASH-uc.a.run.app",
        "https://hello-HASH-uc.a.run.app/",
        "https://hello-HASH-uc.a.run.app/tasks/handler",
        "https://hello-NUMBER.us-central1.run.app",
        "https://hello-NUMBER.us-central1.run.app/",
        "https://green---hello-HASH-uc.a.run.app",
        "https://green---hello-NUMBER.us-central1.run.app/x",
        "http://hello-HASH-uc.a.run.localhost:8786",
        "http://hello-HASH-uc.a.run.localhost",
        "https://hello-NUMBER.us-central1.run.localhost:8786/x",
        "http://green---hello-HASH-uc.a.run.localhost:8786/",
    ] {
        assert!(set.accepts(&fill(aud), false), "{aud}");
    }
}

#[test]
fn refused_audiences() {
    let set = set(&["aud1", "https://api.example.test"]);
    for aud in [
        "",
        "demo",
        "aud1/",
        "AUD1",
        " aud1",
        "aud",
        "https://api.example.test/",
        "http://api.example.test",
        "https://hello-HASH-uc.a.run.app?x=1",
        "https://hello-HASH-uc.a.run.app/?x=1",
        "https://hello-HASH-uc.a.run.app/path#fragment",
        "https://hello-HASH-uc.a.run.app#",
        "http://hello-HASH-uc.a.run.app",
        "hello-HASH-uc.a.run.app",
        "https://hello-HASH-uc.a.run.app:443",
        "https://hello-HASH-uc.a.run.app:8786",
        "https://hello-HASH-uc.a.run.app.evil.test",
        "https://hello-HASH-uc.a.run.app@evil.test/",
        "https://user@hello-HASH-uc.a.run.app",
        "https://user:pass@hello-HASH-uc.a.run.app",
        "https://evil.test/hello-HASH-uc.a.run.app",
        "https://hello-HASH-ew.a.run.app",
        "https://other-HASH-uc.a.run.app",
        "https://xhello-HASH-uc.a.run.app",
        "https://hello-1.us-central1.run.app",
        "https://Green---hello-HASH-uc.a.run.app",
        "https://---hello-HASH-uc.a.run.app",
        "https://a.b---hello-HASH-uc.a.run.app",
        "https://*.a.run.app",
        "http://hello-HASH-uc.a.run.localhost:8787",
        "http://hello-HASH-uc.a.run.localhost:",
        "http://hello-HASH-uc.a.run.localhost:+8786",
        "http://hello-HASH-uc.a.run.localhost:08786",
        "ftp://hello-HASH-uc.a.run.localhost",
        "https://www.example.com",
        "32555940559.apps.googleusercontent.com",
    ] {
        assert!(!set.accepts(&fill(aud), false), "{aud}");
    }
}

#[test]
fn the_audience_of_gcloud_is_for_users_only() {
    let set = set(&[]);
    for aud in USER_CLIENTS {
        assert!(set.accepts(aud, true) && !set.accepts(aud, false), "{aud}");
    }
    assert!(!set.accepts("1.apps.googleusercontent.com", true));
}

#[test]
fn a_person_is_shown_the_custom_audiences_first() {
    let accepted: Vec<String> = set(&["b", "a"]).accepted().collect();
    let urls =
        ["http://hello-HASH-uc.a.run.localhost:8786", "http://hello-NUMBER.us-central1.run.localhost:8786"];
    assert_eq!(accepted, ["b".to_owned(), "a".to_owned(), fill(urls[0]), fill(urls[1])]);
    assert_eq!(set(&[]).default_url(), fill(urls[0]));
}

#[test]
fn the_annotation_is_a_json_list_of_strings() {
    assert_eq!(parse_annotation(r#"["a", "b"]"#, FIELD).unwrap(), ["a", "b"]);
    assert_eq!(parse_annotation(" [] ", FIELD).unwrap(), Vec::<String>::new());
    assert_eq!(
        parse_annotation(r#"["a", "a"]"#, FIELD).unwrap(),
        ["a", "a"],
        "gcloud adds twice what is given twice"
    );
    for bad in [
        "",
        "aud1",
        "\"aud1\"",
        "[1]",
        "[null]",
        "[[\"a\"]]",
        "{\"a\":1}",
        "[\"a\"",
        "[\"a\"] x",
        "null",
        "[\"\"]",
    ] {
        let error = parse_annotation(bad, FIELD).unwrap_err();
        assert_eq!(error.violations[0].field, FIELD, "{bad}");
        assert!(
            error.message.starts_with("metadata.annotations[run.googleapis.com/custom-audiences]: "),
            "{error}"
        );
    }
}

#[test]
fn the_annotation_is_written_compactly_or_not_at_all() {
    assert_eq!(render_annotation(&["a".into(), "b\"".into()]).unwrap(), r#"["a","b\""]"#);
    assert_eq!(render_annotation(&[]), None);
}

#[test]
fn the_json_encoding_has_at_most_32768_bytes() {
    let most = vec!["a".repeat(MAX_JSON_BYTES - 4)];
    assert_eq!(render_annotation(&most).unwrap().len(), MAX_JSON_BYTES);
    assert_eq!(check(&most, FIELD), Ok(()));
    let more = vec!["a".repeat(MAX_JSON_BYTES - 3)];
    assert!(check(&more, FIELD).unwrap_err().message.contains("32769 bytes; it must not exceed 32768"));
    let escaped = vec!["\"".repeat(MAX_JSON_BYTES / 2)];
    assert!(check(&escaped, FIELD).is_err(), "the escapes count");
}

proptest! {
    #[test]
    fn reading_inverts_writing(list in proptest::collection::vec("\\PC{1,20}", 1..8)) {
        let text = render_annotation(&list).unwrap();
        prop_assert_eq!(parse_annotation(&text, FIELD).unwrap(), list);
    }

    #[test]
    fn an_audience_that_is_neither_custom_nor_an_own_url_is_refused(
        custom in proptest::collection::vec("[a-c]{1,3}", 0..4),
        aud in prop_oneof!["[a-c]{1,4}", "https?://[a-z.-]{1,20}(/[a-z]*)?", any::<String>()],
    ) {
        let custom: Vec<&str> = custom.iter().map(String::as_str).collect();
        prop_assert_eq!(set(&custom).accepts(&aud, false), custom.contains(&&*aud));
    }

    #[test]
    fn a_query_or_fragment_never_passes(path in "[a-z/]{0,9}", mark in "[?#]", tail in "\\PC{0,9}") {
        let own = fill("https://hello-HASH-uc.a.run.app");
        let passes = format!("{own}/{path}");
        let fails = format!("{own}/{path}{mark}{tail}");
        prop_assert!(set(&[]).accepts(&passes, false));
        prop_assert!(!set(&[]).accepts(&fails, false));
    }
}
