//! Cloud Run's page "custom audiences", typed into the real gcloud.

use std::net::SocketAddr;

use groundrun::client::{Call, Client};
use http::{Method, StatusCode};

use super::gcloud::Gcloud;

const CALLER: &str = "caller@demo-project.iam.gserviceaccount.com";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_on_custom_audiences_works_as_written() {
    let Some(gcloud) = Gcloud::start().await else { return };
    let image = "us-docker.pkg.dev/cloudrun/container/hello";

    let deployed = gcloud.run(&format!("run deploy hello --image={image} --no-allow-unauthenticated")).await;
    assert!(deployed.ok, "{}", deployed.told);
    for line in
        ["Creating Revision", "Routing traffic", "has been deployed and is serving 100 percent of traffic"]
    {
        assert!(deployed.told.contains(line), "no '{line}' in\n{}", deployed.told);
    }
    gcloud.ok("beta run services update hello --add-custom-audiences=https://api.example.test").await;
    assert_eq!(audiences(&gcloud).await, r#"["https://api.example.test"]"#);

    let exported = gcloud.ok("run services describe hello --format export").await;
    let replaced = exported.replace(r#"["https://api.example.test"]"#, r#"["aud1","aud2"]"#);
    assert_ne!(exported, replaced, "the export shows the audiences");
    let file = gcloud.file("service.yaml");
    std::fs::write(&file, replaced).expect("the file is written");
    gcloud.ok(&format!("run services replace {}", file.display())).await;
    assert_eq!(audiences(&gcloud).await, r#"["aud1","aud2"]"#);

    let binding = format!("--member=serviceAccount:{CALLER} --role=roles/run.invoker");
    gcloud.ok(&format!("run services add-iam-policy-binding hello {binding}")).await;

    let right = token(&gcloud, CALLER, "aud1").await;
    let wrong = token(&gcloud, CALLER, "https://api.example.test").await;
    let stranger = token(&gcloud, "stranger@demo-project.iam.gserviceaccount.com", "aud1").await;
    let url = gcloud.ok("run services describe hello --format=value(status.url)").await;
    let default_url = token(&gcloud, CALLER, &url).await;
    for (credential, status) in [
        (Some(&right), StatusCode::OK),
        (Some(&default_url), StatusCode::OK),
        (Some(&wrong), StatusCode::UNAUTHORIZED),
        (None, StatusCode::FORBIDDEN),
        (Some(&stranger), StatusCode::FORBIDDEN),
    ] {
        assert_eq!(call(gcloud.address(), &url, credential).await, status);
    }

    gcloud.ok("beta run services update hello --clear-custom-audiences").await;
    assert_eq!(audiences(&gcloud).await, "");
    assert_eq!(call(gcloud.address(), &url, Some(&right)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(call(gcloud.address(), &url, Some(&default_url)).await, StatusCode::OK);

    let revisions = gcloud.revisions("hello").await;
    assert_eq!(revisions.len(), 4, "a revision for every change: {revisions:?}");
    for (revision, number) in revisions.iter().rev().zip(1..) {
        assert!(revision.starts_with(&format!("hello-{number:05}-")), "{revisions:?}");
    }
    gcloud.stop().await;
}

/// The annotation of the service, as gcloud shows it.
async fn audiences(gcloud: &Gcloud) -> String {
    gcloud
        .ok("run services describe hello --format=value(metadata.annotations['run.googleapis.com/custom-audiences'])")
        .await
}

/// The page's own command. It asks for no email, so that the token has none.
async fn token(gcloud: &Gcloud, account: &str, audience: &str) -> String {
    gcloud
        .ok(&format!(
            "auth print-identity-token --impersonate-service-account={account} --audiences={audience}"
        ))
        .await
}

/// The status of `GET url`; its host does not resolve everywhere, so the request goes to the emulator.
async fn call(address: SocketAddr, url: &str, token: Option<&String>) -> StatusCode {
    let host = url.trim_start_matches("http://");
    let token = token.map(String::as_str);
    let call = Call { method: Method::GET, host: Some(host), path: "/", token, body: None };
    Client::new(address).send(call).await.expect("an answer").status
}
