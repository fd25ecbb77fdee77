//! How may a revision be connected to a VPC?

use super::super::TemplateSettings;
use super::super::form::Form;
use super::template_setting;
use crate::error::Violations;
use crate::field::Api;

pub(super) fn check(settings: &TemplateSettings, api: Api, out: &mut Violations) {
    let at = template_setting("network_interfaces", api);
    let interfaces = settings.network_interfaces.as_ref().map_or(&[][..], |Form(list)| list);
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
        out.check(
            interface.network.is_some() || interface.subnetwork.is_some(),
            format!("{at}[{index}]"),
            "at least one of network or subnetwork should not be empty",
        );
    }
}
