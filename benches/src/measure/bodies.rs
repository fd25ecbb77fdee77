//! What do bodies cost that are larger than a packet?

use std::rc::Rc;

use bytes::Bytes;

use super::Bench;
use super::series::{Series, best, figure, in_turn, median, ratio, times};
use crate::Outcome;
use crate::contestant::{Absent, Contestant, Kind, Site, line_up};
use crate::pin::Pinned;
use crate::report::{Report, Row, Table, at_least, at_most};
use crate::ticks;
use crate::wire::{self, Length, Load};

const PEERS: [Kind; 5] = [Kind::Haproxy, Kind::Nginx, Kind::Envoy, Kind::Relay, Kind::Direct];

/// What answers an upload.
const NAME: usize = 13;

const MB: usize = 1_000_000;

/// By how much large bodies may let the memory grow, in MiB.
const GROWTH: f64 = 2.0;

/// A body in one direction.
struct Case {
    name: &'static str,
    size: usize,
    connections: usize,
    /// How often it goes over a connection; as often as there is time, if it is not said.
    times: Option<usize>,
    up: bool,
}

const fn case(name: &'static str, size: usize, up: bool) -> Case {
    Case { name, size, connections: wire::CONNECTIONS, times: None, up }
}

/// HTTP/1.1 takes no more than 32 MiB in one request: 100 MB go up in four.
const CASES: [Case; 6] = [
    case("1 KB down", 1000, false),
    case("1 KB up", 1000, true),
    case("100 KB down", 100_000, false),
    case("100 KB up", 100_000, true),
    Case { name: "100 MB down", size: 100 * MB, connections: 1, times: Some(1), up: false },
    Case { name: "100 MB up, in four", size: 25 * MB, connections: 1, times: Some(4), up: true },
];

/// What a contestant held before the large bodies, and at most since, in MiB.
#[derive(Debug, Clone, Copy)]
struct Grown {
    before: f64,
    peak: f64,
}

/// Sends and fetches bodies through all contestants, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let (site, groundrun) = Site::new(bench, "bodies")?;
    let (mut contestants, absent) = line_up(&site, &PEERS)?;
    contestants.insert(0, groundrun);
    let mut large = Vec::new();
    for case in &CASES {
        let requests = requests(&site, case);
        let body = if case.up { NAME } else { case.size };
        let length = case.times.map_or(Length::For(bench.round() / 2), |_| Length::Once);
        let load = Load { connections: case.connections, requests, body, length };
        let before = held(&contestants)?;
        let mut series = vec![Series::default(); contestants.len()];
        for round in 0..bench.rounds(7) {
            for (place, contestant) in in_turn(round, &contestants) {
                let Some(series) = series.get_mut(place) else { continue };
                series
                    .play(contestant.pid(), || wire::press(contestant.address, &load))
                    .map_err(|problem| format!("{}, {}: {problem}", contestant.kind, case.name))?;
            }
        }
        let grown = grown(&contestants, &before)?;
        if case.times.is_some() {
            targets(case, &contestants, &series, &grown, report);
        }
        large.push(table(case, &contestants, &series, &grown, &absent));
    }
    large.into_iter().for_each(|table| report.table(table));
    report.remark("MB are 10⁶ bytes, MiB 2²⁰. The response of 100 MB comes in chunks: one that says its length may \
                   have 32 MiB, as on Cloud Run. Growth is the peak over all rounds less what was held before the first.");
    Ok(())
}

fn requests(site: &Site, case: &Case) -> Rc<[Bytes]> {
    let one = if case.up {
        site.public.post("/", &vec![b'x'; case.size])
    } else {
        site.public.get(&format!("/bytes/{}", case.size), "")
    };
    (0..case.times.unwrap_or(1)).map(|_| one.clone()).collect()
}

/// What each holds, whose peaks begin anew.
fn held(contestants: &[Contestant]) -> Outcome<Vec<f64>> {
    let held = |contestant: &Contestant| {
        let Some(pid) = contestant.pid() else { return Ok(f64::NAN) };
        ticks::forget_peak(pid)?;
        ticks::resident_mib(pid)
    };
    contestants.iter().map(held).collect()
}

fn grown(contestants: &[Contestant], before: &[f64]) -> Outcome<Vec<Grown>> {
    let grown = |(contestant, before): (&Contestant, &f64)| {
        let peak = contestant.pid().map_or(Ok(f64::NAN), ticks::peak_mib)?;
        Ok(Grown { before: *before, peak })
    };
    contestants.iter().zip(before).map(grown).collect()
}

/// MB a second, from answers a second.
fn throughput(case: &Case, series: &Series) -> Vec<f64> {
    series.rate.iter().map(|rate| rate * case.size as f64 / MB as f64).collect()
}

fn targets(case: &Case, contestants: &[Contestant], series: &[Series], grown: &[Grown], report: &mut Report) {
    let rates: Vec<_> = series.iter().map(|series| throughput(case, series)).collect();
    let of = |kind: Kind| contestants.iter().position(|contestant| contestant.kind == kind);
    let rate = |kind: Kind| of(kind).and_then(|place| rates.get(place)).map_or(&[][..], |rates| &rates[..]);
    let peers = [Kind::Haproxy, Kind::Nginx, Kind::Envoy].into_iter().filter(|kind| of(*kind).is_some());
    let best_rates = best(peers.clone().map(rate));
    let who = peers.max_by(|one, other| median(rate(*one)).total_cmp(&median(rate(*other))));
    let against = ratio(rate(Kind::Groundrun), &best_rates);
    report.add(Row {
        figure: format!("{}: rate against the best peer", case.name),
        ours: format!("{} MB/s", figure(median(rate(Kind::Groundrun)), 0)),
        peer: who.map_or_else(String::new, |kind| {
            format!("{} MB/s, {}", figure(median(&best_rates), 0), short(kind))
        }),
        against: times(against),
        target: at_least(against, 1.0, "×"),
    });
    if let Some(ours) = of(Kind::Groundrun).and_then(|place| grown.get(place)) {
        report.add(Row {
            figure: format!("{}: growth of memory", case.name),
            ours: format!("{:+.1} MiB", ours.peak - ours.before),
            target: at_most(ours.peak - ours.before, GROWTH, "MiB"),
            ..Row::default()
        });
    }
}

/// Public bodies pass no check.
pub(super) fn short(kind: Kind) -> String {
    kind.to_string().split(',').next().unwrap_or_default().to_owned()
}

const HEADINGS: [&str; 8] = [
    "contestant",
    "requests/s",
    "MB/s",
    "p50 ms",
    "p99 ms",
    "CPU µs a request",
    "resident MiB",
    "growth MiB",
];

fn table(
    case: &Case,
    contestants: &[Contestant],
    series: &[Series],
    grown: &[Grown],
    absent: &[Absent],
) -> Table {
    let row = |((contestant, series), grown): ((&Contestant, &Series), &Grown)| {
        vec![
            if contestant.kind == Kind::Relay { contestant.kind.to_string() } else { short(contestant.kind) },
            figure(median(&series.rate), if case.times.is_some() { 2 } else { 0 }),
            figure(median(&throughput(case, series)), 0),
            figure(median(&series.p50), 2),
            figure(median(&series.p99), 2),
            figure(median(&series.cpu), 1),
            figure(grown.before, 1),
            figure(grown.peak - grown.before, 1),
        ]
    };
    let missing = |absent: &Absent| {
        let mut row = vec![short(absent.kind), absent.why.clone()];
        row.resize(HEADINGS.len(), String::new());
        row
    };
    Table {
        title: format!("{}, {} connections", case.name, case.connections),
        headings: HEADINGS.map(str::to_owned).to_vec(),
        rows: contestants.iter().zip(series).zip(grown).map(row).chain(absent.iter().map(missing)).collect(),
    }
}
