//! Is the head of a request read in one way only: its first line, its host, its headers, its credential?
//!
//! See `smuggling.rs` for bodies, and for how this is told.

use groundrun_tests::smuggling::{HELLO, ONE, Place, TAIL, Want, get, post};

#[tokio::test]
async fn a_header_is_a_line() {
    let place = Place::new().await;
    let chunks = format!("0\r\n\r\n{TAIL}");
    let mut rows = Vec::new();
    for line in [
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        "Transfer-Encoding\u{b}: chunked\r\n",
        "Transfer-Encoding\u{0}: chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "X: y\r\n\tTransfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "X: y\u{0}\r\n",
        "X: y\u{1}\r\n",
        "X: y\u{7f}\r\n",
        "X: y\rz\r\n",
        "X\u{e9}: y\r\n",
        "X(y): z\r\n",
        "X y: z\r\n",
        ": y\r\n",
        "X\r\n",
        "Content-Length : 5\r\n",
        "Content-Length\t: 5\r\n",
        "\u{0}Content-Length: 5\r\n",
    ] {
        rows.push((line, post(line, &chunks), Want::Refused));
    }
    let folded = "GET / HTTP/1.1\r\n X: y\r\nHost: {host}\r\n{auth}\r\n\r\n".to_owned();
    rows.push(("a line that continues the first", folded, Want::Refused));
    let bare = format!("GET / HTTP/1.1\nHost: {{host}}\n{{auth}}\nConnection: close\n\n{TAIL}");
    rows.push(("lines that end without a return", bare, Want::Refused));
    let text = get("X: \u{e9}\u{ff}\tz\r\nConnection: close\r\n");
    rows.push(("bytes above ASCII", text, ONE));
    // Some servers read an underscore as a hyphen; to this one it is another header.
    let tricky = post("Transfer_Encoding: chunked\r\nContent-Length: 5\r\nConnection: close\r\n", "hello");
    rows.push(("Transfer_Encoding", tricky, HELLO));
    let tricky = post("Content_Length: 50\r\nContent-Length: 5\r\nConnection: close\r\n", "hello");
    rows.push(("Content_Length", tricky, HELLO));
    place.check_all(&rows).await;
}

#[tokio::test]
async fn a_request_is_for_one_host() {
    let place = Place::new().await;
    let line = "GET / HTTP/1.1\r\n";
    let mut rows = vec![
        (
            "absolute form",
            "GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{auth}\r\nConnection: close\r\n\r\n".to_owned(),
            ONE,
        ),
        (
            "two targets",
            "GET http://{host}/ HTTP/1.1\r\nHost: {other}\r\n{auth}\r\n\r\n".to_owned(),
            Want::Refused,
        ),
        (
            "two targets, the other way",
            "GET http://{other}/ HTTP/1.1\r\nHost: {host}\r\n{auth}\r\n\r\n".to_owned(),
            Want::Refused,
        ),
        (
            "an unknown host in the header",
            "GET http://{host}/ HTTP/1.1\r\nHost: evil.test\r\n{auth}\r\n\r\n".to_owned(),
            Want::Refused,
        ),
        (
            "userinfo in the target",
            "GET http://{other}@{host}/ HTTP/1.1\r\nHost: {host}\r\n{auth}\r\n\r\n".to_owned(),
            Want::Refused,
        ),
        (
            "the host twice",
            format!("{line}Host: {{host}}\r\nHost: {{host}}\r\n{{auth}}\r\n\r\n"),
            Want::Refused,
        ),
        ("two hosts", format!("{line}Host: {{host}}\r\nhost: {{other}}\r\n{{auth}}\r\n\r\n"), Want::Refused),
        ("no host", format!("{line}{{auth}}\r\n\r\n"), Want::Refused),
        ("a host of the connection", get("Connection: close, Host\r\n"), ONE),
        (
            "a length of the connection",
            post("Connection: close, Content-Length\r\nContent-Length: 5\r\n", "hello"),
            HELLO,
        ),
        (
            "a credential of the connection",
            get("Connection: close, Authorization, X-Serverless-Authorization\r\n"),
            ONE,
        ),
        (
            "another host for those behind",
            get(
                "X-Forwarded-Host: {other}\r\nForwarded: host={other}\r\nX-Original-URL: /smuggled\r\nConnection: close\r\n",
            ),
            ONE,
        ),
    ];
    for host in [
        "{other}@{host}",
        "{host}@{other}",
        "{host},{other}",
        "{host}, {other}",
        "{host} {other}",
        "{host}/",
        "{host}/smuggled",
        "{host}?",
        "{host}#",
        "{host}\\",
        "http://{host}",
        "{host}:x",
        "{host}:99999",
        "{host}..",
        "{host}\u{e9}",
        "{host}%2e",
        "{host}\u{0}",
        "[{host}]",
    ] {
        rows.push((host, format!("{line}Host: {host}\r\n{{auth}}\r\n\r\n"), Want::Refused));
    }
    place.check_all(&rows).await;
}

#[tokio::test]
async fn a_request_begins_with_a_line() {
    let place = Place::new().await;
    let rest = "Host: {host}\r\n{auth}\r\n\r\n";
    let mut rows = Vec::new();
    for line in [
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "GET /\tHTTP/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1\u{b}",
        "GET / x HTTP/1.1",
        "GET /\u{0} HTTP/1.1",
        "GET /\u{7f} HTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/0.9",
        "GET / HTTP/11",
        "GET / http/1.1",
        "GET / HTTP/1.",
        "GET / HTTP/1.10",
        "GET / HTTP /1.1",
        "GET /",
        "GET",
        "GET / FTP/1.1",
        "G\u{e9}T / HTTP/1.1",
        "G(T / HTTP/1.1",
        " / HTTP/1.1",
        "GET  HTTP/1.1",
        "GET /\rHTTP/1.1",
        "GET /\u{b}HTTP/1.1",
    ] {
        rows.push((line, format!("{line}\r\n{rest}"), Want::RefusedAs(505)));
    }
    for (what, text) in [("HTTP/0.9", "GET /\r\n"), ("HTTP/0.9 of two lines", "GET /\r\n\r\n")] {
        rows.push((what, text.to_owned(), Want::Refused));
    }
    rows.push((
        "a method in small letters",
        get("Connection: close\r\n").replacen("GET", "get", 1),
        Want::Passed(&[200], &[("get /", "")]),
    ));
    let closing = get("Connection: close\r\n");
    rows.push(("empty lines before", format!("\r\n\r\n{closing}"), ONE));
    let many = format!("{}{closing}", "\r\n".repeat(100_000));
    rows.push(("empty lines without end", many, Want::RefusedAs(431)));
    for (target, want) in [("*", Want::Refused), ("smuggled", Want::Passed(&[403], &[]))] {
        let text = get("Connection: close\r\n").replacen("GET /", &format!("GET {target}"), 1);
        rows.push((target, text, want));
    }
    rows.push(("returns before", format!("\r\r\n{closing}"), Want::Refused));
    place.check_all(&rows).await;
}

/// Servers that turn headers into variables read these as `X-Serverless-Authorization`. Here they are not.
#[tokio::test]
async fn a_credential_has_one_spelling() {
    let place = Place::new().await;
    let request =
        |headers: &str| format!("GET / HTTP/1.1\r\nHost: {{host}}\r\n{headers}\r\nConnection: close\r\n\r\n");
    let mut rows = vec![
        ("in capitals", request("X-SERVERLESS-AUTHORIZATION: Bearer {token}"), ONE),
        (
            "both, and the wrong one wins",
            request("X-Serverless-Authorization: Bearer x\r\n{auth}"),
            Want::Passed(&[401], &[]),
        ),
        ("a header twice", request("{auth}\r\n{auth}"), Want::Passed(&[401], &[])),
        ("both headers, in both spellings", request("X_Serverless_Authorization: Bearer x\r\n{auth}"), ONE),
    ];
    for name in [
        "X_Serverless_Authorization",
        "X-Serverless_Authorization",
        "X-ServerlessAuthorization",
        "HTTP_AUTHORIZATION",
        "Authorization_",
        "X-Authorization",
        "Proxy-Authorization",
        "XXServerless-Authorization",
    ] {
        rows.push((name, request(&format!("{name}: Bearer {{token}}")), Want::Passed(&[403], &[])));
    }
    for name in ["Authorization ", "Authorization\t", "Authorization\u{b}", "\u{c}Authorization"] {
        rows.push((name, request(&format!("{name}: Bearer {{token}}")), Want::Refused));
    }
    place.check_all(&rows).await;
}
