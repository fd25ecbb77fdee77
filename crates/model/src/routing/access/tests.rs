//! Is the precomputed access of a route what its policies grant?

use proptest::prelude::*;

use super::*;
use crate::iam::{Condition, Grant, granted};
use crate::routing::tests::{binding, policy};

const DEV: &str = "dev@example.com";
const CALLER: &str = "caller@demo-project.iam.gserviceaccount.com";

fn admits(access: &Access, email: &str) -> bool {
    let account = Account::new(email);
    let (who, nameless) = (Principal::from(&account), Principal { email: None, ..Principal::from(&account) });
    assert!(access.admits(&who) || !access.admits(&nameless), "an address takes nothing away");
    access.admits(&who)
}

#[test]
fn members_are_found_by_address_or_unique_id() {
    let policy = policy(vec![binding(
        "roles/run.invoker",
        &["serviceAccount:caller@demo-project.iam.gserviceaccount.com"],
    )]);
    let access = Access::from_policies(false, &[&policy]);
    assert!(admits(&access, CALLER) && !admits(&access, DEV) && access.public().is_none());
    let account = Account::new(CALLER);
    let nameless = Principal { email: None, unique_id: &account.unique_id, hosted_domain: None };
    assert!(access.admits(&nameless));
    let shouting = CALLER.to_ascii_uppercase();
    assert!(access.admits(&Principal { email: Some(&shouting), unique_id: "1", hosted_domain: None }));
    assert!(!access.admits(&Principal { email: None, unique_id: "1", hosted_domain: None }));
}

#[test]
fn public_authenticated_domain_and_groups() {
    let of = |member: &str| {
        let policy = policy(vec![binding("roles/run.invoker", &[member])]);
        Access::from_policies(false, &[&policy])
    };
    assert_eq!(of("allUsers").public(), Some(Public::AllUsers));
    assert_eq!(Access::from_policies(true, &[]).public(), Some(Public::InvokerIamDisabled));
    assert!(of("allAuthenticatedUsers").public().is_none() && admits(&of("allAuthenticatedUsers"), DEV));
    assert!(admits(&of("domain:example.com"), DEV) && !admits(&of("domain:example.com"), CALLER));
    assert!(
        !admits(&of("domain:demo-project.iam.gserviceaccount.com"), CALLER),
        "a service account is in no domain"
    );
    let hosted = Principal { email: None, unique_id: "1", hosted_domain: Some("example.com") };
    assert!(of("domain:example.com").admits(&hosted));
    assert!(!admits(&of("deleted:user:dev@example.com?uid=1"), DEV));
    assert!(!admits(&of("principal://iam.googleapis.com/dev@example.com"), DEV));

    let group = of("group:devs@example.com");
    assert!(!admits(&group, DEV));
    let account = Account::new(DEV);
    assert!(matches!(group.refusal(Some(&Principal::from(&account))), Refusal::UnknownGroup { .. }));
    let members = BTreeMap::from([
        ("devs@example.com".to_owned(), [DEV.to_owned()].into()),
        ("others@example.com".to_owned(), [CALLER.to_owned()].into()),
    ]);
    let group = group.with_groups(&members);
    assert!(admits(&group, DEV) && !admits(&group, CALLER));
    let account = Account::new(CALLER);
    assert_eq!(group.refusal(Some(&Principal::from(&account))), Refusal::NoBinding, "the group is known now");
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
        "deleted:user:dev@example.com?uid=1",
        "nonsense",
    ];
    let condition = || Condition { expression: "true".to_owned(), ..Condition::default() };
    (proptest::sample::select(ROLES), proptest::sample::subsequence(MEMBERS, 0..3), any::<bool>()).prop_map(
        move |(role, members, is_conditional)| Binding {
            condition: is_conditional.then(condition),
            ..binding(role, &members)
        },
    )
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
            for access in [false, true] {
                let [old, new] = [&before, &after].map(|policy| Access::from_policies(access, &[policy]));
                prop_assert!(!old.admits(&who) || new.admits(&who), "{}", email);
            }
            for permission in [RUN_INVOKE, "run.services.get"] {
                let old = granted(&[&before], Some(&account), permission).is_granted();
                prop_assert!(!old || granted(&[&after], Some(&account), permission).is_granted());
            }
        }
    }

    #[test]
    fn the_data_plane_and_the_api_agree_on_who_may_invoke(bindings in proptest::collection::vec(any_binding(), 0..5)) {
        let policy = policy(bindings);
        let access = Access::from_policies(false, &[&policy]);
        for email in [DEV, CALLER, "other@example.com", "stranger@elsewhere.test"] {
            let account = Account::new(email);
            let grant = granted(&[&policy], Some(&account), RUN_INVOKE);
            prop_assert_eq!(access.admits(&Principal::from(&account)), grant.is_granted(), "{}", email);
            if let Grant::Denied(why) = grant {
                prop_assert_eq!(access.refusal(Some(&Principal::from(&account))), why);
            }
        }
        prop_assert_eq!(access.public().is_some(), granted(&[&policy], None, RUN_INVOKE).is_granted());
    }
}
