//! Is a v1 body read as Google reads it, and refused in its words?

use serde_json::{Value, json};

use super::*;
use crate::service::{TrafficRevision, TrafficTarget};

/// `when` is refused with exactly these violations.
fn check(when: &[Edit<'_>], expect: &str) {
    let error = v1::parse(body(when)).map(|body| format!("{when:?} was read: {body:?}")).unwrap_err();
    assert_eq!(error.code, crate::Code::InvalidArgument);
    assert_eq!(lines(&error), expect, "{when:?}");
}

/// `when` reads as if it was not there.
fn check_unset(when: &[Edit<'_>]) {
    assert_eq!(v1::parse(body(when)).unwrap(), v1::parse(body(&[])).unwrap(), "{when:?}");
}

#[test]
fn unknown_names_are_refused_with_their_parent() {
    let parents = [
        ("", ""),
        ("metadata", "metadata"),
        ("spec", "spec"),
        ("spec template", "spec.template"),
        ("spec template metadata", "spec.template.metadata"),
        ("spec template spec", "spec.template.spec"),
        ("spec template spec containers 0", "spec.template.spec.containers[0]"),
        ("spec template spec containers 0 env 0", "spec.template.spec.containers[0].env[0]"),
        ("spec template spec containers 0 ports 0", "spec.template.spec.containers[0].ports[0]"),
        ("spec template spec containers 0 resources", "spec.template.spec.containers[0].resources"),
        ("spec template spec containers 0 startupProbe", "spec.template.spec.containers[0].startupProbe"),
        (
            "spec template spec containers 0 startupProbe httpGet",
            "spec.template.spec.containers[0].startupProbe.httpGet",
        ),
        ("spec template spec volumes 0", "spec.template.spec.volumes[0]"),
        ("spec template spec volumes 0 secret", "spec.template.spec.volumes[0].secret"),
        ("spec traffic 0", "spec.traffic[0]"),
    ];
    for (parent, path) in parents {
        // A name with a dot has its own spelling in paths, and one may end as its parent does.
        for name in ["bogus", "a.b", "c"] {
            let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
            check(
                &[(format!("{parent} {name}").trim(), json!("x"))],
                &format!(
                    "{path}: Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
                ),
            );
        }
    }
}

#[test]
fn an_unknown_name_is_refused_whatever_its_value() {
    for value in [json!(""), json!({}), json!([])] {
        check(
            &[("spec template spec bogus", value)],
            "spec.template.spec: Invalid JSON payload received. Unknown name \"bogus\" at \
             'spec.template.spec': Cannot find field.",
        );
    }
}

#[test]
fn values_of_the_wrong_type_are_refused_with_their_path() {
    let invalid = |path: &str, value: Value, at: &str, words: &str| {
        check(&[(path, value)], &format!("{at}: Invalid value at '{at}' ({words})"));
    };
    invalid("metadata name", json!(1), "metadata.name", "invalid type: integer `1`, expected a string");
    invalid(
        "metadata labels team",
        json!(1),
        "metadata.labels.team",
        "invalid type: integer `1`, expected a string",
    );
    invalid(
        "metadata annotations run.googleapis.com/ingress",
        json!(true),
        "metadata.annotations[run.googleapis.com/ingress]",
        "invalid type: boolean `true`, expected a string",
    );
    invalid("spec traffic 0 percent", json!("x"), "spec.traffic[0].percent", "\"x\" is not an integer");
    invalid("spec traffic 0 percent", json!(0.5), "spec.traffic[0].percent", "an integer");
    invalid(
        "spec template spec containers 0 ports 0 containerPort",
        json!("http"),
        "spec.template.spec.containers[0].ports[0].containerPort",
        "\"http\" is not an integer",
    );
    invalid(
        "spec template spec containers",
        json!("x"),
        "spec.template.spec.containers",
        "invalid type: string \"x\", expected a sequence",
    );
}

#[test]
fn settings_of_the_wrong_type_are_refused_all_at_once() {
    check(
        &[
            ("metadata annotations run.googleapis.com/ingress", json!("everywhere")),
            ("metadata annotations run.googleapis.com/minScale", json!("many")),
            ("metadata annotations run.googleapis.com/invoker-iam-disabled", json!("yes")),
            ("metadata annotations run.googleapis.com/custom-audiences", json!("https://a.example.com")),
            ("spec template metadata annotations run.googleapis.com/network-interfaces", json!("[")),
            ("spec template spec timeoutSeconds", json!([])),
            ("spec template spec containerConcurrency", json!("1.5")),
        ],
        "metadata.annotations[run.googleapis.com/custom-audiences]: custom audiences must be a JSON array of strings, such as [\"https://example.com\"].\n\
         metadata.annotations[run.googleapis.com/ingress]: 'everywhere' is not valid. Allowed values are [all, internal, internal-and-cloud-load-balancing, none]\n\
         metadata.annotations[run.googleapis.com/invoker-iam-disabled]: must be true or false, not 'yes'\n\
         metadata.annotations[run.googleapis.com/minScale]: must be an integer, not 'many'\n\
         spec.template.spec.containerConcurrency: must be an integer, not '1.5'\n\
         spec.template.spec.timeoutSeconds: must be an integer\n\
         spec.template.metadata.annotations[run.googleapis.com/network-interfaces]: must be JSON: EOF while parsing a list at line 1 column 1",
    );
}

#[test]
fn booleans_are_read_in_any_case_and_answered_in_lower_case() {
    for (text, value) in [("True", true), ("true", true), ("TRUE", true), ("False", false)] {
        let edits = [
            ("metadata annotations run.googleapis.com/invoker-iam-disabled", json!(text)),
            ("spec template metadata annotations run.googleapis.com/cpu-throttling", json!(text)),
        ];
        let spec = spec(&edits);
        assert_eq!(spec.settings.invoker_iam_disabled, Some(value));
        assert_eq!(spec.template.settings.cpu_idle, Some(value));
        assert_eq!(crate::field::Setting::to_text(&value), text.to_ascii_lowercase());
    }
}

#[test]
fn what_is_empty_is_unset() {
    for path in ["metadata labels", "metadata annotations", "status", "spec template metadata labels"] {
        check_unset(&[(path, json!({}))]);
    }
    check_unset(&[("status address", json!({}))]);
    check_unset(&[("metadata annotations run.googleapis.com/custom-audiences", json!("[]"))]);
    check_unset(&[("metadata annotations run.googleapis.com/description", json!(""))]);
    check_unset(&[("spec template metadata name", json!(""))]);
    check_unset(&[("metadata resourceVersion", json!(""))]);
    for key in ["serviceAccountName", "runtimeClassName"] {
        check_unset(&[(&format!("spec template spec {key}"), json!(""))]);
    }
    check_unset(&[("spec template spec nodeSelector", json!({}))]);
    let container = "spec template spec containers 0";
    check_unset(&[(&format!("{container} name"), json!(""))]);
    for key in ["args", "command", "env", "ports", "volumeMounts"] {
        check_unset(&[(&format!("{container} {key}"), json!([]))]);
    }
}

#[test]
fn null_is_unset_at_every_level() {
    let body = json!({
        "apiVersion": null, "kind": null, "status": null,
        "metadata": { "name": "hello", "namespace": "demo-project", "labels": null, "annotations": null,
                      "resourceVersion": null, "generation": null, "ownerReferences": null },
        "spec": { "traffic": null, "template": { "metadata": null, "spec": {
            "volumes": null, "nodeSelector": null, "timeoutSeconds": null, "serviceAccountName": null,
            "containers": [{ "image": "gcr.io/demo/hello", "name": null, "env": null, "ports": null,
                             "resources": null, "startupProbe": null }] } } },
    });
    assert_eq!(v1::parse(body).unwrap(), v1::parse(super::body(&[])).unwrap());
    for nothing in [json!({}), json!({"spec": null, "metadata": null})] {
        assert_eq!(v1::parse(nothing).unwrap().spec, ServiceSpec::default());
    }
}

#[test]
fn integers_may_be_strings() {
    let spec = spec(&[
        ("spec template spec timeoutSeconds", json!("60")),
        ("spec template spec containerConcurrency", json!(10)),
        ("spec template spec containers 0 ports 0 containerPort", json!("9000")),
        ("spec traffic", json!([{"latestRevision": true, "percent": "100"}])),
    ]);
    assert_eq!(spec.template.settings.timeout, Some(60));
    assert_eq!(spec.template.settings.max_instance_request_concurrency, Some(10));
    assert_eq!(spec.template.containers[0].ports[0].container_port, Some(9000));
    assert_eq!(spec.traffic, [TrafficTarget::all_to_latest()]);
}

#[test]
fn what_the_server_writes_is_left_out() {
    let annotations = [
        "run.googleapis.com/creatorEmail",
        "run.googleapis.com/ingress-status",
        "run.googleapis.com/lastModifierEmail",
        "run.googleapis.com/operation-id",
        "run.googleapis.com/urls",
        "serving.knative.dev/creator",
        "serving.knative.dev/lastModifier",
    ];
    for key in annotations {
        check_unset(&[(&format!("metadata annotations {key}"), json!("x"))]);
        check_unset(&[(&format!("spec template metadata annotations {key}"), json!("x"))]);
    }
    for key in ["cloud.googleapis.com/location", "run.googleapis.com/startupProbeType"] {
        check_unset(&[(&format!("metadata labels {key}"), json!("x"))]);
        check_unset(&[(&format!("spec template metadata labels {key}"), json!("x"))]);
    }
    for key in ["uid", "selfLink", "creationTimestamp", "deletionTimestamp"] {
        check_unset(&[(&format!("metadata {key}"), json!("x"))]);
    }
    check_unset(&[("metadata generation", json!(7)), ("status observedGeneration", json!(7))]);
}

#[test]
fn what_the_table_does_not_know_is_kept() {
    let spec = spec(&[
        ("metadata annotations run.googleapis.com/gc-traffic-tags", json!("a,b")),
        ("spec template metadata annotations run.googleapis.com/mesh-dataplane", json!("x")),
        ("spec template metadata labels client.knative.dev/nonce", json!("vgmohslfeb")),
        ("spec template spec enableServiceLinks", json!(false)),
    ]);
    assert_eq!(spec.annotations["run.googleapis.com/gc-traffic-tags"], "a,b");
    assert_eq!(spec.template.annotations["run.googleapis.com/mesh-dataplane"], "x");
    assert_eq!(spec.template.labels["client.knative.dev/nonce"], "vgmohslfeb");
    assert_eq!(spec.template.other["enableServiceLinks"], json!(false));
}

#[test]
fn the_resource_version_is_the_moment_of_the_last_write() {
    assert_eq!(v1::resource_version(Timestamp::from_micros(START)), "AAZZJpwmJn4");
    let read =
        |text: &str| v1::parse(body(&[("metadata resourceVersion", json!(text))])).map(|body| body.version);
    assert_eq!(read("AAZZJpwmJn4"), Ok(Some(START)));
    assert_eq!(read("AAZZJpwmJn4="), Ok(Some(START)));
    assert_eq!(read(""), Ok(None));
    for text in ["1", "not base64", "AAZZJpwmJn4AAA", "IibPVmbnS5Yj"] {
        check(
            &[("metadata resourceVersion", json!(text))],
            &format!("metadata.resourceVersion: '{text}' is not a resource version of this service."),
        );
    }
}

#[test]
fn another_kind_is_refused() {
    check(
        &[("apiVersion", json!("run.googleapis.com/v1")), ("kind", json!("Job"))],
        "apiVersion: must be serving.knative.dev/v1\nkind: must be Service",
    );
}

#[test]
fn a_target_is_the_latest_revision_or_a_named_one() {
    let traffic = json!([
        {"revisionName": "hello-00001-abc", "percent": 90},
        {"latestRevision": false, "revisionName": "hello-00002-abc", "tag": "blue"},
        {"latestRevision": true, "percent": 10},
    ]);
    let named = |name: &str| TrafficRevision::Named(name.to_owned());
    assert_eq!(
        spec(&[("spec traffic", traffic)]).traffic,
        [
            TrafficTarget { revision: named("hello-00001-abc"), percent: Some(90), tag: None },
            TrafficTarget { revision: named("hello-00002-abc"), percent: None, tag: Some("blue".to_owned()) },
            TrafficTarget { revision: TrafficRevision::Latest, percent: Some(10), tag: None },
        ]
    );
    let words =
        "must be specified if and only if traffic type is REVISION, that is if latestRevision is not true";
    for target in
        [json!({"percent": 100}), json!({"latestRevision": true, "revisionName": "hello-00001-abc"})]
    {
        check(&[("spec traffic", json!([target]))], &format!("spec.traffic[0].revisionName: {words}"));
    }
    check(
        &[("spec traffic", json!([{"latestRevision": true, "configurationName": "hello"}]))],
        "spec.traffic[0].configurationName: must be empty",
    );
}
