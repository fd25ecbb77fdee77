//! What becomes of a service, and which conditions tell it?

use serde_json::json;

use super::super::conditions::{self, Condition, Severity};
use super::super::retention;
use super::*;

const IMAGE: &str = "spec template spec containers 0 image";

fn lines_of(conditions: &[Condition]) -> String {
    let line = |one: &Condition| {
        let info = if one.severity == Severity::Info { " (info)" } else { "" };
        let [reason, message] = [&one.reason, &one.message].map(|text| text.as_deref().unwrap_or("-"));
        format!("  {}{info}: {:?} | {reason} | {message}\n", one.kind, one.status)
    };
    conditions.iter().map(line).collect()
}

fn picture(title: &str, world: &World) -> String {
    let status = &world.service().status;
    let name = |name: &Option<_>| name.as_ref().map_or("-".to_owned(), ToString::to_string);
    let serving: Vec<String> = status
        .serving
        .iter()
        .map(|target| format!("{} {:?} {:?}", target.revision, target.percent, target.tag))
        .collect();
    format!(
        "{title}\n{}  created {} ready {} serving {serving:?}\n",
        lines_of(&conditions::of_service(world.service())),
        name(&status.latest_created),
        name(&status.latest_ready),
    )
}

fn pin(revision: &str) -> Edit<'static> {
    ("spec traffic", json!([{"revisionName": revision, "percent": 100}]))
}

#[test]
fn the_status_of_a_service() {
    let policy = RevisionPolicy::EveryChange;
    let other = || (IMAGE, json!("gcr.io/demo/other"));
    let mut text = Vec::new();
    let mut world = World::new(policy);
    world.write(&[]).unwrap();
    text.push(picture("first deployment, pending", &world));
    world.settle(RevisionPhase::Failed(failure()));
    text.push(picture("first deployment failed", &world));
    let mut world = World::ready(policy, &[]);
    text.push(picture("first deployment ready", &world));
    world.write(&[other()]).unwrap();
    text.push(picture("second deployment, pending: the first serves on", &world));
    world.settle(RevisionPhase::Failed(failure()));
    text.push(picture("second deployment failed: the first serves on", &world));
    let mut world = World::ready(policy, &[]);
    world.write(&[other()]).unwrap();
    world.settle(RevisionPhase::Ready);
    text.push(picture("second deployment ready", &world));
    world.write(&[other(), pin("hello-00001-abc")]).unwrap();
    world.reconcile();
    text.push(picture("pinned to the first", &world));
    world.write(&[other(), pin("hello-00009-abc")]).unwrap();
    world.reconcile();
    text.push(picture("pinned to a revision that is not there: the first serves on", &world));
    insta::assert_snapshot!("status_of_service", text.join("\n"));
}

#[test]
fn the_status_of_a_revision() {
    let mut world = World::new(RevisionPolicy::EveryChange);
    world.write(&[]).unwrap();
    let mut revision = world.revisions[0].clone();
    let mut text = String::new();
    let phases = [
        ("pending", RevisionPhase::Pending, false, 0),
        ("ready and routed, after 8.03 s", RevisionPhase::Ready, true, 8_034_567),
        ("retired", RevisionPhase::Ready, false, 8_034_567),
        ("failed", RevisionPhase::Failed(failure()), false, 9_000_000),
    ];
    for (title, phase, routed, micros) in phases {
        revision.phase = phase;
        revision.updated = Timestamp::from_micros(START + micros);
        text.push_str(&format!("{title}\n{}", lines_of(&conditions::of_revision(&revision, routed))));
    }
    insta::assert_snapshot!("status_of_revision", text);
}

/// The exact conditions of a retired revision of the hosted service that had min instances.
#[test]
fn a_retired_revision_with_min_instances() {
    let least = ("spec template metadata annotations autoscaling.knative.dev/minScale", json!("1"));
    let world = World::ready(RevisionPolicy::EveryChange, &[least]);
    let retired = lines_of(&conditions::of_revision(&world.revisions[0], false));
    assert_eq!(
        retired,
        "  Ready: True | Retired | -\n  \
         Active (info): False | Retired | Revision retired.\n  \
         ContainerHealthy: Unknown | Retired | -\n  \
         ContainerReady: True | - | -\n  \
         MinInstancesProvisioned (info): False | NotProvisioned | -\n  \
         ResourcesAvailable: Unknown | Retired | Revision retired.\n"
    );
    let active = lines_of(&conditions::of_revision(&world.revisions[0], true));
    assert!(
        active
            .contains("MinInstancesProvisioned (info): True | - | Min instances provisioned successfully in")
    );
}

#[test]
fn nothing_settles_while_the_newest_revision_is_pending() {
    let mut world = World::new(RevisionPolicy::EveryChange);
    world.write(&[]).unwrap();
    assert!(!world.reconcile());
    assert!(!world.service().is_settled());
    world.settle(RevisionPhase::Ready);
    assert!(world.service().is_settled());
    assert!(!world.reconcile(), "what is settled stays as it is");
    assert_eq!(world.service().status.settled.micros(), START + 1_000_000);
}

#[test]
fn a_revision_that_is_not_ready_is_not_routed_to_by_name() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    let other = || (IMAGE, json!("gcr.io/demo/other"));
    world.write(&[other(), pin("hello-00002-abc")]).unwrap();
    world.settle(RevisionPhase::Failed(failure()));
    let status = &world.service().status;
    assert_eq!(status.serving[0].revision.as_str(), "hello-00001-abc");
    assert_eq!(
        status.route_failure,
        Some(Failure {
            reason: "RevisionFailed".to_owned(),
            message: "Revision 'hello-00002-abc' is not ready and cannot serve traffic.".to_owned(),
        })
    );
}

#[test]
fn a_target_may_name_the_revision_of_the_same_write() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    world
        .write(&[
            ("spec template metadata name", json!("hello-blue")),
            (
                "spec traffic",
                json!([{"revisionName": "hello-00001-abc", "percent": 100},
                                    {"revisionName": "hello-blue", "tag": "blue"}]),
            ),
        ])
        .unwrap();
    world.settle(RevisionPhase::Ready);
    let service = world.service();
    assert_eq!(service.status.route_failure, None);
    let names: Vec<&str> = service.status.serving.iter().map(|target| target.revision.as_str()).collect();
    assert_eq!(names, ["hello-00001-abc", "hello-blue"]);
    assert!(world.revisions.iter().all(|revision| service.routes_to(&revision.name)), "a tag is a route");
}

#[test]
fn only_retired_revisions_may_be_deleted() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    let other = || (IMAGE, json!("gcr.io/demo/other"));
    let refusal = |world: &World, index: usize| {
        let error = world.service().check_deletable(&world.revisions[index].name).err()?;
        assert_eq!(error.code, crate::Code::FailedPrecondition);
        Some(error.message)
    };
    world.write(&[other(), pin("hello-00001-abc")]).unwrap();
    world.settle(RevisionPhase::Ready);
    assert_eq!(
        [0, 1].map(|index| refusal(&world, index)),
        [
            "Revision \"hello-00001-abc\" cannot be directly deleted because it is actively serving.",
            "The latest created Revision 'hello-00002-abc' cannot be directly deleted.",
        ]
        .map(|text| Some(text.to_owned()))
    );
    world.write(&[other()]).unwrap();
    world.reconcile();
    assert_eq!(refusal(&world, 0), None);
}

#[test]
fn a_phase_that_is_settled_stays() {
    use crate::revision::RevisionEvent::{StartFailed, Started};
    let failed = RevisionPhase::Failed(failure());
    let steps = [
        (RevisionPhase::Pending, Started, RevisionPhase::Ready),
        (RevisionPhase::Pending, StartFailed(failure()), failed.clone()),
        (RevisionPhase::Ready, StartFailed(failure()), RevisionPhase::Ready),
        (failed.clone(), Started, failed),
    ];
    for (given, when, expect) in steps {
        assert_eq!(given.next(when), expect);
    }
}

#[test]
fn a_revision_that_was_overtaken_serves_until_a_later_one_is_ready() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    world.write(&[(IMAGE, json!("gcr.io/demo/second"))]).unwrap();
    world.write(&[(IMAGE, json!("gcr.io/demo/third"))]).unwrap();
    world.revisions[1].phase = RevisionPhase::Ready;
    world.reconcile();
    let serving = |world: &World| world.service().status.serving[0].revision.to_string();
    assert_eq!(serving(&world), "hello-00002-abc", "LATEST follows the latest that is ready");
    assert!(!world.service().is_settled(), "the third is still on its way up");
    world.settle(RevisionPhase::Failed(failure()));
    assert!(world.service().is_settled());
    assert_eq!(serving(&world), "hello-00002-abc");
}

#[test]
fn the_oldest_revisions_without_traffic_go_beyond_the_limit() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    for image in ["two", "three", "four", "five"] {
        world.write(&[(IMAGE, json!(image)), pin("hello-00001-abc")]).unwrap();
        world.settle(RevisionPhase::Ready);
    }
    let gone = |surplus: usize| {
        let count = retention::LIMIT + surplus;
        let looked_at = retention::candidates(world.service(), count);
        let oldest = world.revisions.iter().take(looked_at).map(|one| one.name.clone());
        let gone = retention::excess(world.service(), oldest, count);
        gone.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(gone(0), "");
    assert_eq!(gone(1), "hello-00002-abc", "the first serves");
    assert_eq!(gone(3), "hello-00002-abc hello-00003-abc hello-00004-abc");
    assert_eq!(gone(4), gone(3), "the last is the latest");
}
