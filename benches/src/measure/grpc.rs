//! How many unary calls of gRPC go through, and how fast does a large request?

use bytes::Bytes;

use super::Bench;
use super::bodies::short;
use super::series::{Series, figure, in_turn, median, ratio, times};
use crate::Outcome;
use crate::contestant::{Absent, Contestant, Kind, Site, line_up, try_out};
use crate::pin::Pinned;
use crate::report::{Report, Row, Table, at_least};
use crate::wire::grpc;

const PEERS: [Kind; 4] = [Kind::Haproxy, Kind::Nginx, Kind::Envoy, Kind::Direct];

/// What goes up in one request: with HTTP/2 there is no limit.
const UPLOAD: usize = 100_000_000;

/// Calls through all contestants, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let (site, groundrun) = Site::new(bench, "grpc")?;
    let (mut contestants, mut absent) = line_up(&site, &PEERS)?;
    contestants.insert(0, groundrun);
    let contestants = try_out(contestants, &mut absent, |contestant| {
        grpc::upload(contestant.grpc, &site.echo.host, Bytes::from_static(b"one")).map(|_| ())
    });
    let mut calls = vec![Series::default(); contestants.len()];
    let mut uploads = vec![Vec::new(); contestants.len()];
    let body = Bytes::from(vec![b'x'; UPLOAD]);
    for round in 0..bench.rounds(7) {
        for (place, contestant) in in_turn(round, &contestants) {
            let (Some(series), Some(rates)) = (calls.get_mut(place), uploads.get_mut(place)) else {
                continue;
            };
            let named = |problem| format!("{}: {problem}", contestant.kind);
            let (address, host) = (contestant.grpc, site.echo.host.as_str());
            series.play(contestant.pid(), || grpc::press(address, host, bench.round())).map_err(named)?;
            let took = grpc::upload(address, host, body.clone()).map_err(named)?;
            rates.push(UPLOAD as f64 / 1e6 / took.as_secs_f64());
        }
    }
    let of = |kind: Kind| contestants.iter().position(|contestant| contestant.kind == kind);
    let rate =
        |kind: Kind| of(kind).and_then(|place| calls.get(place)).map_or(&[][..], |series| &series.rate);
    for (kind, limit) in [(Kind::Haproxy, 0.85), (Kind::Nginx, 1.7)] {
        if of(kind).is_none() {
            continue;
        }
        let against = ratio(rate(Kind::Groundrun), rate(kind));
        report.add(Row {
            figure: format!("unary calls, end to end, against {}", short(kind)),
            ours: format!("{} /s", figure(median(rate(Kind::Groundrun)), 0)),
            peer: format!("{} /s, {}", figure(median(rate(kind)), 0), short(kind)),
            against: times(against),
            target: at_least(against, limit, "×"),
        });
    }
    report.table(table(&contestants, &calls, &uploads, &absent));
    report.remark(
        "Calls of 64 bytes, 32 at a time on 4 connections, in clear text on both sides; the client and the \
                   backend are hyper's and share a core, so that part of each call is theirs. \
                   The upload is one request of 100 MB.",
    );
    Ok(())
}

fn table(contestants: &[Contestant], calls: &[Series], uploads: &[Vec<f64>], absent: &[Absent]) -> Table {
    let row = |((contestant, series), upload): ((&Contestant, &Series), &Vec<f64>)| {
        let cell = |values: &[f64], decimals| figure(median(values), decimals);
        let (p50, p99, cpu) = (cell(&series.p50, 2), cell(&series.p99, 2), cell(&series.cpu, 1));
        let (rate, upload) = (cell(&series.rate, 0), cell(upload, 0));
        vec![short(contestant.kind), rate, p50, p99, cpu, cell(&series.resident, 1), upload]
    };
    let missing = absent.iter().map(|absent| {
        let mut row = vec![short(absent.kind), absent.why.clone()];
        row.resize(7, String::new());
        row
    });
    Table {
        title: String::new(),
        headings: [
            "contestant",
            "calls/s",
            "p50 ms",
            "p99 ms",
            "CPU µs a call",
            "resident MiB",
            "upload MB/s",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: contestants.iter().zip(calls).zip(uploads).map(row).chain(missing).collect(),
    }
}
