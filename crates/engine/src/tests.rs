//! Does a service become what was asked for, also when writes overlap and after a crash?

mod paging;

use std::sync::Arc;
use std::time::Duration;

use groundrun_identity::Keys;
use groundrun_model::field::Api;
use groundrun_model::iam::Identities;
use groundrun_model::kind::{Resource as _, Write};
use groundrun_model::operation::{Operation, State};
use groundrun_model::revision::RevisionPhase;
use groundrun_model::service::plan::{Plan, RevisionPolicy, Writer, plan};
use groundrun_model::service::{
    Container, RevisionTemplate, Service, ServiceSpec, TrafficRevision, TrafficTarget,
};
use groundrun_model::url::{UrlConfig, UrlStyle};
use groundrun_model::{Project, Region, ServiceId, ServiceName, Timestamp};
use groundrun_runtime::{Backend, Logs};
use groundrun_store::Store;
use uuid::Uuid;

use crate::{Caller, Clock, Config, Draw, Engine, Parts, Scope, WriteOptions};

const ID_TOKEN_KEY: &str = include_str!("../../identity/fixtures/test-id-token-key.pem");
const SERVICE_ACCOUNT_KEY: &str = include_str!("../../identity/fixtures/test-service-account-key.pem");

/// How long a condition may take.
const DEADLINE: Duration = Duration::from_secs(10);

fn id() -> ServiceId {
    ServiceId {
        project: Project::parse("demo-project").unwrap(),
        region: Region::parse("us-central1").unwrap(),
        name: ServiceName::parse("hello", "name").unwrap(),
    }
}

fn spec(image: &str) -> ServiceSpec {
    let container = Container { image: Some(image.to_owned()), ..Container::default() };
    let template = RevisionTemplate { containers: vec![container], ..RevisionTemplate::default() };
    ServiceSpec { template, ..ServiceSpec::default() }
}

async fn engine(store: Store) -> Engine {
    engine_after(store, 0).await
}

/// An engine in which a change of a policy takes this many seconds to count.
async fn engine_after(store: Store, seconds: i64) -> Engine {
    open(store, seconds).await.unwrap()
}

async fn open(store: Store, seconds: i64) -> groundrun_model::Result<Engine> {
    let config = Config {
        iam_propagation_seconds: seconds,
        identities: Identities::default(),
        rules: groundrun_model::rule::Rules::default(),
        balancers: groundrun_model::routing::Balancers::default(),
        revision_policy: RevisionPolicy::EveryChange,
        urls: UrlConfig { style: UrlStyle::Local, port: 8786 },
        strict_identity: false,
        strict_etags: false,
        enforce_api_iam: false,
        metadata_account: None,
        project: id().project,
        region: id().region,
    };
    let keys = Keys::from_pems(ID_TOKEN_KEY, SERVICE_ACCOUNT_KEY).unwrap();
    let (clock, draw) = (Clock::system(), Draw::seeded(7));
    let logs = Logs::new(Timestamp::default);
    let parts = Parts { store, keys, backend: Backend::new(), logs, clock, draw };
    Engine::open(config, parts).await
}

fn owner(engine: &Engine) -> Caller {
    engine.local_owner()
}

/// Waits until the service is as `holds` wants it.
async fn until(engine: &Engine, what: &str, holds: impl Fn(&Service) -> bool) -> Service {
    let waited = tokio::time::timeout(DEADLINE, async {
        loop {
            let service = engine.get_service(&owner(engine), &id()).await.unwrap();
            if holds(&service) {
                return Arc::unwrap_or_clone(service);
            }
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("the service did not become {what}"))
}

#[tokio::test]
async fn every_revision_of_overlapping_writes_comes_up() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    engine.create_service(&owner, &id(), spec("one"), WriteOptions::through(Api::V1)).await.unwrap();
    for image in ["two", "three", "four"] {
        engine
            .update_service(&owner, &id(), |_| Ok(spec(image)), WriteOptions::through(Api::V1))
            .await
            .unwrap();
    }
    // Traffic to a revision that was superseded before it was up.
    let names = |engine: &Engine| {
        let (engine, owner) = (engine.clone(), owner.clone());
        let scope = Scope { project: id().project, region: Some(id().region) };
        async move { engine.list_revisions(&owner, &scope, &crate::Page::default()).await.unwrap().items }
    };
    let second = names(&engine).await[2].revision.name.to_string();
    let target =
        TrafficTarget { revision: TrafficRevision::Named(second.clone()), percent: Some(100), tag: None };
    let asked = ServiceSpec { traffic: vec![target], ..spec("four") };
    engine.update_service(&owner, &id(), |_| Ok(asked), WriteOptions::through(Api::V1)).await.unwrap();
    until(&engine, "routed to the second revision", |service| {
        service.is_settled() && service.status.serving.iter().all(|target| target.revision.as_str() == second)
    })
    .await;
    let revisions = names(&engine).await;
    assert_eq!(revisions.len(), 4);
    assert!(revisions.iter().all(|view| view.revision.phase == RevisionPhase::Ready), "{revisions:#?}");
}

#[tokio::test]
async fn a_rollout_goes_on_after_a_crash() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("groundrun.db");
    let store = Store::open(Some(&file)).await.unwrap();
    // What is committed when the process dies between the write and the start of the revision.
    let writer = Writer {
        email: "dev@example.com",
        now: Timestamp::from_seconds(1_800_000_000),
        api: Api::V1,
        policy: RevisionPolicy::EveryChange,
        expected: None,
        service_uid: Uuid::from_u128(1),
        revision_uid: Uuid::from_u128(2),
        operation: Uuid::from_u128(3),
        force_new_revision: false,
        suffix: "abc",
    };
    let Plan { writes, .. } = plan(&id(), None, spec("one"), &writer).unwrap();
    assert!(matches!(writes.as_slice(), [Write::Insert(_), Write::Insert(_), Write::Insert(_)]));
    store.commit(writes).await.unwrap();
    store.close().await;

    let engine = engine(Store::open(Some(&file)).await.unwrap()).await;
    let service = until(&engine, "settled", Service::is_settled).await;
    assert_eq!(service.status.latest_ready.map(|name| name.to_string()).as_deref(), Some("hello-00001-abc"));
    assert!(engine.routing_table().load().get(&id()).is_some_and(|route| route.split.pick(0).is_some()));

    // The operation that was under way has come to its end.
    let scope = Scope { project: id().project, region: Some(id().region) };
    let operation = Uuid::from_u128(3).to_string();
    let ended = engine.wait_operation(&owner(&engine), &scope, &operation, DEADLINE).await.unwrap();
    assert_eq!(ended.state, State::Succeeded);
}

#[tokio::test]
async fn operations_end_with_the_service_that_is_deleted_under_them() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    let through = WriteOptions::through(Api::V2);
    let created = engine.create_service(&owner, &id(), spec("one"), through).await.unwrap();
    // One that is under way for certain, whatever the rollout has come to.
    let running = Operation { id: Uuid::from_u128(9), ..created.operation.clone() };
    engine.store().commit(vec![Write::Insert(running.to_record().unwrap())]).await.unwrap();
    until(&engine, "settled", Service::is_settled).await;
    engine.0.running.add(&id(), running.clone());
    let deleted = engine.delete_service(&owner, &id(), |_| Ok(()), false).await.unwrap();
    let scope = Scope { project: id().project, region: Some(id().region) };
    let state = |operation: Uuid| {
        let (engine, owner, scope) = (engine.clone(), owner.clone(), scope.clone());
        async move {
            let id = operation.to_string();
            engine.wait_operation(&owner, &scope, &id, DEADLINE).await.unwrap().state
        }
    };
    assert_eq!(state(created.operation.id).await, State::Succeeded);
    assert!(matches!(state(running.id).await, State::Failed { code: 10, .. }));
    assert_eq!(state(deleted.operation.id).await, State::Succeeded);
    assert!(
        engine
            .list_operations(&owner, &scope, Some(false), &crate::Page::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn nobody_waits_for_an_operation_when_the_emulator_stops() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    let created =
        engine.create_service(&owner, &id(), spec("one"), WriteOptions::through(Api::V2)).await.unwrap();
    // One that nothing will ever end.
    let running = Operation { id: Uuid::from_u128(9), ..created.operation };
    engine.store().commit(vec![Write::Insert(running.to_record().unwrap())]).await.unwrap();
    let scope = Scope { project: id().project, region: Some(id().region) };
    let name = running.id.to_string();
    let wait = engine.wait_operation(&owner, &scope, &name, Duration::from_secs(600));
    engine.begin_stop();
    let found = tokio::time::timeout(DEADLINE, wait).await.expect("the wait ends").unwrap();
    assert_eq!(found.state, State::Running);
}

#[tokio::test]
async fn finished_operations_are_forgotten_in_the_end() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    let through = WriteOptions::through(Api::V1);
    engine.create_service(&owner, &id(), spec("image0"), through).await.unwrap();
    for number in 1..=1400 {
        let traffic = TrafficTarget { tag: Some(format!("t{number}")), ..TrafficTarget::all_to_latest() };
        let asked = ServiceSpec { traffic: vec![traffic], ..spec("image0") };
        engine.update_service(&owner, &id(), |_| Ok(asked), through).await.unwrap();
    }
    until(&engine, "settled", Service::is_settled).await;
    let scope = Scope { project: id().project, region: Some(id().region) };
    let kept = engine.list_operations(&owner, &scope, None, &crate::Page::default()).await.unwrap().items;
    assert!((1_000..1_300).contains(&kept.len()), "{}", kept.len());
}

#[tokio::test]
async fn a_caller_without_an_email_is_known_by_its_unique_id_after_a_restart() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("groundrun.db");
    let first = engine(Store::open(Some(&file)).await.unwrap()).await;
    let email = "caller@demo-project.iam.gserviceaccount.com";
    first.generate_id_token(&owner(&first), email, "aud1", false).await.unwrap();
    first.close().await;

    let second = engine(Store::open(Some(&file)).await.unwrap()).await;
    let unique_id = groundrun_model::account::Account::new(email).unique_id;
    assert_eq!(second.directory().email(&unique_id).as_deref(), Some(email));
    assert_eq!(second.directory().email("1"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_is_set_while_the_service_comes_up_does_not_hide_its_revision() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    for round in 0..40 {
        engine.create_service(&owner, &id(), spec("one"), WriteOptions::through(Api::V1)).await.unwrap();
        let policy = groundrun_model::iam::Policy { etag: Vec::new(), ..Default::default() };
        engine.set_service_policy(&owner, &id(), policy, None).await.unwrap();
        until(&engine, "settled", Service::is_settled).await;
        let table = engine.routing_table().load_full();
        let route = table.get(&id()).unwrap();
        assert!(route.split.pick(0).is_some(), "round {round}: ready, and nothing is routed");
        engine.delete_service(&owner, &id(), |_| Ok(()), false).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_keeps_a_thousand_revisions() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    engine.create_service(&owner, &id(), spec("image0"), WriteOptions::through(Api::V1)).await.unwrap();
    for number in 1..=1001 {
        let asked = spec(&format!("image{number}"));
        engine.update_service(&owner, &id(), |_| Ok(asked), WriteOptions::through(Api::V1)).await.unwrap();
    }
    until(&engine, "settled", Service::is_settled).await;
    let scope = Scope { project: id().project, region: Some(id().region) };
    let kept = engine.list_revisions(&owner, &scope, &crate::Page::default()).await.unwrap().items;
    assert_eq!(kept.len(), 1000);
    let oldest = &kept.last().unwrap().revision;
    assert_eq!(oldest.configuration_generation, 3, "the oldest two are gone");

    // One that is deleted by hand makes place for another.
    engine.delete_revision(&owner, &scope, oldest.name.as_str(), |_| Ok(()), false).await.unwrap();
    for number in 1002..=1003 {
        let asked = spec(&format!("image{number}"));
        engine.update_service(&owner, &id(), |_| Ok(asked), WriteOptions::through(Api::V1)).await.unwrap();
        until(&engine, "settled", Service::is_settled).await;
    }
    let kept = engine.list_revisions(&owner, &scope, &crate::Page::default()).await.unwrap().items;
    let numbers: Vec<_> = kept.iter().map(|view| view.revision.configuration_generation).collect();
    assert_eq!(numbers, (5..=1004).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_first_reader_after_a_write_finds_the_service_settled() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = owner(&engine);
    let written =
        engine.create_service(&owner, &id(), spec("one"), WriteOptions::through(Api::V1)).await.unwrap();
    assert!(!written.service.is_settled(), "the answer to a write does not wait");
    assert!(engine.get_service(&owner, &id()).await.unwrap().is_settled());
}

#[tokio::test]
async fn a_token_that_no_emulator_minted_is_the_owners() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let email =
        async |bearer: Option<&str>| engine.caller(bearer).await.map(|caller| caller.account().email.clone());
    let google = "ya29.a0AfH6SMB-real_one_of-google";
    for bearer in [None, Some("anything"), Some("ya29."), Some(google)] {
        assert_eq!(email(bearer).await.as_deref(), Ok(crate::LOCAL_OWNER), "{bearer:?}");
    }
    let caller = "caller@demo-project.iam.gserviceaccount.com";
    let scopes = ["cloud-platform".to_owned()];
    let minted = engine.generate_access_token(&owner(&engine), caller, &scopes, 60).await.unwrap().token;
    assert_eq!(email(Some(&minted)).await.as_deref(), Ok(caller));

    let other = Keys::from_pems(SERVICE_ACCOUNT_KEY, ID_TOKEN_KEY).unwrap();
    let account = groundrun_model::account::Account::new(caller);
    let of_another = other.access_token(&account, &scopes, Clock::system().now(), 60).await.unwrap();
    let refused = email(Some(&of_another)).await.unwrap_err();
    assert_eq!(refused.code, groundrun_model::Code::Unauthenticated);
}

mod accounts;
mod latest;
mod load;
mod workloads;
