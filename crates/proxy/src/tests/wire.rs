//! Does what the data plane answers survive a real HTTP server?

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::DuplexStream;

use super::{host, private, public};
use crate::{Arrival, DataPlane, Scheme};
use groundrun_model::routing::Origin;

/// The client's end of a connection to a server of this data plane.
fn connect(plane: DataPlane) -> TokioIo<DuplexStream> {
    let (client, server) = tokio::io::duplex(1 << 16);
    let service = service_fn(move |request| {
        let plane = plane.clone();
        async move {
            let authority = host();
            let peer = "203.0.113.7:50000".parse().unwrap();
            let (scheme, origin) = (Scheme::Http, Origin::External);
            let arrival = Arrival { authority: &authority, peer, scheme, origin };
            Ok::<_, Infallible>(plane.handle(request, arrival).await)
        }
    });
    tokio::spawn(async move {
        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(server), service).await
    });
    TokioIo::new(client)
}

type Answer = (StatusCode, HeaderMap, Bytes);

async fn send(plane: DataPlane, is_http2: bool, request: Request<Full<Bytes>>) -> Answer {
    let response = if is_http2 {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), connect(plane)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await
    } else {
        let (mut sender, connection) = http1::handshake(connect(plane)).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await
    };
    let (head, body) = response.unwrap().into_parts();
    (head.status, head.headers, body.collect().await.unwrap().to_bytes())
}

fn request(method: &str, is_http2: bool, body: &'static str) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method);
    let request = if is_http2 {
        request.uri(format!("http://{}/a", host()))
    } else {
        request.uri("/a").header("host", host())
    };
    request.body(Full::from(body)).unwrap()
}

#[tokio::test]
async fn a_head_keeps_the_length_and_every_answer_has_a_date() {
    for (service, status) in [(public as fn() -> _, 200), (private, 403)] {
        for is_http2 in [false, true] {
            let (got, headers, body) =
                send(service().up().plane, is_http2, request("HEAD", is_http2, "")).await;
            assert_eq!((got.as_u16(), &*body), (status, &b""[..]));
            assert_ne!(headers["content-length"], "0");
            assert_eq!(headers["server"], "Google Frontend");
            for name in ["date", "content-length", "server"] {
                assert_eq!(headers.get_all(name).iter().count(), 1, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_is_counted_and_a_host_is_there_over_either_protocol() {
    for is_http2 in [false, true] {
        let (status, headers, body) =
            send(public().up().plane, is_http2, request("POST", is_http2, "12345")).await;
        assert_eq!(
            (status.as_u16(), headers["content-length"].to_str().unwrap()),
            (200, &*body.len().to_string())
        );
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&json["request"]["bodyBytes"], &json["request"]["path"]), (&5.into(), &"/a".into()));
        assert_eq!(json["request"]["headers"]["host"], host());
    }
}
