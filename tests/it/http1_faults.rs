//! What becomes of a request of HTTP/1.1 when somebody goes away, is too slow, or says what is none?

use crate::http1::{EMPTY, Stage, header, within};

#[tokio::test]
async fn who_goes_away_takes_the_other_one_along() {
    let stage = Stage::set().await;
    // The client, while it waits.
    let mut client = stage.client().await;
    client.say(&stage.request("GET /", "\r\n")).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    drop(client);
    assert_eq!(instance.rest().await, "");
    // The client, while it reads.
    let (client, mut instance, _) =
        stage.after_get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n").await;
    drop(client);
    assert_eq!(instance.rest().await, "");
    // The client, while it sends.
    let mut client = stage.client().await;
    client.say(&stage.request("POST /", "Content-Length: 5\r\n\r\nab")).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    assert_eq!(instance.text(2).await, "ab");
    drop(client);
    assert_eq!(instance.rest().await, "");
    // The instance, in the middle of what it says.
    for begun in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let (mut client, instance, _) = stage.after_get(begun).await;
        drop(instance);
        let rest = client.rest().await;
        assert!(rest.ends_with("ab") || rest.ends_with("ab\r\n"), "a cut and no end: {rest:?}");
    }
}

#[tokio::test]
async fn an_instance_at_fault_is_a_503_and_harms_nobody() {
    let stage = Stage::set().await;
    for broken in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
    ] {
        let mut client = stage.client().await;
        client.say(&stage.request("POST /", "Content-Length: 1\r\n\r\na")).await;
        let mut instance = stage.accept().await;
        instance.head().await;
        instance.say(broken).await;
        drop(instance);
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{broken:?}: {head}");
    }
    let (_, _, head) = stage.after_get(EMPTY).await;
    assert!(head.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_connection_that_the_instance_closed_meanwhile_is_no_fault() {
    let stage = Stage::set().await;
    for line in ["GET /again", "POST /again"] {
        let (mut client, instance, _) = stage.after_get(EMPTY).await;
        drop(instance);
        client.say(&stage.request(line, "\r\n")).await;
        let mut instance = stage.accept().await;
        assert!(instance.head().await.starts_with(line));
        instance.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    }
    // Closed over the request: it is said again if that does no harm, once.
    let (mut client, mut instance, _) = stage.after_get(EMPTY).await;
    client.say(&stage.request("GET /again", "\r\n")).await;
    instance.head().await;
    drop(instance);
    let mut instance = stage.accept().await;
    assert!(instance.head().await.starts_with("GET /again"));
    drop(instance);
    assert!(client.head().await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn the_timeout_is_a_504_before_the_response_and_a_cut_in_it() {
    let stage = Stage::with_timeout(1).await;
    let mut client = stage.client().await;
    client.say(&stage.request("GET /", "\r\n")).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 504 "), "{head}");
    assert_eq!(client.text(24).await, "upstream request timeout");
    assert_eq!(instance.rest().await, "", "nobody waits for it any more");
    // The connection of the client goes on.
    client.say(&stage.request("GET /", "\r\n")).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    instance.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na").await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(client.rest().await, "a");
    assert_eq!(instance.rest().await, "");
}

#[tokio::test]
async fn bad_chunks_are_a_400_and_nothing_of_them_is_passed_on() {
    let stage = Stage::set().await;
    for bad in [
        "0x1\r\na\r\n",
        "+1\r\na\r\n",
        "1 \r\na\r\n",
        "1\na\n",
        "1\r\nab\r\n",
        "11111111111111111\r\n",
        "g\r\n",
        "\r\n",
        "1;a\nb\r\na\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\n\r\n",
    ] {
        let mut client = stage.client().await;
        client.say(&stage.request("POST /", &format!("Transfer-Encoding: chunked\r\n\r\n{bad}"))).await;
        let answer = client.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{bad:?}: {answer}");
    }
    let long = format!("1;{}\r\na\r\n", "x".repeat(300));
    let mut client = stage.client().await;
    client.say(&stage.request("POST /", &format!("Transfer-Encoding: chunked\r\n\r\n{long}"))).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_431() {
    let stage = Stage::set().await;
    let many = (0..101).map(|at| format!("X-{at}: a\r\n")).collect::<String>();
    let large = format!("X-A: {}\r\n", "a".repeat(70_000));
    for rest in [many + "\r\n", large.clone() + "\r\n", large] {
        let mut client = stage.client().await;
        client.say(&stage.request("GET /", &rest)).await;
        let answer = client.rest().await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    let mut client = stage.client().await;
    client.say(&stage.request(&format!("GET /{}", "a".repeat(40_000)), "\r\n")).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 400 "));
}
