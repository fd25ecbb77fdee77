//! Who runs on which core?
//!
//! What is measured has a core for itself; the load and what stands behind the proxies share the other.

use std::process::{Command, Stdio};

use crate::{Outcome, report};

/// The core of the load and of the backends, and that of what is measured.
pub(crate) const LOAD: usize = 0;
pub(crate) const PROXY: usize = 1;

/// This program bound to the core of the load until the value goes.
#[derive(Debug)]
pub(crate) struct Pinned {
    all: String,
}

impl Pinned {
    /// Binds this program, and with it what it starts from here on.
    ///
    /// # Errors
    /// The machine has one core, or no `taskset`: said once, and measured all the same.
    pub(crate) fn new() -> Outcome<Option<Self>> {
        if !possible() {
            report::note(
                "without two cores and taskset (util-linux) nothing is bound to a core: \
                          the figures mean less",
            );
            return Ok(None);
        }
        let cores = std::thread::available_parallelism()?.get();
        bind(&LOAD.to_string())?;
        Ok(Some(Self { all: format!("0-{}", cores - 1) }))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Err(error) = bind(&self.all) {
            report::note(format_args!("still bound to one core: {error}"));
        }
    }
}

/// `program`, on the core of what is measured, if there is one.
pub(crate) fn on_its_core(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !possible() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &PROXY.to_string()]).arg(program);
    command
}

/// Whether there is a core for each, and the tool to say so.
fn possible() -> bool {
    static POSSIBLE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *POSSIBLE.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let tool = Command::new("taskset").arg("--version").stdout(Stdio::null()).status();
        cores > PROXY && tool.is_ok_and(|status| status.success())
    })
}

/// Binds all threads of this program to `cores`.
fn bind(cores: &str) -> Outcome<()> {
    let pid = std::process::id().to_string();
    let done =
        Command::new("taskset").args(["-a", "-c", "-p", cores, &pid]).stdout(Stdio::null()).status()?;
    if done.success() { Ok(()) } else { Err(format!("taskset: {done}").into()) }
}
