//! How does the emulator run in the foreground?

use rustix::process::Signal;

use super::{Failure, Signals, logging};
use crate::config::{Options, Settings};
use crate::environment::{Mode, Shell, reachable, set_command};
use crate::print;
use crate::server::{self, Server};

/// How a server came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop and finished what was in flight.
    Cleanly,
    /// It was asked twice and left what was in flight.
    Hastily(Signal),
}

impl Ended {
    /// The exit status: 0, or as a shell reports a signal.
    pub fn code(self) -> u8 {
        match self {
            Self::Cleanly => 0,
            Self::Hastily(signal) => u8::try_from(signal.as_raw()).map_or(1, |number| 128 + number),
        }
    }
}

/// Serves until a signal.
pub(super) async fn run(options: Options, program: &str) -> Result<u8, Failure> {
    let settings = options.resolve()?;
    logging::start(settings.log);
    let signals = Signals::listen()?;
    let server = server::start(settings.serve_options()).await?;
    print::line(banner(&Settings { listen: server.address(), ..settings }, program));
    Ok(serve_until_signal(server, signals).await.code())
}

/// Waits for a signal and stops the server; a second signal does not wait.
pub async fn serve_until_signal(server: Server, mut signals: Signals) -> Ended {
    signals.next().await;
    tokio::select! {
        () = server.stop() => Ended::Cleanly,
        signal = signals.next() => Ended::Hastily(signal),
    }
}

/// What a user wants to know about a server that has just started at `settings.listen`.
fn banner(settings: &Settings, program: &str) -> String {
    let base = format!("http://{}", reachable(settings.listen));
    let data = if settings.ephemeral {
        "in memory (--ephemeral)".to_owned()
    } else {
        settings.data_dir.display().to_string()
    };
    let next = |mode: Mode| set_command(settings, mode, Shell::current(), program);
    format!(
        "groundrun listens on {}\n\n  API      {base}\n  Console  {base}/\n  Data     {data}\n\nNext, in another \
         shell:  {}\nFor every program, not gcloud alone:  {}",
        settings.listen,
        next(Mode::Gcloud),
        next(Mode::All)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_names_the_flags_that_the_next_command_needs() {
        let settings = Settings { project: "p".to_owned(), ephemeral: true, ..Settings::default() };
        insta::assert_snapshot!(banner(&settings, "target/release/groundrun"));
    }

    #[test]
    fn a_second_signal_is_told_from_a_clean_stop() {
        assert_eq!(Ended::Cleanly.code(), 0);
        assert_eq!(Ended::Hastily(Signal::INT).code(), 130);
        assert_eq!(Ended::Hastily(Signal::TERM).code(), 143);
    }
}
