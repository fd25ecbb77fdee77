//! Does a list of a hundred services take longer where there are many?

use std::rc::Rc;

use super::Bench;
use super::control::get;
use super::series::{Series, figure, median, ratio, times};
use crate::Outcome;
use crate::client::SERVICES;
use crate::pin::Pinned;
use crate::process::Process;
use crate::report::{Report, Row, at_most};
use crate::wire::{self, Load};

/// How much longer counts as constant.
const LIMIT: f64 = 1.1;

/// Lists on servers with few and with many services, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let _pinned = Pinned::new()?;
    let counts = [10, 100, 1000, bench.many()];
    let (mut servers, mut loads) = (Vec::new(), Vec::new());
    for (place, count) in counts.iter().enumerate() {
        let directory = bench.home.path().join(format!("list-{place}"));
        bench.provide(&directory, *count)?;
        let server = Process::pinned_groundrun(&bench.binary, bench.home.path(), &directory)?.ready()?;
        let requests = get(&server, &format!("{SERVICES}?limit=100"));
        let length = wire::length_of(server.address, &requests)?;
        // Few at a time: the time of one list is asked for, not how many wait.
        loads.push(Load { connections: 1, ..Load::new(Rc::clone(&requests), length, bench.round() / 2) });
        servers.push(server);
    }
    let mut series = vec![Series::default(); servers.len()];
    for _ in 0..bench.rounds(7) {
        for ((server, load), series) in servers.iter().zip(&loads).zip(&mut series) {
            series.play(Some(server.id()), || wire::press(server.address, load))?;
        }
    }
    let hundred = series.get(1).map_or(&[][..], |series| &series.p50);
    for (place, (count, series)) in counts.iter().zip(&series).enumerate() {
        let against = ratio(&series.p50, hundred);
        report.add(Row {
            figure: format!("list of {} of {count} services", count.min(&100)),
            ours: format!(
                "{} ms, {} µs of processor",
                figure(median(&series.p50), 2),
                figure(median(&series.cpu), 0)
            ),
            peer: if place == 1 {
                String::new()
            } else {
                format!("{} ms, 100 of 100", figure(median(hundred), 2))
            },
            against: if place == 1 { String::new() } else { times(against) },
            target: if place < 2 { String::new() } else { at_most(against, LIMIT, "×") },
        });
    }
    Ok(())
}
