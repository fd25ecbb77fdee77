//! Does a start route as if every service had just been published?

use std::collections::BTreeMap;

use groundrun_model::RevisionName;
use groundrun_model::domain_mapping::{CertificateMode, DomainMappingSpec, DomainName};
use groundrun_model::iam::{Binding, Condition, Policy};
use groundrun_model::service::values::Ingress;
use groundrun_model::url::{ServiceHosts, region_code};
use groundrun_store::BULK;

use super::*;

/// How long a change of a policy takes to count, in seconds.
const DELAY: i64 = 60;

/// Two regions outside the table of codes that share one, so that their services share a host.
fn twins() -> [Region; 2] {
    let mut seen = BTreeMap::new();
    let regions = (0..2000).map(|number| Region::parse(&format!("mars-north{number}")).unwrap());
    regions
        .into_iter()
        .find_map(|region| Some([seen.insert(region_code(&region), region.clone())?, region]))
        .unwrap()
}

fn ids(count: usize) -> Vec<ServiceId> {
    let [red, blue] = twins();
    let regions = [id().region, Region::parse("europe-west1").unwrap(), red, blue];
    let at = |number: usize| ServiceId {
        project: Project::parse(if number.is_multiple_of(8) { "other-project" } else { "demo-project" })
            .unwrap(),
        region: regions[number % 4].clone(),
        // One name in each region.
        name: ServiceName::parse(&format!("hello-{}", number / 4), "name").unwrap(),
    };
    (0..count).map(at).collect()
}

/// A specification that differs from the others in what a route follows from.
fn asked(number: usize, image: &str) -> ServiceSpec {
    let mut asked = spec(image);
    let settings = &mut asked.settings;
    settings.invoker_iam_disabled = (number % 5 == 1).then_some(true);
    settings.default_uri_disabled = (number % 7 == 1).then_some(true);
    settings.ingress = (number % 3 == 1).then_some(Ingress::Internal);
    settings.custom_audiences =
        (number % 4 == 1).then(|| (0..number).map(|n| format!("https://{n}.example.com")).collect());
    asked
}

fn policy(number: usize) -> Policy {
    let binding = |members: &[&str], expression: Option<&str>| Binding {
        role: "roles/run.invoker".to_owned(),
        members: members.iter().map(ToString::to_string).collect(),
        condition: expression.map(|expression| Condition {
            expression: expression.to_owned(),
            title: "path".to_owned(),
            ..Condition::default()
        }),
    };
    let many: Vec<String> = (0..number).map(|n| format!("user:dev{n}@example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let bindings = vec![
        binding(&many, None),
        binding(&["user:on@example.com", "group:devs@example.com"], Some("request.path == '/a'")),
        binding(&["serviceAccount:off@demo-project.iam.gserviceaccount.com"], None),
    ];
    Policy { version: 3, bindings: bindings.into_iter().skip(number % 3).collect(), etag: Vec::new() }
}

/// All that the table says, in an order that does not depend on how it came about.
fn says(engine: &Engine, ids: &[ServiceId]) -> Vec<String> {
    let table = engine.routing_table().load_full();
    let mut says: Vec<String> = table.routes().map(|route| format!("{route:?}")).collect();
    for id in ids {
        let leads = |host: &str| table.route(host).map(|found| (found.route.id.clone(), found.entry));
        let hosts = ServiceHosts::new(id);
        says.extend(hosts.iter().map(|host| format!("{host}: {:?}", leads(host))));
        let mapped = format!("{}.example.com", id.name);
        says.push(format!("{mapped}: {:?}", leads(&mapped)));
    }
    says.sort();
    says
}

async fn settled(engine: &Engine, id: &ServiceId) {
    while !engine.get_service(&owner(engine), id).await.unwrap().is_settled() {
        tokio::task::yield_now().await;
    }
}

/// Services of every kind, written one after the other.
async fn populate(engine: &Engine, ids: &[ServiceId]) {
    let (owner, write) = (owner(engine), WriteOptions::through(Api::V1));
    for (number, id) in ids.iter().enumerate() {
        engine.create_service(&owner, id, asked(number, "one"), write).await.unwrap();
        settled(engine, id).await;
        if number % 2 == 1 {
            engine.set_service_policy(&owner, id, policy(number), None).await.unwrap();
        }
        if number % 6 == 1 {
            let scope = Scope { project: id.project.clone(), region: Some(id.region.clone()) };
            let serving = engine.get_service(&owner, id).await.unwrap().status.serving.clone();
            let first = RevisionName::clone(&serving[0].revision);
            let target = |revision, percent, tag: Option<&str>| TrafficTarget {
                revision,
                percent: Some(percent),
                tag: tag.map(str::to_owned),
            };
            let mut next = asked(number, "two");
            next.traffic = vec![
                target(TrafficRevision::Named(first.to_string()), 90, Some("blue")),
                target(TrafficRevision::Latest, 10, None),
            ];
            engine.update_service(&owner, id, |_| Ok(next), write).await.unwrap();
            settled(engine, id).await;
            let domain = DomainName::parse(&format!("{}.example.com", id.name), "name").unwrap();
            let spec = DomainMappingSpec {
                route: id.name.clone(),
                certificate_mode: CertificateMode::Automatic,
                force_override: number % 12 == 1,
                labels: BTreeMap::new(),
                annotations: BTreeMap::new(),
            };
            let made = engine.create_domain_mapping(&owner, &scope, domain, spec, false).await;
            made.map(drop).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_and_a_change_of_accounts_route_as_publishing_one_by_one() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("groundrun.db");
    let ids = ids(60);
    let first = engine_after(Store::open(Some(&file)).await.unwrap(), DELAY).await;
    populate(&first, &ids).await;
    let owner = owner(&first);
    let project = Project::parse("demo-project").unwrap();
    first.set_project_policy(&owner, &project, policy(5), None).await.unwrap();
    let off = first.named_account("off@demo-project.iam.gserviceaccount.com").await.unwrap();
    first.set_service_account_disabled(&owner, &off.account.email, true).await.unwrap();
    let in_bulk = says(&first, &ids);
    assert_eq!(first.routing_table().load().routes().count(), ids.len());

    for id in &ids {
        let _turn = first.0.locks.lock(id).await;
        first.publish(id).await.unwrap();
    }
    assert!(says(&first, &ids) == in_bulk, "the accounts changed");
    first.close().await;

    let second = engine_after(Store::open(Some(&file)).await.unwrap(), DELAY).await;
    assert!(says(&second, &ids) == in_bulk, "at the start");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_services_than_one_reading_has_are_all_routed() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("groundrun.db");
    let count = BULK + 1;
    let first = engine(Store::open(Some(&file)).await.unwrap()).await;
    let owner = owner(&first);
    let named = |number: usize| ServiceId {
        name: ServiceName::parse(&format!("hello-{number}"), "name").unwrap(),
        ..id()
    };
    for number in 0..count {
        let write = WriteOptions::through(Api::V1);
        first.create_service(&owner, &named(number), spec("one"), write).await.unwrap();
    }
    for number in 0..count {
        settled(&first, &named(number)).await;
    }
    first.close().await;

    let second = engine(Store::open(Some(&file)).await.unwrap()).await;
    let table = second.routing_table().load_full();
    assert_eq!(table.routes().count(), count);
    let serves = |number| table.get(&named(number)).is_some_and(|route| route.split.pick(0).is_some());
    assert!((0..count).all(serves));
    second.republish().await.unwrap();
    assert_eq!(second.routing_table().load().routes().count(), count);
    let gone = named(7);
    second.delete_service(&owner, &gone, |_| Ok(()), false).await.unwrap();
    second.republish().await.unwrap();
    assert!(second.routing_table().load().get(&gone).is_none());
}

#[tokio::test]
async fn a_start_names_the_service_that_it_cannot_read() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("groundrun.db");
    let first = engine(Store::open(Some(&file)).await.unwrap()).await;
    first.create_service(&owner(&first), &id(), spec("one"), WriteOptions::through(Api::V1)).await.unwrap();
    settled(&first, &id()).await;
    let record = first.store().get(&id().key()).await.unwrap().unwrap();
    let status = serde_json::json!({ "observed_generation": 1, "serving": "all of it" });
    let damage = Write::Status { key: id().key(), uid: record.uid, expected: record.version, status };
    first.store().commit(vec![damage]).await.unwrap();
    first.close().await;

    let refused = open(Store::open(Some(&file)).await.unwrap(), 0).await.unwrap_err();
    assert!(refused.message.contains("the stored service 'hello' cannot be read: serving"), "{refused:?}");
}
