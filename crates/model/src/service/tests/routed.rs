//! Does a start see of a stored service what its route follows from?

use std::sync::Arc;

use proptest::prelude::*;

use super::generate::{asked, edits};
use super::*;
use crate::instance::InstanceSpec;
use crate::kind::Resource;
use crate::name::RevisionName;
use crate::revision::stored_instance_spec;
use crate::routing::AccessFacts;
use crate::rule::Rules;
use crate::service::routed::RoutedService;

/// The service as a start reads it.
fn read(service: &Service) -> RoutedService {
    let record = service.to_record().unwrap();
    let (spec, status) = (record.spec.to_string(), record.status.to_string());
    RoutedService::read(id(), record.generation, &spec, &status).unwrap()
}

/// What the revision of this name runs, as a start reads it.
fn stored(world: &World, name: &RevisionName) -> Option<Arc<InstanceSpec>> {
    let revision = world.revisions.iter().find(|revision| revision.name == *name)?;
    let record = revision.to_record().unwrap();
    let spec =
        stored_instance_spec(&id(), name.as_str(), &record.spec.to_string(), &Rules::default()).unwrap();
    assert_eq!(spec, revision.instance_spec(&Rules::default()));
    Some(Arc::new(spec))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_route_of_what_is_stored_is_that_of_the_service(edits in edits(), phase in 0..3) {
        let mut world = World::new(RevisionPolicy::EveryChange);
        world.write_spec(asked(&edits)).unwrap();
        match phase {
            0 => {}
            1 => world.settle(RevisionPhase::Ready),
            _ => world.settle(RevisionPhase::Failed(failure())),
        }
        let service = world.service();
        let read = read(service);
        let at_rest = service.is_settled() && service.status.route_failure.is_none();
        prop_assert_eq!(read.is_at_rest, at_rest);
        let instance = |name: &RevisionName| stored(&world, name);
        let routed = read.route_facts(urls(), AccessFacts::default(), instance);
        let full = service.route_facts(urls(), AccessFacts::default(), instance);
        prop_assert_eq!(format!("{routed:?}"), format!("{full:?}"));
        let named: Vec<_> = service.status.serving.iter().map(|target| &target.revision).collect();
        prop_assert!(named.iter().all(|name| read.revisions().contains(name)));
    }
}

#[test]
fn what_is_damaged_is_named() {
    let world = World::ready(RevisionPolicy::EveryChange, &[]);
    let record = world.service().to_record().unwrap();
    let (spec, status) = (record.spec.to_string(), record.status.to_string());
    let refused = |spec: &str, status: &str| RoutedService::read(id(), 1, spec, status).unwrap_err().message;
    for (spec, status, at) in [
        ("{", &*status, "EOF"),
        (r#"{"settings":{"ingress":7}}"#, &status, "settings.ingress"),
        ("{}", &status, "missing field `settings`"),
        (&spec, "[]", "invalid"),
        (&spec, r#"{"observed_generation":1,"serving":[{}]}"#, "serving[0]"),
    ] {
        let message = refused(spec, status);
        assert!(message.contains("stored service 'hello'") && message.contains(at), "{message}");
    }
    let message =
        stored_instance_spec(&id(), "hello-00001-abc", r#"{"template":{"settings":1}}"#, &Rules::default());
    let message = message.unwrap_err().message;
    assert!(message.contains("'hello-00001-abc'") && message.contains("template.settings"), "{message}");
}
