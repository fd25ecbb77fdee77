//! What comes of frames: at the client, and at the instance?

use std::fmt::Write as _;
use std::time::Duration;

use crate::h2_frames::{Outcome, PREFACE, flag, frame, kind, literals, outcome};
use crate::recorder::Seen;
use crate::smuggling::Place;

/// How long to wait for the outcome.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// PROTOCOL_ERROR.
pub const PROTOCOL: u32 = 1;
/// FLOW_CONTROL_ERROR.
pub const FLOW_CONTROL: u32 = 3;
/// STREAM_CLOSED.
pub const STREAM_CLOSED: u32 = 5;
/// FRAME_SIZE_ERROR.
pub const FRAME_SIZE: u32 = 6;
/// REFUSED_STREAM.
pub const REFUSED: u32 = 7;
/// COMPRESSION_ERROR.
pub const COMPRESSION: u32 = 9;
/// ENHANCE_YOUR_CALM.
pub const CALM: u32 = 11;

/// Headers that are complete, of a message without a body.
pub const END: u8 = flag::END_STREAM | flag::END_HEADERS;

/// What the table is about: its name, what is sent behind the preface and the settings, and what may come.
pub type Row<'a> = (&'a str, Vec<u8>, &'a [Outcome]);

impl Place {
    /// The headers of a request that is let through.
    fn good(&self, method: &str) -> Vec<(String, String)> {
        let bearer = format!("Bearer {}", self.token);
        [
            (":method", method),
            (":scheme", "http"),
            (":authority", &self.host),
            (":path", "/"),
            ("authorization", &bearer),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// The headers of a request that is let through, after a change, as a block of HPACK.
    pub fn block(&self, method: &str, change: impl FnOnce(&mut Vec<(String, String)>)) -> Vec<u8> {
        let mut headers = self.good(method);
        change(&mut headers);
        literals(&headers)
    }

    /// A request without a body on stream 1 whose headers were changed.
    pub fn request(&self, change: impl FnOnce(&mut Vec<(String, String)>)) -> Vec<u8> {
        frame(kind::HEADERS, END, 1, &self.block("GET", change))
    }

    /// A request without a body on this stream.
    pub fn get(&self, stream: u32) -> Vec<u8> {
        frame(kind::HEADERS, END, stream, &self.block("GET", |_| ()))
    }

    /// The head of a request on this stream whose body is to follow.
    pub fn open(&self, stream: u32, headers: &[(&str, &str)]) -> Vec<u8> {
        let block =
            self.block("POST", |all| all.extend(headers.iter().map(|(n, v)| ((*n).into(), (*v).into()))));
        frame(kind::HEADERS, flag::END_HEADERS, stream, &block)
    }

    /// Checks a table of frames, and shows everything that is wrong at once. An instance sees a whole
    /// request only where a row may end with a 200.
    pub async fn check_frames(&self, rows: Vec<Row<'_>>) {
        let mut wrong = String::new();
        for (what, bytes, wanted) in rows {
            let bytes = [PREFACE, &frame(kind::SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]), &bytes].concat();
            let came = outcome(self.world.address(), &bytes, PATIENCE).await;
            if !wanted.contains(&came) {
                writeln!(wrong, "{what}: {came:?}, wanted one of {wanted:?}").unwrap();
            }
            let whole =
                self.recorder.take().into_iter().filter(|seen| !matches!(seen, Seen::CutOff(_))).count();
            if whole > usize::from(wanted.contains(&Outcome::Status(200))) {
                writeln!(wrong, "{what}: an instance saw {whole} requests").unwrap();
            }
            self.serves_others(what).await;
        }
        assert!(wrong.is_empty(), "\n{wrong}");
    }

    /// Whatever was tried, others are served.
    pub async fn serves_others(&self, after: &str) {
        let answer =
            self.world.invoker().at(&format!("http://{}", self.host)).bearer(&self.token).send().await;
        assert_eq!(answer.status, 200, "after {after}: {}", answer.text());
        drop(self.recorder.take());
    }
}
