//! How does the command line ask an emulator something, over plain HTTP?

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Connections;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long an answer may take: the emulator is on this machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long it may take to find out who listens on a port.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);

/// What groundrun calls itself in its answer to `/healthz`.
const NAME: &str = "groundrun";

/// A client of the emulator at one address.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    connections: Connections<HttpConnector, Full<Bytes>>,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Call<'a> {
    /// GET unless said otherwise.
    pub method: Method,
    /// The Host header; the address of the emulator unless said otherwise.
    pub host: Option<&'a str>,
    /// Path and query.
    pub path: &'a str,
    /// The bearer token.
    pub token: Option<&'a str>,
    /// A body of JSON.
    pub body: Option<&'a Value>,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens there.
    #[error("nothing listens on {0}")]
    Refused(SocketAddr),
    /// What listens there did not answer in time.
    #[error("{0} did not answer within {1:?}")]
    Silent(SocketAddr, Duration),
    /// The request cannot be written.
    #[error("{0}")]
    Request(#[from] http::Error),
    /// The connection failed, or what listens there does not speak HTTP.
    #[error("{0}: {1}")]
    Connection(SocketAddr, String),
}

/// Who listens on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// groundrun.
    Groundrun,
    /// Another program.
    Stranger,
    /// Nobody.
    Nobody,
}

impl Client {
    /// A client of the emulator at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connections: Connections::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends `call` and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, ClientError> {
        self.send_within(DEADLINE, call).await
    }

    /// Who listens there, by its answer to `/healthz`.
    pub async fn probe(&self) -> Listener {
        let health = Call { path: "/healthz", ..Call::default() };
        match self.send_within(PROBE_DEADLINE, health).await {
            Ok(answer) if answer.is_groundrun() => Listener::Groundrun,
            Err(ClientError::Refused(_)) => Listener::Nobody,
            Ok(_) | Err(_) => Listener::Stranger,
        }
    }

    async fn send_within(&self, deadline: Duration, call: Call<'_>) -> Result<Answer, ClientError> {
        let request = self.request(&call)?;
        let exchange = async {
            let response = self.connections.request(request).await.map_err(|error| self.failed(&error))?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| self.failed(&error))?.to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        let silent = |_| ClientError::Silent(self.address, deadline);
        tokio::time::timeout(deadline, exchange).await.map_err(silent)?
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("http://{}{}", self.address, call.path));
        if let Some(host) = call.host {
            request = request.header(HOST, host);
        }
        if let Some(token) = call.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = call.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        request.body(Full::new(body))
    }

    fn failed(&self, error: &(dyn std::error::Error + 'static)) -> ClientError {
        let chain = || std::iter::successors(Some(error), |error| error.source());
        let refused = chain()
            .filter_map(|error| error.downcast_ref::<std::io::Error>())
            .any(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
        if refused {
            return ClientError::Refused(self.address);
        }
        // The outer errors only say that something failed.
        let cause = chain().last().map_or_else(|| error.to_string(), ToString::to_string);
        ClientError::Connection(self.address, cause)
    }
}

impl Answer {
    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The message of a refusal in Google's form, else the body itself.
    pub fn message(&self) -> String {
        let json = self.json();
        match json.pointer("/error/message").and_then(Value::as_str) {
            Some(message) => message.to_owned(),
            None => String::from_utf8_lossy(&self.body).trim().to_owned(),
        }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn is_groundrun(&self) -> bool {
        self.status.is_success() && self.json()["server"] == NAME
    }
}
