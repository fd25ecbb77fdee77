//! How long is it from the start of the program to its first answer?

use http::{Method, Uri};

use super::{Bench, SERVICE_COUNT, median_p95_min};
use crate::Outcome;
use crate::client::{Client, SERVICES, text};
use crate::process::Process;
use crate::report::{Report, Row, at_most, under};
use crate::statistics::{Sample, differences};

/// How soon the first answer must come from a data directory that exists, in milliseconds.
const TARGET: f64 = 40.0;

/// How soon one of very many services must be served, in milliseconds.
const MANY_TARGET: f64 = 250.0;

/// What the program finds at its start.
struct Case {
    figure: &'static str,
    directory: &'static str,
    path: &'static str,
    target: Option<f64>,
}

const CASES: [Case; 4] = [
    Case { figure: "data directory exists", directory: "key", path: "/healthz", target: Some(TARGET) },
    Case { figure: "1,000 services in it", directory: "full", path: "/healthz", target: None },
    Case { figure: "no data directory", directory: "fresh", path: "/healthz", target: None },
    Case {
        figure: "no data directory, to /readyz (key made)",
        directory: "fresh",
        path: "/readyz",
        target: None,
    },
];

/// Measures all cases and the bare server in the same rounds.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    bench.fill("key", 0)?;
    bench.fill("full", SERVICE_COUNT)?;
    let (mut bare, mut ours) = (Vec::new(), CASES.map(|_| Vec::new()));
    for _ in 0..bench.rounds(20) {
        bare.push(Process::peer("bare", bench.home.path(), None)?.first_answer("/healthz")?);
        for (case, times) in CASES.iter().zip(&mut ours) {
            times.push(once(bench, case)?);
        }
    }
    for (case, times) in CASES.iter().zip(&ours) {
        let sample = Sample::new(times.clone());
        report.add(Row {
            figure: format!("start to first answer: {}", case.figure),
            ours: median_p95_min(&sample),
            peer: format!("{}, bare server", median_p95_min(&Sample::new(bare.clone()))),
            against: format!("{:+.1} ms", differences(times, &bare).median()),
            target: case.target.map_or_else(String::new, |limit| under(sample.percentile(95.0), limit, "ms")),
        });
    }
    many(bench, report)
}

/// From the start until a service that nobody may call is served: its refusal, with very many others beside.
fn many(bench: &Bench, report: &mut Report) -> Outcome<()> {
    let data_dir = bench.home.path().join("many");
    bench.provide(&data_dir, bench.many())?;
    let server = bench.groundrun("many")?.ready()?;
    let host = bench.runtime.block_on(async {
        let mut client = Client::connect(server.address).await?;
        let found = client.call(Method::GET, &format!("{SERVICES}/service-7"), None).await?;
        let url: Uri = text(&found, "/status/url")?.parse()?;
        Outcome::Ok(url.host().ok_or("the URL has no host")?.to_owned())
    })?;
    server.stop()?;
    let mut times = Vec::new();
    for _ in 0..bench.rounds(20) {
        let mut server = bench.groundrun("many")?;
        times.push(server.first_status("/", &host, b"403")?);
        server.stop()?;
    }
    let sample = Sample::new(times);
    report.add(Row {
        figure: format!("start until a service is served: {} services in the directory", bench.many()),
        ours: median_p95_min(&sample),
        target: at_most(sample.percentile(95.0), MANY_TARGET, "ms"),
        ..Row::default()
    });
    Ok(())
}

fn once(bench: &Bench, case: &Case) -> Outcome<f64> {
    let data_dir = bench.home.path().join(case.directory);
    if case.directory == "fresh" && data_dir.exists() {
        std::fs::remove_dir_all(data_dir)?;
    }
    let mut server = bench.groundrun(case.directory)?;
    let time = server.first_answer(case.path)?;
    server.stop()?;
    Ok(time)
}
