//! What do a container and a client see of each other? The request contract, over real connections, each
//! rule in both protocols of the client.
//!
//! The numbers are those of the team's list of 40 behaviours. Told elsewhere: 1 to 25 and 40 in `tokens`,
//! `invoker`, `custom_audiences`, `iam`, `policies` and the access matrix; 26 and 27 in `domain_mappings`,
//! `doors` and the proxy's own tests of its pages; 31 in the proxy's tests of routing; 36 in `traffic`;
//! 39 in `metadata`. Here: 28 to 30 and 32. In `contract_limits`: 33 and 34. In `protocols` and
//! `websockets`: 35. 37 and 38 need instances.

use groundrun_tests::{Answer, Http2, Site, Upstream, UpstreamBody, bytes_body, empty_body, tell};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use serde_json::{Value, json};

/// Sends a GET with these headers in either protocol, and returns what the container saw each time.
async fn told(path: &str, headers: &[(&str, &[u8])]) -> [(Answer, Value); 2] {
    let site = Site::new(Upstream::http(tell).await).await;
    let ask = || headers.iter().fold(site.get(path), |ask, (name, value)| ask.header(name, value));
    let answers = [ask().send().await.expect(200), ask().http2(Http2).send().await.expect(200)];
    answers.map(|answer| (answer.clone(), answer.json()))
}

#[tokio::test]
async fn b29_what_the_front_end_adds() {
    let site = Site::new(Upstream::http(tell).await).await;
    for http2 in [false, true] {
        let ask = if http2 { site.get("/").http2(Http2) } else { site.get("/") };
        let told = ask.send().await.expect(200).json();
        let one = |name: &str| {
            let values = told["headers"][name].as_array().unwrap_or_else(|| panic!("{name}: {told:#}"));
            assert_eq!(values.len(), 1, "{name}");
            values[0].as_str().unwrap().to_owned()
        };
        assert_eq!(one("host"), site.host);
        assert_eq!(one("x-forwarded-for"), "127.0.0.1");
        assert_eq!(one("x-forwarded-proto"), "https");
        assert_eq!(one("forwarded"), "for=\"127.0.0.1\";proto=https");
        let (trace, rest) = one("x-cloud-trace-context").split_once('/').map(own).unwrap();
        let (span, options) = rest.split_once(';').map(own).unwrap();
        assert_eq!((trace.len(), &*options), (32, "o=0"));
        let span: u64 = span.parse().unwrap();
        assert_eq!(one("traceparent"), format!("00-{trace}-{span:016x}-00"));
        assert_eq!(told["version"], "HTTP/1.1");
        // Nothing else: no protocol of the client's connection leaves a trace.
        let names: Vec<&String> = told["headers"].as_object().unwrap().keys().collect();
        assert_eq!(names.len(), 6, "{names:?}");
    }
}

fn own((left, right): (&str, &str)) -> (String, String) {
    (left.to_owned(), right.to_owned())
}

#[tokio::test]
async fn b29_x_forwarded_for_is_appended_to_and_the_others_are_replaced() {
    let sent: &[(&str, &[u8])] = &[
        ("x-forwarded-for", b"1.1.1.1"),
        ("X-Forwarded-For", b"2.2.2.2, 3.3.3.3"),
        ("x-forwarded-proto", b"http"),
        ("forwarded", b"for=1.1.1.1"),
    ];
    for (_, seen) in told("/", sent).await {
        assert_eq!(seen["headers"]["x-forwarded-for"], json!(["1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1"]));
        assert_eq!(seen["headers"]["x-forwarded-proto"], json!(["https"]));
        assert_eq!(seen["headers"]["forwarded"], json!(["for=\"127.0.0.1\";proto=https"]));
    }
}

#[tokio::test]
async fn b30_a_trace_is_continued_with_a_new_span() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let sent: &[(&str, &[u8])] = &[("traceparent", parent.as_bytes()), ("tracestate", b"vendor=1,other=2")];
    for (answer, seen) in told("/", sent).await {
        let continued = seen["headers"]["traceparent"][0].as_str().unwrap();
        assert!(continued.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && continued.ends_with("-01"));
        assert_ne!(continued, parent);
        assert_eq!(seen["headers"]["tracestate"], json!(["vendor=1,other=2"]));
        assert_eq!(answer.header("x-cloud-trace-context"), Some("0af7651916cd43dd8448eb211c80319c;o=1"));
    }
    let cloud: &[(&str, &[u8])] = &[("x-cloud-trace-context", b"0af7651916cd43dd8448eb211c80319c/7;o=1")];
    for (_, seen) in told("/", cloud).await {
        let continued = seen["headers"]["x-cloud-trace-context"][0].as_str().unwrap();
        assert!(continued.starts_with("0af7651916cd43dd8448eb211c80319c/") && continued.ends_with(";o=1"));
    }
}

#[tokio::test]
async fn headers_of_the_user_arrive_byte_for_byte_and_in_their_order() {
    let sent: &[(&str, &[u8])] = &[
        ("X-Own", b"first"),
        ("x-other", b"between"),
        ("x-own", b"second, with comma"),
        ("x-latin", b"caf\xe9"),
        ("x-utf8", "\u{20ac}".as_bytes()),
        ("x-empty", b""),
        ("user-agent", b"story/1 (\"quoted\")"),
        ("authorization", b"Basic dXNlcjpwYXNz"),
        ("cookie", b"a=1; b=2"),
    ];
    for (_, seen) in told("/", sent).await {
        let headers = &seen["headers"];
        assert_eq!(headers["x-own"], json!(["first", "second, with comma"]));
        assert_eq!(headers["x-latin"], json!(["caf\u{e9}"]));
        assert_eq!(headers["x-utf8"], json!(["\u{e2}\u{82}\u{ac}"]));
        assert_eq!(headers["x-empty"], json!([""]));
        assert_eq!(headers["user-agent"], json!(["story/1 (\"quoted\")"]));
        assert_eq!(headers["authorization"], json!(["Basic dXNlcjpwYXNz"]));
        assert_eq!(headers["cookie"], json!(["a=1; b=2"]));
    }
}

#[tokio::test]
async fn what_belongs_to_the_connection_of_the_client_stays_there() {
    let site = Site::new(Upstream::http(tell).await).await;
    let ask = site.get("/").header("connection", "close, X-Mine").header("x-mine", "1");
    let ask = ask.header("keep-alive", "timeout=5").header("proxy-authorization", "Basic x");
    let ask = ask.header("proxy-connection", "keep-alive").header("upgrade", "h2c");
    let told = ask.header("te", "trailers").send().await.expect(200).json();
    for name in
        ["connection", "x-mine", "keep-alive", "proxy-authorization", "proxy-connection", "upgrade", "expect"]
    {
        assert_eq!(told["headers"][name], Value::Null, "{name}");
    }
    assert_eq!(told["headers"]["te"], json!(["trailers"]));
}

#[tokio::test]
async fn the_path_is_decoded_where_it_need_not_be_escaped_and_the_query_is_not_touched() {
    for (path, target) in [
        ("/%41%2Fb%7e?q=%41&r=a+b", "/A%2Fb~?q=%41&r=a+b"),
        ("//a//b/", "//a//b/"),
        ("/a/../b/./c", "/a/../b/./c"),
        ("/%2e%2E/x", "/%2e%2E/x"),
        ("/a?", "/a?"),
        ("/a?b=c?d=//e", "/a?b=c?d=//e"),
        ("/healthz/", "/healthz/"),
    ] {
        for (_, seen) in told(path, &[]).await {
            assert_eq!(seen["target"], target, "{path}");
        }
    }
}

#[tokio::test]
async fn targets_in_other_forms() {
    let site = Site::new(Upstream::http(tell).await).await;
    let host = &site.host;
    for (line, seen) in [
        ("OPTIONS *".to_owned(), "*"),
        (format!("GET http://{host}/a?b"), "/a?b"),
        (format!("GET http://{host}"), "/"),
    ] {
        let raw = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = site.world.raw(raw.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{line}: {answer}");
        assert!(answer.contains(&format!("\"target\":\"{seen}\"")), "{line}: {answer}");
    }
}

/// Says what it is told by its path.
async fn odd_responses(request: Request<Incoming>) -> Response<UpstreamBody> {
    let response = Response::builder();
    match request.uri().path() {
        "/cookie" => response
            .header("set-cookie", "a=1")
            .header("set-cookie", "b=2")
            .header("cache-control", "public, max-age=60")
            .body(empty_body()),
        "/own" => response
            .header("server", "app/1.0")
            .header("date", "Mon, 01 Jan 2024 00:00:00 GMT")
            .header("x-own", "1")
            .header("x-own", "2")
            .header("x-latin", HeaderValue::from_bytes(b"caf\xe9").unwrap())
            .header("cache-control", "public, max-age=60")
            .header("connection", "x-hop")
            .header("x-hop", "1")
            .header("keep-alive", "timeout=5")
            .status(418)
            .body(bytes_body("short and stout")),
        "/empty" => response.status(204).body(empty_body()),
        "/cached" => response.status(304).header("etag", "\"1\"").body(empty_body()),
        _ => response.header("content-length", "1234").body(empty_body()),
    }
    .unwrap()
}

#[tokio::test]
async fn b32_a_response_with_a_cookie_is_private() {
    let site = Site::new(Upstream::http(odd_responses).await).await;
    for ask in [site.get("/cookie"), site.get("/cookie").http2(Http2)] {
        let answer = ask.send().await.expect(200);
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        let cached: Vec<_> = answer.headers.get_all("cache-control").iter().collect();
        assert_eq!(cached, ["private"]);
    }
}

#[tokio::test]
async fn the_front_end_signs_a_response_and_else_leaves_it_alone() {
    let site = Site::new(Upstream::http(odd_responses).await).await;
    for ask in [site.get("/own"), site.get("/own").http2(Http2)] {
        let answer = ask.send().await.expect(418);
        let all = |name: &str| -> Vec<Vec<u8>> {
            answer.headers.get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect()
        };
        assert_eq!(all("server"), [b"Google Frontend"]);
        assert_eq!(all("date"), [b"Mon, 01 Jan 2024 00:00:00 GMT"]);
        assert_eq!(all("x-own"), [b"1", b"2"]);
        assert_eq!(all("x-latin"), [b"caf\xe9"]);
        assert_eq!(all("cache-control"), [b"public, max-age=60"]);
        assert_eq!(all("x-cloud-trace-context").len(), 1);
        for name in ["connection", "x-hop", "keep-alive", "alt-svc", "via"] {
            assert_eq!(all(name), Vec::<Vec<u8>>::new(), "{name}");
        }
        assert_eq!(answer.text(), "short and stout");
    }
    for (path, status) in [("/empty", 204), ("/cached", 304)] {
        for ask in [site.get(path), site.get(path).http2(Http2)] {
            let answer = ask.send().await.expect(status);
            assert_eq!((answer.text().as_str(), answer.header("content-length")), ("", None), "{path}");
            assert_eq!(answer.headers.get_all("date").iter().count(), 1);
        }
    }
}

#[tokio::test]
async fn a_head_has_the_length_and_no_body() {
    let site = Site::new(Upstream::http(odd_responses).await).await;
    for ask in [site.ask(Method::HEAD, "/"), site.ask(Method::HEAD, "/").http2(Http2)] {
        let answer = ask.send().await.expect(200);
        assert_eq!((answer.header("content-length"), answer.text().as_str()), (Some("1234"), ""));
    }
    // Over one connection: what comes next is not taken for a body.
    let before = site.upstream.accepted();
    let mut sender = site.http1().await;
    for _ in 0..3 {
        let request = site.request(false, Method::HEAD, "/", empty_body());
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.headers()["content-length"], "1234");
        sender.ready().await.unwrap();
    }
    assert_eq!(site.upstream.accepted(), before);
}

#[tokio::test]
async fn b27_b28_what_never_reaches_a_container() {
    let site = Site::with(Upstream::http(tell).await, |service| {
        service["metadata"]["annotations"] = json!({});
    })
    .await;
    let preflight = site.ask(Method::OPTIONS, "/a").header("origin", "https://app.example");
    let preflight = preflight.header("access-control-request-method", "GET");
    for ask in [preflight.clone(), preflight.http2(Http2)] {
        let answer = ask.send().await.expect(403);
        assert!(answer.text().contains("<code>/a</code>"), "{}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    for (method, path, status) in [
        (Method::GET, "/healthz", 404),
        (Method::GET, "/eventlog", 404),
        (Method::GET, "/_ah/x", 404),
        (Method::TRACE, "/", 405),
    ] {
        site.ask(method.clone(), path).send().await.must_be(status);
        site.ask(method, path).http2(Http2).send().await.must_be(status);
    }
    assert_eq!(site.upstream.accepted(), 0);
}

#[tokio::test]
async fn who_expects_a_100_gets_it_once_the_request_was_let_through() {
    let site = Site::new(Upstream::http(tell).await).await;
    let head = |host: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nExpect: 100-continue\r\n\
             Content-Length: 5\r\n\r\n"
        )
    };
    let answer = site.world.raw(format!("{}12345", head(&site.host)).as_bytes()).await;
    let (first, second) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(first, "HTTP/1.1 100 Continue");
    assert!(second.starts_with("HTTP/1.1 200 OK") && second.contains("\"bytes\":5"), "{second}");
    assert!(!second.contains("100-continue"), "the container has nothing left to decide: {second}");
    // Nobody is asked for a body that nobody wants.
    let refused = head("nobody-abcdefghij-uc.a.run.app");
    let answer = site.world.raw(refused.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found"), "{answer}");
}
