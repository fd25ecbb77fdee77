//! What does an entry say, and which does a filter choose?

use serde_json::json;

use super::*;
use crate::routing::tests::{service, spec};

/// Noon of 2026-11-24.
const NOON: Timestamp = Timestamp::from_seconds(1_795_521_600);

fn request(status: u16, url: &str) -> LogEntry {
    let id = service("demo-project", "us-central1", "hello");
    let instance = Arc::new(spec(&id, "hello-00001-abc"));
    let line = RequestLine::new("GET", ["https", "hello.example.com", url], "HTTP/1.1", "curl/8");
    let payload = Payload::Request(RequestEntry {
        line,
        status,
        response_size: Some(12),
        latency: 3_000,
        remote: [203, 0, 113, 7].into(),
        trace: Some(10),
        message: None,
    });
    LogEntry { sequence: 7, timestamp: NOON, source: Source::Instance(instance), payload }
}

fn line(text: &str) -> LogEntry {
    let id = service("demo-project", "us-central1", "hello");
    LogEntry::line(Arc::new(spec(&id, "hello-00001-abc")), Stream::Stdout, text, NOON)
}

#[test]
fn a_request_is_spelled_as_cloud_logging_spells_it() {
    assert_eq!(
        request(200, "/a?b=1").to_json(),
        json!({
            "logName": "projects/demo-project/logs/run.googleapis.com%2Frequests",
            "resource": { "type": "cloud_run_revision", "labels": {
                "project_id": "demo-project",
                "location": "us-central1",
                "service_name": "hello",
                "configuration_name": "hello",
                "revision_name": "hello-00001-abc",
            } },
            "timestamp": "2026-11-24T12:00:00.000000Z",
            "receiveTimestamp": "2026-11-24T12:00:00.000000Z",
            "severity": "INFO",
            "insertId": format!("{:x}-7", NOON.micros()),
            "trace": "projects/demo-project/traces/0000000000000000000000000000000a",
            "httpRequest": {
                "requestMethod": "GET",
                "requestUrl": "https://hello.example.com/a?b=1",
                "status": 200,
                "responseSize": "12",
                "latency": "0.003000s",
                "remoteIp": "203.0.113.7",
                "protocol": "HTTP/1.1",
                "userAgent": "curl/8",
            },
        })
    );
    let line = line("listening").to_json();
    assert_eq!(line["logName"], "projects/demo-project/logs/run.googleapis.com%2Fstdout");
    assert_eq!((&line["textPayload"], &line["severity"]), (&json!("listening"), &json!("DEFAULT")));
}

#[test]
fn what_a_stranger_sends_is_cut_between_characters() {
    let long = "\u{e4}".repeat(40_000);
    let line = RequestLine::new(&long, [&long, &long, &long], &long, &long);
    for part in [line.method(), line.url(), line.protocol(), line.user_agent()] {
        assert!(!part.is_empty() && part.len() <= 3 * MAX_TEXT + 3, "{}", part.len());
    }
    assert_eq!(line.method(), "\u{e4}".repeat(32));
    assert_eq!(line.user_agent(), "\u{e4}".repeat(512));
    let empty = RequestLine::new("", ["", "", ""], "", "");
    assert_eq!((empty.method(), empty.url(), empty.user_agent()), ("", "://", ""));
}

#[test]
fn the_severity_of_a_request_follows_from_its_status() {
    for (status, severity) in
        [(200, "INFO"), (302, "INFO"), (401, "WARNING"), (499, "WARNING"), (503, "ERROR")]
    {
        assert_eq!(request(status, "/").severity().as_str(), severity, "{status}");
    }
}

fn matches(filter: &str, entry: &LogEntry) -> bool {
    Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).matches(entry)
}

#[test]
fn the_filter_of_gcloud_chooses() {
    let gcloud = "resource.type = cloud_run_revision \n AND resource.labels.service_name = hello \n AND \
                  resource.labels.location = us-central1 \n AND severity >= DEFAULT \n AND \
                  timestamp>=\"2026-11-24T12:00:00.000000Z\"";
    for entry in [request(200, "/"), line("x")] {
        assert!(matches(gcloud, &entry));
        for (word, other) in [
            ("hello", "other"),
            ("us-central1", "us-east1"),
            ("DEFAULT", "ERROR"),
            ("12:00:00.000000Z", "12:00:00.000001Z"),
            ("cloud_run_revision", "gce_instance"),
        ] {
            assert!(!matches(&gcloud.replace(word, other), &entry), "{other}");
        }
    }
}

#[test]
fn comparisons_hold_or_not() {
    let (ok, failed, text) = (request(200, "/a"), request(503, "/b"), line("Could not \"open\" it"));
    for (filter, expected) in [
        ("", [true, true, true]),
        ("  \n ", [true, true, true]),
        ("severity>=ERROR", [false, true, false]),
        ("severity = info", [true, false, false]),
        ("severity<200", [false, false, true]),
        ("severity != INFO severity>0", [false, true, false]),
        ("timestamp > \"2026-11-24T12:00:00Z\"", [false, false, false]),
        ("timestamp <= 2026-11-24T12:00:00Z", [true, true, true]),
        ("textPayload:could", [false, false, true]),
        ("textPayload:\"\\\"open\\\"\"", [false, false, true]),
        ("textPayload = \"could NOT \\\"open\\\" it\"", [false, false, true]),
        ("textPayload != \"x\"", [true, true, true]),
        ("logName=\"projects/demo-project/logs/run.googleapis.com%2Fstdout\"", [false, false, true]),
        ("logName:requests", [true, true, false]),
        ("httpRequest.status >= 500", [false, true, false]),
        ("httpRequest.requestUrl:/a", [true, false, false]),
        ("httpRequest.requestMethod=GET AND httpRequest.status=200", [true, false, false]),
        ("resource.labels.revision_name=hello-00001-abc", [true, true, true]),
        ("resource.labels.revision_name=hello-00002-abc", [false, false, false]),
        ("resource.labels.project_id=\"demo-project\"", [true, true, true]),
    ] {
        assert_eq!([&ok, &failed, &text].map(|entry| matches(filter, entry)), expected, "{filter}");
    }
}

#[test]
fn what_is_not_understood_is_named() {
    for (filter, named) in [
        ("severity>=ERROR OR severity=INFO", "'OR'"),
        ("NOT severity=INFO", "'NOT'"),
        ("(severity=INFO)", "'(severity=INFO)'"),
        ("-severity=INFO", "'-severity=INFO'"),
        ("SearchText", "'SearchText'"),
        ("\"two words\"", "'\"two'"),
        ("textPayload=~\"a.*\"", "'=~'"),
        ("textPayload!~\"a.*\"", "'textPayload!~\"a.*\"'"),
        ("textPayload>a", "'textPayload'"),
        ("jsonPayload.a=1", "'jsonPayload.a'"),
        ("labels.x=1", "'labels.x'"),
        ("severity:INFO", "'severity'"),
        ("severity>=LOUD", "'LOUD' is not a severity"),
        ("timestamp>=yesterday", "'yesterday' is not a timestamp"),
        ("httpRequest.status=ok", "'ok' is not a status"),
        ("severity>=", "'severity' has no value"),
        ("textPayload=\"open", "'textPayload' has no closing quote"),
        ("severity=INFO AND", "'AND'"),
        ("AND severity=INFO", "'AND'"),
        ("severity=INFO)", "')'"),
    ] {
        let error = Filter::parse(filter).map(|read| format!("{filter} was read: {read:?}")).unwrap_err();
        assert_eq!(error.violations[0].field, "filter", "{filter}");
        assert!(error.message.contains(named), "{filter}: {error}");
    }
    assert!(Filter::parse(&format!("textPayload:{}", "a".repeat(20_000))).is_err());
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_refused(text in "\\PC*", words in "[a-zA-Z.=<>:!~()\" \\\\n-]{0,60}") {
            for text in [text, words] {
                if let Ok(filter) = Filter::parse(&text) {
                    filter.matches(&request(200, "/"));
                }
            }
        }

        #[test]
        fn a_quoted_value_is_itself(value in "[^\\\\\"]{0,40}") {
            let entry = line(&value);
            let filter = format!("textPayload=\"{value}\"");
            prop_assert!(matches(&filter, &entry), "{}", filter);
        }
    }
}
