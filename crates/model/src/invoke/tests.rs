//! Who is let in, and what is a caller told who is not?

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::account::Account;
use crate::iam::{Binding, Condition, Refusal};
use crate::name::ServiceId;
use crate::routing::tests::{binding, facts, policy, service, spec};
use crate::routing::{AccessFacts, Route, RouteFacts};
use crate::time::Timestamp;
use crate::url::{ServiceHosts, UrlConfig};

const CALLER: &str = "caller@demo-project.iam.gserviceaccount.com";
const MEMBER: &str = "serviceAccount:caller@demo-project.iam.gserviceaccount.com";
const GCLOUD: &str = "32555940559.apps.googleusercontent.com";

fn id() -> ServiceId {
    service("demo-project", "us-central1", "hello")
}

fn route(bindings: Vec<Binding>, audiences: &[&str], invoker_iam_disabled: bool) -> Route {
    let policy = policy(bindings);
    let id = id();
    Route::build(RouteFacts {
        id: id.clone(),
        urls: facts(&id).urls,
        custom_audiences: audiences.iter().map(ToString::to_string).collect(),
        invoker_iam_disabled,
        access: AccessFacts { policies: &[&policy.into()], ..AccessFacts::default() },
        ingress: facts(&id).ingress,
        default_url_disabled: false,
        split: vec![(100, Arc::new(spec(&id, "hello-00001-abc")))],
        tags: Vec::new(),
    })
}

fn judge(route: &Route, claims: Option<&IdClaims>) -> Result<Permit, Denial> {
    let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
    authorize(route, claims, &Call { now, host: "hello-123.us-central1.run.app", path: "/a" })
}

fn private() -> Route {
    route(vec![binding("roles/run.invoker", &[MEMBER])], &["aud1"], false)
}

fn claims(email: &str, aud: &str, include_email: bool) -> IdClaims {
    IdClaims::new(&Account::new(email), aud, include_email, Timestamp::from_seconds(1))
}

#[test]
fn an_invoker_with_a_right_audience_is_let_in() {
    let permit = judge(&private(), Some(&claims(CALLER, "aud1", true))).unwrap();
    assert_eq!((permit.how(), permit.caller().unwrap().email.as_deref()), (How::Invoker, Some(CALLER)));
}

#[test]
fn a_token_without_an_email_is_recognised_by_its_subject() {
    let permit = judge(&private(), Some(&claims(CALLER, "aud1", false))).unwrap();
    let caller = permit.caller().unwrap();
    assert_eq!((caller.email.as_deref(), &caller.unique_id), (None, &Account::new(CALLER).unique_id));
}

#[test]
fn an_email_that_is_not_verified_counts_for_nothing() {
    let mut claims = claims("stranger@demo-project.iam.gserviceaccount.com", "aud1", true);
    claims.email = Some(CALLER.to_owned());
    for verified in [None, Some(false)] {
        claims.email_verified = verified;
        let denial = judge(&private(), Some(&claims)).unwrap_err();
        assert!(
            matches!(denial, Denial::NotAnInvoker { caller: Caller { email: None, .. }, .. }),
            "{denial:?}"
        );
    }
}

#[test]
fn the_audience_is_judged_before_the_role() {
    let stranger = claims("stranger@example.com", "https://wrong", true);
    assert!(matches!(judge(&private(), Some(&stranger)), Err(Denial::Audience { .. })));
    let stranger = claims("stranger@example.com", "aud1", true);
    assert!(matches!(judge(&private(), Some(&stranger)), Err(Denial::NotAnInvoker { .. })));
    assert!(matches!(judge(&private(), None), Err(Denial::NoCredential { why: Refusal::NoBinding })));
}

#[test]
fn a_public_service_looks_at_no_token() {
    let wrong = claims("stranger@example.com", "https://wrong", true);
    let all_users = route(vec![binding("roles/run.invoker", &["allUsers"])], &[], false);
    let disabled = route(Vec::new(), &[], true);
    for (route, why) in [(all_users, Public::AllUsers), (disabled, Public::InvokerIamDisabled)] {
        let permit = judge(&route, None).unwrap();
        assert_eq!((permit.how(), permit.caller()), (How::Public(why), None));
        assert!(judge(&route, Some(&wrong)).unwrap().caller().is_some());
    }
}

#[test]
fn the_audience_of_gcloud_is_for_users_who_may_invoke() {
    let route = route(vec![binding("roles/run.invoker", &["user:dev@example.com", MEMBER])], &[], false);
    assert!(judge(&route, Some(&claims("dev@example.com", GCLOUD, true))).is_ok());
    assert!(matches!(judge(&route, Some(&claims(CALLER, GCLOUD, true))), Err(Denial::Audience { .. })));
    assert!(matches!(judge(&route, Some(&claims(CALLER, GCLOUD, false))), Err(Denial::Audience { .. })));
    let other = claims("other@example.com", GCLOUD, true);
    assert!(matches!(judge(&route, Some(&other)), Err(Denial::NotAnInvoker { .. })));
}

#[test]
fn a_condition_that_is_not_met_grants_nothing_and_the_denial_says_so() {
    let (expression, title) = ("request.path == '/other'".to_owned(), "other".to_owned());
    let condition = Condition { expression, title, ..Condition::default() };
    let conditional =
        |member| Binding { condition: Some(condition.clone()), ..binding("roles/run.invoker", &[member]) };
    let route = route(vec![conditional(MEMBER), conditional("allUsers")], &["aud1"], false);
    let denial = judge(&route, Some(&claims(CALLER, "aud1", true))).unwrap_err();
    assert_eq!(
        denial.explanation(),
        format!(
            "{MEMBER} lacks run.routes.invoke: a binding for {MEMBER} exists (roles/run.invoker) but its condition \
             'other' is not met"
        )
    );
    assert!(denial.remedy(&route).ends_with("--role=roles/run.invoker --condition=None"));
    let anonymous = judge(&route, None).unwrap_err();
    assert!(anonymous.explanation().contains("a binding for allUsers exists"), "{}", anonymous.explanation());
}

#[test]
fn a_role_that_is_not_known_is_named() {
    let route = route(vec![binding("projects/p/roles/caller", &[MEMBER])], &["aud1"], false);
    let explanation = judge(&route, Some(&claims(CALLER, "aud1", false))).unwrap_err().explanation();
    assert!(
        explanation.ends_with("but the permissions of its role projects/p/roles/caller are not known"),
        "{explanation}"
    );
}

#[test]
fn explanations_and_remedies_are_ready_to_paste() {
    let route = private();
    let hash = ServiceHosts::new(&route.id).hash;

    let denial = judge(&route, Some(&claims(CALLER, "https://wrong", true))).unwrap_err();
    let explanation = denial.explanation();
    assert!(explanation.starts_with(&format!(
        "token aud \"https://wrong\" is not accepted; accepted: aud1, https://{hash}"
    )));
    assert_eq!(
        denial.remedy(&route),
        "gcloud run services update hello --region=us-central1 --project=demo-project \
         --add-custom-audiences=https://wrong"
    );

    let denial = judge(&route, Some(&claims("Other@example.com", "aud1", true))).unwrap_err();
    assert_eq!(denial.explanation(), "user:other@example.com lacks run.routes.invoke: no binding grants it");
    assert_eq!(
        denial.remedy(&route),
        "gcloud run services add-iam-policy-binding hello --region=us-central1 --project=demo-project \
         --member=user:other@example.com --role=roles/run.invoker"
    );

    let Denial::NotAnInvoker { caller, .. } = denial else { panic!("{denial:?}") };
    let from = Timestamp::from_seconds(60);
    for denial in [
        Denial::NotAnInvoker { caller, why: Refusal::NotYet { from } },
        Denial::NoCredential { why: Refusal::NotYet { from } },
    ] {
        assert_eq!(denial.remedy(&route), "groundrun clock set 1970-01-01T00:01:00.000000Z");
    }

    let denial = judge(&route, None).unwrap_err();
    assert_eq!(denial.explanation(), "the service is private and the request has no token");
    assert_eq!(
        denial.remedy(&route),
        format!(
            "gcloud auth print-identity-token \
             --impersonate-service-account=CALLER@demo-project.iam.gserviceaccount.com --audiences=https://{hash}"
        )
    );
    assert_eq!(
        Denial::Credential("it expired".to_owned()).explanation(),
        "the token is not valid: it expired"
    );
}

#[test]
fn what_a_stranger_sent_is_quoted_and_kept_on_one_line() {
    let route = private();
    let remedy = |aud: &str| judge(&route, Some(&claims(CALLER, aud, true))).unwrap_err().remedy(&route);
    assert!(remedy("a;rm -rf $HOME").ends_with(" --add-custom-audiences='a;rm -rf $HOME'"));
    assert!(remedy("it's").ends_with(" --add-custom-audiences='it'\\''s'"));
    assert!(remedy("a,b").ends_with(" --add-custom-audiences='^|^a,b'"));
    assert!(remedy("a\nb").starts_with("gcloud auth print-identity-token "));
    assert!(remedy("").starts_with("gcloud auth print-identity-token "));
    assert!(!Denial::Credential("a\r\nb\u{1b}".to_owned()).explanation().contains(char::is_control));
}

#[test]
fn thousands_of_audiences_are_not_listed() {
    let custom: Vec<String> = (0..1000).map(|i| format!("aud{i}")).collect();
    let custom: Vec<&str> = custom.iter().map(String::as_str).collect();
    let denial = judge(&route(Vec::new(), &custom, false), Some(&claims(CALLER, "x", true))).unwrap_err();
    assert!(denial.explanation().ends_with("aud6, aud7 and 994 more"), "{}", denial.explanation());
}

/// The credential that two lists of header values give.
fn pick<'a>(serverless: &[&'a str], authorization: &[&'a str]) -> (Credential<'a>, Option<CredentialHeader>) {
    Credential::pick(
        serverless.iter().map(|value| value.as_bytes()),
        authorization.iter().map(|value| value.as_bytes()),
    )
}

#[test]
fn the_serverless_header_wins_even_if_it_is_wrong() {
    use CredentialHeader::{Authorization, ServerlessAuthorization};
    assert_eq!(pick(&[], &[]), (Credential::None, None));
    assert_eq!(pick(&[], &["Bearer a.b.c"]), (Credential::Token("a.b.c"), Some(Authorization)));
    assert_eq!(pick(&["bearer x"], &["Bearer y"]), (Credential::Token("x"), Some(ServerlessAuthorization)));
    let (credential, header) = pick(&["garbage"], &["Bearer y"]);
    assert!(matches!(credential, Credential::Malformed(_)) && header == Some(ServerlessAuthorization));
}

#[test]
fn malformed_credentials() {
    for values in [
        &["Bearer a", "Bearer b"] as &[_],
        &["Basic dXNlcjpwYXNz"],
        &["Bearer"],
        &["Bearer "],
        &[""],
        &["a.b.c"],
        &["Bearer a.b.c, Bearer d.e.f"],
        &["Bearer a b"],
    ] {
        assert!(matches!(pick(&[], values).0, Credential::Malformed(_)), "{values:?}");
    }
    let bytes: &[u8] = &[b'B', 0xff];
    let (credential, _) = Credential::pick([bytes].into_iter(), [].into_iter());
    assert!(matches!(credential, Credential::Malformed(_)));
}

proptest! {
    #[test]
    fn a_token_passes_only_if_audience_and_role_both_hold(
        aud in proptest::sample::select(&["aud1", "aud2", "https://wrong", GCLOUD]),
        email in proptest::sample::select(&[CALLER, "dev@example.com", "stranger@example.com"]),
        is_bound in any::<bool>(),
        include_email in any::<bool>(),
    ) {
        let member = Account::new(email).member();
        let bindings = if is_bound { vec![binding("roles/run.invoker", &[&member])] } else { Vec::new() };
        let route = route(bindings, &["aud1", "aud2"], false);
        let is_user = include_email && email != CALLER;
        let audience_holds = aud.starts_with("aud") || (aud == GCLOUD && is_user);
        let allowed = judge(&route, Some(&claims(email, aud, include_email))).is_ok();
        prop_assert_eq!(allowed, audience_holds && is_bound);
    }

    #[test]
    fn no_header_and_no_audience_makes_it_panic(value in any::<Vec<u8>>(), aud in any::<String>(), port in any::<u16>()) {
        let _ = Credential::pick([&*value].into_iter(), [].into_iter());
        let mut route = private();
        route.audiences = AudienceSet::new(
            Vec::new(),
            route.hosts.clone(),
            UrlConfig { style: crate::url::UrlStyle::Local, port },
        );
        if let Err(denial) = judge(&route, Some(&claims(CALLER, &aud, true))) {
            let lines = denial.explanation() + &denial.remedy(&route);
            prop_assert!(!lines.contains(char::is_control), "{:?}", lines);
        }
    }
}
