//! The settings of a service, its labels and its traffic.

use super::*;
use crate::service::v2;

#[test]
fn texts() {
    let description = format!("{S}/description");
    refused(
        &[(&description, json!("é".repeat(513)))],
        "metadata.annotations[run.googleapis.com/description]",
        "service.description",
        "must be at most 512 characters.",
    );
    allowed(&[(&description, json!("é".repeat(512)))]);
    let audiences = format!("{S}/custom-audiences");
    // The brackets and quotes of the JSON encoding count.
    let json_of = |bytes: usize| json!(json!(["a".repeat(bytes - 4)]).to_string());
    allowed(&[(&audiences, json_of(32_768))]);
    let long = v1::parse(body(&[(&audiences, json_of(32_769))])).unwrap_err();
    assert_eq!(
        lines(&long),
        "metadata.annotations[run.googleapis.com/custom-audiences]: the JSON encoding of the custom audiences has \
         32769 bytes; it must not exceed 32768 bytes."
    );
}

#[test]
fn numbers_of_instances() {
    let negative = "must be greater than or equal to zero";
    let template = "spec template metadata annotations autoscaling.knative.dev";
    for (key, field) in [("minScale", "min_instance_count"), ("maxScale", "max_instance_count")] {
        refused(
            &[(&format!("{S}/{key}"), json!("-1"))],
            &format!("metadata.annotations[run.googleapis.com/{key}]"),
            &format!("service.scaling.{field}"),
            negative,
        );
        refused(
            &[(&format!("{template}/{key}"), json!("-1"))],
            &format!("spec.template.metadata.annotations[autoscaling.knative.dev/{key}]"),
            &format!("service.template.scaling.{field}"),
            negative,
        );
        allowed(&[(&format!("{S}/{key}"), json!("0"))]);
    }
    let least = "must be greater than or equal to min_instance_count";
    let (low, high) = (format!("{S}/minScale"), format!("{S}/maxScale"));
    refused(
        &[(&low, json!("3")), (&high, json!("2"))],
        "metadata.annotations[run.googleapis.com/maxScale]",
        "service.scaling.max_instance_count",
        least,
    );
    allowed(&[(&low, json!("3")), (&high, json!("3"))]);
    let template = format!("{template}/minScale");
    refused(
        &[(&template, json!("101"))],
        "spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]",
        "service.template.scaling.max_instance_count",
        least,
    );
    allowed(&[(&template, json!("100"))]);
    let manual = (&*format!("{S}/manualInstanceCount"), json!("3"));
    refused(
        std::slice::from_ref(&manual),
        "metadata.annotations[run.googleapis.com/manualInstanceCount]",
        "service.scaling.manual_instance_count",
        "scaling mode must be set to MANUAL",
    );
    allowed(&[manual, (&format!("{S}/scalingMode"), json!("manual"))]);
}

#[test]
fn launch_stages() {
    for stage in ["EARLY_ACCESS", "gamma"] {
        let error = v1::parse(body(&[(&format!("{S}/launch-stage"), json!(stage))])).unwrap_err();
        assert_eq!(
            lines(&error),
            "metadata.annotations[run.googleapis.com/launch-stage]: only ALPHA, BETA, GA, or unspecified are \
             supported"
        );
    }
    let read = |stage: &str| {
        let body = v2::ServiceBody::read(json!({"launchStage": stage}))?;
        body.into_spec(&v2::Mask::Everything, None, |all| all)
    };
    assert_eq!(
        lines(&read("EARLY_ACCESS").unwrap_err()),
        "service.launch_stage: only ALPHA, BETA, GA, or unspecified are supported"
    );
    for stage in ["ALPHA", "BETA", "GA", "LAUNCH_STAGE_UNSPECIFIED"] {
        assert!(read(stage).is_ok(), "{stage}");
    }
}

#[test]
fn annotations_of_the_other_level() {
    let kinds = [
        ("run.googleapis.com/vpc-access-connector", "Revision, Execution"),
        ("run.googleapis.com/cloudsql-instances", "Revision, Execution, Instance"),
        ("run.googleapis.com/container-dependencies", "Revision, Instance"),
        ("run.googleapis.com/cpu-throttling", "Revision"),
        ("autoscaling.knative.dev/maxScale", "Revision"),
        ("run.googleapis.com/mesh", "Revision"),
    ];
    for (key, kinds) in kinds {
        refused(
            &[(&format!("metadata annotations {key}"), json!("1"))],
            &format!("metadata.annotations[{key}]"),
            &format!("service.annotations[{key}]"),
            &format!(
                "Annotation '{key}' is not supported on resources of kind 'Service'. Supported kinds are: {kinds}"
            ),
        );
    }
    let kinds = [
        ("custom-audiences", "Service"),
        ("ingress", "Service, Instance"),
        ("binary-authorization", "Service, Job, Execution"),
        ("launch-stage", "Service, Job"),
        ("iap-enabled", "Service"),
    ];
    for (key, kinds) in kinds {
        refused(
            &[(&format!("{T}/{key}"), json!("1"))],
            &format!("spec.template.metadata.annotations[run.googleapis.com/{key}]"),
            &format!("service.template.annotations[run.googleapis.com/{key}]"),
            &format!(
                "Annotation 'run.googleapis.com/{key}' is not supported on resources of kind 'Revision'. Supported \
                 kinds are: {kinds}"
            ),
        );
    }
    // The API documents these for both kinds.
    allowed(&[(&format!("{S}/base-images"), json!("{}"))]);
    allowed(&[(&format!("{T}/build-source-location"), json!("gs://b/o"))]);
}

#[test]
fn labels() {
    let value = "violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters";
    for text in ["v1.0.0", &"v".repeat(64)] {
        refused(
            &[("metadata labels version", json!(text))],
            "metadata.labels[version]",
            "service.labels[version]",
            &format!("Label value '{text}' {value}."),
        );
    }
    for key in ["Team", "1st", "a.b", &"k".repeat(64)] {
        refused(
            &[(&format!("spec template metadata labels {key}"), json!(""))],
            &format!("spec.template.metadata.labels[{key}]"),
            &format!("service.template.labels[{key}]"),
            &format!("Label key '{key}' {value}, beginning with a letter."),
        );
    }
    allowed(&[(&format!("metadata labels {}", "k".repeat(63)), json!("v".repeat(63)))]);
    allowed(&[("spec template metadata labels client.knative.dev/nonce", json!("Abc"))]);
}

#[test]
fn traffic() {
    let latest = |percent: i32| json!({"latestRevision": true, "percent": percent});
    let traffic = |targets: Value, part: &str, words: &str| {
        let when = [("spec traffic", targets)];
        refused(&when, &format!("spec.traffic{part}"), &format!("service.traffic{part}"), words);
    };
    traffic(json!([latest(50)]), "", "the sum of the traffic percentages is 50, it should be 100");
    let both = [("spec traffic", json!([latest(-1), latest(101)]))];
    for (api, root) in [(Api::V1, "spec"), (Api::V2, "service")] {
        let words = "percent: must be a number between 0 and 100";
        let expect = format!("{root}.traffic[0].{words}\n{root}.traffic[1].{words}");
        assert_eq!(outcome(api, &both), Err(expect));
    }
    let tagged = |tag: &str| json!({"latestRevision": true, "tag": tag});
    let twice = json!([latest(100), tagged("a"), tagged("a")]);
    traffic(twice, "[2].tag", "may not contain a duplicate tag 'a'");
    let long = "t".repeat(42);
    traffic(
        json!([latest(100), tagged(&long)]),
        ".tag",
        &format!(
            "traffic tag '{long}' and service name 'hello' together are too long. Combined traffic tag and service \
             name cannot exceed 46 characters."
        ),
    );
    allowed(&[("spec traffic", json!([latest(100), tagged(&"t".repeat(41))]))]);
    allowed(&[("spec traffic", json!([latest(0), latest(100)]))]);
    refused(
        &[("spec traffic", json!([{"revisionName": "Hello_1", "percent": 100}]))],
        "spec.traffic[0].revisionName",
        "service.traffic[0].revision",
        "'Hello_1' is not the name of a revision.",
    );
    for target in
        [json!({"percent": 100}), json!({"latestRevision": true, "revisionName": "a", "percent": 100})]
    {
        let error = v1::parse(body(&[("spec traffic", json!([target]))])).unwrap_err();
        assert!(error.message.contains("must be specified if and only if traffic type is"), "{error}");
    }
}
