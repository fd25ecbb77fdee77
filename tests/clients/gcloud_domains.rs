//! Domains and logs, typed into the real gcloud.

use groundrun::client::{Call, Client};
use http::{Method, StatusCode};

use super::gcloud::Gcloud;

const MAPPINGS: &str = "beta run domain-mappings";

/// The status at a host, whoever asks.
async fn status(gcloud: &Gcloud, host: &str) -> StatusCode {
    let call = Call { method: Method::GET, host: Some(host), path: "/", token: None, body: None };
    Client::new(gcloud.address()).send(call).await.expect("an answer").status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_mapped_listed_described_and_deleted() {
    let Some(gcloud) = Gcloud::start().await else { return };
    gcloud
        .ok("run deploy hello --image=us-docker.pkg.dev/cloudrun/container/hello --allow-unauthenticated")
        .await;

    let records = gcloud.ok(&format!("{MAPPINGS} create --service=hello --domain=api.example.com")).await;
    assert_eq!(records, "NAME  RECORD TYPE  CONTENTS\napi   CNAME        ghs.googlehosted.com.");
    assert_eq!(status(&gcloud, "api.example.com").await, StatusCode::OK);
    let told = gcloud.refused(&format!("{MAPPINGS} create --service=hello --domain=api.example.com")).await;
    assert!(told.contains("Domain mapping to [api.example.com] already exists in this region."), "{told}");
    let elsewhere = "--domain=api.example.com --region=us-east1";
    let told = gcloud.refused(&format!("{MAPPINGS} create --service=hello {elsewhere}")).await;
    assert!(told.contains("Domain mapping to [api.example.com] is already in use elsewhere."), "{told}");
    let told = gcloud.refused(&format!("{MAPPINGS} create --service=nosuch --domain=www.example.com")).await;
    assert!(told.contains("Service 'nosuch' does not exist."), "{told}");

    let list = gcloud.ok(&format!("{MAPPINGS} list --format=value(metadata.name,spec.routeName)")).await;
    assert_eq!(list, "api.example.com\thello\nwww.example.com\tnosuch");
    let shown = gcloud.ok(&format!("{MAPPINGS} list")).await;
    assert!(shown.contains("api.example.com") && shown.contains("us-central1"), "{shown}");
    let described = gcloud.ok(&format!("{MAPPINGS} describe --domain=api.example.com")).await;
    for part in ["kind: DomainMapping", "mappedRouteName: hello", "rrdata: ghs.googlehosted.com."] {
        assert!(described.contains(part), "no '{part}' in\n{described}");
    }

    let deleted = gcloud.run(&format!("{MAPPINGS} delete --domain=api.example.com")).await;
    let gone = "Mappings to [api.example.com] now have been deleted.";
    assert!(deleted.ok && deleted.told.contains(gone), "{}", deleted.told);
    let told = gcloud.refused(&format!("{MAPPINGS} describe --domain=api.example.com")).await;
    assert!(told.contains("Resource 'api.example.com' of kind 'DOMAIN_MAPPING'"), "{told}");
    gcloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_service_is_read() {
    let Some(gcloud) = Gcloud::start().await else { return };
    gcloud
        .ok("run deploy hello --image=us-docker.pkg.dev/cloudrun/container/hello --no-allow-unauthenticated")
        .await;
    let url = gcloud.ok("run services describe hello --format=value(status.url)").await;
    let host = url.trim_start_matches("http://");
    assert_eq!(status(&gcloud, host).await, StatusCode::FORBIDDEN);

    let read = gcloud.ok("run services logs read hello --limit=5").await;
    let lines: Vec<&str> = read.lines().map(|line| line.splitn(3, ' ').nth(2).unwrap_or_default()).collect();
    assert_eq!(lines, ["listening on port 8080".to_owned(), format!("GET 403 {url}/")], "{read}");
    let read = gcloud
        .run_words(&[
            "run",
            "services",
            "logs",
            "read",
            "hello",
            "--log-filter=severity>=WARNING",
            "--order=asc",
        ])
        .await;
    assert!(
        read.ok && read.out.trim_end().ends_with(&format!("GET 403 {url}/")),
        "{}{}",
        read.out,
        read.told
    );
    assert_eq!(read.out.lines().count(), 1, "{}", read.out);
    let refused = gcloud
        .run_words(&["run", "services", "logs", "read", "hello", "--log-filter=NOT severity=INFO"])
        .await;
    assert!(!refused.ok && refused.told.contains("'NOT' is not understood"), "{}", refused.told);
    gcloud.stop().await;
}
