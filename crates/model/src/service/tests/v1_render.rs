//! How do the service, its revision, its configuration and its route look through v1?

use serde_json::{Value, json};

use super::super::v1_render;
use super::*;
use crate::revision_v1;
use crate::service::Failure;

fn world() -> World {
    let mut world = World::ready(
        RevisionPolicy::EveryChange,
        &[
            ("metadata labels team", json!("infra")),
            ("metadata annotations run.googleapis.com/custom-audiences", json!("[\"a\", \"b\"]")),
            ("metadata annotations run.googleapis.com/client-name", json!("gcloud")),
            ("spec template metadata labels client.knative.dev/nonce", json!("vgmohslfeb")),
            ("spec template metadata annotations run.googleapis.com/startup-cpu-boost", json!("True")),
            ("spec template spec nodeSelector run.googleapis.com/accelerator", json!("nvidia-l4")),
            (
                "spec traffic",
                json!([{"latestRevision": true, "percent": 100},
                                    {"revisionName": "hello-00001-abc", "tag": "blue"}]),
            ),
        ],
    );
    // The moments of the revision: it came up in 1.5 s.
    world.revisions[0].updated = Timestamp::from_micros(START + 1_500_000);
    world
}

fn shown(world: &World) -> Value {
    v1_render::service(world.service(), &urls()).unwrap()
}

#[test]
fn a_service() {
    insta::assert_json_snapshot!("service", shown(&world()));
}

#[test]
fn a_configuration_and_a_route() {
    let world = world();
    insta::assert_json_snapshot!("configuration", v1_render::configuration(world.service()).unwrap());
    insta::assert_json_snapshot!("route", v1_render::route(world.service(), &urls()).unwrap());
}

#[test]
fn a_revision() {
    insta::assert_json_snapshot!("revision", revision_v1::revision(&world().revisions[0], true).unwrap());
}

#[test]
fn a_revision_is_owned_by_the_configuration() {
    let world = world();
    let configuration = v1_render::configuration(world.service()).unwrap();
    let revision = revision_v1::revision(&world.revisions[0], true).unwrap();
    assert_eq!(revision["metadata"]["ownerReferences"][0]["uid"], configuration["metadata"]["uid"]);
    assert_ne!(configuration["metadata"]["uid"], shown(&world)["metadata"]["uid"]);
}

#[test]
fn a_first_deployment_that_failed_has_no_address() {
    let mut world = World::new(RevisionPolicy::EveryChange);
    world.write(&[]).unwrap();
    world.settle(RevisionPhase::Failed(failure()));
    let shown = shown(&world);
    insta::assert_json_snapshot!("first_failed", shown["status"]);
    // Only the form that is known before anything is routed.
    let number = id().project.number;
    assert_eq!(
        shown["metadata"]["annotations"]["run.googleapis.com/urls"],
        format!("[\"https://hello-{number}.us-central1.run.app\"]")
    );
}

#[test]
fn without_the_default_url_no_url_is_shown() {
    let world = World::ready(
        RevisionPolicy::EveryChange,
        &[
            ("metadata annotations run.googleapis.com/default-url-disabled", json!("True")),
            ("spec traffic", json!([{"latestRevision": true, "percent": 100, "tag": "blue"}])),
        ],
    );
    let shown = shown(&world);
    let status = &shown["status"];
    assert_eq!(shown["metadata"]["annotations"].get("run.googleapis.com/urls"), None);
    assert_eq!((status.get("url"), status.get("address")), (None, None));
    assert_eq!(
        status["traffic"],
        json!([{"latestRevision": true, "percent": 100, "revisionName": "hello-00001-abc", "tag": "blue"}])
    );
    let route = v1_render::route(world.service(), &urls()).unwrap();
    assert_eq!((route["status"].get("url"), route["status"].get("address")), (None, None));
}

#[test]
fn a_revision_runs_images_by_digest_in_named_containers() {
    let image = |image: &str| crate::revision::resolve_digest(image);
    let tagged = image("localhost:5000/app:v1");
    assert!(tagged.starts_with("localhost:5000/app@sha256:") && tagged.len() == 26 + 64, "{tagged}");
    assert_eq!(image("localhost:5000/app:v1"), tagged);
    assert_ne!(image("localhost:5000/app:v2"), tagged);
    assert_eq!(image(&tagged), tagged);
    let named = |image: &str| {
        let mut world = World::new(RevisionPolicy::EveryChange);
        let plan = world.write(&[("spec template spec containers 0 image", json!(image))]).unwrap();
        assert_eq!(plan.service.spec.template.containers[0].name, None);
        plan.revision.unwrap().resolved_containers()[0].name.clone().unwrap()
    };
    assert_eq!(named("us-docker.pkg.dev/cloudrun/container/hello"), "hello-1");
    assert_eq!(named("localhost:5000/verity-api:v1"), "verity-api-1");
    assert_eq!(named("busybox"), "busybox-1");
    assert_eq!(named(&tagged), "app-1");
}

#[test]
fn failures_at_service_level_name_the_revision() {
    let mut world = World::new(RevisionPolicy::EveryChange);
    world.write(&[]).unwrap();
    world.settle(RevisionPhase::Failed(failure()));
    let shown = world.service().status.configuration_failure.clone();
    let message = "Revision 'hello-00001-abc' is not ready and cannot serve traffic. It did not listen.";
    assert_eq!(shown, Some(Failure { message: message.to_owned(), ..failure() }));
}
