//! Is a request of HTTP/1.1 treated alike, whether it is passed on byte by byte or through hyper?
//!
//! A path with a brace, which is not one that every server reads alike, goes through hyper.

use crate::http1::{End, Stage};

/// The two ways.
const PATHS: [&str; 2] = ["/x", "/{x}"];

/// A head, without what is new each time and in an order of its own, and the body behind it, out of its
/// chunks.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    first: String,
    headers: Vec<String>,
    body: String,
}

impl Told {
    fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let is_lasting = |line: &String| {
            !["date: ", "x-cloud-trace-context: ", "traceparent: "].iter().any(|name| line.starts_with(name))
        };
        let spelled = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            // What is wrong with a response, each reader says in its own words.
            let value = if name == "x-groundrun-explain" { "" } else { value };
            format!("{}: {value}", name.to_ascii_lowercase())
        };
        let mut headers: Vec<String> = lines.map(spelled).filter(is_lasting).collect();
        headers.sort();
        let is_chunked = headers.iter().any(|line| line == "transfer-encoding: chunked");
        let body = if is_chunked { dechunked(body) } else { body.to_owned() };
        Self {
            first: PATHS.iter().fold(first.to_owned(), |first, path| first.replace(path, "/")),
            headers,
            body,
        }
    }
}

/// The data of the chunks, and the trailers behind them with lower-case names.
fn dechunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
        if size == 0 {
            return text + "|" + &rest.to_ascii_lowercase();
        }
        text.push_str(&rest[..size]);
        body = rest[size..].strip_prefix("\r\n").expect("the end of a chunk");
    }
    text + "|unfinished"
}

/// What the instance and the client are told when the request is sent by this path.
async fn told(stage: &Stage, path: &str, method: &str, own: &str, answer: &str) -> (Told, Told) {
    let mut client = stage.client().await;
    let line = format!("{method} {path}");
    client.say(&stage.request(&line, &format!("Connection: close\r\n{own}"))).await;
    let mut instance = stage.accept().await;
    let seen = Told::of(&request(&mut instance, own).await);
    instance.say(answer).await;
    (seen, Told::of(&client.rest().await))
}

/// A request as the instance gets it, with as much body as was sent.
async fn request(instance: &mut End, own: &str) -> String {
    let head = instance.head().await;
    let body = match own.split_once("\r\n\r\n") {
        Some((_, "")) | None => String::new(),
        Some(_) if head.to_ascii_lowercase().contains("transfer-encoding: chunked") => {
            instance.until("0\r\n").await + &instance.until("\r\n").await
        }
        Some((_, body)) => instance.text(body.len()).await,
    };
    head + &body
}

#[tokio::test]
async fn each_way_tells_the_instance_and_the_client_the_same() {
    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let many: String = (0..150).map(|number| format!("X-{number}: {number}\r\n")).collect();
    let many = format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n");
    let stage = Stage::set().await;
    for (method, own, answer) in [
        ("GET", "\r\n", OK),
        ("GET", "X-Own: 1\r\nx-own: 2\r\nX-Drop: 1\r\nConnection: x-drop\r\nTE: trailers\r\n\r\n", OK),
        ("GET", "TE: gzip, trailers\r\nProxy-Authorization: x\r\nKeep-Alive: 1\r\n\r\n", OK),
        ("GET", "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 2.2.2.2\r\nForwarded: for=x\r\n\r\n", OK),
        ("GET", "X-Serverless-Authorization: Bearer a.b.c\r\nAuthorization: Bearer d.e.f\r\n\r\n", OK),
        ("GET", "Cookie: a=b\r\nCookie: c=d\r\nX-Forwarded-Proto: http\r\n\r\n", OK),
        ("POST", "Content-Length: 3\r\n\r\nabc", OK),
        ("POST", "Content-Length: 0\r\n\r\n", OK),
        ("PUT", "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", OK),
        ("POST", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", OK),
        (
            "POST",
            "Trailer: X-Sum, Authorization\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nAuthorization: x\r\nX-Other: 1\r\n\r\n",
            OK,
        ),
        ("HEAD", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"),
        ("HEAD", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n"),
        ("GET", "\r\n", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
        ("GET", "\r\n", "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nContent-Length: 40000000\r\n\r\n"),
        ("GET", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n"),
        (
            "GET",
            "\r\n",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        ),
        (
            "GET",
            "\r\n",
            "HTTP/1.1 200 OK\r\nServer: x\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nCache-Control: public\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "GET",
            "\r\n",
            "HTTP/1.1 200 OK\r\nKeep-Alive: 1\r\nConnection: x-own, keep-alive\r\nX-Own: 1\r\nX-Cloud-Trace-Context: x\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            "GET",
            "Connection: x-forwarded-for, host, te, forwarded\r\nX-Forwarded-For: 1.1.1.1\r\nTE: trailers\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: set-cookie\r\nSet-Cookie: a=b\r\nCache-Control: public\r\nContent-Length: 0\r\n\r\n",
        ),
        ("GET", "\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        (
            "GET",
            "TE: trailers\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Server\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nServer: x\r\nX-Other: 1\r\n\r\n",
        ),
        ("GET", "\r\n", &many),
        ("GET", "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
        (
            "GET",
            "\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("GET", "\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        ("GET", "\r\n", "no response at all\r\n\r\n"),
    ] {
        let [near, far] = [
            told(&stage, PATHS[0], method, own, answer).await,
            told(&stage, PATHS[1], method, own, answer).await,
        ];
        assert_eq!(near, far, "{method} {own:?} {answer:?}");
    }
}
