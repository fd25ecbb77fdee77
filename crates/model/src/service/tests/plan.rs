//! Which writes cut a revision, and what does a write come to?

use serde_json::{Value, json};

use super::*;
use crate::error::Code;
use crate::field::Change;
use crate::kind::{Resource as _, Write};
use crate::operation::{Operation, State, Verb};
use crate::revision_v1;
use crate::service::{ServiceSettings, TemplateSettings};

const AUDIENCES: &str = "metadata annotations run.googleapis.com/custom-audiences";
const NAME: &str = "spec template metadata name";
const IMAGE: &str = "spec template spec containers 0 image";

const POLICIES: [RevisionPolicy; 2] = [RevisionPolicy::EveryChange, RevisionPolicy::Template];

/// `given` is deployed, then `when` is asked for on top of it: which paths does the new revision name as
/// its cause, under each of the policies? `None` is no revision.
fn check(given: &[Edit<'_>], when: &[Edit<'_>], expect: [Option<&[&str]>; 2]) {
    for (policy, expect) in POLICIES.into_iter().zip(expect) {
        let mut world = World::ready(policy, given);
        let plan = world.write(&[given, when].concat()).unwrap();
        let causes = plan.revision.map(|revision| revision.causes);
        let expect = expect.map(|causes| causes.iter().map(ToString::to_string).collect());
        assert_eq!(causes, expect, "{policy:?}: {when:?}");
        assert_eq!(plan.service.generation, 2, "every accepted change counts: {when:?}");
    }
}

#[test]
fn the_template_cuts_under_both_policies() {
    let both = |cause: &str, when: &[Edit<'_>]| check(&[], when, [Some(&[cause]), Some(&[cause])]);
    both("spec.template.spec.containers", &[(IMAGE, json!("gcr.io/demo/other"))]);
    both("spec.template.spec.containers", &[("spec template spec containers 0 env", json!([{"name": "A"}]))]);
    both(
        "spec.template.spec.volumes",
        &[("spec template spec volumes", json!([{"name": "v", "emptyDir": {}}]))],
    );
    both("spec.template.spec", &[("spec template spec enableServiceLinks", json!(false))]);
    both(
        "spec.template.metadata.labels",
        &[("spec template metadata labels client.knative.dev/nonce", json!("vgmohslfeb"))],
    );
    both(
        "spec.template.metadata.annotations",
        &[("spec template metadata annotations example.com/a", json!("b"))],
    );
    both("spec.template.metadata.name", &[(NAME, json!("hello-mine"))]);
}

#[test]
fn the_service_s_own_configuration_cuts_under_every_change_only() {
    check(&[], &[("metadata labels team", json!("infra"))], [Some(&["metadata.labels"]), None]);
    check(
        &[],
        &[("metadata annotations example.com/a", json!("b"))],
        [Some(&["metadata.annotations"]), None],
    );
    check(
        &[(AUDIENCES, json!("[\"a\"]"))],
        &[(AUDIENCES, Value::Null)],
        [Some(&["metadata.annotations[run.googleapis.com/custom-audiences]"]), None],
    );
}

/// A value of the row's type that is not its default.
fn sample(row: &Row) -> &'static str {
    match (row.name, row.kind) {
        ("scaling_mode", _) => "automatic",
        ("build_environment_variables", _) => "{\"A\":\"b\"}",
        ("network_interfaces", _) => "[{\"network\":\"n\"}]",
        ("ambient_networking", _) => "{\"enabled\":true}",
        (_, "an integer") => "7",
        (_, "true or false") => "True",
        (_, "a JSON list of strings") => "[\"a\"]",
        ("container_dependencies", _) => "{}",
        (_, "JSON") => "{\"app\": [\"db\"]}",
        ("service_account", _) => "runner",
        ("cloudsql_instances", _) => "p:l:i",
        ("accelerator", _) => "nvidia-l4",
        (_, "a string" | "a list separated by commas") => "x",
        (_, "a number between 0 and 1") => "0.5",
        (_, kind) => kind.rsplit('`').nth(1).unwrap(),
    }
}

#[test]
fn every_row_cuts_as_the_table_says() {
    // Manual instance counts need manual scaling, and an egress something to go through.
    let manual = ("metadata annotations run.googleapis.com/scalingMode", json!("manual"));
    let connector =
        ("spec template metadata annotations run.googleapis.com/vpc-access-connector", json!("connector"));
    for row in ServiceSettings::ROWS.iter().chain(TemplateSettings::ROWS) {
        let path = row.path(Api::V1);
        let cause = [path.as_str()];
        let cut: Option<&[&str]> = (row.change == Change::Configuration).then_some(&cause);
        let by_template = cut.filter(|_| row.level == Level::Template);
        let given = if row.name == "vpc_egress" { connector.clone() } else { manual.clone() };
        check(&[given], &[(&place(row), json!(sample(row)))], [cut, by_template]);
    }
}

#[test]
fn traffic_tags_and_remarks_cut_nothing() {
    let nothing = |when: &[Edit<'_>]| check(&[], when, [None, None]);
    nothing(&[("spec traffic", json!([{"revisionName": "hello-00001-abc", "percent": 100}]))]);
    nothing(&[("spec traffic", json!([{"latestRevision": true, "percent": 100, "tag": "blue"}]))]);
    nothing(&[("metadata annotations run.googleapis.com/client-name", json!("gcloud"))]);
    nothing(&[("metadata annotations run.googleapis.com/client-version", json!("528.0.0"))]);
    nothing(&[("spec template metadata annotations run.googleapis.com/client-name", json!("gcloud"))]);
}

#[test]
fn what_changes_nothing_is_not_written() {
    for policy in POLICIES {
        let given: &[Edit<'_>] = &[(AUDIENCES, json!("[\"a\"]")), (NAME, json!("hello-mine"))];
        let mut world = World::ready(policy, given);
        let before = world.service().clone();
        let plan = world.write(given).unwrap();
        assert_eq!((plan.service, plan.revision, plan.writes), (before, None, Vec::new()));
        assert!(plan.operation.is_done());
    }
}

#[test]
fn a_pinned_name_lets_service_level_changes_apply_without_a_revision() {
    let given = [(NAME, json!("hello-mine"))];
    check(&given, &[(AUDIENCES, json!("[\"a\"]"))], [None, None]);
    let mut world = World::ready(RevisionPolicy::EveryChange, &given);
    let plan = world.write(&[(NAME, json!("hello-mine")), (AUDIENCES, json!("[\"a\"]"))]).unwrap();
    assert_eq!(plan.service.spec.settings.custom_audiences, Some(vec!["a".to_owned()]));
    assert_eq!(plan.writes.len(), 2, "the service and the operation");
}

#[test]
fn a_taken_name_is_refused_for_another_template() {
    for policy in POLICIES {
        let mut world = World::ready(policy, &[(NAME, json!("hello-mine"))]);
        let error = world.write(&[(NAME, json!("hello-mine")), (IMAGE, json!("other"))]).unwrap_err();
        assert_eq!(error.code, Code::AlreadyExists);
        assert_eq!(error.message, "Revision named 'hello-mine' with different configuration already exists.");
    }
}

#[test]
fn clearing_the_name_alone_cuts() {
    let cause: Option<&[&str]> = Some(&["spec.template.metadata.name"]);
    check(&[(NAME, json!("hello-mine"))], &[(NAME, Value::Null)], [cause, cause]);
}

#[test]
fn the_counter_counts_revisions_and_explicit_names_take_a_number() {
    let mut world = World::ready(RevisionPolicy::Template, &[]);
    let names = [
        world.write(&[(AUDIENCES, json!("[\"a\"]"))]),
        world.write(&[(NAME, json!("hello-mine"))]),
        world.write(&[]),
    ];
    let names = names.map(|plan| plan.unwrap().revision.map(|revision| revision.name.to_string()));
    assert_eq!(world.revisions[0].name.as_str(), "hello-00001-abc");
    assert_eq!(names, [None, Some("hello-mine".to_owned()), Some("hello-00003-abc".to_owned())]);
    let numbers: Vec<u64> = world.revisions.iter().map(|one| one.configuration_generation).collect();
    assert_eq!((numbers, world.service().generation), (vec![1, 2, 3], 4));
}

/// The annotations that each revision shows after the writes.
fn shown(policy: RevisionPolicy, writes: &[&[Edit<'_>]], key: &str) -> Vec<Value> {
    let mut world = World::new(policy);
    for edits in writes {
        world.write(edits).unwrap();
    }
    let annotation = |revision| {
        revision_v1::revision(revision, false).unwrap()["metadata"]["annotations"]
            .get(key)
            .cloned()
            .unwrap_or(Value::Null)
    };
    world.revisions.iter().map(annotation).collect()
}

#[test]
fn custom_audiences_show_on_every_revision_since_they_were_set() {
    let audiences = || (AUDIENCES, json!("[\"a\", \"b\"]"));
    let other = || (IMAGE, json!("gcr.io/demo/other"));
    let writes: &[&[Edit<'_>]] = &[&[], &[audiences()], &[audiences(), other()], &[other()]];
    let key = "run.googleapis.com/custom-audiences";
    let set = json!("[\"a\",\"b\"]");
    assert_eq!(shown(RevisionPolicy::EveryChange, writes, key), [Value::Null, set.clone(), set, Value::Null]);
    // Under `template` only the other image is a cause, and no revision shows the setting.
    assert_eq!(shown(RevisionPolicy::Template, writes, key), [Value::Null, Value::Null]);
}

#[test]
fn the_launch_stage_shows_under_both_policies_and_remarks_under_none() {
    let edits: &[&[Edit<'_>]] = &[&[
        ("metadata annotations run.googleapis.com/launch-stage", json!("BETA")),
        ("metadata annotations run.googleapis.com/client-name", json!("gcloud")),
    ]];
    for policy in POLICIES {
        assert_eq!(shown(policy, edits, "run.googleapis.com/launch-stage"), ["BETA"]);
        assert_eq!(shown(policy, edits, "run.googleapis.com/client-name"), [Value::Null]);
    }
}

#[test]
fn an_annotation_of_the_template_wins() {
    let edits: &[&[Edit<'_>]] = &[&[
        ("metadata annotations example.com/a", json!("service")),
        ("spec template metadata annotations example.com/a", json!("template")),
        ("metadata annotations run.googleapis.com/client-name", json!("service")),
        ("spec template metadata annotations run.googleapis.com/client-name", json!("template")),
    ]];
    for key in ["example.com/a", "run.googleapis.com/client-name"] {
        assert_eq!(shown(RevisionPolicy::EveryChange, edits, key), ["template"]);
    }
}

#[test]
fn versions_never_go_back() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    world.now = START - 5_000_000;
    let plan = world.write(&[(IMAGE, json!("gcr.io/demo/other"))]).unwrap();
    assert_eq!(plan.service.updated.micros(), START + 1);
    assert_eq!(plan.revision.unwrap().created.micros(), START + 1);
    assert_eq!(plan.service.created.micros(), START);
}

#[test]
fn a_stale_version_is_refused_with_both_versions() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    world.expected = Some(START - 1);
    let error = world.write(&[]).unwrap_err();
    assert_eq!(error.code, Code::Aborted);
    assert_eq!(
        error.message,
        "Conflict for resource 'hello': version '1786872223639165' was specified but current version is \
         '1786872223639166'."
    );
    world.expected = Some(START);
    assert!(world.write(&[(IMAGE, json!("gcr.io/demo/other"))]).is_ok());
}

/// The writes of a plan, one a line.
fn written(plan: &Plan) -> String {
    let line = |write: &Write| match write {
        Write::Insert(record) => format!("insert {:?} at {}", record.key, record.version),
        Write::Update { record, expected } => {
            format!("update {:?} at {} from {expected}", record.key, record.version)
        }
        Write::Delete { key, expected } => format!("delete {key:?} from {expected:?}"),
        other => format!("{other:?}"),
    };
    plan.writes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn writes_are_the_service_then_its_revision() {
    let mut world = World::new(RevisionPolicy::EveryChange);
    let plans = [
        world.write(&[]),
        world.write(&[(IMAGE, json!("gcr.io/demo/other"))]),
        world.write(&[
            (IMAGE, json!("gcr.io/demo/other")),
            ("spec traffic", json!([{"latestRevision": true, "percent": 100, "tag": "t"}])),
        ]),
    ];
    let text: Vec<String> = plans.iter().map(|plan| written(plan.as_ref().unwrap())).collect();
    insta::assert_snapshot!("writes", text.join("\n\n"));
}

#[test]
fn a_whole_plan() {
    let mut world = World::ready(RevisionPolicy::EveryChange, &[]);
    let plan = world.write(&[(AUDIENCES, json!("[\"https://api.example.com\"]"))]).unwrap();
    let records: Vec<Value> = plan
        .writes
        .iter()
        .map(|write| match write {
            Write::Insert(record) | Write::Update { record, .. } => {
                json!({"key": record.key.name, "uid": record.uid, "parent": record.parent,
                       "generation": record.generation, "version": record.version,
                       "spec": record.spec, "status": record.status, "meta": record.meta})
            }
            other => panic!("{other:?}"),
        })
        .collect();
    insta::assert_json_snapshot!("plan", records);
}

#[test]
fn deletion_takes_revisions_and_policy_along() {
    let world = World::ready(RevisionPolicy::EveryChange, &[]);
    let revision = id().revision_key(&world.revisions[0].name);
    let now = Timestamp::from_micros(START + 5);
    let running = Operation::on_service(Uuid::from_u128(1), Verb::Update, world.service(), now);
    let own = Operation::on_service(Uuid::from_u128(2), Verb::Delete, world.service(), now).done();
    let revisions = vec![revision.clone()];
    let writes =
        super::super::plan::delete(world.service(), revisions, Some(vec![1]), vec![running.clone()], &own);
    let abandoned = running.abandon(now).to_record().unwrap();
    assert_eq!(abandoned.parent, None);
    assert_eq!(
        writes.unwrap(),
        [
            Write::Delete { key: id().key(), expected: Some(START) },
            Write::Delete { key: revision, expected: None },
            Write::SetPolicy {
                resource: "projects/demo-project/locations/us-central1/services/hello".to_owned(),
                policy: None,
                expected: Some(vec![1]),
                etag: Vec::new(),
            },
            Write::Update { record: abandoned, expected: now.micros() },
            Write::Insert(own.to_record().unwrap()),
        ]
    );
}

#[test]
fn a_revision_can_be_forced() {
    let mut world = World::ready(RevisionPolicy::Template, &[]);
    assert_eq!(world.write(&[]).unwrap().revision, None);
    world.force_new_revision = true;
    let forced = world.write(&[]).unwrap();
    assert_eq!(forced.revision.unwrap().causes, Vec::<String>::new());
    assert_eq!(forced.service.generation, 2);
}

#[test]
fn an_operation_is_done_when_its_service_has_settled() {
    let mut world = World::new(RevisionPolicy::EveryChange);
    let operation = world.write(&[]).unwrap().operation;
    let now = Timestamp::from_micros(START + 9);
    assert_eq!(operation.settle(world.service(), now), None);
    world.settle(RevisionPhase::Ready);
    let done = operation.settle(world.service(), now).unwrap();
    assert_eq!((done.state.clone(), done.settle(world.service(), now)), (State::Succeeded, None));
    assert_eq!(Operation::from_record(done.to_record().unwrap()), Ok(done));
    let later = world.write(&[(IMAGE, json!("other"))]).unwrap().operation;
    world.settle(RevisionPhase::Failed(failure()));
    let failed = later.settle(world.service(), now).unwrap();
    let State::Failed { code, message } = failed.state else { panic!("{failed:?}") };
    assert_eq!(code, 13);
    assert!(message.ends_with("It did not listen."), "{message}");
}
