//! What do the checks of a private service cost a request, here and behind the peers?

use std::rc::Rc;

use bytes::Bytes;

use super::Bench;
use super::series::{Series, best, figure, in_turn, median, ratio, times};
use crate::Outcome;
use crate::contestant::{Absent, Contestant, Kind, Site, line_up};
use crate::pin::Pinned;
use crate::report::{Bar, Chart, Group, Report, Row, Table, at_least, at_most};
use crate::wire::{self, Length, Load};

/// What everybody answers: the name of a backend.
const BODY: usize = 13;

/// The cases, in the order of the tables.
const CASES: [&str; 4] = ["public service", "known token", "1,000 tokens in turn", "every token new"];
const PUBLIC: usize = 0;
const KNOWN: usize = 1;
const THOUSAND: usize = 2;
const NEW: usize = 3;

const PEERS: [Kind; 6] =
    [Kind::Haproxy, Kind::HaproxyTable, Kind::Nginx, Kind::Envoy, Kind::Relay, Kind::Direct];

/// How many tokens are new in a round.
const FRESH: usize = 12_000;

/// All that was measured: for each contestant a series for each case.
struct Measured {
    contestants: Vec<Contestant>,
    absent: Vec<Absent>,
    series: Vec<[Series; 4]>,
}

/// Lets all contestants answer all cases, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let (site, groundrun) = Site::new(bench, "requests")?;
    let (mut contestants, absent) = line_up(&site, &PEERS)?;
    contestants.insert(0, groundrun);
    let series = contestants.iter().map(|_| Default::default()).collect();
    let mut measured = Measured { contestants, absent, series };
    let mut last = 0;
    let thousand = site.signer.distinct(&site.claims, 1000, &mut last)?;
    let steady: [Rc<[Bytes]>; 3] = [
        Rc::new([site.public.get("/", "")]),
        site.private.get_with(thousand.get(..1).unwrap_or_default()),
        site.private.get_with(&thousand),
    ];
    for round in 0..bench.rounds(7) {
        for (case, requests) in steady.iter().enumerate() {
            let load = Load::new(Rc::clone(requests), BODY, bench.round());
            measured.round(round, case, &load, true)?;
        }
        let count = if bench.quick { FRESH / 10 } else { FRESH };
        let fresh = site.private.get_with(&site.signer.distinct(&site.claims, count, &mut last)?);
        let load = Load { length: Length::Once, ..Load::new(fresh, BODY, bench.round()) };
        measured.round(round, NEW, &load, false)?;
    }
    measured.targets(report);
    measured.tables(report);
    measured.chart(report);
    Ok(())
}

impl Measured {
    /// One round of a case. Where tokens are known they are shown once before.
    fn round(&mut self, round: usize, case: usize, load: &Load, known: bool) -> Outcome<()> {
        for (place, contestant) in in_turn(round, &self.contestants) {
            let named = |problem| format!("{}, {}: {problem}", contestant.kind, CASES[case]);
            if known {
                wire::press(contestant.address, &Load { length: Length::Once, ..load.clone() })
                    .map_err(named)?;
            }
            let Some(series) = self.series.get_mut(place).and_then(|cases| cases.get_mut(case)) else {
                continue;
            };
            series.play(contestant.pid(), || wire::press(contestant.address, load)).map_err(named)?;
        }
        Ok(())
    }

    fn of(&self, kind: Kind, case: usize) -> Option<&Series> {
        let place = self.contestants.iter().position(|contestant| contestant.kind == kind)?;
        self.series.get(place)?.get(case)
    }

    fn cpu(&self, kind: Kind, case: usize) -> &[f64] {
        self.of(kind, case).map_or(&[], |series| &series.cpu)
    }

    /// Processor time against that of the relay.
    fn by_relay(&self, kind: Kind, case: usize) -> f64 {
        ratio(self.cpu(kind, case), self.cpu(Kind::Relay, case))
    }

    fn targets(&self, report: &mut Report) {
        let relay = |case: usize, figure: &str, limit: f64| {
            let against = self.by_relay(Kind::Groundrun, case);
            Row {
                figure: figure.to_owned(),
                ours: format!("{} µs", figure_of(self.cpu(Kind::Groundrun, case))),
                peer: format!("{} µs, byte relay", figure_of(self.cpu(Kind::Relay, case))),
                against: times(against),
                target: at_most(against, limit, "× l4"),
            }
        };
        report.add(relay(KNOWN, "known token: processor time a request", 1.45));
        report.add(relay(NEW, "every token new: processor time a request", 3.6));
        report.add(Row {
            target: stretch(self.by_relay(Kind::Groundrun, KNOWN), 1.15),
            ..relay(KNOWN, "stretch: known token", 1.15)
        });
        report.add(Row {
            target: stretch(self.by_relay(Kind::Groundrun, PUBLIC), 1.10),
            ..relay(PUBLIC, "stretch: public service", 1.10)
        });
        report.add(self.against_best());
        let within = |figure: &str, case: usize, base: usize, limit: f64| {
            let (ours, other) = (self.cpu(Kind::Groundrun, case), self.cpu(Kind::Groundrun, base));
            let against = ratio(ours, other);
            Row {
                figure: figure.to_owned(),
                ours: format!("{} µs", figure_of(ours)),
                peer: format!("{} µs, groundrun: {}", figure_of(other), CASES[base]),
                against: times(against),
                target: at_most(against, limit, "×"),
            }
        };
        report.add(within("known token: processor time against our public path", KNOWN, PUBLIC, 1.10));
        report.add(within("1,000 tokens in turn: against one", THOUSAND, KNOWN, 1.05));
    }

    /// Requests a second with a known token, against the best peer of each round.
    fn against_best(&self) -> Row {
        let peers = [Kind::Haproxy, Kind::HaproxyTable, Kind::Nginx, Kind::Envoy];
        let rates = || peers.iter().filter_map(|kind| Some((*kind, &self.of(*kind, KNOWN)?.rate)));
        let ours = self.of(Kind::Groundrun, KNOWN).map_or(&[][..], |series| &series.rate);
        let best = best(rates().map(|(_, rate)| &rate[..]));
        let who = rates().max_by(|one, other| median(one.1).total_cmp(&median(other.1)));
        let against = ratio(ours, &best);
        Row {
            figure: "known token: requests a second against the best peer".to_owned(),
            ours: format!("{} /s", figure(median(ours), 0)),
            peer: who
                .map_or_else(String::new, |(kind, _)| format!("{} /s, {kind}", figure(median(&best), 0))),
            against: times(against),
            target: at_least(against, 1.15, "×"),
        }
    }

    fn tables(&self, report: &mut Report) {
        let absent = |cells: usize, absent: &Absent| {
            let mut row = vec![absent.kind.to_string(), absent.why.clone()];
            row.resize(cells, String::new());
            row
        };
        let by_relay = |kind: Kind| {
            let cell = |case| figure(self.by_relay(kind, case), 2);
            std::iter::once(kind.to_string()).chain((0..CASES.len()).map(cell)).collect()
        };
        let kinds = || self.contestants.iter().map(|contestant| contestant.kind);
        let rows: Vec<Vec<String>> = kinds().map(by_relay).collect();
        report.table(Table {
            title: "Processor time a request over that of a byte relay in the same round (cpu × l4)"
                .to_owned(),
            headings: std::iter::once("contestant").chain(CASES).map(str::to_owned).collect(),
            rows: rows
                .into_iter()
                .chain(self.absent.iter().map(|one| absent(CASES.len() + 1, one)))
                .collect(),
        });
        for (case, name) in CASES.iter().enumerate() {
            let rows =
                kinds().filter_map(|kind| Some(row(kind, self.of(kind, case)?, self.by_relay(kind, case))));
            report.table(Table {
                title: format!("{} connections, 13 bytes, {name}", wire::CONNECTIONS),
                headings: HEADINGS.map(str::to_owned).to_vec(),
                rows: rows.chain(self.absent.iter().map(|one| absent(HEADINGS.len(), one))).collect(),
            });
        }
        report.remark("Contestants are told the same host, issuer, audiences, member and split, and were checked \
                       before they were measured; groundrun also adds and removes the headers of Cloud Run, and \
                       keeps its log of requests in memory.");
    }

    fn chart(&self, report: &mut Report) {
        let bar = |case: usize| {
            move |contestant: &Contestant| Bar {
                label: contestant.kind.to_string(),
                value: self.by_relay(contestant.kind, case),
                ours: contestant.kind == Kind::Groundrun,
            }
        };
        let group = |(case, label): (usize, &&str)| Group {
            label: (*label).to_owned(),
            bars: self.contestants.iter().map(bar(case)).collect(),
        };
        report.chart(Chart {
            title: "Processor time a request, times that of a byte relay (less is better)".to_owned(),
            groups: CASES.iter().enumerate().map(group).collect(),
        });
    }
}

/// A target that is not promised.
fn stretch(value: f64, limit: f64) -> String {
    format!("stretch {}", at_most(value, limit, "× l4"))
}

const HEADINGS: [&str; 7] =
    ["contestant", "requests/s", "p50 ms", "p99 ms", "CPU µs a request", "cpu × l4", "resident MiB"];

fn row(kind: Kind, series: &Series, by_relay: f64) -> Vec<String> {
    let cell = |values: &[f64], decimals| figure(median(values), decimals);
    vec![
        kind.to_string(),
        cell(&series.rate, 0),
        cell(&series.p50, 2),
        cell(&series.p99, 2),
        cell(&series.cpu, 1),
        figure(by_relay, 2),
        cell(&series.resident, 1),
    ]
}

fn figure_of(values: &[f64]) -> String {
    figure(median(values), 1)
}
