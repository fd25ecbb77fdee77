//! How is the text of a flag or a variable read as a value?

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::LevelFilter;

/// What is logged: this level and the more serious ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What groundrun failed to do.
    Error,
    /// What the user probably did not intend.
    Warn,
    /// What happened: every denial and every revision.
    #[default]
    Info,
    /// What is needed to find a fault.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Reads one of the names of an enum, which are the same here as in the file.
///
/// # Errors
/// If it is none; the text lists the names.
pub(super) fn by_name<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let deserializer: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(deserializer)
}

/// A span of whole seconds, spelled `90s`, `2m`, `1h` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Delay(i64);

/// The longest delay, in seconds: a day.
const LONGEST_SECONDS: i64 = 24 * 3600;

impl Delay {
    /// The span in seconds; 0 is none.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("'{text}' is not a duration of at most a day, such as 60s, 2m or none");
        if text == "none" {
            return Ok(Self(0));
        }
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            _ => return Err(refuse()),
        };
        let count = text.get(..text.len() - 1).unwrap_or_default();
        let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = digits.then(|| count.parse::<i64>().ok()?.checked_mul(unit)).flatten();
        seconds.filter(|seconds| *seconds <= LONGEST_SECONDS).map(Self).ok_or_else(refuse)
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("none") } else { write!(f, "{}s", self.0) }
    }
}

impl TryFrom<String> for Delay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Delay> for String {
    fn from(delay: Delay) -> Self {
        delay.to_string()
    }
}

/// An address and a port that need not be, spelled `127.0.0.1:8787` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OtherAddress(Option<SocketAddr>);

impl OtherAddress {
    /// The address; `None` is none.
    pub fn get(self) -> Option<SocketAddr> {
        self.0
    }
}

impl FromStr for OtherAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let refuse =
            |_| format!("'{text}' is not an address and a port, such as 127.0.0.1:8787, and not none");
        text.parse().map(|address| Self(Some(address))).map_err(refuse)
    }
}

impl fmt::Display for OtherAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl TryFrom<String> for OtherAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<OtherAddress> for String {
    fn from(address: OtherAddress) -> Self {
        address.to_string()
    }
}
