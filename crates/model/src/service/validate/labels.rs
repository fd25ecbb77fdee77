//! Which labels may a user set?

use super::super::Map;
use crate::error::Violations;
use crate::field::FieldPath;

/// Google's rule for labels of a user; labels of a namespace (`client.knative.dev/nonce`) are system
/// labels and pass.
pub(super) fn check(labels: &Map, at: &FieldPath, out: &mut Violations) {
    let good = |text: &str| {
        text.chars().count() <= 63
            && text.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase() || "_-".contains(c))
    };
    for (key, value) in labels.iter().filter(|(key, _)| !key.contains('/')) {
        let first_is_letter = key.chars().next().is_some_and(char::is_alphabetic);
        out.check(
            good(key) && first_is_letter,
            at.key(key),
            format!("Label key '{key}' violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters, beginning with a letter."),
        );
        out.check(
            good(value),
            at.key(key),
            format!("Label value '{value}' violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters."),
        );
    }
}
