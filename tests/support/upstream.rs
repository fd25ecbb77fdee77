//! What stands for a container? A server of the story's own: one that speaks HTTP/1.1 and h2c as it is told,
//! or one that says any bytes at all.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use groundrun_model::rule::{RuleEntry, Rules};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::http_client::Ask;
use crate::{Owner, World};

/// The body of a response of an upstream, or of a request to it.
pub type UpstreamBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// A server on a port of its own. It goes when the story ends.
#[derive(Debug, Clone)]
pub struct Upstream {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

/// One that is counted as long as it is there.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Upstream {
    /// A server that answers with what `answer` says, over either protocol.
    pub async fn http<F, R>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<UpstreamBody>> + Send + 'static,
    {
        Self::with_streams(200, answer).await
    }

    /// The same, with this many streams on a connection of HTTP/2.
    pub async fn with_streams<F, R>(most: u32, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<UpstreamBody>> + Send + 'static,
    {
        Self::raw(move |stream| {
            let answer = answer.clone();
            async move {
                let service = service_fn(move |request| {
                    let response = answer(request);
                    async { Ok::<_, Infallible>(response.await) }
                });
                let mut builder = auto::Builder::new(TokioExecutor::new());
                builder.http2().max_concurrent_streams(most);
                let io = TokioIo::new(stream);
                // A connection that a story breaks off is no fault of this server.
                let _ = builder.serve_connection_with_upgrades(io, service).await;
            }
        })
        .await
    }

    /// A server that does with each connection what `talk` says.
    pub async fn raw<F, R>(talk: F) -> Self
    where
        F: Fn(TcpStream) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = Self { address, accepted: Arc::default(), open: Arc::default() };
        let (accepted, open) = (Arc::clone(&upstream.accepted), Arc::clone(&upstream.open));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                open.fetch_add(1, Ordering::SeqCst);
                let counted = Counted(Arc::clone(&open));
                let talking = talk(stream);
                tokio::spawn(async move {
                    talking.await;
                    drop(counted);
                });
            }
        });
        upstream
    }

    /// A server that is not there: its port was free a moment ago.
    pub async fn absent() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        Self { address, accepted: Arc::default(), open: Arc::default() }
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    fn rules(&self) -> Rules {
        let entry = RuleEntry { image: "*".to_owned(), url: format!("http://{}", self.address) };
        Rules::read(&[entry]).unwrap()
    }
}

/// A world with one public service, for which an upstream answers.
#[derive(Debug)]
pub struct Site {
    /// The world.
    pub world: World,
    /// What answers.
    pub upstream: Upstream,
    /// The host of the service.
    pub host: String,
}

impl Site {
    /// The service `hello`, as `change` changes it.
    pub async fn with(upstream: Upstream, change: impl FnOnce(&mut Value)) -> Self {
        let world = World::with(|options| options.rules = upstream.rules()).await;
        let mut service = Owner::service("hello");
        service["metadata"]["annotations"]["run.googleapis.com/invoker-iam-disabled"] = "true".into();
        change(&mut service);
        let ready = world.owner().deploy_as(&service).await;
        let url = ready["status"]["url"].as_str().unwrap();
        let host = url.split_once("://").unwrap().1.to_owned();
        Self { world, upstream, host }
    }

    /// A service whose container speaks HTTP/1.1.
    pub async fn new(upstream: Upstream) -> Self {
        Self::with(upstream, |_| ()).await
    }

    /// A service whose container speaks h2c.
    pub async fn h2c(upstream: Upstream) -> Self {
        Self::with(upstream, port_h2c).await
    }

    /// A service whose requests may take this many seconds.
    pub async fn with_timeout(upstream: Upstream, seconds: u32) -> Self {
        Self::with(upstream, |service| service["spec"]["template"]["spec"]["timeoutSeconds"] = seconds.into())
            .await
    }

    /// Begins a request to the service.
    pub fn ask(&self, method: Method, path: &str) -> Ask {
        self.world.ask(method, path).host(&self.host)
    }

    /// Begins a GET.
    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    /// A connection to the emulator.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.world.address()).await.unwrap()
    }

    /// A connection that speaks HTTP/1.1.
    pub async fn http1(&self) -> http1::SendRequest<UpstreamBody> {
        let (sender, connection) = http1::handshake(TokioIo::new(self.connect().await)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// A connection that speaks HTTP/2.
    pub async fn http2(&self) -> http2::SendRequest<UpstreamBody> {
        let io = TokioIo::new(self.connect().await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Sends a request over a connection of its own, and returns when the response has begun.
    ///
    /// # Errors
    /// There was no response.
    pub async fn begin(
        &self,
        is_http2: bool,
        request: Request<UpstreamBody>,
    ) -> hyper::Result<Response<Incoming>> {
        if is_http2 {
            self.http2().await.send_request(request).await
        } else {
            self.http1().await.send_request(request).await
        }
    }

    /// A request as it is written in this protocol.
    pub fn request(
        &self,
        is_http2: bool,
        method: Method,
        path: &str,
        body: UpstreamBody,
    ) -> Request<UpstreamBody> {
        let builder = Request::builder().method(method);
        let builder = if is_http2 {
            builder.uri(format!("http://{}{path}", self.host))
        } else {
            builder.uri(path).header("host", &self.host)
        };
        builder.body(body).unwrap()
    }
}

/// Names the port of the only container so that it speaks h2c.
fn port_h2c(service: &mut Value) {
    service["spec"]["template"]["spec"]["containers"][0]["ports"] =
        serde_json::json!([{ "name": "h2c", "containerPort": 8080 }]);
}

/// A body of these bytes.
pub fn bytes_body(bytes: impl Into<Bytes>) -> UpstreamBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// No body.
pub fn empty_body() -> UpstreamBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body of the pieces that are sent into it; an error breaks it off, trailers may end it.
pub fn chunks_body() -> (mpsc::Sender<std::io::Result<Frame<Bytes>>>, UpstreamBody) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Pieces(receiver).boxed_unsync())
}

/// The frames of a channel.
struct Pieces(mpsc::Receiver<std::io::Result<Frame<Bytes>>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx)
    }
}
