//! What do many measurements say in a few numbers?

/// Measurements in ascending order.
#[derive(Debug, Clone)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// Takes the measurements in any order.
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The smallest value that at least `percent` of all values do not exceed (the nearest rank); NaN if
    /// there are none.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let rank = (percent / 100.0 * self.0.len() as f64).ceil().max(1.0);
        self.0.get(rank as usize - 1).copied().unwrap_or(f64::NAN)
    }

    /// The middle value, or the mean of the two in the middle; NaN if there are none.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match (self.0.len() % 2, middle.checked_sub(1).and_then(|before| self.0.get(before))) {
            (0, Some(before)) => self.0.get(middle).map_or(f64::NAN, |after| f64::midpoint(*before, *after)),
            _ => self.0.get(middle).copied().unwrap_or(f64::NAN),
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many values are above `limit`.
    pub(crate) fn count_above(&self, limit: f64) -> usize {
        self.0.iter().filter(|value| **value > limit).count()
    }

    /// The smallest value; NaN if there are none.
    pub(crate) fn min(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    /// The largest value; NaN if there are none.
    pub(crate) fn max(&self) -> f64 {
        self.0.last().copied().unwrap_or(f64::NAN)
    }
}

/// Each of `ours` less the one of `peers` that was measured in the same round.
pub(crate) fn differences(ours: &[f64], peers: &[f64]) -> Sample {
    Sample::new(ours.iter().zip(peers).map(|(ours, peer)| ours - peer).collect())
}

/// Each of `ours` by the one of `peers` that was measured in the same round.
pub(crate) fn ratios(ours: &[f64], peers: &[f64]) -> Sample {
    Sample::new(ours.iter().zip(peers).map(|(ours, peer)| ours / peer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(count: u32) -> Sample {
        Sample::new((1..=count).rev().map(f64::from).collect())
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        assert_eq!(to(20).percentile(95.0), 19.0);
        assert_eq!(to(20).percentile(96.0), 20.0);
        assert_eq!(to(100).percentile(99.0), 99.0);
        assert_eq!(to(7).percentile(50.0), 4.0);
        assert_eq!(to(1).percentile(99.0), 1.0);
        assert_eq!(to(3).percentile(0.0), 1.0);
        assert_eq!(to(3).percentile(100.0), 3.0);
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(to(1).median(), 1.0);
        assert_eq!(to(2).median(), 1.5);
        assert_eq!(to(7).median(), 4.0);
        assert_eq!(Sample::new(vec![9.0, 1.0, 2.0, 100.0]).median(), 5.5);
    }

    #[test]
    fn only_what_is_above_a_limit_is_counted() {
        assert_eq!((to(5).len(), to(5).count_above(3.0), to(5).count_above(5.0)), (5, 2, 0));
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        let nothing = to(0);
        assert!(nothing.median().is_nan() && nothing.percentile(50.0).is_nan());
        assert!(nothing.min().is_nan() && nothing.max().is_nan());
    }

    #[test]
    fn pairs_are_compared_round_by_round() {
        let slower = differences(&[2.0, 12.0, 3.0], &[1.0, 10.0, 0.0]);
        assert_eq!((slower.min(), slower.median(), slower.max()), (1.0, 2.0, 3.0));
        assert_eq!(ratios(&[2.0, 12.0], &[1.0, 10.0]).max(), 2.0);
    }
}
