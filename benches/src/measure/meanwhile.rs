//! Do requests wait while the API is written to?

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Method;

use super::Bench;
use super::series::{Series, figure, median, ratio, times};
use crate::client::{Client, SERVICES, service};
use crate::contestant::Site;
use crate::pin::Pinned;
use crate::report::{Report, Row, at_most};
use crate::wire::{self, Load};
use crate::{Outcome, Problem};

/// How many changes are asked for in a second, and by how many clients.
const WRITES: u32 = 500;
const WRITERS: u32 = 10;

/// How many there must have been for the figure to count.
const ENOUGH: f64 = 0.95;

/// What everybody answers: the name of a backend.
const BODY: usize = 13;

/// Calls a private service without and with changes of other services, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let (site, groundrun) = Site::new(bench, "meanwhile")?;
    let token = site.token_for(&site.private.url)?;
    let load = Load::new(site.private.get_with(&[token]), BODY, bench.round() * 2);
    bench.runtime.block_on(async {
        let mut client = Client::connect(groundrun.address).await?;
        for writer in 0..WRITERS {
            client.call(Method::POST, SERVICES, Some(&service(&format!("written-{writer}"), 0))).await?;
        }
        Outcome::Ok(())
    })?;
    let (mut quiet, mut busy, mut written) = (Series::default(), Series::default(), Vec::new());
    for round in 0..bench.rounds(7) as u64 {
        let without =
            |series: &mut Series| series.play(groundrun.pid(), || wire::press(groundrun.address, &load));
        if round % 2 == 0 {
            without(&mut quiet)?;
        }
        let writing = Writing::start(groundrun.address, round);
        without(&mut busy)?;
        written.push(writing.stop()?);
        if round % 2 == 1 {
            without(&mut quiet)?;
        }
    }
    let (rate, against) = (median(&written), ratio(&busy.p99, &quiet.p99));
    let target = if rate < ENOUGH * f64::from(WRITES) {
        format!("≤ 2 × with {WRITES} writes/s: MISSED, only {} writes/s", figure(rate, 0))
    } else {
        at_most(against, 2.0, "×")
    };
    report.add(Row {
        figure: format!("p99 of requests, {} writes/s going on", figure(rate, 0)),
        ours: format!("{} ms", figure(median(&busy.p99), 2)),
        peer: format!("{} ms, no writes", figure(median(&quiet.p99), 2)),
        against: times(against),
        target,
    });
    report.add(Row {
        figure: "requests a second meanwhile".to_owned(),
        ours: format!("{} /s", figure(median(&busy.rate), 0)),
        peer: format!("{} /s, no writes", figure(median(&quiet.rate), 0)),
        against: times(ratio(&busy.rate, &quiet.rate)),
        target: String::new(),
    });
    report.remark(
        "A write is a PUT of a service that cuts a revision; writes, requests and the proxy's one worker \
                   share its core.",
    );
    Ok(())
}

/// Changes that are made by a thread of its own until it is told to stop.
struct Writing {
    enough: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Outcome<f64>>,
}

impl Writing {
    fn start(address: SocketAddr, round: u64) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&enough);
        let thread = std::thread::spawn(move || wire::alone(write(address, round, told)));
        Self { enough, thread }
    }

    /// How many changes a second there were.
    fn stop(self) -> Outcome<f64> {
        self.enough.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| Problem::from("the writer broke"))?
    }
}

async fn write(address: SocketAddr, round: u64, enough: Arc<AtomicBool>) -> Outcome<f64> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::task::spawn_local(change(address, writer, round, start, Arc::clone(&enough))))
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await??;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// Changes one service at its share of the rate, or as fast as that is answered.
async fn change(
    address: SocketAddr,
    writer: u32,
    round: u64,
    start: Instant,
    enough: Arc<AtomicBool>,
) -> Outcome<u32> {
    let mut client = Client::connect(address).await?;
    let name = format!("written-{writer}");
    let pause = Duration::from_secs(1) / WRITES * WRITERS;
    let mut count = 0;
    // Writers begin one after the other, so that changes come evenly.
    let mut due = start + Duration::from_secs(1) / WRITES * writer;
    while !enough.load(Ordering::Relaxed) {
        tokio::time::sleep_until(due.into()).await;
        let body = service(&name, round << 32 | u64::from(count) | 1 << 62);
        client.call(Method::PUT, &format!("{SERVICES}/{name}"), Some(&body)).await?;
        count += 1;
        due += pause;
    }
    Ok(count)
}
