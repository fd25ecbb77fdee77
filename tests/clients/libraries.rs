//! How is a program that uses one of Google's client libraries run against an emulator of its own?
//!
//! Every program goes through the same steps and prints what it saw in each, in words that no API has for its
//! own: `tests/golden/client-scenario.jsonl` is what all of them must see. So a client that sees something else
//! than another fails, whichever the API and the wire.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use groundrun_tests::{World, golden};
use serde_json::Value;
use tokio::process::Command;

/// What all clients must see, a step a line.
const SCENARIO: &str = "tests/golden/client-scenario.jsonl";

/// A program that has not ended by then never will. Machines of CI are slow.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A program that uses a client library.
pub(super) struct Library {
    /// What it is run with: `python3 scenario.py`.
    command: Vec<PathBuf>,
    /// Where it finds what it needs.
    variables: Vec<(String, OsString)>,
}

impl Library {
    pub(super) fn new(command: Vec<PathBuf>) -> Self {
        Self { command, variables: Vec::new() }
    }

    pub(super) fn variable(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// What the program prints, a value a line. The first thing that it finds wrong ends the test.
    pub(super) async fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let (program, first) = self.command.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(first).args(arguments);
        // No proxy, no project, no credentials: the emulator's address is all that the program is told.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("the program ends");
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let printed = String::from_utf8_lossy(&output.stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} found something wrong\n{printed}{told}");
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        printed.lines().map(read).collect()
    }

    /// Runs the scenario, and compares what was seen with what every other client sees.
    pub(super) async fn scenario(&self, arguments: &[&str], story: &str) {
        let world = World::start().await;
        let address = world.server().address().to_string();
        let seen = self.run(&[arguments, &[&address]].concat()).await;
        let lines: String = seen.iter().map(|step| format!("{step}\n")).collect();
        golden::check(SCENARIO, &lines, story);
    }
}

/// A file beside this one.
pub(super) fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients").join(name)
}

/// What an environment variable says; without it what people have installed.
pub(super) fn chosen(variable: &str, otherwise: PathBuf) -> PathBuf {
    std::env::var_os(variable).map_or(otherwise, PathBuf::from)
}

/// Whether a command succeeds.
pub(super) async fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().await.is_ok_and(|output| output.status.success())
}

/// Says that a client is not there. Only CI may not tolerate it.
#[expect(clippy::print_stdout, reason = "whoever runs the tests must read what was skipped")]
pub(super) fn skip(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}, and CI requires it");
    println!("skipped: {what}");
}
