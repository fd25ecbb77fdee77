//! What stands behind all contestants, and who may call it?
//!
//! A private and a public service of two revisions each, 90 to 10, and one of gRPC. groundrun holds them as
//! services; the peers get the same as configurations.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Uri};
use serde_json::{Value, json};

use super::{Contestant, Kind};
use crate::client::{Client, POLICIES, SERVICES, mint, text};
use crate::measure::Bench;
use crate::process::Process;
use crate::tokens::{KEY_ID, Signer};
use crate::{Outcome, report};

/// What the backends answer.
pub(crate) const BLUE: &str = "hello, blue!\n";
pub(crate) const GOLD: &str = "hello, gold!\n";

/// Who may call, and who may not.
pub(crate) const CALLER: &str = "caller@demo-project.iam.gserviceaccount.com";

/// Where groundrun publishes its keys.
const KEYS: &str = "/oauth2/v3/certs";

/// Audiences of the private service beside its URL.
const CUSTOM: [&str; 2] = ["https://bench.example.com", "bench"];

/// A service as its callers know it.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    /// Its host.
    pub(crate) host: String,
    /// Its URL, for which tokens are made.
    pub(crate) url: String,
}

/// The backends, the services and the key.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) blue: Process,
    pub(crate) gold: Process,
    pub(crate) grpc: Process,
    pub(crate) private: Admitted,
    pub(crate) public: Admitted,
    pub(crate) echo: Admitted,
    pub(crate) signer: Signer,
    /// The claims of a token as groundrun mints it.
    pub(crate) claims: Value,
    /// The keys that groundrun publishes, of which one is the signer's.
    keys: Value,
    /// Where Envoy is, if it was said.
    pub(crate) envoy: Option<PathBuf>,
    directory: PathBuf,
}

impl Site {
    /// Starts the backends and groundrun, and creates the services.
    ///
    /// # Errors
    /// groundrun does not do what it should.
    pub(crate) fn new(bench: &Bench, name: &str) -> Outcome<(Self, Contestant)> {
        let directory = bench.home.path().join(name);
        std::fs::create_dir_all(&directory)?;
        let backend =
            |kind: &str, answer: &str| Process::peer(kind, &directory, Some(answer.as_ref()))?.listening();
        let (blue, gold) = (backend("backend", BLUE)?, backend("backend", GOLD)?);
        let grpc = Process::peer("grpc", &directory, None)?.listening()?;
        let signer = Signer::new()?;
        std::fs::write(directory.join("public.pem"), signer.pem()?)?;
        let rule = |image: &str, at: &Process| {
            format!("- {{ image: \"{image}\", url: \"http://{}\" }}\n", at.address)
        };
        let rules = [rule("bench/gold", &gold), rule("bench/grpc", &grpc), rule("*", &blue)].concat();
        std::fs::write(directory.join("groundrun.yaml"), format!("urlStyle: hosted\nrules:\n{rules}"))?;
        let groundrun = start(bench, &directory, &directory.join("data"))?;
        let address = groundrun.address;
        let (private, public, echo, claims, keys) = bench.runtime.block_on(async {
            let mut client = Client::connect(address).await?;
            let private =
                split_service(&mut client, "private", &[&format!("serviceAccount:{CALLER}")]).await?;
            let public = split_service(&mut client, "public", &["allUsers"]).await?;
            let echo = echo_service(&mut client).await?;
            let claims = claims(&mint(&mut client, CALLER, &private.url).await?)?;
            let keys = client.call(Method::GET, KEYS, None).await?;
            Outcome::Ok((private, public, echo, claims, keys))
        })?;
        let envoy = bench.envoy.clone();
        let site = Self { blue, gold, grpc, private, public, echo, signer, claims, keys, envoy, directory };
        let contestant = Contestant::groundrun(groundrun);
        // What others are measured against must itself do all that is asked of them.
        super::parity::check(&contestant, &site).map_err(|problem| format!("groundrun: {problem}"))?;
        report::note("groundrun does what is asked of its peers");
        Ok((site, contestant))
    }

    /// Starts another groundrun in front of the same backends, on the data directory that has so many
    /// services, and with a private one that these members may call.
    ///
    /// # Errors
    /// groundrun does not do what it should.
    pub(crate) fn more(
        &self,
        bench: &Bench,
        name: &str,
        services: u64,
        members: &[&str],
    ) -> Outcome<(Contestant, Admitted)> {
        let data_dir = self.directory.join(name);
        bench.provide(&data_dir, services)?;
        let groundrun = start(bench, &self.directory, &data_dir)?;
        let private = bench.runtime.block_on(async {
            let mut client = Client::connect(groundrun.address).await?;
            split_service(&mut client, "private", members).await
        })?;
        Ok((Contestant::groundrun(groundrun), private))
    }

    /// The directory of a contestant.
    pub(super) fn directory(&self, name: &str) -> Outcome<PathBuf> {
        let directory = self.directory.join(name);
        std::fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// All audiences of the private service.
    pub(super) fn audiences(&self) -> Vec<&str> {
        std::iter::once(self.private.url.as_str()).chain(CUSTOM).collect()
    }

    /// A token of the caller for the service at `url`.
    ///
    /// # Errors
    /// The key does not sign.
    pub(crate) fn token_for(&self, url: &str) -> Outcome<String> {
        self.token_with("aud", json!(url))
    }

    /// A token of the caller, with one claim changed.
    pub(super) fn token_with(&self, claim: &str, value: Value) -> Outcome<String> {
        let mut claims = self.claims.clone();
        claims[claim] = value;
        self.signer.sign(&claims)
    }

    /// The words that stand in a configuration.
    pub(super) fn words(
        &self,
        kind: Kind,
        directory: &Path,
        listen: SocketAddr,
        grpc: SocketAddr,
    ) -> Outcome<Vec<(&'static str, String)>> {
        let (between, members) = match kind {
            Kind::Envoy | Kind::Nginx => (", ", format!("\"{CALLER}\"")),
            _ => (" ", CALLER.to_owned()),
        };
        let audiences: Vec<_> = self.audiences().iter().map(|audience| format!("\"{audience}\"")).collect();
        let issuer = text(&self.claims, "/iss")?;
        Ok(vec![
            ("LISTEN", listen.to_string()),
            ("PORT", listen.port().to_string()),
            ("GRPC_LISTEN", grpc.to_string()),
            ("BLUE", self.blue.address.to_string()),
            ("GOLD", self.gold.address.to_string()),
            ("GRPC", self.grpc.address.to_string()),
            ("BLUE_PORT", self.blue.address.port().to_string()),
            ("GOLD_PORT", self.gold.address.port().to_string()),
            ("GRPC_PORT", self.grpc.address.port().to_string()),
            ("PRIVATE_HOST", self.private.host.clone()),
            ("PUBLIC_HOST", self.public.host.clone()),
            ("GRPC_HOST", self.echo.host.clone()),
            ("ISSUER", issuer.to_owned()),
            ("AUDIENCES", audiences.join(between)),
            ("MEMBERS", members),
            ("JWKS", self.keys.to_string()),
            ("PEM", self.directory.join("public.pem").display().to_string()),
            ("DIR", directory.display().to_string()),
        ])
    }
}

impl Admitted {
    /// A request as it goes over the wire, with these further lines of its head.
    pub(crate) fn get(&self, path: &str, lines: &str) -> Bytes {
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{lines}\r\n", self.host).into()
    }

    /// The same for each of these tokens.
    pub(crate) fn get_with(&self, tokens: &[String]) -> Rc<[Bytes]> {
        tokens.iter().map(|token| self.get("/", &format!("authorization: Bearer {token}\r\n"))).collect()
    }

    /// A request that sends a body.
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Bytes {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n", self.host, body.len());
        [head.as_bytes(), body].concat().into()
    }
}

/// Starts groundrun on its core, with the backends as revisions, and lets it trust the key.
fn start(bench: &Bench, directory: &Path, data_dir: &Path) -> Outcome<Process> {
    let groundrun = Process::pinned_groundrun(&bench.binary, directory, data_dir)?.ready()?;
    import_key(bench, groundrun.address, &directory.join("public.pem"))?;
    Ok(groundrun)
}

/// Lets groundrun trust the key of the benchmark.
fn import_key(bench: &Bench, address: SocketAddr, pem: &Path) -> Outcome<()> {
    let output = std::process::Command::new(&bench.binary)
        .args(["keys", "import", "--listen", &address.to_string(), "--kid", KEY_ID, "--pem"])
        .arg(pem)
        .env_clear()
        .current_dir(bench.home.path())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("groundrun keys import: {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// A service of two revisions, of which the first gets 90 % of the requests.
async fn split_service(client: &mut Client, name: &str, members: &[&str]) -> Outcome<Admitted> {
    let mut body = service(name, "blue", json!({}));
    client.call(Method::POST, SERVICES, Some(&body)).await?;
    client.settled(name).await?;
    body = service(name, "gold", json!({}));
    body["spec"]["traffic"] = json!([
        { "revisionName": format!("{name}-blue"), "percent": 90 },
        { "revisionName": format!("{name}-gold"), "percent": 10 },
    ]);
    client.call(Method::PUT, &format!("{SERVICES}/{name}"), Some(&body)).await?;
    admit(client, name, members).await
}

async fn echo_service(client: &mut Client) -> Outcome<Admitted> {
    let body = service("echo", "grpc", json!({ "ports": [{ "name": "h2c", "containerPort": 8080 }] }));
    client.call(Method::POST, SERVICES, Some(&body)).await?;
    admit(client, "echo", &["allUsers"]).await
}

/// Sets who may call, and waits until the service is ready.
async fn admit(client: &mut Client, name: &str, members: &[&str]) -> Outcome<Admitted> {
    let policy = json!({ "policy": { "bindings": [{ "role": "roles/run.invoker", "members": members }] } });
    client.call(Method::POST, &format!("{POLICIES}/{name}:setIamPolicy"), Some(&policy)).await?;
    let found = client.settled(name).await?;
    let url = text(&found, "/status/url")?.to_owned();
    let host = url.parse::<Uri>()?.authority().ok_or("the URL has no host")?.to_string();
    Ok(Admitted { host, url })
}

/// A service whose image names its backend.
fn service(name: &str, backend: &str, more: Value) -> Value {
    let mut container = json!({ "image": format!("bench/{backend}") });
    for (key, value) in more.as_object().into_iter().flatten() {
        container[key] = value.clone();
    }
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "demo-project",
            "annotations": { "run.googleapis.com/custom-audiences": json!(CUSTOM).to_string() },
        },
        "spec": { "template": {
            "metadata": { "name": format!("{name}-{backend}") },
            "spec": { "containers": [container] },
        } },
    })
}

/// The claims of a token.
fn claims(token: &str) -> Outcome<Value> {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).ok_or("no token")?;
    Ok(serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?)?)
}
