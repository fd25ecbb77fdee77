//! Who asks the program to stop?

use rustix::process::Signal;
use tokio::signal::unix;

use super::Failure;

/// The requests to stop that reach the program while this lives; they no longer kill it.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn listen() -> Result<Self, Failure> {
        let on = |kind| {
            unix::signal(kind).map_err(|error| Failure::new(format_args!("cannot handle signals: {error}")))
        };
        Ok(Self {
            interrupt: on(unix::SignalKind::interrupt())?,
            terminate: on(unix::SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
        }
    }
}
