//! What does a client see of the response, and what of a body that is cut?

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use groundrun_model::request::TraceContext;
use groundrun_runtime::BoxError;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use hyper::body::Frame;

use super::{get, public};
use crate::headers;

#[tokio::test]
async fn the_front_end_signs_the_response() {
    let answer = public().up().send(get("/")).await;
    assert_eq!(answer.headers["server"], "Google Frontend");
    assert_eq!(answer.headers["x-cloud-trace-context"], "00000000000000010000000000000002;o=0");
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn head_is_answered_like_get() {
    let answer = public().up().send(Request::head("/")).await;
    assert_eq!((answer.status.as_u16(), &*answer.text), (200, ""));
    assert_ne!(answer.headers["content-length"], "0");
}

#[test]
fn a_response_with_a_cookie_is_private() {
    let trace = TraceContext::new(None, None, 1, 1);
    for (cookie, expected) in [(None, "public, max-age=60"), (Some("a=b"), "private")] {
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", HeaderValue::from_static("public, max-age=60"));
        headers.insert("server", HeaderValue::from_static("app/1.0"));
        headers.insert("connection", HeaderValue::from_static("close"));
        if let Some(cookie) = cookie {
            headers.insert("set-cookie", HeaderValue::from_static(cookie));
        }
        headers::for_client(StatusCode::OK, &mut headers, &trace);
        assert_eq!(headers["cache-control"], expected);
        assert_eq!(headers["server"], "Google Frontend");
        assert!(!headers.contains_key("connection"));
    }
}

/// A body that does not announce how much it is: this many MiB, and then perhaps an error.
struct Chunks {
    left: u32,
    breaks: bool,
}

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        static MIB: [u8; 1 << 20] = [0; 1 << 20];
        if self.left > 0 {
            self.left -= 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&MIB)))));
        }
        let breaks = std::mem::take(&mut self.breaks);
        Poll::Ready(breaks.then(|| Err("gone".into())))
    }
}

#[tokio::test]
async fn a_chunked_body_is_cut_at_the_limit() {
    for (version, mib, breaks, expected) in [
        (Version::HTTP_11, 32, false, 200),
        (Version::HTTP_11, 33, false, 413),
        (Version::HTTP_2, 33, false, 413),
        (Version::HTTP_11, 1, true, 400),
    ] {
        let body = Chunks { left: mib, breaks };
        let request = Request::post("/").version(version).body(body).unwrap();
        let answer = public().up().send_body(request).await;
        assert_eq!(answer.status.as_u16(), expected, "{version:?} {mib}");
        if expected == 200 {
            assert_eq!(answer.json()["request"]["bodyBytes"], mib << 20);
        }
    }
}
