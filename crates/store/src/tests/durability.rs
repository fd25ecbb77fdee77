//! Does what was answered survive a killed process?

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use groundrun_model::kind::Write;

use super::{open, place, service};

/// Names the database to the child; without it the test is the parent.
const FILE: &str = "GROUNDRUN_TEST_DURABILITY_FILE";

/// How many answers the parent reads before it kills the child.
const ANSWERS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_kill() {
    if let Some(file) = std::env::var_os(FILE) {
        commit_until_killed(Path::new(&file)).await;
    }
    let (_directory, file) = place();
    let answered = kill_a_committing_child(&file);
    assert!(answered.len() >= ANSWERS, "the child ended by itself after {}", answered.len());

    let store = open(&file).await;
    for name in &answered {
        let found = store.get(&service(name).key).await.unwrap();
        assert_eq!(found, Some(service(name)), "{name} was answered and is lost");
    }
}

/// Four callers at once, so that batches of several are cut through, too.
async fn commit_until_killed(file: &Path) -> ! {
    let store = open(file).await;
    let caller = async |caller: usize| -> () {
        for number in 0_u64.. {
            let name = format!("s-{caller}-{number}");
            store.commit(vec![Write::Insert(service(&name))]).await.expect("the child commits");
            println!("answered {name}");
        }
    };
    tokio::join!(caller(0), caller(1), caller(2), caller(3));
    unreachable!("the numbers do not end");
}

/// Every name that the child printed before it died.
fn kill_a_committing_child(file: &Path) -> Vec<String> {
    let this_test = concat!(module_path!(), "::what_was_answered_survives_a_kill");
    let this_test = this_test.split_once("::").map_or(this_test, |(_, path)| path);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([this_test, "--exact", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answered = Vec::new();
    // Reads on after the kill: what is in the pipe was answered, too.
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some((_, name)) = line.unwrap().split_once("answered ") {
            answered.push(name.to_owned());
        }
        if answered.len() == ANSWERS {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    answered
}
