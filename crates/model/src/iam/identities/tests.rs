//! Whom do groups, domains and addresses mean?

use super::*;

const SA: &str = "caller@demo-project.iam.gserviceaccount.com";

fn listed(entries: &[(&str, &[&str])]) -> Listed {
    let owned = |members: &[&str]| members.iter().map(ToString::to_string).collect();
    entries.iter().map(|(name, members)| ((*name).to_owned(), owned(members))).collect()
}

fn names(identities: &Identities, member: &str, email: &str) -> bool {
    let account = Account::new(email);
    let (who, nameless) = (Principal::from(&account), Principal { email: None, ..Principal::from(&account) });
    let named = identities.names(Member::parse(member), &who);
    if !member.starts_with("domain:") {
        assert_eq!(identities.names(Member::parse(member), &nameless), named, "by its unique id");
    }
    named
}

#[test]
fn groups_hold_groups_and_circles_are_harmless() {
    let groups = listed(&[
        ("all@example.com", &["group:Devs@example.com", "user:boss@example.com"]),
        ("devs@example.com", &["Dev@example.com", "all@example.com", &format!("serviceAccount:{SA}")]),
    ]);
    let known = Identities::read(&groups, &Listed::new()).unwrap();
    for group in ["group:all@example.com", "group:DEVS@example.com"] {
        for email in ["dev@example.com", "boss@example.com", SA] {
            assert!(names(&known, group, email), "{group} {email}");
        }
        assert!(!names(&known, group, "other@example.com"));
    }
    assert!(known.knows_group("All@example.com") && !known.knows_group("none@example.com"));
    assert!(!names(&known, "group:none@example.com", "dev@example.com"));
}

#[test]
fn a_domain_has_its_own_users_and_those_listed() {
    let known = Identities::read(&Listed::new(), &listed(&[("corp.test", &["ada@gmail.test", SA])])).unwrap();
    for email in ["bob@corp.test", "ada@gmail.test", SA] {
        assert!(names(&known, "domain:Corp.test", email), "{email}");
    }
    assert!(!names(&known, "domain:corp.test", "bob@gmail.test"));
    assert!(!names(&known, "domain:other.test", "ada@gmail.test"));
}

#[test]
fn what_is_wrong_is_named() {
    let groups = listed(&[("devs@example.com", &["dev", "group:none@example.com", "domain:x.test"])]);
    let domains = listed(&[("x", &["y"])]);
    let error = Identities::read(&groups, &domains).unwrap_err();
    let fields: Vec<&str> = error.violations.iter().map(|violation| &*violation.field).collect();
    assert_eq!(
        fields,
        [
            "groups.devs@example.com[0]",
            "groups.devs@example.com[1]",
            "groups.devs@example.com[2]",
            "domains",
            "domains.x[0]"
        ]
    );
}

#[test]
fn an_account_that_was_made_anew_is_not_the_former_one() {
    let mut known = Identities::default();
    let (former, member) = (Account::new(SA), format!("serviceAccount:{SA}"));
    let is_named = |known: &Identities, who: Principal<'_>| known.names(Member::parse(&member), &who);
    known.set_account(SA, AccountState::Disabled { unique_id: former.unique_id.clone() });
    let nameless = Principal { email: None, ..Principal::from(&former) };
    assert!(!is_named(&known, Principal::from(&former)) && !is_named(&known, nameless));
    assert!(!known.names(Member::AllAuthenticatedUsers, &nameless));
    assert!(known.names(Member::AllUsers, &nameless));

    known.set_account(SA, AccountState::Active { unique_id: "100000000000000000001".to_owned() });
    assert!(!is_named(&known, Principal::from(&former)) && !is_named(&known, nameless));
    let anew = Principal { unique_id: "100000000000000000001", ..Principal::from(&former) };
    assert!(is_named(&known, anew) && is_named(&known, Principal { email: None, ..anew }));
    assert!(known.unfit(&nameless).is_some_and(|why| why.contains("was deleted")));
    assert_eq!(known.unfit(&anew), None);
}
