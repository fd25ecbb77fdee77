//! Is a service the same thing through v1, through v2 by REST and through v2 by gRPC?
//!
//! One scenario, three times. What each edge answers is told in its own terms; what became of the service
//! is read through v1, and must be the same to the letter.

use groundrun_tests::grpc::{self, call, iam, longrunning, run};
use groundrun_tests::{Answer, Owner, PROJECT, REGION, World, at, redacted, set};
use http::Method;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Edge {
    V1,
    Rest,
    Grpc,
}

/// How a step ended: `OK`, or the word of the refusal and what it says, without the field's own name.
type Outcome = String;

fn words(code: &str, message: &str) -> Outcome {
    let said = message.rsplit(": ").next().unwrap_or_default();
    format!("{code} {said}")
}

fn of_rest(answer: &Answer) -> Outcome {
    if answer.status.is_success() { "OK".to_owned() } else { words(&answer.code(), &answer.message()) }
}

fn of_grpc<T>(answer: Result<T, grpc::Refused>) -> Outcome {
    let refused = match answer {
        Ok(_) => return "OK".to_owned(),
        Err(refused) => refused,
    };
    let code = match refused.code {
        3 => "INVALID_ARGUMENT",
        5 => "NOT_FOUND",
        6 => "ALREADY_EXISTS",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        other => panic!("{other}: {}", refused.message),
    };
    words(code, &refused.message)
}

fn parent() -> String {
    format!("projects/{PROJECT}/locations/{REGION}")
}

fn full(name: &str) -> String {
    format!("{}/services/{name}", parent())
}

fn text(value: &str) -> String {
    value.to_owned()
}

impl Edge {
    async fn create(self, world: &World, timeout: i64) -> Outcome {
        match self {
            Self::V1 => {
                let mut body = Owner::service("hello");
                set(&mut body, "/spec/template/spec/timeoutSeconds", json!(timeout));
                set(&mut body, "/spec/template/spec/containers/0/env", json!([{"name": "A", "value": "1"}]));
                set(
                    &mut body,
                    "/metadata/annotations/run.googleapis.com~1custom-audiences",
                    json!("[\"aud1\"]"),
                );
                of_rest(&world.owner().ask(Method::POST, Owner::services_path()).json(&body).send().await)
            }
            Self::Rest => {
                let body = json!({
                    "customAudiences": ["aud1"],
                    "template": {
                        "timeout": format!("{timeout}s"),
                        "containers": [{"image": image(), "env": [{"name": "A", "value": "1"}]}],
                    },
                });
                let path = format!("/v2/{}/services?serviceId=hello", parent());
                of_rest(&world.ask(Method::POST, path).json(&body).send().await)
            }
            Self::Grpc => {
                let value = Some(run::env_var::Values::Value(text("1")));
                let env = vec![run::EnvVar { name: text("A"), values: value }];
                let container = run::Container { image: image(), env, ..Default::default() };
                let timeout = Some(seconds(timeout));
                let template =
                    run::RevisionTemplate { containers: vec![container], timeout, ..Default::default() };
                let service = run::Service {
                    custom_audiences: vec![text("aud1")],
                    template: Some(template),
                    ..Default::default()
                };
                let asked = run::CreateServiceRequest {
                    parent: parent(),
                    service: Some(service),
                    service_id: text("hello"),
                    validate_only: false,
                };
                let method = "google.cloud.run.v2.Services/CreateService";
                of_grpc(call::<longrunning::Operation>(world, method, &asked).await)
            }
        }
    }

    /// Sets the audiences and leaves the rest.
    async fn set_audiences(self, world: &World) -> Outcome {
        match self {
            Self::V1 => {
                let mut body = world.owner().get("hello").await;
                set(
                    &mut body,
                    "/metadata/annotations/run.googleapis.com~1custom-audiences",
                    json!("[\"aud2\"]"),
                );
                of_rest(&world.owner().replace("hello", &body).await)
            }
            Self::Rest => {
                let path = format!("/v2/{}?updateMask=customAudiences", full("hello"));
                of_rest(
                    &world.ask(Method::PATCH, path).json(&json!({"customAudiences": ["aud2"]})).send().await,
                )
            }
            Self::Grpc => {
                let method = "google.cloud.run.v2.Services/GetService";
                let read =
                    call::<run::Service>(world, method, &run::GetServiceRequest { name: full("hello") })
                        .await;
                let service = run::Service { custom_audiences: vec![text("aud2")], ..read.unwrap() };
                let asked = run::UpdateServiceRequest { service: Some(service), ..Default::default() };
                let method = "google.cloud.run.v2.Services/UpdateService";
                of_grpc(call::<longrunning::Operation>(world, method, &asked).await)
            }
        }
    }

    async fn get(self, world: &World, name: &str) -> Outcome {
        match self {
            Self::V1 => of_rest(&world.owner().read(Owner::service_path(name)).await),
            Self::Rest => of_rest(&world.get(format!("/v2/{}", full(name))).send().await),
            Self::Grpc => {
                let method = "google.cloud.run.v2.Services/GetService";
                of_grpc(
                    call::<run::Service>(world, method, &run::GetServiceRequest { name: full(name) }).await,
                )
            }
        }
    }

    async fn delete_revision(self, world: &World, name: &str) -> Outcome {
        match self {
            Self::V1 => {
                let path = format!("{}/{name}", Owner::revisions_path());
                of_rest(&world.owner().ask(Method::DELETE, path).send().await)
            }
            Self::Rest => {
                let path = format!("/v2/{}/revisions/{name}", full("hello"));
                of_rest(&world.ask(Method::DELETE, path).send().await)
            }
            Self::Grpc => {
                let name = format!("{}/revisions/{name}", full("hello"));
                let asked = run::DeleteRevisionRequest { name, ..Default::default() };
                let method = "google.cloud.run.v2.Revisions/DeleteRevision";
                of_grpc(call::<longrunning::Operation>(world, method, &asked).await)
            }
        }
    }

    /// Lets everybody in, with a policy that was read a while ago.
    async fn set_policy(self, world: &World, etag: &str) -> Outcome {
        let policy = json!({
            "etag": etag,
            "bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}],
        });
        match self {
            Self::V1 => of_rest(&world.owner().set_policy("hello", &policy).await),
            Self::Rest => {
                let path = format!("/v2/{}:setIamPolicy", full("hello"));
                of_rest(&world.ask(Method::POST, path).json(&json!({"policy": policy})).send().await)
            }
            Self::Grpc => {
                let members = vec![text("allUsers")];
                let bindings =
                    vec![iam::Binding { role: text("roles/run.invoker"), members, condition: None }];
                let etag = groundrun_tests::from_base64(etag);
                let policy = Some(iam::Policy { bindings, etag, ..Default::default() });
                let asked = iam::SetIamPolicyRequest { resource: full("hello"), policy, update_mask: None };
                let method = "google.cloud.run.v2.Services/SetIamPolicy";
                of_grpc(call::<iam::Policy>(world, method, &asked).await)
            }
        }
    }

    async fn delete(self, world: &World) -> Outcome {
        match self {
            Self::V1 => {
                of_rest(&world.owner().ask(Method::DELETE, Owner::service_path("hello")).send().await)
            }
            Self::Rest => of_rest(&world.ask(Method::DELETE, format!("/v2/{}", full("hello"))).send().await),
            Self::Grpc => {
                let asked = run::DeleteServiceRequest { name: full("hello"), ..Default::default() };
                let method = "google.cloud.run.v2.Services/DeleteService";
                of_grpc(call::<longrunning::Operation>(world, method, &asked).await)
            }
        }
    }
}

fn image() -> String {
    at(&Owner::service("hello"), "/spec/template/spec/containers/0/image").as_str().unwrap().to_owned()
}

fn seconds(seconds: i64) -> grpc::Duration {
    grpc::Duration { seconds, nanos: 0 }
}

/// What became of the service, without what differs from run to run and what only one API asks for.
fn picture(mut service: Value) -> String {
    if let Some(annotations) = service.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove("run.googleapis.com/operation-id");
    }
    redacted(&format!("{service:#}"))
}

async fn tell(edge: Edge) -> Vec<String> {
    let world = World::start().await;
    let mut told = vec![
        edge.create(&world, 3601).await,
        edge.create(&world, 61).await,
        picture(world.owner().settled("hello").await),
        edge.create(&world, 61).await,
        edge.get(&world, "hello").await,
        edge.get(&world, "nope").await,
        edge.set_audiences(&world).await,
    ];
    let service = world.owner().settled("hello").await;
    let newest = at(&service, "/status/latestCreatedRevisionName").as_str().unwrap().to_owned();
    told.push(picture(service));
    let revisions = world.owner().revisions("hello").await;
    told.push(format!("{} revisions", revisions.len()));
    told.push(redacted(&edge.delete_revision(&world, &newest).await));
    told.push(edge.delete_revision(&world, "hello-00009-nop").await);
    told.push(edge.set_policy(&world, "ACAB").await);
    told.push(edge.set_policy(&world, "ACAB").await);
    let url = at(&world.owner().get("hello").await, "/status/url").as_str().unwrap().to_owned();
    told.push(format!("anybody is answered {}", world.anonymous().call(&url, "").await.status.as_u16()));
    told.push(edge.delete(&world).await);
    told.push(edge.delete(&world).await);
    told.push(format!("its host is answered {}", world.anonymous().call(&url, "").await.status.as_u16()));
    told
}

#[tokio::test]
async fn one_scenario_through_three_edges() {
    let v1 = tell(Edge::V1).await;
    insta::assert_snapshot!(
        v1.iter().filter(|line| !line.starts_with('{')).cloned().collect::<Vec<_>>().join("\n"),
        @r"
    INVALID_ARGUMENT maximum allowed time is one hour.
    OK
    ALREADY_EXISTS Resource 'hello' already exists.
    OK
    NOT_FOUND Resource 'nope' of kind 'SERVICE' in region 'us-central1' in project 'demo-project' does not exist.
    OK
    2 revisions
    FAILED_PRECONDITION The latest created Revision 'hello-00002-xyz' cannot be directly deleted.
    NOT_FOUND Resource 'hello-00009-nop' of kind 'REVISION' in region 'us-central1' in project 'demo-project' does not exist.
    OK
    ABORTED There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.
    anybody is answered 200
    OK
    NOT_FOUND Resource 'hello' of kind 'SERVICE' in region 'us-central1' in project 'demo-project' does not exist.
    its host is answered 404
    "
    );
    for edge in [Edge::Rest, Edge::Grpc] {
        let told = tell(edge).await;
        for (number, (own, theirs)) in v1.iter().zip(&told).enumerate() {
            assert_eq!(own, theirs, "step {number} through {edge:?}");
        }
    }
}
