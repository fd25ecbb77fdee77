//! How is a command run against an emulator, whether one runs already or not?

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::env::Led;
use super::workload::{Guest, Identity};
use super::{Failure, Serve, Signals, ca, logging};
use crate::client::{Call, Client, Listener};
use crate::config::{LogLevel, Options, Settings};
use crate::environment::{self, Mode, Variable, reachable};
use crate::server::{self, Server, StartError};

/// How long the emulator may take until it is ready.
const READY_DEADLINE: Duration = Duration::from_secs(30);

/// The pause between two questions whether it is.
const READY_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Exec {
    #[command(flatten)]
    serve: Serve,
    #[command(flatten)]
    identity: Identity,
    #[command(flatten)]
    led: Led,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the command and returns its exit status.
pub(super) async fn run(exec: Exec, program: &str) -> Result<u8, Failure> {
    let credentials = exec.led.credentials()?;
    if credentials.is_some() && exec.identity.is_some() {
        let told = "--credentials is for a developer: a workload (--service, --as) has those of its account";
        return Err(Failure::new(told).code(Failure::USAGE));
    }
    let options = exec.serve.layered()?;
    logging::start(options.log.unwrap_or(LogLevel::Warn));
    let signals = Signals::listen()?;
    let (settings, server) = emulator(options).await?;
    let outcome = async {
        wait_until_ready(settings.listen).await?;
        let files = match exec.led.mode {
            Mode::Gcloud => None,
            Mode::All => Some(ca::files(&settings, program).await?),
        };
        let guest = exec.identity.open(&settings, server.is_some(), program).await?;
        let mut variables = match files {
            None => environment::gcloud(&settings)
                .into_iter()
                .chain(guest.iter().flat_map(|guest| guest.inherited_proxies(settings.listen)))
                .collect(),
            Some(files) => {
                let proxy = guest.as_ref().map_or(settings.listen, Guest::address);
                let by_proxy = Settings { listen: proxy, ..settings.clone() };
                environment::all(&by_proxy, &files, credentials.as_deref())
            }
        };
        // Last, because they name the emulator, whichever port is the proxy.
        variables.extend(environment::clients(&settings));
        let outcome = run_command(&exec.command, variables, guest.as_ref(), signals).await;
        if let Some(guest) = guest {
            guest.close().await;
        }
        outcome
    }
    .await;
    if let Some(server) = server {
        server.stop().await;
    }
    outcome
}

/// Finds an emulator, or starts one that lives as long as the command. Returns where it listens.
///
/// One that is started takes a free port unless the user named one: at the usual port another exec would find
/// it, share its services and lose it when this command ends.
async fn emulator(options: Options) -> Result<(Settings, Option<Server>), Failure> {
    let address_is_given = options.listen.is_some();
    let ephemeral = options.ephemeral.unwrap_or(options.data_dir.is_none());
    let mut settings = Options { ephemeral: Some(ephemeral), ..options }.resolve()?;
    if settings.listen.port() != 0
        && Client::new(reachable(settings.listen)).probe().await == Listener::Groundrun
    {
        return Ok((settings, None));
    }
    if !address_is_given {
        settings.listen.set_port(0);
    }
    let server = server::start(settings.serve_options()).await?;
    Ok((Settings { listen: server.address(), ..settings }, Some(server)))
}

/// Starts an emulator at the address of `settings`, or at a free port if that one is taken and the user
/// did not insist on it.
pub(crate) async fn start_somewhere(settings: &Settings, insist: bool) -> Result<Server, Failure> {
    let mut options = settings.serve_options();
    if !insist && Client::new(reachable(settings.listen)).probe().await != Listener::Nobody {
        options.listen.set_port(0);
    }
    match server::start(options.clone()).await {
        // Somebody else took it after the question, such as another exec that started at the same time.
        Err(StartError::Listen(..)) if !insist => {
            options.listen.set_port(0);
            Ok(server::start(options).await?)
        }
        outcome => Ok(outcome?),
    }
}

async fn wait_until_ready(listen: SocketAddr) -> Result<(), Failure> {
    let client = Client::new(reachable(listen));
    let ready = async {
        loop {
            let answer = client.send(Call { path: "/readyz", ..Call::default() }).await;
            if answer.is_ok_and(|answer| answer.status.is_success()) {
                return;
            }
            tokio::time::sleep(READY_PAUSE).await;
        }
    };
    let late =
        |_| Failure::new(format_args!("the emulator on {listen} is not ready after {READY_DEADLINE:?}"));
    tokio::time::timeout(READY_DEADLINE, ready).await.map_err(late)
}

async fn run_command(
    command: &[OsString],
    variables: Vec<Variable>,
    guest: Option<&Guest>,
    signals: Signals,
) -> Result<u8, Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::new("no command").code(Failure::USAGE));
    };
    let mut child = Command::new(program);
    child.args(arguments).envs(variables.into_iter().map(|variable| (variable.name, variable.value)));
    if let Some(guest) = guest {
        guest.dress(&mut child);
    }
    let child = child.spawn().map_err(|error| not_started(program, &error))?;
    let status = wait(child, signals).await;
    let status = status.map_err(|error| Failure::new(format_args!("lost the command: {error}")))?;
    Ok(exit_code(status))
}

/// Waits for the command, and hands on to it what asks this program to stop.
async fn wait(mut child: Child, mut signals: Signals) -> io::Result<ExitStatus> {
    // On a terminal Ctrl-C reaches the whole foreground group: the command has it already.
    let terminal_interrupts = io::stdin().is_terminal();
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => {
                if !(signal == Signal::INT && terminal_interrupts) {
                    pass_on(&child, signal);
                }
            }
        }
    }
}

fn pass_on(child: &Child, signal: Signal) {
    // The id is there as long as the command was not waited for, so it names no other process.
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(Err(error)) = pid.map(|pid| kill_process(pid, signal)) {
        tracing::warn!("the command did not get {signal:?}: {error}");
    }
}

/// As a shell words and numbers it.
fn not_started(program: &OsString, error: &io::Error) -> Failure {
    let program = program.display();
    match error.kind() {
        io::ErrorKind::NotFound => Failure::new(format_args!("{program}: command not found")).code(127),
        _ => Failure::new(format_args!("{program}: cannot be run: {error}")).code(126),
    }
}

/// The status as a shell reports it: the command's own, or 128 and the number of the signal that ended it.
fn exit_code(status: ExitStatus) -> u8 {
    let signalled = || status.signal().map(|signal| 128 + signal);
    status.code().or_else(signalled).and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests;
