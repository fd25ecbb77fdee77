//! Which numbers of instances go together?

use super::super::ServiceSpec;
use super::super::values::ScalingMode;
use super::{service_setting, template_setting};
use crate::error::Violations;
use crate::field::Api;

pub(super) fn check(spec: &ServiceSpec, api: Api, out: &mut Violations) {
    let (service, template) = (&spec.settings, &spec.template.settings);
    let pairs = [
        (service.min_instance_count, service.max_instance_count, service_setting("max_instance_count", api)),
        (
            template.min_instance_count,
            template.max_instance_count,
            template_setting("max_instance_count", api),
        ),
    ];
    for (least, most, at) in pairs {
        if let (Some(least), Some(most)) = (least, most) {
            out.check(most >= least, at, "must be greater than or equal to min_instance_count");
        }
    }
    if service.manual_instance_count.is_some() {
        let manual = service.scaling_mode == Some(ScalingMode::Manual);
        out.check(
            manual,
            service_setting("manual_instance_count", api),
            "scaling mode must be set to MANUAL",
        );
    }
}
