//! Does the program itself do what its parts promise: variables, files, signals and exit statuses?
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// groundrun in an empty directory, with nothing set but PATH.
fn groundrun(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groundrun"));
    command.current_dir(directory).env_clear().args(arguments);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A port on which nothing listens.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Answers every request with 200 and `body`, and passes on what was asked.
fn answering(body: &'static str) -> (SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, requests) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            for line in head.lines() {
                if let Some(("content-length", value)) = line.to_lowercase().split_once(": ") {
                    length = value.parse().unwrap();
                }
            }
            let mut sent = vec![0; length];
            stream.read_exact(&mut sent).unwrap();
            let _ = asked.send(head + &String::from_utf8(sent).unwrap());
            let length = body.len();
            let answer =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, requests)
}

#[test]
fn a_flag_wins_over_the_variable_and_the_variable_over_the_file() {
    let directory = TempDir::new().unwrap();
    let project = |command: &mut Command| {
        let printed = stdout(&command.output().unwrap());
        let line = printed.lines().find_map(|line| line.strip_prefix("export CLOUDSDK_CORE_PROJECT="));
        line.unwrap_or_default().to_owned()
    };
    let env = |arguments: &[&str]| groundrun(directory.path(), arguments);
    assert_eq!(project(&mut env(&["env"])), "demo-project");
    std::fs::write(directory.path().join("groundrun.yaml"), "project: of-file\n").unwrap();
    assert_eq!(project(&mut env(&["env"])), "of-file");
    assert_eq!(project(env(&["env"]).env("GROUNDRUN_PROJECT", "of-variable")), "of-variable");
    let both = ["env", "--project", "of-flag"];
    assert_eq!(project(env(&both).env("GROUNDRUN_PROJECT", "of-variable")), "of-flag");
    std::fs::write(directory.path().join("other.yaml"), "project: of-other\n").unwrap();
    assert_eq!(project(&mut env(&["env", "--config", "other.yaml"])), "of-other");
    assert_eq!(project(env(&["env"]).env("GROUNDRUN_CONFIG", "other.yaml")), "of-other");
}

#[test]
fn a_slip_in_the_file_is_told_with_its_line() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("groundrun.yaml"), "project: demo\ndata-dir: x\n").unwrap();
    for command in [&["env"][..], &["serve"], &["demo", "--once"], &["exec", "--", "true"]] {
        let output = groundrun(directory.path(), command).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert_eq!(
            stderr(&output),
            "error: groundrun.yaml:2: unknown key `data-dir`; did you mean `dataDir`?\n",
            "{command:?}"
        );
    }
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let directory = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let output = groundrun(directory.path(), &["--ephemeral", "--listen", &listen]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.starts_with("error: ") && told.contains(&listen) && told.lines().count() == 1, "{told}");
}

fn serving(directory: &Path) -> Child {
    let arguments = ["serve", "--ephemeral", "--listen", "127.0.0.1:0"];
    let mut child = groundrun(directory, &arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("groundrun listens on 127.0.0.1:"), "{first}");
    child
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_signal_stops_the_server_cleanly() {
    let directory = TempDir::new().unwrap();
    for name in ["-TERM", "-INT"] {
        let mut child = serving(directory.path());
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
    }
}

#[test]
fn exec_uses_an_emulator_that_runs_and_returns_the_status_of_the_command() {
    let directory = TempDir::new().unwrap();
    let (address, _requests) = answering(r#"{"server":"groundrun"}"#);
    let listen = address.to_string();
    let script = "echo $CLOUDSDK_PROXY_PORT $GROUNDRUN_LISTEN; exit 7";
    let arguments = ["exec", "--listen", &listen, "--", "sh", "-c", script];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert_eq!(stdout(&output), format!("{} {listen}\n", address.port()), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn exec_hands_on_the_request_to_stop() {
    let directory = TempDir::new().unwrap();
    let (address, _requests) = answering(r#"{"server":"groundrun"}"#);
    let script = "trap 'echo asked; exit 9' TERM; echo up; read line";
    let arguments = ["exec", "--listen", &address.to_string(), "--", "sh", "-c", script];
    let mut command = groundrun(directory.path(), &arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (said, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
    let next = || lines.recv_timeout(Duration::from_secs(20)).unwrap_or_default();
    assert_eq!(next(), "up");
    signal(&child, "-TERM");
    let answer = next();
    // The command waits for its input no longer, whether it was asked to stop or not.
    drop(stdin);
    assert_eq!(answer, "asked");
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn exec_does_not_take_a_stranger_for_an_emulator() {
    let directory = TempDir::new().unwrap();
    let (address, _requests) = answering(r#"{"server":"another"}"#);
    let arguments = ["exec", "--listen", &address.to_string(), "--", "true"];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&address.to_string()), "{}", stderr(&output));
}

#[test]
fn a_token_is_asked_for_as_the_owner_and_printed() {
    let directory = TempDir::new().unwrap();
    let (address, requests) = answering(r#"{"token":"h.p.s"}"#);
    let account = "a b@demo.iam.gserviceaccount.com";
    let arguments = ["token", "--listen", &address.to_string(), "--audience", "aud1", "--as", account];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert_eq!(stdout(&output), "h.p.s\n", "{}", stderr(&output));
    let request = requests.recv().unwrap();
    let path = "/v1/projects/-/serviceAccounts/a%20b@demo.iam.gserviceaccount.com:generateIdToken";
    assert!(request.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{request}");
    assert!(request.contains("authorization: Bearer groundrun-local-owner\r\n"), "{request}");
    assert!(request.ends_with(r#"{"audience":"aud1","includeEmail":false}"#), "{request}");
}

/// Whoever can read the file is that person: nobody else may.
#[cfg(unix)]
#[test]
fn a_login_leaves_the_credentials_of_a_person_in_a_file_of_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = TempDir::new().unwrap();
    let (address, requests) = answering(r#"{"email":"ada@example.test","refreshToken":"1//0secret"}"#);
    let arguments = ["login", "--listen", &address.to_string(), "--as", "ada@example.test", "--adc"];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(requests.recv().unwrap().starts_with("POST /emulator/login HTTP/1.1\r\n"));
    let file = directory.path().join(".groundrun/logins/ada@example.test.adc.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    for part in ["\"authorized_user\"", "\"1//0secret\"", "764086051850-"] {
        assert!(text.contains(part), "{text}");
    }
    let told = stdout(&output);
    assert!(told.contains("GOOGLE_APPLICATION_CREDENTIALS=") && !told.contains("secret"), "{told}");
}

#[test]
fn a_token_without_an_emulator_tells_how_to_start_one() {
    let directory = TempDir::new().unwrap();
    let listen = free_port().to_string();
    let arguments = ["token", "--listen", &listen, "--audience", "a", "--as", "b@example.com"];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.starts_with(&format!("error: no emulator runs: nothing listens on {listen}\n")), "{told}");
    assert!(told.contains(&format!("serve --listen {listen}`")), "{told}");
}

/// At the usual port the second would find the first's emulator, and lose it when the first ends.
#[test]
fn two_commands_at_once_have_an_emulator_each() {
    let directory = TempDir::new().unwrap();
    let program = env!("CARGO_BIN_EXE_groundrun");
    // The inner one is told of no emulator: it is as if started in another shell.
    let script = format!("echo $GROUNDRUN_LISTEN; env -i PATH=\"$PATH\" {program} exec -- env");
    let mut command = groundrun(directory.path(), &["exec", "--", "sh", "-c", &script]);
    let output = command.output().unwrap();
    let out = stdout(&output);
    let outer = out.lines().next().unwrap();
    let inner = out.lines().find_map(|line| line.strip_prefix("GROUNDRUN_LISTEN=")).unwrap();
    assert!(outer.starts_with("127.0.0.1:") && outer != inner, "{out}{}", stderr(&output));
}

#[test]
fn a_workload_brings_its_own_credentials() {
    let directory = TempDir::new().unwrap();
    let arguments = ["exec", "--mode", "all", "--credentials", "k.json", "--service", "s", "--", "true"];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: --credentials is for a developer"), "{}", stderr(&output));
}

#[test]
fn exec_starts_an_emulator_that_ends_with_the_command() {
    let directory = TempDir::new().unwrap();
    let script = format!("{} token --audience a --as b@example.com; exit 5", env!("CARGO_BIN_EXE_groundrun"));
    let arguments = ["exec", "--listen", "127.0.0.1:0", "--", "sh", "-c", &script];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(stdout(&output).trim().split('.').count(), 3, "no token: {}", stderr(&output));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it left something behind");
}

#[test]
fn the_demonstration_goes_as_documented() {
    let directory = TempDir::new().unwrap();
    let arguments = ["demo", "--once", "--listen", "127.0.0.1:0"];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("custom-audiences (cleared)"), "{}", stdout(&output));
}

#[test]
fn exec_in_mode_all_lets_a_program_call_what_its_url_says() {
    let directory = TempDir::new().unwrap();
    let script = "cat \"$NODE_EXTRA_CA_CERTS\" && curl -sS https://www.googleapis.com/oauth2/v3/certs && \
                  echo && dirname \"$SSL_CERT_FILE\"";
    let arguments = ["exec", "--listen", "127.0.0.1:0", "--mode", "all", "--", "sh", "-c", script];
    let output = groundrun(directory.path(), &arguments).output().unwrap();
    let (out, told) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(out.starts_with("-----BEGIN CERTIFICATE-----") && out.contains("RS256"), "{out}");
    let files = Path::new(out.lines().last().unwrap());
    assert!(files.is_absolute() && !files.exists(), "{out}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it left something behind");
}

#[test]
fn the_ca_is_found_with_and_without_an_emulator() {
    let directory = TempDir::new().unwrap();
    let listen = free_port().to_string();
    let run = |arguments: &[&str]| {
        groundrun(directory.path(), &[arguments, &["--listen", &listen]].concat()).output().unwrap()
    };
    let missing = run(&["ca"]);
    assert_eq!(missing.status.code(), Some(1));
    let told = stderr(&missing);
    assert!(told.contains("'.groundrun' holds no local CA") && told.contains("serve --listen"), "{told}");

    // Its first start makes it; the CA stays.
    let exec = ["exec", "--data-dir", "data", "--listen", "127.0.0.1:0", "--"];
    let script = format!("{} ca --listen $GROUNDRUN_LISTEN", env!("CARGO_BIN_EXE_groundrun"));
    let running =
        groundrun(directory.path(), &[&exec[..], &["sh", "-c", &script]].concat()).output().unwrap();
    let path = stdout(&run(&["ca", "--data-dir", "data"]));
    assert_eq!(stdout(&running), path, "{}", stderr(&running));
    assert!(path.ends_with("/data/ca/ca.pem\n"), "{path}");
    for (flag, name) in [("--bundle", "bundle.pem"), ("--java", "truststore.jks")] {
        let path = stdout(&run(&["ca", "--data-dir", "data", flag]));
        assert!(path.ends_with(&format!("/{name}\n")) && Path::new(path.trim()).exists(), "{path}");
    }

    let env = stdout(&run(&["env", "--mode", "all", "--data-dir", "data"]));
    assert!(env.contains(&format!("export NODE_EXTRA_CA_CERTS={path}")), "{env}");
    assert!(env.contains("--mode all --data-dir data --unset"), "{env}");
    let unset = stdout(&run(&["env", "--mode", "all", "--unset"]));
    assert!(
        unset.contains("unset SSL_CERT_FILE\n") && !unset.contains("unset GOOGLE_APPLICATION"),
        "{unset}"
    );
}

#[test]
fn credentials_are_for_mode_all() {
    let directory = TempDir::new().unwrap();
    let output = groundrun(directory.path(), &["env", "--credentials", "key.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "error: --credentials needs --mode all\n");
}
