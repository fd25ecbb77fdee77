//! Which kinds of resource take which annotation?

use super::super::{Map, ServiceSettings, TemplateSettings};
use crate::error::Violations;
use crate::field::{FieldPath, Row};

/// The kinds that take an annotation, as the description of `ObjectMeta.annotations` lists them. An
/// annotation that is not listed there belongs to the kind whose table has a row for it.
const KINDS: &[(&str, &str)] = &[
    ("autoscaling.knative.dev/maxScale", "Revision"),
    ("autoscaling.knative.dev/minScale", "Revision"),
    ("run.googleapis.com/base-images", "Service, Revision"),
    ("run.googleapis.com/binary-authorization", "Service, Job, Execution"),
    ("run.googleapis.com/binary-authorization-breakglass", "Service, Job"),
    ("run.googleapis.com/build-function-target", "Service, Revision"),
    ("run.googleapis.com/build-source-location", "Service, Revision"),
    ("run.googleapis.com/cloudsql-instances", "Revision, Execution, Instance"),
    ("run.googleapis.com/container-dependencies", "Revision, Instance"),
    ("run.googleapis.com/encryption-key", "Revision, Execution, Instance"),
    ("run.googleapis.com/execution-environment", "Revision, Execution"),
    ("run.googleapis.com/ingress", "Service, Instance"),
    ("run.googleapis.com/invoker-iam-disabled", "Service, Instance"),
    ("run.googleapis.com/launch-stage", "Service, Job"),
    ("run.googleapis.com/network-interfaces", "Revision, Execution, Instance"),
    ("run.googleapis.com/secrets", "Revision, Execution"),
    ("run.googleapis.com/vpc-access-connector", "Revision, Execution"),
    ("run.googleapis.com/vpc-access-egress", "Revision, Execution, Instance"),
];

/// Refuses the settings of other kinds among the annotations that are no setting of `kind`.
pub(super) fn check(given: &Map, kind: &str, at: &FieldPath, out: &mut Violations) {
    for key in given.keys() {
        let Some(kinds) = kinds(key).filter(|kinds| !kinds.split(", ").any(|one| one == kind)) else {
            continue;
        };
        out.add(
            at.key(key),
            format!(
                "Annotation '{key}' is not supported on resources of kind '{kind}'. Supported kinds are: {kinds}"
            ),
        );
    }
}

/// The kinds that take the annotation; `None` if it is no setting.
fn kinds(key: &str) -> Option<&'static str> {
    let listed = KINDS.iter().find(|(known, _)| *known == key).map(|(_, kinds)| *kinds);
    let row = |rows: &[Row]| rows.iter().any(|row| row.annotation() == Some(key));
    let own = match (row(ServiceSettings::ROWS), row(TemplateSettings::ROWS)) {
        (true, true) => Some("Service, Revision"),
        (true, false) => Some("Service"),
        (false, true) => Some("Revision"),
        (false, false) => None,
    };
    listed.or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_the_settings_of_its_table() {
        for (rows, kind) in [(ServiceSettings::ROWS, "Service"), (TemplateSettings::ROWS, "Revision")] {
            for key in rows.iter().filter_map(Row::annotation) {
                assert!(kinds(key).unwrap().split(", ").any(|one| one == kind), "{key} on a {kind}");
            }
        }
    }

    #[test]
    fn the_list_names_settings_only() {
        let is_row = |key: &str| {
            let mut rows = ServiceSettings::ROWS.iter().chain(TemplateSettings::ROWS);
            rows.any(|row| row.annotation() == Some(key))
        };
        for (key, _) in KINDS {
            assert!(is_row(key), "{key}");
        }
    }
}
