//! What is the developer told, and what never?

use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;
use std::cell::RefCell;
use std::io;
use std::sync::Once;

use super::{INVOKER, KNOWN, NOW, Service, World, get, private, public};
use crate::{EXPLAIN_HEADER, Options};

thread_local! {
    /// What was logged on the thread of a test.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to capture, for every test and before any of them logs: tracing remembers of a place whether
/// anybody listened when it was first passed, on whichever thread.
pub(super) fn capture() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(|| Writer)
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time();
        tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    });
}

/// The lines that a request is logged on.
async fn lines(world: &World, request: http::request::Builder) -> Vec<String> {
    LOG.take();
    world.send(request).await;
    let text = String::from_utf8(LOG.take()).unwrap();
    text.lines().map(|line| line.trim_start().to_owned()).collect()
}

#[tokio::test]
async fn a_denial_is_one_line_with_the_reason_and_the_remedy() {
    let world = private().up();
    let token = world.bearer(INVOKER, "https://wrong.example").await;
    let request = || get("/a?secret=1").header("authorization", &token);
    let lines = lines(&world, request()).await;
    let [line] = &*lines else { panic!("{lines:?}") };
    for part in [
        "WARN groundrun::request: denied ",
        "service=hello",
        "method=GET",
        "path=\"/a\"",
        "status=401",
        "token aud \\\"https://wrong.example\\\" is not accepted; accepted: aud1, ",
        "fix=\"gcloud run services update hello --region=us-central1 --project=demo-project \
         --add-custom-audiences=https://wrong.example\"",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let secret = token.rsplit('.').next().unwrap();
    assert!(!line.contains(secret) && !line.contains("secret=1"), "{line}");
}

#[tokio::test]
async fn every_denial_names_a_command() {
    let world = private().up();
    let stranger = world.bearer("stranger@example.com", "aud1").await;
    for (request, fix) in [
        (get("/"), "fix=\"gcloud auth print-identity-token "),
        (get("/").header("authorization", "Bearer x"), "fix=\"gcloud auth print-identity-token "),
        (
            get("/").header("authorization", stranger),
            "fix=\"gcloud run services add-iam-policy-binding hello ",
        ),
    ] {
        let lines = lines(&world, request).await;
        assert!(lines.len() == 1 && lines[0].starts_with("WARN ") && lines[0].contains(fix), "{lines:?}");
    }
    let mut idle = public();
    idle.split = Vec::new();
    let lines = lines(&idle.up(), get("/")).await;
    assert!(lines.len() == 1 && lines[0].contains("fix=\"gcloud run services describe hello "), "{lines:?}");
}

#[tokio::test]
async fn an_admitted_request_is_one_line() {
    let world = private().up();
    let token = world.bearer(INVOKER, "aud1").await;
    let lines = lines(&world, get("/a").header("authorization", &token)).await;
    let [line] = &*lines else { panic!("{lines:?}") };
    let expected = format!(
        "INFO groundrun::request: admitted service=hello revision=hello-00001-abc method=GET path=\"/a\" \
         status=200 caller=\"{INVOKER}\""
    );
    assert_eq!(*line, expected);
}

#[tokio::test]
async fn what_the_hosted_service_does_not_log_is_for_debugging() {
    let mut hidden = public();
    hidden.default_url_disabled = true;
    let nobody = World { authority: "nobody-abcdefghij-uc.a.run.app".to_owned(), ..public().up() };
    for (world, path, why) in [
        (nobody, "/", "no service and no tag has this host, and no load balancer leads from it to one"),
        (hidden.up(), "/", "the default URL of the service is disabled"),
        (public().up(), "/healthz", "the path is reserved"),
    ] {
        let lines = lines(&world, get(path)).await;
        assert!(lines.len() == 1 && lines[0].starts_with("DEBUG ") && lines[0].contains(why), "{lines:?}");
    }
}

fn explaining(service: Service) -> World {
    Service { options: Options { explain: true, ..Options::default() }, ..service }.up()
}

#[tokio::test]
async fn the_reason_is_in_a_header_if_that_is_wanted() {
    let answer = explaining(private()).send(get("/")).await;
    let header = answer.headers[EXPLAIN_HEADER].to_str().unwrap();
    assert!(
        header.starts_with("the service is private and the request has no token; fix: gcloud auth "),
        "{header}"
    );
    assert!(!private().up().send(get("/")).await.headers.contains_key(EXPLAIN_HEADER));
    assert!(!explaining(public()).send(get("/")).await.headers.contains_key(EXPLAIN_HEADER));
    let answer = explaining(public()).send(get("/healthz")).await;
    assert_eq!(
        answer.headers[EXPLAIN_HEADER],
        "the path is reserved and never reaches a service; fix: use another path, such as /healthz/"
    );
}

#[tokio::test]
async fn what_a_stranger_sent_is_made_fit_for_a_header() {
    let world = explaining(private());
    let long = "\u{e4}\r\n".repeat(1500);
    let token = world.bearer(INVOKER, &long).await;
    let answer = world.send(get("/").header("authorization", token)).await;
    let header = answer.headers[EXPLAIN_HEADER].to_str().unwrap();
    assert!(header.len() <= 4003 && header.ends_with("..."), "{}", header.len());
    assert!(header.starts_with("token aud \"\\u{e4}\\r\\n\\u{e4}"), "{header}");
}

#[tokio::test]
async fn a_caller_without_an_email_is_named_if_it_is_known() {
    let world = explaining(private());
    for (email, named) in [(KNOWN, true), ("other@demo.iam.gserviceaccount.com", false)] {
        let claims = IdClaims::new(&Account::new(email), "aud1", false, NOW);
        let token = world.bearer_of(&claims).await;
        let answer = world.send(get("/").header("authorization", token)).await;
        let explained = answer.headers[EXPLAIN_HEADER].to_str().unwrap();
        assert_eq!(explained.contains(&format!("--member=serviceAccount:{email}")), named, "{explained}");
    }
}
