//! Is the status of a command reported as a shell reports it?

use super::*;

#[test]
fn the_status_is_the_commands_own_or_tells_the_signal() {
    let exited = |code: i32| exit_code(ExitStatus::from_raw(code << 8));
    assert_eq!(exited(0), 0);
    assert_eq!(exited(7), 7);
    assert_eq!(exited(255), 255);
    let killed = |signal: Signal| exit_code(ExitStatus::from_raw(signal.as_raw()));
    assert_eq!(killed(Signal::KILL), 137);
    assert_eq!(killed(Signal::TERM), 143);
}

#[tokio::test]
async fn a_command_that_is_not_there_is_127() {
    let command = [OsString::from("no-such-command-of-any-shell")];
    let failure = run_command(&command, Vec::new(), None, Signals::listen().unwrap()).await.unwrap_err();
    assert_eq!(failure.code, 127);
    assert_eq!(failure.to_string(), "error: no-such-command-of-any-shell: command not found");
}

#[tokio::test]
async fn a_file_that_is_no_program_is_126() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plain");
    std::fs::write(&file, "text").unwrap();
    let failure = run_command(&[file.into()], Vec::new(), None, Signals::listen().unwrap()).await;
    assert_eq!(failure.unwrap_err().code, 126);
}
