//! Is the precomputed access of a route what its policies grant?

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::account::Account;
use crate::iam::{Binding, Condition, Grant, Identities, Policy, RUN_INVOKE, granted};
use crate::routing::tests::{binding, policy, service};

const DEV: &str = "dev@example.com";
const CALLER: &str = "caller@demo-project.iam.gserviceaccount.com";

/// A call at second 1000.
fn call() -> Call<'static> {
    Call { now: Timestamp::from_seconds(1_000), host: "hello-123.us-central1.run.app", path: "/a" }
}

fn id() -> ServiceId {
    service("demo-project", "us-central1", "hello")
}

fn access_in(realm: &Realm, invoker_iam_disabled: bool, policies: &[&Policy]) -> Access {
    let histories: Vec<PolicyHistory> = policies.iter().map(|policy| (*policy).clone().into()).collect();
    let policies: Vec<&PolicyHistory> = histories.iter().collect();
    let facts = AccessFacts { policies: &policies, realm: Arc::new(realm.clone()), ..AccessFacts::default() };
    Access::new(&id(), invoker_iam_disabled, &facts)
}

fn access(invoker_iam_disabled: bool, policies: &[&Policy]) -> Access {
    access_in(&Realm::default(), invoker_iam_disabled, policies)
}

/// What the API says to the same question.
fn api<'p>(realm: &Realm, policy: &'p Policy, account: Option<&Account>, permission: &str) -> Grant<'p> {
    let resource = Resource::Service(&id()).for_conditions();
    let (host, path) = (Some(call().host), Some(call().path));
    let request = ConditionRequest { time: call().now, host, path, resource: &resource };
    granted(&[policy], realm, account, permission, &request)
}

fn conditional(expression: &str, members: &[&str]) -> Binding {
    let (expression, title) = (expression.to_owned(), "path".to_owned());
    let condition = Some(Condition { expression, title, ..Condition::default() });
    Binding { condition, ..binding("roles/run.invoker", members) }
}

fn groups(entries: &[(&str, &[&str])]) -> Realm {
    let owned = |members: &[&str]| members.iter().map(ToString::to_string).collect();
    let groups: BTreeMap<_, _> =
        entries.iter().map(|(name, members)| ((*name).to_owned(), owned(members))).collect();
    Realm { identities: Identities::read(&groups, &BTreeMap::new()).unwrap(), ..Realm::default() }
}

fn admits(access: &Access, email: &str) -> bool {
    let account = Account::new(email);
    let (who, nameless) = (Principal::from(&account), Principal { email: None, ..Principal::from(&account) });
    assert!(
        access.admits(&who, &call()) || !access.admits(&nameless, &call()),
        "an address takes nothing away"
    );
    access.admits(&who, &call())
}

#[test]
fn members_are_found_by_address_or_unique_id() {
    let policy = policy(vec![binding(
        "roles/run.invoker",
        &["serviceAccount:caller@demo-project.iam.gserviceaccount.com"],
    )]);
    let access = access(false, &[&policy]);
    assert!(admits(&access, CALLER) && !admits(&access, DEV) && access.public(&call()).is_none());
    let account = Account::new(CALLER);
    let nameless = Principal { email: None, unique_id: &account.unique_id, hosted_domain: None };
    assert!(access.admits(&nameless, &call()));
    let shouting = CALLER.to_ascii_uppercase();
    assert!(
        access.admits(&Principal { email: Some(&shouting), unique_id: "1", hosted_domain: None }, &call())
    );
    assert!(!access.admits(&Principal { email: None, unique_id: "1", hosted_domain: None }, &call()));
}

#[test]
fn public_authenticated_domain_and_groups() {
    let of = |member: &str| {
        let policy = policy(vec![binding("roles/run.invoker", &[member])]);
        access(false, &[&policy])
    };
    assert_eq!(of("allUsers").public(&call()), Some(Public::AllUsers));
    assert_eq!(access(true, &[]).public(&call()), Some(Public::InvokerIamDisabled));
    assert!(
        of("allAuthenticatedUsers").public(&call()).is_none() && admits(&of("allAuthenticatedUsers"), DEV)
    );
    assert!(admits(&of("domain:example.com"), DEV) && !admits(&of("domain:example.com"), CALLER));
    assert!(
        !admits(&of("domain:demo-project.iam.gserviceaccount.com"), CALLER),
        "a service account is in no domain"
    );
    let hosted = Principal { email: None, unique_id: "1", hosted_domain: Some("example.com") };
    assert!(of("domain:example.com").admits(&hosted, &call()));
    assert!(!admits(&of("deleted:user:dev@example.com?uid=1"), DEV));
    assert!(!admits(&of("principal://iam.googleapis.com/dev@example.com"), DEV));

    let group = of("group:devs@example.com");
    assert!(!admits(&group, DEV));
    let account = Account::new(DEV);
    assert!(matches!(group.refusal(Some(&Principal::from(&account)), &call()), Refusal::UnknownGroup { .. }));
    let known = groups(&[("devs@example.com", &[DEV]), ("others@example.com", &[CALLER])]);
    let policy = policy(vec![binding("roles/run.invoker", &["group:devs@example.com"])]);
    let group = access_in(&known, false, &[&policy]);
    assert!(admits(&group, DEV) && !admits(&group, CALLER));
    let account = Account::new(CALLER);
    let why = group.refusal(Some(&Principal::from(&account)), &call());
    assert_eq!(why, Refusal::NoBinding, "the group is known now");
}

#[test]
fn a_condition_is_asked_of_each_call() {
    let of = |expression, members: &[&str]| access(false, &[&policy(vec![conditional(expression, members)])]);
    let at = |path| Call { path, ..call() };
    let dev = Account::new(DEV);
    let who = Principal::from(&dev);

    let by_path = of("request.path.startsWith('/a')", &["user:dev@example.com"]);
    assert!(by_path.admits(&who, &at("/a")) && !by_path.admits(&who, &at("/b")));
    assert!(!admits(&by_path, CALLER) && by_path.has_conditions());
    let why = by_path.refusal(Some(&who), &at("/b")).to_string();
    assert_eq!(
        why,
        "a binding for user:dev@example.com exists (roles/run.invoker) but its condition 'path' is not met"
    );

    let public = of("request.path == '/public'", &["allUsers"]);
    assert_eq!(public.public(&at("/public")), Some(Public::AllUsers));
    assert_eq!(public.public(&at("/")), None);
    assert!(public.admits(&who, &at("/public")) && !public.admits(&who, &at("/")));
    assert!(matches!(public.refusal(None, &at("/")), Refusal::ConditionNotMet { .. }));

    let until = of("request.time < timestamp('1970-01-01T00:20:00Z')", &["user:dev@example.com"]);
    let later = Call { now: Timestamp::from_seconds(1_200), ..call() };
    assert!(until.admits(&who, &call()) && !until.admits(&who, &later));

    let broken = of("request.color == 'red'", &["user:dev@example.com"]);
    let why = broken.refusal(Some(&who), &call()).to_string();
    assert!(
        why.ends_with("is not met: 1:9: undefined field 'color': request has host, path and time"),
        "{why}"
    );
}

#[test]
fn a_change_counts_when_it_has_spread() {
    let (dev, at) = (Account::new(DEV), Timestamp::from_seconds);
    let who = Principal::from(&dev);
    let invoker = policy(vec![binding("roles/run.invoker", &["user:dev@example.com"])]);
    let granted_then_taken = PolicyHistory::from(Policy::default())
        .replaced(invoker, at(1_000), 60)
        .replaced(Policy::default(), at(1_030), 60);
    let policies = [&granted_then_taken];
    let facts = AccessFacts { policies: &policies, propagation_seconds: 60, ..AccessFacts::default() };
    let access = Access::new(&id(), false, &facts);
    for (now, admits) in [(999, false), (1_059, false), (1_060, true), (1_089, true), (1_090, false)] {
        assert_eq!(access.admits(&who, &Call { now: at(now), ..call() }), admits, "{now}");
    }
    let why = access.refusal(Some(&who), &Call { now: at(1_010), ..call() });
    assert_eq!(why, Refusal::NotYet { from: at(1_060) });
    assert_eq!(access.refusal(Some(&who), &Call { now: at(2_000), ..call() }), Refusal::NoBinding);
}

fn any_binding() -> impl Strategy<Value = Binding> {
    const ROLES: &[&str] =
        &["roles/run.invoker", "roles/viewer", "roles/editor", "roles/none.such", "projects/p/roles/x"];
    const MEMBERS: &[&str] = &[
        "user:dev@example.com",
        "user:Other@example.com",
        "serviceAccount:caller@demo-project.iam.gserviceaccount.com",
        "allUsers",
        "allAuthenticatedUsers",
        "domain:example.com",
        "group:devs@example.com",
        "group:unknown@example.com",
        "deleted:user:dev@example.com?uid=1",
        "nonsense",
    ];
    const EXPRESSIONS: &[&str] = &["true", "request.path == '/a'", "request.path == '/b'", "nonsense"];
    let condition = |expression: &str| conditional(expression, &[]).condition;
    (
        proptest::sample::select(ROLES),
        proptest::sample::subsequence(MEMBERS, 0..3),
        proptest::option::of(proptest::sample::select(EXPRESSIONS)),
    )
        .prop_map(move |(role, members, expression)| Binding {
            condition: expression.and_then(condition),
            ..binding(role, &members)
        })
}

proptest! {
    #[test]
    fn adding_a_binding_never_removes_access(
        before in proptest::collection::vec(any_binding(), 0..4),
        added in any_binding(),
        at in 0_usize..4,
    ) {
        let mut after = before.clone();
        after.insert(at.min(before.len()), added);
        let (before, after) = (policy(before), policy(after));
        for email in [DEV, CALLER, "other@example.com", "stranger@elsewhere.test"] {
            let account = Account::new(email);
            let who = Principal::from(&account);
            for is_off in [false, true] {
                let [old, new] = [&before, &after].map(|policy| access(is_off, &[policy]));
                prop_assert!(!old.admits(&who, &call()) || new.admits(&who, &call()), "{}", email);
            }
            for permission in [RUN_INVOKE, "run.services.get"] {
                let old = api(&Realm::default(), &before, Some(&account), permission).is_granted();
                prop_assert!(!old || api(&Realm::default(), &after, Some(&account), permission).is_granted());
            }
        }
    }

    #[test]
    fn the_data_plane_and_the_api_agree_on_who_may_invoke(bindings in proptest::collection::vec(any_binding(), 0..5)) {
        let policy = policy(bindings);
        let realm = groups(&[("devs@example.com", &[DEV])]);
        let access = access_in(&realm, false, &[&policy]);
        for email in [DEV, CALLER, "other@example.com", "stranger@elsewhere.test"] {
            let account = Account::new(email);
            let grant = api(&realm, &policy, Some(&account), RUN_INVOKE);
            prop_assert_eq!(access.admits(&Principal::from(&account), &call()), grant.is_granted(), "{}", email);
            if let Grant::Denied(why) = grant {
                prop_assert_eq!(access.refusal(Some(&Principal::from(&account)), &call()), why);
            }
        }
        prop_assert_eq!(access.public(&call()).is_some(), api(&realm, &policy, None, RUN_INVOKE).is_granted());
    }

    #[test]
    fn what_a_project_grants_counts_the_same_when_it_is_shared(
        own in proptest::collection::vec(any_binding(), 0..4),
        project in proptest::collection::vec(any_binding(), 0..4),
        replaced in proptest::collection::vec(any_binding(), 0..3),
        now in 990_i64..1_200,
    ) {
        let realm = Arc::new(groups(&[("devs@example.com", &[DEV])]));
        let at = |binding, seconds| {
            PolicyHistory::from(policy(replaced.clone())).replaced(
                policy(binding), Timestamp::from_seconds(seconds), 60)
        };
        let (own, project) = (at(own, 1_000), at(project, 1_030));
        let both = [&own, &project];
        let facts = |policies, inherited| AccessFacts {
            policies, inherited, propagation_seconds: 60, realm: Arc::clone(&realm),
        };
        let apart = Access::new(&id(), false, &facts(&both, None));
        let inherited = Arc::new(Grantees::new(&project, 60, &realm));
        let shared = Access::new(&id(), false, &facts(&both[..1], Some(inherited)));
        let call = Call { now: Timestamp::from_seconds(now), ..call() };
        prop_assert_eq!(apart.public(&call), shared.public(&call));
        prop_assert_eq!(apart.has_conditions(), shared.has_conditions());
        let policies = both.map(|history| history.effective(call.now, 60));
        for email in [DEV, CALLER, "other@example.com", "stranger@elsewhere.test"] {
            let account = Account::new(email);
            let who = Principal::from(&account);
            prop_assert_eq!(apart.admits(&who, &call), shared.admits(&who, &call), "{}", email);
            let why = [&apart, &shared].map(|access| access.refusal(Some(&who), &call));
            prop_assert!(shared.admits(&who, &call) || why[0] == why[1], "{}: {:?}", email, why);
            let union = Policy { bindings: policies.iter().flat_map(|one| one.bindings.clone()).collect(), ..Policy::default() };
            let granted = api(&realm, &union, Some(&account), RUN_INVOKE).is_granted();
            prop_assert_eq!(shared.admits(&who, &call), granted, "{}", email);
        }
    }
}

/// A binding for each of a thousand callers, every other with a condition.
fn thousand() -> Policy {
    let member = |number: usize| format!("user:dev{number}@example.com");
    let binding = |number: usize| match number % 2 {
        0 => binding("roles/run.invoker", &[&member(number)]),
        _ => conditional("request.path == '/a'", &[&member(number)]),
    };
    policy((0..1_000).map(binding).collect())
}

#[test]
fn each_of_a_thousand_bindings_lets_its_own_caller_in() {
    let access = access(false, &[&thousand()]);
    let elsewhere = Call { path: "/b", ..call() };
    for number in [0, 1, 498, 499, 998, 999] {
        let account = Account::new(&format!("dev{number}@example.com"));
        let who = Principal::from(&account);
        assert!(admits(&access, &account.email), "{number}");
        assert_eq!(access.admits(&who, &elsewhere), number % 2 == 0, "{number}");
    }
    assert!(!admits(&access, "dev1000@example.com") && !admits(&access, CALLER));
}

#[test]
fn only_the_conditions_of_bindings_that_name_the_caller_are_asked() {
    let mut index = members::Conditional::default();
    for (place, binding) in (0..).zip(&thousand().bindings) {
        index.add(place, members::named(binding, &Realm::default()));
    }
    let everyone = conditional("true", &["allAuthenticatedUsers", "domain:example.com"]);
    index.add(1_000, members::named(&everyone, &Realm::default()));
    let asked = |email: &str| {
        let account = Account::new(email);
        index.naming(&Principal::from(&account)).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(asked("Dev7@example.com"), [7, 1_000].into());
    assert_eq!(asked("stranger@elsewhere.test"), [1_000].into());
    let account = Account::new("dev7@example.com");
    let seven = index.naming(&Principal::from(&account)).filter(|place| *place == 7).count();
    assert_eq!(seven, 1, "found by address and by unique id, asked once");
    assert_eq!(index.naming_all().count(), 0);
}

#[test]
fn a_route_costs_little_where_nothing_is_special() {
    let empty = access(false, &[]);
    assert!(empty.own.is_empty() && empty.resource.is_none(), "nothing is kept for no policy");
    assert!(size_of::<Access>() <= 64 && size_of::<crate::routing::Route>() <= 400);
}
