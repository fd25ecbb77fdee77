//! Does any request that the published document allows, or forbids, make the server fail? Schemathesis
//! makes them up.

use std::ffi::OsString;
use std::process::Output;

use groundrun_tests::{Owner, World, patched};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

/// What is tried is the same at every run.
const SEED: &str = "3";

/// How the server is asked, in time for a run of all tests: the phase `coverage` tries every wrong type of
/// every field, which `wrong_types` does for services, and with more to say about the answers.
const RUNS: &[&[&str]] = &[
    &["--phases=examples,fuzzing,stateful", "--max-examples=8"],
    &["--phases=coverage", r"--exclude-path-regex=/services(/\{service\})?$"],
];

/// The checks: what is answered is no failure, and is what the document says.
const CHECKS: &str = "--checks=not_a_server_error,content_type_conformance,response_schema_conformance";

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_failure() {
    let Some(python) = python().await else { return };
    let world = World::start().await;
    // What the examples of the document name is there.
    let service =
        patched(&Owner::service("hello"), "/spec/template/metadata", json!({ "name": "hello-one" }));
    world.owner().deploy_as(&service).await;
    let document = format!("http://{}/openapi.json", world.address());
    let directory = TempDir::new().expect("a directory for schemathesis");
    for run in RUNS {
        let output = schemathesis(&python, &directory)
            .args(["run", &document, CHECKS, "--seed", SEED, "--continue-on-failure", "--request-timeout=20"])
            .args(["--no-color", "--no-shrink", "--generation-database=none", "--warnings=off"])
            .args(*run)
            .output()
            .await
            .expect("schemathesis runs");
        assert!(output.status.success(), "{run:?}\n{}", told(&output));
        assert!(told(&output).contains("passed"), "nothing was tried:\n{}", told(&output));
    }
    let _ = world.get("/readyz").send().await.expect(200);
    world.stop().await;
}

/// A Python that has schemathesis; `None` if there is none, which only CI may not tolerate.
#[expect(clippy::print_stdout, reason = "whoever runs the tests must read what was skipped")]
async fn python() -> Option<OsString> {
    let python = std::env::var_os("GROUNDRUN_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let directory = TempDir::new().expect("a directory for schemathesis");
    let found = schemathesis(&python, &directory).arg("--version").output().await;
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "{python:?} has no schemathesis, and CI requires it");
    println!("skipped: {python:?} has no schemathesis");
    None
}

fn schemathesis(python: &OsString, directory: &TempDir) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "schemathesis.cli"]).current_dir(directory.path()).kill_on_drop(true);
    for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
