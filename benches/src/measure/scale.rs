//! Does a request cost more where there are many services, or many who may call?

use super::Bench;
use super::series::{Series, figure, in_turn, median, ratio, times};
use crate::Outcome;
use crate::contestant::{Admitted, CALLER, Contestant, Site};
use crate::pin::Pinned;
use crate::report::{Report, Row, Table, at_most};
use crate::ticks;
use crate::wire::{self, Length, Load};

/// What everybody answers: the name of a backend.
const BODY: usize = 13;

/// How much processor time more is borne: from 10 to 10,000 services, and from 1 to 1,000 bindings.
const SERVICES_LIMIT: f64 = 1.05;
const BINDINGS_LIMIT: f64 = 1.02;

/// How much memory is borne with 10,000 services, in MiB.
const MEMORY: f64 = 40.0;

/// Who may call beside the caller.
const BINDINGS: u64 = 1000;

/// What a server of groundrun holds.
struct Case {
    label: String,
    services: u64,
    bindings: u64,
}

/// Lets servers that hold different things answer, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let (site, _) = Site::new(bench, "scale")?;
    let many = bench.many();
    let cases = [
        Case { label: "1 service".to_owned(), services: 1, bindings: 1 },
        Case { label: "10 services".to_owned(), services: 10, bindings: 1 },
        Case { label: "100 services".to_owned(), services: 100, bindings: 1 },
        Case { label: format!("{many} services"), services: many, bindings: 1 },
        Case { label: format!("10 services, {BINDINGS} bindings"), services: 10, bindings: BINDINGS },
    ];
    let (mut servers, mut loads) = (Vec::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        let (server, private) = start(bench, &site, number, case)?;
        loads.push(load(bench, &site, &private)?);
        servers.push(server);
    }
    let mut series = vec![Series::default(); servers.len()];
    for round in 0..bench.rounds(9) {
        for (place, server) in in_turn(round, &servers) {
            let (Some(series), Some(load)) = (series.get_mut(place), loads.get(place)) else { continue };
            wire::press(server.address, &Load { length: Length::Once, ..load.clone() })?;
            series.play(server.pid(), || wire::press(server.address, load))?;
        }
    }
    let compare = |what: &str, more: usize, less: usize, limit: f64| {
        let cpu = |place: usize| series.get(place).map_or(&[][..], |series| &series.cpu);
        let against = ratio(cpu(more), cpu(less));
        Row {
            figure: format!("processor time a request, {what}"),
            ours: format!("{} µs", figure(median(cpu(more)), 1)),
            peer: format!("{} µs, {}", figure(median(cpu(less)), 1), cases[less].label),
            against: times(against),
            target: at_most(against, limit, "×"),
        }
    };
    report.add(compare(&cases[3].label, 3, 1, SERVICES_LIMIT));
    report.add(compare(&format!("{BINDINGS} bindings"), 4, 1, BINDINGS_LIMIT));
    let held = servers.get(3).and_then(Contestant::pid).map_or(Ok(f64::NAN), ticks::resident_mib)?;
    report.add(Row {
        figure: format!("memory under load, {}", cases[3].label),
        ours: format!("{} MiB", figure(held, 1)),
        target: at_most(held, MEMORY, "MiB"),
        ..Row::default()
    });
    report.table(table(&cases, &series));
    Ok(())
}

fn start(bench: &Bench, site: &Site, number: usize, case: &Case) -> Outcome<(Contestant, Admitted)> {
    let mut members: Vec<String> =
        (1..case.bindings).map(|one| format!("user:caller-{one}@example.com")).collect();
    members.push(format!("serviceAccount:{CALLER}"));
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    // The private service is one of them.
    site.more(bench, &format!("scale-{number}"), case.services - 1, &members)
}

/// A known token of the caller.
fn load(bench: &Bench, site: &Site, private: &Admitted) -> Outcome<Load> {
    let token = site.token_for(&private.url)?;
    Ok(Load::new(private.get_with(&[token]), BODY, bench.round()))
}

fn table(cases: &[Case], series: &[Series]) -> Table {
    let row = |(case, series): (&Case, &Series)| {
        let cell = |values: &[f64], decimals| figure(median(values), decimals);
        vec![
            case.label.clone(),
            cell(&series.rate, 0),
            cell(&series.p50, 2),
            cell(&series.p99, 2),
            cell(&series.cpu, 1),
            cell(&series.resident, 1),
        ]
    };
    Table {
        title: "A private service and a known token, 32 connections".to_owned(),
        headings: ["groundrun with", "requests/s", "p50 ms", "p99 ms", "CPU µs a request", "resident MiB"]
            .map(str::to_owned)
            .to_vec(),
        rows: cases.iter().zip(series).map(row).collect(),
    }
}
