//! How long does a message take through a WebSocket and back?

use std::time::Duration;

use super::Bench;
use super::bodies::short;
use super::series::{Series, best, figure, in_turn, median, ratio, times};
use crate::Outcome;
use crate::contestant::{Contestant, Kind, Site, line_up, try_out};
use crate::pin::Pinned;
use crate::report::{Report, Row, Table, at_least};
use crate::wire::websocket;

const PEERS: [Kind; 4] = [Kind::Haproxy, Kind::Caddy, Kind::Relay, Kind::Direct];

/// Against the best of these.
const PROXIES: [Kind; 2] = [Kind::Haproxy, Kind::Caddy];

/// Sends messages through all contestants, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let (site, groundrun) = Site::new(bench, "websocket")?;
    let (mut contestants, mut absent) = line_up(&site, &PEERS)?;
    contestants.insert(0, groundrun);
    let contestants = try_out(contestants, &mut absent, |contestant| {
        websocket::press(contestant.address, &site.public.host, Duration::ZERO).map(|_| ())
    });
    let mut series = vec![Series::default(); contestants.len()];
    for round in 0..bench.rounds(7) {
        for (place, contestant) in in_turn(round, &contestants) {
            let Some(series) = series.get_mut(place) else { continue };
            let press = || websocket::press(contestant.address, &site.public.host, bench.round());
            series
                .play(contestant.pid(), press)
                .map_err(|problem| format!("{}: {problem}", contestant.kind))?;
        }
    }
    let of = |kind: Kind| contestants.iter().position(|contestant| contestant.kind == kind);
    let rate =
        |kind: Kind| of(kind).and_then(|place| series.get(place)).map_or(&[][..], |series| &series.rate);
    let present = PROXIES.into_iter().filter(|kind| of(*kind).is_some());
    let fastest = best(present.clone().map(rate));
    let who = present.max_by(|one, other| median(rate(*one)).total_cmp(&median(rate(*other))));
    let against = ratio(rate(Kind::Groundrun), &fastest);
    report.add(Row {
        figure: "messages of 32 bytes, there and back".to_owned(),
        ours: format!("{} /s", figure(median(rate(Kind::Groundrun)), 0)),
        peer: who
            .map_or_else(String::new, |kind| format!("{} /s, {}", figure(median(&fastest), 0), short(kind))),
        against: times(against),
        target: at_least(against, 0.97, "×"),
    });
    let row = |(contestant, series): (&Contestant, &Series)| {
        let kind = contestant.kind;
        let name = if kind == Kind::Relay { kind.to_string() } else { short(kind) };
        let cell = |values: &[f64], decimals| figure(median(values), decimals);
        let (p50, p99, cpu) = (cell(&series.p50, 2), cell(&series.p99, 2), cell(&series.cpu, 1));
        vec![name, cell(&series.rate, 0), p50, p99, cpu, cell(&series.resident, 1)]
    };
    let missing = absent.iter().map(|absent| {
        let mut row = vec![short(absent.kind), absent.why.clone()];
        row.resize(6, String::new());
        row
    });
    report.table(Table {
        title: "32 connections".to_owned(),
        headings: ["contestant", "messages/s", "p50 ms", "p99 ms", "CPU µs a message", "resident MiB"]
            .map(str::to_owned)
            .to_vec(),
        rows: contestants.iter().zip(&series).map(row).chain(missing).collect(),
    });
    report.remark("sozu is not compared: Debian has no package of it.");
    Ok(())
}
