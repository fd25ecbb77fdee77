//! How does a revision answer through v2?

use serde_json::{Value, json};

use crate::error::Result;
use crate::field::is_default;
use crate::revision::{Revision, RevisionPhase};
use crate::service::{conditions, v2};

/// The revision as v2 shows it; `routed` tells whether requests can reach it.
///
/// # Errors
/// 500 if it cannot be written as JSON.
pub fn revision(revision: &Revision, routed: bool) -> Result<Value> {
    let containers = revision.resolved_containers();
    let mut json = v2::template_fields(&revision.template, &containers)?;
    // Of the template only: a revision does not tell who asked for it.
    json.remove("healthCheckDisabled");
    let name = full_name(revision);
    let mut set = |name: &str, value: Value| {
        if !is_default(&value) {
            json.insert(name.to_owned(), value);
        }
    };
    set("etag", json!(v2::etag(revision.updated, &name)));
    set("name", json!(name));
    set("uid", json!(revision.uid));
    set("generation", json!("1"));
    set("createTime", json!(revision.created.to_string()));
    set("updateTime", json!(revision.updated.to_string()));
    set("launchStage", json!("GA"));
    set("service", json!(revision.service.name));
    set("creator", json!(revision.creator));
    set("observedGeneration", json!("1"));
    set("reconciling", json!(revision.phase == RevisionPhase::Pending));
    let all = conditions::of_revision(revision, routed);
    set("conditions", all.iter().map(v2::condition).collect());
    set("logUri", json!(log_uri(revision)));
    let desired = revision.template.settings.min_instance_count.unwrap_or(0);
    if desired > 0 {
        set("scalingStatus", json!({ "desiredMinInstanceCount": desired }));
    }
    let statuses = containers.iter().map(|one| json!({ "name": one.name, "imageDigest": one.image }));
    set("containerStatuses", statuses.collect());
    Ok(Value::Object(json))
}

/// The name by which v2 knows the revision.
pub fn full_name(revision: &Revision) -> String {
    format!("{}/revisions/{}", v2::full_name(&revision.service), revision.name)
}

/// Where the console of the hosted service shows the logs of the revision.
fn log_uri(revision: &Revision) -> String {
    let service = &revision.service;
    format!(
        "https://console.cloud.google.com/logs/viewer?project={}&resource=cloud_run_revision/service_name/{}/revision_name/{}",
        service.project.id, service.name, revision.name
    )
}
