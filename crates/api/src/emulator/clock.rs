//! What time is it here, and how is the clock moved?

use axum::extract::State as FromState;
use groundrun_engine::Engine;
use groundrun_model::clock::ClockChange;
use groundrun_model::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Who};
use crate::reply::{Json, Reply};

/// One of the three.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeClock {
    /// A span such as `1h`.
    advance: Option<String>,
    /// A moment of RFC 3339.
    now: Option<String>,
    /// Whether to go back to the clock of the machine.
    #[serde(default)]
    reset: bool,
}

impl ChangeClock {
    fn change(&self) -> Result<ClockChange> {
        match (&self.advance, &self.now, self.reset) {
            (Some(span), None, false) => ClockChange::advance(span),
            (None, Some(moment), false) => ClockChange::now(moment),
            (None, None, true) => Ok(ClockChange::Reset),
            _ => Err(Error::in_words(
                "Say how the clock is to be moved: one of {\"advance\": \"1h\"}, \
                 {\"now\": \"2027-01-01T00:00:00Z\"} and {\"reset\": true}.",
            )),
        }
    }
}

pub(crate) async fn get(FromState(state): FromState<State>) -> Reply {
    Ok(Json(render(&state.engine)))
}

pub(crate) async fn change(FromState(state): FromState<State>, Who(caller): Who, body: Body) -> Reply {
    let asked: ChangeClock = body.read()?;
    state.engine.change_clock(&caller, asked.change()?)?;
    Ok(Json(render(&state.engine)))
}

/// The time, and how far it is ahead of the machine's, in seconds as protocol buffers spell a duration.
fn render(engine: &Engine) -> Value {
    let clock = engine.clock();
    let micros = clock.offset_micros();
    let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let offset = if rest == 0 { format!("{sign}{seconds}s") } else { format!("{sign}{seconds}.{rest:06}s") };
    json!({ "now": clock.now().to_string(), "offset": offset })
}
