//! Which revisions are there, and which change cut each?

use std::collections::BTreeMap;

use serde_json::Value;

use super::stage::{SERVICE, Stage};
use crate::cli::Failure;
use crate::print;

/// The annotations of a revision whose change says nothing about its configuration.
const NO_CONFIGURATION: [&str; 4] = [
    "serving.knative.dev/creator",
    "run.googleapis.com/client-name",
    "run.googleapis.com/client-version",
    "run.googleapis.com/operation-id",
];

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: String,
    active: &'static str,
    change: String,
}

/// Shows the table, newest first. It must have `expected` rows.
pub(super) async fn show(stage: &Stage<'_>, expected: usize) -> Result<(), Failure> {
    let selector = format!("labelSelector=serving.knative.dev%2Fservice%3D{SERVICE}");
    let project = &stage.settings.project;
    let path = format!("/apis/serving.knative.dev/v1/namespaces/{project}/revisions?{selector}");
    let mut list = stage.read(&stage.regional_host(), &path).await?;
    let items = match list["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    let rows = rows(items);
    print::line(table(&rows));
    if rows.len() == expected {
        return Ok(());
    }
    Err(Failure::new(format_args!("{SERVICE} must have {expected} revisions now, and has {}", rows.len())))
}

fn rows(mut items: Vec<Value>) -> Vec<Row> {
    items.sort_by_key(generation);
    let row = |(at, item): (usize, &Value)| Row {
        name: item["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        active: if is_active(item) { "yes" } else { "" },
        change: match at.checked_sub(1).and_then(|before| items.get(before)) {
            Some(before) => change(before, item),
            None => "(first revision)".to_owned(),
        },
    };
    let mut rows: Vec<Row> = items.iter().enumerate().map(row).collect();
    rows.reverse();
    rows
}

/// The number of the configuration that the revision was cut from.
fn generation(item: &Value) -> u64 {
    let label = &item["metadata"]["labels"]["serving.knative.dev/configurationGeneration"];
    label.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn is_active(item: &Value) -> bool {
    let conditions = item.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|conditions| {
        conditions.iter().any(|condition| condition["type"] == "Active" && condition["status"] == "True")
    })
}

/// What differs between two revisions: annotations, and the template as a whole.
fn change(before: &Value, after: &Value) -> String {
    let (old, new) = (annotations(before), annotations(after));
    let mut changes: Vec<String> = Vec::new();
    for (key, value) in &new {
        if old.get(key) != Some(value) {
            changes.push(format!("{} = {value}", short(key)));
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        changes.push(format!("{} (cleared)", short(key)));
    }
    if before["spec"] != after["spec"] {
        changes.push("template".to_owned());
    }
    changes.join(", ")
}

fn annotations(item: &Value) -> BTreeMap<&str, &str> {
    let all = item.pointer("/metadata/annotations").and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .filter(|(key, _)| !NO_CONFIGURATION.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect()
}

/// A key without the domain that most of them share.
fn short(key: &str) -> &str {
    key.strip_prefix("run.googleapis.com/").unwrap_or(key)
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).chain(["REVISION".len()]).max().unwrap_or_default();
    let head = ("REVISION", "ACTIVE", "CREATED BY CHANGE OF");
    let body = rows.iter().map(|row| (row.name.as_str(), row.active, row.change.as_str()));
    std::iter::once(head).chain(body).fold(String::new(), |table, (name, active, change)| {
        table + "\n" + format!("   {name:width$}  {active:6}  {change}").trim_end()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn revision(generation: u64, audiences: Option<&str>, active: bool) -> Value {
        let mut annotations =
            json!({ "serving.knative.dev/creator": format!("dev{generation}@example.com") });
        if let Some(audiences) = audiences {
            annotations["run.googleapis.com/custom-audiences"] = json!(audiences);
        }
        json!({
            "metadata": {
                "name": format!("hello-{generation:05}-abc"),
                "annotations": annotations,
                "labels": { "serving.knative.dev/configurationGeneration": generation.to_string() },
            },
            "spec": { "containers": [{ "image": "hello" }] },
            "status": { "conditions": [{ "type": "Active", "status": if active { "True" } else { "False" } }] },
        })
    }

    #[test]
    fn the_table_tells_which_change_cut_a_revision() {
        let mut redeployed = revision(10, None, true);
        redeployed["spec"]["containers"][0]["image"] = json!("hello:2");
        let items = vec![
            redeployed,
            revision(2, Some(r#"["a"]"#), false),
            revision(1, None, false),
            revision(3, None, false),
        ];
        insta::assert_snapshot!(table(&rows(items)));
    }
}
