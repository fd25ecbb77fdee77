//! How does the log look, and where does it go?

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::LevelFilter;

use crate::config::LogLevel;

/// Logs what is at least as serious as `level` to standard error, a line an event; in colour on a terminal.
pub(super) fn start(level: LogLevel) {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let log = tracing_subscriber::fmt()
        .compact()
        .with_max_level(LevelFilter::from(level))
        .with_target(false)
        .with_ansi(colour)
        .with_writer(io::stderr);
    // It fails only if something logs already, and then that does.
    let _ = log.try_init();
}
