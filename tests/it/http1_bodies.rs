//! Do bodies of HTTP/1.1 get through whole, in either direction and both at once?

use tokio::io::AsyncWriteExt as _;

use crate::http1::{EMPTY, End, Stage, header, within};

#[tokio::test]
async fn responses_without_a_body_end_with_their_head() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    let mut instance = None;
    for (line, answer, length) in [
        ("HEAD /", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", Some("1000")),
        ("HEAD /", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", None),
        ("GET /", "HTTP/1.1 204 No Content\r\n\r\n", None),
        ("GET /", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", None),
        ("GET /", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Some("0")),
    ] {
        client.say(&stage.request(line, "\r\n")).await;
        if instance.is_none() {
            instance = Some(stage.accept().await);
        }
        let instance = instance.as_mut().unwrap();
        instance.head().await;
        instance.say(answer).await;
        let head = client.head().await;
        assert_eq!(header(&head, "content-length"), length, "{line} {answer}");
    }
}

#[tokio::test]
async fn what_is_said_in_advance_is_dropped_and_a_100_is_said_here() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    client.say(&stage.request("PUT /", "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")).await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.say("ab").await;
    let mut instance = stage.accept().await;
    assert_eq!(header(&instance.head().await, "expect"), None);
    assert_eq!(instance.text(2).await, "ab");
    instance.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").await;
    instance.say(EMPTY).await;
    assert!(client.head().await.starts_with("HTTP/1.1 200 "));
    // Who asks for nothing is told nothing of another protocol.
    client.say(&stage.request("GET /", "\r\n")).await;
    instance.head().await;
    instance.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn trailers_go_through_but_for_those_that_may_not_be_any() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    let announced = "Trailer: x-sum, Host, Content-Length, Authorization\r\n";
    let body = "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nHost: evil.test\r\nContent-Length: 9\r\nAuthorization: x\r\nX-Unknown: 1\r\n\r\n";
    client.say(&stage.request("POST /", &format!("{announced}{body}"))).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    assert_eq!(instance.until("0\r\n").await, "1\r\na\r\n0\r\n");
    assert_eq!(instance.head().await, "X-Sum: 1\r\n\r\n");
    let head = "HTTP/1.1 200 OK\r\nTrailer: grpc-status\r\nTransfer-Encoding: chunked\r\n\r\n";
    instance.say(&format!("{head}0\r\ngrpc-status: 0\r\nx-unknown: 1\r\n\r\n")).await;
    assert_eq!(header(&client.head().await, "transfer-encoding"), Some("chunked"));
    assert_eq!(client.head().await, "0\r\ngrpc-status: 0\r\n\r\n");
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_sent_in_chunks() {
    let stage = Stage::set().await;
    let (mut client, mut instance, head) = stage.after_get("HTTP/1.0 200 OK\r\n\r\n").await;
    assert_eq!(header(&head, "transfer-encoding"), Some("chunked"));
    instance.say("abc").await;
    assert_eq!(client.until("abc\r\n").await, "3\r\nabc\r\n");
    drop(instance);
    assert_eq!(client.head().await, "0\r\n\r\n");
    client.say(&stage.request("GET /", "\r\n")).await;
    stage.accept().await.head().await;
}

/// A pattern in which no piece is like the one next to it.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at / 7 + at / 4096) as u8).collect()
}

#[tokio::test]
async fn large_bodies_go_both_ways_whole() {
    const SIZE: usize = 12 << 20;
    let stage = Stage::set().await;
    let data = pattern(SIZE);
    let mut client = stage.client().await;
    client.say(&stage.request("POST /", &format!("Content-Length: {SIZE}\r\n\r\n"))).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    let (sent, got) = tokio::join!(client.stream.write_all(&data), instance.bytes(SIZE));
    sent.unwrap();
    assert!(got == data);
    instance.say(&format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")).await;
    client.head().await;
    let (sent, got) = tokio::join!(instance.stream.write_all(&data), client.bytes(SIZE));
    sent.unwrap();
    assert!(got == data);
    // And in chunks.
    client.say(&stage.request("GET /", "\r\n")).await;
    instance.head().await;
    instance.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let mut chunks = Vec::new();
    for chunk in data.chunks(300_000) {
        chunks.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        chunks.extend(chunk);
        chunks.extend(b"\r\n");
    }
    chunks.extend(b"0\r\n\r\n");
    client.head().await;
    let read = async {
        let mut got = Vec::new();
        loop {
            let line = client.until_line().await;
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            got.extend(client.bytes(size).await);
            client.bytes(2).await;
            if size == 0 {
                return got;
            }
        }
    };
    let (sent, got) = tokio::join!(instance.stream.write_all(&chunks), read);
    sent.unwrap();
    assert!(got == data);
}

impl End {
    async fn until_line(&mut self) -> String {
        while !self.ahead.contains(&b'\n') {
            assert!(self.read().await);
        }
        let end = self.ahead.iter().position(|byte| *byte == b'\n').unwrap();
        let rest = self.ahead.split_off(end + 1);
        String::from_utf8(std::mem::replace(&mut self.ahead, rest)).unwrap()
    }
}

#[tokio::test]
async fn a_response_may_come_before_the_request_is_through() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    client.say(&stage.request("POST /", "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    assert_eq!(instance.text(6).await, "1\r\na\r\n");
    instance.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").await;
    let head = client.head().await;
    assert_eq!(header(&head, "connection"), Some("close"));
    assert_eq!(client.text(6).await, "1\r\nx\r\n");
    client.say("1\r\nb\r\n").await;
    assert_eq!(instance.text(6).await, "1\r\nb\r\n");
    client.say("0\r\n\r\n").await;
    assert_eq!(instance.text(5).await, "0\r\n\r\n");
    instance.say("0\r\n\r\n").await;
    assert_eq!(client.rest().await, "0\r\n\r\n");
    // One that wants no more of it, over the same connection.
    let mut client = stage.client().await;
    client.say(&stage.request("POST /", "Content-Length: 20000000\r\n\r\n")).await;
    instance.head().await;
    instance.say("HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno").await;
    drop(instance);
    let data = pattern(20_000_000);
    // It may be cut while it sends, once the answer is there.
    let _ = within(client.stream.write_all(&data[..1_000_000])).await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 403 No\r\n") && answer.ends_with("no"), "{answer}");
}

#[tokio::test]
async fn more_than_32_mib_are_refused_also_in_chunks() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    client.say(&stage.request("POST /", "Content-Length: 33554433\r\n\r\n")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    assert_eq!(header(&head, "connection"), Some("close"));
    let mut client = stage.client().await;
    client.say(&stage.request("POST /", "Transfer-Encoding: chunked\r\n\r\n")).await;
    let mut instance = stage.accept().await;
    instance.head().await;
    let drain = tokio::spawn(async move {
        while instance.read().await {
            instance.ahead.clear();
        }
    });
    let mut chunk = b"100000\r\n".to_vec();
    chunk.resize(chunk.len() + (1 << 20), b'x');
    chunk.extend(b"\r\n");
    for _ in 0..33 {
        if client.stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    within(drain).await.unwrap();
}
