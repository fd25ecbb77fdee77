//! How may the clock of an emulator be moved?

use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The last moment that the clock may show: the end of the year 9999, the last that RFC 3339 can spell.
const LAST: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// Units of a span, the longer first where one begins like another.
const UNITS: [(&str, i64); 6] = [
    ("ms", 1_000),
    ("us", 1),
    ("d", 24 * 3600 * 1_000_000),
    ("h", 3600 * 1_000_000),
    ("m", 60 * 1_000_000),
    ("s", 1_000_000),
];

/// A movement of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// On by so many microseconds. Time that has passed does not come back this way.
    Advance(i64),
    /// To this moment, which may lie in the past: tokens that were issued after it are then refused as
    /// not yet issued.
    Now(Timestamp),
    /// Back to the clock of the machine.
    Reset,
}

impl ClockChange {
    /// Reads a span to go on by: numbers with units, such as `1h`, `90s`, `1h30m`, `2d` or `500ms`.
    ///
    /// # Errors
    /// 400 if it is none, or nothing.
    pub fn advance(span: &str) -> Result<Self> {
        let micros = parse_span(span).filter(|micros| *micros > 0).ok_or_else(|| {
            Error::field("advance", format!("'{span}' is not a span of time, such as 1h, 90s, 1h30m or 2d."))
        })?;
        Ok(Self::Advance(micros))
    }

    /// Reads the moment to go to.
    ///
    /// # Errors
    /// 400 if it is no moment of RFC 3339.
    pub fn now(moment: &str) -> Result<Self> {
        let moment = Timestamp::parse(moment).ok_or_else(|| {
            Error::field("now", format!("'{moment}' is not a moment, such as 2027-01-01T00:00:00Z."))
        })?;
        Ok(Self::Now(moment))
    }

    /// How far the clock is ahead of that of the machine after this change, in microseconds, if it is
    /// ahead by `offset` now and that of the machine shows `machine`.
    ///
    /// # Errors
    /// 400 if the clock would leave the years 1970 to 9999.
    pub fn offset(self, machine: Timestamp, offset: i64) -> Result<i64> {
        let next = match self {
            Self::Advance(micros) => offset.checked_add(micros),
            Self::Now(moment) => moment.micros().checked_sub(machine.micros()),
            Self::Reset => Some(0),
        };
        let is_good = |offset: &i64| {
            let shown = machine.micros().checked_add(*offset).map(Timestamp::from_micros);
            shown.is_some_and(|shown| (Timestamp::default()..=LAST).contains(&shown))
        };
        next.filter(is_good).ok_or_else(|| {
            Error::in_words("The clock cannot leave the years 1970 to 9999; it was not moved.")
        })
    }
}

/// The span in microseconds.
fn parse_span(text: &str) -> Option<i64> {
    let (mut rest, mut total) = (text.trim(), 0_i64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let (name, micros) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*micros)?)?;
        rest = unit.strip_prefix(name)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_units() {
        let seconds = |text: &str| match ClockChange::advance(text) {
            Ok(ClockChange::Advance(micros)) => Some(micros / 1_000_000),
            _ => None,
        };
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("2d"), Some(172_800));
        assert_eq!(seconds("1500ms"), Some(1));
        for text in ["", "1", "h", "-1h", "1h 30m", "1x", "0s", "99999999999999999999h", "1.5h"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn the_offset_follows_from_the_change() {
        let machine = Timestamp::from_seconds(1_000);
        let advance = ClockChange::Advance(5_000_000);
        assert_eq!(advance.offset(machine, 1_000_000), Ok(6_000_000));
        let set = ClockChange::now("1970-01-01T00:00:10Z").unwrap();
        assert_eq!(set.offset(machine, 7), Ok(-990_000_000));
        assert_eq!(ClockChange::Reset.offset(machine, 7), Ok(0));
        assert!(ClockChange::Advance(i64::MAX).offset(machine, 1).is_err());
        assert!(ClockChange::Advance(i64::MAX - 1).offset(machine, 0).is_err());
        assert!(ClockChange::now("1969-12-31T00:00:00Z").unwrap().offset(machine, 0).is_err());
        assert!(ClockChange::now("yesterday").is_err());
    }
}
