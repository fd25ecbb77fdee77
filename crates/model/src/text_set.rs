//! Is a text one of these?
//!
//! Every route has such sets, and nearly all of them have no element or one: those must cost little memory.
//! A set of a thousand must answer as fast.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

/// How many texts are compared one by one: up to here that is faster than a hash of the text.
const FEW: usize = 8;

/// A set of texts that does not change. Its order does not depend on a random seed: the model draws none.
#[derive(Debug, Clone)]
pub(crate) enum TextSet {
    /// At most [`FEW`].
    Few(Box<[Arc<str>]>),
    /// More.
    #[expect(
        clippy::box_collection,
        reason = "a set of few, of which every route has some, is half as large"
    )]
    Many(Box<HashSet<Arc<str>, BuildHasherDefault<DefaultHasher>>>),
}

impl Default for TextSet {
    fn default() -> Self {
        Self::Few(Box::default())
    }
}

impl TextSet {
    /// Whether `text` is in the set. Allocates nothing.
    pub(crate) fn contains(&self, text: &str) -> bool {
        match self {
            Self::Few(texts) => texts.iter().any(|known| **known == *text),
            Self::Many(texts) => texts.contains(text),
        }
    }

    /// Whether nothing is in the set.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Few(texts) if texts.is_empty())
    }
}

impl FromIterator<Arc<str>> for TextSet {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(texts: I) -> Self {
        let mut texts: Vec<Arc<str>> = texts.into_iter().collect();
        texts.sort_unstable();
        texts.dedup();
        if texts.len() <= FEW {
            Self::Few(texts.into())
        } else {
            Self::Many(Box::new(texts.into_iter().collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_was_made_of_whatever_its_size() {
        for size in [0, 1, FEW, FEW + 1, 1_000] {
            let texts = || (0..size).map(|n| Arc::<str>::from(format!("text-{n}")));
            let set: TextSet = texts().chain(texts()).collect();
            assert_eq!(set.is_empty(), size == 0);
            assert_eq!(matches!(set, TextSet::Few(_)), size <= FEW, "a repetition does not count");
            assert!(texts().all(|text| set.contains(&text)));
            assert!(!set.contains(&format!("text-{size}")) && !set.contains("text-") && !set.contains(""));
        }
    }
}
