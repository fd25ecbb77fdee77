//! Is everything that is answered over plain HTTP answered over TLS too, on the port itself and through
//! tunnels, and does what is no TLS harm nobody?

use bytes::Bytes;
use groundrun::config::Settings;
use groundrun::server::{self, ServeOptions};
use groundrun_tests::{
    Answer, DEADLINE, GLOBAL, Owner, REGIONAL, Secure, TlsClient, World, at, over_http1, over_http2,
    raw_over_tls,
};
use http::Request;
use http_body_util::Full;
use insta::assert_snapshot;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HTTP1: &str = "http/1.1";

fn get(target: &str) -> http::request::Builder {
    Request::get(target)
}

fn without_body(builder: http::request::Builder) -> Request<Full<Bytes>> {
    builder.body(Full::default()).unwrap()
}

/// A deployed service, the host of its URL as the hosted service names it, and a token of an invoker.
async fn private_service(world: &World) -> (String, String) {
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap();
    let token = world.invoker().token(url).await;
    let host = url.trim_start_matches("http://").split(':').next().unwrap();
    (host.replace(".run.localhost", ".run.app"), token)
}

async fn call(stream: Secure, host: &str, token: Option<&str>) -> Answer {
    let mut request = get("/path?a=b").header("host", host);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    over_http1(stream, without_body(request)).await
}

#[tokio::test]
async fn a_service_answers_over_tls_at_its_hosted_name() {
    let world = World::start().await;
    let (host, token) = private_service(&world).await;
    let tls = TlsClient::of(&world).await;
    let target = format!("{host}:443");
    for through in [false, true] {
        let open = async || {
            let stream = match through {
                true => tls.through(&target, &host, HTTP1).await,
                false => tls.open(&host, HTTP1).await,
            };
            stream.unwrap()
        };
        call(open().await, &host, None).await.must_be(403);
        let answer = call(open().await, &host, Some(&token)).await.expect(200).json();
        assert_eq!(at(&answer, "/request/path"), "/path");
    }
    let stream = tls.through(&target, &host, "h2").await.unwrap();
    let request = get(&format!("https://{host}/two")).header("authorization", format!("Bearer {token}"));
    let answer = over_http2(stream, without_body(request)).await.expect(200).json();
    assert_eq!(at(&answer, "/request/path"), "/two");
    world.stop().await;
}

#[tokio::test]
async fn the_apis_answer_over_tls_as_google_and_as_this_machine() {
    let world = World::start().await;
    world.deploy("hello").await;
    let tls = TlsClient::of(&world).await;
    let path = format!("{}/hello", Owner::services_path());
    let stream = tls.through(&format!("{REGIONAL}:443"), REGIONAL, HTTP1).await.unwrap();
    let request = get(&path).header("host", REGIONAL).header("authorization", "Bearer any");
    let service = over_http1(stream, without_body(request)).await.expect(200).json();
    assert_eq!(at(&service, "/metadata/name"), "hello");
    for name in ["127.0.0.1", "localhost"] {
        let stream = tls.open(name, HTTP1).await.unwrap();
        over_http1(stream, without_body(get("/healthz").header("host", name))).await.must_be(200);
    }
    let certs = tls.through("www.googleapis.com:443", "www.googleapis.com", HTTP1).await.unwrap();
    let request = get("/oauth2/v1/certs").header("host", "www.googleapis.com");
    let certs = over_http1(certs, without_body(request)).await.expect(200).json();
    assert!(certs.as_object().unwrap().values().all(|pem| pem.as_str().unwrap().contains("BEGIN CERT")));
}

#[tokio::test]
async fn what_came_over_tls_is_not_redirected_to_https() {
    let world = World::with(|options| options.https_redirect = true).await;
    let (host, _) = private_service(&world).await;
    world.get("/").host(&host).send().await.must_be(302);
    let tls = TlsClient::of(&world).await;
    call(tls.open(&host, HTTP1).await.unwrap(), &host, None).await.must_be(403);
}

#[tokio::test]
async fn plain_http_in_a_tunnel_is_plain_http() {
    let world = World::start().await;
    let (host, _) = private_service(&world).await;
    let tls = TlsClient::of(&world).await;
    let mut stream = tls.tunnel(&format!("{host}:80")).await;
    // Without a Host header the tunnel says whom it is for.
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 403 Forbidden"), "{answer}");
    assert!(answer.contains("does not have permission"), "{answer}");
}

#[tokio::test]
async fn in_a_tunnel_the_host_header_decides() {
    let world = World::start().await;
    let (host, token) = private_service(&world).await;
    let tls = TlsClient::of(&world).await;
    let stream = async || tls.through(&format!("{GLOBAL}:443"), GLOBAL, HTTP1).await.unwrap();
    call(stream().await, &host, Some(&token)).await.must_be(200);
    let refused = call(stream().await, "example.com", Some(&token)).await.expect(403);
    assert_eq!(refused.text(), "groundrun does not emulate example.com and passes nothing on\n");
}

#[tokio::test]
async fn a_client_that_names_no_host_gets_the_certificate_of_the_tunnels() {
    let world = World::start().await;
    let tls = TlsClient::of(&world).await;
    // A hello never names an address.
    let stream = tls.through("169.254.169.254:443", "169.254.169.254", HTTP1).await.unwrap();
    // The metadata server misses the header that it asks for.
    call(stream, "169.254.169.254", None).await.must_be(403);
    tls.through("run.googleapis.com:443", "example.com", HTTP1).await.unwrap();
    tls.through("run.googleapis.com:443", "127.0.0.1", HTTP1).await.unwrap_err();
}

#[tokio::test]
async fn tunnels_to_elsewhere_and_odd_ones_are_refused_at_once() {
    let world = World::start().await;
    let mut told = String::new();
    for target in
        ["example.com:443", "10.1.2.3:22", "googleapis.com.example:443", "run.googleapis.com", "a:x"]
    {
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
        let answer = world.raw(head.as_bytes()).await;
        told += &format!("{target}: {}\n", answer.lines().next().unwrap());
    }
    let tls = TlsClient::of(&world).await;
    let stream = tls.through("run.googleapis.com:443", "run.googleapis.com", HTTP1).await.unwrap();
    let nested = b"CONNECT run.googleapis.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    told += &format!("nested: {}\n", raw_over_tls(stream, nested).await.lines().next().unwrap());
    assert_snapshot!(told, @r"
    example.com:443: HTTP/1.1 403 groundrun does not emulate example.com:443 and tunnels to nowhere else
    10.1.2.3:22: HTTP/1.1 403 groundrun does not emulate 10.1.2.3:22 and tunnels to nowhere else
    googleapis.com.example:443: HTTP/1.1 403 groundrun does not emulate googleapis.com.example:443 and tunnels to nowhere else
    run.googleapis.com: HTTP/1.1 400 CONNECT needs a host and a port: CONNECT HOST:443
    a:x: HTTP/1.1 400 CONNECT needs a host and a port: CONNECT HOST:443
    nested: HTTP/1.1 403 groundrun opens a tunnel over HTTP/1.1 only, and none in a tunnel
    ");
}

/// gcloud deploys worker pools by gRPC over TLS, whatever its settings say.
#[tokio::test]
async fn a_grpc_method_that_is_not_emulated_is_refused_by_name() {
    let world = World::start().await;
    let tls = TlsClient::of(&world).await;
    let stream = tls.through(&format!("{REGIONAL}:443"), REGIONAL, "h2").await.unwrap();
    let request =
        Request::post(format!("https://{REGIONAL}/google.cloud.run.v2.WorkerPools/UpdateWorkerPool"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::from(vec![0; 5]))
            .unwrap();
    let answer = over_http2(stream, request).await.expect(200);
    assert_eq!(answer.header("grpc-status"), Some("12"));
    let message = answer.header("grpc-message").unwrap();
    assert!(message.contains("google.cloud.run.v2.WorkerPools/UpdateWorkerPool"), "{message}");
}

#[tokio::test]
async fn what_is_no_tls_is_turned_away_and_harms_nobody() {
    let world = World::start().await;
    let tls = TlsClient::of(&world).await;
    // Half a hello and silence: it stays open while others are served.
    let mut half = TcpStream::connect(world.address()).await.unwrap();
    half.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    for garbage in [&[0x16_u8; 4096][..], b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff"] {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // An alert at most, and then the end.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.len() < 16, "{answer:?}");
    }
    let stream = tls.open("localhost", HTTP1).await.unwrap();
    over_http1(stream, without_body(get("/healthz").header("host", "localhost"))).await.must_be(200);
    // A stop does not wait for it.
    let begun = std::time::Instant::now();
    world.stop().await;
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert_eq!(half.read(&mut [0; 16]).await.unwrap_or(0), 0);
}

/// It takes as long as a client may take.
#[tokio::test]
async fn half_a_hello_is_waited_for_no_longer_than_a_handshake_may_take() {
    let world = World::start().await;
    let mut half = TcpStream::connect(world.address()).await.unwrap();
    half.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    let ended = tokio::time::timeout(DEADLINE, half.read(&mut [0; 16])).await.expect("it ends in time");
    assert_eq!(ended.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_in_a_tunnel() {
    let world = World::start().await;
    let tls = TlsClient::of(&world).await;
    let mut idle = tls.through("run.googleapis.com:443", "run.googleapis.com", HTTP1).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: run.googleapis.com\r\n\r\n").await.unwrap();
    let mut buffer = [0; 4096];
    let length = idle.read(&mut buffer).await.unwrap();
    assert!(buffer[..length].starts_with(b"HTTP/1.1 200 OK"));
    let begun = std::time::Instant::now();
    world.stop().await;
    assert!(begun.elapsed().as_secs() < 5, "an idle tunnel does not keep it");
    while matches!(idle.read(&mut buffer).await, Ok(1..)) {}
}

#[tokio::test]
async fn any_number_of_names_can_be_called() {
    let world = World::start().await;
    let tls = TlsClient::of(&world).await;
    for number in 0..1_000 {
        tls.open(&format!("host-{number}.run.app"), HTTP1).await.unwrap();
    }
    world.get("/healthz").send().await.must_be(200);
}

#[tokio::test]
async fn the_ca_outlives_the_process_and_a_damaged_one_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_owned();
    let start = || World::with(|options| options.data_dir = Some(data.clone()));
    let world = start().await;
    let files: Value = world.get("/emulator/ca").send().await.expect(200).json();
    let path = |name: &str| files[name].as_str().unwrap().to_owned();
    assert_eq!(path("certificate"), data.join("ca/ca.pem").to_str().unwrap());
    let pem = std::fs::read_to_string(path("certificate")).unwrap();
    assert!(std::fs::read_to_string(path("bundle")).unwrap().starts_with(&pem));
    assert!(std::fs::metadata(path("javaTrustStore")).unwrap().len() > 100);
    world.stop().await;
    let world = start().await;
    assert_eq!(world.get("/emulator/ca.pem").send().await.expect(200).text(), pem);
    world.stop().await;

    std::fs::write(path("certificate"), &pem[..100]).unwrap();
    let settings = Settings { data_dir: data.clone(), ..Settings::default() };
    let options = ServeOptions { listen: ([127, 0, 0, 1], 0).into(), ..settings.serve_options() };
    let error = server::start(options).await.unwrap_err().to_string();
    assert!(error.contains("ca.pem, a file of the local CA, is damaged"), "{error}");
}

#[tokio::test]
async fn an_emulator_in_memory_leaves_no_file_behind() {
    let world = World::start().await;
    let files: Value = world.get("/emulator/ca").send().await.expect(200).json();
    let certificate = std::path::PathBuf::from(files["certificate"].as_str().unwrap());
    let pem = world.get("/emulator/ca.pem").send().await.expect(200).text();
    assert_eq!(std::fs::read_to_string(&certificate).unwrap(), pem);
    world.stop().await;
    assert!(!certificate.parent().unwrap().exists());
}
