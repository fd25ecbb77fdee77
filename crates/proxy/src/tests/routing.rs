//! Which service and which revision take a request, and by which scheme?

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use groundrun_model::routing::DICE;
use groundrun_model::url::ServiceHosts;
use http::Request;

use super::{World, get, host, id, private, public, revision};
use crate::{DataPlane, Options, Scheme, Setup};

#[tokio::test]
async fn a_split_is_drawn_in_exact_proportion() {
    let mut service = public();
    service.split = vec![(80, revision("hello-00001-abc")), (20, revision("hello-00003-abc"))];
    let mut world = service.up();
    let dice = Arc::new(AtomicU64::new(0));
    let throws = Arc::clone(&dice);
    world.plane = with_random(&world, move || throws.load(Ordering::Relaxed));
    let mut counts = BTreeMap::new();
    for face in 0..u64::from(DICE) {
        dice.store(face + 3 * u64::from(DICE), Ordering::Relaxed);
        let answer = world.send(get("/")).await;
        *counts.entry(answer.json()["revision"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [("hello-00001-abc".to_owned(), 8000), ("hello-00003-abc".to_owned(), 2000)]
    );
}

/// The data plane of `world` with other dice.
fn with_random(world: &World, random: impl Fn() -> u64 + Send + Sync + 'static) -> DataPlane {
    DataPlane::new(Setup { random: Arc::new(random), ..Setup::clone(&world.plane.0) })
}

#[tokio::test]
async fn every_host_and_tag_routes_and_a_tag_has_the_same_policy() {
    for plain in ServiceHosts::new(&id()).iter() {
        for (authority, revision) in [
            (plain.to_string(), Some("hello-00001-abc")),
            (format!("{plain}:8786"), Some("hello-00001-abc")),
            (plain.to_ascii_uppercase(), Some("hello-00001-abc")),
            (format!("green---{plain}"), Some("hello-00002-abc")),
            (format!("red---{plain}"), None),
        ] {
            let world = World { authority: authority.clone(), ..public().up() };
            let answer = world.send(get("/")).await;
            match revision {
                Some(revision) => assert_eq!(answer.json()["revision"], revision, "{authority}"),
                None => assert_eq!(answer.status, 404, "{authority}"),
            }
            let world = World { authority, ..private().up() };
            assert_eq!(world.send(get("/")).await.status, if revision.is_some() { 403 } else { 404 });
        }
    }
}

#[tokio::test]
async fn an_authority_that_is_none_is_not_found() {
    for authority in ["", "a b", "localhost:x", "[", "127.0.0.1", "run.googleapis.com"] {
        let world = World { authority: authority.to_owned(), ..public().up() };
        assert_eq!(world.send(get("/")).await.status, 404, "{authority}");
    }
}

#[tokio::test]
async fn a_new_table_counts_from_the_next_request() {
    let world = public().up();
    assert_eq!(world.send(get("/")).await.status, 200);
    world.plane.0.table.store(Arc::new(private().table()));
    assert_eq!(world.send(get("/")).await.status, 403);
}

#[tokio::test]
async fn requests_in_the_clear_are_redirected_if_that_is_wanted() {
    for (https_redirect, scheme, expected) in
        [(false, Scheme::Http, 403), (true, Scheme::Https, 403), (true, Scheme::Http, 302)]
    {
        let mut service = private();
        service.options = Options { https_redirect, ..Options::default() };
        let world = World { scheme, ..service.up() };
        for (target, path) in [("/a?b=c", "/a?b=c"), ("http://x.example", "/")] {
            let answer = world.send(Request::get(target)).await;
            assert_eq!(answer.status.as_u16(), expected);
            let location = format!("https://{}{path}", host());
            let redirected = answer.headers.get("location").map(|value| value.to_str().unwrap());
            assert_eq!(redirected, (expected == 302).then_some(&*location));
        }
    }
}
