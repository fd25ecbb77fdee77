//! Does a WebSocket pass, and who may open one?

use groundrun_tests::{DEADLINE, Site, TlsClient, Upstream, UpstreamBody, empty_body};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// Echoes what comes behind the handshake; `/hello` speaks first, `/bye` ends at once.
async fn socket(mut request: Request<Incoming>) -> Response<UpstreamBody> {
    if !request.headers().contains_key("upgrade") {
        return Response::builder().status(426).body(empty_body()).unwrap();
    }
    assert_eq!(request.headers()["upgrade"], "websocket");
    assert_eq!(request.headers()["connection"], "Upgrade");
    let path = request.uri().path().to_owned();
    let accept = request.headers()["sec-websocket-key"].clone();
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut io = TokioIo::new(upgrading.await.unwrap());
        match path.as_str() {
            "/hello" => io.write_all(b"hello").await.unwrap(),
            "/bye" => return,
            _ => (),
        }
        let (mut reader, mut writer) = tokio::io::split(io);
        // Whoever breaks off ends this.
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
        let _ = writer.shutdown().await;
    });
    let response =
        Response::builder().status(101).header("connection", "upgrade").header("upgrade", "websocket");
    response.header("sec-websocket-accept", accept).body(empty_body()).unwrap()
}

fn handshake(host: &str, path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// Sends a request, and returns the head of the response, in lower case.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(DEADLINE, stream.read_u8()).await.expect("a head in time");
        head.push(byte.unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    timeout(DEADLINE, stream.read_exact(&mut read)).await.expect("bytes in time").unwrap();
    read
}

/// What comes until the connection ends, however it ends.
async fn rest<S: AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("the connection ends in time");
    rest
}

/// Opens a socket and uses it in every way.
async fn use_it<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, host: &str) {
    let head = ask(&mut stream, &handshake(host, "/hello", "")).await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    for line in [
        "connection: upgrade\r\n",
        "upgrade: websocket\r\n",
        "sec-websocket-accept: dghlihnhbxbszsbub25jzq==\r\n",
        "server: google frontend\r\n",
    ] {
        assert_eq!(head.matches(line).count(), 1, "{line} in {head}");
    }
    assert_eq!(read(&mut stream, 5).await, b"hello");
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(read(&mut stream, 4).await, b"ping");
    // More than any buffer on the way holds.
    let large: Vec<u8> = (0..8 << 20).map(|at: u32| at.to_le_bytes()[1]).collect();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (sent, echoed) = tokio::join!(writer.write_all(&large), read(&mut reader, large.len()));
    sent.unwrap();
    assert!(echoed == large, "what came back is not what was sent");
    // The client has nothing more to say, and still hears the end.
    writer.write_all(b"last").await.unwrap();
    writer.shutdown().await.unwrap();
    assert_eq!(rest(&mut reader).await, b"last");
}

#[tokio::test]
async fn b35_bytes_pass_both_ways_in_the_clear_and_over_tls() {
    let site = Site::new(Upstream::http(socket).await).await;
    use_it(site.connect().await, &site.host).await;
    let client = TlsClient::of(&site.world).await;
    let name = site.host.split(':').next().unwrap();
    use_it(client.open(name, "http/1.1").await.unwrap(), &site.host).await;
}

#[tokio::test]
async fn who_goes_away_ends_it_for_the_other() {
    let site = Site::new(Upstream::http(socket).await).await;
    let mut stream = site.connect().await;
    let head = ask(&mut stream, &handshake(&site.host, "/bye", "")).await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert_eq!(rest(&mut stream).await, b"");
    let mut stream = site.connect().await;
    let _ = ask(&mut stream, &handshake(&site.host, "/", "")).await;
    drop(stream);
    let closed = async {
        while site.upstream.open() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, closed).await.expect("the instance learns that the client is gone");
}

#[tokio::test]
async fn the_timeout_of_a_request_bounds_it() {
    let site = Site::with_timeout(Upstream::http(socket).await, 1).await;
    let mut stream = site.connect().await;
    let head = ask(&mut stream, &handshake(&site.host, "/", "")).await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert_eq!(rest(&mut stream).await, b"");
}

#[tokio::test]
async fn who_may_not_call_may_not_open_one() {
    let site = Site::with(Upstream::http(socket).await, |service| {
        service["metadata"]["annotations"] = serde_json::json!({});
    })
    .await;
    let head = ask(&mut site.connect().await, &handshake(&site.host, "/", "")).await;
    assert!(head.starts_with("http/1.1 403 "), "{head}");
    assert_eq!(site.upstream.accepted(), 0);
}

#[tokio::test]
async fn an_instance_may_refuse_and_a_body_is_refused() {
    let refusing = Upstream::http(|_| async {
        Response::builder().status(403).header("content-length", "0").body(empty_body()).unwrap()
    });
    let site = Site::new(refusing.await).await;
    let head = ask(&mut site.connect().await, &handshake(&site.host, "/", "")).await;
    assert!(head.starts_with("http/1.1 403 ") && !head.contains("upgrade:"), "{head}");
    let with_body = handshake(&site.host, "/", "Content-Length: 4\r\n");
    let accepted = site.upstream.accepted();
    let head = ask(&mut site.connect().await, &format!("{with_body}body")).await;
    assert!(head.starts_with("http/1.1 400 "), "{head}");
    assert_eq!(site.upstream.accepted(), accepted);
}

#[tokio::test]
async fn no_other_upgrade_passes_and_none_to_h2c() {
    let upstream = Upstream::http(socket).await;
    let site = Site::new(upstream.clone()).await;
    let other = handshake(&site.host, "/", "").replace("Upgrade: WebSocket", "Upgrade: h2c");
    let head = ask(&mut site.connect().await, &other).await;
    assert!(head.starts_with("http/1.1 426 "), "{head}");
    let site = Site::h2c(upstream).await;
    let head = ask(&mut site.connect().await, &handshake(&site.host, "/", "")).await;
    assert!(head.starts_with("http/1.1 426 "), "{head}");
}
