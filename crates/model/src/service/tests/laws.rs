//! The laws: what holds of every service, whatever is asked for?

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::{defaults, traffic, v1_render};
use super::generate::{SCALING_MODE, asked, connect, edits, rows, value};
use super::*;
use crate::error::Violations;
use crate::field::Change;
use crate::kind::Resource;
use crate::revision_v1;
use crate::service::{TrafficRevision, TrafficTarget};

fn policies() -> impl Strategy<Value = RevisionPolicy> {
    select(vec![RevisionPolicy::EveryChange, RevisionPolicy::Template])
}

/// What a revision shows of its settings, without what stands at `row`'s place.
fn settings_of(revision: &Revision, row: &Row) -> [Value; 2] {
    let mut shown = revision_v1::revision(revision, false).unwrap();
    let (path, mut holder) = match row.v1 {
        Place::Annotation(key) => (key, shown["metadata"]["annotations"].take()),
        Place::Spec(key) => (key, shown["spec"].take()),
        Place::NodeSelector(_) => ("nodeSelector", shown["spec"].take()),
    };
    holder.as_object_mut().unwrap().remove(path);
    let other = match row.v1 {
        Place::Annotation(_) => shown["spec"].take(),
        Place::Spec(_) | Place::NodeSelector(_) => shown["metadata"]["annotations"].take(),
    };
    [holder, other]
}

/// Edits, a row of the configuration, and the value that it changes to; `None` clears it.
fn changes() -> impl Strategy<Value = (Vec<(String, Value)>, &'static Row, Option<String>)> {
    let configuration: Vec<_> =
        rows().into_iter().filter(|row| row.change == Change::Configuration).collect();
    (edits(), select::<&'static Row>(configuration))
        .prop_flat_map(|(edits, row)| (Just(edits), Just(row), prop::option::of(value(row))))
        .prop_map(|(mut edits, row, value)| {
            // The mode and the count of manual scaling are allowed together only.
            match row.name {
                "scaling_mode" => edits.retain(|(path, _)| !path.ends_with("manualInstanceCount")),
                "manual_instance_count" => edits.push((SCALING_MODE.to_owned(), json!("manual"))),
                _ => {}
            }
            if row.name.starts_with("vpc_") || row.name == "network_interfaces" {
                connect(&mut edits, row.name);
            }
            edits.retain(|(path, _)| path != "spec template metadata name");
            (edits, row, value)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_revision_inherits_what_the_change_did_not_name((mut edits, row, value) in changes()) {
        let mut world = World::new(RevisionPolicy::EveryChange);
        let before = world.write_spec(asked(&edits)).unwrap().service.spec;
        edits.push((place(row), json!(value)));
        let plan = world.write_spec(asked(&edits)).unwrap();
        prop_assert_eq!(plan.revision.is_some(), plan.service.spec != before);
        if let Some(revision) = plan.revision {
            prop_assert_eq!(&revision.causes, &[row.path(Api::V1)]);
            prop_assert_eq!(settings_of(&revision, row), settings_of(&world.revisions[0], row));
        }
    }

    #[test]
    fn planning_twice_plans_nothing(edits in edits(), policy in policies()) {
        let mut world = World::new(policy);
        let first = world.write_spec(asked(&edits)).unwrap();
        prop_assert_eq!(first.writes.len(), 3);
        let second = world.write_spec(asked(&edits)).unwrap();
        prop_assert_eq!(&second.writes, &Vec::new());
        prop_assert_eq!(&second.service, &first.service);
        // A client that sends back what it read changes nothing either.
        let shown = v1_render::service(world.service(), &urls()).unwrap();
        let third = world.write_spec(v1::parse(shown).unwrap().spec).unwrap();
        prop_assert_eq!((third.service, third.writes), (second.service, second.writes));
    }

    #[test]
    fn what_v1_shows_reads_back_the_same(edits in edits()) {
        let mut world = World::new(RevisionPolicy::EveryChange);
        world.write_spec(asked(&edits)).unwrap();
        let shown = v1_render::service(world.service(), &urls()).unwrap();
        let read = v1::parse(shown).unwrap();
        prop_assert_eq!(&read.spec, &world.service().spec);
        prop_assert_eq!(read.version, Some(world.service().updated.micros()));
    }

    #[test]
    fn what_is_stored_reads_back_the_same(edits in edits()) {
        let mut world = World::new(RevisionPolicy::EveryChange);
        let plan = world.write_spec(asked(&edits)).unwrap();
        let revision = plan.revision.unwrap();
        prop_assert_eq!(Service::from_record(plan.service.to_record().unwrap()).unwrap(), plan.service);
        prop_assert_eq!(Revision::from_record(revision.to_record().unwrap()).unwrap(), revision);
    }

    #[test]
    fn defaults_are_filled_in_once(edits in edits()) {
        let mut once = asked(&edits);
        defaults::fill(&mut once, &id());
        let mut twice = once.clone();
        defaults::fill(&mut twice, &id());
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn a_valid_split_sums_to_100(percents in prop::collection::vec(prop::option::of(-10..=110), 1..5), rest in any::<bool>()) {
        let mut percents = percents;
        if rest {
            let sum: i32 = percents.iter().flatten().sum();
            percents.push(Some(100 - sum));
        }
        let target = |percent| TrafficTarget { revision: TrafficRevision::Latest, percent, tag: None };
        let targets: Vec<TrafficTarget> = percents.iter().copied().map(target).collect();
        let mut violations = Violations::default();
        traffic::check(&targets, &id(), Api::V1, &mut violations);
        let good = percents.iter().flatten().all(|percent| (0..=100).contains(percent))
            && percents.iter().flatten().sum::<i32>() == 100;
        prop_assert_eq!(violations.into_result().is_ok(), good);
        if good {
            let latest = crate::RevisionName::lookup("hello-00001-abc");
            let routed = traffic::resolve(&targets, latest.as_ref(), |_| None).unwrap();
            prop_assert_eq!(routed.iter().filter_map(|target| target.percent).sum::<i32>(), 100);
        }
    }
}
