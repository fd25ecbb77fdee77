//! Who answers behind the one port, by what a client sends?

use groundrun_model::url::UrlStyle;
use groundrun_tests::{Answer, Http2, Owner, PROJECT, World, annotation, at};
use http::Method;
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn the_region_comes_from_the_host() {
    let world = World::start().await;
    let path = Owner::services_path();
    let port = world.port();
    for (number, (host, region)) in [
        ("europe-west1-run.googleapis.com".to_owned(), "europe-west1"),
        ("run.asia-east1.rep.googleapis.com".to_owned(), "asia-east1"),
        (format!("us-east4-127.0.0.1:{port}"), "us-east4"),
        (format!("us-west1-localhost:{port}"), "us-west1"),
        ("EUROPE-WEST2-run.googleapis.com.".to_owned(), "europe-west2"),
        ("run.googleapis.com".to_owned(), "us-central1"),
        (format!("127.0.0.1:{port}"), "us-central1"),
        ("build-agent-7.example.test".to_owned(), "us-central1"),
    ]
    .into_iter()
    .enumerate()
    {
        let service = Owner::service(&format!("s{number}"));
        let created = world.post(&path, &service).host(&host).send().await.expect(200).json();
        assert_eq!(at(&created, "/metadata/labels/cloud.googleapis.com~1location"), region, "{host}");
    }
    // A service of another region is another service.
    let _ = world.get(format!("{path}/s0")).host("asia-east1-run.googleapis.com").send().await.expect(404);
    let everywhere = format!("/v1/projects/{PROJECT}/locations/-/services");
    let list = world.get(everywhere).host("run.googleapis.com").send().await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 8);
    let there = format!("/v1/projects/{PROJECT}/locations/europe-west1/services");
    let list = world.get(there).host("run.googleapis.com").send().await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

/// As gcloud's proxy properties make it: the target is a whole URL.
#[tokio::test]
async fn the_absolute_form_is_answered_by_the_hosts_door() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    let path = Owner::service_path("hello");
    for host in
        [format!("us-central1-127.0.0.1:{}", world.port()), "us-central1-run.googleapis.com".to_owned()]
    {
        let answer = world.get(format!("http://{host}{path}")).send().await.expect(200);
        assert_eq!(answer.json()["metadata"]["uid"], service["metadata"]["uid"]);
    }
    // The target wins over the Host header.
    let elsewhere = format!("http://europe-west1-run.googleapis.com{path}");
    let _ = world.get(elsewhere).host("us-central1-run.googleapis.com").send().await.expect(404);

    let url = at(&service, "/status/url").as_str().unwrap();
    let _ = world.get(format!("{url}/")).send().await.expect(403);
    world.owner().grant("hello").await;
    let token = world.invoker().token(url).await;
    let answer = world.get(format!("{url}/path?a=b")).bearer(&token).send().await.expect(200).json();
    assert_eq!(at(&answer, "/request/path"), "/path");
    assert_eq!(at(&answer, "/request/query"), "a=b");
}

#[tokio::test]
async fn what_is_not_ours_is_refused_at_once_with_the_reason() {
    let world = World::start().await;
    let connect = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nConnection: close\r\n\r\n";
    let answer = world.raw(connect.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_snapshot!(head.lines().next().unwrap(), @"HTTP/1.1 403 groundrun does not emulate example.com:443 and tunnels to nowhere else");
    assert!(body.contains("example.com:443"), "{body}");

    for host in ["example.com", "www.example.test:8080", "10.1.2.3"] {
        let refused = world.get(format!("http://{host}/")).send().await.expect(403);
        let bare = host.split(':').next().unwrap();
        assert_eq!(refused.text(), format!("groundrun does not emulate {bare} and passes nothing on\n"));
        assert_eq!(refused.reason.as_deref(), Some(refused.text().trim_end()));
    }
}

#[tokio::test]
async fn a_path_that_is_nobodys_is_a_json_404() {
    let world = World::start().await;
    let answer = world.get("/nothing/here").send().await.expect(404);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(answer.code(), "NOT_FOUND");
    assert_snapshot!(answer.message(), @"GET /nothing/here is not a method of an API that groundrun knows.");
    let wrong_method = world.ask(Method::PATCH, Owner::services_path()).send().await.expect(404);
    assert_eq!(wrong_method.code(), "NOT_FOUND");
}

#[tokio::test]
async fn what_is_not_emulated_is_refused_by_name() {
    let world = World::start().await;
    let mut told = String::new();
    for (method, path) in [
        (Method::GET, format!("/v2/projects/{PROJECT}/locations/us-central1/jobs")),
        (Method::POST, format!("/v2/projects/{PROJECT}/locations/us-central1/builds:submit")),
        (Method::GET, format!("/v2/projects/{PROJECT}/locations/us-central1:exportProjectMetadata")),
        (Method::GET, format!("/apis/run.googleapis.com/v1/namespaces/{PROJECT}/jobs")),
        (Method::POST, format!("/apis/run.googleapis.com/v1/namespaces/{PROJECT}/jobs/j:run")),
        (Method::GET, format!("/apis/run.googleapis.com/v1/namespaces/{PROJECT}/workerpools")),
        (Method::POST, "/v2/entries:tail".to_owned()),
        (Method::POST, "/v1/projects/-/serviceAccounts/a@b.test:moveKeys".to_owned()),
    ] {
        let refused = world.ask(method, path).send().await.expect(501);
        assert_eq!(refused.code(), "UNIMPLEMENTED");
        told.push_str(&format!("{}\n", refused.message()));
    }
    assert_snapshot!(told.trim_end(), @r"
    The v2 API of Cloud Run jobs, executions and tasks (GET /v2/projects/demo-project/locations/us-central1/jobs) is not emulated by groundrun.
    The v2 API of Cloud Run builds (POST /v2/projects/demo-project/locations/us-central1/builds:submit) is not emulated by groundrun.
    This method of the Cloud Run Admin API v2 (GET /v2/projects/demo-project/locations/us-central1:exportProjectMetadata) is not emulated by groundrun.
    The v1 API of Cloud Run jobs, executions, tasks, worker pools and instances (GET /apis/run.googleapis.com/v1/namespaces/demo-project/jobs) is not emulated by groundrun.
    The v1 API of Cloud Run jobs, executions, tasks, worker pools and instances (POST /apis/run.googleapis.com/v1/namespaces/demo-project/jobs/j:run) is not emulated by groundrun.
    The v1 API of Cloud Run jobs, executions, tasks, worker pools and instances (GET /apis/run.googleapis.com/v1/namespaces/demo-project/workerpools) is not emulated by groundrun.
    This method of the Cloud Logging API (POST /v2/entries:tail) is not emulated by groundrun.
    This method of the IAM API (POST /v1/projects/-/serviceAccounts/a@b.test:moveKeys) is not emulated by groundrun.
    ");
}

#[tokio::test]
async fn another_method_at_a_known_path_is_refused_by_name_and_is_no_failure() {
    let world = World::start().await;
    let refused = world.ask(Method::DELETE, format!("/v1/projects/{PROJECT}")).send().await.expect(405);
    assert_eq!(refused.code(), "UNIMPLEMENTED");
    assert_eq!(refused.header("allow"), Some("GET,HEAD"));
    assert_snapshot!(refused.message(), @"This method of the Resource Manager API (DELETE /v1/projects/demo-project) is not emulated by groundrun.");
}

#[tokio::test]
async fn http2_reaches_both_planes() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    let path = Owner::service_path("hello");
    let answer = world.get(path).host("us-central1-run.googleapis.com").http2(Http2).send().await.expect(200);
    assert_eq!(answer.json(), service);
    let _ = world
        .anonymous()
        .at(at(&service, "/status/url").as_str().unwrap())
        .http2(Http2)
        .send()
        .await
        .expect(403);
}

#[tokio::test]
async fn both_styles_report_urls_that_answer() {
    for (style, scheme, suffix) in
        [(UrlStyle::Local, "http://", ".run.localhost"), (UrlStyle::Hosted, "https://", ".run.app")]
    {
        let world = World::with(|options| options.url_style = style).await;
        let service = world.deploy("hello").await;
        world.owner().grant("hello").await;
        let urls: Vec<String> =
            serde_json::from_str(annotation(&service, "run.googleapis.com/urls").unwrap()).unwrap();
        assert_eq!(at(&service, "/status/url"), &json!(urls[1]));
        assert_eq!(at(&service, "/status/address/url"), &json!(urls[1]));
        for url in urls {
            assert!(url.starts_with(scheme) && url.contains(suffix), "{url}");
            assert_eq!(url.ends_with(&format!(":{}", world.port())), style == UrlStyle::Local, "{url}");
            let _ = world.invoker().call(&url, &url).await.expect(200);
        }
    }
}

/// A client that resolves the name itself may leave the port out, or write capitals and a final dot.
#[tokio::test]
async fn the_port_and_the_case_of_the_host_do_not_matter() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap();
    let host = url.strip_prefix("http://").unwrap().split(':').next().unwrap();
    for host in [
        host.to_owned(),
        format!("{host}:80"),
        format!("{host}:1"),
        host.to_uppercase(),
        format!("{host}."),
        host.replace(".run.localhost", ".run.app"),
        format!("{}:443", host.replace(".run.localhost", ".run.app")),
    ] {
        let answer = world.get("/").host(&host).send().await.expect(403);
        assert!(answer.text().starts_with("<html>"), "{host}");
    }
    let unknown = world.get("/").host("absent-abcdefghij-uc.a.run.app").send().await.expect(404);
    assert!(unknown.text().contains("<h1>Error: Page not found</h1>"));
}

#[tokio::test]
async fn a_host_that_is_none_is_a_400() {
    let world = World::start().await;
    for host in ["a b", "a/b", "h:99999", "h:x", "[::1", "a@b", "\u{e9}.test", "a?b", ":80"] {
        let answer = world.get("/healthz").header("host", host.as_bytes()).send().await;
        assert_eq!(answer.status, 400, "{host}: {}", answer.text());
        let _ = answer;
    }
    let path = Owner::services_path();
    for request in [
        format!("GET {path} HTTP/1.0\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"),
    ] {
        assert!(world.raw(request.as_bytes()).await.starts_with("HTTP/1."), "{request}");
    }
    let answer = world.raw(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await;
    assert!(answer.contains(" 200 "), "without any host the path decides: {answer}");
}

#[tokio::test]
async fn the_emulator_says_how_it_is() {
    let world = World::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = world.get(path).send().await.expect(200).json();
        assert_eq!(answer["server"], "groundrun", "{path}");
    }
    let page: Answer = world.get("/").send().await.expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text().contains("There is no service yet"));
    let service = Owner::service("hello");
    world.owner().deploy_as(&service).await;
    world.owner().set_audiences("hello", &["<script>"]).await;
    let page = world.get("/").send().await.expect(200).text();
    assert!(page.contains("<td>hello") && page.contains("&lt;script&gt;"), "{page}");
    assert!(page.contains("hello-00002-"), "{page}");
}

/// On a service's host there is no API, and its health is not the emulator's.
#[tokio::test]
async fn a_services_host_is_the_services_alone() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap();
    let _ = world.anonymous().at(&format!("{url}{}", Owner::services_path())).send().await.expect(403);
    let reserved = world.anonymous().at(&format!("{url}/healthz")).send().await.expect(404);
    assert_eq!(reserved.header("server"), None);
    world.owner().bind("hello", "roles/run.invoker", &["allUsers"]).await;
    let answer = world.anonymous().at(&format!("{url}/healthz/")).send().await.expect(200);
    assert_eq!(answer.json()["service"], "hello");
}

#[tokio::test]
async fn a_service_can_hide() {
    let world = World::start().await;
    let owner = world.owner();
    let service = world.deploy("hello").await;
    owner.bind("hello", "roles/run.invoker", &["allUsers"]).await;
    let url = at(&service, "/status/url").as_str().unwrap();
    for (key, hidden, open) in [
        ("run.googleapis.com/ingress", "internal", Some("all")),
        ("run.googleapis.com/default-url-disabled", "True", None),
    ] {
        let _ = world.anonymous().call(url, "").await.expect(200);
        owner.annotate("hello", key, Some(hidden)).await;
        let _ = world.anonymous().call(url, "").await.expect(404);
        let shown = owner.annotate("hello", key, open).await;
        assert_eq!(at(&shown, "/status/url"), url);
    }
    let hidden = owner.annotate("hello", "run.googleapis.com/default-url-disabled", Some("true")).await;
    assert_eq!(at(&hidden, "/status/url"), &serde_json::Value::Null);
    assert_eq!(annotation(&hidden, "run.googleapis.com/urls"), None);
}

#[tokio::test]
async fn the_redirect_to_https_is_an_option() {
    let world = World::with(|options| options.https_redirect = true).await;
    let service = world.deploy("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap();
    let answer = world.anonymous().at(&format!("{url}/a?b=c")).send().await.expect(302);
    assert_eq!(answer.header("location").unwrap(), format!("{}/a?b=c", url.replace("http://", "https://")));
}
