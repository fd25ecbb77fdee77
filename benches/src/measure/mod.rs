//! What is measured?

mod bodies;
mod control;
mod gcloud;
mod grpc;
mod lists;
mod meanwhile;
mod memory;
mod mint;
mod ready;
mod requests;
mod scale;
mod series;
mod start;
mod websocket;
mod writes;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::client::{Client, SERVICES, service};
use crate::process::Process;
use crate::report::Report;
use crate::statistics::Sample;
use crate::{Outcome, Part};

/// Measures a part.
type Measure = fn(&Bench, &mut Report) -> Outcome<()>;

/// All parts, in the order in which they are measured.
pub(crate) const PARTS: &[(Part, Measure)] = &[
    (Part::Start, start::measure),
    (Part::Memory, memory::measure),
    (Part::Ready, ready::measure),
    (Part::Gcloud, gcloud::measure),
    (Part::Requests, requests::measure),
    (Part::Scale, scale::measure),
    (Part::Meanwhile, meanwhile::measure),
    (Part::Bodies, bodies::measure),
    (Part::Websocket, websocket::measure),
    (Part::Grpc, grpc::measure),
    (Part::Writes, writes::measure),
    (Part::Control, control::measure),
    (Part::Lists, lists::measure),
    (Part::Mint, mint::measure),
];

/// How many services a full directory has, and a very full one.
const SERVICE_COUNT: u64 = 1000;
const MANY_SERVICES: u64 = 10_000;

/// How many clients create them.
const CLIENTS: u64 = 10;

/// What every measurement needs.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) binary: PathBuf,
    /// Where Envoy is, if it was said.
    pub(crate) envoy: Option<PathBuf>,
    pub(crate) quick: bool,
    /// On the disk of the program: a temporary directory may be in memory, where a write costs nothing.
    pub(crate) home: TempDir,
    pub(crate) runtime: Runtime,
}

impl Bench {
    /// Prepares to measure `binary`.
    pub(crate) fn new(binary: PathBuf, envoy: Option<PathBuf>, quick: bool) -> Outcome<Self> {
        let disk = binary.parent().unwrap_or(Path::new("."));
        let home = tempfile::Builder::new().prefix("groundrun-bench-").tempdir_in(disk)?;
        Ok(Self { home, quick, binary, envoy, runtime: Runtime::new()? })
    }

    /// How many rounds to play: `full`, or few.
    fn rounds(&self, full: usize) -> usize {
        if self.quick { full.min(3) } else { full }
    }

    /// How long one round of load takes.
    fn round(&self) -> Duration {
        if self.quick { Duration::from_millis(200) } else { Duration::from_secs(1) }
    }

    /// How many services stand for very many: a short run does not wait for them.
    fn many(&self) -> u64 {
        if self.quick { SERVICE_COUNT } else { MANY_SERVICES }
    }

    /// Starts groundrun on a data directory of this name.
    fn groundrun(&self, data_dir: &str) -> Outcome<Process> {
        let home = self.home.path();
        Process::groundrun(&self.binary, home, &home.join(data_dir))
    }

    /// A data directory of this name with this many services, and the key.
    fn fill(&self, data_dir: &str, count: u64) -> Outcome<()> {
        let server = self.groundrun(data_dir)?.ready()?;
        self.create(&server, count)?;
        server.stop()
    }

    /// Makes `data_dir` one with so many services. They are created once in a run, and copied from then on.
    pub(crate) fn provide(&self, data_dir: &Path, count: u64) -> Outcome<()> {
        let name = format!("services-{count}");
        let original = self.home.path().join(&name);
        if !original.exists() {
            self.fill(&name, count)?;
        }
        std::fs::create_dir_all(data_dir)?;
        for entry in std::fs::read_dir(original)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), data_dir.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// Creates services, ten at a time.
    fn create(&self, server: &Process, count: u64) -> Outcome<()> {
        self.runtime.block_on(async {
            let clients = (0..CLIENTS).map(|first| tokio::spawn(create(server.address, first, count)));
            for client in clients.collect::<Vec<_>>() {
                client.await??;
            }
            Ok(())
        })
    }
}

/// Creates every tenth service, from the one of the number `first` on.
async fn create(address: SocketAddr, first: u64, count: u64) -> Outcome<()> {
    let mut client = Client::connect(address).await?;
    for number in (first..count).step_by(CLIENTS as usize) {
        let body = service(&format!("service-{number}"), number);
        client.call(Method::POST, SERVICES, Some(&body)).await?;
    }
    Ok(())
}

/// What a part is about.
pub(crate) fn title(part: Part) -> &'static str {
    match part {
        Part::Start => "start to first answer",
        Part::Memory => "memory and size",
        Part::Ready => "a new service until it is ready",
        Part::Gcloud => "gcloud run deploy",
        Part::Requests => "requests to a private service",
        Part::Scale => "many services, many bindings",
        Part::Meanwhile => "requests while the API is written to",
        Part::Bodies => "bodies",
        Part::Websocket => "WebSocket",
        Part::Grpc => "gRPC",
        Part::Writes => "writes to the API",
        Part::Control => "creations, reads and replacements at the API",
        Part::Lists => "lists at the API",
        Part::Mint => "tokens minted over HTTP",
    }
}

/// The middle, the 95th percentile and the least, of milliseconds.
fn median_p95_min(sample: &Sample) -> String {
    let (median, p95, min) = (sample.median(), sample.percentile(95.0), sample.min());
    format!("{median:.1} ms (p95 {p95:.1}, min {min:.1})")
}

/// The middle and the spread, with this many decimals.
fn spread(sample: &Sample, decimals: usize, unit: &str) -> String {
    let (median, min, max) = (sample.median(), sample.min(), sample.max());
    format!("{median:.decimals$} {unit} ({min:.decimals$} to {max:.decimals$})")
}
