//! Where do the calls of a test go? To the door of gRPC on a port of its own, behind which answers are canned.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::middleware::from_fn_with_state;
use groundrun_model::Result;
use http::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::grpc::serve::{Callee, door};

/// A client that speaks HTTP/2 from the first byte.
pub(super) type H2c = Client<HttpConnector, tonic::body::Body>;

/// What was asked: the bearer token, the method and the request.
pub(super) type Asked = (Option<String>, &'static str, Value);

/// Gives the same answer to every call, and remembers what was asked.
#[derive(Clone)]
pub(super) struct Canned {
    answer: Result<Value>,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopping: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Canned {
    pub(super) fn new(answer: Result<Value>) -> Self {
        Self { answer, asked: Arc::default(), stopping: Arc::default() }
    }

    /// Says that the server is about to stop.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What the API is, as far as gRPC goes.
    pub(super) fn router(&self) -> Router {
        Router::new().fallback(|| async { "not gRPC" }).layer(from_fn_with_state(self.clone(), door::<Self>))
    }

    /// The API on a port of its own: a client, and the address.
    pub(super) async fn serve(&self) -> (H2c, Uri) {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let router = self.router();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = TowerToHyperService::new(router.clone());
                tokio::spawn(async move {
                    let builder = auto::Builder::new(TokioExecutor::new());
                    builder.serve_connection(TokioIo::new(stream), service).await
                });
            }
        });
        (Client::builder(TokioExecutor::new()).http2_only(true).build_http(), origin)
    }
}

impl Callee for Canned {
    fn call(
        self,
        bearer: Option<String>,
        method: &'static str,
        request: Value,
    ) -> impl Future<Output = Result<Value>> + Send {
        self.asked.lock().unwrap().push((bearer, method, request));
        std::future::ready(self.answer)
    }

    fn stopping(&self) -> tokio::sync::watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}
