//! Which objects does a label selector choose?
//!
//! The grammar of Kubernetes: requirements separated by commas, each `key = value`, `key != value`,
//! `key in (a,b)`, `key notin (a,b)`, `key` or `!key`. gcloud writes spaces around operators.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// A label selector; the default one chooses everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selector {
    /// Reads the `labelSelector` of a request.
    ///
    /// # Errors
    /// 400 if it does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self> {
        let requirements = split_outside_parentheses(text).into_iter().filter(|part| !part.is_empty());
        let parsed: Option<Vec<_>> = requirements.map(Requirement::parse).collect();
        parsed.map(Self).ok_or_else(|| {
            Error::field("labelSelector", format!("'{text}' is not a label selector, such as 'key = value'."))
        })
    }

    /// Whether it chooses everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object with these labels is chosen.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels.get(&requirement.key)))
    }

    /// The one value that `key` must have, if the selector says so.
    pub fn required(&self, key: &str) -> Option<&str> {
        self.0.iter().find_map(|requirement| match &requirement.test {
            Test::In(values) if requirement.key == key && values.len() == 1 => {
                values.first().map(String::as_str)
            }
            _ => None,
        })
    }
}

impl Requirement {
    fn parse(text: &str) -> Option<Self> {
        let (key, test) = if let Some((key, value)) = text.split_once("!=") {
            (key, Test::NotIn(vec![value.trim().to_owned()]))
        } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            (key, Test::In(vec![value.trim().to_owned()]))
        } else if let Some(list) = text.strip_suffix(')') {
            let (head, values) = list.split_once('(')?;
            let values = values.split(',').map(|value| value.trim().to_owned()).collect();
            let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
            match operator {
                "in" => (key, Test::In(values)),
                "notin" => (key, Test::NotIn(values)),
                _ => return None,
            }
        } else if let Some(key) = text.strip_prefix('!') {
            (key, Test::Missing)
        } else {
            (text, Test::Exists)
        };
        let key = key.trim();
        let good = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b));
        good.then(|| Self { key: key.to_owned(), test })
    }

    fn holds(&self, value: Option<&String>) -> bool {
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
        }
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Selector::parse(selector).unwrap().matches(&labels)
    }

    #[test]
    fn follows_the_grammar_of_kubernetes() {
        let labels = [("serving.knative.dev/service", "hello"), ("tier", "a")];
        for (selector, expected) in [
            ("", true),
            ("serving.knative.dev/service = hello", true),
            ("serving.knative.dev/service=hello", true),
            ("serving.knative.dev/service==other", false),
            ("tier != b", true),
            ("tier!=a", false),
            ("missing != a", true),
            ("tier in (a,b),serving.knative.dev/service = hello", true),
            ("tier notin (a, b)", false),
            ("missing notin (a)", true),
            ("tier", true),
            ("missing", false),
            ("!missing", true),
            ("!tier", false),
        ] {
            assert_eq!(chosen(selector, &labels), expected, "{selector}");
        }
    }

    #[test]
    fn refuses_what_is_no_selector() {
        for text in ["= a", "a b c", "tier of (a)", "tier in a)", "a b=c"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn tells_the_one_value_that_a_key_must_have() {
        let selector = Selector::parse("serving.knative.dev/service = hello,tier in (a,b)").unwrap();
        assert_eq!(selector.required("serving.knative.dev/service"), Some("hello"));
        assert_eq!(selector.required("tier"), None);
    }
}
