//! Which headers does a container see, and which paths and bodies never reach one?

use proptest::prelude::*;

use super::*;

#[test]
fn reserved_paths_are_exact() {
    for path in ["/healthz", "/eventlog", "/_ah/", "/_ah/warmup"] {
        assert!(is_reserved_path(path), "{path}");
    }
    for path in
        ["/", "/healthz/", "/HEALTHZ", "/healthzz", "/readyz", "/eventlog/", "/_ah", "/x/_ah/", "/a/healthz"]
    {
        assert!(!is_reserved_path(path), "{path}");
    }
}

#[test]
fn trace_and_connect_are_refused() {
    assert!(is_refused_method("TRACE") && is_refused_method("CONNECT"));
    assert!(!["GET", "OPTIONS", "trace", "PURGE"].into_iter().any(is_refused_method));
}

#[test]
fn only_http1_servers_have_a_limit() {
    assert_eq!((body_limit(Protocol::Http1), body_limit(Protocol::H2c)), (Some(33_554_432), None));
}

#[test]
fn only_a_websocket_is_upgraded() {
    let is = |method, connection: &[&str], upgrade: &[&str]| {
        let bytes = |list: &[&str]| list.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>();
        let (connection, upgrade) = (bytes(connection), bytes(upgrade));
        is_websocket(method, connection.iter().map(Vec::as_slice), upgrade.iter().map(Vec::as_slice))
    };
    assert!(is("GET", &["Upgrade"], &["websocket"]));
    assert!(is("GET", &["keep-alive, UPGRADE"], &["WebSocket"]));
    assert!(is("GET", &["keep-alive", "upgrade"], &["h2c", "foo, websocket"]));
    assert!(!is("POST", &["Upgrade"], &["websocket"]));
    assert!(!is("GET", &["keep-alive"], &["websocket"]));
    assert!(!is("GET", &["Upgrade"], &["h2c"]));
    assert!(!is("GET", &["Upgrade"], &["websocket2"]));
    assert!(!is("GET", &[], &[]));
}

#[test]
fn signatures_are_replaced() {
    let stripped =
        |value: &str| without_signatures(value.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
    let marked = |text: &str| Some(text.replace('#', SIGNATURE_REMOVED));
    assert_eq!(stripped("Bearer a.b.c"), marked("Bearer a.b.#"));
    assert_eq!(stripped("bearer  a.b.c "), marked("bearer  a.b.# "));
    assert_eq!(stripped("a.b.c"), marked("a.b.#"));
    assert_eq!(stripped("Bearer a.b."), marked("Bearer a.b.#"));
    assert_eq!(stripped("Bearer a.b.c, Bearer d.e.f"), marked("Bearer a.b.#, Bearer d.e.#"));
    assert_eq!(stripped("Bearer a.b.c\td.e.f"), marked("Bearer a.b.#\td.e.#"));
    for plain in ["", "Basic dXNlcjpwYXNz", "Bearer ya29.token", "Bearer a.b.c.d", "Bearer"] {
        assert_eq!(stripped(plain), None, "{plain}");
    }
}

#[test]
fn needless_escapes_are_decoded() {
    for (path, plain) in [
        ("/%41%7e%2D", "/A~-"),
        ("/%68ealthz", "/healthz"),
        ("/a%2Fb%2e%2E", "/a%2Fb%2e%2E"),
        ("/%", "/%"),
        ("/%4", "/%4"),
        ("/%4\u{e4}", "/%4\u{e4}"),
        ("/%%41", "/%%41"),
        ("/%41/%%361", "/%41/%%361"),
        ("/%4%31", "/%4%31"),
        ("/%2541", "/%2541"),
        ("/%ff%00", "/%ff%00"),
    ] {
        assert_eq!(without_needless_escapes(path), plain, "{path}");
    }
}

#[test]
fn the_address_of_the_client_comes_last() {
    let value = |sent: &[&str], peer: &str| {
        let sent = sent.iter().map(|value| value.as_bytes());
        String::from_utf8(forwarded_for(sent, peer.parse().unwrap())).unwrap()
    };
    assert_eq!(value(&[], "203.0.113.7"), "203.0.113.7");
    assert_eq!(value(&["1.1.1.1"], "203.0.113.7"), "1.1.1.1, 203.0.113.7");
    assert_eq!(value(&["1.1.1.1, x", "", "2.2.2.2"], "::1"), "1.1.1.1, x, 2.2.2.2, ::1");
    assert_eq!(value(&[], "::ffff:127.0.0.1"), "127.0.0.1");
    assert_eq!(forwarded("203.0.113.7".parse().unwrap()), "for=\"203.0.113.7\";proto=https");
    assert_eq!(forwarded("::1".parse().unwrap()), "for=\"[::1]\";proto=https");
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const CLOUD: &str = "105445aa7843bc8bf206b12000100000/1;o=1";

#[test]
fn a_trace_is_continued_with_a_new_span() {
    let trace = TraceContext::new(Some(PARENT), Some(CLOUD), 1, 255);
    assert_eq!(trace.traceparent(), "00-0af7651916cd43dd8448eb211c80319c-00000000000000ff-01");
    assert_eq!(trace.cloud(), "0af7651916cd43dd8448eb211c80319c/255;o=1");
    assert_eq!(trace.cloud_response(), "0af7651916cd43dd8448eb211c80319c;o=1");
    for cloud in [CLOUD, "105445AA7843BC8BF206B12000100000;o=1"] {
        let trace = TraceContext::new(None, Some(cloud), 1, 255);
        assert_eq!(trace.cloud(), "105445aa7843bc8bf206b12000100000/255;o=1");
    }
    let trace = TraceContext::new(None, Some("105445aa7843bc8bf206b12000100000"), 1, 255);
    assert_eq!(trace.cloud(), "105445aa7843bc8bf206b12000100000/255;o=0");
}

#[test]
fn a_trace_begins_if_none_can_be_continued() {
    let fresh = "00000000000000000000000000000001/1;o=0";
    assert_eq!(TraceContext::new(None, None, 0, 0).cloud(), fresh, "an id of 0 is none");
    for parent in [
        "",
        "nonsense",
        &format!("{PARENT}-00"),
        &PARENT.replace("00-0a", "ff-0a"),
        &PARENT.replace("0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000000"),
        &PARENT.replace("b7ad6b7169203331", "0000000000000000"),
        &PARENT.to_ascii_uppercase(),
        &PARENT.replace("0af7", "+af7"),
    ] {
        assert_eq!(TraceContext::new(Some(parent), Some("x/1"), 0, 0).cloud(), fresh, "{parent}");
        assert!(
            TraceContext::new(Some(parent), Some(CLOUD), 0, 0).cloud().starts_with("105445aa"),
            "{parent}"
        );
    }
    let later =
        TraceContext::new(Some("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"), None, 1, 1);
    assert!(later.cloud().starts_with("0af7651916cd43dd8448eb211c80319c/"));
}

proptest! {
    #[test]
    fn nothing_that_a_client_sends_makes_it_panic(
        bytes in any::<Vec<u8>>(),
        text in any::<String>(),
        escaped in "[%0-9a-f\u{e4}]{0,12}",
    ) {
        let _ = without_signatures(&bytes);
        let _ = without_needless_escapes(&text);
        let _ = without_needless_escapes(&escaped);
        let _ = TraceContext::new(Some(&text), Some(&text), 0, 0);
    }

    #[test]
    fn a_verified_token_is_treated_like_any(signature in "[A-Za-z0-9_-]{20,40}", scheme in "(Bearer|bearer) {1,2}") {
        let value = format!("{scheme}e30.e30.{signature}");
        let mut quick = Vec::new();
        push_without_signature_of_verified(&mut quick, value.as_bytes());
        prop_assert_eq!(Some(quick), without_signatures(value.as_bytes()));
    }

    #[test]
    fn no_signature_survives(signature in "[A-Za-z0-9_-]{20,40}", scheme in "(Bearer|bearer|X)") {
        let stripped = without_signatures(format!("{scheme} e30.e30.{signature}").as_bytes()).unwrap();
        prop_assert!(!String::from_utf8(stripped).unwrap().contains(&signature));
    }
}
