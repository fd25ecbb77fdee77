//! Where in an expression does a name stand?
//!
//! The parser keeps no places for expressions that it accepts.

use super::Problem;

/// A problem with the first occurrence of `name` in `source` outside of its literals.
pub(super) fn of(name: &str, source: &str, what: impl Into<String>) -> Problem {
    let at = find(name, source).unwrap_or(0);
    let before = source.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Problem { line, column, what: what.into() }
}

/// A problem that shows at the end of `source`.
pub(super) fn end(source: &str, what: &str) -> Problem {
    let line = source.split('\n').count();
    let column = source.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Problem { line, column, what: what.to_owned() }
}

/// The byte at which `name` begins, as a whole word where it is one.
fn find(name: &str, source: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let named = name.chars().all(is_word);
    let mut quote = None;
    let mut is_escaped = false;
    let mut before = ' ';
    for (at, c) in source.char_indices() {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => {
                let rest = source.get(at..).unwrap_or_default();
                let ends = !rest.get(name.len()..).unwrap_or_default().starts_with(is_word);
                if rest.starts_with(name) && (!named || (ends && !is_word(before))) {
                    return Some(at);
                }
                if c == '"' || c == '\'' {
                    quote = Some(c);
                }
            }
        }
        before = c;
    }
    None
}
