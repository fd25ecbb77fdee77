//! The settings of a template: limits of requests, names, accounts, VPC, order of containers.

use super::*;

#[test]
fn concurrency_and_timeout() {
    let concurrency = "spec template spec containerConcurrency";
    for count in [-1, 1001] {
        refused(
            &[(concurrency, json!(count))],
            "spec.template.spec.containerConcurrency",
            "service.template.max_instance_request_concurrency",
            "Must be a number between 0 and 1000.",
        );
    }
    let timeout = "spec template spec timeoutSeconds";
    let at = ("spec.template.spec.timeoutSeconds", "service.template.timeout");
    refused(&[(timeout, json!(3601))], at.0, at.1, "maximum allowed time is one hour.");
    refused(&[(timeout, json!(-1))], at.0, at.1, "must be greater than zero.");
    allowed(&[(timeout, json!(3600)), (concurrency, json!(1000))]);
    allowed(&[(timeout, json!(0)), (concurrency, json!(0))]);
}

#[test]
fn names_of_revisions() {
    let prefix = "The revision name must be prefixed by the name of the enclosing Service with a trailing -";
    let charset = "only lowercase, digits, and hyphens; must begin with letter, and may not end with hyphen; must \
                   be less than 64 characters.";
    let long = format!("hello-{}", "a".repeat(58));
    let names =
        [("other-1", prefix), ("hello", prefix), ("hello-", prefix), ("hello-A", charset), (&long, charset)];
    let path = "spec template metadata name";
    for (name, words) in names {
        let when = [(path, json!(name))];
        refused(&when, "spec.template.metadata.name", "service.template.revision", words);
    }
    allowed(&[(path, json!(&long[..63]))]);
}

#[test]
fn service_accounts() {
    let path = "spec template spec serviceAccountName";
    for email in
        ["dev@example.com", "Not An Account", "@demo.iam.gserviceaccount.com", "a@gserviceaccount.com"]
    {
        refused(
            &[(path, json!(email))],
            "spec.template.spec.serviceAccountName",
            "service.template.service_account",
            &format!(
                "Unsupported service account '{email}'. It must be the email address of a service account, or the \
                 id of one in the project of the service."
            ),
        );
    }
    for email in ["sa@other.iam.gserviceaccount.com", "1-compute@developer.gserviceaccount.com", "runner"] {
        allowed(&[(path, json!(email))]);
    }
    let mut spec = spec(&[(path, json!("runner"))]);
    defaults::fill(&mut spec, &id());
    let account = spec.template.settings.service_account.as_deref();
    assert_eq!(account, Some("runner@demo-project.iam.gserviceaccount.com"));
}

const CONNECTOR: &str = "vpc-access-connector";
const INTERFACES: &str = "network-interfaces";
const EGRESS: &str = "vpc-access-egress";

fn vpc(settings: &[(&str, &str)]) -> Vec<(String, Value)> {
    settings.iter().map(|(key, value)| (format!("{T}/{key}"), json!(value))).collect()
}

fn edits(owned: &[(String, Value)]) -> Vec<Edit<'_>> {
    owned.iter().map(|(path, value)| (path.as_str(), value.clone())).collect()
}

#[test]
fn connections_to_a_vpc() {
    let refuse = |settings: &[(&str, &str)], key: &str, part: &str, field: &str, words: &str| {
        refused(
            &edits(&vpc(settings)),
            &format!("spec.template.metadata.annotations[run.googleapis.com/{key}]{part}"),
            &format!("service.template.vpc_access.{field}{part}"),
            words,
        );
    };
    let one = "one and only one of connector and network_interfaces must be set";
    let default = r#"[{"network": "default"}]"#;
    let interfaces = "network_interfaces";
    refuse(&[(CONNECTOR, "c"), (INTERFACES, default)], INTERFACES, "", interfaces, one);
    refuse(&[(EGRESS, "all-traffic")], EGRESS, "", "egress", one);
    let two = r#"[{"network": "a"}, {"network": "b"}]"#;
    refuse(&[(INTERFACES, two)], INTERFACES, "", interfaces, "only 1 network interface is allowed");
    let network = "at least one of network or subnetwork should not be empty";
    for empty in [r#"[{"tags": ["t"]}]"#, r#"[{"network": ""}]"#] {
        refuse(&[(INTERFACES, empty)], INTERFACES, "[0]", interfaces, network);
    }
    for good in [
        vpc(&[(CONNECTOR, "c")]),
        vpc(&[(CONNECTOR, "c"), (EGRESS, "all")]),
        vpc(&[(INTERFACES, default), (EGRESS, "private-ranges-only")]),
        vpc(&[(INTERFACES, r#"[{"subnetwork": "s", "tags": ["t"]}]"#)]),
        vpc(&[(INTERFACES, "[]")]),
    ] {
        allowed(&edits(&good));
    }
}

#[test]
fn the_order_of_containers() {
    let containers = json!([
        {"name": "app", "image": "app", "ports": [{"containerPort": 8080}]},
        {"name": "db", "image": "db"},
        {"name": "log", "image": "log"},
    ]);
    let dependencies = format!("{T}/container-dependencies");
    let given = |text: &str| [(C, containers.clone()), (dependencies.as_str(), json!(text))];
    let annotation = "spec.template.metadata.annotations[run.googleapis.com/container-dependencies]";
    let all = "service.template.containers.depends_on";
    let of_app = "service.template.containers[0].depends_on";
    refused(&given(r#"{"app": ["dbb"]}"#), annotation, of_app, "container 'dbb' does not exist");
    refused(&given(r#"{"web": ["db"]}"#), annotation, all, "container 'web' does not exist");
    let cycle = "dependency cycle detected";
    for text in [
        r#"{"app": ["app"]}"#,
        r#"{"app": ["db"], "db": ["app"]}"#,
        r#"{"app": ["db"], "db": ["log"], "log": ["db"]}"#,
    ] {
        refused(&given(text), annotation, all, cycle);
    }
    let shape = "must be a map from the names of containers to lists of names of containers";
    for text in ["[]", "1", r#"{"app": "db"}"#] {
        refused(&given(text), annotation, all, shape);
    }
    for text in ["{}", "null", r#"{"app": []}"#, r#"{"app": ["db", "log"], "db": ["log"]}"#] {
        allowed(&given(text));
    }
}
