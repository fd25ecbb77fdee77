//! How fast is the control plane: creations that survive, reads, and replacements late in a service's life?

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http::Method;

use super::Bench;
use super::series::{Series, figure, median, ratio, times};
use crate::Outcome;
use crate::client::{Client, SERVICES, request, service};
use crate::contestant::program;
use crate::load::Burst;
use crate::pin::{self, Pinned};
use crate::process::{Process, free_address};
use crate::report::{Report, Row, at_least, at_most};
use crate::statistics::Sample;
use crate::wire::{self, Load};

/// How many create at the same time.
const CLIENTS: usize = 32;

/// How many reads a second one core must take.
const READS: f64 = 10_000.0;

/// How many revisions the two services have, and how often both are replaced.
const YOUNG: u64 = 10;
const OLD: u64 = 1000;
const REPLACED: usize = 30;

/// Measures each on a server of its own.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    creations(bench, report)?;
    reads(bench, report)?;
    replacements(bench, report)
}

/// Creates services and puts values into etcd, in turn.
fn creations(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let server = pinned(bench, "creations")?;
    let etcd = start_etcd(bench)?;
    let size = service("service-0", 0).to_string().len();
    let (mut created, mut put) = (Series::default(), Series::default());
    let (mut number, mut key) = (0, 0);
    for round in 0..bench.rounds(7) {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                created.play(Some(server.id()), || create(bench, &server, &mut number))?;
            } else if let Some(etcd) = &etcd {
                put.play(Some(etcd.id()), || {
                    wire::etcd::press(etcd.address, CLIENTS, size, bench.round(), &mut key)
                })?;
            }
        }
    }
    let against = ratio(&created.rate, &put.rate);
    let told = |series: &Series| {
        format!("{} /s, p99 {} ms", figure(median(&series.rate), 0), figure(median(&series.p99), 1))
    };
    report.add(Row {
        figure: format!("POST service, {CLIENTS} clients, durable"),
        ours: told(&created),
        peer: etcd.map_or_else(|| "etcd: not installed".to_owned(), |_| format!("{}, etcd put", told(&put))),
        against: times(against),
        target: at_least(against, 1.0, "×"),
    });
    report.remark(format_args!(
        "etcd's value has the {size} bytes of the service's JSON; both write to the same disk, each on one core."
    ));
    Ok(())
}

/// Creates services for a round, each with a name that none had.
fn create(bench: &Bench, server: &Process, number: &mut u64) -> Outcome<Burst> {
    let (address, end) = (server.address, Instant::now() + bench.round());
    let counter = Rc::new(Cell::new(*number));
    let done = wire::alone(async {
        let start = Instant::now();
        let tasks: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let counter = Rc::clone(&counter);
                tokio::task::spawn_local(async move {
                    let (mut client, mut latency) = (Client::connect(address).await?, Vec::new());
                    let mut sent = Instant::now();
                    while sent < end {
                        let number = counter.replace(counter.get() + 1);
                        let body = service(&format!("created-{number}"), number);
                        client.send(request(Method::POST, SERVICES, Some(&body))?).await?;
                        let answered = Instant::now();
                        latency.push((answered - sent).as_secs_f64() * 1e3);
                        sent = answered;
                    }
                    Outcome::Ok(latency)
                })
            })
            .collect();
        let mut latency = Vec::new();
        for task in tasks {
            latency.extend(task.await??);
        }
        Ok(wire::burst(start, latency))
    });
    *number = counter.get();
    done
}

fn reads(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let server = pinned(bench, "reads")?;
    bench.create(&server, 100)?;
    let requests = get(&server, &format!("{SERVICES}/service-7"));
    let load = Load::new(Rc::clone(&requests), wire::length_of(server.address, &requests)?, bench.round());
    let mut series = Series::default();
    for _ in 0..bench.rounds(7) {
        series.play(Some(server.id()), || wire::press(server.address, &load))?;
    }
    let rate = median(&series.rate);
    report.add(Row {
        figure: "GET service, 32 connections, one core".to_owned(),
        ours: format!(
            "{} /s, p99 {} ms, {} µs of processor",
            figure(rate, 0),
            figure(median(&series.p99), 2),
            figure(median(&series.cpu), 1)
        ),
        target: at_least(rate, READS, "/s"),
        ..Row::default()
    });
    Ok(())
}

/// Replaces a service of few revisions and one of very many, in turn.
fn replacements(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let server = pinned(bench, "replacements")?;
    let old = if bench.quick { OLD / 10 } else { OLD };
    let (mut young_times, mut old_times) = (Vec::new(), Vec::new());
    bench.runtime.block_on(async {
        let mut client = Client::connect(server.address).await?;
        for (name, revisions) in [("young", YOUNG), ("old", old)] {
            client.call(Method::POST, SERVICES, Some(&service(name, 0))).await?;
            for number in 1..revisions {
                replace(&mut client, name, number).await?;
            }
        }
        for round in 0..bench.rounds(REPLACED) as u64 {
            young_times.push(replace(&mut client, "young", YOUNG + round).await?);
            old_times.push(replace(&mut client, "old", old + round).await?);
        }
        Outcome::Ok(())
    })?;
    let against = ratio(&old_times, &young_times);
    let told = |times: Vec<f64>| {
        let sample = Sample::new(times);
        format!("{:.2} ms (p95 {:.2})", sample.median(), sample.percentile(95.0))
    };
    report.add(Row {
        figure: format!("PUT service, at revision {old}"),
        ours: told(old_times),
        peer: format!("{}, at revision {YOUNG}", told(young_times)),
        against: times(against),
        target: at_most(against, 1.1, "×"),
    });
    Ok(())
}

/// Replaces a service and says how many milliseconds it took.
async fn replace(client: &mut Client, name: &str, number: u64) -> Outcome<f64> {
    let body = service(name, number);
    let start = Instant::now();
    client.call(Method::PUT, &format!("{SERVICES}/{name}"), Some(&body)).await?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// groundrun on its core, with a data directory of this name.
pub(super) fn pinned(bench: &Bench, data_dir: &str) -> Outcome<Process> {
    let home = bench.home.path();
    Process::pinned_groundrun(&bench.binary, home, &home.join(data_dir))?.ready()
}

/// A request of the owner for `path`.
pub(super) fn get(server: &Process, path: &str) -> Rc<[Bytes]> {
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer owner\r\n\r\n", server.address);
    Rc::new([request.into()])
}

/// etcd with its default durability on the disk of the program; `None` if it is not installed.
fn start_etcd(bench: &Bench) -> Outcome<Option<Process>> {
    let Some(program) = program("etcd") else { return Ok(None) };
    let directory = bench.home.path().join("etcd");
    std::fs::create_dir_all(&directory)?;
    Ok(Some(etcd(&program, &directory)?.listening()?))
}

fn etcd(program: &Path, directory: &Path) -> Outcome<Process> {
    let (clients, peers) = (free_address()?, format!("http://{}", free_address()?));
    let address = format!("http://{clients}");
    let mut command = pin::on_its_core(program);
    command.env("GOMAXPROCS", "1").args(["--name", "bench", "--log-level", "error", "--data-dir"]);
    command.arg(directory.join("data"));
    command.args(["--listen-client-urls", &address, "--advertise-client-urls", &address]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("bench={peers}")]);
    Process::start(command, directory, clients)
}
