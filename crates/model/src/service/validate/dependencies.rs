//! Can the containers start in the order that is asked for?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::RevisionTemplate;
use super::super::values::Json;
use super::template_setting;
use crate::error::Violations;
use crate::field::Api;

/// Each container that waits, and those that it waits for. A container without a name has the empty one.
type Dependencies = BTreeMap<String, Vec<String>>;

pub(super) fn check(template: &RevisionTemplate, api: Api, out: &mut Violations) {
    let Some(Json(value)) = &template.settings.container_dependencies else { return };
    let whole = template_setting("container_dependencies", api);
    let Some(dependencies) = read(value) else {
        out.add(whole, "must be a map from the names of containers to lists of names of containers");
        return;
    };
    let names: Vec<&str> =
        template.containers.iter().map(|container| container.name.as_deref().unwrap_or_default()).collect();
    for (name, needed) in &dependencies {
        let index = names.iter().position(|known| known == name);
        // v1 has one annotation for all containers, v2 a field of each.
        let at = match (api, index) {
            (Api::V2, Some(index)) => {
                api.template().field("containers").index(index).field("dependsOn").to_string()
            }
            _ => whole.clone(),
        };
        let unknown = needed.iter().find(|one| !names.contains(&one.as_str()));
        let missing = if index.is_none() { Some(name) } else { unknown };
        if let Some(missing) = missing {
            out.add(at, format!("container '{missing}' does not exist"));
        }
    }
    out.check(!has_cycle(&dependencies), whole, "dependency cycle detected");
}

fn read(value: &Value) -> Option<Dependencies> {
    serde_json::from_value(value.clone()).ok()
}

/// Starts every container whose needs have started, until none is left to start: the rest waits for
/// itself.
fn has_cycle(dependencies: &Dependencies) -> bool {
    let mut waiting: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    loop {
        let blocked = |name: &&str| {
            dependencies
                .get(*name)
                .is_some_and(|needed| needed.iter().any(|one| waiting.contains(one.as_str())))
        };
        let still: BTreeSet<&str> = waiting.iter().copied().filter(blocked).collect();
        if still.len() == waiting.len() {
            return !still.is_empty();
        }
        waiting = still;
    }
}
