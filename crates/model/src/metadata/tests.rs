//! Does each path get the documented answer?

use super::*;

const EMAIL: &str = "sa@demo-project.iam.gserviceaccount.com";

fn workload() -> Workload {
    let project = Project::parse("demo-project").unwrap();
    Workload {
        instance_id: Workload::lasting_instance_id(&project),
        project,
        region: Region::parse("us-central1").unwrap(),
        account: EMAIL.to_owned(),
        revision: None,
    }
}

fn query(text: &str) -> Query {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    };
    Query::read(&text.split('&').filter(|text| !text.is_empty()).map(pair).collect::<Vec<_>>())
}

fn ask(path: &str) -> Found {
    ask_as(Some(EMAIL), path)
}

fn ask_as(account: Option<&str>, target: &str) -> Found {
    let (path, text) = target.split_once('?').unwrap_or((target, ""));
    let path = format!("/computeMetadata/v1{path}");
    let query = query(text);
    answer(
        &workload(),
        account,
        Request { reads: true, flavor: Some(FLAVOR), forwarded: false, path: &path, query: &query },
    )
}

fn number() -> String {
    workload().project.number.to_string()
}

#[test]
fn leaves_are_text() {
    let number = number();
    for (path, expected) in [
        ("/project/project-id", "demo-project".to_owned()),
        ("/project/numeric-project-id", number.clone()),
        ("/instance/region", format!("projects/{number}/regions/us-central1")),
        ("/instance/zone", format!("projects/{number}/zones/us-central1-1")),
        ("/instance/id", workload().instance_id),
        ("/instance/service-accounts/default/email", EMAIL.to_owned()),
        (&format!("/instance/service-accounts/{EMAIL}/email"), EMAIL.to_owned()),
        ("/instance/service-accounts/default/aliases", "default\n".to_owned()),
        ("/universe/universe-domain", "googleapis.com".to_owned()),
    ] {
        assert_eq!(ask(path), Found::Text(expected), "{path}");
    }
    assert_eq!(ask("/project/project-id?alt=json"), Found::Json("demo-project".into()));
    assert_eq!(workload().instance_id.len(), 32);
}

#[test]
fn directories_are_listed_at_the_path_with_a_slash() {
    let listing = |text: &str| Found::Listing(text.to_owned());
    assert_eq!(ask("/"), listing("instance/\nproject/\nuniverse/\n"));
    assert_eq!(ask("/instance/"), listing("id\nregion\nservice-accounts/\nzone\n"));
    assert_eq!(ask("/instance/service-accounts/"), listing(&format!("{EMAIL}/\ndefault/\n")));
    assert_eq!(
        ask("/instance/service-accounts/default/"),
        listing("aliases\nemail\nidentity\nscopes\ntoken\n")
    );
    for path in ["", "/instance", "/instance/service-accounts/default"] {
        let there = format!("/computeMetadata/v1{path}/");
        assert_eq!(ask(&format!("{path}?recursive=true")), Found::Redirect(there), "{path}");
    }
}

#[test]
fn a_whole_directory_is_json_without_tokens_or_text() {
    let Found::Json(json) = ask("/?recursive=true") else { panic!("it is JSON") };
    insta::assert_snapshot!(format!("{json:#}").replace(&number(), "NUMBER"));
    let account = ask("/instance/service-accounts/default/?recursive=true&alt=text");
    let expected =
        format!("aliases default\nemail {EMAIL}\nscopes https://www.googleapis.com/auth/cloud-platform\n");
    assert_eq!(account, Found::Text(expected));
    let Found::Text(text) = ask("/instance/?recursive=TRUE&alt=text") else { panic!("it is text") };
    assert!(text.contains(&format!("service-accounts/default/email {EMAIL}\n")), "{text}");
}

#[test]
fn tokens_are_asked_for_with_what_they_are_for() {
    let token = |query: &str| match ask(&format!("/instance/service-accounts/default/token{query}")) {
        Found::Token { scopes } => scopes.join(" "),
        other => format!("{other:?}"),
    };
    assert_eq!(token(""), DEFAULT_SCOPES[0]);
    assert_eq!(token("?scopes="), DEFAULT_SCOPES[0]);
    assert_eq!(token("?scopes=a,b, c"), "a b c");
    let identity = |query: &str| ask(&format!("/instance/service-accounts/{EMAIL}/identity{query}"));
    let format = |audience: &str, format| Found::Identity { audience: audience.to_owned(), format };
    assert_eq!(identity("?audience=aud1"), format("aud1", IdentityFormat::Standard));
    assert_eq!(identity("?format=full&audience=https://a/b"), format("https://a/b", IdentityFormat::Full));
    let refused = |words| Found::Refused(Refusal::BadRequest(words));
    for query in ["", "?audience=", "?format=full"] {
        assert_eq!(identity(query), refused("non-empty audience parameter required"), "{query}");
    }
    assert_eq!(identity("?audience=a&format=odd"), refused("format must be standard or full"));
}

#[test]
fn what_is_not_there_is_not_found() {
    for path in [
        "/instance/hostname",
        "/instance/region/",
        "/instance/region/x",
        "/instance/service-accounts/other@demo-project.iam.gserviceaccount.com/email",
        "/instance//id",
        "x/instance/id",
        "/instance/attributes/",
    ] {
        assert_eq!(ask(path), Found::Refused(Refusal::NotFound), "{path}");
    }
    // The account of the workload is gone.
    let gone = ask_as(None, "/instance/service-accounts/default/token");
    assert_eq!(gone, Found::Refused(Refusal::NotFound));
    assert_eq!(ask_as(None, "/project/project-id"), Found::Text("demo-project".to_owned()));
}

#[test]
fn who_may_not_ask_is_refused() {
    let query = Query::default();
    let id = "/computeMetadata/v1/instance/id";
    let right = Request { reads: true, flavor: Some(FLAVOR), forwarded: false, path: id, query: &query };
    let refused = |request| match answer(&workload(), Some(EMAIL), request) {
        Found::Refused(refusal) => Some(refusal),
        _ => None,
    };
    assert_eq!(refused(right), None);
    assert_eq!(refused(Request { flavor: None, ..right }), Some(Refusal::Flavor));
    assert_eq!(refused(Request { flavor: Some("google"), ..right }), Some(Refusal::Flavor));
    assert_eq!(refused(Request { forwarded: true, ..right }), Some(Refusal::Forwarded));
    assert_eq!(refused(Request { reads: false, ..right }), Some(Refusal::Method));
    for open in ["/", "/computeMetadata/", "/computeMetadata"] {
        assert_eq!(refused(Request { flavor: None, path: open, ..right }), None, "{open}");
        assert!(!needs_account(open));
    }
    assert_eq!(refused(Request { path: "/other", ..right }), Some(Refusal::NotFound));
    assert_eq!(refused(Request { path: "/computeMetadata/v2/", ..right }), Some(Refusal::NotFound));
}

#[test]
fn only_who_knows_the_current_content_waits() {
    let patience = |text: &str| query(text).patience_seconds("now");
    assert_eq!(patience(""), None);
    assert_eq!(patience("last_etag=now&timeout_sec=5"), None);
    assert_eq!(patience("wait_for_change=true&last_etag=0&timeout_sec=5"), None);
    assert_eq!(patience("wait_for_change=true&last_etag=now&timeout_sec=5"), Some(5));
    assert_eq!(patience("wait_for_change=true&timeout_sec=0"), Some(0));
    assert_eq!(patience("wait_for_change=true"), Some(300));
    assert_eq!(patience("wait_for_change=true&timeout_sec=99999"), Some(3600));
    assert_eq!(etag("a"), etag("a"));
    assert_ne!(etag("a"), etag("b"));
}
