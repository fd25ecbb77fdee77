//! Is gRPC answered on the one port, without TLS?

use groundrun_tests::{Answer, Ask, GLOBAL, Http2, REGIONAL, World};
use http::Method;

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
        assert_eq!(answer.header("grpc-status"), None, "{host}");
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
