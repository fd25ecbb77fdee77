//! What does the owner of the service change?

use http::Method;
use serde_json::{Value, json};

use super::stage::{SERVICE, Stage, service_account};
use crate::cli::Failure;

/// Where v1 keeps the custom audiences: a JSON list, as text.
const AUDIENCES: &str = "run.googleapis.com/custom-audiences";

const IMAGE: &str = "us-docker.pkg.dev/cloudrun/container/hello";

/// The host of the calls that need no region.
const GLOBAL_HOST: &str = "run.googleapis.com";

/// Creates the service, which is private because nobody is granted anything. Returns its URL.
pub(super) async fn deploy(stage: &Stage<'_>) -> Result<String, Failure> {
    stage.step(
        1,
        "Deploy a private service",
        &[&format!("gcloud run deploy {SERVICE} --image={IMAGE} --no-allow-unauthenticated")],
    );
    let service = json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": { "name": SERVICE, "namespace": stage.settings.project },
        "spec": { "template": { "spec": { "containers": [{ "image": IMAGE }] } } },
    });
    stage.write(Method::POST, &stage.regional_host(), &stage.services(), &service).await?;
    let service = stage.settled().await?;
    let url = service.pointer("/status/url").and_then(Value::as_str);
    let url = url.ok_or_else(|| Failure::new("the service is ready and has no status.url"))?;
    stage.tell(&format!("it is ready at {url}"));
    Ok(url.to_owned())
}

/// Adds the first custom audience.
pub(super) async fn add_audience(stage: &Stage<'_>) -> Result<(), Failure> {
    stage.step(
        2,
        "Add a custom audience",
        &[&format!(
            "gcloud beta run services update {SERVICE} --add-custom-audiences=https://api.example.test"
        )],
    );
    set_audiences(stage, Some(r#"["https://api.example.test"]"#)).await
}

/// Replaces the audiences in an export of the service.
pub(super) async fn replace(stage: &Stage<'_>) -> Result<(), Failure> {
    stage.step(
        3,
        "Export the service, edit its annotation, and replace it",
        &[
            &format!("gcloud run services describe {SERVICE} --format export > service.yaml"),
            r#"sed -i "s|custom-audiences:.*|custom-audiences: '[\"aud1\",\"aud2\"]'|" service.yaml"#,
            "gcloud run services replace service.yaml",
        ],
    );
    set_audiences(stage, Some(r#"["aud1","aud2"]"#)).await
}

/// Takes all custom audiences away.
pub(super) async fn clear_audiences(stage: &Stage<'_>) -> Result<(), Failure> {
    stage.step(
        7,
        "Clear the custom audiences",
        &[&format!("gcloud beta run services update {SERVICE} --clear-custom-audiences")],
    );
    set_audiences(stage, None).await
}

/// Allows one service account to invoke the service. A policy is no configuration: no revision.
pub(super) async fn grant(stage: &Stage<'_>) -> Result<(), Failure> {
    let member = format!("serviceAccount:{}", service_account(stage.settings, "caller"));
    stage.step(
        4,
        "Grant a caller the right to invoke it",
        &[&format!(
            "gcloud run services add-iam-policy-binding {SERVICE} --member={member} --role=roles/run.invoker"
        )],
    );
    let (project, region) = (&stage.settings.project, &stage.settings.region);
    let resource = format!("/v1/projects/{project}/locations/{region}/services/{SERVICE}");
    let read = format!("{resource}:getIamPolicy?options.requestedPolicyVersion=3");
    let mut policy = stage.read(GLOBAL_HOST, &read).await?;
    policy["version"] = json!(3);
    policy["bindings"] = json!([{ "role": "roles/run.invoker", "members": [member] }]);
    let write = format!("{resource}:setIamPolicy");
    stage.write(Method::POST, GLOBAL_HOST, &write, &json!({ "policy": policy })).await?;
    Ok(())
}

/// Reads the service, sets or removes the annotation, writes the whole back and waits, as gcloud does.
async fn set_audiences(stage: &Stage<'_>, audiences: Option<&str>) -> Result<(), Failure> {
    let mut service = stage.settled().await?;
    let annotations = service.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    let annotations = annotations.ok_or_else(|| Failure::new("the service has no annotations"))?;
    match audiences {
        Some(list) => annotations.insert(AUDIENCES.to_owned(), json!(list)),
        None => annotations.remove(AUDIENCES),
    };
    let path = format!("{}/{SERVICE}", stage.services());
    stage.write(Method::PUT, &stage.regional_host(), &path, &service).await?;
    let service = stage.settled().await?;
    let kept = service["metadata"]["annotations"].get(AUDIENCES).and_then(Value::as_str);
    stage.tell(&format!("custom audiences: {}", kept.unwrap_or("none")));
    let parsed = |list: Option<&str>| list.and_then(|list| serde_json::from_str::<Value>(list).ok());
    if parsed(kept) == parsed(audiences) {
        return Ok(());
    }
    Err(Failure::new(format_args!("{AUDIENCES} was set to {audiences:?} and reads {kept:?}")))
}
