//! Does a policy read, write and grant as documented?

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::account::Account;
use crate::error::Code;

const NOW: Timestamp = Timestamp::from_micros(1_786_872_223_639_166);

fn parse(value: serde_json::Value) -> Result<Policy> {
    Policy::from_json(&value, "policy")
}

fn write_at(level: PolicyLevel, value: serde_json::Value) -> Result<Policy> {
    Policy::default().replace(parse(value)?, None, level, NOW)
}

fn write(value: serde_json::Value) -> Result<Policy> {
    write_at(PolicyLevel::Service, value)
}

fn invoker(members: &[&str]) -> serde_json::Value {
    json!({"bindings": [{"role": "roles/run.invoker", "members": members}]})
}

#[test]
fn a_policy_has_documented_sizes() {
    let users =
        |count: usize| -> Vec<String> { (0..count).map(|i| format!("user:u{i}@example.com")).collect() };
    let bound = |members: Vec<String>| {
        write(json!({"bindings": [{"role": "roles/run.invoker", "members": members}]}))
    };
    assert!(bound(users(1500)).is_ok());
    let words = "The number of members in the policy (1501) is larger than the maximum allowed size 1500.";
    assert_eq!(bound(users(1501)).unwrap_err().message, words);

    let conditional = |count: usize, member: fn(usize) -> String| {
        let binding = |i: usize| {
            let condition = json!({"title": "t", "expression": format!("request.path == '/{i}'")});
            json!({"role": "roles/run.invoker", "members": [member(i)], "condition": condition})
        };
        write(json!({"version": 3, "bindings": (0..count).map(binding).collect::<Vec<_>>()}))
    };
    assert!(conditional(20, |_| "allUsers".to_owned()).is_ok());
    assert!(conditional(21, |i| format!("user:u{i}@example.com")).is_ok());
    let refused = conditional(21, |_| "allUsers".to_owned()).unwrap_err();
    assert_eq!(refused.violations[0].field, "policy.bindings");
}

#[test]
fn a_policy_that_was_never_written_is_acab() {
    assert_eq!(Policy::default().to_json(), json!({"version": 1, "etag": "ACAB"}));
}

#[test]
fn a_written_policy_has_an_etag_that_begins_with_bw() {
    let written = write(json!({"version": 3, "etag": "ACAB", "bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]})).unwrap();
    assert_eq!((written.etag.len(), written.etag[0]), (8, 7));
    assert_eq!(
        written.to_json(),
        json!({"version": 1, "etag": "BwZZJpwmJn4=", "bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]})
    );
    let again = written.replace(written.clone(), None, PolicyLevel::Service, NOW).unwrap();
    assert_ne!(again.etag, written.etag, "the etag moves even if the clock does not");
}

#[test]
fn an_etag_is_read_in_either_alphabet_with_or_without_padding() {
    let bytes = vec![0xff, 0x27, 0x83, 0xfb];
    for text in ["/yeD+w==", "_yeD-w==", "/yeD+w", "_yeD-w"] {
        assert_eq!(parse(json!({"etag": text})).unwrap().etag, bytes, "{text}");
    }
    assert_eq!(Policy { etag: bytes, ..Policy::default() }.to_json()["etag"], "/yeD+w==");
    for bad in [json!("!"), json!("a"), json!(1)] {
        assert_eq!(parse(json!({"etag": bad})).unwrap_err().violations[0].field, "policy.etag");
    }
}

#[test]
fn json_and_storage_round_trip() {
    let value = json!({
        "version": 3,
        "etag": "BwZZJpwmJn4=",
        "bindings": [{
            "role": "roles/run.invoker",
            "members": ["user:dev@example.com"],
            "condition": {"expression": "true", "title": "t", "description": "d", "location": "l"},
        }],
    });
    let policy = parse(value.clone()).unwrap();
    assert_eq!(policy.to_json(), value);
    assert_eq!(serde_json::from_value::<Policy>(value).unwrap(), policy);
}

#[test]
fn unknown_fields_and_wrong_types_are_refused() {
    for (value, field, part) in [
        (json!({"x": 1}), "policy", "Unknown name \"x\" at 'policy'"),
        (json!({"bindings": [{"x": 1}]}), "policy.bindings[0]", "Unknown name \"x\" at 'policy.bindings[0]'"),
        (json!({"bindings": [{"condition": {"x": "1"}}]}), "policy.bindings[0].condition", "Unknown name"),
        (json!({"bindings": {}}), "policy.bindings", "Invalid value"),
        (json!({"bindings": [{"members": [1]}]}), "policy.bindings[0].members[0]", "Invalid value"),
        (json!({"bindings": [1]}), "policy.bindings[0]", "Invalid value"),
        (json!({"version": 1.5}), "policy.version", "Invalid value"),
        (json!({"auditConfigs": [{}]}), "policy.auditConfigs", "not emulated"),
        (json!([]), "policy", "Invalid value"),
    ] {
        let error = parse(value.clone()).unwrap_err();
        assert_eq!((error.code, &*error.violations[0].field), (Code::InvalidArgument, field), "{value}");
        assert!(error.message.contains(part), "{error}");
    }
    assert_eq!(parse(json!({"version": "3", "bindings": null, "auditConfigs": []})).unwrap().version, 3);
}

#[test]
fn members_and_roles_that_are_refused() {
    for member in [
        "dev@example.com",
        "nobody",
        "user:",
        "user:dev",
        "user:a@b@c.test",
        "user:dev@nodot",
        "user:a b@example.com",
        "group:x",
        "domain:nodot",
        "domain:-a.com",
        "principal:x",
        "principal://",
        "deleted:",
        "deleted:user:",
        "projectOwner:demo",
        "serviceAccount:dev@example.com",
        "user:caller@demo.iam.gserviceaccount.com",
        "allusers",
    ] {
        let error = write(invoker(&["allUsers", member])).unwrap_err();
        assert_eq!(error.violations[0].field, "policy.bindings[0].members[1]", "{member}");
    }
    for role in
        ["", "run.invoker", "roles/", "roles/a/b", "projects//roles/x", "folders/1/roles/x", "roles/a b"]
    {
        let error = write(json!({"bindings": [{"role": role, "members": ["allUsers"]}]})).unwrap_err();
        assert_eq!(error.violations[0].field, "policy.bindings[0].role", "{role}");
    }
}

#[test]
fn members_and_roles_that_are_accepted() {
    let members = [
        "user:dev@example.com",
        "serviceAccount:caller@demo.iam.gserviceaccount.com",
        "serviceAccount:1-compute@developer.gserviceaccount.com",
        "serviceAccount:p.svc.id.goog[ns/name]",
        "group:devs@example.com",
        "domain:example.com",
        "allUsers",
        "allAuthenticatedUsers",
        "principal://iam.googleapis.com/x",
        "principalSet://iam.googleapis.com/x",
        "deleted:user:dev@example.com?uid=1",
    ];
    assert_eq!(write(invoker(&members)).unwrap().bindings[0].members, members);
    for role in ["roles/run.invoker", "roles/none.such", "projects/demo/roles/x_y", "organizations/1/roles/x"]
    {
        assert!(write(json!({"bindings": [{"role": role, "members": ["allUsers"]}]})).is_ok(), "{role}");
    }
}

#[test]
fn duplicates_are_merged_and_empty_members_dropped() {
    let policy = write(json!({"bindings": [
        {"role": "roles/run.invoker", "members": ["user:Dev@example.com", "", "user:dev@example.com"]},
        {"role": "roles/viewer", "members": [""]},
        {"role": "roles/run.invoker", "members": ["allUsers", "user:dev@example.com"]},
    ]}))
    .unwrap();
    let expected = Binding {
        role: "roles/run.invoker".to_owned(),
        members: vec!["user:dev@example.com".to_owned(), "allUsers".to_owned()],
        condition: None,
    };
    assert_eq!(policy.bindings, [expected]);
}

#[test]
fn the_public_is_no_member_of_a_project() {
    for member in ["allUsers", "allAuthenticatedUsers"] {
        assert!(write_at(PolicyLevel::Service, invoker(&[member])).is_ok());
        let error = write_at(PolicyLevel::Project, invoker(&[member])).unwrap_err();
        assert_eq!(error.violations[0].field, "policy.bindings[0].members[0]");
    }
    assert!(write_at(PolicyLevel::Project, invoker(&["user:dev@example.com"])).is_ok());
}

fn conditional(version: i32) -> serde_json::Value {
    json!({"version": version, "bindings": [
        {"role": "roles/run.invoker", "members": ["user:dev@example.com"], "condition": {"expression": "request.path == '/'", "title": "x"}},
        {"role": "roles/viewer", "members": ["user:dev@example.com"]},
    ]})
}

#[test]
fn conditions_need_version_3() {
    for version in [0, 1] {
        assert_eq!(write(conditional(version)).unwrap_err().violations[0].field, "policy.version");
    }
    for version in [2, 4, -1] {
        assert!(write(json!({"version": version})).is_err(), "{version}");
    }
    let policy = write(conditional(3)).unwrap();
    assert_eq!(policy.version, 3);
    let stale = Policy { version: 1, bindings: Vec::new(), etag: policy.etag.clone() };
    assert!(policy.replace(stale.clone(), None, PolicyLevel::Service, NOW).is_err());
    let blind = Policy { etag: Vec::new(), ..stale };
    assert!(policy.replace(blind, None, PolicyLevel::Service, NOW).is_ok());
    let error = write(
        json!({"version": 3, "bindings": [{"role": "roles/run.viewer", "members": ["allUsers"], "condition": {"title": "t"}}]}),
    );
    assert_eq!(error.unwrap_err().violations[0].field, "policy.bindings[0].condition.expression");
}

#[test]
fn one_who_does_not_ask_for_version_3_sees_no_conditions() {
    let policy = write(conditional(3)).unwrap();
    assert_eq!(policy.read(3).unwrap(), policy);
    for version in [0, 1] {
        let seen = policy.read(version).unwrap();
        assert!(seen.bindings[0].role.starts_with("roles/run.invoker_withcond_") && !seen.has_conditions());
        assert_eq!((seen.version, &seen.bindings[1], &seen.etag), (1, &policy.bindings[1], &policy.etag));
        let back = Policy { version: 3, ..seen };
        let error = policy.replace(back, None, PolicyLevel::Service, NOW).unwrap_err();
        assert_eq!(error.violations[0].field, "policy.bindings[0].role");
    }
    assert!(policy.read(2).is_err());
}

#[test]
fn a_write_against_an_older_policy_conflicts() {
    let first = write(invoker(&["allUsers"])).unwrap();
    let incoming = |etag: &[u8]| Policy { etag: etag.to_vec(), ..Policy::default() };
    let replace = |etag: &[u8], mask| first.replace(incoming(etag), mask, PolicyLevel::Service, NOW);
    assert_eq!(replace(&NEVER_WRITTEN, None), Err(Error::policy_conflict()));
    assert!(replace(&[], None).is_ok() && replace(&first.etag, None).is_ok());
    assert!(replace(&NEVER_WRITTEN, Some("bindings")).is_ok(), "the mask leaves the etag out");
    assert_eq!(replace(&first.etag, Some("etag")).unwrap().bindings, first.bindings);
    assert!(replace(&first.etag, Some("bindings,etag,version")).unwrap().bindings.is_empty());
    assert_eq!(replace(&first.etag, Some("x")).unwrap_err().violations[0].field, "updateMask");
}

/// What the policies grant for a call of the API on the project.
fn ask<'p>(policies: &[&'p Policy], account: Option<&Account>, permission: &str) -> Grant<'p> {
    let project = crate::name::Project::parse("demo-project").unwrap();
    let resource = Resource::Project(&project).for_conditions();
    let request = ConditionRequest { time: NOW, host: None, path: None, resource: &resource };
    granted(policies, &Realm::default(), account, permission, &request)
}

#[test]
fn a_grant_names_its_binding() {
    let policy = write(invoker(&["user:dev@example.com"])).unwrap();
    let dev = Account::new("dev@example.com");
    let other = Policy::default();
    let Grant::Granted { binding, member } = ask(&[&other, &policy], Some(&dev), RUN_INVOKE) else {
        panic!("not granted");
    };
    assert_eq!((&*binding.role, member), ("roles/run.invoker", "user:dev@example.com"));
    assert_eq!(ask(&[&policy], Some(&dev), "run.services.get"), Grant::Denied(Refusal::NoBinding));
    assert_eq!(ask(&[&policy], None, RUN_INVOKE), Grant::Denied(Refusal::NoBinding));
    assert!(!ask(&[], Some(&dev), RUN_INVOKE).is_granted());
}

#[test]
fn a_condition_that_is_not_met_grants_nothing() {
    let policy = write(conditional(3)).unwrap();
    let dev = Account::new("dev@example.com");
    let Grant::Denied(why) = ask(&[&policy], Some(&dev), RUN_INVOKE) else { panic!("granted") };
    assert_eq!(
        why.to_string(),
        "a binding for user:dev@example.com exists (roles/run.invoker) but its condition 'x' is not met: the \
         call has no request.path"
    );
    assert!(ask(&[&policy], Some(&dev), "run.services.get").is_granted());
}

#[test]
fn a_condition_must_compile_and_have_a_title() {
    let refused = |role: &str, condition: serde_json::Value| {
        let binding = json!({"role": role, "members": ["user:dev@example.com"], "condition": condition});
        let error = write(json!({"version": 3, "bindings": [binding]})).unwrap_err();
        (
            error.violations[0].field.replace("policy.bindings[0].condition", ""),
            error.violations[0].description.clone(),
        )
    };
    let invoker = |condition| refused("roles/run.invoker", condition);
    let (field, why) = invoker(json!({"title": "t", "expression": "request.path == "}));
    assert!(field == ".expression" && why.starts_with("1:17: Syntax error"), "{why}");
    let (field, why) = invoker(json!({"title": "t", "expression": "request.color"}));
    assert!(field == ".expression" && why.starts_with("1:9: undefined field 'color'"), "{why}");
    assert_eq!(invoker(json!({"expression": "true"})).0, ".title");
    assert_eq!(invoker(json!({"title": "t".repeat(101), "expression": "true"})).0, ".title");
    assert_eq!(
        invoker(json!({"title": "t", "description": "d".repeat(257), "expression": "true"})).0,
        ".description"
    );
    let (field, why) = refused("roles/viewer", json!({"title": "t", "expression": "true"}));
    assert_eq!((&*field, &*why), ("", "a binding of the basic role roles/viewer cannot have a condition."));
}

#[test]
fn a_custom_role_must_be_one_of_the_project() {
    let project = crate::name::Project::parse("demo-project").unwrap();
    let role = custom_role::CustomRole::create(
        &project,
        "mine",
        custom_role::RoleSpec::default(),
        uuid::Uuid::nil(),
        NOW,
    )
    .unwrap();
    let realm = Realm { roles: [(role.name(), role)].into(), ..Realm::default() };
    let check =
        |role: &str| realm.check_roles(&parse(json!({"bindings": [{"role": role}]})).unwrap(), &project);
    for good in ["roles/run.invoker", "projects/demo-project/roles/mine", "organizations/1/roles/x"] {
        assert!(check(good).is_ok(), "{good}");
    }
    for bad in ["projects/demo-project/roles/other", "projects/other/roles/mine"] {
        assert_eq!(
            check(bad).unwrap_err().message,
            format!("Role {bad} does not exist in the resource's hierarchy.")
        );
    }
}

proptest! {
    #[test]
    fn reading_any_json_never_panics(members in proptest::collection::vec(any::<String>(), 0..4), role in any::<String>(), etag in any::<String>()) {
        if let Ok(incoming) = parse(json!({"etag": etag, "bindings": [{"role": role, "members": members}]})) {
            let _ = Policy::default().replace(incoming, None, PolicyLevel::Project, NOW);
        }
    }

    #[test]
    fn an_etag_survives_both_alphabets(etag in proptest::collection::vec(any::<u8>(), 0..12)) {
        let policy = Policy { etag, ..Policy::default() };
        let text = policy.to_json()["etag"].as_str().unwrap().to_owned();
        let url_safe = text.replace('+', "-").replace('/', "_");
        prop_assert_eq!(&parse(json!({"etag": text})).unwrap().etag, &policy.etag);
        prop_assert_eq!(&parse(json!({"etag": url_safe})).unwrap().etag, &policy.etag);
    }
}
