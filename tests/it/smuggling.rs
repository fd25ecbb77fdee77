//! Does an instance see only requests that were judged, and each as it was judged?
//!
//! Bytes over a raw socket, an instance that notes everything, and a reader that forgives nothing at both
//! ends. What is refused gets one 400, and the connection ends; what two servers could read in two ways is
//! refused (RFC 9112, sections 2.2, 3.2, 5.1, 5.2, 6.1 to 6.3 and 7.1).

use groundrun_tests::smuggling::{HELLO, ONE, Place, TAIL, Want, chunked, get, post};
use groundrun_tests::strict_http1::{Message, Side, messages};

#[tokio::test]
async fn a_length_is_one_number() {
    let place = Place::new().await;
    let mut rows = vec![
        ("one length", post("Content-Length: 5\r\nConnection: close\r\n", "hello"), HELLO),
        ("no length", post("Connection: close\r\n", ""), Want::Passed(&[200], &[("POST /", "")])),
    ];
    for value in ["+5", "-5", "0x5", "5, 5", "5,6", "5 5", "", "5\u{b}", "5.0", "five", "5;", "\u{b2}"] {
        rows.push((
            value,
            post(&format!("Content-Length: {value}\r\n"), &format!("hello{TAIL}")),
            Want::Refused,
        ));
    }
    let twice = |first: &str, second: &str, rest: &str| {
        post(&format!("Content-Length: {first}\r\nContent-Length: {second}\r\n{rest}"), "hello")
    };
    rows.push(("5 twice", twice("5", "5", "Connection: close\r\n"), Want::RefusedOrOne("hello")));
    rows.push(("5 and 6", twice("5", "6", ""), Want::Refused));
    rows.push(("5 and 05", twice("5", "05", "Connection: close\r\n"), Want::RefusedOrOne("hello")));
    for (what, value) in [("2^64", "18446744073709551616"), ("2^64 + 5", "18446744073709551621")] {
        rows.push((what, post(&format!("Content-Length: {value}\r\n"), "hello"), Want::Refused));
    }
    let huge = post("Content-Length: 9223372036854775808\r\n", "hello");
    rows.push(("more than 32 MiB", huge, Want::RefusedAs(413)));
    place.check_all(&rows).await;
}

#[tokio::test]
async fn a_body_is_framed_in_one_way() {
    let place = Place::new().await;
    let (length, coding) = ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n");
    let chunks = format!("0\r\n\r\n{TAIL}");
    let mut rows = vec![
        ("length and coding", post(&format!("{length}{coding}"), &chunks), Want::Refused),
        ("coding and length", post(&format!("{coding}{length}"), &chunks), Want::Refused),
        (
            "the same in small letters",
            post("content-length: 5\r\ntransfer-encoding: chunked\r\n", &chunks),
            Want::Refused,
        ),
        ("two codings", post(&format!("{coding}{coding}"), &chunks), Want::Refused),
        (
            "another coding first",
            post(&format!("Transfer-Encoding: x\r\n{coding}"), &chunks),
            Want::RefusedAs(501),
        ),
        (
            "another coding last",
            post(&format!("{coding}Transfer-Encoding: x\r\n"), &chunks),
            Want::RefusedAs(501),
        ),
        (
            "capitals",
            post("tRaNsFeR-eNcOdInG: ChUnKeD\r\nConnection: close\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            HELLO,
        ),
        ("HTTP/1.0", post(coding, &chunks).replacen("HTTP/1.1", "HTTP/1.0", 1), Want::Refused),
    ];
    for value in [
        "xchunked",
        "chunked, identity",
        "chunked, chunked",
        "identity",
        "chunked;q=1",
        "chunked,",
        ", chunked",
        "chunked\u{b}",
        "\u{b}chunked",
        "\"chunked\"",
        "chunke",
        "",
        "chunked x",
        "cow",
        "gzip, chunked",
        "\u{e7}hunked",
    ] {
        let text = post(&format!("Transfer-Encoding: {value}\r\n"), &chunks);
        rows.push((value, text, Want::RefusedAs(501)));
        let text = post(&format!("Transfer-Encoding: {value}\r\n{length}"), &chunks);
        rows.push((value, text, Want::RefusedAs(501)));
    }
    place.check_all(&rows).await;
}

#[tokio::test]
async fn a_chunk_is_as_long_as_it_says() {
    let place = Place::new().await;
    let end = format!("\r\n0\r\n\r\n{TAIL}");
    let closing = |rest: &str| post("Transfer-Encoding: chunked\r\nConnection: close\r\n", rest);
    let mut rows = vec![
        ("two chunks", closing("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), HELLO),
        (
            "capitals and zeros",
            closing("0000A\r\nhellohello\r\n0\r\n\r\n"),
            Want::Passed(&[200], &[("POST /", "hellohello")]),
        ),
        ("an extension", closing("5;a=b\r\nhello\r\n0;c\r\n\r\n"), Want::RefusedOrOne("hello")),
        ("a space behind the size", closing("5 \r\nhello\r\n0\r\n\r\n"), Want::RefusedOrOne("hello")),
        (
            "17 digits of no worth",
            closing(&format!("{:017x}\r\nhello\r\n0\r\n\r\n", 5)),
            Want::RefusedOrOne("hello"),
        ),
    ];
    for size in [
        "0x5",
        "+5",
        "-5",
        " 5",
        "\t5",
        "",
        "g",
        "5g",
        "5_",
        "1FFFFFFFFFFFFFFFF",
        "FFFFFFFFFFFFFFFFF5",
        "5\u{0}",
        "5,5",
        "5\n",
        "5\rX",
        "5;a\n",
        "5;a\rb",
        "5;\nhello",
        "\u{ff15}",
    ]
    .map(|size| size.replace('\u{ff15}', "\u{b9}"))
    {
        let name: &str = Box::leak(format!("size {size:?}").into_boxed_str());
        rows.push((name, chunked(&format!("{size}\r\nhello{end}")), Want::Refused));
    }
    for (what, rest) in [
        ("no end of the data", format!("5\r\nhello0\r\n\r\n{TAIL}")),
        ("more data", format!("5\r\nhellox{end}")),
        ("a bare LF behind the data", format!("5\r\nhello\n0\r\n\r\n{TAIL}")),
        ("a bare CR behind the data", format!("5\r\nhello\rX0\r\n\r\n{TAIL}")),
        ("a last line of another kind", format!("5\r\nhello\r\n0\r\nX\r\n\r\n{TAIL}")),
        ("a bare LF at the end", format!("5\r\nhello\r\n0\r\n\n{TAIL}")),
        ("an extension without end", format!("5;{}\r\nhello{end}", "a".repeat(200_000))),
    ] {
        rows.push((what, chunked(&rest), Want::RefusedAs(413)));
    }
    place.check_all(&rows).await;
}

/// Whether such a trailer is refused or left out is the same to the instance: it does not see it.
#[tokio::test]
async fn a_trailer_changes_nothing() {
    let place = Place::new().await;
    let mut rows = Vec::new();
    for trailer in [
        "Host: evil.test",
        "Content-Length: 50",
        "Transfer-Encoding: chunked",
        "Authorization: Bearer x",
        "X-Serverless-Authorization: Bearer x",
        "X-Fine: yes",
    ] {
        let name = trailer.split(':').next().unwrap();
        let headers = format!("Transfer-Encoding: chunked\r\nConnection: close\r\nTrailer: {name}\r\n");
        let text = post(&headers, &format!("5\r\nhello\r\n0\r\n{trailer}\r\n\r\n"));
        rows.push((trailer, text, Want::RefusedOrOne("hello")));
    }
    for (what, trailer) in [
        ("folded", "X: y\r\n z"),
        ("a space before the colon", "X : y"),
        ("no name", ": y"),
        ("a NUL", "X: \u{0}"),
        ("a bare LF", "X: y\nZ: w"),
    ] {
        rows.push((what, chunked(&format!("5\r\nhello\r\n0\r\n{trailer}\r\n\r\n{TAIL}")), Want::Refused));
    }
    let many = "X-Many: yes\r\n".repeat(50_000);
    rows.push(("without end", chunked(&format!("5\r\nhello\r\n0\r\n{many}\r\n")), Want::RefusedAs(431)));
    place.check_all(&rows).await;
}

#[tokio::test]
async fn what_follows_a_request_is_judged_by_itself() {
    let place = Place::new().await;
    let to_other = "GET /smuggled HTTP/1.1\r\nHost: {other}\r\nConnection: close\r\n\r\n";
    let closing = "GET /smuggled HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n";
    let length = TAIL.replace("{host}", &place.host).len();
    let with_body = |method: &str| {
        format!(
            "{method} / HTTP/1.1\r\nHost: {{host}}\r\n{{auth}}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{TAIL}"
        )
    };
    let body: &'static str = TAIL.replace("{host}", &place.host).leak();
    let seen: &'static [(&str, &str)] = vec![("GET /", body)].leak();
    let rows = [
        (
            "two requests",
            get("") + &get("Connection: close\r\n"),
            Want::Passed(&[200, 200], &[("GET /", ""), ("GET /", "")]),
        ),
        ("no token in the second", get("") + closing, Want::Passed(&[200, 403], &[("GET /", "")])),
        ("the second for another service", get("") + to_other, Want::Passed(&[200, 403], &[("GET /", "")])),
        (
            "a body, then one without a token",
            post("Content-Length: 5\r\n", "hello") + closing,
            Want::Passed(&[200, 403], &[("POST /", "hello")]),
        ),
        (
            "chunks, then one without a token",
            chunked("5\r\nhello\r\n0\r\n\r\n") + closing,
            Want::Passed(&[200, 403], &[("POST /", "hello")]),
        ),
        ("a request in the body of a GET", with_body("GET"), Want::Passed(&[200], seen)),
        (
            "behind an upgrade that is none",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            ) + closing,
            Want::Passed(&[200, 403], &[("GET /", "")]),
        ),
        ("behind the end", get("Connection: close\r\n") + closing, ONE),
    ];
    place.check_all(&rows).await;

    // Refused with a body that says what it says: the body is read as a body, or the connection ends.
    let refused =
        format!("POST /smuggled HTTP/1.1\r\nHost: {{other}}\r\nContent-Length: {length}\r\n\r\n{TAIL}");
    let answer = place.send(&(refused + &get("Connection: close\r\n"))).await.unwrap();
    let statuses: Vec<u16> =
        messages(Side::Responses, &answer).unwrap().iter().map(Message::status).collect();
    assert!(matches!(statuses[..], [403] | [403, 200]), "{statuses:?}");
    assert!(place.recorder.take().len() < statuses.len());
}
