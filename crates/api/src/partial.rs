//! Which part of an answer does a client want?
//!
//! `fields=items(metadata/name),metadata` is a list of paths: `/` leads into a message, parentheses hold
//! several paths below one, `*` stands for every name. Lists are walked through.

use groundrun_model::{Error, Result};
use serde_json::{Map, Value};

/// How deep a selector may nest; an answer is not deeper.
const DEEPEST: usize = 32;

/// What is selected below a name: everything, or some names and what is selected below each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selected {
    All,
    Some(Vec<(String, Selected)>),
}

impl Selected {
    /// Reads a selector.
    ///
    /// # Errors
    /// 400 in Google's words if it is none.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut rest = text;
        let selected = list(&mut rest, 0).filter(|_| rest.is_empty());
        selected.ok_or_else(|| Error::in_words(format!("Invalid field selection {text}")))
    }

    /// What is selected of `value`; nothing of it is nothing.
    pub(crate) fn of(&self, value: Value) -> Option<Value> {
        let Self::Some(names) = self else { return Some(value) };
        match value {
            Value::Object(fields) => {
                let mut chosen = Map::new();
                for (key, value) in fields {
                    // A name may be selected more than once, with other parts each time.
                    let parts = names.iter().filter(|(name, _)| *name == key || name == "*");
                    let mut joined: Option<Value> = None;
                    for (_, below) in parts {
                        joined = join(joined, below.of(value.clone()));
                    }
                    chosen.extend(joined.map(|value| (key, value)));
                }
                (!chosen.is_empty()).then_some(Value::Object(chosen))
            }
            Value::Array(list) => {
                Some(Value::Array(list.into_iter().filter_map(|item| self.of(item)).collect()))
            }
            // There is nothing below a plain value.
            _ => None,
        }
    }
}

fn join(one: Option<Value>, other: Option<Value>) -> Option<Value> {
    match (one, other) {
        (Some(Value::Object(mut one)), Some(Value::Object(other))) => {
            for (key, value) in other {
                let joined = join(one.remove(&key), Some(value));
                one.extend(joined.map(|value| (key, value)));
            }
            Some(Value::Object(one))
        }
        (one, other) => one.or(other),
    }
}

/// `path,path,…`
fn list(rest: &mut &str, depth: usize) -> Option<Selected> {
    let mut names = Vec::new();
    loop {
        names.push(path(rest, depth)?);
        match rest.strip_prefix(',') {
            Some(more) => *rest = more,
            None => return Some(Selected::Some(names)),
        }
    }
}

/// `name`, `name/path` or `name(list)`
fn path(rest: &mut &str, depth: usize) -> Option<(String, Selected)> {
    let end = rest.find(|c| "/(),".contains(c)).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(end);
    if name.is_empty() || depth > DEEPEST {
        return None;
    }
    *rest = behind;
    let below = if let Some(inner) = behind.strip_prefix('/') {
        *rest = inner;
        Selected::Some(vec![path(rest, depth + 1)?])
    } else if let Some(inner) = behind.strip_prefix('(') {
        *rest = inner;
        let below = list(rest, depth + 1)?;
        *rest = rest.strip_prefix(')')?;
        below
    } else {
        Selected::All
    };
    Some((name.to_owned(), below))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(selector: &str, expected: Value) {
        let answer = json!({
            "kind": "List",
            "items": [{"name": "a", "labels": {"x": 1, "y": 2}}, {"name": "b"}],
        });
        let selected = Selected::parse(selector).unwrap().of(answer).unwrap_or_else(|| json!({}));
        assert_eq!(selected, expected, "{selector}");
    }

    #[test]
    fn parts_of_an_answer_are_selected() {
        check("kind", json!({"kind": "List"}));
        check("items/name", json!({"items": [{"name": "a"}, {"name": "b"}]}));
        check("items(name,labels/x)", json!({"items": [{"name": "a", "labels": {"x": 1}}, {"name": "b"}]}));
        check("items/labels/x,items/labels/y", json!({"items": [{"labels": {"x": 1, "y": 2}}]}));
        check("*/name", json!({"items": [{"name": "a"}, {"name": "b"}]}));
        check("nope,kind/nope", json!({}));
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        let deep = "a/".repeat(10_000) + "a";
        for wrong in ["", ",", "a,", "a/", "a(b", "a)", "a(b)c", "(a)", &deep] {
            assert!(Selected::parse(wrong).is_err(), "{wrong}");
        }
    }
}
