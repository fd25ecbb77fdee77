//! What is still there after the program was killed, and where does it refuse to start?

use std::path::Path;

use groundrun_tests::{Caller, Finished, Jwt, Owner, Program, at, condition, make_newer};
use tokio::net::TcpListener;
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_groundrun");

/// The command that serves from a data directory at an address.
fn serve(data_dir: &Path, listen: &str) -> Command {
    let mut command = Program::command(PROGRAM, ["serve", "--listen", listen, "--project", "demo-project"]);
    command.arg("--data-dir").arg(data_dir);
    command
}

/// What a start says that fails: one line, and a status that is not 0.
fn refusal(finished: &Finished) -> String {
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert_eq!(finished.stdout, "", "{finished:?}");
    assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    finished.stderr.trim_end().strip_prefix("error: ").expect("an error").to_owned()
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let first = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    let address = first.client().address().to_string();
    let owner = Owner::new(first.client());
    owner.deploy("hello").await;
    let service = owner.set_audiences("hello", &["aud1"]).await;
    owner.grant("hello").await;
    let policy = owner.policy("hello").await;
    let revisions = owner.revisions("hello").await;
    let caller = Caller::service_account(first.client(), "caller");
    let token = caller.token("aud1").await;
    let access = owner.access_token(caller.email()).await;
    let documents = async |owner: Owner<'_>| {
        let jwks = owner.read("/oauth2/v3/certs").await.expect(200).json();
        let certificates = owner.read("/oauth2/v1/certs").await.expect(200).json();
        (jwks, certificates)
    };
    let published = documents(owner).await;
    // The last write before the end: answered, and nothing waited for.
    let _ = owner.create(&Owner::service("last")).await.expect(200);
    first.kill().await;

    let second = Program::serve(serve(directory.path(), &address)).await;
    let owner = Owner::new(second.client());
    assert_eq!(owner.get("hello").await, service);
    assert_eq!(owner.policy("hello").await, policy);
    assert_eq!(owner.revisions("hello").await, revisions);
    assert_eq!(documents(owner).await, published);
    let url = at(&service, "/status/url").as_str().unwrap();
    let caller = Caller::service_account(second.client(), "caller");
    let answer = caller.at(url).bearer(&token).send().await.expect(200);
    assert_eq!(answer.json()["revision"], service["status"]["latestReadyRevisionName"]);
    assert_eq!(Jwt::read(&caller.token("aud1").await).header, Jwt::read(&token).header);
    let _ = second.client().get(Owner::services_path()).bearer(&access).send().await.expect(200);
    // What was on its way goes on.
    assert_eq!(condition(&owner.settled("last").await, "Ready")["status"], "True");
    assert_eq!(second.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn it_ends_cleanly_when_it_is_asked_to() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    Owner::new(program.client()).deploy("hello").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    let again = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    Owner::new(again.client()).get("hello").await;
}

#[tokio::test]
async fn an_ephemeral_one_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Program::command(PROGRAM, ["--ephemeral", "--listen", "127.0.0.1:0"]);
    command.current_dir(directory.path());
    let program = Program::serve(command).await;
    Owner::new(program.client()).deploy("hello").await;
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_port_in_use_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data_dir = directory.path().join("data");
    let told = refusal(&Program::run(serve(&data_dir, &address)).await);
    assert!(told.starts_with(&format!("cannot listen on {address}: ")), "{told}");
    assert!(told.contains("--listen"), "{told}");
    assert!(!data_dir.exists(), "nothing is begun before the port is there");
}

/// A file stands where the directory should be: nobody may write there, not even root.
#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    for data_dir in [file.clone(), file.join("below")] {
        let told = refusal(&Program::run(serve(&data_dir, "127.0.0.1:0")).await);
        let begin = format!("data directory '{}' cannot be written: ", data_dir.display());
        assert!(told.starts_with(&begin) && told.contains("--data-dir"), "{told}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_told_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    assert_eq!(program.terminate().await.code(), Some(0));
    make_newer(directory.path()).await;
    let file = directory.path().join("groundrun.db");
    let before = std::fs::read(&file).unwrap();
    let told = refusal(&Program::run(serve(directory.path(), "127.0.0.1:0")).await);
    assert!(told.contains("has version 9999") && told.contains("run a newer groundrun"), "{told}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_data_directory_belongs_to_one() {
    let directory = tempfile::tempdir().unwrap();
    let first = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    let told = refusal(&Program::run(serve(directory.path(), "127.0.0.1:0")).await);
    let begin = format!("data directory '{}' is in use by another groundrun", directory.path().display());
    assert!(told.starts_with(&begin), "{told}");
    Owner::new(first.client()).deploy("hello").await;
    first.kill().await;
    let next = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    Owner::new(next.client()).get("hello").await;
}

#[tokio::test]
async fn a_damaged_key_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    let _ = program.client().get("/readyz").send().await.expect(200);
    program.kill().await;
    std::fs::write(directory.path().join("keys/id-token.pem"), "no key").unwrap();
    let told = refusal(&Program::run(serve(directory.path(), "127.0.0.1:0")).await);
    assert!(told.contains("id-token.pem is damaged"), "{told}");
}

/// Keys are for the owner's eyes alone.
#[cfg(unix)]
#[tokio::test]
async fn the_keys_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let program = Program::serve(serve(directory.path(), "127.0.0.1:0")).await;
    let _ = program.client().get("/readyz").send().await.expect(200);
    let mode = |path: &str| {
        let path = directory.path().join(path);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("keys"), mode("keys/id-token.pem")), (0o700, 0o600));
}
