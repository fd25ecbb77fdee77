//! How much longer does gcloud take than it must?

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use http::Method;

use super::{Bench, spread};
use crate::Outcome;
use crate::client::{Client, SERVICES, request};
use crate::process::Process;
use crate::report::{self, Report, Row};
use crate::statistics::{Sample, differences};

/// How much longer it may take than against an instant server, in seconds.
const TARGET: f64 = 0.5;

const DEPLOY: [&str; 5] = [
    "run",
    "deploy",
    "hello",
    "--image=us-docker.pkg.dev/cloudrun/container/hello",
    "--no-allow-unauthenticated",
];

/// Deploys a new service to groundrun and to the instant server in turn.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Outcome<()> {
    if Command::new("gcloud").arg("--version").stdout(Stdio::null()).status().is_err() {
        report::note("skipped: gcloud is not on the PATH");
        report.add(Row {
            figure: "gcloud run deploy".to_owned(),
            ours: "skipped: gcloud is not on the PATH".to_owned(),
            ..Row::default()
        });
        return Ok(());
    }
    let servers = [bench.groundrun("gcloud")?.ready()?, Process::peer("instant", bench.home.path(), None)?];
    let config = bench.home.path().join("gcloud-config");
    let mut environments = Vec::new();
    for server in &servers {
        environments.push(environment(&bench.binary, server)?);
        // The first run of all makes files that later ones find.
        deploy(bench, server, environments.last().map_or(&[], Vec::as_slice), &config)?;
    }
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..bench.rounds(15) {
        // Who comes first changes: what the one leaves behind may help or hinder the other.
        for turn in 0..2 {
            let who = (round + turn) % 2;
            if let (Some(server), Some(set), Some(times)) =
                (servers.get(who), environments.get(who), times.get_mut(who))
            {
                times.push(deploy(bench, server, set, &config)?);
            }
        }
    }
    let [ours, instant] = times;
    let slower = differences(&ours, &instant);
    // Noise goes both ways; only what groundrun loses goes one way.
    let (over, under_it) = (slower.count_above(TARGET), differences(&instant, &ours).count_above(TARGET));
    report.add(Row {
        figure: "gcloud run deploy, whole command".to_owned(),
        ours: spread(&Sample::new(ours), 2, "s"),
        peer: format!("{}, instant server", spread(&Sample::new(instant), 2, "s")),
        against: format!(
            "{}; {over} rounds over {TARGET}, {under_it} under -{TARGET}",
            spread(&slower, 2, "s")
        ),
        target: format!("< {TARGET} s more: met in {} of {} rounds", slower.len() - over, slower.len()),
    });
    Ok(())
}

/// The variables that groundrun gives gcloud for a server.
fn environment(groundrun: &Path, server: &Process) -> Outcome<Vec<(String, String)>> {
    let script = r#"eval "$("$0" env --shell sh --listen "$1")" && env -0"#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(groundrun)
        .arg(server.address.to_string())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()?;
    if !output.status.success() {
        return Err(format!("groundrun env: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let set = text.split('\0').filter_map(|line| line.split_once('='));
    Ok(set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Deploys, and deletes the service again. The seconds that the deployment took.
fn deploy(bench: &Bench, server: &Process, environment: &[(String, String)], config: &Path) -> Outcome<f64> {
    let mut command = Command::new("gcloud");
    command.args(DEPLOY).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.env("CLOUDSDK_CONFIG", config).stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("gcloud run deploy: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    bench.runtime.block_on(async {
        let mut client = Client::connect(server.address).await?;
        client.send(request(Method::DELETE, &format!("{SERVICES}/hello"), None)?).await
    })?;
    Ok(seconds)
}
