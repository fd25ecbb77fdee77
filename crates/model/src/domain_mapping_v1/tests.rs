//! Is a v1 DomainMapping read as Google reads it, and what does it answer?

use serde_json::json;

use super::*;
use crate::Timestamp;
use crate::domain_mapping::tests::mapping;

/// What gcloud sends.
fn body() -> Value {
    json!({
        "apiVersion": "domains.cloudrun.com/v1",
        "kind": "DomainMapping",
        "metadata": {
            "annotations": { "run.googleapis.com/launch-stage": "BETA" },
            "labels": {},
            "name": "api.example.com",
            "namespace": "demo-project",
        },
        "spec": { "forceOverride": false, "routeName": "hello" },
        "status": {},
    })
}

fn refusal(edit: impl FnOnce(&mut Value)) -> String {
    let mut body = body();
    edit(&mut body);
    parse(body).unwrap_err().message
}

#[test]
fn what_gcloud_sends_is_understood() {
    let read = parse(body()).unwrap();
    assert_eq!((read.domain.as_str(), read.spec.route.as_str()), ("api.example.com", "hello"));
    assert_eq!(read.namespace.as_deref(), Some("demo-project"));
    assert_eq!(read.spec.certificate_mode, CertificateMode::Automatic);
    assert!(!read.spec.force_override);
    let forced = json!({
        "metadata": { "name": "api.example.com" },
        "spec": { "routeName": "hello", "forceOverride": true, "certificateMode": "NONE" },
    });
    let read = parse(forced).unwrap();
    assert!(read.spec.force_override);
    assert_eq!(read.spec.certificate_mode, CertificateMode::None);
}

#[test]
fn what_is_wrong_is_named() {
    let told = refusal(|body| body["spec"]["routeName"] = json!(""));
    assert_eq!(told, "spec.routeName: must be the name of a service");
    let told = refusal(|body| body["spec"]["routeName"] = json!("Not A Service"));
    assert!(told.starts_with("spec.routeName: only lowercase"), "{told}");
    let told = refusal(|body| body["metadata"]["name"] = json!(null));
    assert_eq!(told, "metadata.name: must be the domain that is mapped");
    let told = refusal(|body| body["spec"]["certificateMode"] = json!("MANUAL"));
    assert_eq!(told, "spec.certificateMode: must be AUTOMATIC or NONE, not 'MANUAL'");
    let told = refusal(|body| body["kind"] = json!("Service"));
    assert_eq!(told, "kind: must be DomainMapping");
    let told = refusal(|body| body["spec"]["route"] = json!("hello"));
    assert_eq!(told, "Invalid JSON payload received. Unknown name \"route\" at 'spec': Cannot find field.");
    let told = refusal(|body| body["spec"]["forceOverride"] = json!("yes"));
    assert!(told.starts_with("Invalid value at 'spec.forceOverride'"), "{told}");
    let mut body = body();
    body["metadata"]["name"] = json!("nodomain");
    body["spec"] = json!({});
    assert_eq!(parse(body).unwrap_err().violations.len(), 2, "all at once");
}

#[test]
fn a_mapping_shows_its_records_only_if_it_leads_to_its_service() {
    let mapping = mapping("api.example.com", 10, false);
    let shown = domain_mapping(&mapping, Standing::Mapped(Timestamp::from_seconds(5))).unwrap();
    assert_eq!(
        shown["status"]["resourceRecords"],
        json!([{ "name": "api", "type": "CNAME", "rrdata": "ghs.googlehosted.com." }])
    );
    assert_eq!(shown["status"]["mappedRouteName"], "hello");
    assert_eq!(shown["metadata"]["namespace"], mapping.project.number.to_string());
    // What a client reads it may send.
    assert_eq!(parse(shown).unwrap().spec, mapping.spec);
    let lost = domain_mapping(&mapping, Standing::RouteMissing).unwrap();
    assert_eq!(lost["status"].get("resourceRecords"), None);
    assert_eq!(lost["status"]["conditions"][0]["message"], "Service 'hello' does not exist.");
}
