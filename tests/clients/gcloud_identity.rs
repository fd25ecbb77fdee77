//! Who can gcloud be, and which tokens does it get?

use groundrun_tests::Jwt;
use serde_json::Value;

use super::gcloud::Gcloud;

const ROBOT: &str = "robot1@demo-project.iam.gserviceaccount.com";
const MIDDLE: &str = "middle@demo-project.iam.gserviceaccount.com";

/// The client id of gcloud, for which its own tokens are made.
const GCLOUD: &str = "32555940559.apps.googleusercontent.com";

/// What an ID token claims. Whether its signature holds is what a call to a service tells.
fn claims(token: &str) -> Value {
    Jwt::read(token).claims
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_lives_and_dies() {
    let Some(gcloud) = Gcloud::start().await else { return };
    gcloud.ok("iam service-accounts create robot1 --display-name=Robot --description=cleans").await;
    let told = gcloud.refused("iam service-accounts create robot1").await;
    assert!(told.contains("already exists within project projects/demo-project"), "{told}");
    gcloud.ok(&format!("iam service-accounts update {ROBOT} --display-name=Cleaner")).await;
    let shown = "--format=value(displayName,description,disabled)";
    let describe = format!("iam service-accounts describe {ROBOT} {shown}");
    assert_eq!(gcloud.ok(&describe).await, "Cleaner\tcleans");
    gcloud.ok(&format!("iam service-accounts disable {ROBOT}")).await;
    assert_eq!(gcloud.ok(&describe).await, "Cleaner\tcleans\tTrue");
    let print = format!("auth print-identity-token --impersonate-service-account={ROBOT} --audiences=x");
    assert!(gcloud.refused(&print).await.contains("disabled"));
    gcloud.ok(&format!("iam service-accounts enable {ROBOT}")).await;
    gcloud.ok(&print).await;
    let list = "iam service-accounts list --format=value(email)";
    assert!(gcloud.ok(list).await.lines().any(|email| email == ROBOT));

    let id = gcloud.ok(&format!("iam service-accounts describe {ROBOT} --format=value(uniqueId)")).await;
    gcloud.ok(&format!("iam service-accounts delete {ROBOT}")).await;
    assert!(!gcloud.ok(list).await.lines().any(|email| email == ROBOT));
    gcloud.refused(&print).await;
    gcloud.ok(&format!("beta iam service-accounts undelete {id}")).await;
    gcloud.ok(&print).await;

    let member = "--member=user:ada@example.test --role=roles/iam.serviceAccountTokenCreator";
    gcloud.ok(&format!("iam service-accounts add-iam-policy-binding {ROBOT} {member}")).await;
    let policy = gcloud.ok(&format!("iam service-accounts get-iam-policy {ROBOT} --format=json")).await;
    assert!(policy.contains("user:ada@example.test"), "{policy}");
    gcloud.ok(&format!("iam service-accounts remove-iam-policy-binding {ROBOT} {member}")).await;
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_signs_in_until_the_key_is_deleted() {
    let Some(gcloud) = Gcloud::start().await else { return };
    gcloud.ok("iam service-accounts create robot1").await;
    let file = gcloud.file("key.json");
    let file = file.display();
    gcloud.ok(&format!("iam service-accounts keys create {file} --iam-account={ROBOT}")).await;
    let robot = gcloud.signed_in();
    robot.ok(&format!("auth activate-service-account --key-file={file}")).await;
    assert_eq!(robot.ok("auth list --format=value(account)").await, ROBOT);

    let token = claims(&robot.ok("auth print-identity-token --audiences=https://api.example.test").await);
    assert_eq!(
        (token["aud"].as_str(), token["email"].as_str()),
        (Some("https://api.example.test"), Some(ROBOT))
    );
    let token = claims(&robot.ok("auth print-identity-token").await);
    assert_eq!(token["aud"], GCLOUD);
    assert!(robot.ok("auth print-access-token").await.starts_with("ya29."));
    robot.ok("run services list").await;

    let keys = format!(
        "iam service-accounts keys list --iam-account={ROBOT} --managed-by=user --format=value(name)"
    );
    let key = gcloud.ok(&keys).await;
    gcloud.ok(&format!("iam service-accounts keys delete {key} --iam-account={ROBOT}")).await;
    assert_eq!(gcloud.ok(&keys).await, "");
    let told = robot.refused(&format!("auth activate-service-account --key-file={file}")).await;
    assert!(told.contains("invalid_grant"), "{told}");
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impersonation_alone_and_through_a_delegate() {
    let Some(gcloud) = Gcloud::start().await else { return };
    let print = format!("auth print-identity-token --impersonate-service-account={ROBOT} --audiences=aud1");
    let token = claims(&gcloud.ok(&print).await);
    assert_eq!((token["aud"].as_str(), token.get("email")), (Some("aud1"), None), "no email was asked for");
    let token = claims(&gcloud.ok(&format!("{print} --include-email")).await);
    assert_eq!(token["email"], ROBOT);
    let chain = format!("--impersonate-service-account={MIDDLE},{ROBOT}");
    let token =
        claims(&gcloud.ok(&format!("auth print-identity-token {chain} --audiences=a --include-email")).await);
    assert_eq!(token["email"], ROBOT);
    let told = gcloud
        .refused(&format!(
            "auth print-identity-token --impersonate-service-account={ROBOT},{ROBOT} --audiences=a"
        ))
        .await;
    assert!(told.contains("delegates"), "{told}");
    let access = gcloud.ok(&format!("auth print-access-token --impersonate-service-account={ROBOT}")).await;
    assert!(access.starts_with("ya29."), "{access}");
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_strict_identity_even_the_owner_needs_the_right_to_mint() {
    let Some(gcloud) = Gcloud::with(|options| options.strict_identity = true).await else { return };
    gcloud.ok("iam service-accounts create robot1").await;
    let print = format!("auth print-identity-token --impersonate-service-account={ROBOT} --audiences=aud1");
    let told = gcloud.refused(&print).await;
    assert!(told.contains("roles/iam.serviceAccountTokenCreator"), "{told}");
    let owner = "--member=user:local-owner@example.com --role=roles/iam.serviceAccountOpenIdTokenCreator";
    gcloud.ok(&format!("iam service-accounts add-iam-policy-binding {ROBOT} {owner}")).await;
    // gcloud asks for an access token first, which this role does not hold.
    let told = gcloud.refused(&print).await;
    assert!(told.contains("iam.serviceAccounts.getAccessToken"), "{told}");
    let owner = owner.replace("OpenIdTokenCreator", "TokenCreator");
    gcloud.ok(&format!("iam service-accounts add-iam-policy-binding {ROBOT} {owner}")).await;
    gcloud.ok(&print).await;
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_of_projects_conditions_and_roles() {
    let Some(gcloud) = Gcloud::start().await else { return };
    let add = "projects add-iam-policy-binding demo-project --member=user:ada@example.test --role=roles/run.invoker";
    gcloud.ok(&format!("{add} --condition=None")).await;
    assert!(
        gcloud
            .ok("projects get-iam-policy demo-project --format=json")
            .await
            .contains("user:ada@example.test")
    );
    assert_eq!(gcloud.ok("projects describe demo-project --format=value(projectId)").await, "demo-project");

    gcloud
        .ok("run deploy hello --image=us-docker.pkg.dev/cloudrun/container/hello --no-allow-unauthenticated")
        .await;
    let bind =
        "run services add-iam-policy-binding hello --member=user:bob@example.test --role=roles/run.invoker";
    gcloud
        .ok(&format!(r#"{bind} --condition=expression=request.path.startsWith("/public"),title=public"#))
        .await;
    let told = gcloud.refused(&format!("{bind} --condition=expression=request.pth=='x',title=typo")).await;
    assert!(told.contains("condition.expression") && told.contains("undefined field 'pth'"), "{told}");

    let role = "iam roles create caller --project=demo-project --title=Caller --permissions=run.routes.invoke --stage=GA";
    gcloud.ok(role).await;
    let name = "projects/demo-project/roles/caller";
    gcloud
        .ok(&format!("run services add-iam-policy-binding hello --member=user:eve@example.test --role={name} --condition=None"))
        .await;
    gcloud.ok("iam roles update caller --project=demo-project --add-permissions=run.services.get").await;
    let held = gcloud
        .ok("iam roles describe caller --project=demo-project --format=value(includedPermissions)")
        .await;
    assert_eq!(held, "run.routes.invoke;run.services.get");
    gcloud.ok("iam roles delete caller --project=demo-project").await;
    gcloud.ok("iam roles undelete caller --project=demo-project").await;
    let permissions =
        gcloud.ok("iam roles describe roles/run.invoker --format=value(includedPermissions)").await;
    assert!(permissions.contains("run.routes.invoke"), "{permissions}");
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_file() {
    let Some(gcloud) = Gcloud::start().await else { return };
    let file = gcloud.file("ada.json");
    super::identity::login(gcloud.address(), "ada@example.test", &file, &[]).await;
    let ada = gcloud.person(&file);
    let token = claims(&ada.ok("auth print-identity-token").await);
    assert_eq!((token["aud"].as_str(), token["email"].as_str()), (Some(GCLOUD), Some("ada@example.test")));
    assert!(ada.ok("auth print-access-token").await.starts_with("ya29."));
    ada.ok("run services list").await;
    let told = ada.refused("auth print-identity-token --audiences=x").await;
    assert!(told.contains("Invalid account type for `--audiences`"), "{told}");
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_server_is_an_account_too() {
    let Some(gcloud) = Gcloud::start().await else { return };
    let workload = gcloud.workload();
    let account = workload.ok("auth list --format=value(account)").await;
    assert!(account.ends_with("-compute@developer.gserviceaccount.com"), "{account}");
    let token = claims(&workload.ok("auth print-identity-token --audiences=aud1 --token-format=full").await);
    assert_eq!((token["aud"].as_str(), token["email"].as_str()), (Some("aud1"), Some(account.as_str())));
    assert!(workload.ok("auth print-access-token").await.starts_with("ya29."));
    workload.ok("run services list").await;
    gcloud.stop().await;
}
