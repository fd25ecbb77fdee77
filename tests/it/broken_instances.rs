//! What does a client see of an instance that is broken, and who else is harmed?

use groundrun_tests::{DEADLINE, Http2, Site, Upstream, bytes_body, empty_body};
use http::Method;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Reads the head of a request and what of its body comes with it; the first line of it.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8_lossy(&head).lines().next().map(str::to_owned)
}

/// Says what the path asks for.
async fn broken(mut stream: TcpStream) {
    while let Some(line) = head(&mut stream).await {
        let path = line.split(' ').nth(1).unwrap_or_default();
        let said: &[u8] = match path {
            "/good" => b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood",
            "/silent-close" => b"",
            "/half-head" => b"HTTP/1.1 200 OK\r\nContent-Le",
            "/garbage" => b"\x00\x01\x02 this is not HTTP\r\n\r\n",
            "/two-lengths" => b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ngood!",
            "/same-lengths" => b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\ngood",
            "/length-and-chunks" => {
                b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"
            }
            "/bad-status" => b"HTTP/1.1 2x0 OK\r\n\r\n",
            "/unasked-101" => {
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
            }
            "/broken-chunks" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "/bad-chunks" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
            "/short-body" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            "/large-head" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Large: ").await;
                let piece = [b'x'; 1 << 16];
                // Until nobody takes it any more, at most 100 MB.
                for _ in 0..1600 {
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                }
                panic!("somebody took 100 MB of a header");
            }
            other => panic!("{other}"),
        };
        if stream.write_all(said).await.is_err() || path != "/good" {
            return;
        }
    }
}

#[tokio::test]
async fn what_is_no_response_is_a_503_and_nobody_else_is_harmed() {
    const START: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";
    let site = Site::new(Upstream::raw(broken).await).await;
    for (path, reason) in [
        ("/silent-close", "connection termination"),
        ("/half-head", "connection termination"),
        ("/garbage", "protocol error"),
        ("/two-lengths", "protocol error"),
        ("/same-lengths", "protocol error"),
        ("/length-and-chunks", "protocol error"),
        ("/bad-status", "protocol error"),
        ("/unasked-101", "protocol error"),
        ("/large-head", "protocol error"),
    ] {
        for is_http2 in [false, true] {
            let ask = |path: &str| if is_http2 { site.get(path).http2(Http2) } else { site.get(path) };
            let other = tokio::spawn(ask("/good").send());
            let answer = ask(path).send().await.expect(503);
            assert_eq!(answer.text(), format!("{START}{reason}"), "{path}");
            assert_eq!(answer.header("content-type"), Some("text/plain"));
            assert_eq!(answer.header("server"), Some("Google Frontend"));
            assert_eq!(other.await.unwrap().expect(200).text(), "good");
            assert_eq!(ask("/good").send().await.expect(200).text(), "good");
        }
    }
    closed(&site).await;
}

#[tokio::test]
async fn what_breaks_off_behind_the_head_is_cut() {
    let site = Site::new(Upstream::raw(broken).await).await;
    for path in ["/broken-chunks", "/bad-chunks", "/short-body"] {
        for is_http2 in [false, true] {
            let request = site.request(is_http2, Method::GET, path, empty_body());
            let response = site.begin(is_http2, request).await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            assert!(response.into_body().collect().await.is_err(), "{path}");
            assert_eq!(site.get("/good").send().await.expect(200).text(), "good");
        }
    }
    closed(&site).await;
}

/// Waits until the instance has no more connections than are kept for the next request.
async fn closed(site: &Site) {
    let waiting = async {
        while site.upstream.open() > 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.expect("broken connections are closed");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_503_at_once() {
    let site = Site::new(Upstream::absent().await).await;
    for ask in [site.get("/"), site.get("/").http2(Http2)] {
        let answer = ask.send().await.expect(503);
        assert!(answer.text().ends_with("reset reason: connection failure"), "{}", answer.text());
        let why = answer.header("x-groundrun-explain").unwrap();
        assert!(why.contains("cannot connect to 127.0.0.1:"), "{why}");
    }
}

#[tokio::test]
async fn an_instance_that_never_reads_is_bounded_by_the_timeout() {
    let upstream = Upstream::raw(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let site = Site::with_timeout(upstream, 1).await;
    let answer = site.ask(Method::POST, "/").body("text/plain", vec![b'x'; 16 << 20]).send().await;
    assert_eq!(answer.expect(504).text(), "upstream request timeout");
}

/// Answers the first request on each connection, and closes it in the face of the second.
async fn one_each(mut stream: TcpStream) {
    if head(&mut stream).await.is_some() {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood").await;
        let _ = head(&mut stream).await;
    }
}

#[tokio::test]
async fn a_connection_that_closes_when_it_is_used_again_costs_no_request_that_may_be_repeated() {
    let site = Site::new(Upstream::raw(one_each).await).await;
    let mut sender = site.http1().await;
    for _ in 0..10 {
        let request = site.request(false, Method::GET, "/", empty_body());
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "good");
        sender.ready().await.unwrap();
    }
    // A POST may have been acted on: it is not sent twice.
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let request = site.request(false, Method::POST, "/", bytes_body("once"));
        let response = sender.send_request(request).await.unwrap();
        statuses.push(response.status().as_u16());
        let _ = response.into_body().collect().await.unwrap();
        sender.ready().await.unwrap();
    }
    assert!(statuses.contains(&503), "{statuses:?}");
}
