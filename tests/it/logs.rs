//! Can what services and instances have done be read back, as `gcloud run services logs read` reads it?

use groundrun_tests::{Answer, Owner, PROJECT, World, at};
use insta::assert_snapshot;
use serde_json::{Value, json};

async fn list(world: &World, body: &Value) -> Answer {
    world.post("/v2/entries:list", body).host("logging.googleapis.com").send().await
}

/// The entries that a filter chooses, oldest first.
async fn entries(world: &World, filter: &str) -> Vec<Value> {
    let body = json!({ "resourceNames": [format!("projects/{PROJECT}")], "filter": filter });
    let answer = list(world, &body).await.expect(200).json();
    answer.get("entries").map(|list| list.as_array().unwrap().clone()).unwrap_or_default()
}

/// What gcloud prints of an entry, with its severity in front.
fn printed(entry: &Value) -> String {
    let name = entry["logName"].as_str().unwrap();
    let severity = entry["severity"].as_str().unwrap();
    let text = entry.get("textPayload").and_then(Value::as_str).unwrap_or_default();
    match name.rsplit_once("%2F").unwrap().1 {
        "requests" => {
            let (request, line) = (&entry["httpRequest"], format!("{severity} {text}"));
            let words = ["requestMethod", "status", "requestUrl"].map(|key| request[key].to_string());
            format!("{} {}", line.trim_end(), words.join(" ").replace('"', ""))
        }
        stream => format!("{severity} {stream}: {text}"),
    }
}

fn printed_all(world: &World, entries: &[Value]) -> String {
    let port = world.server().address().port().to_string();
    entries.iter().map(printed).collect::<Vec<_>>().join("\n").replace(&port, "PORT")
}

#[tokio::test]
async fn requests_refusals_and_the_lines_of_instances_are_logged() {
    let world = World::start().await;
    let owner = world.owner();
    let service = owner.deploy("hello").await;
    owner.grant("hello").await;
    let url = at(&service, "/status/url").as_str().unwrap();
    let _ = world.invoker().call(&format!("{url}/a?b=1"), url).await.expect(200);
    let _ = world.invoker().call(url, "wrong").await.expect(401);
    let _ = world.stranger().call(url, url).await.expect(403);
    let _ = world.anonymous().call(url, "").await.expect(403);
    // What the hosted service does not log.
    let _ = world.anonymous().at(&format!("{url}/healthz")).send().await.expect(404);
    let _ = world.anonymous().call(&url.replace("hello-", "nobody-"), "").await.expect(404);

    let found = entries(&world, "").await;
    assert_snapshot!(printed_all(&world, &found), @"
    DEFAULT stdout: listening on port 8080
    INFO GET 200 http://hello-t4kd2fdaaq-uc.a.run.localhost:PORT/a?b=1
    WARNING The request was not authorized to invoke this service. The access token could not be verified. GET 401 http://hello-t4kd2fdaaq-uc.a.run.localhost:PORT/
    WARNING The request was not authorized to invoke this service: the caller lacks {run.routes.invoke} permission. GET 403 http://hello-t4kd2fdaaq-uc.a.run.localhost:PORT/
    WARNING The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization header. GET 403 http://hello-t4kd2fdaaq-uc.a.run.localhost:PORT/
    ");

    let request = &found[1];
    assert_eq!(request["resource"]["type"], "cloud_run_revision");
    assert_eq!(
        request["resource"]["labels"],
        json!({
            "project_id": PROJECT,
            "location": "us-central1",
            "service_name": "hello",
            "configuration_name": "hello",
            "revision_name": service["status"]["latestReadyRevisionName"],
        })
    );
    assert_eq!(request["httpRequest"]["remoteIp"], "127.0.0.1");
    assert_eq!(request["httpRequest"]["protocol"], "HTTP/1.1");
    assert!(request["httpRequest"]["responseSize"].as_str().unwrap().parse::<u64>().unwrap() > 100);
    assert!(request["trace"].as_str().unwrap().starts_with("projects/demo-project/traces/"));
    let all = json!(found).to_string();
    assert!(!all.contains("eyJ"), "no token is logged: {all}");
}

#[tokio::test]
async fn the_filter_of_gcloud_chooses_one_service() {
    let world = World::start().await;
    let owner = world.owner();
    owner.deploy("hello").await;
    owner.deploy("other").await;
    let filter = "resource.type = cloud_run_revision \n AND resource.labels.service_name = hello \n AND \
                  resource.labels.location = us-central1 \n AND severity >= DEFAULT \n AND \
                  timestamp>=\"2020-01-01T00:00:00.000000Z\"";
    let found = entries(&world, filter).await;
    assert_eq!(found.iter().map(printed).collect::<Vec<_>>(), ["DEFAULT stdout: listening on port 8080"]);
    assert_eq!(found[0]["resource"]["labels"]["service_name"], "hello");
    assert!(entries(&world, &format!("severity>=ERROR AND {filter}")).await.is_empty());
    assert!(entries(&world, &filter.replace("2020", "2999")).await.is_empty());
    let elsewhere = json!({ "resourceNames": ["projects/another-project"] });
    assert_eq!(list(&world, &elsewhere).await.expect(200).json(), json!({}));
}

#[tokio::test]
async fn a_walk_sees_each_entry_once_in_either_order() {
    let world = World::start().await;
    let url = at(&world.deploy("hello").await, "/status/url").as_str().unwrap().to_owned();
    for number in 0..7 {
        let _ = world.anonymous().at(&format!("{url}/{number}")).send().await.expect(403);
    }
    let whole: Vec<Value> = entries(&world, "").await;
    assert_eq!(whole.len(), 8);
    for (order, mut expected) in [("timestamp asc", whole.clone()), ("timestamp desc", whole)] {
        if order.ends_with("desc") {
            expected.reverse();
        }
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let body = json!({
                "resourceNames": [format!("projects/{PROJECT}")],
                "orderBy": order,
                "pageSize": 3,
                "pageToken": token,
            });
            let page = list(&world, &body).await.expect(200).json();
            seen.extend(page["entries"].as_array().unwrap().clone());
            match page.get("nextPageToken") {
                Some(next) => next.as_str().unwrap().clone_into(&mut token),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{order}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_refused_by_name() {
    let world = World::start().await;
    let project = json!([format!("projects/{PROJECT}")]);
    for (body, field, named) in [
        (json!({ "resourceNames": project, "filter": "a OR b" }), "filter", "'a'"),
        (json!({ "resourceNames": project, "filter": "severity=INFO OR severity=ERROR" }), "filter", "'OR'"),
        (json!({ "resourceNames": project, "filter": "jsonPayload.x=1" }), "filter", "'jsonPayload.x'"),
        (json!({ "resourceNames": project, "orderBy": "severity" }), "orderBy", "'severity'"),
        (json!({ "resourceNames": project, "pageSize": -1 }), "pageSize", "-1"),
        (json!({ "resourceNames": project, "pageToken": "x" }), "pageToken", "continuation"),
        (json!({ "resourceNames": ["organizations/1"] }), "resourceNames", "'organizations/1'"),
        (json!({ "resourceNames": ["projects/p/locations/l"] }), "resourceNames", "'projects/p/locations/l'"),
        (json!({}), "resourceNames", "projects/PROJECT"),
    ] {
        let refused = list(&world, &body).await.expect(400);
        assert_eq!(refused.violations()[0].0, field, "{body}");
        assert!(refused.message().contains(named), "{body}: {}", refused.message());
    }
    let unknown = list(&world, &json!({ "resourceNames": project, "view": "FULL" })).await.expect(400);
    assert!(unknown.message().contains("Unknown name \"view\""), "{}", unknown.message());
    for verb in ["write", "tail"] {
        let answer = world.post(format!("/v2/entries:{verb}"), &json!({})).send().await.expect(501);
        assert!(answer.message().contains("Cloud Logging"), "{}", answer.message());
    }
}

/// A deleted service is gone, and what it left is not.
#[tokio::test]
async fn the_log_outlives_the_service() {
    let world = World::start().await;
    world.deploy("hello").await;
    let _ = world.owner().delete(Owner::service_path("hello")).await.expect(200);
    assert_eq!(entries(&world, "logName:stdout").await.len(), 1);
}
