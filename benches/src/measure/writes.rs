//! How many changes of services reach the disk in a second, while others read?

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use http::Method;

use super::{Bench, spread};
use crate::Outcome;
use crate::client::{SERVICES, request, service};
use crate::load::{Burst, press};
use crate::process::Process;
use crate::report::{Report, Row};
use crate::statistics::{Sample, ratios};

/// What a bare write of the disk writes: about what one change adds to the write-ahead log.
const PAGE: [u8; 4096] = [0; 4096];

/// Writes with one client and with sixteen, and to a bare file, in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    for clients in [1, 16] {
        let server = bench.groundrun(&format!("writes-{clients}"))?.ready()?;
        bench.create(&server, clients)?;
        let (mut writes, mut p99, mut reads, mut disk) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..bench.rounds(7) as u64 {
            let (write, read) = bench.runtime.block_on(both(bench, &server, clients, round))?;
            writes.push(write.rate);
            p99.push(write.latency.percentile(99.0));
            reads.push(read.rate);
            disk.push(synced(bench, bench.round() / 3)?);
        }
        server.stop()?;
        let who = if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") };
        report.add(Row {
            figure: format!("PUT service, {who}, while 1 reads"),
            against: format!("× {:.2}", ratios(&writes, &disk).median()),
            ours: format!(
                "{}, p99 {:.1} ms",
                spread(&Sample::new(writes), 0, "/s"),
                Sample::new(p99).median()
            ),
            peer: format!("{}, write and fdatasync of 4 KiB", spread(&Sample::new(disk), 0, "/s")),
            target: String::new(),
        });
        report.add(Row {
            figure: format!("GET service, 1 client, while {who} write"),
            ours: spread(&Sample::new(reads), 0, "/s"),
            ..Row::default()
        });
    }
    Ok(())
}

/// Writers, each of a service of its own, and a reader beside them.
async fn both(bench: &Bench, server: &Process, clients: u64, round: u64) -> Outcome<(Burst, Burst)> {
    let write = move |client: u64, count: u64| {
        let name = format!("service-{client}");
        // Another value each time: a write that changes nothing is cheaper.
        let body = service(&name, round << 32 | count);
        request(Method::PUT, &format!("{SERVICES}/{name}"), Some(&body))
    };
    let read = |_, _| request(Method::GET, &format!("{SERVICES}/service-0"), None);
    tokio::try_join!(
        press(server.address, clients, bench.round(), write),
        press(server.address, 1, bench.round(), read)
    )
}

/// How often a second a page can be brought to the disk that has the data directory.
fn synced(bench: &Bench, duration: Duration) -> Outcome<f64> {
    let mut file = File::create(bench.home.path().join("synced"))?;
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < duration {
        file.write_all(&PAGE)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
