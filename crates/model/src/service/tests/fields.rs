//! Are the field tables sound?

use std::collections::BTreeSet;

use super::*;
use crate::service::{ServiceSettings, TemplateSettings};

#[test]
fn names_and_places_are_unique() {
    for rows in [ServiceSettings::ROWS, TemplateSettings::ROWS] {
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        let places: BTreeSet<String> = rows.iter().map(|row| row.path(Api::V1)).collect();
        assert_eq!((names.len(), places.len()), (rows.len(), rows.len()));
    }
    let level = |rows: &[Row], level| rows.iter().all(|row| row.level == level);
    assert!(level(ServiceSettings::ROWS, Level::Service) && level(TemplateSettings::ROWS, Level::Template));
}

#[test]
fn docs_are_sentences() {
    for row in ServiceSettings::ROWS.iter().chain(TemplateSettings::ROWS) {
        let doc = row.doc;
        assert!(doc.starts_with(char::is_uppercase) && doc.ends_with('.'), "{}: '{doc}'", row.name);
        assert!(!doc.contains("  ") && !row.v2.is_empty() && !row.kind.is_empty(), "{}: '{doc}'", row.name);
    }
}

#[test]
fn a_row_knows_its_path_in_each_api() {
    let path = |rows: &'static [Row], name: &str, api| {
        rows.iter().find(|row| row.name == name).map(|row| row.path(api)).unwrap()
    };
    let (service, template) = (ServiceSettings::ROWS, TemplateSettings::ROWS);
    let both = |rows, name| [Api::V1, Api::V2].map(|api| path(rows, name, api));
    assert_eq!(
        both(service, "ingress"),
        ["metadata.annotations[run.googleapis.com/ingress]", "service.ingress"]
    );
    assert_eq!(
        both(template, "min_instance_count"),
        [
            "spec.template.metadata.annotations[autoscaling.knative.dev/minScale]",
            "service.template.scaling.min_instance_count"
        ]
    );
    assert_eq!(both(template, "timeout"), ["spec.template.spec.timeoutSeconds", "service.template.timeout"]);
    assert_eq!(
        both(template, "accelerator"),
        [
            "spec.template.spec.nodeSelector[run.googleapis.com/accelerator]",
            "service.template.node_selector.accelerator"
        ]
    );
}

#[test]
fn the_words_of_an_enum_are_read_in_any_case_and_written_in_one() {
    use super::super::values::{Ingress, LaunchStage, VpcEgress};
    use crate::field::Setting as _;
    assert_eq!(
        Ingress::from_text("Internal-And-Cloud-Load-Balancing"),
        Ok(Ingress::InternalAndCloudLoadBalancing)
    );
    assert_eq!(LaunchStage::from_text("beta").map(|stage| stage.to_text()), Ok("BETA".to_owned()));
    for (value, v1, ..) in VpcEgress::WORDS {
        assert_eq!((VpcEgress::from_text(v1), value.to_text()), (Ok(*value), (*v1).to_owned()));
    }
}
