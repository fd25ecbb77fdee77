//! Does groundrun keep the figures that it promises?
//!
//! Every figure is taken side by side with a peer that does the same, or the least that can be done, in
//! rounds in which all take their turn: a machine that is busy slows all. `docs/performance.md` has the results.

mod binary;
mod client;
mod contestant;
mod load;
mod machine;
mod measure;
mod peer;
mod pin;
mod process;
mod report;
mod statistics;
mod ticks;
mod tokens;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::measure::Bench;
use crate::report::Report;

/// What stops a measurement.
type Problem = Box<dyn std::error::Error + Send + Sync>;

/// The value, or what stopped the measurement.
type Outcome<T> = Result<T, Problem>;

/// Measures groundrun side by side with its peers
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    /// Few and short rounds: whether it works, not how fast
    #[arg(long)]
    quick: bool,
    /// Also write the tables into docs/performance.md and draw docs/performance.svg
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    markdown: bool,
    /// Measure this program instead of building one
    #[arg(long, value_name = "PROGRAM")]
    binary: Option<PathBuf>,
    /// Where Envoy is, if it is not on the PATH
    #[arg(long, value_name = "PROGRAM", env = "GROUNDRUN_BENCH_ENVOY")]
    envoy: Option<PathBuf>,
    /// Draw the picture into this file, whatever was measured
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Measure only these
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<Part>,
    #[command(subcommand)]
    peer: Option<Peer>,
}

/// The programs to compare with, which the benchmark starts.
#[derive(Debug, Subcommand)]
enum Peer {
    /// A bare server that answers everything with the same bytes
    #[command(hide = true)]
    Bare { listen: SocketAddr, body: Option<PathBuf> },
    /// A server that answers a deployment of gcloud from memory, at once
    #[command(hide = true)]
    Instant { listen: SocketAddr },
    /// What stands behind the proxies
    #[command(hide = true)]
    Backend { listen: SocketAddr, name: String },
    /// What stands behind them for gRPC
    #[command(hide = true)]
    Grpc { listen: SocketAddr },
    /// A byte relay
    #[command(hide = true)]
    Relay { listen: SocketAddr, to: SocketAddr },
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Start to first answer
    Start,
    /// Memory, and the size of the program
    Memory,
    /// A new service until it is ready
    Ready,
    /// `gcloud run deploy`
    Gcloud,
    /// Requests to a private service, behind groundrun and behind its peers
    Requests,
    /// Many services, many bindings
    Scale,
    /// Requests while the API is written to
    Meanwhile,
    /// Bodies up to 100 MB
    Bodies,
    /// Messages through a WebSocket
    Websocket,
    /// Unary calls of gRPC
    Grpc,
    /// Writes to the API, beside a bare disk
    Writes,
    /// Creations beside etcd, reads, replacements
    Control,
    /// Lists of services
    Lists,
    /// Tokens minted over HTTP
    Mint,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.peer {
        Some(Peer::Bare { listen, body }) => peer::bare::run(listen, body.as_deref()),
        Some(Peer::Instant { listen }) => peer::instant::run(listen),
        Some(Peer::Backend { listen, name }) => peer::backend::run(listen, &name),
        Some(Peer::Grpc { listen }) => peer::grpc::run(listen),
        Some(Peer::Relay { listen, to }) => peer::relay::run(listen, to),
        None => run(&cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            report::note(format_args!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Outcome<()> {
    let binary = match &cli.binary {
        Some(binary) => binary.clone(),
        None => binary::build()?,
    };
    let bench = Bench::new(std::path::absolute(binary)?, cli.envoy.clone(), cli.quick)?;
    let wanted = |part| cli.only.is_empty() || cli.only.contains(&part);
    let mut report = Report::new(machine::facts());
    let mut stopped = Vec::new();
    for (part, measure) in measure::PARTS {
        if wanted(*part) {
            report::note(format_args!("measuring: {}", measure::title(*part)));
            report.section(measure::title(*part));
            if let Err(problem) = measure(&bench, &mut report) {
                // The other parts are worth their time all the same.
                let part = measure::title(*part);
                report::note(format_args!("error: {part}: {problem}"));
                report.remark(format_args!("MISSED: this part stopped: {problem}"));
                stopped.push(part);
            }
        }
    }
    report::print(&report);
    if let Some(file) = &cli.svg {
        report.draw(file)?;
    }
    if cli.markdown {
        report.write_markdown()?;
    }
    if stopped.is_empty() { Ok(()) } else { Err(format!("stopped: {}", stopped.join(", ")).into()) }
}
