//! How does a story speak HTTP? With any Host header, with targets in absolute form, and, where it must,
//! with bytes that are no HTTP at all.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a story waits for anything: far longer than it takes, so that only a fault gets there.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A client of one emulator. Every request has a connection of its own.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    address: SocketAddr,
}

/// A request that is being put together.
#[derive(Debug, Clone)]
pub struct Ask {
    address: SocketAddr,
    method: Method,
    target: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    http2: bool,
}

/// A request over HTTP/2 without TLS.
#[derive(Debug, Clone, Copy)]
pub struct Http2;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The method and the target of the request.
    pub asked: String,
    /// The status.
    pub status: StatusCode,
    /// The reason phrase, if it is not the usual one.
    pub reason: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// A client of the emulator at `address`.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Where the emulator listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port of the emulator.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Begins a request; `target` is a path with its query, or a whole URL, which is sent as to a forward
    /// proxy.
    pub fn ask(&self, method: Method, target: impl Into<String>) -> Ask {
        let target = target.into();
        Ask { address: self.address, method, target, headers: Vec::new(), body: Bytes::new(), http2: false }
    }

    /// Begins a GET.
    pub fn get(&self, target: impl Into<String>) -> Ask {
        self.ask(Method::GET, target)
    }

    /// Begins a POST of JSON.
    pub fn post(&self, target: impl Into<String>, body: &Value) -> Ask {
        self.ask(Method::POST, target).json(body)
    }

    /// Sends bytes as they are and reads until the connection ends, as text.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            let mut answer = Vec::new();
            // A server that refuses early may reset the connection behind its answer.
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::time::timeout(DEADLINE, exchange).await.expect("the connection ends in time")
    }
}

impl Ask {
    /// Sets a header; a second one of the same name is sent as well.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_ref().as_bytes()).unwrap();
        self.headers.push((name, HeaderValue::from_bytes(value.as_ref()).unwrap()));
        self
    }

    /// Sets the Host header.
    #[must_use]
    pub fn host(self, host: impl AsRef<str>) -> Self {
        self.header(HOST, host.as_ref())
    }

    /// Shows a bearer token.
    #[must_use]
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header(AUTHORIZATION, format!("Bearer {}", token.as_ref()))
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sends a form.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Sends bytes.
    #[must_use]
    pub fn body(mut self, kind: &str, bytes: impl Into<Bytes>) -> Self {
        self.body = bytes.into();
        self.header(CONTENT_TYPE, kind)
    }

    /// Speaks HTTP/2 without having asked.
    #[must_use]
    pub fn http2(mut self, _version: Http2) -> Self {
        self.http2 = true;
        self
    }

    /// Sends the request and reads the whole answer.
    #[track_caller]
    pub fn send(self) -> impl Future<Output = Answer> + Send {
        let at = std::panic::Location::caller();
        async move {
            let asked = format!("{} {}", self.method, self.target);
            match tokio::time::timeout(DEADLINE, self.exchange()).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(problem)) => panic!("{asked} ({at}): {problem}"),
                Err(_) => panic!("{asked} ({at}): no answer in {DEADLINE:?}"),
            }
        }
    }

    async fn exchange(self) -> Result<Answer, hyper::Error> {
        let asked = format!("{} {}", self.method, self.target);
        let stream = TcpStream::connect(self.address).await.unwrap();
        let http2 = self.http2;
        let io = TokioIo::new(stream);
        let response = if http2 {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            sender.send_request(self.request()).await?
        } else {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
            tokio::spawn(connection);
            sender.send_request(self.request()).await?
        };
        let (mut parts, body) = response.into_parts();
        let reason = parts.extensions.get::<hyper::ext::ReasonPhrase>();
        let reason = reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
        let body = body.collect().await?;
        // What comes behind the body counts as a header: gRPC says there how it went.
        parts.headers.extend(body.trailers().cloned().unwrap_or_default());
        let body = body.to_bytes();
        Ok(Answer { asked, status: parts.status, reason, headers: parts.headers, body })
    }

    fn request(self) -> Request<Full<Bytes>> {
        let has_host = self.headers.iter().any(|(name, _)| name == HOST);
        let uri: Uri = self.target.parse().unwrap();
        let uri = if self.http2 {
            // HTTP/2 has no Host header: the authority stands in the target.
            let host = self.headers.iter().find(|(name, _)| name == HOST);
            let host = host.map_or_else(|| self.address.to_string(), |(_, host)| text(host));
            format!("http://{host}{}", self.target).parse().unwrap()
        } else {
            uri
        };
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        for (name, value) in self.headers.into_iter().filter(|(name, _)| !(self.http2 && name == HOST)) {
            request.headers_mut().append(name, value);
        }
        if !has_host && !self.http2 {
            let host = uri.authority().map_or_else(|| self.address.to_string(), ToString::to_string);
            request.headers_mut().insert(HOST, HeaderValue::from_str(&host).unwrap());
        }
        *request.uri_mut() = uri;
        request
    }
}

impl Answer {
    /// This answer, if it has the status; else the story ends and shows it.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.asked, self.text());
        self
    }

    /// Checks the status, of an answer that says nothing else.
    #[track_caller]
    pub fn must_be(self, status: u16) {
        drop(self.expect(status));
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(json) => json,
            Err(problem) => panic!("{} answered no JSON ({problem}): {}", self.asked, self.text()),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The message of a refusal in Google's form.
    #[track_caller]
    pub fn message(&self) -> String {
        let json = self.json();
        json["error"]["message"].as_str().unwrap_or_else(|| panic!("{}: {json}", self.asked)).to_owned()
    }

    /// The word of a refusal in Google's form, such as `INVALID_ARGUMENT`.
    #[track_caller]
    pub fn code(&self) -> String {
        let json = self.json();
        json["error"]["status"].as_str().unwrap_or_else(|| panic!("{}: {json}", self.asked)).to_owned()
    }

    /// The fields that are wrong, each with what is wrong with it.
    #[track_caller]
    pub fn violations(&self) -> Vec<(String, String)> {
        let json = self.json();
        let details = json["error"]["details"].as_array().cloned().unwrap_or_default();
        let bad =
            details.iter().find(|detail| detail["@type"] == "type.googleapis.com/google.rpc.BadRequest");
        let list = bad.and_then(|bad| bad["fieldViolations"].as_array()).cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().expect("a violation has texts").to_owned();
        list.iter().map(|one| (text(&one["field"]), text(&one["description"]))).collect()
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// `text` as a value of a form or a query.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
