//! Does v2 say what v1 says, and lose nothing that it cannot say?

use proptest::prelude::*;
use serde_json::{Value, json};

use super::generate::{asked, edits};
use super::*;
use crate::service::TrafficTarget;
use crate::service::v2::{self, Mask, ServiceBody};
use crate::service::values::Ingress;

/// What comes of a specification that is read through v2 and written back as it was read.
fn there_and_back(before: &ServiceSpec, mask: &str) -> ServiceSpec {
    let shown = v2::spec(before).unwrap();
    let body = ServiceBody::read(Value::Object(shown)).unwrap();
    body.into_spec(&Mask::parse(mask).unwrap(), Some(before), |all| all).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn writing_what_was_read_changes_nothing(edits in edits()) {
        let before = asked(&edits);
        prop_assert_eq!(there_and_back(&before, ""), before.clone());
        prop_assert_eq!(there_and_back(&before, "template,traffic,labels"), before);
    }

    /// Through v2 alone, without what is stored: what v2 shows is all that it needs.
    #[test]
    fn v2_shows_what_it_was_told(edits in edits()) {
        let shown = v2::spec(&asked(&edits)).unwrap();
        let body = ServiceBody::read(Value::Object(shown.clone())).unwrap();
        let told = body.into_spec(&Mask::Everything, None, |all| all).unwrap();
        prop_assert_eq!(Value::Object(v2::spec(&told).unwrap()), Value::Object(shown));
    }

    #[test]
    fn a_change_through_v2_leaves_the_rest(edits in edits()) {
        let before = asked(&edits);
        let body = ServiceBody::read(json!({"customAudiences": ["https://one.example"]})).unwrap();
        let after = body.into_spec(&Mask::parse("custom_audiences").unwrap(), Some(&before), |all| all).unwrap();
        let mut expected = before;
        expected.settings.custom_audiences = Some(vec!["https://one.example".to_owned()]);
        prop_assert_eq!(after, expected);
    }
}

/// A client whose messages have no sandboxes and no utilization, and that names the whole template.
#[test]
fn what_a_client_cannot_hold_stays_with_and_without_a_mask() {
    let view: v2::View = |mut service| {
        let template = service["template"].as_object_mut().unwrap();
        template.remove("sandboxes");
        template["scaling"].as_object_mut().unwrap().remove("cpuUtilization");
        service
    };
    let before = template(json!({
        "containers": [{"image": "i"}], "scaling": {"cpuUtilization": 0.5, "maxInstanceCount": 3},
        "sandboxes": {"templates": [{"name": "s", "image": "x"}]},
    }));
    let before = before.unwrap();
    for mask in ["", "template", "template.scaling,template.timeout"] {
        let mut sent = view(Value::Object(v2::spec(&before).unwrap()));
        sent["template"]["timeout"] = json!("7s");
        let body = ServiceBody::read(sent).unwrap();
        let after = body.into_spec(&Mask::parse(mask).unwrap(), Some(&before), view).unwrap();
        let mut expected = before.clone();
        expected.template.settings.timeout = Some(7);
        assert_eq!(after, expected, "mask '{mask}'");
    }
}

fn read(body: Value) -> Result<ServiceSpec> {
    ServiceBody::read(body)?.into_spec(&Mask::Everything, None, |all| all)
}

fn template(fields: Value) -> Result<ServiceSpec> {
    read(json!({ "template": fields }))
}

#[track_caller]
fn refused(outcome: Result<ServiceSpec>, message: &str) {
    assert_eq!(outcome.unwrap_err().message, message);
}

#[test]
fn what_v1_keeps_in_annotations_comes_from_the_containers() {
    let spec = template(json!({
        "containers": [
            {
                "name": "app", "image": "a", "ports": [{"containerPort": 80}], "dependsOn": ["db"],
                "resources": {"limits": {"cpu": "2"}, "startupCpuBoost": true},
                "env": [{"name": "K", "valueSource": {"secretKeyRef": {"secret": "projects/7/secrets/api-key", "version": "3"}}}],
                "volumeMounts": [{"name": "cloudsql", "mountPath": "/cloudsql"}],
                "sourceCode": {"cloudStorageSource": {"bucket": "b", "object": "o.zip", "generation": "9"}},
            },
            {"name": "db", "image": "b", "baseImageUri": "base/os"},
        ],
        "volumes": [
            {"name": "cloudsql", "cloudSqlInstance": {"instances": ["p:l:i", "p:l:j"]}},
            {"name": "bucket", "gcs": {"bucket": "x", "readOnly": true, "mountOptions": ["a", "b"]}},
            {"name": "tmp", "emptyDir": {"medium": 1, "sizeLimit": "1Gi"}},
        ],
        "timeout": "60s", "encryptionKeyShutdownDuration": "7200s", "vpcAccess": {"egress": "ALL_TRAFFIC"},
    }))
    .unwrap();
    let shown = v1_template(&spec);
    let secrets = shown["metadata"]["annotations"]["run.googleapis.com/secrets"].as_str().unwrap().to_owned();
    let (alias, secret) = secrets.split_once(':').unwrap();
    assert_eq!(secret, "projects/7/secrets/api-key");
    assert!(alias.starts_with("api-k-"), "{alias}");
    assert_eq!(
        shown["metadata"]["annotations"],
        json!({
            "run.googleapis.com/base-images": "{\"db\":\"base/os\"}",
            "run.googleapis.com/cloudsql-instances": "p:l:i,p:l:j",
            "run.googleapis.com/container-dependencies": "{\"app\":[\"db\"]}",
            "run.googleapis.com/cpu-throttling": "false",
            "run.googleapis.com/encryption-key-shutdown-hours": "2",
            "run.googleapis.com/secrets": secrets,
            "run.googleapis.com/sources": "{\"app\":\"gs://b/o.zip#9\"}",
            "run.googleapis.com/startup-cpu-boost": "true",
            "run.googleapis.com/vpc-access-egress": "all-traffic",
        })
    );
    let spec = &shown["spec"];
    assert_eq!(spec["timeoutSeconds"], 60);
    assert_eq!(spec["runtimeClassName"], "run.googleapis.com/linux-base-image-update");
    assert_eq!(
        spec["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"],
        json!({"name": alias, "key": "3"})
    );
    assert_eq!(
        spec["volumes"],
        json!([
            {"name": "bucket", "csi": {
                "driver": "gcsfuse.run.googleapis.com", "readOnly": true,
                "volumeAttributes": {"bucketName": "x", "mountOptions": "a,b"},
            }},
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        ])
    );
}

fn v1_template(spec: &ServiceSpec) -> Value {
    let mut parts = crate::field::V1Parts::default();
    let fields = crate::service::v1_render::template_parts(&spec.template, &mut parts).unwrap();
    json!({ "metadata": { "annotations": parts.annotations }, "spec": fields })
}

#[test]
fn cpu_is_taken_away_unless_the_resources_do_not_say_so() {
    let idle =
        |container: Value| template(json!({ "containers": [container] })).unwrap().template.settings.cpu_idle;
    assert_eq!(idle(json!({"image": "i"})), None);
    assert_eq!(idle(json!({"image": "i", "resources": {"limits": {"cpu": "1"}}})), Some(false));
    assert_eq!(idle(json!({"image": "i", "resources": {"cpuIdle": true}})), Some(true));
}

#[test]
fn names_may_have_underscores_and_enums_numbers() {
    let spec = read(json!({
        "custom_audiences": ["a"], "ingress": 2, "launch_stage": "LAUNCH_STAGE_UNSPECIFIED",
        "labels": {"my_label": "x"}, "scaling": {"min_instance_count": "3"},
        "traffic": [{"type": 1, "percent": 100}],
    }))
    .unwrap();
    assert_eq!(spec.settings.custom_audiences, Some(vec!["a".to_owned()]));
    assert_eq!(spec.settings.ingress, Some(Ingress::Internal));
    assert_eq!(spec.settings.launch_stage, None);
    assert_eq!(spec.settings.min_instance_count, Some(3));
    assert_eq!(spec.labels.get("my_label").map(String::as_str), Some("x"));
    assert_eq!(spec.traffic, [TrafficTarget::all_to_latest()]);
}

/// Some clients write the zeros of a message that they have read.
#[test]
fn zeros_mean_what_their_absence_means() {
    let one = |volume: Value, port: Value| {
        template(json!({ "volumes": [volume], "containers": [{ "image": "i", "ports": [port] }] })).unwrap()
    };
    for (zeros, none) in [
        (json!({"nfs": {"server": "s", "readOnly": false}}), json!({"nfs": {"server": "s"}})),
        (
            json!({"gcs": {"bucket": "b", "readOnly": false, "mountOptions": []}}),
            json!({"gcs": {"bucket": "b"}}),
        ),
        (
            json!({"secret": {"secret": "s", "defaultMode": 0, "items": [{"path": "p", "version": "1", "mode": 0}]}}),
            json!({"secret": {"secret": "s", "items": [{"path": "p", "version": "1"}]}}),
        ),
        (json!({"emptyDir": {"medium": 0, "sizeLimit": ""}}), json!({"emptyDir": {}})),
    ] {
        assert_eq!(one(zeros, json!({"name": "", "containerPort": 0})), one(none, json!({})));
    }
}

/// @google-cloud/run writes the zeros of a message that it has read.
#[test]
fn a_probe_with_zeros_is_one_without_them() {
    let probe =
        |given: Value| template(json!({"containers": [{"image": "i", "livenessProbe": given}]})).unwrap();
    let zeros = json!({
        "initialDelaySeconds": 0, "timeoutSeconds": 0, "periodSeconds": 0, "failureThreshold": 0,
        "httpGet": {"path": "/"},
    });
    assert_eq!(probe(zeros), probe(json!({"httpGet": {"path": "/"}})));
}

#[test]
fn what_only_the_server_writes_is_left_out() {
    let spec =
        read(json!({"uid": 7, "reconciling": true, "conditions": 3, "uri": "x", "createTime": "never"}));
    assert_eq!(spec.unwrap(), ServiceSpec::default());
}

#[test]
fn what_is_wrong_is_named_in_the_words_of_google() {
    let unknown = |name: &str, at: &str| {
        format!("Invalid JSON payload received. Unknown name \"{name}\" at '{at}': Cannot find field.")
    };
    refused(read(json!({"nope": 1})), &unknown("nope", "service"));
    refused(read(json!({"scaling": {"nope": 1}})), &unknown("nope", "service.scaling"));
    refused(template(json!({"nope": 1})), &unknown("nope", "service.template"));
    refused(
        template(json!({"containers": [{"imagePullPolicy": "Always"}]})),
        &unknown("imagePullPolicy", "service.template.containers[0]"),
    );
    refused(
        read(json!([])),
        "Invalid value at 'service' (type.googleapis.com/google.cloud.run.v2.Service), []",
    );
    refused(
        read(json!({"ingress": "SIDEWAYS"})),
        "Invalid value at 'service.ingress' (type.googleapis.com/google.cloud.run.v2.Ingress), \"SIDEWAYS\"",
    );
    refused(
        template(json!({"timeout": 300})),
        "Invalid value at 'service.template.timeout' (type.googleapis.com/google.protobuf.Duration), 300",
    );
    refused(
        template(json!({"volumes": [{"name": "v", "gcs": {}, "nfs": {}}]})),
        "Invalid value at 'service.template.volumes[0]' (oneof), oneof field 'volume_type' is already set. Cannot set 'gcs'",
    );
    refused(
        read(json!({"annotations": {"run.googleapis.com/ingress": "all"}})),
        "service.annotations: system annotations are not supported in Cloud Run API v2",
    );
    refused(
        read(json!({"traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "percent": 100}]})),
        "service.traffic[0].revision: must be specified if and only if traffic type is TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
    );
}

#[test]
fn a_mask_names_fields() {
    let fields = |text: &str| Mask::parse(text).unwrap();
    assert_eq!(fields(""), Mask::Everything);
    assert_eq!(fields("*"), Mask::Nothing);
    assert_eq!(fields("uid,etag"), Mask::Nothing);
    assert_eq!(
        fields("custom_audiences, template.vpc_access"),
        Mask::Fields(vec!["customAudiences".to_owned(), "template.vpcAccess".to_owned()])
    );
    for wrong in ["nope", "template.nope", "template.containers.image", "custom", "labels.a"] {
        let error = Mask::parse(wrong).unwrap_err();
        assert_eq!(error.message, format!("update_mask: Invalid update mask path: {wrong}"));
    }
}
