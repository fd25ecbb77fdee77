//! How is the real program run, watched and ended?

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::http_client::{Client, DEADLINE};

/// A program that serves.
#[derive(Debug)]
pub struct Program {
    child: Child,
    client: Client,
}

/// A program that ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Program {
    /// A command that runs `program` without the variables that would configure it.
    pub fn command<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["GROUNDRUN_", "CLOUDSDK_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(mut command: Command) -> Finished {
        let ending = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output();
        let output = tokio::time::timeout(DEADLINE * 2, ending).await.expect("the program ends").unwrap();
        Finished {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts a command that serves, and waits until it said where: the first `http://ADDRESS:PORT` that it
    /// writes to standard output.
    pub async fn serve(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let address = async {
            let mut line = String::new();
            while out.read_line(&mut line).await.unwrap() > 0 {
                if let Some(address) = address_in(&line) {
                    return address;
                }
                line.clear();
            }
            let mut problem = String::new();
            errors.read_to_string(&mut problem).await.unwrap();
            panic!("the program ended without serving: {problem}");
        };
        let address = tokio::time::timeout(DEADLINE, address).await.expect("the program serves");
        // What it writes later must not block it.
        tokio::spawn(async move { tokio::io::copy(&mut out, &mut tokio::io::sink()).await });
        tokio::spawn(async move { tokio::io::copy(&mut errors, &mut tokio::io::sink()).await });
        Self { child, client: Client::new(address) }
    }

    /// A client of what the program serves.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Ends the program without any warning, as a crash does, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks the program to end with SIGTERM, and answers how it did.
    pub async fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(sent.success());
        tokio::time::timeout(DEADLINE, self.child.wait()).await.expect("the program ends").unwrap()
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let rest = line.split_once("http://")?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
    rest[..end].parse().ok()
}
