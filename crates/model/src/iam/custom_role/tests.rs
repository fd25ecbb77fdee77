//! Does a custom role change, conflict and count as documented?

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_786_872_223_639_166);

fn spec(permissions: &[&str]) -> RoleSpec {
    RoleSpec {
        included_permissions: permissions.iter().map(ToString::to_string).collect(),
        ..RoleSpec::default()
    }
}

fn create(id: &str, spec: RoleSpec) -> Result<CustomRole> {
    CustomRole::create(&Project::parse("demo-project").unwrap(), id, spec, Uuid::nil(), NOW)
}

#[test]
fn it_carries_what_it_includes_until_it_is_deleted_or_disabled() {
    let role =
        create("callers", spec(&["run.services.get", "run.routes.invoke", "run.routes.invoke"])).unwrap();
    assert_eq!(role.spec.included_permissions, ["run.routes.invoke", "run.services.get"]);
    assert!(role.carries("run.routes.invoke") && !role.carries("run.services.list"));
    let gone = role.with_deleted(true, &role.etag(), NOW).unwrap();
    assert!(!gone.carries("run.routes.invoke") && gone.to_json(true)["deleted"] == true);
    assert!(gone.with_deleted(true, "", NOW).is_err() && gone.with_spec(spec(&[]), "", NOW).is_err());
    assert!(gone.with_deleted(false, "", NOW).unwrap().carries("run.routes.invoke"));
    let disabled = RoleSpec { stage: Stage::Disabled, ..role.spec.clone() };
    assert!(!role.with_spec(disabled, "", NOW).unwrap().carries("run.routes.invoke"));
    assert_eq!(CustomRole::from_record(gone.to_record().unwrap()).unwrap(), gone);
}

#[test]
fn a_write_against_an_older_etag_conflicts() {
    let role = create("callers", spec(&[])).unwrap();
    let next = role.with_spec(RoleSpec { title: "t".to_owned(), ..spec(&[]) }, &role.etag(), NOW).unwrap();
    assert_ne!(next.etag(), role.etag(), "the etag moves even if the clock does not");
    assert_eq!(next.with_spec(spec(&[]), &role.etag(), NOW), Err(Error::policy_conflict()));
    assert_eq!(next.with_deleted(true, &role.etag(), NOW), Err(Error::policy_conflict()));
}

#[test]
fn ids_and_permissions_are_checked() {
    for id in ["ab", "a-b-c", "a/b", "", &"a".repeat(65)] {
        assert_eq!(create(id, spec(&[])).unwrap_err().violations[0].field, "role_id", "{id}");
    }
    for bad in ["run.routes.nonsense", "iam.serviceAccounts.everything", "run.*", "nonsense"] {
        let error = create("abc", spec(&[bad])).unwrap_err();
        assert_eq!(error.message, format!("Permission {bad} is not valid."));
    }
    assert!(create("abc", spec(&["storage.objects.get"])).is_ok(), "what is not emulated is not judged");
    let long = RoleSpec { title: "t".repeat(101), ..spec(&[]) };
    assert_eq!(create("abc", long).unwrap_err().violations[0].field, "role.title");
}

#[test]
fn a_mask_says_what_changes() {
    let old = RoleSpec { title: "old".to_owned(), stage: Stage::Ga, ..spec(&["run.services.get"]) };
    let given = RoleSpec { title: "new".to_owned(), ..RoleSpec::default() };
    assert_eq!(old.masked(given.clone(), "").unwrap(), RoleSpec { title: "new".to_owned(), ..old.clone() });
    let emptied = old.masked(given.clone(), "includedPermissions,stage").unwrap();
    assert_eq!(emptied, RoleSpec { title: "old".to_owned(), ..RoleSpec::default() });
    assert_eq!(old.masked(given, "name,x").unwrap_err().violations[0].field, "updateMask");
}
