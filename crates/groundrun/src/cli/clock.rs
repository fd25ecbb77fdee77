//! How does a user see and move the clock of an emulator?

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{Failure, Which};
use crate::client::{Call, Client, ClientError};
use crate::environment::{OWNER_TOKEN, Shell, place_flags, reachable};
use crate::print;

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Clock {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Action {
    /// Print the time of the emulator, and how far it is ahead of this machine's
    Show(Which),
    /// Let time pass: 1h, 90s, 1h30m, 2d. Tokens end as if it had been waited for
    Advance {
        /// How much
        #[arg(value_name = "SPAN")]
        span: String,
        #[command(flatten)]
        which: Which,
    },
    /// Go to a moment, which may be past: what was issued after it is then not valid yet
    Set {
        /// The moment, such as 2027-01-01T00:00:00Z
        #[arg(value_name = "MOMENT")]
        moment: String,
        #[command(flatten)]
        which: Which,
    },
    /// Go back to the time of this machine, as a restart does
    Reset(Which),
}

/// Asks the emulator and prints what its clock shows.
pub(super) async fn run(clock: Clock, program: &str) -> Result<u8, Failure> {
    let (which, change) = match clock.action {
        Action::Show(which) => (which, None),
        Action::Advance { span, which } => (which, Some(json!({ "advance": span }))),
        Action::Set { moment, which } => (which, Some(json!({ "now": moment }))),
        Action::Reset(which) => (which, Some(json!({ "reset": true }))),
    };
    let settings = which.layered()?.resolve()?;
    let method = if change.is_some() { Method::POST } else { Method::GET };
    let call = Call {
        method,
        path: "/emulator/clock",
        body: change.as_ref(),
        token: Some(OWNER_TOKEN),
        ..Call::default()
    };
    let answer = Client::new(reachable(settings.listen)).send(call).await.map_err(|error| match error {
        ClientError::Refused(_) => Failure::new(format_args!("no emulator runs: {error}"))
            .hint(format!("start one with `{program} serve{}`", place_flags(&settings, Shell::current()))),
        other => other.into(),
    })?;
    let shown = answer.json();
    let text = |name: &str| shown.get(name).and_then(Value::as_str);
    match (text("now"), text("offset")) {
        (Some(now), Some(offset)) if answer.status.is_success() => {
            print::line(format_args!("{now} ({offset})"));
            Ok(0)
        }
        _ => Err(Failure::new(answer.message())),
    }
}
