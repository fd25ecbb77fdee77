//! Is a request over HTTP/2 well-formed, or refused?
//!
//! See `h2.rs` for frames and streams, and for how this is told.

use groundrun_tests::h2_frames::{Outcome, flag, frame, kind, literals};
use groundrun_tests::h2_table::{END, PROTOCOL, Row};
use groundrun_tests::smuggling::Place;

use Outcome::{GoAway, Reset, Status};

#[tokio::test]
async fn a_request_is_well_formed() {
    let place = Place::new().await;
    let with = |name: &str, value: &str| place.request(|all| all.push((name.to_owned(), value.to_owned())));
    let without = |name: &str| place.request(|all| all.retain(|(known, _)| known != name));
    let set = |name: &str, value: &str| {
        place.request(|all| {
            all.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| *old = value.to_owned());
        })
    };
    let first =
        |name: &str, value: &str| place.request(|all| all.insert(0, (name.to_owned(), value.to_owned())));
    let bad: &[Outcome] = &[Reset(PROTOCOL), GoAway(PROTOCOL)];
    let mut rows: Vec<Row<'_>> = Vec::new();
    for name in ["X-Upper", "Authorization", "x y", "x\u{0}", "x:y", "", "x\r\ny"] {
        rows.push((name, with(name, "z"), bad));
    }
    for value in ["a\r\nb", "a\nb", "a\u{0}b", "a\rb"] {
        rows.push((value, with("x", value), bad));
    }
    for (name, value) in [
        ("connection", "close"),
        ("connection", "x"),
        ("keep-alive", "1"),
        ("proxy-connection", "x"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", "trailers, gzip"),
    ] {
        rows.push((name, with(name, value), bad));
    }
    rows.push(("te: trailers", with("te", "trailers"), &[Status(200)]));
    for name in [":method", ":path"] {
        rows.push((name, without(name), bad));
    }
    rows.push(("no scheme", without(":scheme"), bad));
    for (name, value) in
        [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "other.test")]
    {
        rows.push(("a pseudo-header twice", first(name, value), bad));
        rows.push(("a pseudo-header behind the others", with(name, value), bad));
    }
    rows.push(("a pseudo-header of responses", first(":status", "200"), bad));
    rows.push(("a pseudo-header that nobody knows", first(":x", "y"), bad));
    for path in ["", "x", "*", "/ HTTP/1.1", "/\r\nx: y", "/a b", "http://other.test/"] {
        rows.push((path, set(":path", path), &[Reset(PROTOCOL), GoAway(PROTOCOL), Status(400)]));
    }
    for method in ["G T", "", "GET / HTTP/1.1\r\nx:", "G\u{0}T"] {
        rows.push((method, set(":method", method), &[Reset(PROTOCOL), GoAway(PROTOCOL), Status(400)]));
    }
    for host in ["a b", "a/b", "a,b", "a@b", "", "a\r\nb"] {
        rows.push((host, set(":authority", host), &[Reset(PROTOCOL), GoAway(PROTOCOL), Status(400)]));
    }
    place.check_frames(rows).await;
}

#[tokio::test]
async fn a_request_is_for_one_host() {
    let place = Place::new().await;
    let with = |name: &str, value: &str| place.request(|all| all.push((name.to_owned(), value.to_owned())));
    let bad: &[Outcome] = &[Reset(PROTOCOL), GoAway(PROTOCOL), Status(400)];
    let only_host = place.request(|all| {
        all.retain(|(name, _)| name != ":authority");
        all.push(("host".to_owned(), place.host.clone()));
    });
    let host = place.host.clone();
    let twice = place.request(|all| {
        all.extend([("host".to_owned(), host.clone()), ("host".to_owned(), "b.test".to_owned())]);
    });
    place
        .check_frames(vec![
            ("the same host in both", with("host", &host), &[Status(200)]),
            ("another host in the header", with("host", "other.test"), bad),
            ("the host in the header only", only_host, &[Status(200), Status(400)]),
            ("two hosts in the header", twice, bad),
        ])
        .await;
}

#[tokio::test]
async fn a_body_is_as_long_as_it_says() {
    let place = Place::new().await;
    let data = |flags: u8, bytes: &[u8]| frame(kind::DATA, flags, 1, bytes);
    let end = flag::END_STREAM;
    let sized = |length: &str| place.open(1, &[("content-length", length)]);
    let trailers = |flags: u8, headers: &[(&str, &str)]| frame(kind::HEADERS, flags, 1, &literals(headers));
    let bad: &[Outcome] = &[Reset(PROTOCOL), GoAway(PROTOCOL), Status(400), Status(503)];
    let announced = place.request(|all| all.push(("content-length".to_owned(), "5".to_owned())));
    place
        .check_frames(vec![
            ("as long", [sized("5"), data(end, b"hello")].concat(), &[Status(200)]),
            ("shorter", [sized("5"), data(end, b"hel")].concat(), bad),
            ("longer", [sized("5"), data(0, b"hello"), data(end, b"!")].concat(), bad),
            ("none", announced, bad),
            ("no number", [sized("+5"), data(end, b"hello")].concat(), bad),
            ("a list", [sized("5, 5"), data(end, b"hello")].concat(), bad),
            ("more than 64 bits", [sized("18446744073709551621"), data(end, b"hello")].concat(), bad),
            (
                "trailers",
                [place.open(1, &[]), data(0, b"hello"), trailers(END, &[("x", "y")])].concat(),
                &[Status(200)],
            ),
            (
                "trailers that do not end",
                [place.open(1, &[]), data(0, b"x"), trailers(flag::END_HEADERS, &[("x", "y")])].concat(),
                bad,
            ),
            // It is dropped: the reader of the instance would take it for garbage.
            (
                "a path in the trailers",
                [place.open(1, &[]), data(0, b"x"), trailers(END, &[(":path", "/smuggled")])].concat(),
                &[Status(200)],
            ),
            (
                "capitals in the trailers",
                [place.open(1, &[]), data(0, b"x"), trailers(END, &[("X", "y")])].concat(),
                bad,
            ),
        ])
        .await;
}

#[tokio::test]
async fn a_tunnel_is_none() {
    let place = Place::new().await;
    let connect = |pseudo: &[(&str, &str)]| {
        let bearer = format!("Bearer {}", place.token);
        let mut headers = vec![(":method", "CONNECT")];
        headers.extend_from_slice(pseudo);
        headers.push(("authorization", &bearer));
        frame(kind::HEADERS, flag::END_HEADERS, 1, &literals(&headers))
    };
    let authority = format!("{}:443", place.host);
    let bad: &[Outcome] = &[Status(400), Status(403), Status(405), Reset(PROTOCOL), GoAway(PROTOCOL)];
    place
        .check_frames(vec![
            ("CONNECT", connect(&[(":authority", &authority)]), bad),
            (
                "CONNECT with a path",
                connect(&[(":authority", &authority), (":path", "/"), (":scheme", "http")]),
                bad,
            ),
            (
                "a WebSocket",
                connect(&[
                    (":protocol", "websocket"),
                    (":scheme", "http"),
                    (":path", "/"),
                    (":authority", &place.host),
                ]),
                bad,
            ),
        ])
        .await;
}
