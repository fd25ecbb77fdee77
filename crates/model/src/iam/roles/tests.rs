//! Are the roles those that Google documents?

use super::permissions::{GET_ACCESS_TOKEN, GET_OPEN_ID_TOKEN, SIGN};
use super::*;

#[test]
fn the_table_is_sorted_so_that_every_role_is_found() {
    assert!(ROLES.is_sorted_by(|a, b| a.id < b.id));
    for role in ROLES {
        assert_eq!(role_permissions(&role.name()), Some(role.permissions));
        let mut each = role.permissions.to_vec();
        each.sort_unstable();
        each.dedup();
        assert_eq!(each.len(), role.permissions.len(), "{} lists one twice", role.id);
    }
    assert_eq!(role_permissions("run.invoker"), None);
    assert_eq!(role_permissions("projects/p/roles/run.invoker"), None);
}

#[test]
fn the_roles_that_may_invoke_are_the_documented_ones() {
    let may = |role: &str| role_permissions(role).is_some_and(|held| held.contains(&RUN_INVOKE));
    for role in
        ["owner", "editor", "run.admin", "run.developer", "run.editor", "run.invoker", "run.servicesInvoker"]
    {
        assert!(may(&format!("roles/{role}")), "{role}");
    }
    for role in ["run.sourceDeveloper", "run.serviceAgent", "cloudfunctions.admin", "iam.devOps"] {
        assert!(may(&format!("roles/{role}")), "{role}");
    }
    for role in [
        "viewer",
        "run.viewer",
        "run.jobsExecutor",
        "run.jobsExecutorWithOverrides",
        "iam.serviceAccountUser",
    ] {
        assert!(!may(&format!("roles/{role}")), "{role}");
    }
    assert_eq!(role_permissions("roles/run.servicesInvoker"), Some([RUN_INVOKE].as_slice()));
}

#[test]
fn a_viewer_reads_mappings_and_logs_and_changes_none() {
    let holds = |role: &str, permission: &str| role_permissions(role).unwrap().contains(&permission);
    for (role, reads_logs, writes) in [
        ("roles/viewer", true, false),
        ("roles/run.viewer", false, false),
        ("roles/run.developer", false, true),
        ("roles/run.admin", false, true),
        ("roles/editor", true, true),
        ("roles/owner", true, true),
    ] {
        assert!(holds(role, "run.domainmappings.get") && holds(role, "run.domainmappings.list"), "{role}");
        assert_eq!(holds(role, "logging.logEntries.list"), reads_logs, "{role}");
        for permission in ["run.domainmappings.create", "run.domainmappings.delete"] {
            assert_eq!(holds(role, permission), writes, "{role} {permission}");
        }
    }
    assert!(holds("roles/logging.viewer", "logging.logEntries.list"));
}

#[test]
fn neither_owner_nor_editor_may_mint_tokens() {
    for role in ["roles/owner", "roles/editor"] {
        let held = role_permissions(role).unwrap();
        for permission in [GET_ACCESS_TOKEN, GET_OPEN_ID_TOKEN, SIGN].concat() {
            assert!(!held.contains(&permission), "{role} holds {permission}");
        }
        assert!(held.contains(&"iam.serviceAccounts.actAs"));
    }
    assert!(!role_permissions("roles/editor").unwrap().contains(&"run.services.setIamPolicy"));
}

#[test]
fn a_resource_has_the_roles_that_grant_something_on_it() {
    let on = |name: &str| grantable_roles(name).unwrap().iter().map(|role| role.id).collect::<Vec<_>>();
    let service = on("//run.googleapis.com/projects/p/locations/us-central1/services/s");
    assert!(service.contains(&"run.invoker") && !service.contains(&"owner"));
    assert!(!service.contains(&"iam.serviceAccountUser"));
    let account = on("//iam.googleapis.com/projects/p/serviceAccounts/a@p.iam.gserviceaccount.com");
    assert!(account.contains(&"iam.serviceAccountTokenCreator") && !account.contains(&"run.invoker"));
    assert_eq!(on("//cloudresourcemanager.googleapis.com/projects/p").len(), ROLES.len());
    assert_eq!(on("//127.0.0.1:8786/projects/p").len(), ROLES.len(), "as gcloud spells it");
    let testable = testable_permissions("//run.googleapis.com/projects/p/locations/l/services/s").unwrap();
    assert!(testable.contains(&RUN_INVOKE) && testable.is_sorted());
    assert!(testable.iter().all(|name| name.starts_with("run.")));
    for bad in ["", "projects/p", "//storage.googleapis.com/b", "//run.googleapis.com/"] {
        assert_eq!(grantable_roles(bad).unwrap_err().violations[0].field, "full_resource_name", "{bad}");
    }
}

#[test]
fn a_permission_of_an_emulated_api_must_be_known() {
    for good in ["run.routes.invoke", "iam.serviceAccounts.signJwt", "storage.objects.get", "a.b.cD"] {
        assert!(is_permission(good), "{good}");
    }
    for bad in ["run.routes.fly", "iam.serviceAccounts.x", "a.b", "a.b.c.d", "A.b.c", "a..c", "a.b.*", ""] {
        assert!(!is_permission(bad), "{bad}");
    }
}
