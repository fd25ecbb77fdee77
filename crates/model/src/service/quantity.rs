//! What does a quantity of Kubernetes say?

/// The suffixes of a quantity, and what each stands for.
const SUFFIXES: &[(&str, f64)] = &[
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("Ki", 1024.0),
    ("Mi", MEBIBYTE),
    ("Gi", GIBIBYTE),
    ("Ti", 1024.0 * GIBIBYTE),
    ("Pi", 1024.0 * 1024.0 * GIBIBYTE),
    ("Ei", 1024.0 * 1024.0 * 1024.0 * GIBIBYTE),
];

/// In bytes.
pub(crate) const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// In bytes.
pub(crate) const GIBIBYTE: f64 = 1024.0 * MEBIBYTE;

/// Reads a quantity of CPU, such as `1000m`, `2` or `0.08`.
pub(crate) fn millicpus(text: &str) -> Option<u64> {
    if let Some(thousandths) = text.strip_suffix('m') {
        return thousandths.parse().ok();
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(fraction)
}

/// Reads a quantity of memory, such as `512Mi`, in bytes.
///
/// # Errors
/// What is wrong, in the words of the hosted service.
pub(crate) fn bytes(text: &str) -> Result<f64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let known = SUFFIXES.iter().find(|(known, _)| *known == suffix).map(|(_, scale)| *scale);
    let Some(scale) = known.or_else(|| suffix.is_empty().then_some(1.0)) else {
        let allowed: Vec<&str> = SUFFIXES.iter().map(|(suffix, _)| *suffix).collect();
        return Err(format!(
            "could not match suffix {suffix} while parsing Quantity. Allowed values are [{}]",
            allowed.join(", ")
        ));
    };
    let number: f64 = number.parse().map_err(|_| format!("Could not parse Quantity '{text}'"))?;
    Ok(number * scale)
}
