//! Is JSON spelled, and read, by the rules of proto3?

use prost_types::{Duration, FieldMask, Timestamp};
use serde_json::{Value, json};

use crate::grpc::json::Json;
use crate::grpc::messages::{iam, longrunning, run};

fn reads<T: Json + PartialEq + std::fmt::Debug>(value: &Value, expect: &T) {
    assert_eq!(&T::from_json(value).unwrap(), expect, "from {value}");
}

fn refuses<T: Json + std::fmt::Debug>(value: &Value, expect: &str) {
    assert_eq!(T::from_json(value).unwrap_err().to_string(), expect);
}

#[test]
fn a_service_is_spelled_as_the_api_spells_it() {
    let template = run::RevisionTemplate {
        timeout: Some(Duration { seconds: 300, nanos: 0 }),
        gpu_zonal_redundancy_disabled: Some(false),
        scaling: Some(run::RevisionScaling::default()),
        containers: vec![run::Container {
            env: vec![run::EnvVar {
                name: "EMPTY".to_owned(),
                values: Some(run::env_var::Values::Value(String::new())),
            }],
            ..run::Container::default()
        }],
        ..run::RevisionTemplate::default()
    };
    let service = run::Service {
        generation: 7,
        create_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_000 }),
        ingress: run::IngressTraffic::InternalOnly.into(),
        scaling: Some(run::ServiceScaling { manual_instance_count: Some(0), ..Default::default() }),
        traffic: vec![run::TrafficTarget { r#type: 1, percent: 100, ..Default::default() }],
        terminal_condition: Some(run::Condition {
            r#type: "Ready".to_owned(),
            state: 99,
            reasons: Some(run::condition::Reasons::Reason(0)),
            ..Default::default()
        }),
        template: Some(template),
        ..run::Service::default()
    };
    let spelled = json!({
        "generation": "7",
        "createTime": "2023-11-14T22:13:20.123456Z",
        "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
        "scaling": { "manualInstanceCount": 0 },
        "traffic": [{ "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100 }],
        "terminalCondition": { "type": "Ready", "state": 99, "reason": "COMMON_REASON_UNDEFINED" },
        "template": {
            "timeout": "300s",
            "gpuZonalRedundancyDisabled": false,
            "scaling": {},
            "containers": [{ "env": [{ "name": "EMPTY", "value": "" }] }],
        },
    });
    assert_eq!(service.to_json(), spelled);
    reads(&spelled, &service);
}

#[test]
fn what_the_published_protos_do_not_have_is_skipped() {
    let expect = run::Service { name: "n".to_owned(), ..run::Service::default() };
    reads(&json!({ "name": "n", "functionalType": "X", "template": null, "ingress": "BRAND_NEW" }), &expect);
}

#[test]
fn numbers_and_enumerations_are_read_in_either_spelling() {
    let expect = run::Service { generation: 7, ingress: 2, ..run::Service::default() };
    reads(&json!({ "generation": 7, "ingress": 2 }), &expect);
    reads(&json!({ "generation": "7", "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY" }), &expect);
}

/// A name of another enumeration would come back as none: so this shows that each field has its own.
#[test]
fn every_enumeration_has_its_documented_names() {
    fn check<T: Json>(spelled: &Value) {
        assert_eq!(&T::from_json(spelled).unwrap().to_json(), spelled);
    }
    check::<run::Service>(&json!({
        "ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        "launchStage": "BETA",
        "scaling": { "scalingMode": "MANUAL" },
        "traffic": [{ "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" }],
        "trafficStatuses": [{ "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" }],
        "conditions": [
            { "state": "CONDITION_SUCCEEDED", "severity": "WARNING", "reason": "CONTAINER_MISSING" },
            { "state": "CONDITION_FAILED", "severity": "ERROR", "revisionReason": "MIN_INSTANCES_WARMING" },
            { "executionReason": "JOB_STATUS_SERVICE_POLLING_ERROR" },
        ],
        "template": {
            "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
            "encryptionKeyRevocationAction": "PREVENT_NEW",
            "vpcAccess": { "egress": "PRIVATE_RANGES_ONLY" },
            "volumes": [{ "emptyDir": { "medium": "MEMORY" } }],
        },
    }));
    check::<run::Revision>(&json!({
        "launchStage": "ALPHA",
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN1",
        "encryptionKeyRevocationAction": "SHUTDOWN",
    }));
    check::<iam::AuditConfig>(&json!({ "auditLogConfigs": [{ "logType": "DATA_READ" }] }));
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_its_path() {
    refuses::<run::Service>(&json!([]), "'': an object is expected, not a list");
    refuses::<run::Service>(&json!({ "uri": 1 }), "'uri': a string is expected, not a number");
    refuses::<run::Service>(
        &json!({ "template": { "containers": [{}, { "ports": [{ "containerPort": 4_294_967_296_u64 }] }] } }),
        "'template.containers[1].ports[0].containerPort': 4294967296 does not fit 32 bits",
    );
    refuses::<run::Service>(
        &json!({ "labels": { "a": true } }),
        "'labels.a': a string is expected, not a bool",
    );
    refuses::<iam::Policy>(&json!({ "etag": "?" }), "'etag': not base64: Invalid symbol 63, offset 0.");
}

#[test]
fn moments_and_durations_out_of_range_are_left_to_the_reader() {
    assert_eq!(Timestamp { seconds: i64::MAX, nanos: 1 }.to_json(), json!(i64::MAX.to_string()));
    assert_eq!(Timestamp { seconds: 253_402_300_799, nanos: 0 }.to_json(), json!("9999-12-31T23:59:59Z"));
    assert_eq!(Duration { seconds: i64::MIN, nanos: -1 }.to_json(), json!(format!("{}s", i64::MIN)));
    assert_eq!(Duration { seconds: 1, nanos: 500_000_000 }.to_json(), json!("1.500s"));
    reads(&json!("3.5s"), &Duration { seconds: 3, nanos: 500_000_000 });
    refuses::<Timestamp>(&json!("yesterday"), "'': 'yesterday' is not a moment");
}

#[test]
fn a_field_mask_is_spelled_in_camel_case() {
    let paths = |paths: &[&str]| FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
    let check = |mask: FieldMask, spelled: &str| {
        assert_eq!(mask.to_json(), json!(spelled));
        reads(&json!(spelled), &mask);
    };
    check(
        paths(&["custom_audiences", "template.vpc_access.egress"]),
        "customAudiences,template.vpcAccess.egress",
    );
    check(paths(&[]), "");
    // What has no camel case of its own stays as it is.
    assert_eq!(paths(&["labels.Team"]).to_json(), json!("labels.Team"));
}

#[test]
fn a_message_of_any_type_is_spelled_with_its_fields() {
    let spelled = json!({
        "name": "projects/p/locations/l/operations/o",
        "done": true,
        "metadata": { "@type": "type.googleapis.com/google.cloud.run.v2.Service", "uid": "u" },
        "error": { "code": 5, "message": "gone", "details": [
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "R" },
            { "@type": "type.googleapis.com/google.protobuf.Empty" },
            { "@type": "type.googleapis.com/some.Other", "value": "AAE=" },
        ] },
    });
    let operation = longrunning::Operation::from_json(&spelled).unwrap();
    assert_eq!(operation.to_json(), spelled);
    refuses::<longrunning::Operation>(
        &json!({ "response": { "@type": "type.googleapis.com/some.Other", "a": 1 } }),
        "'response': 'type.googleapis.com/some.Other' is not a type that is known",
    );
}
