//! How is a server started, watched and stopped?

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Outcome, Problem, pin, ticks};

/// How long a server may take to start or to stop.
const DEADLINE: Duration = Duration::from_secs(30);

/// The first pause between two attempts to connect, and the longest.
const PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_micros(400);

/// How many lines of a server's log are shown if it fails.
const LAST_LINES: usize = 8;

/// A server that was started. It is killed when the value goes.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    started: Instant,
    log: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts groundrun on a free port. `directory` is where it runs and logs; `data_dir` keeps its state.
    pub(crate) fn groundrun(binary: &Path, directory: &Path, data_dir: &Path) -> Outcome<Self> {
        Self::groundrun_by(Command::new(binary), directory, data_dir)
    }

    /// The same, by a command that begins with what binds it to a core. It logs no requests: that is a
    /// choice of the user, and would measure the disk.
    pub(crate) fn pinned_groundrun(binary: &Path, directory: &Path, data_dir: &Path) -> Outcome<Self> {
        let mut command = pin::on_its_core(binary);
        command.env("TOKIO_WORKER_THREADS", "1");
        Self::groundrun_by(command, directory, data_dir)
    }

    fn groundrun_by(mut command: Command, directory: &Path, data_dir: &Path) -> Outcome<Self> {
        let address = free_address()?;
        command
            .args(["serve", "--log", "warn", "--listen", &address.to_string(), "--data-dir"])
            .arg(data_dir);
        Self::start(command, directory, address)
    }

    /// Starts this program as one of the peers.
    pub(crate) fn peer(name: &str, directory: &Path, argument: Option<&OsStr>) -> Outcome<Self> {
        Self::peer_by(Command::new(std::env::current_exe()?), name, directory, argument)
    }

    /// The same, on the core of what is measured.
    pub(crate) fn pinned_peer(name: &str, directory: &Path, argument: Option<&OsStr>) -> Outcome<Self> {
        Self::peer_by(pin::on_its_core(std::env::current_exe()?), name, directory, argument)
    }

    fn peer_by(
        mut command: Command,
        name: &str,
        directory: &Path,
        argument: Option<&OsStr>,
    ) -> Outcome<Self> {
        let address = free_address()?;
        command.arg(name).arg(address.to_string()).args(argument);
        Self::start(command, directory, address)
    }

    /// Starts a command that will listen on `address`, and knows none of the user's variables.
    pub(crate) fn start(mut command: Command, directory: &Path, address: SocketAddr) -> Outcome<Self> {
        let log = directory.join("log");
        let set: Vec<_> =
            command.get_envs().map(|(name, value)| (name.to_owned(), value.map(OsStr::to_owned))).collect();
        // Neither variables nor a groundrun.yaml of the user's.
        command.env_clear().current_dir(directory);
        command.envs(set.into_iter().filter_map(|(name, value)| Some((name, value?))));
        // What starts other programs by name finds them.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let started = Instant::now();
        Ok(Self { child: command.spawn()?, started, log, address })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Milliseconds from the start until `path` was first answered with 200.
    ///
    /// # Errors
    /// It ends before, or takes too long.
    pub(crate) fn first_answer(&mut self, path: &str) -> Outcome<f64> {
        let host = self.address.to_string();
        self.first_status(path, &host, b"200")
    }

    /// Milliseconds from the start until `path` at `host` was first answered with this status.
    ///
    /// # Errors
    /// It ends before, or takes too long.
    pub(crate) fn first_status(&mut self, path: &str, host: &str, status: &[u8; 3]) -> Outcome<f64> {
        let mut pause = PAUSE;
        while self.started.elapsed() < DEADLINE {
            if answers(self.address, path, host, status) {
                return Ok(self.started.elapsed().as_secs_f64() * 1e3);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(&format!("ended at its start: {status}")));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(self.failed("does not answer"))
    }

    /// Waits until it is ready.
    pub(crate) fn ready(mut self) -> Outcome<Self> {
        self.first_answer("/readyz")?;
        Ok(self)
    }

    /// Waits until it accepts connections.
    pub(crate) fn listening(mut self) -> Outcome<Self> {
        while self.started.elapsed() < DEADLINE {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(self);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failed(&format!("ended at its start: {status}")));
            }
            std::thread::sleep(LONGEST_PAUSE);
        }
        Err(self.failed("does not listen"))
    }

    /// Stops it as a user would, so that what it keeps is complete.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        Command::new("kill").args(["-TERM", &self.id().to_string()]).status()?;
        let asked = Instant::now();
        while asked.elapsed() < DEADLINE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(self.failed("does not stop"))
    }

    fn failed(&self, what: &str) -> Problem {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        // The end says why; some servers repeat their whole configuration before.
        let lines: Vec<&str> = log.lines().rev().take(LAST_LINES).collect();
        let end: String = lines.iter().rev().flat_map(|line| ["\n", line]).collect();
        format!("the server {what}{end}").into()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Workers outlive a master that is killed: they are looked up while it can still be asked.
        let family = ticks::family(self.id()).unwrap_or_default();
        // It may have ended by itself.
        let _ = self.child.kill();
        let workers = family.iter().filter(|pid| **pid != self.child.id()).map(u32::to_string);
        let workers: Vec<String> = workers.collect();
        if !workers.is_empty() {
            let _ = Command::new("kill").arg("-KILL").args(workers).stderr(Stdio::null()).status();
        }
        let _ = self.child.wait();
    }
}

/// An address on which nothing listens at present.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Whether `path` at `host` is answered with this status.
fn answers(address: SocketAddr, path: &str, host: &str, status: &[u8; 3]) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(status))
    };
    ask().unwrap_or(false)
}
