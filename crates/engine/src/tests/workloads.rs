//! How many workloads may be open, and what becomes of one whose account may not be used?

use groundrun_model::Code;
use groundrun_model::account::Account;
use groundrun_store::ServiceAccount;

use super::*;
use crate::OpenWorkload;

fn anybody() -> OpenWorkload {
    OpenWorkload::Account(None, id().region)
}

#[tokio::test]
async fn the_number_of_workloads_is_bounded() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = engine.local_owner();
    let first = engine.keep_workload(&owner, &anybody()).await.unwrap();
    for _ in 1..256 {
        let _ = engine.keep_workload(&owner, &anybody()).await.unwrap();
    }
    let refused = engine.keep_workload(&owner, &anybody()).await.unwrap_err();
    assert_eq!(refused.code, Code::ResourceExhausted);
    assert_eq!(engine.kept_workloads(&owner).unwrap().len(), 256);
    engine.close_workload(&owner, &first.id).unwrap();
    let next = engine.keep_workload(&owner, &anybody()).await.unwrap();
    assert_ne!(next.id, first.id);
    assert_ne!(next.workload.instance_id, first.workload.instance_id);
    assert_eq!(engine.workload_at(next.address.port()), Some(next.workload));
    assert_eq!(engine.close_workload(&owner, "none").unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_disabled_account_is_as_good_as_none() {
    let store = Store::open(None).await.unwrap();
    let disabled = ServiceAccount {
        account: Account::new("off@demo-project.iam.gserviceaccount.com"),
        project: id().project.id,
        display_name: String::new(),
        description: String::new(),
        disabled: true,
        created: Timestamp::default(),
        updated: Timestamp::default(),
        deleted: None,
    };
    store.put_service_account(&disabled).await.unwrap();
    let engine = engine(store).await;
    let account = async |email: &str| {
        let asked = OpenWorkload::Account(Some(email.to_owned()), id().region);
        engine.workload_account(&engine.workload(&asked).await.unwrap()).await.unwrap()
    };
    assert_eq!(account(&disabled.account.email).await, None);
    // Of a project that nobody named.
    assert_eq!(account("1-compute@developer.gserviceaccount.com").await, None);
    let on = account("On@demo-project.iam.gserviceaccount.com").await;
    assert_eq!(on, Some(Account::new("on@demo-project.iam.gserviceaccount.com")));
}

#[test]
fn whoever_moves_one_clock_moves_its_clones() {
    let clock = Clock::new(|| Timestamp::from_seconds(1_000));
    let other = clock.clone();
    let hour = groundrun_model::clock::ClockChange::advance("1h").unwrap();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| clock.change(hour).unwrap());
        }
    });
    assert_eq!(other.now(), Timestamp::from_seconds(1_000 + 8 * 3600));
}
