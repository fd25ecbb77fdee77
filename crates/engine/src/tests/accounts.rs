//! Who waits for whom when an account changes?

use super::*;

/// Whoever disables an account has all services published anew, which waits for a deployment under way; the
/// deployment may have to look for an account itself.
#[tokio::test]
async fn a_deployment_that_looks_for_an_account_does_not_wait_for_one_who_waits_for_it() {
    let engine = engine(Store::open(None).await.unwrap()).await;
    let owner = engine.local_owner();
    engine.create_service(&owner, &id(), spec("one"), WriteOptions::through(Api::V1)).await.unwrap();
    let off = engine.named_account("off@demo-project.iam.gserviceaccount.com").await.unwrap();
    let deployment = engine.0.locks.lock(&id()).await;
    let disabling = {
        let (engine, email) = (engine.clone(), off.account.email.clone());
        tokio::spawn(async move {
            let owner = engine.local_owner();
            engine.set_service_account_disabled(&owner, &email, true).await
        })
    };
    let noted = async {
        while engine.0.directory.standing(&off.account.unique_id).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, noted).await.unwrap();
    let looked = engine.named_account("new@demo-project.iam.gserviceaccount.com");
    tokio::time::timeout(DEADLINE, looked).await.expect("nobody waits in a circle").unwrap();
    drop(deployment);
    tokio::time::timeout(DEADLINE, disabling).await.unwrap().unwrap().unwrap();
}
