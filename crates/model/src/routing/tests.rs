//! Does each host lead to its service, and each split to its revisions?

use crate::field::Setting as _;
use proptest::prelude::*;

use super::*;
use crate::iam::{Binding, Policy};
use crate::instance::Protocol;
use crate::name::{Project, Region, RevisionName, ServiceName};
use crate::rule::Runs;
use crate::url::{ServiceHosts, UrlStyle};

pub(crate) fn service(project: &str, region: &str, name: &str) -> ServiceId {
    ServiceId {
        project: Project::parse(project).unwrap(),
        region: Region::parse(region).unwrap(),
        name: ServiceName::parse(name, "f").unwrap(),
    }
}

pub(crate) fn spec(id: &ServiceId, revision: &str) -> InstanceSpec {
    InstanceSpec {
        service: id.clone(),
        revision: RevisionName::lookup(revision).unwrap(),
        image: "image".to_owned(),
        service_account: "sa@demo-project.iam.gserviceaccount.com".to_owned(),
        env: Vec::new(),
        port: 8080,
        concurrency: 80,
        timeout_seconds: 300,
        runs: Runs::Echo,
        protocol: Protocol::Http1,
        session_affinity: false,
    }
}

pub(crate) fn facts(id: &ServiceId) -> RouteFacts<'static> {
    RouteFacts {
        id: id.clone(),
        urls: UrlConfig { style: UrlStyle::Hosted, port: 8786 },
        custom_audiences: Vec::new(),
        invoker_iam_disabled: false,
        access: AccessFacts::default(),
        ingress: Ingress::All,
        default_url_disabled: false,
        split: vec![(100, Arc::new(spec(id, "hello-00001-abc")))],
        tags: Vec::new(),
    }
}

pub(crate) fn binding(role: &str, members: &[&str]) -> Binding {
    Binding {
        role: role.to_owned(),
        members: members.iter().map(ToString::to_string).collect(),
        condition: None,
    }
}

pub(crate) fn policy(bindings: Vec<Binding>) -> Policy {
    Policy { bindings, ..Policy::default() }
}

fn split(percentages: &[u32]) -> (Split, Vec<Arc<InstanceSpec>>) {
    let id = service("demo-project", "us-central1", "hello");
    let name = |i: usize| format!("hello-{:05}-abc", i + 1);
    let specs: Vec<_> = (0..percentages.len()).map(|i| Arc::new(spec(&id, &name(i)))).collect();
    (Split::new(percentages.iter().copied().zip(specs.clone())), specs)
}

fn counts(split: &Split, specs: &[Arc<InstanceSpec>]) -> Vec<u32> {
    let mut counts = vec![0; specs.len()];
    for dice in 0..DICE {
        let picked = split.pick(dice).unwrap();
        counts[specs.iter().position(|spec| Arc::ptr_eq(spec, picked)).unwrap()] += 1;
    }
    counts
}

#[test]
fn nothing_to_pick() {
    assert!(split(&[]).0.pick(0).is_none());
    assert!(split(&[0, 0]).0.pick(0).is_none());
}

#[test]
fn a_revision_that_cannot_serve_leaves_its_share_to_the_others() {
    let (split, specs) = split(&[60, 20]);
    assert_eq!(counts(&split, &specs), [7500, 2500]);
    assert_eq!(split.iter().map(|(share, _)| share).collect::<Vec<_>>(), [60, 20]);
}

proptest! {
    #[test]
    fn every_split_is_picked_in_exact_proportion(cuts in proptest::collection::vec(0_u32..=100, 0..6)) {
        let mut cuts = [vec![0, 100], cuts].concat();
        cuts.sort_unstable();
        let percentages: Vec<u32> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (split, specs) = split(&percentages);
        let expected: Vec<u32> = percentages.iter().map(|percent| percent * DICE / 100).collect();
        prop_assert_eq!(counts(&split, &specs), expected);
    }

    #[test]
    fn any_dice_picks_something(dice in any::<u32>(), a in 0_u32..=1000, b in 1_u32..=u32::MAX) {
        prop_assert!(split(&[a, b]).0.pick(dice).is_some());
    }
}

#[test]
fn the_table_finds_every_host_and_only_existing_tags() {
    let id = service("demo-project", "us-central1", "hello");
    let mut facts = facts(&id);
    facts.tags = vec![("green".to_owned(), Arc::new(spec(&id, "hello-00002-abc")))];
    let table = RoutingTable::default().with(Route::build(facts));
    for host in ServiceHosts::new(&id).iter() {
        let found = table.route(host).unwrap();
        assert_eq!((&found.route.id, found.tag), (&id, None));
        assert_eq!(found.pick(0).unwrap().revision.as_str(), "hello-00001-abc");
        let found = table.route(&format!("green---{host}")).unwrap();
        assert_eq!(found.tag, Some("green"));
        assert_eq!(found.pick(0).unwrap().revision.as_str(), "hello-00002-abc");
        assert!(table.route(&format!("red---{host}")).is_none());
        assert!(table.route(&format!("x{host}")).is_none());
    }
    assert!(table.route("").is_none() && table.route("---").is_none());
}

#[test]
fn a_service_whose_name_looks_like_a_tag_host_is_found_before_the_tag() {
    let (plain, tricky) =
        (service("demo-project", "us-central1", "b"), service("demo-project", "us-central1", "a---b"));
    let mut tagged = facts(&plain);
    tagged.tags = ["a", "t"].map(|tag| (tag.to_owned(), Arc::new(spec(&plain, "b-00001-abc")))).to_vec();
    let table = RoutingTable::default().with(Route::build(tagged));
    let host = ServiceHosts::new(&tricky).hash;
    assert_eq!(table.route(&host).unwrap().tag, Some("a"));
    let mut other = facts(&tricky);
    other.tags = vec![("t".to_owned(), Arc::new(spec(&tricky, "a---b-00001-abc")))];
    let table = table.with(Route::build(other));
    assert_eq!(table.route(&host).unwrap().route.id, tricky);
    let found = table.route(&format!("t---{host}")).unwrap();
    assert_eq!((&found.route.id, found.tag), (&tricky, Some("t")), "a later cut is tried too");
}

#[test]
fn a_change_replaces_one_service_and_leaves_the_old_table_as_it_was() {
    let ids = ["one", "two", "three"].map(|name| service("demo-project", "us-central1", name));
    let first = ids.iter().fold(RoutingTable::default(), |table, id| table.with(Route::build(facts(id))));
    let mut closed = facts(&ids[1]);
    closed.ingress = Ingress::Internal;
    let second = first.with(Route::build(closed));
    assert_eq!(first.get(&ids[1]).unwrap().ingress, Ingress::All);
    assert_eq!(second.get(&ids[1]).unwrap().ingress, Ingress::Internal);
    assert!(Arc::ptr_eq(first.get(&ids[0]).unwrap(), second.get(&ids[0]).unwrap()));
    let third = second.without(&ids[1]);
    assert!(third.get(&ids[1]).is_none() && second.get(&ids[1]).is_some());
    assert!(ServiceHosts::new(&ids[1]).iter().all(|host| third.route(host).is_none()));
    let mut names: Vec<&str> = third.routes().map(|route| route.id.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["one", "three"]);
}

#[test]
fn removing_a_service_spares_one_that_shares_its_hash_host() {
    // Regions outside the code table may share a code: find two that do.
    let codes = (0..2000).map(|n| Region::parse(&format!("mars-north{n}")).unwrap());
    let mut seen = BTreeMap::new();
    let (a, b) = codes
        .into_iter()
        .find_map(|region| Some((seen.insert(crate::url::region_code(&region), region.clone())?, region)))
        .unwrap();
    let [a, b] = [a, b].map(|region| service("demo-project", region.as_str(), "hello"));
    let table = RoutingTable::default().with(Route::build(facts(&a))).with(Route::build(facts(&b)));
    assert_eq!(
        (table.get(&a).unwrap().id.clone(), table.get(&b).unwrap().id.clone()),
        (a.clone(), b.clone())
    );
    assert_eq!(table.routes().count(), 2);
    let table = table.without(&a);
    assert_eq!(table.route(&ServiceHosts::new(&b).hash).unwrap().route.id, b);
    assert!(table.get(&a).is_none());
}

#[test]
fn ingress_and_the_default_url_close_a_service() {
    let id = service("demo-project", "us-central1", "hello");
    let closed = |ingress: &str, default_url_disabled, origin| {
        let ingress = Ingress::from_text(ingress).unwrap();
        let route = Arc::new(Route::build(RouteFacts { ingress, default_url_disabled, ..facts(&id) }));
        HostMatch { route: &route, tag: None, entry: Entry::Own }.closed_to(origin)
    };
    use Origin::{External, Internal};
    assert_eq!(closed("all", false, External), None);
    assert_eq!(closed("all", true, Internal), Some(Closed::DefaultUrlDisabled));
    for inside in ["internal", "internal-and-cloud-load-balancing"] {
        assert_eq!(closed(inside, false, Internal), None);
        assert_eq!(
            closed(inside, false, External),
            Some(Closed::Ingress(Ingress::from_text(inside).unwrap()))
        );
    }
    assert_eq!(closed("none", false, Internal), Some(Closed::Ingress(Ingress::None)));
}

#[test]
fn a_mapped_domain_leads_to_its_service_whatever_becomes_of_that() {
    let id = service("demo-project", "us-central1", "hello");
    let domains = || [("api.example.com".to_owned(), id.clone())];
    let empty = RoutingTable::default().with_domains(domains());
    assert!(empty.is_mapped("api.example.com") && empty.route("api.example.com").is_none());

    let table = empty.with(Route::build(RouteFacts { default_url_disabled: true, ..facts(&id) }));
    let found = table.route("api.example.com").unwrap();
    assert_eq!((&found.route.id, found.entry), (&id, Entry::Mapped));
    assert_eq!(found.closed_to(Origin::External), None);
    assert_eq!(table.routes().count(), 1);
    let own = table.route(&ServiceHosts::new(&id).hash).unwrap();
    assert_eq!(own.closed_to(Origin::External), Some(Closed::DefaultUrlDisabled));
    for host in ["example.com", "green---api.example.com", "x.api.example.com"] {
        assert!(table.route(host).is_none() && !table.is_mapped(host), "{host}");
    }

    let gone = table.without(&id);
    assert!(gone.is_mapped("api.example.com") && gone.route("api.example.com").is_none());
    assert!(!table.with_domains([]).is_mapped("api.example.com"));
}
