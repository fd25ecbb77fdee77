//! What becomes of requests and responses of HTTP/1.1 on their way to a server that runs already?
//!
//! Both ends are sockets of the story, which says every byte.

use std::time::Duration;

use groundrun_model::rule::{RuleEntry, Rules};
use groundrun_tests::{DEADLINE, Owner, TlsClient, World, at};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// An emulator with a public service, and the server that it stands for.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) instance: TcpListener,
    pub(crate) host: String,
}

/// One end of a connection, and what it has read ahead.
pub(crate) struct End<S = TcpStream> {
    pub(crate) stream: S,
    pub(crate) ahead: Vec<u8>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with_timeout(300).await
    }

    pub(crate) async fn with_timeout(seconds: u32) -> Self {
        let instance = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", instance.local_addr().unwrap());
        let rules = Rules::read(&[RuleEntry { image: "*".to_owned(), url }]).unwrap();
        let world = World::with(|options| options.rules = rules).await;
        let mut service = Owner::service("hello");
        service["spec"]["template"]["spec"]["timeoutSeconds"] = json!(seconds);
        let service = world.owner().deploy_as(&service).await;
        world.owner().bind("hello", "roles/run.invoker", &["allUsers"]).await;
        let url = at(&service, "/status/url").as_str().unwrap();
        let host = url.strip_prefix("http://").unwrap().split(':').next().unwrap();
        Self { world, instance, host: host.replace(".run.localhost", ".run.app") }
    }

    pub(crate) async fn client(&self) -> End {
        End::of(TcpStream::connect(self.world.address()).await.unwrap())
    }

    pub(crate) async fn accept(&self) -> End {
        End::of(within(self.instance.accept()).await.unwrap().0)
    }

    /// A request, with `rest` behind its Host header.
    pub(crate) fn request(&self, line: &str, rest: &str) -> String {
        format!("{line} HTTP/1.1\r\nHost: {}\r\n{rest}", self.host)
    }

    /// The connections of a GET that has been answered with `answer`.
    pub(crate) async fn after_get(&self, answer: &str) -> (End, End, String) {
        let mut client = self.client().await;
        client.say(&self.request("GET /", "\r\n")).await;
        let mut instance = self.accept().await;
        instance.head().await;
        instance.say(answer).await;
        let head = client.head().await;
        (client, instance, head)
    }
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it happens in time")
}

impl<S: AsyncRead + AsyncWrite + Unpin> End<S> {
    pub(crate) fn of(stream: S) -> Self {
        Self { stream, ahead: Vec::new() }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        within(self.stream.write_all(text.as_bytes())).await.unwrap();
    }

    /// Reads more; whether there was any.
    pub(crate) async fn read(&mut self) -> bool {
        matches!(within(self.stream.read_buf(&mut self.ahead)).await, Ok(1..))
    }

    /// What comes up to and with `end`.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.ahead.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let rest = self.ahead.split_off(at + end.len());
                return String::from_utf8(std::mem::replace(&mut self.ahead, rest)).unwrap();
            }
            assert!(self.read().await, "it ended: {:?}", String::from_utf8_lossy(&self.ahead));
        }
    }

    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.ahead.len() < count {
            assert!(self.read().await, "it ended after {} of {count} bytes", self.ahead.len());
        }
        let rest = self.ahead.split_off(count);
        std::mem::replace(&mut self.ahead, rest)
    }

    pub(crate) async fn text(&mut self, count: usize) -> String {
        String::from_utf8(self.bytes(count).await).unwrap()
    }

    /// What comes until the connection ends.
    pub(crate) async fn rest(&mut self) -> String {
        while self.read().await {}
        String::from_utf8_lossy(&std::mem::take(&mut self.ahead)).into_owned()
    }
}

pub(crate) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

pub(crate) const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn one_connection_each_serves_request_after_request() {
    let stage = Stage::set().await;
    let (mut client, mut instance, head) = stage.after_get(EMPTY).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(header(&head, "server"), Some("Google Frontend"));
    assert!(header(&head, "date").unwrap().ends_with(" GMT"));
    assert_eq!(header(&head, "connection"), None);
    for number in 0..3 {
        client.say(&stage.request(&format!("GET /{number}"), "X-Own:  a b \r\n\r\n")).await;
        let seen = instance.head().await;
        assert!(
            seen.starts_with(&format!("GET /{number} HTTP/1.1\r\nHost: {}\r\nX-Own: a b\r\n", stage.host))
        );
        assert_eq!(header(&seen, "x-forwarded-for"), Some("127.0.0.1"));
        instance
            .say("HTTP/1.1 200 Fine\r\nServer: x\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nok")
            .await;
        let head = client.head().await;
        assert!(
            head.starts_with("HTTP/1.1 200 Fine\r\nX-A: 1\r\nx-a: 2\r\nserver: Google Frontend\r\n"),
            "{head}"
        );
        assert_eq!(client.text(2).await, "ok");
    }
}

#[tokio::test]
async fn the_headers_are_those_of_the_contract() {
    let stage = Stage::set().await;
    let mut client = stage.client().await;
    let own = "Connection: X-Drop, keep-alive\r\nX-Drop: 1\r\nKeep-Alive: 1\r\nTE: trailers\r\nX-Forwarded-For: 1.2.3.4\r\n\
               x-serverless-authorization: Bearer a.b.c\r\nAuthorization: Bearer d.e.f\r\n\
               traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\nProxy-Authorization: x\r\n\r\n";
    client.say(&stage.request("GET /%41%2f?%41", own)).await;
    let mut instance = stage.accept().await;
    let seen = instance.head().await;
    assert!(seen.starts_with("GET /A%2f?%41 HTTP/1.1\r\n"), "{seen}");
    for gone in ["x-drop", "connection", "keep-alive", "proxy-authorization", "transfer-encoding"] {
        assert_eq!(header(&seen, gone), None, "{gone}: {seen}");
    }
    assert_eq!(header(&seen, "te"), Some("trailers"));
    assert_eq!(header(&seen, "x-forwarded-for"), Some("1.2.3.4, 127.0.0.1"));
    assert_eq!(header(&seen, "forwarded"), Some("for=\"127.0.0.1\";proto=https"));
    assert_eq!(header(&seen, "x-serverless-authorization"), Some("Bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE"));
    assert_eq!(header(&seen, "authorization"), Some("Bearer d.e.f"), "the service is public");
    assert!(header(&seen, "x-cloud-trace-context").unwrap().starts_with("0123456789abcdef0123456789abcdef/"));
    assert!(header(&seen, "traceparent").unwrap().starts_with("00-0123456789abcdef0123456789abcdef-"));
    instance
        .say("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nCache-Control: public\r\nDate: then\r\nContent-Length: 0\r\n\r\n")
        .await;
    let head = client.head().await;
    assert_eq!((header(&head, "cache-control"), header(&head, "date")), (Some("private"), Some("then")));
    assert_eq!(head.to_lowercase().matches("cache-control").count(), 1);
    assert_eq!(header(&head, "x-cloud-trace-context"), Some("0123456789abcdef0123456789abcdef;o=1"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_also_byte_by_byte() {
    let stage = Stage::set().await;
    for byte_by_byte in [false, true] {
        let mut client = stage.client().await;
        let first = stage.request("POST /1", "Content-Length: 3\r\n\r\nabc");
        let second =
            stage.request("POST /2", "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\n\r\n");
        let both = first + &second + &stage.request("GET /3", "\r\n");
        if byte_by_byte {
            client.stream.set_nodelay(true).unwrap();
            for byte in both.as_bytes() {
                client.stream.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        } else {
            client.say(&both).await;
        }
        let mut instance = stage.accept().await;
        assert!(instance.head().await.starts_with("POST /1 "));
        assert_eq!(instance.text(3).await, "abc");
        instance.say("HTTP/1.1 201 A\r\nContent-Length: 1\r\n\r\n1").await;
        assert!(instance.head().await.starts_with("POST /2 "));
        let body = instance.until("0\r\n\r\n").await;
        assert_eq!(dechunked(&body), "def", "{body}");
        assert!(!body.contains(";x"), "{body}");
        instance.say("HTTP/1.1 202 B\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n").await;
        assert!(instance.head().await.starts_with("GET /3 "));
        instance.say("HTTP/1.1 204 C\r\n\r\n").await;
        assert!(client.head().await.starts_with("HTTP/1.1 201 "));
        assert_eq!(client.text(1).await, "1");
        assert!(client.head().await.starts_with("HTTP/1.1 202 "));
        assert_eq!(client.until("0\r\n\r\n").await, "1\r\n2\r\n0\r\n\r\n");
        assert!(client.head().await.starts_with("HTTP/1.1 204 "));
    }
}

fn dechunked(body: &str) -> String {
    let mut data = String::new();
    let mut rest = body;
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        data.push_str(&behind[..size]);
        rest = behind[size..].strip_prefix("\r\n").unwrap();
    }
    data
}

#[tokio::test]
async fn what_is_for_somebody_else_is_handed_over_in_the_middle_of_a_connection() {
    let stage = Stage::set().await;
    let (mut client, _instance, _) = stage.after_get(EMPTY).await;
    client.say("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let head = client.head().await;
    assert!(
        head.starts_with("HTTP/1.1 200 ")
            && header(&head, "server").is_some_and(|name| name.starts_with("groundrun")),
        "{head}"
    );
    let length = header(&head, "content-length").unwrap().parse().unwrap();
    client.bytes(length).await;
    // And back: hyper sends it to the service too.
    client.say(&stage.request("GET /hyper", "Connection: close\r\n\r\n")).await;
    let mut instance = stage.accept().await;
    assert!(instance.head().await.starts_with("GET /hyper "));
    instance.say(EMPTY).await;
    assert!(client.rest().await.starts_with("HTTP/1.1 200 "));
    // HTTP/1.0 and an absolute form from the beginning.
    for line in [format!("GET http://{}/old HTTP/1.1", stage.host), "GET /old HTTP/1.0".to_owned()] {
        let mut client = stage.client().await;
        client.say(&format!("{line}\r\nHost: {}\r\nConnection: close\r\n\r\n", stage.host)).await;
        // Over the connection that hyper has kept.
        assert!(instance.head().await.starts_with("GET /old "));
        instance.say(EMPTY).await;
        assert!(client.rest().await.contains(" 200 "));
    }
}

#[tokio::test]
async fn it_is_the_same_through_tls_and_a_tunnel() {
    let stage = Stage::set().await;
    let tls = TlsClient::of(&stage.world).await;
    let direct = tls.open(&stage.host, "http/1.1").await.unwrap();
    let through = tls.through(&format!("{}:443", stage.host), &stage.host, "http/1.1").await.unwrap();
    let mut instance = None;
    for stream in [direct, through] {
        let mut client = End::of(stream);
        for body in ["", "0123456789"] {
            client
                .say(&stage.request("PUT /x", &format!("Content-Length: {}\r\n\r\n{body}", body.len())))
                .await;
            if instance.is_none() {
                instance = Some(stage.accept().await);
            }
            let instance = instance.as_mut().unwrap();
            let seen = instance.head().await;
            assert!(seen.starts_with("PUT /x HTTP/1.1\r\n"), "{seen}");
            assert_eq!(instance.text(body.len()).await, body);
            instance.say(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
            assert!(client.head().await.starts_with("HTTP/1.1 200 "));
            assert_eq!(client.text(body.len()).await, body);
        }
    }
}

#[tokio::test]
async fn pages_are_made_here_and_the_connection_goes_on() {
    let stage = Stage::set().await;
    let (mut client, mut instance, _) = stage.after_get(EMPTY).await;
    client.say(&stage.request("GET /healthz", "\r\n")).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(head.matches("date: ").count(), 1);
    let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
    assert!(client.text(length).await.contains("Page not found"));
    client.say(&stage.request("HEAD /healthz", "\r\n")).await;
    assert_eq!(header(&client.head().await, "content-length"), Some(&*length.to_string()));
    client.say(&stage.request("GET /on", "\r\n")).await;
    assert!(instance.head().await.starts_with("GET /on "));
}

#[tokio::test]
async fn a_stop_ends_what_is_idle_and_finishes_what_is_not() {
    let stage = Stage::set().await;
    let (mut idle, mut instance, _) = stage.after_get(EMPTY).await;
    let mut half = stage.client().await;
    half.say("GET / HTT").await;
    let mut busy = stage.client().await;
    // Over the connection that is kept.
    busy.say(&stage.request("POST /", "Content-Length: 1\r\n\r\na")).await;
    instance.head().await;
    let Stage { world, .. } = stage;
    let begun = std::time::Instant::now();
    let stopping = tokio::spawn(world.stop());
    assert_eq!(idle.rest().await, "");
    instance.say(EMPTY).await;
    let head = busy.head().await;
    assert_eq!(header(&head, "connection"), Some("close"), "{head}");
    assert_eq!(busy.rest().await, "");
    drop(half);
    within(stopping).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(9));
}
