//! What exactly does a rejected client see?

use http::{Method, Request};
use http_body_util::BodyExt as _;

use super::{Answer, World, get, private, public};
use crate::EXPLAIN_HEADER;
use crate::reject::Rejection;
use groundrun_model::failure::Failure;
use groundrun_model::routing::{Ingress, Origin};

const NOT_FOUND: &str = "<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>404 Page not found</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Page not found</h1>\n<h2>The requested URL was not found on this server.</h2>\n<h2></h2>\n</body></html>";
const FORBIDDEN: &str = "<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>403 Forbidden</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Forbidden</h1>\n<h2>Your client does not have permission to get URL <code>/a/b</code> from this server.</h2>\n<h2></h2>\n</body></html>";
const UNAUTHORIZED: &str = "<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>401 Unauthorized</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Unauthorized</h1>\n<h2>Your client does not have permission to the requested URL <code>/a/b</code>.</h2>\n<h2></h2>\n</body></html>";
const TOO_LARGE: &str = "<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>413 Request Entity Too Large</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Request Entity Too Large</h1>\n<h2>Your client issued a request that was too large.</h2>\n<h2></h2>\n</body></html>";

/// Checks a page and the headers that every page has; `more` names those that only some have.
fn check(answer: &Answer, status: u16, page: &str, more: &[&str]) {
    assert_eq!((answer.status.as_u16(), &*answer.text), (status, page));
    assert_eq!(answer.headers["content-type"], "text/html; charset=UTF-8");
    assert_eq!(answer.headers["content-length"], page.len().to_string().as_str());
    let mut names: Vec<&str> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let mut expected = [&["content-length", "content-type"], more].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
    if more.contains(&"server") {
        assert_eq!(answer.headers["server"], "Google Frontend");
    }
}

#[tokio::test]
async fn no_credential_and_no_role() {
    let world = private().up();
    check(&world.send(get("/a/b?secret=1")).await, 403, FORBIDDEN, &["server"]);
    let token = world.bearer("stranger@example.com", "aud1").await;
    check(&world.send(get("/a/b").header("authorization", token)).await, 403, FORBIDDEN, &["server"]);
}

#[tokio::test]
async fn a_bad_credential_is_challenged() {
    let answer = private().up().send(get("/a/b?secret=1").header("authorization", "Bearer x")).await;
    check(&answer, 401, UNAUTHORIZED, &["server", "www-authenticate"]);
    assert_eq!(
        answer.headers["www-authenticate"],
        "Bearer error=\"invalid_token\" error_description=\"The access token could not be verified\""
    );
}

#[tokio::test]
async fn a_host_that_is_not_there() {
    let world = World { authority: "nobody-abcdefghij-uc.a.run.app".to_owned(), ..public().up() };
    check(&world.send(get("/")).await, 404, NOT_FOUND, &["server"]);
}

#[tokio::test]
async fn a_reserved_path_has_no_server_header() {
    for path in ["/healthz", "/healthz?x", "/eventlog", "/_ah/warmup", "/%68ealthz"] {
        // It stands before authentication.
        for service in [public(), private()] {
            check(&service.up().send(get(path)).await, 404, NOT_FOUND, &[]);
        }
    }
    for path in ["/healthz/", "/HEALTHZ", "/readyz"] {
        assert_eq!(public().up().send(get(path)).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_service_that_hides() {
    let mut internal = public();
    internal.ingress = Ingress::Internal;
    let outside = internal.up();
    check(&outside.send(get("/")).await, 404, NOT_FOUND, &["server"]);
    let inside = World { origin: Origin::Internal, ..outside };
    assert_eq!(inside.send(get("/")).await.status, 200);
    let mut disabled = public();
    disabled.default_url_disabled = true;
    check(&disabled.up().send(get("/")).await, 404, NOT_FOUND, &["server"]);
}

#[tokio::test]
async fn methods_that_never_reach_a_service() {
    for method in [Method::TRACE, Method::CONNECT] {
        let answer = public().up().send(Request::builder().method(&method).uri("/")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["server"]),
            (405, &"Google Frontend".parse().unwrap())
        );
        assert!(answer.text.contains("<title>405 Method Not Allowed</title>"), "{}", answer.text);
    }
}

#[tokio::test]
async fn no_revision_that_serves() {
    let mut service = public();
    service.split = Vec::new();
    let answer = service.up().send(get("/")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains("<title>503 Service Unavailable</title>"), "{}", answer.text);
}

#[tokio::test]
async fn a_body_that_announces_too_much() {
    let limit = 32 * 1024 * 1024;
    let request = |version, length: u64| get("/a/b").version(version).header("content-length", length);
    let world = public().up();
    check(&world.send(request(http::Version::HTTP_11, limit + 1)).await, 413, TOO_LARGE, &["server"]);
    assert_eq!(world.send(request(http::Version::HTTP_11, limit)).await.status, 200);
    // The limit is that of an HTTP/1 server, whatever the client speaks; native gRPC is not downgraded.
    check(&world.send(request(http::Version::HTTP_2, limit + 1)).await, 413, TOO_LARGE, &["server"]);
    let grpc = request(http::Version::HTTP_2, limit + 1).header("content-type", "application/grpc");
    assert_eq!(world.send(grpc).await.status, 200);
    let answer = private().up().send(request(http::Version::HTTP_11, limit + 1)).await;
    check(&answer, 403, FORBIDDEN, &["server"]);
}

#[tokio::test]
async fn a_head_gets_the_headers_only() {
    let world = private().up();
    let head = world.send(Request::head("/a/b")).await;
    assert_eq!((head.status.as_u16(), &*head.text), (403, ""));
    assert_eq!(head.headers, world.send(get("/a/b")).await.headers);
}

#[tokio::test]
async fn the_path_is_shown_as_text() {
    let answer = private().up().send(get("/a&b\"c'd%3Cscript%3E\u{e4}")).await;
    let shown = "<code>/a&amp;b&quot;c&#39;d%3Cscript%3E\u{e4}</code>";
    assert!(answer.text.contains(shown), "{}", answer.text);
    assert_eq!(answer.headers["content-length"], answer.text.len().to_string().as_str());
}

#[tokio::test]
async fn an_instance_that_gives_no_response() {
    const START: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";
    let at_limit = |at_limit| Failure::NoInstance { at_limit };
    for (failure, status, text) in [
        (Failure::TimedOut, 504, Some("upstream request timeout".to_owned())),
        (at_limit(true), 429, Some("Rate exceeded.".to_owned())),
        (Failure::Unreachable, 503, Some(format!("{START}connection failure"))),
        (Failure::BrokenOff, 503, Some(format!("{START}connection termination"))),
        (Failure::Malformed, 503, Some(format!("{START}protocol error"))),
        (at_limit(false), 500, None),
        (Failure::NotStarted, 500, None),
        (Failure::ResponseTooLarge, 500, None),
    ] {
        let instance = super::revision("hello-00001-abc");
        let rejection = Rejection::Instance { instance, failure, problem: "why".to_owned() };
        let (head, body) = rejection.respond(&Method::GET, "/", true).into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(head.status.as_u16(), status);
        assert!(head.headers[EXPLAIN_HEADER].to_str().unwrap().starts_with("why"));
        assert_eq!(head.headers["server"], "Google Frontend");
        assert_eq!(head.headers["content-length"], body.len().to_string().as_str());
        match text {
            Some(text) => {
                assert_eq!(head.headers["content-type"], "text/plain");
                assert_eq!(body, text);
            }
            None => {
                assert_eq!(head.headers["content-type"], "text/html; charset=UTF-8");
                let page = String::from_utf8_lossy(&body);
                assert!(page.contains("<title>500 Server Error</title>"), "{page}");
            }
        }
    }
}
