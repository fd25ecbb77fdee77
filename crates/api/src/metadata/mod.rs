//! How does the metadata server speak?
//!
//! What it says is decided in `groundrun_model::metadata`; this reads the request, has tokens made and writes
//! the answer with the headers that clients look for.

mod render;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use groundrun_engine::Engine;
use groundrun_model::Result;
use groundrun_model::account::Account;
use groundrun_model::metadata::{self, Found, Query, Refusal, Workload};
use http::{HeaderMap, Method, Request, Response, Uri};
use serde_json::json;
use tokio::time::Instant;

/// The pause between two looks at what a client waits for. What may change is rare: an account that is
/// created, deleted or disabled.
const PAUSE: Duration = Duration::from_millis(500);

/// The metadata server as one workload sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MetadataServer {
    engine: Engine,
    workload: Arc<Workload>,
}

impl MetadataServer {
    /// The metadata server for `workload`.
    pub fn new(engine: Engine, workload: Workload) -> Self {
        Self { engine, workload: Arc::new(workload) }
    }

    /// The same for another workload.
    #[must_use]
    pub fn of(self, workload: Workload) -> Self {
        Self { workload: Arc::new(workload), ..self }
    }

    /// The metadata server to which a request for this port of this machine is addressed, if it came by
    /// way of the emulator as a proxy: gcloud sends there what is meant for the port of a workload.
    #[must_use]
    pub fn at(self, port: Option<u16>) -> Self {
        match port.and_then(|port| self.engine.workload_at(port)) {
            Some(workload) => self.of(workload),
            None => self,
        }
    }

    /// The answer to a request. Its body is not looked at.
    pub async fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        match self.found(method, uri, headers).await {
            Ok(response) => response,
            Err(error) => render::failure(&error),
        }
    }

    async fn found(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Response<Body>> {
        let asked = Asked::read(method, uri, headers);
        let (found, account) = self.look_until_changed(&asked).await?;
        Ok(match (found, account) {
            (Found::Token { scopes }, Some(account)) => {
                let token = self.engine.workload_access_token(&account, &scopes).await?;
                render::token(&json!({
                    "access_token": token.token,
                    "expires_in": self.engine.seconds_until(token.expires),
                    "token_type": "Bearer",
                }))
            }
            (Found::Identity { audience, .. }, Some(account)) => {
                render::id_token(self.engine.workload_id_token(&account, &audience).await?)
            }
            // There is no path to a token without an account; were there one, it would be this.
            (Found::Token { .. } | Found::Identity { .. }, None) => {
                render::refusal(Refusal::NotFound, &asked.path)
            }
            (Found::Redirect(path), _) => render::redirect(&path, uri.query()),
            (Found::Refused(refusal), _) => render::refusal(refusal, &asked.path),
            (found @ (Found::Listing(_) | Found::Text(_) | Found::Json(_)), _) => render::value(&found),
        })
    }

    /// What is found, and for which account; after a change, if the request waits for one and it comes
    /// in time.
    async fn look_until_changed(&self, asked: &Asked) -> Result<(Found, Option<Account>)> {
        let etag = |found: &Found| render::content(found).map(|content| metadata::etag(&content));
        let mut looked = self.look(asked).await?;
        let Some(known) = etag(&looked.0) else { return Ok(looked) };
        let Some(seconds) = asked.query.patience_seconds(&known) else { return Ok(looked) };
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let mut stopping = self.engine.stopping();
        while etag(&looked.0).as_ref() == Some(&known) && Instant::now() < deadline {
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => break,
                () = tokio::time::sleep_until(deadline.min(Instant::now() + PAUSE)) => {}
            }
            looked = self.look(asked).await?;
        }
        Ok(looked)
    }

    async fn look(&self, asked: &Asked) -> Result<(Found, Option<Account>)> {
        let account = match metadata::needs_account(&asked.path) {
            true => self.engine.workload_account(&self.workload).await?,
            false => None,
        };
        let email = account.as_ref().map(|account| account.email.as_str());
        Ok((metadata::answer(&self.workload, email, asked.request()), account))
    }
}

/// What a request says.
struct Asked {
    reads: bool,
    flavor: Option<String>,
    forwarded: bool,
    path: String,
    query: Query,
}

impl Asked {
    fn read(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let flavor = headers.get(metadata::FLAVOR_HEADER).and_then(|flavor| flavor.to_str().ok());
        Self {
            reads: [Method::GET, Method::HEAD].contains(method),
            flavor: flavor.map(str::to_owned),
            forwarded: headers.contains_key("x-forwarded-for"),
            path: percent_encoding::percent_decode_str(uri.path()).decode_utf8_lossy().into_owned(),
            query: Query::read(&pairs),
        }
    }

    fn request(&self) -> metadata::Request<'_> {
        metadata::Request {
            reads: self.reads,
            flavor: self.flavor.as_deref(),
            forwarded: self.forwarded,
            path: &self.path,
            query: &self.query,
        }
    }
}
