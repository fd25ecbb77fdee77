//! How may a revision be connected to a VPC?

use serde_json::Value;

use super::super::TemplateSettings;
use super::super::values::Json;
use super::template_setting;
use crate::error::Violations;
use crate::field::Api;

pub(super) fn check(settings: &TemplateSettings, api: Api, out: &mut Violations) {
    let at = template_setting("network_interfaces", api);
    let empty = Vec::new();
    let interfaces = match &settings.network_interfaces {
        None | Some(Json(Value::Null)) => &empty,
        Some(Json(Value::Array(list))) => list,
        Some(_) => {
            out.add(at, "must be a list of network interfaces");
            return;
        }
    };
    let connector = settings.vpc_connector.is_some();
    if connector || settings.vpc_egress.is_some() || !interfaces.is_empty() {
        // What is set too much is shown; if nothing is, the egress is what asks for one.
        let place = match (connector, interfaces.is_empty()) {
            (false, true) => template_setting("vpc_egress", api),
            _ => at.clone(),
        };
        out.check(
            connector == interfaces.is_empty(),
            place,
            "one and only one of connector and network_interfaces must be set",
        );
    }
    out.check(interfaces.len() <= 1, &at, "only 1 network interface is allowed");
    for (index, interface) in interfaces.iter().enumerate() {
        let named =
            |key: &str| interface.get(key).and_then(Value::as_str).is_some_and(|name| !name.is_empty());
        out.check(
            named("network") || named("subnetwork"),
            format!("{at}[{index}]"),
            "at least one of network or subnetwork should not be empty",
        );
    }
}
