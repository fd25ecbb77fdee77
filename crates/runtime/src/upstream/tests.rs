//! When is a connection kept, and how long is one waited for?

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::answer::Answer;
use super::{Leased, connect, http1, outgoing};
use crate::backend::RespondError;

/// A listener, and a pool of connections to it.
async fn pool() -> (TcpListener, Arc<http1::Pool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    (listener, Arc::new(http1::Pool::new(&authority)))
}

fn get() -> Request<outgoing::Sent> {
    Request::get("/").header("host", "hello.example").body(outgoing::empty()).unwrap()
}

/// Reads the head of a request, and answers with these bytes.
async fn answer(stream: &mut TcpStream, bytes: &str) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(bytes.as_bytes()).await.unwrap();
}

fn body((response, lease): Leased) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(20);
    Response::into_body(response.map(|incoming| Answer::new(incoming, lease, deadline)))
}

#[tokio::test]
async fn a_connection_is_kept_once_its_response_has_ended() {
    let (listener, pool) = pool().await;
    let server = async {
        let mut stream = listener.accept().await.unwrap().0;
        answer(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab").await;
        stream
    };
    let (mut stream, leased) = tokio::join!(server, pool.send(get()));
    let mut body = body(leased.unwrap());
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ab");
    assert_eq!(pool.idle(), 0, "half of the response is still to come");
    stream.write_all(b"cd").await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "cd");
    assert_eq!(pool.idle(), 1);
}

#[tokio::test]
async fn a_connection_with_a_response_that_nobody_read_is_closed() {
    let (listener, pool) = pool().await;
    let server = async {
        let mut stream = listener.accept().await.unwrap().0;
        answer(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab").await;
        stream
    };
    let (mut stream, leased) = tokio::join!(server, pool.send(get()));
    drop(body(leased.unwrap()));
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or_default(), 0, "the connection ends");
    assert_eq!(pool.idle(), 0);
}

#[tokio::test]
async fn an_instance_that_does_not_listen_yet_is_waited_for() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let authority = address.to_string();
    let refused = connect::open(&authority, Duration::ZERO).await.unwrap_err();
    assert!(matches!(refused, RespondError::Unreachable { .. }), "{refused}");
    let waiting = tokio::spawn(async move { connect::open(&authority, Duration::from_secs(20)).await });
    tokio::task::yield_now().await;
    let listener = TcpListener::bind(address).await.unwrap();
    let (accepted, opened) = tokio::join!(listener.accept(), waiting);
    assert_eq!(accepted.unwrap().1, opened.unwrap().unwrap().local_addr().unwrap());
}
