//! How does a configuration get the ports and keys of a run?

use crate::Outcome;

/// `template` with each `@NAME@` replaced by its word.
///
/// # Errors
/// It has a name for which there is no word.
pub(super) fn fill(template: &str, words: &[(&str, String)]) -> Outcome<String> {
    let filled =
        words.iter().fold(template.to_owned(), |text, (name, word)| text.replace(&format!("@{name}@"), word));
    match filled.split('@').find(|piece| is_name(piece)) {
        Some(name) => Err(format!("no word for @{name}@").into()),
        None => Ok(filled),
    }
}

/// Whether what stands between two `@` is a name, and not a part of addresses of mail.
fn is_name(piece: &str) -> bool {
    !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn every_name_needs_a_word() {
        let words = [("PORT", "7".to_owned()), ("WHO", "a@b c@d".to_owned())];
        assert_eq!(fill("listen @PORT@ for @WHO@", &words).unwrap(), "listen 7 for a@b c@d");
        assert!(fill("listen @PORTS@", &words).is_err());
    }
}
