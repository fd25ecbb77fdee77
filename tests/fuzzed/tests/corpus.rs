//! Do the properties of every target hold on its corpus, and on a second of mutations of it?

#![expect(clippy::unwrap_used, clippy::panic, reason = "a property that does not hold ends the run")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use groundrun_fuzz_tests::{TARGETS, Target, mutated};

/// How long each target is run on mutations.
const PATIENCE: Duration = Duration::from_secs(1);

/// Every file of a corpus with its name, in the order of the names.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&directory)
        .unwrap_or_else(|problem| panic!("{}: {problem}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn run(target: Target, input: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("{what} does not hold for \"{}\"", input.escape_ascii());
    }
}

fn run_all(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let files = corpus(name);
    assert!(!files.is_empty(), "{name} has no corpus");
    for (file, input) in &files {
        run(*target, input, &format!("{name}, {file}:"));
    }
    let seeds: Vec<Vec<u8>> = files.into_iter().map(|(_, input)| input).collect();
    let end = Instant::now() + PATIENCE;
    for seed in 0_u64.. {
        run(*target, &mutated(&seeds, seed), &format!("{name}, seed {seed}:"));
        if Instant::now() > end {
            break;
        }
    }
}

#[test]
fn hosts() {
    run_all("host");
}

#[test]
fn credentials() {
    run_all("credential");
}

#[test]
fn tokens() {
    run_all("jwt");
}

#[test]
fn requests() {
    run_all("request");
}

#[test]
fn framings() {
    run_all("framing");
}

#[test]
fn every_target_is_one_of_cargo_fuzz_too() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "fuzz/Cargo.toml has no {name}");
    }
}
