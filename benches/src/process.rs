//! How is a server started, watched and stopped?

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Outcome, Problem};

/// How long a server may take to start or to stop.
const DEADLINE: Duration = Duration::from_secs(30);

/// The first pause between two attempts to connect, and the longest.
const PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_micros(400);

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
        let address = free_address()?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(data_dir);
        Self::start(command, directory, address)
    }

    /// Starts this program as one of the peers.
    pub(crate) fn peer(name: &str, directory: &Path, argument: Option<&OsStr>) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(name).arg(address.to_string()).args(argument);
        Self::start(command, directory, address)
    }

    fn start(mut command: Command, directory: &Path, address: SocketAddr) -> Outcome<Self> {
        let log = directory.join("log");
        // Neither variables nor a groundrun.yaml of the user's.
        command.env_clear().current_dir(directory);
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
        let mut pause = PAUSE;
        while self.started.elapsed() < DEADLINE {
            if answers(self.address, path) {
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
        format!("the server {what}\n{log}").into()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on which nothing listens at present.
fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Whether `path` is answered with 200.
fn answers(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(&head == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
