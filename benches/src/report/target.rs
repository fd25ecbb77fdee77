//! Is what was promised kept?

/// A target that a figure must stay under, and whether it does.
pub(crate) fn under(value: f64, limit: f64, unit: &str) -> String {
    let kept = if value < limit { "met" } else { "MISSED" };
    format!("< {limit} {unit}: {kept}")
}

/// A target that a figure must not exceed, and whether it does not. `unit` may be empty.
pub(crate) fn at_most(value: f64, limit: f64, unit: &str) -> String {
    verdict("≤", value <= limit, limit, unit)
}

/// A target that a figure must reach, and whether it does.
pub(crate) fn at_least(value: f64, limit: f64, unit: &str) -> String {
    verdict("≥", value >= limit, limit, unit)
}

fn verdict(sign: &str, kept: bool, limit: f64, unit: &str) -> String {
    let space = if unit.is_empty() { "" } else { " " };
    format!("{sign} {limit}{space}{unit}: {}", if kept { "met" } else { "MISSED" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_kept_only_below_its_limit() {
        assert_eq!(under(39.9, 40.0, "ms"), "< 40 ms: met");
        assert_eq!(under(40.0, 40.0, "ms"), "< 40 ms: MISSED");
        assert_eq!(under(f64::NAN, 0.5, "s"), "< 0.5 s: MISSED");
    }

    #[test]
    fn a_limit_itself_is_within_it() {
        assert_eq!(at_most(1.45, 1.45, ""), "≤ 1.45: met");
        assert_eq!(at_most(1.46, 1.45, ""), "≤ 1.45: MISSED");
        assert_eq!(at_least(1.15, 1.15, "×"), "≥ 1.15 ×: met");
        assert_eq!(at_least(1.14, 1.15, "×"), "≥ 1.15 ×: MISSED");
    }

    #[test]
    fn what_was_not_measured_is_not_kept() {
        assert!(at_most(f64::NAN, 1.0, "").ends_with("MISSED"));
        assert!(at_least(f64::NAN, 1.0, "").ends_with("MISSED"));
    }
}
