//! What becomes of the parts of a service that an API cannot say, when it writes what it has read?
//!
//! v2 has no word for `imagePullPolicy`, for the alias of a secret or for an annotation that v1 keeps. A
//! client that reads through v2, changes one field and writes must not lose them. So a write is merged in
//! three ways: of what is stored, of what the API shows of it, and of what the client sent. Where the
//! client sent what it was shown, what is stored stays.

use serde_json::{Map, Value};

/// `sent`, with everything of `stored` that was `shown` as it was sent back.
pub fn three_way(stored: &Value, shown: &Value, sent: Value) -> Value {
    if *shown == sent {
        return stored.clone();
    }
    match (stored, shown, sent) {
        (Value::Object(stored), Value::Object(shown), Value::Object(sent)) => {
            Value::Object(objects(stored, shown, sent))
        }
        (Value::Array(stored), Value::Array(shown), Value::Array(sent)) => {
            Value::Array(lists(stored, shown, sent))
        }
        (_, _, sent) => sent,
    }
}

fn objects(
    stored: &Map<String, Value>,
    shown: &Map<String, Value>,
    sent: Map<String, Value>,
) -> Map<String, Value> {
    let mut merged = Map::new();
    for (key, value) in stored {
        // Never shown and not sent: the client cannot have meant to remove it.
        if !shown.contains_key(key) && !sent.contains_key(key) {
            merged.insert(key.clone(), value.clone());
        }
    }
    for (key, value) in sent {
        let value = match (stored.get(&key), shown.get(&key)) {
            (Some(stored), Some(shown)) => three_way(stored, shown, value),
            // Shown as it was sent, and stored as nothing: a default that the API spells out.
            (None, Some(shown)) if *shown == value => continue,
            _ => value,
        };
        merged.insert(key, value);
    }
    merged
}

/// Items of a list belong together by their names, or by their places where they have none.
fn lists(stored: &[Value], shown: &[Value], sent: Vec<Value>) -> Vec<Value> {
    let by_name = [stored, shown, &sent].iter().all(|list| are_named(list));
    if !by_name && (stored.len() != shown.len() || shown.len() != sent.len()) {
        return sent;
    }
    let find = |list: &[Value], index: usize, item: &Value| match by_name {
        true => list.iter().find(|other| other.get("name") == item.get("name")).cloned(),
        false => list.get(index).cloned(),
    };
    let merge = |(index, item): (usize, Value)| match (find(stored, index, &item), find(shown, index, &item))
    {
        (Some(stored), Some(shown)) => three_way(&stored, &shown, item),
        _ => item,
    };
    sent.into_iter().enumerate().map(merge).collect()
}

/// Whether every item has a name of its own.
fn are_named(list: &[Value]) -> bool {
    let names: Vec<Option<&str>> = list.iter().map(|item| item.get("name")?.as_str()).collect();
    names.iter().enumerate().all(|(index, name)| name.is_some() && !names[..index].contains(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(stored: Value, shown: Value, sent: Value, expected: Value) {
        assert_eq!(three_way(&stored, &shown, sent), expected);
    }

    #[test]
    fn what_was_not_shown_stays() {
        let stored = json!({"a": 1, "hidden": {"x": 1}});
        check(stored.clone(), json!({"a": 1}), json!({"a": 1}), stored.clone());
        check(stored, json!({"a": 1}), json!({"a": 2}), json!({"a": 2, "hidden": {"x": 1}}));
    }

    #[test]
    fn what_was_shown_and_not_sent_is_removed() {
        check(json!({"a": 1, "b": 2}), json!({"a": 1, "b": 2}), json!({"b": 3}), json!({"b": 3}));
    }

    #[test]
    fn a_default_that_was_spelled_out_stays_unset() {
        check(json!({}), json!({"stage": "GA"}), json!({"stage": "GA", "a": 1}), json!({"a": 1}));
    }

    #[test]
    fn items_belong_together_by_name() {
        let stored =
            json!([{"name": "a", "policy": "Always", "image": "x"}, {"name": "b", "policy": "Never"}]);
        let shown = json!([{"name": "a", "image": "x"}, {"name": "b"}]);
        let sent = json!([{"name": "b"}, {"name": "c"}, {"name": "a", "image": "y"}]);
        let expected = json!([
            {"name": "b", "policy": "Never"},
            {"name": "c"},
            {"name": "a", "policy": "Always", "image": "y"},
        ]);
        check(stored, shown, sent, expected);
    }

    #[test]
    fn items_without_names_belong_together_by_place() {
        let stored = json!([{"policy": "Always", "image": "x"}]);
        let shown = json!([{"image": "x"}]);
        check(
            stored.clone(),
            shown.clone(),
            json!([{"image": "y"}]),
            json!([{"policy": "Always", "image": "y"}]),
        );
        check(
            stored,
            shown,
            json!([{"image": "y"}, {"image": "z"}]),
            json!([{"image": "y"}, {"image": "z"}]),
        );
    }
}
