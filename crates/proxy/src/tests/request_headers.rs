//! Which headers does an instance see?

use serde_json::{Value, json};

use super::{World, get, host, public};

#[tokio::test]
async fn what_the_front_end_adds() {
    let answer = public().up().send(get("/")).await;
    assert_eq!(
        answer.json()["request"]["headers"],
        json!({
            "host": host(),
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-proto": "https",
            "forwarded": "for=\"203.0.113.7\";proto=https",
            "x-cloud-trace-context": "00000000000000010000000000000002/3;o=0",
            "traceparent": "00-00000000000000010000000000000002-0000000000000003-00",
        })
    );
}

#[tokio::test]
async fn what_a_client_may_and_may_not_say() {
    let request = get("/")
        .header("x-forwarded-for", "1.1.1.1")
        .header("x-forwarded-for", "2.2.2.2")
        .header("x-forwarded-proto", "http")
        .header("forwarded", "for=1.1.1.1")
        .header("x-own", "a")
        .header("x-own", "b");
    let answer = public().up().send(request).await;
    assert_eq!(answer.echoed("x-forwarded-for"), "1.1.1.1, 2.2.2.2, 203.0.113.7");
    assert_eq!(answer.echoed("x-forwarded-proto"), "https");
    assert_eq!(answer.echoed("forwarded"), "for=\"203.0.113.7\";proto=https");
    assert_eq!(answer.echoed("x-own"), json!(["a", "b"]));
}

#[tokio::test]
async fn a_trace_is_continued() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = get("/").header("traceparent", parent).header("tracestate", "vendor=1");
    let answer = public().up().send(request).await;
    assert_eq!(answer.echoed("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-0000000000000003-01");
    assert_eq!(answer.echoed("x-cloud-trace-context"), "0af7651916cd43dd8448eb211c80319c/3;o=1");
    assert_eq!(answer.echoed("tracestate"), "vendor=1");
    assert_eq!(answer.headers["x-cloud-trace-context"], "0af7651916cd43dd8448eb211c80319c;o=1");
}

#[tokio::test]
async fn the_host_is_the_one_that_the_client_named() {
    let authority = format!("{}:8786", host().replace("hello", "HELLO"));
    let world = World { authority: authority.clone(), ..public().up() };
    assert_eq!(world.send(get("/").header("host", &authority)).await.echoed("host"), authority);
    assert_eq!(world.send(get("/").header("host", "other.example")).await.echoed("host"), authority);
}

#[tokio::test]
async fn what_belongs_to_the_connection_stays_there() {
    let request = get("/")
        .header("connection", "close, X-Mine, te")
        .header("connection", "keep-alive")
        .header("x-mine", "1")
        .header("keep-alive", "timeout=5")
        .header("proxy-connection", "keep-alive")
        .header("proxy-authorization", "Basic x")
        .header("transfer-encoding", "chunked")
        .header("upgrade", "websocket")
        .header("te", "trailers");
    let answer = public().up().send(request).await;
    for name in [
        "connection",
        "x-mine",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "transfer-encoding",
        "upgrade",
    ] {
        assert_eq!(answer.echoed(name), Value::Null, "{name}");
    }
    assert_eq!(answer.echoed("te"), "trailers");
    assert_eq!(public().up().send(get("/").header("te", "gzip")).await.echoed("te"), Value::Null);
}

#[tokio::test]
async fn the_target_is_path_and_query() {
    for (target, path, query) in [
        ("/a/b?c=%41", "/a/b", json!("c=%41")),
        ("/%41%2Fb", "/A%2Fb", Value::Null),
        ("http://hello.example:1/a?b", "/a", json!("b")),
        ("http://hello.example", "/", Value::Null),
        ("*", "*", Value::Null),
    ] {
        let request = public().up().send(get(target)).await.json()["request"].clone();
        assert_eq!((&request["path"], &request["query"]), (&json!(path), &query), "{target}");
    }
}
