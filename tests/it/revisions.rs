//! Which changes cut a revision, what does it inherit, and which can be deleted?

use std::collections::BTreeSet;

use groundrun_model::service::plan::RevisionPolicy;
use groundrun_tests::{
    AUDIENCES, Owner, Transcript, World, annotation, at, condition, patched, revision_name,
};
use insta::assert_snapshot;
use serde_json::{Value, json};

type Change = fn(&mut Value);

/// Every kind of change of a service, and whether it is one of its configuration.
const CHANGES: &[(&str, bool, Change)] = &[
    ("an environment variable", true, |s| container(s)["env"] = json!([{ "name": "A", "value": "1" }])),
    ("the image", true, |s| container(s)["image"] = json!("example.test/other")),
    ("concurrency", true, |s| s["spec"]["template"]["spec"]["containerConcurrency"] = json!(7)),
    ("a template label", true, |s| s["spec"]["template"]["metadata"]["labels"]["tier"] = json!("a")),
    ("gcloud's nonce", true, |s| {
        s["spec"]["template"]["metadata"]["labels"]["client.knative.dev/nonce"] = json!("abcdefghij");
    }),
    ("custom audiences", true, |s| annotations(s)[AUDIENCES] = json!("[\"aud1\"]")),
    ("ingress", true, |s| annotations(s)["run.googleapis.com/ingress"] = json!("internal")),
    ("the description", true, |s| annotations(s)["run.googleapis.com/description"] = json!("says hello")),
    ("service scaling", true, |s| annotations(s)["run.googleapis.com/minScale"] = json!("1")),
    ("the invoker check", true, |s| {
        annotations(s)["run.googleapis.com/invoker-iam-disabled"] = json!("True");
    }),
    ("an annotation of the user", true, |s| annotations(s)["example.test/owner"] = json!("me")),
    ("a label of the user", true, |s| s["metadata"]["labels"]["team"] = json!("a")),
    ("the client that writes", false, |s| annotations(s)["run.googleapis.com/client-name"] = json!("gcloud")),
    ("a tag", false, |s| {
        s["spec"]["traffic"] = json!([
            { "latestRevision": true, "percent": 100 }, { "latestRevision": true, "tag": "green" },
        ]);
    }),
    ("nothing", false, |_| ()),
];

fn container(service: &mut Value) -> &mut Value {
    &mut service["spec"]["template"]["spec"]["containers"][0]
}

fn annotations(service: &mut Value) -> &mut Value {
    &mut service["metadata"]["annotations"]
}

/// What each change of [`CHANGES`] does to a fresh service.
async fn table(policy: RevisionPolicy) -> String {
    let world = World::with(|options| options.revision_policy = policy).await;
    let owner = world.owner();
    let mut told = Transcript::new();
    for (number, (what, _, change)) in CHANGES.iter().enumerate() {
        let name = format!("s{number}");
        let before = world.deploy(&name).await;
        let after = owner.edit(&name, change).await;
        let generation = at(&after, "/metadata/generation");
        let cut = revision_name(&after) != revision_name(&before);
        assert_eq!(owner.revisions(&name).await.len(), if cut { 2 } else { 1 }, "{what}");
        told.say(format_args!(
            "{what}: generation {generation}, {}",
            if cut { "a revision" } else { "none" }
        ));
    }
    told.to_string()
}

#[tokio::test]
async fn every_change_of_the_configuration_cuts_a_revision() {
    let table = table(RevisionPolicy::EveryChange).await;
    for ((what, configuration, _), line) in CHANGES.iter().zip(table.lines()) {
        assert_eq!(line.ends_with("a revision"), *configuration, "{what}: {line}");
    }
    assert_snapshot!(table, @r"
    an environment variable: generation 2, a revision
    the image: generation 2, a revision
    concurrency: generation 2, a revision
    a template label: generation 2, a revision
    gcloud's nonce: generation 2, a revision
    custom audiences: generation 2, a revision
    ingress: generation 2, a revision
    the description: generation 2, a revision
    service scaling: generation 2, a revision
    the invoker check: generation 2, a revision
    an annotation of the user: generation 2, a revision
    a label of the user: generation 2, a revision
    the client that writes: generation 2, none
    a tag: generation 2, none
    nothing: generation 1, none
    ");
}

/// The hosted service was observed to count the template only.
#[tokio::test]
async fn the_template_policy_counts_the_template_only() {
    assert_snapshot!(table(RevisionPolicy::Template).await, @r"
    an environment variable: generation 2, a revision
    the image: generation 2, a revision
    concurrency: generation 2, a revision
    a template label: generation 2, a revision
    gcloud's nonce: generation 2, a revision
    custom audiences: generation 2, none
    ingress: generation 2, none
    the description: generation 2, none
    service scaling: generation 2, none
    the invoker check: generation 2, none
    an annotation of the user: generation 2, none
    a label of the user: generation 2, none
    the client that writes: generation 2, none
    a tag: generation 2, none
    nothing: generation 1, none
    ");
}

/// "Later revisions inherit the setting unless it is explicitly changed."
#[tokio::test]
async fn revisions_show_the_settings_that_they_inherit() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    owner.set_audiences("hello", &["aud1"]).await;
    owner.set_env("hello", "A", "1").await;
    owner.annotate("hello", "run.googleapis.com/description", Some("says hello")).await;
    owner.set_audiences("hello", &[]).await;

    let mut told = Transcript::new();
    for revision in owner.revisions("hello").await.iter().rev() {
        let path =
            format!("{}/{}", Owner::revisions_path(), at(revision, "/metadata/name").as_str().unwrap());
        let shown = owner.read(path).await.expect(200);
        let audiences = "/metadata/annotations/run.googleapis.com~1custom-audiences";
        let description = "/metadata/annotations/run.googleapis.com~1description";
        told.note(&shown, &[audiences, description, "/spec/containers/0/env"]);
    }
    assert_snapshot!(told, @r#"
    GET /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00001-xyz → 200
      /metadata/annotations/run.googleapis.com~1custom-audiences: null
      /metadata/annotations/run.googleapis.com~1description: null
      /spec/containers/0/env: null
    GET /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00002-xyz → 200
      /metadata/annotations/run.googleapis.com~1custom-audiences: "[\"aud1\"]"
      /metadata/annotations/run.googleapis.com~1description: null
      /spec/containers/0/env: null
    GET /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00003-xyz → 200
      /metadata/annotations/run.googleapis.com~1custom-audiences: "[\"aud1\"]"
      /metadata/annotations/run.googleapis.com~1description: null
      /spec/containers/0/env: [{"name":"A","value":"1"}]
    GET /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00004-xyz → 200
      /metadata/annotations/run.googleapis.com~1custom-audiences: "[\"aud1\"]"
      /metadata/annotations/run.googleapis.com~1description: "says hello"
      /spec/containers/0/env: [{"name":"A","value":"1"}]
    GET /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00005-xyz → 200
      /metadata/annotations/run.googleapis.com~1custom-audiences: null
      /metadata/annotations/run.googleapis.com~1description: "says hello"
      /spec/containers/0/env: [{"name":"A","value":"1"}]
    "#);
}

#[tokio::test]
async fn the_template_policy_keeps_service_level_settings_off_revisions() {
    let world = World::with(|options| options.revision_policy = RevisionPolicy::Template).await;
    let owner = world.owner();
    world.deploy("hello").await;
    owner.set_audiences("hello", &["aud1"]).await;
    owner.set_env("hello", "A", "1").await;
    let revisions = owner.revisions("hello").await;
    assert_eq!(revisions.len(), 2);
    assert!(revisions.iter().all(|revision| annotation(revision, AUDIENCES).is_none()));
    owner.grant("hello").await;
    let _ = world
        .invoker()
        .call(at(&owner.get("hello").await, "/status/url").as_str().unwrap(), "aud1")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_revision_of_the_first_deployment() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    let path = format!("{}/{}", Owner::revisions_path(), revision_name(&service));
    let shown = world.owner().read(path).await.expect(200);
    let mut told = Transcript::new();
    told.note(
        &shown,
        &[
            "/metadata/annotations",
            "/metadata/labels",
            "/metadata/namespace",
            "/spec/containers/0/resources",
            "/status/conditions/0/type",
            "/status/conditions/0/status",
        ],
    );
    assert_snapshot!(told, @r#"
    GET /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00001-xyz → 200
      /metadata/annotations: {"autoscaling.knative.dev/maxScale":"100","run.googleapis.com/ingress":"all","serving.knative.dev/creator":"local-owner@example.com"}
      /metadata/labels: {"cloud.googleapis.com/location":"us-central1","run.googleapis.com/startupProbeType":"Default","serving.knative.dev/configuration":"hello","serving.knative.dev/configurationGeneration":"1","serving.knative.dev/route":"hello","serving.knative.dev/service":"hello","serving.knative.dev/serviceUid":"[uuid]"}
      /metadata/namespace: "227280480153"
      /spec/containers/0/resources: {"limits":{"cpu":"1000m","memory":"512Mi"}}
      /status/conditions/0/type: "Ready"
      /status/conditions/0/status: "True"
    "#);
    assert!(at(&shown.json(), "/status/imageDigest").as_str().unwrap().contains("@sha256:"));
}

#[tokio::test]
async fn names_can_be_asked_for_and_are_unique() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    let name = |service: &mut Value, name: &str| {
        service["spec"]["template"]["metadata"]["name"] = json!(name);
    };
    let named = owner.edit("hello", |service| name(service, "hello-green")).await;
    assert_eq!(revision_name(&named), "hello-green");

    // The same name with another template is refused, with the same template it is that revision.
    let other = patched(&named, "/spec/template/spec/containerConcurrency", json!(3));
    let refused = owner.replace("hello", &other).await.expect(409);
    assert_eq!(refused.code(), "ALREADY_EXISTS");
    assert_eq!(
        refused.message(),
        "Revision named 'hello-green' with different configuration already exists."
    );
    let same = owner.edit("hello", |service| annotations(service)[AUDIENCES] = json!("[\"a\"]")).await;
    assert_eq!(revision_name(&same), "hello-green");

    // A name that is taken away makes way for the server's.
    let unnamed = owner
        .edit("hello", |service| {
            service["spec"]["template"]["metadata"].as_object_mut().unwrap().remove("name");
        })
        .await;
    assert_eq!(groundrun_tests::redacted(&revision_name(&unnamed)), "hello-00003-xyz");

    let wrong = patched(&unnamed, "/spec/template/metadata/name", json!("other-green"));
    let refused = owner.replace("hello", &wrong).await.expect(400);
    assert_snapshot!(refused.message(), @"spec.template.metadata.name: The revision name must be prefixed by the name of the enclosing Service with a trailing -");
}

#[tokio::test]
async fn a_service_that_routes_to_its_revision_keeps_it() {
    let world = World::start().await;
    let owner = world.owner();
    let first = revision_name(&world.deploy("hello").await);
    let second = revision_name(&owner.set_env("hello", "A", "2").await);
    let third = revision_name(&owner.set_env("hello", "A", "3").await);
    let split = json!([{ "revisionName": second, "percent": 100 }]);
    owner.set_traffic("hello", split).await;
    let delete = |name: &str| owner.delete(format!("{}/{name}", Owner::revisions_path()));

    let mut told = Transcript::new();
    for name in [&third, &second] {
        told.note(&delete(name).await, &["/error/status", "/error/message"]);
    }
    let retired = owner.read(format!("{}/{first}", Owner::revisions_path())).await.json();
    assert_eq!(condition(&retired, "Active")["message"], "Revision retired.");
    told.note(&delete(&first).await, &["/status", "/details/kind"]);
    told.note(
        &owner.read(format!("{}/{first}", Owner::revisions_path())).await,
        &["/error/status", "/error/message"],
    );
    told.note(&delete(&first).await, &["/error/status"]);
    assert_snapshot!(told, @r#"
    DELETE /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00003-xyz → 400
      /error/status: "FAILED_PRECONDITION"
      /error/message: "The latest created Revision 'hello-00003-xyz' cannot be directly deleted."
    DELETE /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00002-xyz → 400
      /error/status: "FAILED_PRECONDITION"
      /error/message: "Revision \"hello-00002-xyz\" cannot be directly deleted because it is actively serving."
    DELETE /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00001-xyz → 200
      /status: "Success"
      /details/kind: "revisions"
    GET /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00001-xyz → 404
      /error/status: "NOT_FOUND"
      /error/message: "Resource 'hello-00001-xyz' of kind 'REVISION' in region 'us-central1' in project 'demo-project' does not exist."
    DELETE /apis/serving.knative.dev/v1/namespaces/demo-project/revisions/hello-00001-xyz → 404
      /error/status: "NOT_FOUND"
    "#);
    assert_eq!(owner.revisions("hello").await.len(), 2);
}

#[tokio::test]
async fn a_revision_with_a_tag_is_in_use() {
    let world = World::start().await;
    let owner = world.owner();
    let first = revision_name(&world.deploy("hello").await);
    owner.set_env("hello", "A", "2").await;
    let traffic =
        json!([{ "latestRevision": true, "percent": 100 }, { "revisionName": first, "tag": "old" }]);
    owner.set_traffic("hello", traffic).await;
    let refused = owner.delete(format!("{}/{first}", Owner::revisions_path())).await.expect(400);
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
}

/// gcloud writes spaces around the operator, and looks for its nonce under the number of the project.
#[tokio::test]
async fn lists_are_selected_by_labels() {
    let world = World::start().await;
    let owner = world.owner();
    let service = world.deploy("hello").await;
    world.deploy("other").await;
    owner
        .edit("hello", |service| {
            service["spec"]["template"]["metadata"]["labels"]["client.knative.dev/nonce"] =
                json!("abcdefghij");
        })
        .await;
    let number = at(&service, "/metadata/namespace").as_str().unwrap();
    let path = format!("/apis/serving.knative.dev/v1/namespaces/{number}/revisions");
    let count = async |selector: &str| {
        let answer = owner.read(format!("{path}?labelSelector={}", selector.replace(' ', "%20"))).await;
        answer.expect(200).json()["items"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 3);
    assert_eq!(count("serving.knative.dev/service = hello").await, 2);
    assert_eq!(count("client.knative.dev/nonce = abcdefghij").await, 1);
    assert_eq!(count("client.knative.dev/nonce = abcdefghij,serving.knative.dev/service = other").await, 0);
    assert_eq!(count("serving.knative.dev/service in (hello,other)").await, 3);
    let refused = owner.read(format!("{path}?labelSelector=a%20b%20c")).await.expect(400);
    assert_eq!(refused.violations()[0].0, "labelSelector");
}

#[tokio::test]
async fn pages_walk_all_revisions_once_while_new_ones_come() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    for number in 0..6 {
        owner.set_env("hello", "A", &number.to_string()).await;
    }
    let names = |list: &Value| -> Vec<String> {
        let name = |item: &Value| at(item, "/metadata/name").as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(name).collect()
    };
    let path = format!("{}?limit=2", Owner::revisions_path());
    let expected = names(&owner.read(Owner::revisions_path()).await.expect(200).json());
    assert_eq!(expected.len(), 7);

    let mut walked = Vec::new();
    let mut next = path.clone();
    loop {
        let page = owner.read(&next).await.expect(200).json();
        walked.extend(names(&page));
        // What is made meanwhile is newer than all that is still to come.
        owner.set_env("hello", "B", &walked.len().to_string()).await;
        match at(&page, "/metadata/continue").as_str() {
            Some(token) => next = format!("{path}&continue={token}"),
            None => break,
        }
    }
    assert_eq!(walked, expected);
    assert_eq!(walked.iter().collect::<BTreeSet<_>>().len(), walked.len());
    let refused = owner.read(format!("{path}&continue=!")).await.expect(400);
    assert_eq!(refused.violations()[0].0, "continue");
}
