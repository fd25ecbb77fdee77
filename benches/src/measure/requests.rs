//! How much do the checks of a private service cost a request?

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request, Uri};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Bench, spread};
use crate::client::{Client, SERVICES, service};
use crate::process::Process;
use crate::report::{Report, Row};
use crate::statistics::{Sample, ratios};
use crate::{Outcome, load, ticks};

const CONNECTIONS: u64 = 32;
const CALLER: &str = "caller@demo-project.iam.gserviceaccount.com";
const POLICIES: &str = "/v1/projects/demo-project/locations/us-central1/services";

/// A request that is let in.
#[derive(Debug, Clone)]
struct Admitted {
    host: String,
    authorization: Option<String>,
}

/// What one server did in each round.
#[derive(Debug, Default)]
struct Rounds {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    cpu: Vec<f64>,
}

/// Calls a private service with a valid token, a public one without any, and the bare server that
/// answers the same bytes, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let server = bench.groundrun("requests")?.ready()?;
    let (private, body) = bench.runtime.block_on(prepare(server.address, "private", Some(CALLER)))?;
    let (public, _) = bench.runtime.block_on(prepare(server.address, "public", None))?;
    let file = bench.home.path().join("body");
    std::fs::write(&file, body)?;
    let bare = Process::peer("bare", bench.home.path(), Some(file.as_os_str()))?.ready()?;
    let (mut ours, mut open, mut peer) = (Rounds::default(), Rounds::default(), Rounds::default());
    for _ in 0..bench.rounds(7) {
        ours.play(bench, &server, &private)?;
        open.play(bench, &server, &public)?;
        peer.play(bench, &bare, &private)?;
    }
    report.add(row("private service: requests a second", &ours.rate, &peer.rate, 0, "/s"));
    report.add(row("private service: p50", &ours.p50, &peer.p50, 2, "ms"));
    report.add(row("private service: p99", &ours.p99, &peer.p99, 2, "ms"));
    report.add(row("private service: processor time a request", &ours.cpu, &peer.cpu, 1, "µs"));
    report.add(row("public service, no token: requests a second", &open.rate, &peer.rate, 0, "/s"));
    report.add(row("public service, no token: processor time a request", &open.cpu, &peer.cpu, 1, "µs"));
    Ok(())
}

fn row(figure: &str, ours: &[f64], bare: &[f64], decimals: usize, unit: &str) -> Row {
    let sample = |values: &[f64]| spread(&Sample::new(values.to_vec()), decimals, unit);
    Row {
        figure: format!("{CONNECTIONS} connections, {figure}"),
        ours: sample(ours),
        peer: format!("{}, bare server", sample(bare)),
        against: format!("× {:.2}", ratios(ours, bare).median()),
        target: String::new(),
    }
}

impl Rounds {
    fn play(&mut self, bench: &Bench, server: &Process, admitted: &Admitted) -> Outcome<()> {
        let before = ticks::cpu_seconds(server.id())?;
        let admitted = admitted.clone();
        let call = move |_, _| admitted.request();
        let burst = bench.runtime.block_on(load::press(server.address, CONNECTIONS, bench.round(), call))?;
        let used = ticks::cpu_seconds(server.id())? - before;
        self.rate.push(burst.rate);
        self.p50.push(burst.latency.percentile(50.0));
        self.p99.push(burst.latency.percentile(99.0));
        self.cpu.push(used * 1e6 / burst.count as f64);
        Ok(())
    }
}

impl Admitted {
    fn request(&self) -> Outcome<Request<Full<Bytes>>> {
        let mut request = Request::get("/").header(HOST, &self.host);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        Ok(request.body(Full::default())?)
    }
}

/// Makes a service that lets `caller` in, or everybody; with its answer.
async fn prepare(address: SocketAddr, name: &str, caller: Option<&str>) -> Outcome<(Admitted, Bytes)> {
    let mut client = Client::connect(address).await?;
    client.call(Method::POST, SERVICES, Some(&service(name, 0))).await?;
    let member = caller.map_or_else(|| "allUsers".to_owned(), |caller| format!("serviceAccount:{caller}"));
    let policy = json!({ "policy": { "bindings": [{ "role": "roles/run.invoker", "members": [member] }] } });
    client.call(Method::POST, &format!("{POLICIES}/{name}:setIamPolicy"), Some(&policy)).await?;
    let found = client.settled(name).await?;
    let url = text(&found, "/status/url")?;
    let mut authorization = None;
    if let Some(caller) = caller {
        let mint = format!("/v1/projects/-/serviceAccounts/{caller}:generateIdToken");
        let minted = client.call(Method::POST, &mint, Some(&json!({ "audience": url }))).await?;
        authorization = Some(format!("Bearer {}", text(&minted, "/token")?));
    }
    let host = url.parse::<Uri>()?.authority().ok_or("the URL has no host")?.to_string();
    let admitted = Admitted { host, authorization };
    let answer = client.send(admitted.request()?).await?;
    Ok((admitted, answer.into_body()))
}

fn text<'j>(json: &'j Value, pointer: &str) -> Outcome<&'j str> {
    json.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer} in {json}").into())
}
