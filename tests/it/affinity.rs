//! Does a client come back to the revision that it was at, and do few clients move when the traffic does?
//!
//! <https://cloud.google.com/run/docs/configuring/session-affinity>

use std::collections::BTreeMap;

use groundrun_tests::{Answer, World, at, revision_name};
use http::header::SET_COOKIE;
use serde_json::{Value, json};

const AFFINITY: &str = "run.googleapis.com/sessionAffinity";

/// How many clients call.
const CLIENTS: usize = 300;

/// A public service with two revisions that recognize clients, half of the traffic to each: its URL, and
/// their names.
async fn service(world: &World) -> (String, String, String) {
    let owner = world.owner();
    world.deploy("hello").await;
    owner.bind("hello", "roles/run.invoker", &["allUsers"]).await;
    let with_affinity = |service: &mut Value| {
        service["spec"]["template"]["metadata"]["annotations"] = json!({ AFFINITY: "true" });
    };
    let first = revision_name(&owner.edit("hello", with_affinity).await);
    let second = revision_name(&owner.set_env("hello", "A", "1").await);
    let service = split(world, &[(&first, 50), (&second, 50)]).await;
    (at(&service, "/status/url").as_str().unwrap().to_owned(), first, second)
}

async fn split(world: &World, shares: &[(&str, u32)]) -> Value {
    let target = |(name, percent): &(&str, u32)| json!({ "revisionName": name, "percent": percent });
    world.owner().set_traffic("hello", shares.iter().map(target).collect()).await
}

async fn call(world: &World, url: &str, cookie: Option<&str>) -> Answer {
    let ask = world.anonymous().at(url);
    let ask = match cookie {
        Some(cookie) => ask.header("cookie", cookie),
        None => ask,
    };
    ask.send().await.expect(200)
}

/// The cookie that a response sets, as a client sends it.
fn set(answer: &Answer) -> Option<String> {
    let header = answer.headers.get(SET_COOKIE)?.to_str().unwrap();
    Some(header.split(';').next().unwrap().to_owned())
}

fn revision(answer: &Answer) -> String {
    answer.json()["revision"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_cookie_sticks_and_beats_the_split() {
    let world = World::start().await;
    let (url, first, second) = service(&world).await;
    let mut seen = BTreeMap::new();
    for _ in 0..40 {
        let answer = call(&world, &url, None).await;
        let header = answer.header("set-cookie").unwrap();
        assert!(header.starts_with("GAESA=") && header.ends_with(" GMT; path=/"), "{header}");
        assert!(header.contains("; expires=Thu, 24-Dec-2026 06:0"), "30 days after the beginning: {header}");
        assert_eq!(answer.header("cache-control"), Some("private"));
        let cookie = set(&answer).unwrap();
        for _ in 0..3 {
            let again = call(&world, &url, Some(&cookie)).await;
            assert_eq!((revision(&again), set(&again)), (revision(&answer), None));
            assert_eq!(again.json()["request"]["headers"]["cookie"], json!(cookie), "the instance sees it");
        }
        *seen.entry(revision(&answer)).or_insert(0) += 1;
    }
    // One run in 10^12 has all of 40 on one side.
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), [first, second]);
}

#[tokio::test]
async fn few_clients_move_and_they_move_to_what_has_grown() {
    let world = World::start().await;
    let (url, first, second) = service(&world).await;
    split(&world, &[(&first, 90), (&second, 10)]).await;
    let mut homes = BTreeMap::new();
    for _ in 0..CLIENTS {
        let answer = call(&world, &url, None).await;
        homes.insert(set(&answer).unwrap(), revision(&answer));
    }
    assert_eq!(homes.len(), CLIENTS, "every client has a cookie of its own");
    split(&world, &[(&second, 20), (&first, 80)]).await;
    let mut moved = 0;
    for (cookie, home) in &homes {
        let answer = call(&world, &url, Some(cookie)).await;
        assert_eq!(set(&answer), None, "a client that moves keeps its cookie");
        if revision(&answer) != *home {
            moved += 1;
            assert_eq!(revision(&answer), second);
        }
    }
    // 30 expected, a standard deviation of 5.2: outside of five and a half of them lies one run in 10^7.
    assert!((2..=58).contains(&moved), "{moved} of {CLIENTS} moved");

    // Without traffic a revision has no clients; with all of it, everyone.
    split(&world, &[(&second, 100)]).await;
    for cookie in homes.keys().take(10) {
        assert_eq!(revision(&call(&world, &url, Some(cookie)).await), second);
    }
    split(&world, &[(&first, 90), (&second, 10)]).await;
    for (cookie, home) in homes.iter().take(50) {
        assert_eq!(revision(&call(&world, &url, Some(cookie)).await), *home, "and back again");
    }
}

#[tokio::test]
async fn a_cookie_that_is_none_is_replaced_and_others_are_left_alone() {
    let world = World::start().await;
    let (url, ..) = service(&world).await;
    for cookie in ["GAESA=", "GAESA=x", "GAESA=CpgBMDA1ZWI2OTc0YzA0MTk2YTBk", "other=1", "gaesa=AQECAwQFBgcI"]
    {
        let answer = call(&world, &url, Some(cookie)).await;
        assert!(set(&answer).is_some(), "{cookie}");
        assert_eq!(answer.json()["request"]["headers"]["cookie"], json!(cookie));
    }
    let good = set(&call(&world, &url, None).await).unwrap();
    for cookie in [format!("a=b; {good}"), format!("{good};c=d"), format!("GAESA=x; {good}")] {
        let answer = call(&world, &url, Some(&cookie)).await;
        assert_eq!(set(&answer), None, "{cookie}");
        assert_eq!(answer.json()["request"]["headers"]["cookie"], json!(cookie));
    }
    let twice = world.anonymous().at(&url).header("cookie", "a=b").header("cookie", &good).send().await;
    assert_eq!(set(&twice), None);
}

#[tokio::test]
async fn no_cookie_at_a_tag_without_the_setting_or_without_leave() {
    let world = World::start().await;
    let (url, first, second) = service(&world).await;
    let owner = world.owner();
    let traffic =
        json!([{ "revisionName": second, "percent": 100 }, { "revisionName": first, "tag": "old" }]);
    owner.set_traffic("hello", traffic).await;
    let at_tag = call(&world, &url.replace("://", "://old---"), None).await;
    assert_eq!((revision(&at_tag), set(&at_tag)), (first.clone(), None));
    assert!(set(&call(&world, &url, None).await).is_some());

    owner.grant("hello").await;
    let refused = world.anonymous().at(&url).send().await.expect(403);
    assert_eq!(set(&refused), None);
    owner.bind("hello", "roles/run.invoker", &["allUsers"]).await;

    // Half of the traffic to a revision without the setting: its clients get none.
    let plain = revision_name(
        &owner
            .edit("hello", |service| {
                service["spec"]["template"]["metadata"]["annotations"] = json!({ AFFINITY: "false" });
                service["spec"]["traffic"] = json!([{ "latestRevision": true, "percent": 100 }]);
            })
            .await,
    );
    assert_eq!(set(&call(&world, &url, None).await), None);
    split(&world, &[(&plain, 50), (&second, 50)]).await;
    for _ in 0..20 {
        let answer = call(&world, &url, None).await;
        assert_eq!(set(&answer).is_some(), revision(&answer) == second);
    }
}
