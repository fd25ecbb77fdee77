//! How soon is a new service ready after the answer to its creation?
//!
//! gcloud asks for the first time 5 to 12 ms after that answer, and then once a second: a service that is
//! ready later than the first question costs a deployment a whole second.

use std::time::Instant;

use http::Method;

use super::{Bench, median_p95_min};
use crate::Outcome;
use crate::client::{Client, SERVICES, service};
use crate::report::{Report, Row};
use crate::statistics::Sample;

/// Creates services, one after the other.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let server = bench.groundrun("ready")?.ready()?;
    let (mut written, mut ready) = (Vec::new(), Vec::new());
    bench.runtime.block_on(async {
        let mut client = Client::connect(server.address).await?;
        for number in 0..bench.rounds(100) {
            let (write, wait) = once(&mut client, &format!("service-{number}")).await?;
            written.push(write);
            ready.push(wait);
        }
        Outcome::Ok(())
    })?;
    let row = |figure: &str, times| Row {
        figure: figure.to_owned(),
        ours: median_p95_min(&Sample::new(times)),
        ..Row::default()
    };
    report.add(row("POST service, to its answer", written));
    report.add(Row {
        peer: "5 to 12 ms, first question of gcloud".to_owned(),
        ..row("POST service, from its answer until ready", ready)
    });
    server.stop()
}

/// Milliseconds until the creation was answered, and from then on until the service was ready.
async fn once(client: &mut Client, name: &str) -> Outcome<(f64, f64)> {
    let start = Instant::now();
    client.call(Method::POST, SERVICES, Some(&service(name, 0))).await?;
    let answered = Instant::now();
    client.settled(name).await?;
    let (write, wait) = (answered - start, answered.elapsed());
    Ok((write.as_secs_f64() * 1e3, wait.as_secs_f64() * 1e3))
}
