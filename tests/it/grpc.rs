//! Does gRPC say what REST says?

use groundrun_tests::grpc::{self, Message as _, call, framed, longrunning, rpc, run};
use groundrun_tests::{Answer, Ask, Client, GLOBAL, Http2, PROJECT, REGION, REGIONAL, World, at};
use http::Method;
use serde_json::json;

const SERVICES: &str = "google.cloud.run.v2.Services";

fn parent() -> String {
    format!("projects/{PROJECT}/locations/{REGION}")
}

fn service(image: &str) -> run::Service {
    let container = run::Container { image: image.to_owned(), ..Default::default() };
    let template = run::RevisionTemplate { containers: vec![container], ..Default::default() };
    run::Service { template: Some(template), ..Default::default() }
}

async fn create(
    client: &Client,
    id: &str,
    service: run::Service,
) -> Result<longrunning::Operation, grpc::Refused> {
    let asked = run::CreateServiceRequest {
        parent: parent(),
        service: Some(service),
        service_id: id.to_owned(),
        validate_only: false,
    };
    call(client, &format!("{SERVICES}/CreateService"), &asked).await
}

async fn get(client: &Client, id: &str) -> Result<run::Service, grpc::Refused> {
    let asked = run::GetServiceRequest { name: format!("{}/services/{id}", parent()) };
    call(client, &format!("{SERVICES}/GetService"), &asked).await
}

/// The operation once it is done.
async fn done(client: &Client, operation: longrunning::Operation) -> longrunning::Operation {
    let asked = longrunning::WaitOperationRequest { name: operation.name, timeout: None };
    let ended: longrunning::Operation =
        call(client, "google.longrunning.Operations/WaitOperation", &asked).await.unwrap();
    assert!(ended.done, "{ended:?}");
    ended
}

#[tokio::test]
async fn a_service_is_made_read_and_changed() {
    let world = World::start().await;
    let begun = create(&world, "hello", service("gcr.io/demo/hello")).await.unwrap();
    assert!(!begun.done);
    let ended = done(&world, begun).await;
    let Some(longrunning::operation::Result::Response(any)) = ended.result else { panic!("{ended:?}") };
    assert_eq!(any.type_url, "type.googleapis.com/google.cloud.run.v2.Service");
    let response = run::Service::decode(any.value.as_slice()).unwrap();
    assert_eq!(response, get(&world, "hello").await.unwrap());
    assert_eq!(response.ingress(), run::IngressTraffic::All);
    assert_eq!(response.template.as_ref().unwrap().timeout.unwrap().seconds, 300);

    // A service as it was read, with one change.
    let changed = run::Service { custom_audiences: vec!["aud1".to_owned()], ..response };
    let asked = run::UpdateServiceRequest { service: Some(changed), ..Default::default() };
    let operation = call(&world, &format!("{SERVICES}/UpdateService"), &asked).await.unwrap();
    done(&world, operation).await;
    let after = get(&world, "hello").await.unwrap();
    assert_eq!((after.custom_audiences, after.generation), (vec!["aud1".to_owned()], 2));
    let rest = world.get(format!("/v2/{}/services/hello", parent())).send().await.expect(200).json();
    assert_eq!(at(&rest, "/etag"), after.etag.as_str());
}

/// `functionalType` is in the JSON of v2 and not in the published protocol buffer.
#[tokio::test]
async fn what_the_published_messages_cannot_say_stays() {
    let world = World::start().await;
    let path = format!("/v2/{}/services", parent());
    let body = json!({
        "functionalType": "FUNCTIONAL_TYPE_AGENT",
        "template": {
            "containers": [{"image": "gcr.io/demo/hello", "sandboxLauncher": true}],
            "scaling": {"cpuUtilization": 0.5},
        },
    });
    world.ask(Method::POST, format!("{path}?serviceId=hello")).json(&body).send().await.must_be(200);
    world.owner().settled("hello").await;
    let before = world.get(format!("{path}/hello")).send().await.expect(200).json();
    let read = get(&world, "hello").await.unwrap();
    let asked = run::UpdateServiceRequest { service: Some(read.clone()), ..Default::default() };
    let method = format!("{SERVICES}/UpdateService");
    let operation: longrunning::Operation = call(&world, &method, &asked).await.unwrap();
    assert!(operation.done, "what was read changes nothing");
    assert_eq!(world.get(format!("{path}/hello")).send().await.expect(200).json(), before);

    let changed = run::Service { description: "told".to_owned(), ..read };
    let asked = run::UpdateServiceRequest { service: Some(changed), ..Default::default() };
    let _: longrunning::Operation = call(&world, &method, &asked).await.unwrap();
    let after = world.get(format!("{path}/hello")).send().await.expect(200).json();
    assert_eq!(at(&after, "/description"), "told");
    for kept in ["/functionalType", "/template/scaling", "/template/containers"] {
        assert_eq!(at(&after, kept), at(&before, kept));
    }
}

#[tokio::test]
async fn a_refusal_has_details() {
    let world = World::start().await;
    let refused = create(&world, "hello", service("no image!")).await.unwrap_err();
    assert_eq!(refused.code, 3);
    assert!(
        refused
            .message
            .starts_with("Violation in CreateServiceRequest.service.template.containers[0].image: ")
    );
    let bad: rpc::BadRequest = refused.detail("google.rpc.BadRequest").unwrap();
    assert_eq!(bad.field_violations[0].field, "service.template.containers[0].image");

    let missing = get(&world, "nope").await.unwrap_err();
    assert_eq!((missing.code, missing.details.code), (5, 5));
    let info: rpc::ErrorInfo = missing.detail("google.rpc.ErrorInfo").unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("RESOURCE_NOT_FOUND", "run.googleapis.com"));

    let job = run::GetJobRequest::default();
    let unknown = call::<run::Service>(&world, "google.cloud.run.v2.Jobs/GetJob", &job).await.unwrap_err();
    assert_eq!(unknown.code, 12);
    assert_eq!(unknown.message, "google.cloud.run.v2.Jobs/GetJob is not emulated by groundrun.");
}

#[tokio::test]
async fn bad_messages_are_refused_and_nothing_is_stored() {
    let world = World::start().await;
    let method = format!("{SERVICES}/CreateService");
    let send = |bytes: bytes::Bytes| grpc::send::<longrunning::Operation>(&world, &method, bytes);
    let large = run::CreateServiceRequest {
        parent: parent(),
        service_id: "x".repeat(11 * 1024 * 1024),
        ..Default::default()
    };
    assert_eq!(send(framed(&large.encode_to_vec())).await.unwrap_err().code, 8, "over the limit");
    let whole = framed(&run::CreateServiceRequest { parent: parent(), ..Default::default() }.encode_to_vec());
    for cut in [0, 3, 5, whole.len() - 1] {
        let refused = send(whole.slice(..cut)).await.unwrap_err();
        assert_eq!(refused.code, 3, "cut after {cut} bytes: {}", refused.message);
    }
    assert_eq!(send(framed(&[0xff; 9])).await.unwrap_err().code, 3, "not a message");
    assert_eq!(send(whole).await.unwrap_err().code, 3, "no service");
    let listed = world.get(format!("/v2/{}/services", parent())).send().await.expect(200).json();
    assert_eq!(listed, json!({}));
}

#[tokio::test]
async fn the_health_service_knows_what_is_served() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Health {
        #[prost(string, tag = "1")]
        service: String,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    struct Status {
        #[prost(int32, tag = "1")]
        status: i32,
    }
    let world = World::start().await;
    let check = |service: &str| {
        let (asked, world) = (Health { service: service.to_owned() }, &world);
        async move { call::<Status>(world, "grpc.health.v1.Health/Check", &asked).await }
    };
    assert_eq!(check("").await.unwrap().status, 1);
    assert_eq!(check(SERVICES).await.unwrap().status, 1);
    assert_eq!(check("google.cloud.run.v2.Jobs").await.unwrap_err().code, 5);
}

/// A request of `method` with an empty message.
fn ask(world: &World, method: &str) -> Ask {
    let ask = world.ask(Method::POST, format!("/{method}")).body("application/grpc", vec![0, 0, 0, 0, 0]);
    ask.header("te", "trailers").http2(Http2)
}

/// The status and the message of a call that is refused.
#[track_caller]
fn refused(answer: &Answer) -> (&str, &str) {
    assert_eq!(answer.header("content-type"), Some("application/grpc"));
    (answer.header("grpc-status").unwrap(), answer.header("grpc-message").unwrap_or_default())
}

#[tokio::test]
async fn a_method_that_is_not_emulated_is_refused_by_its_full_name() {
    let world = World::start().await;
    for method in
        ["google.cloud.run.v2.Jobs/GetJob", "google.longrunning.Operations/CancelOperation", "a.B/C"]
    {
        let answer = ask(&world, method).host(REGIONAL).send().await.expect(200);
        let (status, message) = refused(&answer);
        assert_eq!(status, "12");
        assert_eq!(message.replace("%20", " "), format!("{method} is not emulated by groundrun."));
    }
}

#[tokio::test]
async fn health_is_answered_at_every_host_of_the_api() {
    let world = World::start().await;
    let loopback = world.address().to_string();
    for host in [REGIONAL, GLOBAL, loopback.as_str()] {
        let answer = ask(&world, "grpc.health.v1.Health/Check").host(host).send().await.expect(200);
        assert_eq!(answer.header("grpc-status"), Some("0"), "{host}");
        assert_eq!(answer.body.as_ref(), [0, 0, 0, 0, 2, 0x08, 1], "{host}");
    }
}

/// The same token is refused as over REST.
#[tokio::test]
async fn a_token_that_was_altered_is_no_credential() {
    let world = World::start().await;
    let token = world.owner().access_token("caller@demo-project.iam.gserviceaccount.com").await;
    let (head, seal) = token.split_at("ya29.".len());
    let other = if seal.starts_with('A') { "B" } else { "A" };
    let token = format!("{head}{other}{}", &seal[1..]);
    let method = "google.cloud.run.v2.Services/ListServices";
    let answer = ask(&world, method).bearer(token).host(REGIONAL).send().await.expect(200);
    let (status, message) = refused(&answer);
    assert_eq!(status, "16");
    assert!(message.starts_with("Request%20had%20invalid%20authentication%20credentials."), "{message}");
    assert!(answer.header("grpc-status-details-bin").is_some());
}

#[tokio::test]
async fn grpc_over_http_1_is_refused_in_plain_words() {
    let world = World::start().await;
    let ask = world.ask(Method::POST, "/grpc.health.v1.Health/Check").body("application/grpc", vec![0; 5]);
    let refused = ask.send().await.expect(400);
    assert_eq!(refused.message(), "gRPC needs HTTP/2; this is HTTP/1.1.");
}
