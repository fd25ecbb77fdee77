//! Does the page "Use custom audiences" of Cloud Run's documentation hold here, section by section?
//!
//! <https://cloud.google.com/run/docs/configuring/custom-audiences>

use groundrun_tests::{AUDIENCES, Answer, Owner, Transcript, World, annotation, at, patched, revision_name};
use insta::assert_snapshot;
use serde_json::{Value, json};

const API: &str = "https://api.example.test";

fn url(service: &Value) -> &str {
    at(service, "/status/url").as_str().unwrap()
}

/// The status with which the invoker is answered who shows a token for `audience`.
async fn status(world: &World, service: &Value, audience: &str) -> u16 {
    world.invoker().call(url(service), audience).await.status.as_u16()
}

#[tokio::test]
async fn the_page_from_top_to_bottom() {
    let world = World::start().await;
    let owner = world.owner();
    let mut told = Transcript::new();

    told.say("# Deploy a private service");
    let service = world.deploy("hello").await;
    owner.grant("hello").await;
    told.say(format_args!("revision {}", revision_name(&service)));
    told.say(format_args!("token for {API}: {}", status(&world, &service, API).await));

    told.say("# Add an audience: gcloud beta run services update --add-custom-audiences");
    let service = owner.set_audiences("hello", &[API]).await;
    told.say(format_args!("{AUDIENCES}: {}", annotation(&service, AUDIENCES).unwrap()));
    told.say(format_args!("revision {}", revision_name(&service)));
    told.say(format_args!("token for {API}: {}", status(&world, &service, API).await));

    told.say("# Export, edit the annotation, replace");
    let edited = patched(&owner.get("hello").await, &pointer(), json!("[\"aud1\",\"aud2\"]"));
    let answer = owner.replace("hello", &exported(edited)).await.expect(200);
    told.note(&answer, &["/metadata/generation", &pointer()]);
    let service = owner.settled("hello").await;
    told.say(format_args!("revision {}", revision_name(&service)));
    for audience in ["aud1", "aud2", API] {
        told.say(format_args!("token for {audience}: {}", status(&world, &service, audience).await));
    }

    told.say("# The four callers");
    let (caller, stranger, nobody) = (world.invoker(), world.stranger(), world.anonymous());
    let answers: [(&str, Answer); 4] = [
        ("the right audience", caller.call(url(&service), "aud1").await),
        ("a wrong audience", caller.call(url(&service), "aud3").await),
        ("no token", nobody.call(url(&service), "").await),
        ("not an invoker", stranger.call(url(&service), "aud1").await),
    ];
    for (who, answer) in answers {
        told.say(format_args!("{who}: {}", answer.status.as_u16()));
    }

    told.say("# Clear: gcloud beta run services update --clear-custom-audiences");
    let service = owner.set_audiences("hello", &[]).await;
    told.say(format_args!("{AUDIENCES}: {:?}", annotation(&service, AUDIENCES)));
    told.say(format_args!("token for aud1: {}", status(&world, &service, "aud1").await));
    told.say(format_args!("token for the default URL: {}", status(&world, &service, url(&service)).await));

    told.say("# A revision for every change above");
    for revision in owner.revisions("hello").await {
        let audiences = annotation(&revision, AUDIENCES).unwrap_or("none");
        told.say(format_args!("{} {audiences}", at(&revision, "/metadata/name").as_str().unwrap()));
    }
    assert_snapshot!(told, @r#"
    # Deploy a private service
    revision hello-00001-xyz
    token for https://api.example.test: 401
    # Add an audience: gcloud beta run services update --add-custom-audiences
    run.googleapis.com/custom-audiences: ["https://api.example.test"]
    revision hello-00002-xyz
    token for https://api.example.test: 200
    # Export, edit the annotation, replace
    PUT /apis/serving.knative.dev/v1/namespaces/demo-project/services/hello → 200
      /metadata/generation: 3
      /metadata/annotations/run.googleapis.com~1custom-audiences: "[\"aud1\",\"aud2\"]"
    revision hello-00003-xyz
    token for aud1: 200
    token for aud2: 200
    token for https://api.example.test: 401
    # The four callers
    the right audience: 200
    a wrong audience: 401
    no token: 403
    not an invoker: 403
    # Clear: gcloud beta run services update --clear-custom-audiences
    run.googleapis.com/custom-audiences: None
    token for aud1: 401
    token for the default URL: 200
    # A revision for every change above
    hello-00004-xyz none
    hello-00003-xyz ["aud1","aud2"]
    hello-00002-xyz ["https://api.example.test"]
    hello-00001-xyz none
    "#);
}

fn pointer() -> String {
    format!("/metadata/annotations/{}", AUDIENCES.replace('/', "~1"))
}

/// What `gcloud run services describe --format export` leaves out.
fn exported(mut service: Value) -> Value {
    service.as_object_mut().unwrap().remove("status");
    let metadata = service["metadata"].as_object_mut().unwrap();
    for key in ["creationTimestamp", "generation", "resourceVersion", "selfLink", "uid"] {
        metadata.remove(key);
    }
    service
}

#[tokio::test]
async fn audiences_can_be_set_at_the_first_deployment() {
    let world = World::start().await;
    let service = patched(&Owner::service("hello"), &pointer(), json!("[\"aud1\"]"));
    let ready = world.owner().deploy_as(&service).await;
    world.owner().grant("hello").await;
    assert_eq!(status(&world, &ready, "aud1").await, 200);
    assert_eq!(status(&world, &ready, "aud2").await, 401);
}

/// gcloud writes Python's JSON, with a space after the comma, and sends an audience twice if it was named
/// twice.
#[tokio::test]
async fn the_spelling_of_the_list_does_not_matter() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    let after = world.owner().annotate("hello", AUDIENCES, Some("[\"aud1\", \"aud1\",\n\"aud2\"]")).await;
    assert_eq!(annotation(&after, AUDIENCES), Some(r#"["aud1","aud1","aud2"]"#));
    assert_eq!(status(&world, &service, "aud2").await, 200);
}

#[tokio::test]
async fn custom_audiences_match_exactly() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    let service = {
        world.owner().set_audiences("hello", &[API, "plain"]).await;
        service
    };
    for (audience, expected) in [
        (API, 200),
        ("plain", 200),
        ("https://api.example.test/", 401),
        ("https://api.example.test/path", 401),
        ("http://api.example.test", 401),
        ("https://API.example.test", 401),
        ("plain ", 401),
        ("Plain", 401),
    ] {
        assert_eq!(status(&world, &service, audience).await, expected, "{audience:?}");
    }
}

/// A host that is mapped to the service is no audience by itself.
#[tokio::test]
async fn default_urls_stay_accepted_whatever_is_custom() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    for audiences in [&[][..], &[API], &["aud1", "aud2"], &[]] {
        world.owner().set_audiences("hello", audiences).await;
        let urls: Vec<String> =
            serde_json::from_str(annotation(&service, "run.googleapis.com/urls").unwrap()).unwrap();
        assert_eq!(urls.len(), 2, "{urls:?}");
        for url in urls {
            assert_eq!(status(&world, &service, &url).await, 200, "{url} beside {audiences:?}");
        }
    }
}

/// "Custom audiences are set at the service level and apply to all serving revisions."
#[tokio::test]
async fn a_change_applies_at_once_to_old_revisions_under_a_split() {
    let world = World::start().await;
    let owner = world.owner();
    let first = revision_name(&world.deploy("hello").await);
    let second = revision_name(&owner.set_env("hello", "A", "1").await);
    owner.grant("hello").await;
    let split = json!([
        { "revisionName": first, "percent": 50, "tag": "first" },
        { "revisionName": second, "percent": 50, "tag": "second" },
    ]);
    let service = owner.set_traffic("hello", split).await;

    // The answer to the write is enough: nothing is waited for.
    let changed = patched(&owner.get("hello").await, &pointer(), json!("[\"aud1\"]"));
    let _ = owner.replace("hello", &changed).await.expect(200);
    let mut seen = std::collections::BTreeSet::new();
    for target in service["status"]["traffic"].as_array().unwrap() {
        let answer = world.invoker().call(target["url"].as_str().unwrap(), "aud1").await.expect(200);
        let revision = answer.json()["revision"].clone();
        assert_eq!(revision, target["revisionName"]);
        seen.insert(revision.as_str().unwrap().to_owned());
    }
    assert_eq!(seen, [first, second].into());

    let cleared = patched(&owner.get("hello").await, &pointer(), Value::Null);
    let _ = owner.replace("hello", &cleared).await.expect(200);
    for target in service["status"]["traffic"].as_array().unwrap() {
        let answer = world.invoker().call(target["url"].as_str().unwrap(), "aud1").await;
        assert_eq!(answer.status, 401, "{target}");
    }
}

/// The documented command asks for no email: the token names the caller by `sub` alone.
#[tokio::test]
async fn a_token_without_an_email_is_recognised_by_its_subject() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    world.owner().set_audiences("hello", &["aud1"]).await;
    for caller in [world.invoker(), world.invoker().with_email()] {
        let claims = groundrun_tests::Jwt::read(&caller.token("aud1").await).claims;
        let answer = caller.call(url(&service), "aud1").await.expect(200).json();
        assert_eq!(answer["caller"]["email"], claims["email"]);
        assert_eq!(answer["caller"]["sub"], claims["sub"]);
        assert_eq!(answer["caller"]["audience"], "aud1");
    }
    for caller in [world.stranger(), world.stranger().with_email()] {
        let _ = caller.call(url(&service), "aud1").await.expect(403);
    }
}

/// The list may have 32,768 bytes as JSON, and not one more.
#[tokio::test]
async fn the_list_has_a_limit_in_bytes_of_json() {
    let world = World::start().await;
    let owner = world.owner();
    world.deploy("hello").await;
    // Two bytes for the brackets, two for the quotes, and two for each é.
    let longest = format!("{}a{}", "é".repeat(16_000), "b".repeat(32_768 - 4 - 32_000 - 1));
    let kept = owner.set_audiences("hello", &[&longest]).await;
    assert_eq!(annotation(&kept, AUDIENCES).unwrap().len(), 32_768);

    let longer = patched(&kept, &pointer(), json!(json!([format!("{longest}c")]).to_string()));
    let refused = owner.replace("hello", &longer).await.expect(400);
    assert_snapshot!(refused.message(), @"metadata.annotations[run.googleapis.com/custom-audiences]: the JSON encoding of the custom audiences has 32769 bytes; it must not exceed 32768 bytes.");
    assert_eq!(refused.violations()[0].0, format!("metadata.annotations[{AUDIENCES}]"));
    assert_eq!(owner.get("hello").await, kept);
}

/// What the developer reads who took the wrong audience.
#[tokio::test]
async fn a_denial_says_what_would_be_accepted_and_what_to_type() {
    let world = World::start().await;
    let service = world.deploy("hello").await;
    world.owner().grant("hello").await;
    world.owner().set_audiences("hello", &["aud1"]).await;
    let answer = world.invoker().call(url(&service), "aud2").await.expect(401);
    let explained = groundrun_tests::redacted(answer.header("x-groundrun-explain").unwrap());
    assert_snapshot!(explained, @r#"token aud "aud2" is not accepted; accepted: aud1, http://hello-t4kd2fdaaq-uc.a.run.localhost:PORT, http://hello-227280480153.us-central1.run.localhost:PORT; fix: gcloud run services update hello --region=us-central1 --project=demo-project --add-custom-audiences=aud2"#);
    let refused = world.stranger().call(url(&service), "aud1").await.expect(403);
    assert!(refused.header("x-groundrun-explain").unwrap().contains("lacks run.routes.invoke"));
}
