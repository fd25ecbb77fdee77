//! Which protocols pass, and does what is under way stay under way? Streams, cancellation, back-pressure and
//! the connections to an instance.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use groundrun_tests::{DEADLINE, Http2, Site, Upstream, UpstreamBody, bytes_body, chunks_body, empty_body};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

fn data(bytes: impl Into<Bytes>) -> std::io::Result<Frame<Bytes>> {
    Ok(Frame::data(bytes.into()))
}

/// The next piece of a body.
async fn next(body: &mut Incoming) -> Bytes {
    let frame = timeout(DEADLINE, body.frame()).await.expect("a piece in time");
    frame.expect("a piece").unwrap().into_data().unwrap()
}

/// Whether nothing more comes than a clean end.
async fn ended(body: Incoming) -> bool {
    timeout(DEADLINE, body.collect()).await.expect("an end in time").unwrap().to_bytes().is_empty()
}

/// Says in which protocol it was called.
async fn version(request: Request<Incoming>) -> Response<UpstreamBody> {
    let said = format!("{:?} {}", request.version(), request.uri());
    Response::new(bytes_body(said))
}

#[tokio::test]
async fn b35_the_name_of_the_port_says_what_the_container_speaks() {
    for (site, path) in [
        (Site::new(Upstream::http(version).await).await, None),
        (Site::h2c(Upstream::http(version).await).await, Some("/a?b")),
    ] {
        for ask in [site.get("/a?b"), site.get("/a?b").http2(Http2)] {
            let said = ask.send().await.expect(200).text();
            match path {
                None => assert_eq!(said, "HTTP/1.1 /a?b"),
                Some(path) => assert_eq!(said, format!("HTTP/2.0 http://{}{path}", site.host)),
            }
        }
    }
}

#[tokio::test]
async fn b35_native_grpc_is_not_downgraded() {
    let site = Site::new(Upstream::http(version).await).await;
    for (kind, spoken) in [
        ("application/grpc", "HTTP/2.0"),
        ("application/grpc+proto", "HTTP/2.0"),
        ("application/grpc-web", "HTTP/1.1"),
    ] {
        let ask = site.ask(Method::POST, "/a.B/C").body(kind, "x").http2(Http2);
        let said = ask.send().await.expect(200).text();
        assert!(said.starts_with(spoken), "{kind}: {said}");
    }
}

/// A gRPC server by hand: echoes every message as it comes, and ends with a status in trailers. `/refuse`
/// has nothing but trailers, in the head.
async fn grpc(request: Request<Incoming>) -> Response<UpstreamBody> {
    let head = Response::builder().header("content-type", "application/grpc");
    if request.uri().path() == "/refuse" {
        return head.header("grpc-status", "7").header("grpc-message", "no").body(empty_body()).unwrap();
    }
    assert_eq!(request.headers()["te"], "trailers");
    let (pieces, body) = chunks_body();
    tokio::spawn(async move {
        let mut sent = request.into_body();
        while let Some(Ok(frame)) = sent.frame().await {
            if let Ok(message) = frame.into_data() {
                pieces.send(data(message)).await.unwrap();
            }
        }
        let status = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
        pieces.send(Ok(Frame::trailers(HeaderMap::from_iter([status])))).await.unwrap();
    });
    head.body(body).unwrap()
}

fn grpc_request(site: &Site, path: &str, body: UpstreamBody) -> Request<UpstreamBody> {
    let mut request = site.request(true, Method::POST, path, body);
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    request
}

#[tokio::test]
async fn b35_grpc_streams_both_ways_and_ends_with_its_status() {
    let upstream = Upstream::http(grpc).await;
    for site in [Site::h2c(upstream.clone()).await, Site::new(upstream).await] {
        let (messages, body) = chunks_body();
        let response = site.begin(true, grpc_request(&site, "/echo", body)).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/grpc");
        let mut answers = response.into_body();
        for message in ["one", "two", "three"] {
            // The next one is not sent before this one was answered: nothing waits for more.
            messages.send(data(message)).await.unwrap();
            assert_eq!(next(&mut answers).await, message);
        }
        drop(messages);
        let trailers = answers.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["grpc-status"], "0");
        // Trailers-Only: the status stands in the head.
        let refused = site.begin(true, grpc_request(&site, "/refuse", empty_body())).await.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["grpc-status"]),
            (200, &"7".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn b35_a_grpc_client_that_is_refused_sees_the_page() {
    let site = Site::with(Upstream::http(grpc).await, |service| {
        service["metadata"]["annotations"] = serde_json::json!({});
    })
    .await;
    let response = site.begin(true, grpc_request(&site, "/echo", empty_body())).await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["content-type"], "text/html; charset=UTF-8");
    assert_eq!(site.upstream.accepted(), 0);
}

#[tokio::test]
async fn b35_an_event_is_seen_before_the_next_is_made() {
    let (asks, waiting) = mpsc::channel::<()>(1);
    let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
    let upstream = Upstream::http(move |_| {
        let waiting = Arc::clone(&waiting);
        async move {
            let (pieces, body) = chunks_body();
            tokio::spawn(async move {
                for event in 0..3 {
                    waiting.lock().await.recv().await;
                    pieces.send(data(format!("data: {event}\n\n"))).await.unwrap();
                }
            });
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
    })
    .await;
    let site = Site::new(upstream).await;
    for is_http2 in [false, true] {
        let request = site.request(is_http2, Method::GET, "/events", empty_body());
        let response = site.begin(is_http2, request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = response.into_body();
        for event in 0..3 {
            asks.send(()).await.unwrap();
            assert_eq!(next(&mut events).await, format!("data: {event}\n\n"));
        }
        assert!(ended(events).await);
    }
}

/// Tells when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_back() {
    let (came, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (arrived, dropped) = (Arc::clone(&came), Arc::clone(&gone));
    let upstream = Upstream::http(move |request: Request<Incoming>| {
        let (arrived, dropped) = (Arc::clone(&arrived), Dropped(Arc::clone(&dropped)));
        async move {
            if request.uri().path() == "/silent" {
                arrived.notify_one();
                std::future::pending::<()>().await;
            }
            let (pieces, body) = chunks_body();
            tokio::spawn(async move {
                let _dropped = dropped;
                while pieces.send(data("more")).await.is_ok() {}
            });
            Response::new(body)
        }
    })
    .await;
    for site in [Site::new(upstream.clone()).await, Site::h2c(upstream.clone()).await] {
        for is_http2 in [false, true] {
            let request = site.request(is_http2, Method::GET, "/silent", empty_body());
            tokio::select! {
                _ = site.begin(is_http2, request) => panic!("there is no response"),
                () = came.notified() => (),
            }
            timeout(DEADLINE, gone.notified()).await.expect("the instance learns it before it answers");
            let request = site.request(is_http2, Method::GET, "/endless", empty_body());
            let mut body = site.begin(is_http2, request).await.unwrap().into_body();
            let _ = next(&mut body).await;
            drop(body);
            timeout(DEADLINE, gone.notified()).await.expect("the instance learns it while it answers");
        }
    }
}

#[tokio::test]
async fn an_instance_that_breaks_off_is_no_clean_end() {
    let upstream = Upstream::http(|_| async {
        let (pieces, body) = chunks_body();
        tokio::spawn(async move {
            pieces.send(data("half")).await.unwrap();
            pieces.send(Err(std::io::Error::other("gone"))).await.unwrap();
        });
        Response::new(body)
    })
    .await;
    for site in [Site::new(upstream.clone()).await, Site::h2c(upstream).await] {
        for is_http2 in [false, true] {
            let request = site.request(is_http2, Method::GET, "/", empty_body());
            let response = site.begin(is_http2, request).await.unwrap();
            assert_eq!(response.status(), 200);
            assert!(response.into_body().collect().await.is_err(), "{is_http2}");
        }
    }
}

#[tokio::test]
async fn who_does_not_read_holds_up_who_sends() {
    const PIECE: usize = 64 << 10;
    const MOST: usize = 24 << 20;
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let upstream = Upstream::http(move |_| {
        let made = Arc::clone(&counter);
        async move {
            let (pieces, body) = chunks_body();
            tokio::spawn(async move {
                while pieces.send(data(vec![b'x'; PIECE])).await.is_ok() {
                    made.fetch_add(PIECE, Ordering::SeqCst);
                }
            });
            Response::new(body)
        }
    })
    .await;
    for site in [Site::new(upstream.clone()).await, Site::h2c(upstream).await] {
        for is_http2 in [false, true] {
            made.store(0, Ordering::SeqCst);
            let request = site.request(is_http2, Method::GET, "/", empty_body());
            let response = site.begin(is_http2, request).await.unwrap();
            // What fits into the buffers on the way is sent, and then no more.
            let too_much = async {
                while made.load(Ordering::SeqCst) < MOST {
                    tokio::task::yield_now().await;
                }
            };
            assert!(timeout(Duration::from_millis(700), too_much).await.is_err(), "{is_http2}");
            drop(response);
        }
    }
}

#[tokio::test]
async fn a_request_body_is_held_up_by_an_instance_that_does_not_read() {
    let upstream = Upstream::http(|request| async move {
        std::future::pending::<()>().await;
        drop(request);
        Response::new(empty_body())
    })
    .await;
    for site in [Site::new(upstream.clone()).await, Site::h2c(upstream).await] {
        for is_http2 in [false, true] {
            let (pieces, body) = chunks_body();
            let request = site.request(is_http2, Method::POST, "/", body);
            let sending = async {
                for _ in 0..480 {
                    pieces.send(data(vec![b'x'; 64 << 10])).await.unwrap();
                }
            };
            tokio::select! {
                _ = site.begin(is_http2, request) => panic!("there is no response"),
                sent = timeout(Duration::from_millis(700), sending) => assert!(sent.is_err(), "{is_http2}"),
            }
        }
    }
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_has_ended() {
    let upstream = Upstream::http(|request: Request<Incoming>| async move {
        let (pieces, body) = chunks_body();
        tokio::spawn(async move {
            let mut sent = request.into_body();
            while let Some(Ok(frame)) = sent.frame().await {
                let echoed = frame.into_data().unwrap();
                pieces.send(data(echoed)).await.unwrap();
            }
        });
        Response::new(body)
    })
    .await;
    for site in [Site::new(upstream.clone()).await, Site::h2c(upstream).await] {
        for is_http2 in [false, true] {
            let (pieces, body) = chunks_body();
            pieces.send(data("ping")).await.unwrap();
            let request = site.request(is_http2, Method::POST, "/", body);
            let mut echoed = site.begin(is_http2, request).await.unwrap().into_body();
            assert_eq!(next(&mut echoed).await, "ping");
            pieces.send(data("pong")).await.unwrap();
            assert_eq!(next(&mut echoed).await, "pong");
            drop(pieces);
            assert!(ended(echoed).await);
        }
    }
}

#[tokio::test]
async fn connections_to_an_instance_are_kept() {
    for is_h2c in [false, true] {
        let upstream = Upstream::http(version).await;
        let site = if is_h2c { Site::h2c(upstream).await } else { Site::new(upstream).await };
        let mut sender = site.http1().await;
        for _ in 0..20 {
            let request = site.request(false, Method::POST, "/", bytes_body("body"));
            let response = sender.send_request(request).await.unwrap();
            let _ = response.into_body().collect().await.unwrap();
            sender.ready().await.unwrap();
        }
        // One that ends just as the next request comes may be missed.
        assert!(site.upstream.accepted() <= 3, "{}", site.upstream.accepted());
    }
}

#[tokio::test]
async fn many_requests_at_once_share_a_connection_of_http2() {
    for (streams, most) in [(200, 2), (5, 60)] {
        let site = Site::h2c(Upstream::with_streams(streams, version).await).await;
        let calls = (0..150).map(|_| tokio::spawn(site.get("/").http2(Http2).send()));
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().must_be(200);
        }
        assert!(site.upstream.accepted() <= most, "{streams}: {}", site.upstream.accepted());
    }
}
