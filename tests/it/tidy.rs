//! Is the repository as its architecture says? Edges between crates, and habits of files.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The longest that a file may be, in lines. Tables and stories too.
const LONGEST: usize = 600;

/// What each crate may not depend on; `ARCHITECTURE.md` says why.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "groundrun-model",
        &[
            "tokio",
            "axum",
            "hyper",
            "hyper-util",
            "sqlx",
            "tonic",
            "rand",
            "fastrand",
            "getrandom",
            "tracing",
            "groundrun-store",
            "groundrun-identity",
            "groundrun-runtime",
            "groundrun-engine",
            "groundrun-api",
            "groundrun-proxy",
            "groundrun",
        ],
    ),
    (
        "groundrun-store",
        &[
            "axum",
            "hyper",
            "http",
            "tonic",
            "groundrun-engine",
            "groundrun-api",
            "groundrun-proxy",
            "groundrun",
        ],
    ),
    (
        "groundrun-identity",
        &[
            "axum",
            "sqlx",
            "groundrun-store",
            "groundrun-engine",
            "groundrun-api",
            "groundrun-proxy",
            "groundrun",
        ],
    ),
    (
        "groundrun-runtime",
        &[
            "axum",
            "sqlx",
            "groundrun-store",
            "groundrun-engine",
            "groundrun-api",
            "groundrun-proxy",
            "groundrun",
        ],
    ),
    (
        "groundrun-engine",
        &[
            "axum",
            "tonic",
            "hyper",
            "hyper-util",
            "http",
            "sqlx",
            "groundrun-api",
            "groundrun-proxy",
            "groundrun",
        ],
    ),
    ("groundrun-api", &["sqlx", "groundrun-store", "groundrun-proxy", "groundrun"]),
    (
        "groundrun-proxy",
        &["sqlx", "axum", "groundrun-store", "groundrun-engine", "groundrun-api", "groundrun"],
    ),
    ("groundrun", &["sqlx"]),
];

/// Names that say nothing about what a file answers.
const NAMELESS: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "misc", "shared"];

/// What is not there when work is finished. In two parts each, so that this file does not hold them.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
    concat!("#[ign", "ore"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
];

/// What would let the model look at the world around it.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant",
    "fastrand",
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every source file, as its path from the top of the repository and its text.
fn sources() -> Vec<(String, String)> {
    let top = repository();
    let mut found = Vec::new();
    let mut directories: Vec<PathBuf> =
        ["crates", "tests", "benches"].iter().map(|name| top.join(name)).collect();
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 100, "the sources were not found");
    found.sort();
    found
}

/// The packages of the workspace, each with the names of those it is built from.
fn edges() -> Vec<(String, Vec<String>)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let built_from = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        // What only tests use is no edge; a build dependency is one.
        dependencies.iter().filter(|dependency| dependency["kind"] != "dev").map(name).collect()
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().map(|package| (name(package), built_from(package))).collect()
}

#[test]
fn crates_depend_only_on_what_they_may() {
    let edges = edges();
    let mut wrong = Vec::new();
    for (name, forbidden) in FORBIDDEN {
        let found = edges.iter().find(|(package, _)| package == name);
        let (_, built_from) = found.unwrap_or_else(|| panic!("there is no package {name}"));
        wrong.extend(
            built_from
                .iter()
                .filter(|to| forbidden.contains(&to.as_str()))
                .map(|to| format!("{name} -> {to}")),
        );
    }
    assert_eq!(wrong, Vec::<String>::new(), "these edges are forbidden by the architecture");
    let crates = edges.iter().filter(|(name, _)| name.starts_with("groundrun") && !name.ends_with("tests"));
    for (name, _) in crates.filter(|(name, _)| !name.contains("bench")) {
        assert!(FORBIDDEN.iter().any(|(known, _)| known == name), "the table says nothing about {name}");
    }
}

#[test]
fn the_model_looks_at_nothing_but_its_arguments() {
    let sources = sources();
    let model =
        sources.iter().filter(|(name, _)| name.starts_with("crates/model/src/") && !name.contains("tests"));
    for (name, text) in model {
        for word in IMPURE {
            assert!(!text.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn only_the_store_knows_sql() {
    for (name, text) in sources().iter().filter(|(name, _)| name.starts_with("crates/")) {
        let knows = text.contains("sqlx::");
        assert!(!knows || name.starts_with("crates/store/"), "{name}");
    }
}

#[test]
fn every_file_says_which_question_it_answers() {
    for (name, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 12, "{name} begins with: {first}");
    }
}

#[test]
fn files_are_short() {
    let sources = sources();
    let mut lengths: Vec<(usize, &String)> =
        sources.iter().map(|(name, text)| (text.lines().count(), name)).collect();
    lengths.sort();
    let (longest, name) = lengths[lengths.len() - 1];
    assert!(longest <= LONGEST, "{name} has {longest} lines");
    let (median, _) = lengths[lengths.len() / 2];
    assert!(median <= 150, "the median of all files is {median} lines");
}

#[test]
fn nothing_is_left_unfinished() {
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for word in UNFINISHED {
                assert!(!line.contains(word), "{name}:{}: {line}", number + 1);
            }
        }
    }
}

#[test]
fn names_say_what_is_there() {
    for (name, _) in sources() {
        for part in name.split('/') {
            let part = part.trim_end_matches(".rs");
            assert!(!NAMELESS.contains(&part), "{name}");
        }
    }
}

/// A story that no module names is never run.
#[test]
fn every_story_is_told() {
    let sources = sources();
    let (_, main) = sources.iter().find(|(name, _)| name == "tests/it/main.rs").unwrap();
    let modules: Vec<&str> =
        main.lines().filter_map(|line| line.trim().strip_prefix("mod ")?.strip_suffix(';')).collect();
    let stories = sources.iter().filter_map(|(name, _)| name.strip_prefix("tests/it/")?.strip_suffix(".rs"));
    for story in stories.filter(|story| *story != "main") {
        assert!(modules.contains(&story), "tests/it/{story}.rs is no module of tests/it/main.rs");
    }
}
