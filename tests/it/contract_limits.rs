//! How large may a body be, how long may a request take, and what does the log say of it then? The rest of
//! the request contract.

use bytes::Bytes;
use groundrun_tests::{
    DEADLINE, Http2, Site, Upstream, UpstreamBody, bytes_body, chunks_body, empty_body, tell,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

/// Sends this many MiB in chunks, in either protocol, and returns the status and what the container counted.
async fn upload(site: &Site, is_http2: bool, mib: usize) -> (u16, Option<u64>) {
    let (pieces, body) = chunks_body();
    let sending = tokio::spawn(async move {
        for _ in 0..mib {
            // Who was refused stops.
            if pieces.send(Ok(Frame::data(Bytes::from(vec![b'x'; MIB])))).await.is_err() {
                return;
            }
        }
    });
    let response = site.begin(is_http2, site.request(is_http2, Method::POST, "/", body)).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    sending.await.unwrap();
    (status, serde_json::from_slice::<Value>(&body).ok().and_then(|told| told["bytes"].as_u64()))
}

#[tokio::test]
async fn b33_an_http1_server_is_sent_32_mib_and_no_more() {
    let site = Site::new(Upstream::http(tell).await).await;
    // What announces more is refused before it is sent.
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 33554433\r\n\r\n",
        site.host
    );
    let answer = site.world.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("<h2>Your client issued a request that was too large.</h2>"), "{answer}");
    assert_eq!(site.upstream.accepted(), 0);
    for is_http2 in [false, true] {
        assert_eq!(upload(&site, is_http2, 32).await, (200, Some(32 << 20)));
        assert_eq!(upload(&site, is_http2, 33).await.0, 413);
    }
}

#[tokio::test]
async fn b33_an_http2_server_is_sent_any_number() {
    let site = Site::h2c(Upstream::http(tell).await).await;
    for is_http2 in [false, true] {
        assert_eq!(upload(&site, is_http2, 40).await, (200, Some(40 << 20)));
    }
}

/// Sends 33 MiB: announced, or in chunks.
async fn large(request: Request<Incoming>) -> Response<UpstreamBody> {
    if request.uri().path() == "/announced" {
        return Response::new(bytes_body(vec![b'x'; 33 * MIB]));
    }
    let (pieces, body) = chunks_body();
    tokio::spawn(async move {
        for _ in 0..33 {
            if pieces.send(Ok(Frame::data(Bytes::from(vec![b'x'; MIB])))).await.is_err() {
                return;
            }
        }
    });
    Response::new(body)
}

#[tokio::test]
async fn b33_a_response_of_more_than_32_mib_comes_in_chunks_or_by_http2() {
    let site = Site::new(Upstream::http(large).await).await;
    for is_http2 in [false, true] {
        let ask = |path: &str| if is_http2 { site.get(path).http2(Http2) } else { site.get(path) };
        let refused = ask("/announced").send().await.expect(500);
        assert!(refused.text().contains("<title>500 Server Error</title>"), "{}", refused.text());
        assert_eq!(ask("/chunked").send().await.expect(200).body.len(), 33 * MIB);
    }
    let site = Site::h2c(Upstream::http(large).await).await;
    assert_eq!(site.get("/announced").send().await.expect(200).body.len(), 33 * MIB);
}

/// Answers at once with a head and one piece, or never; and never ends.
async fn slow(request: Request<Incoming>) -> Response<UpstreamBody> {
    if request.uri().path() == "/silent" {
        std::future::pending::<()>().await;
    }
    let (pieces, body) = chunks_body();
    tokio::spawn(async move {
        pieces.send(Ok(Frame::data(Bytes::from_static(b"first")))).await.unwrap();
        pieces.closed().await;
    });
    Response::new(body)
}

#[tokio::test]
async fn b34_a_timeout_before_the_response_is_a_504_and_after_its_beginning_a_cut() {
    for is_h2c in [false, true] {
        let upstream = Upstream::http(slow).await;
        let site = Site::with(upstream, |service| {
            let spec = &mut service["spec"]["template"]["spec"];
            spec["timeoutSeconds"] = 1.into();
            if is_h2c {
                spec["containers"][0]["ports"] = json!([{ "name": "h2c", "containerPort": 8080 }]);
            }
        })
        .await;
        for is_http2 in [false, true] {
            let ask = if is_http2 { site.get("/silent").http2(Http2) } else { site.get("/silent") };
            let answer = ask.send().await.expect(504);
            assert_eq!(answer.text(), "upstream request timeout");
            assert_eq!(answer.header("content-type"), Some("text/plain"));
            assert_eq!(answer.header("content-length"), Some("24"));
            assert_eq!(answer.header("server"), Some("Google Frontend"));
            let request = site.request(is_http2, Method::GET, "/begun", empty_body());
            let response = site.begin(is_http2, request).await.unwrap();
            assert_eq!((response.status().as_u16(), response.version() == Version::HTTP_2), (200, is_http2));
            let mut body = response.into_body();
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "first");
            // Cut, and not ended: a client can tell.
            let cut = tokio::time::timeout(DEADLINE, body.frame()).await.expect("a cut in time");
            let _ = cut.unwrap().unwrap_err();
        }
    }
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    async fn with_trailers(request: Request<Incoming>) -> Response<UpstreamBody> {
        let sent = request.into_body().collect().await.unwrap();
        let got = sent.trailers().and_then(|trailers| trailers.get("x-sum")).cloned();
        let (pieces, body) = chunks_body();
        tokio::spawn(async move {
            pieces.send(Ok(Frame::data(Bytes::from_static(b"data")))).await.unwrap();
            let value = got.unwrap_or(HeaderValue::from_static("none"));
            let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("x-got"), value)]);
            pieces.send(Ok(Frame::trailers(trailers))).await.unwrap();
        });
        Response::builder().header("trailer", "x-got").body(body).unwrap()
    }
    for site in [
        Site::new(Upstream::http(with_trailers).await).await,
        Site::h2c(Upstream::http(with_trailers).await).await,
    ] {
        for is_http2 in [false, true] {
            let (pieces, body) = chunks_body();
            let sending = tokio::spawn(async move {
                pieces.send(Ok(Frame::data(Bytes::from_static(b"data")))).await.unwrap();
                let trailers = HeaderMap::from_iter([(
                    http::HeaderName::from_static("x-sum"),
                    HeaderValue::from_static("7"),
                )]);
                pieces.send(Ok(Frame::trailers(trailers))).await.unwrap();
            });
            let mut request = site.request(is_http2, Method::POST, "/", body);
            // Chunks have only the trailers that were announced.
            request.headers_mut().insert("trailer", HeaderValue::from_static("x-sum"));
            request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
            let response = site.begin(is_http2, request).await.unwrap();
            let collected = response.into_body().collect().await.unwrap();
            sending.await.unwrap();
            assert_eq!(collected.trailers().unwrap()["x-got"], "7", "{is_http2}");
            assert_eq!(collected.to_bytes(), "data");
        }
    }
}

#[tokio::test]
async fn what_failed_stands_in_the_request_log_in_the_words_of_the_hosted_service() {
    let site = Site::with_timeout(Upstream::http(slow).await, 1).await;
    site.get("/silent").send().await.must_be(504);
    let gone = Site::new(Upstream::absent().await).await;
    gone.get("/").send().await.must_be(503);
    for (site, status, message) in [
        (&site, 504, "The request has been terminated because it has reached the maximum request timeout."),
        (
            &gone,
            503,
            "The request failed because either the HTTP response was malformed or connection to the instance \
             had an error.",
        ),
    ] {
        let query = json!({ "resourceNames": ["projects/demo-project"], "filter": "severity>=ERROR" });
        let ask = site.world.post("/v2/entries:list", &query).host("logging.googleapis.com");
        let entries = ask.send().await.expect(200).json();
        let entry = &entries["entries"][0];
        assert_eq!(entry["httpRequest"]["status"], status, "{entries:#}");
        assert_eq!(entry["severity"], "ERROR");
        assert_eq!(entry["textPayload"], message);
        assert_eq!(
            entry["resource"]["labels"]["revision_name"].as_str().map(|name| &name[..6]),
            Some("hello-")
        );
    }
}
