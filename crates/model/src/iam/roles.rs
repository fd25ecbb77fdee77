//! Which permissions does a role hold?
//!
//! Only the permissions that groundrun checks are listed. The lists follow Google's published role data:
//! <https://cloud.google.com/iam/docs/roles-permissions/run>.

/// The permission that a caller of a service needs.
pub const RUN_INVOKE: &str = "run.routes.invoke";

/// The permissions of `role`; `None` if it is not in the table, as custom roles are not yet.
pub fn role_permissions(role: &str) -> Option<&'static [&'static str]> {
    let name = role.strip_prefix("roles/")?;
    let at = ROLES.binary_search_by_key(&name, |row| row.0).ok()?;
    Some(ROLES[at].1)
}

/// Joins lists while compiling. `N` is the sum of their lengths.
const fn join<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let mut joined = [""; N];
    let (mut at, mut list) = (0, 0);
    while list < lists.len() {
        let mut item = 0;
        while item < lists[list].len() {
            joined[at] = lists[list][item];
            at += 1;
            item += 1;
        }
        list += 1;
    }
    joined
}

macro_rules! union {
    ($($name:ident = $($list:ident)+;)*) => {
        $(const $name: &[&str] = &join::<{ 0 $(+ $list.len())+ }>(&[$($list),+]);)*
    };
}

/// Reading what Cloud Run shows.
const READ: &[&str] = &[
    "run.configurations.get",
    "run.configurations.list",
    "run.domainmappings.get",
    "run.domainmappings.list",
    "run.jobs.get",
    "run.jobs.list",
    "run.locations.list",
    "run.operations.get",
    "run.operations.list",
    "run.revisions.get",
    "run.revisions.list",
    "run.routes.get",
    "run.routes.list",
    "run.services.get",
    "run.services.getIamPolicy",
    "run.services.list",
];

/// Changing services, but not who may use them.
const WRITE: &[&str] = &[
    "run.domainmappings.create",
    "run.domainmappings.delete",
    "run.jobs.create",
    "run.jobs.delete",
    "run.jobs.update",
    "run.operations.delete",
    "run.revisions.delete",
    "run.services.create",
    "run.services.delete",
    "run.services.update",
];

/// Reading what services and instances have written.
const READ_LOGS: &[&str] = &["logging.logEntries.list"];

const INVOKE_ONLY: &[&str] = &[RUN_INVOKE];
const RUN_JOBS: &[&str] = &["run.executions.cancel", "run.jobs.run"];
const RUN_JOBS_OVERRIDES: &[&str] = &["run.jobs.runWithOverrides"];
const INVOKER: &[&str] = &["run.instances.invoke", "run.jobs.run", RUN_INVOKE];
const SET_RUN_POLICY: &[&str] = &["run.jobs.setIamPolicy", "run.services.setIamPolicy"];

const READ_PROJECT: &[&str] = &["resourcemanager.projects.get"];
const READ_PROJECT_POLICY: &[&str] = &["resourcemanager.projects.getIamPolicy"];
const SET_PROJECT_POLICY: &[&str] = &["resourcemanager.projects.setIamPolicy"];

const READ_ACCOUNTS: &[&str] = &["iam.serviceAccounts.get", "iam.serviceAccounts.list"];
const ACT_AS: &[&str] = &["iam.serviceAccounts.actAs"];
const WRITE_ACCOUNTS: &[&str] = &[
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.delete",
    "iam.serviceAccounts.disable",
    "iam.serviceAccounts.enable",
    "iam.serviceAccounts.undelete",
    "iam.serviceAccounts.update",
];
const ACCOUNT_POLICY: &[&str] = &["iam.serviceAccounts.getIamPolicy", "iam.serviceAccounts.setIamPolicy"];
const ACCOUNT_KEYS: &[&str] = &[
    "iam.serviceAccountKeys.create",
    "iam.serviceAccountKeys.delete",
    "iam.serviceAccountKeys.get",
    "iam.serviceAccountKeys.list",
];
const GET_OPEN_ID_TOKEN: &[&str] = &["iam.serviceAccounts.getOpenIdToken"];
const GET_ACCESS_TOKEN: &[&str] = &["iam.serviceAccounts.getAccessToken"];
const SIGN: &[&str] = &[
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
];

union! {
    RUN_VIEWER = READ READ_PROJECT;
    RUN_DEVELOPER = READ WRITE INVOKER RUN_JOBS RUN_JOBS_OVERRIDES READ_PROJECT;
    RUN_ADMIN = RUN_DEVELOPER SET_RUN_POLICY;
    RUN_AGENT = INVOKE_ONLY ACT_AS READ_ACCOUNTS GET_ACCESS_TOKEN GET_OPEN_ID_TOKEN SIGN;
    JOBS_OVERRIDES = RUN_JOBS RUN_JOBS_OVERRIDES;
    VIEWER = RUN_VIEWER READ_PROJECT_POLICY READ_ACCOUNTS READ_LOGS;
    EDITOR = RUN_DEVELOPER READ_PROJECT_POLICY READ_ACCOUNTS READ_LOGS ACT_AS WRITE_ACCOUNTS ACCOUNT_KEYS;
    // Not even an owner may mint tokens of a service account without being given the right.
    OWNER = EDITOR SET_RUN_POLICY SET_PROJECT_POLICY ACCOUNT_POLICY;
    ACCOUNT_ADMIN = READ_ACCOUNTS WRITE_ACCOUNTS ACCOUNT_POLICY;
    ACCOUNT_USER = READ_ACCOUNTS ACT_AS;
    TOKEN_CREATOR = READ_ACCOUNTS GET_ACCESS_TOKEN GET_OPEN_ID_TOKEN SIGN;
    WORKLOAD_USER = READ_ACCOUNTS GET_ACCESS_TOKEN GET_OPEN_ID_TOKEN;
    PROJECT_ADMIN = READ_PROJECT READ_PROJECT_POLICY SET_PROJECT_POLICY;
}

/// Role names without `roles/`, sorted.
static ROLES: &[(&str, &[&str])] = &[
    ("aiplatform.serviceAgent", INVOKE_ONLY),
    ("ces.serviceAgent", INVOKE_ONLY),
    ("cloudfunctions.admin", INVOKE_ONLY),
    ("cloudfunctions.developer", INVOKE_ONLY),
    ("cloudfunctions.editor", INVOKE_ONLY),
    ("cloudfunctions.serviceAgent", INVOKE_ONLY),
    ("dialogflow.serviceAgent", INVOKE_ONLY),
    ("editor", EDITOR),
    ("firebase.admin", INVOKE_ONLY),
    ("firebase.developAdmin", INVOKE_ONLY),
    ("firebaseapphosting.serviceAgent", INVOKE_ONLY),
    ("firebasedataconnect.serviceAgent", INVOKE_ONLY),
    ("iam.dataScientist", INVOKE_ONLY),
    ("iam.devOps", INVOKE_ONLY),
    ("iam.mlEngineer", INVOKE_ONLY),
    ("iam.serviceAccountAdmin", ACCOUNT_ADMIN),
    ("iam.serviceAccountKeyAdmin", ACCOUNT_KEYS),
    ("iam.serviceAccountOpenIdTokenCreator", GET_OPEN_ID_TOKEN),
    ("iam.serviceAccountTokenCreator", TOKEN_CREATOR),
    ("iam.serviceAccountUser", ACCOUNT_USER),
    ("iam.workloadIdentityUser", WORKLOAD_USER),
    ("integrations.serviceAgent", INVOKE_ONLY),
    ("logging.viewer", READ_LOGS),
    ("monitoring.notificationServiceAgent", INVOKE_ONLY),
    ("owner", OWNER),
    ("resourcemanager.projectIamAdmin", PROJECT_ADMIN),
    ("run.admin", RUN_ADMIN),
    ("run.developer", RUN_DEVELOPER),
    ("run.editor", RUN_DEVELOPER),
    ("run.invoker", INVOKER),
    ("run.jobsExecutor", RUN_JOBS),
    ("run.jobsExecutorWithOverrides", JOBS_OVERRIDES),
    ("run.serviceAgent", RUN_AGENT),
    ("run.servicesInvoker", INVOKE_ONLY),
    ("run.sourceDeveloper", RUN_DEVELOPER),
    ("run.viewer", RUN_VIEWER),
    ("spanner.serviceAgent", INVOKE_ONLY),
    ("viewer", VIEWER),
    ("visionai.serviceAgent", INVOKE_ONLY),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_role_is_found() {
        assert!(ROLES.is_sorted_by(|a, b| a.0 < b.0));
        for (name, permissions) in ROLES {
            assert_eq!(role_permissions(&format!("roles/{name}")), Some(*permissions));
        }
        assert_eq!(role_permissions("run.invoker"), None);
        assert_eq!(role_permissions("projects/p/roles/run.invoker"), None);
    }

    #[test]
    fn the_roles_that_may_invoke_are_the_documented_ones() {
        let may = |role: &str| role_permissions(role).is_some_and(|held| held.contains(&RUN_INVOKE));
        for role in [
            "owner",
            "editor",
            "run.admin",
            "run.developer",
            "run.editor",
            "run.invoker",
            "run.servicesInvoker",
        ] {
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
            assert!(
                holds(role, "run.domainmappings.get") && holds(role, "run.domainmappings.list"),
                "{role}"
            );
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
}
