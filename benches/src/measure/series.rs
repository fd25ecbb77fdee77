//! What did a contestant do, round by round?

use crate::Outcome;
use crate::contestant::Contestant;
use crate::load::Burst;
use crate::statistics::{Sample, ratios};
use crate::ticks;

/// The figures of one contestant in one case, a value for each round.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    /// Answers a second.
    pub(super) rate: Vec<f64>,
    /// Milliseconds.
    pub(super) p50: Vec<f64>,
    /// Milliseconds.
    pub(super) p99: Vec<f64>,
    /// Microseconds of processor time an answer; NaN for a contestant without a process.
    pub(super) cpu: Vec<f64>,
    /// MiB that it held at the end of the round.
    pub(super) resident: Vec<f64>,
}

impl Series {
    /// Plays a round.
    pub(super) fn play(&mut self, pid: Option<u32>, work: impl FnOnce() -> Outcome<Burst>) -> Outcome<()> {
        let used = || pid.map_or(Ok(f64::NAN), ticks::cpu_seconds);
        let before = used()?;
        let burst = work()?;
        self.cpu.push((used()? - before) * 1e6 / burst.count as f64);
        self.rate.push(burst.rate);
        self.p50.push(burst.latency.percentile(50.0));
        self.p99.push(burst.latency.percentile(99.0));
        self.resident.push(pid.map_or(Ok(f64::NAN), ticks::resident_mib)?);
        Ok(())
    }
}

/// The contestants, each with its place, in the order of this round: another begins each time, for what one
/// leaves behind may help or hinder the next.
pub(super) fn in_turn(
    round: usize,
    contestants: &[Contestant],
) -> impl Iterator<Item = (usize, &Contestant)> {
    let count = contestants.len();
    (0..count).filter_map(move |turn| {
        let place = (round + turn) % count;
        contestants.get(place).map(|contestant| (place, contestant))
    })
}

/// The largest of several contestants' values in each round.
pub(super) fn best<'s>(of: impl Iterator<Item = &'s [f64]>) -> Vec<f64> {
    of.fold(Vec::new(), |best: Vec<f64>, values| {
        if best.is_empty() {
            return values.to_vec();
        }
        best.iter().zip(values).map(|(best, value)| best.max(*value)).collect()
    })
}

/// The middle of the values.
pub(super) fn median(values: &[f64]) -> f64 {
    Sample::new(values.to_vec()).median()
}

/// The middle of the ratios of each round.
pub(super) fn ratio(ours: &[f64], others: &[f64]) -> f64 {
    ratios(ours, others).median()
}

/// A figure with so many decimals, or a dash.
pub(super) fn figure(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{value:.decimals$}") } else { "–".to_owned() }
}

/// A ratio.
pub(super) fn times(value: f64) -> String {
    if value.is_finite() { format!("× {value:.2}") } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_found_round_by_round() {
        let (one, other) = ([1.0, 5.0], [2.0, 4.0]);
        assert_eq!(best([&one[..], &other[..]].into_iter()), [2.0, 5.0]);
        assert!(best(std::iter::empty()).is_empty());
        assert!(ratio(&one, &[]).is_nan());
        assert_eq!((figure(f64::NAN, 1), times(1.5)), ("–".to_owned(), "× 1.50".to_owned()));
    }
}
