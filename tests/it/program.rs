//! What does the program do from the command line?

use groundrun_tests::{Caller, Finished, Jwt, Owner, Program, at};

const PROGRAM: &str = env!("CARGO_BIN_EXE_groundrun");

async fn run(arguments: &[&str]) -> Finished {
    Program::run(Program::command(PROGRAM, arguments)).await
}

/// What a successful run prints.
async fn printed(arguments: &[&str]) -> String {
    let finished = run(arguments).await;
    assert!(finished.status.success(), "{arguments:?}: {finished:?}");
    finished.stdout
}

#[tokio::test]
async fn the_demonstration_plays_every_step_and_ends() {
    let told = printed(&["demo", "--once", "--listen", "127.0.0.1:0"]).await;
    for step in 1..=8 {
        assert!(told.lines().any(|line| line.starts_with(&format!("{step}. "))), "no step {step}:\n{told}");
    }
    for command in [
        "gcloud run deploy hello --image=us-docker.pkg.dev/cloudrun/container/hello --no-allow-unauthenticated",
        "gcloud beta run services update hello --add-custom-audiences=https://api.example.test",
        "gcloud run services describe hello --format export > service.yaml",
        "gcloud run services replace service.yaml",
        "gcloud run services add-iam-policy-binding hello --member=serviceAccount:caller@",
        "gcloud auth print-identity-token --impersonate-service-account",
        "gcloud beta run services update hello --clear-custom-audiences",
        "gcloud run revisions list --service hello",
    ] {
        assert!(told.contains(command), "{command}:\n{told}");
    }
    for status in ["200", "401", "403"] {
        assert!(told.contains(status), "{status}:\n{told}");
    }
    for revision in ["hello-00001-", "hello-00002-", "hello-00003-", "hello-00004-"] {
        assert!(told.contains(revision), "{revision}:\n{told}");
    }
}

#[tokio::test]
async fn env_prints_what_unset_takes_back() {
    let set = printed(&["env", "--shell", "sh", "--listen", "127.0.0.1:1234", "--project", "p-1"]).await;
    let name = |line: &str, after: &str| {
        let rest = line.trim().strip_prefix(after)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        Some(rest[..end].to_owned())
    };
    let exported: Vec<String> = set.lines().filter_map(|line| name(line, "export ")).collect();
    assert!(exported.len() > 8, "{set}");
    for wanted in ["CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", "CLOUDSDK_CORE_PROJECT", "CLOUDSDK_PROXY_ADDRESS"] {
        assert!(exported.iter().any(|name| name == wanted), "{wanted}: {set}");
    }
    assert!(set.contains("127.0.0.1:1234") && set.contains("p-1"), "{set}");

    // Evaluated one after the other, nothing of it is left.
    let unset = printed(&["env", "--shell", "sh", "--unset"]).await;
    let script = format!("{set}\n{unset}\nenv");
    let left = Program::run(Program::command("sh", ["-c", &script])).await;
    assert!(left.status.success(), "{left:?}");
    for name in exported {
        assert!(!left.stdout.contains(&format!("{name}=")), "{name} is left");
    }
    for shell in ["fish", "powershell"] {
        assert!(printed(&["env", "--shell", shell]).await.contains("CLOUDSDK_CORE_PROJECT"), "{shell}");
    }
}

#[tokio::test]
async fn exec_starts_an_emulator_for_the_command_and_returns_its_status() {
    let finished = run(&["exec", "--listen", "127.0.0.1:0", "--", "sh", "-c", "env; exit 7"]).await;
    assert_eq!(finished.status.code(), Some(7), "{finished:?}");
    let value = |name: &str| {
        let found = finished.stdout.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        found.unwrap_or_else(|| panic!("{name} is not set: {finished:?}")).to_owned()
    };
    assert_eq!(value("CLOUDSDK_CORE_PROJECT"), "demo-project");
    let base = value("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN");
    assert_eq!(base, format!("http://{}/", value("GROUNDRUN_LISTEN")));
    assert!(!base.contains(":0/"), "{base}");

    let absent = run(&["exec", "--listen", "127.0.0.1:0", "--", "no-such-command-anywhere"]).await;
    assert_eq!(absent.status.code(), Some(127), "{absent:?}");
    let none = run(&["exec"]).await;
    assert_eq!(none.status.code(), Some(2), "{none:?}");
}

#[tokio::test]
async fn a_token_that_is_printed_opens_the_service() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Program::command(PROGRAM, ["--ephemeral", "--listen", "127.0.0.1:0"]);
    command.current_dir(directory.path());
    let program = Program::serve(command).await;
    let client = *program.client();
    let owner = Owner::new(&client);
    let service = owner.deploy("hello").await;
    owner.grant("hello").await;
    let (url, address) = (at(&service, "/status/url").as_str().unwrap(), client.address().to_string());
    let caller = Caller::service_account(&client, "caller");
    let asked = ["token", "--listen", &address, "--audience", url, "--as", caller.email()];
    let token = printed(&asked).await;
    assert_eq!(Jwt::read(token.trim()).claims["aud"], url);
    let _ = caller.at(url).bearer(token.trim()).send().await.expect(200);
    let named = printed(&[&asked[..], &["--include-email"]].concat()).await;
    assert_eq!(Jwt::read(named.trim()).claims["email"], caller.email());

    // An emulator that runs is the one that `exec` uses.
    let shown = printed(&["exec", "--listen", &address, "--", "sh", "-c", "echo $GROUNDRUN_LISTEN"]).await;
    assert_eq!(shown.trim(), address);
    let _ = owner.read("/readyz").await.expect(200);

    program.kill().await;
    let refused = run(&asked).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("no emulator runs"), "{refused:?}");
}

#[tokio::test]
async fn options_come_from_flags_variables_and_the_file() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("groundrun.yaml"), "project: from-file\nregion: asia-east1\n")
        .unwrap();
    let mut command = Program::command(PROGRAM, ["env", "--shell", "sh", "--region", "europe-west1"]);
    let finished = Program::run({
        command.current_dir(directory.path()).env("GROUNDRUN_LISTEN", "127.0.0.1:4321");
        command
    })
    .await;
    assert!(finished.status.success(), "{finished:?}");
    for shown in ["from-file", "europe-west1", "127.0.0.1:4321"] {
        assert!(finished.stdout.contains(shown), "{shown}: {finished:?}");
    }
    assert!(!finished.stdout.contains("asia-east1"), "{finished:?}");

    for wrong in [
        &["serve", "--project", "Not A Project"][..],
        &["serve", "--listen", "here"],
        &["serve", "--no-such-flag"],
        &["bogus"],
    ] {
        let finished = run(wrong).await;
        assert_eq!(finished.status.code(), Some(2), "{wrong:?}: {finished:?}");
        assert!(finished.stderr.starts_with("error: "), "{finished:?}");
    }
    assert!(printed(&["--help"]).await.contains("--data-dir"));
    assert!(printed(&["--version"]).await.starts_with("groundrun "));
}
