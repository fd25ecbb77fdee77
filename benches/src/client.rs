//! How does the benchmark speak to a server?

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Outcome;

/// Where the services of the benchmark are, as gcloud has them.
pub(crate) const SERVICES: &str = "/apis/serving.knative.dev/v1/namespaces/demo-project/services";

/// Where their policies are.
pub(crate) const POLICIES: &str = "/v1/projects/demo-project/locations/us-central1/services";

/// How long a service may take to become ready.
const DEADLINE: Duration = Duration::from_secs(10);

/// One connection that is kept.
#[derive(Debug)]
pub(crate) struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // A broken connection shows at the next request.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, host: address.to_string() })
    }

    /// Sends a request; the status of its answer and its body as text.
    pub(crate) async fn answer(&mut self, request: Request<Full<Bytes>>) -> Outcome<(u16, String)> {
        let (head, body) = self.exchange(request).await?.into_parts();
        Ok((head.status.as_u16(), String::from_utf8_lossy(&body).into_owned()))
    }

    /// Sends a request and reads the whole answer, which must be a 200.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Outcome<Response<Bytes>> {
        let answer = self.exchange(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(format!("{}: {}", answer.status(), String::from_utf8_lossy(answer.body())).into());
        }
        Ok(answer)
    }

    async fn exchange(&mut self, mut request: Request<Full<Bytes>>) -> Outcome<Response<Bytes>> {
        if !request.headers().contains_key(HOST) {
            request.headers_mut().insert(HOST, self.host.parse()?);
        }
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    /// Calls the API and reads its JSON.
    pub(crate) async fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let answer = self.send(request(method, path, body)?).await?;
        Ok(serde_json::from_slice(answer.body())?)
    }

    /// The service of this name, asked for again and again until it is ready.
    pub(crate) async fn settled(&mut self, name: &str) -> Outcome<Value> {
        let (path, start) = (format!("{SERVICES}/{name}"), Instant::now());
        while start.elapsed() < DEADLINE {
            let service = self.call(Method::GET, &path, None).await?;
            if is_ready(&service) {
                return Ok(service);
            }
        }
        Err(format!("{name} is not ready after {DEADLINE:?}").into())
    }
}

/// A request of the owner to the API.
pub(crate) fn request(method: Method, path: &str, body: Option<&Value>) -> Outcome<Request<Full<Bytes>>> {
    let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, "Bearer owner");
    Ok(request.header(CONTENT_TYPE, "application/json").body(Full::new(bytes))?)
}

/// A service as gcloud writes it, with the value of one variable.
pub(crate) fn service(name: &str, value: u64) -> Value {
    serde_json::json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": { "name": name, "namespace": "demo-project" },
        "spec": { "template": { "spec": { "containers": [{
            "image": "us-docker.pkg.dev/cloudrun/container/hello",
            "env": [{ "name": "VALUE", "value": value.to_string() }],
        }] } } },
    })
}

/// An ID token of `account` for `audience`.
///
/// # Errors
/// The API refuses.
pub(crate) async fn mint(client: &mut Client, account: &str, audience: &str) -> Outcome<String> {
    let path = format!("/v1/projects/-/serviceAccounts/{account}:generateIdToken");
    let body = serde_json::json!({ "audience": audience, "includeEmail": true });
    Ok(text(&client.call(Method::POST, &path, Some(&body)).await?, "/token")?.to_owned())
}

/// The string that `pointer` points at.
///
/// # Errors
/// There is none.
pub(crate) fn text<'j>(json: &'j Value, pointer: &str) -> Outcome<&'j str> {
    json.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer} in {json}").into())
}

fn is_ready(service: &Value) -> bool {
    let conditions = service.pointer("/status/conditions").and_then(Value::as_array);
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    conditions.into_iter().flatten().any(ready)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_ready;

    #[test]
    fn only_the_condition_ready_counts() {
        let of = |kind, status| json!({ "status": { "conditions": [{ "type": kind, "status": status }] } });
        assert!(is_ready(&of("Ready", "True")));
        assert!(!is_ready(&of("Ready", "Unknown")));
        assert!(!is_ready(&of("RoutesReady", "True")));
        assert!(!is_ready(&json!({})));
    }
}
