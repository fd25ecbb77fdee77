//! Are the bodies that gcloud was recorded to send read? Versions are replaced: the recorded ones were made
//! by a stand-in for the server.

use serde_json::Value;

use super::super::{defaults, validate};
use super::*;

const BODIES: &[(&str, &str)] = &[
    ("beta-deploy", include_str!("bodies/beta-deploy.json")),
    ("beta-iap", include_str!("bodies/beta-iap.json")),
    ("beta-multiregion", include_str!("bodies/beta-multiregion.json")),
    ("beta-scaling-manual", include_str!("bodies/beta-scaling-manual.json")),
    ("deploy-allow-unauth", include_str!("bodies/deploy-allow-unauth.json")),
    ("deploy-many-flags", include_str!("bodies/deploy-many-flags.json")),
    ("deploy-sidecar", include_str!("bodies/deploy-sidecar.json")),
    ("err-suffix-exists", include_str!("bodies/err-suffix-exists.json")),
    ("ga-clear", include_str!("bodies/ga-clear.json")),
    ("ga-xproject-secret", include_str!("bodies/ga-xproject-secret.json")),
    ("no-serviceusage-skip", include_str!("bodies/no-serviceusage-skip.json")),
    ("replace-again-dryrun", include_str!("bodies/replace-again-dryrun.json")),
    ("replace-export-aud", include_str!("bodies/replace-export-aud.json")),
    ("traffic-json", include_str!("bodies/traffic-json.json")),
    ("update-labels", include_str!("bodies/update-labels.json")),
];

/// What a client keeps of a newer server's answer and sends back.
const UNKNOWN: &str = include_str!("bodies/unknown-fields.json");

#[test]
fn recorded_bodies_are_read_and_allowed() {
    for (name, text) in BODIES {
        let parsed = v1::parse(serde_json::from_str(text).unwrap());
        let mut parsed = parsed.unwrap_or_else(|error| panic!("{name}: {}", lines(&error)));
        let id = ServiceId {
            name: ServiceName::parse(parsed.name.as_deref().unwrap(), "metadata.name").unwrap(),
            ..id()
        };
        defaults::fill(&mut parsed.spec, &id);
        validate::check(&parsed.spec, &id, Api::V1)
            .unwrap_or_else(|error| panic!("{name}: {}", lines(&error)));
    }
}

#[test]
fn the_flags_of_a_deployment_arrive() {
    let (_, text) = BODIES.iter().find(|(name, _)| *name == "deploy-many-flags").unwrap();
    let spec = v1::parse(serde_json::from_str(text).unwrap()).unwrap().spec;
    insta::assert_json_snapshot!("deploy_many_flags", spec);
}

#[test]
fn unknown_fields_of_a_recorded_body_are_refused_one_by_one() {
    let mut body: Value = serde_json::from_str(UNKNOWN).unwrap();
    let places = [
        ("zzz", "metadata", "metadata"),
        ("newSpecField", "spec", "spec"),
        ("newContainerField", "spec template spec containers 0", "spec.template.spec.containers[0]"),
    ];
    for (name, parent, path) in places {
        let error = v1::parse(body.clone()).unwrap_err();
        assert_eq!(
            lines(&error),
            format!(
                "{path}: Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
            )
        );
        set(&mut body, &format!("{parent} {name}"), Value::Null);
    }
    assert!(v1::parse(body).is_ok());
}
