//! Which permissions go together?
//!
//! The lists follow Google's published role data: <https://cloud.google.com/iam/docs/roles-permissions/run>
//! and <https://cloud.google.com/iam/docs/roles-permissions/iam>.

/// The permission that a caller of a service needs.
pub const RUN_INVOKE: &str = "run.routes.invoke";

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
        $(pub(super) const $name: &[&str] = &join::<{ 0 $(+ $list.len())+ }>(&[$($list),+]);)*
    };
}

/// Reading what Cloud Run shows.
const READ: &[&str] = &[
    "run.configurations.get",
    "run.configurations.list",
    "run.domainmappings.get",
    "run.domainmappings.list",
    "run.executions.get",
    "run.executions.list",
    "run.instances.get",
    "run.instances.list",
    "run.jobs.get",
    "run.jobs.getIamPolicy",
    "run.jobs.list",
    "run.jobs.listEffectiveTags",
    "run.jobs.listTagBindings",
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
    "run.services.listEffectiveTags",
    "run.services.listTagBindings",
    "run.tasks.get",
    "run.tasks.list",
    "run.workerpools.get",
    "run.workerpools.getIamPolicy",
    "run.workerpools.list",
    "run.workerpools.listEffectiveTags",
    "run.workerpools.listTagBindings",
];

/// Changing what Cloud Run runs, but not who may use it.
const WRITE: &[&str] = &[
    "run.domainmappings.create",
    "run.domainmappings.delete",
    "run.executions.delete",
    "run.instances.create",
    "run.instances.delete",
    "run.instances.start",
    "run.instances.stop",
    "run.jobs.create",
    "run.jobs.delete",
    "run.jobs.update",
    "run.operations.delete",
    "run.revisions.delete",
    "run.services.create",
    "run.services.delete",
    "run.services.update",
    "run.workerpools.create",
    "run.workerpools.delete",
    "run.workerpools.update",
];

/// Binding tags of the organization.
const TAG: &[&str] = &[
    "run.jobs.createTagBinding",
    "run.jobs.deleteTagBinding",
    "run.services.createTagBinding",
    "run.services.deleteTagBinding",
    "run.workerpools.createTagBinding",
    "run.workerpools.deleteTagBinding",
];

/// Reading what services and instances have written.
pub(super) const READ_LOGS: &[&str] = &["logging.logEntries.list"];

pub(super) const INVOKE_ONLY: &[&str] = &[RUN_INVOKE];
pub(super) const RUN_JOBS: &[&str] = &["run.executions.cancel", "run.jobs.run"];
const CANCEL: &[&str] = &["run.executions.cancel"];
const RUN_JOBS_OVERRIDES: &[&str] = &["run.jobs.runWithOverrides"];
pub(super) const INVOKER: &[&str] = &["run.instances.invoke", "run.jobs.run", RUN_INVOKE];
const SET_RUN_POLICY: &[&str] =
    &["run.jobs.setIamPolicy", "run.services.setIamPolicy", "run.workerpools.setIamPolicy"];

const READ_PROJECT: &[&str] = &["resourcemanager.projects.get"];
const LIST_PROJECTS: &[&str] = &["resourcemanager.projects.list"];
const READ_PROJECT_POLICY: &[&str] = &["resourcemanager.projects.getIamPolicy"];
const SET_PROJECT_POLICY: &[&str] = &["resourcemanager.projects.setIamPolicy"];

const READ_ROLES: &[&str] = &["iam.roles.get", "iam.roles.list"];
const WRITE_ROLES: &[&str] =
    &["iam.roles.create", "iam.roles.delete", "iam.roles.undelete", "iam.roles.update"];

const READ_ACCOUNTS: &[&str] = &["iam.serviceAccounts.get", "iam.serviceAccounts.list"];
const ACT_AS: &[&str] = &["iam.serviceAccounts.actAs"];
const CREATE_ACCOUNTS: &[&str] = &["iam.serviceAccounts.create"];
const DELETE_ACCOUNTS: &[&str] = &["iam.serviceAccounts.delete"];
const CHANGE_ACCOUNTS: &[&str] = &[
    "iam.serviceAccounts.disable",
    "iam.serviceAccounts.enable",
    "iam.serviceAccounts.undelete",
    "iam.serviceAccounts.update",
];
const READ_ACCOUNT_POLICY: &[&str] = &["iam.serviceAccounts.getIamPolicy"];
const SET_ACCOUNT_POLICY: &[&str] = &["iam.serviceAccounts.setIamPolicy"];
const READ_KEYS: &[&str] = &["iam.serviceAccountKeys.get", "iam.serviceAccountKeys.list"];
const WRITE_KEYS: &[&str] = &[
    "iam.serviceAccountKeys.create",
    "iam.serviceAccountKeys.delete",
    "iam.serviceAccountKeys.disable",
    "iam.serviceAccountKeys.enable",
];
pub(super) const GET_OPEN_ID_TOKEN: &[&str] = &["iam.serviceAccounts.getOpenIdToken"];
pub(super) const GET_ACCESS_TOKEN: &[&str] = &["iam.serviceAccounts.getAccessToken"];
pub(super) const SIGN: &[&str] = &[
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
];

union! {
    PROJECT = READ_PROJECT LIST_PROJECTS;
    RUN_VIEWER = READ PROJECT;
    RUN_DEVELOPER = READ WRITE INVOKER CANCEL RUN_JOBS_OVERRIDES PROJECT;
    RUN_ADMIN = RUN_DEVELOPER TAG SET_RUN_POLICY;
    RUN_AGENT = INVOKE_ONLY ACT_AS READ_ACCOUNTS GET_ACCESS_TOKEN GET_OPEN_ID_TOKEN SIGN;
    JOBS_OVERRIDES = RUN_JOBS RUN_JOBS_OVERRIDES;
    VIEWER = RUN_VIEWER READ_PROJECT_POLICY READ_ACCOUNTS READ_ACCOUNT_POLICY READ_KEYS READ_ROLES READ_LOGS;
    EDITOR = RUN_DEVELOPER TAG READ_PROJECT_POLICY READ_ACCOUNTS READ_ACCOUNT_POLICY READ_KEYS READ_ROLES
        READ_LOGS ACT_AS CREATE_ACCOUNTS DELETE_ACCOUNTS CHANGE_ACCOUNTS WRITE_KEYS;
    // Not even an owner may mint tokens of a service account without being given the right.
    OWNER = EDITOR SET_RUN_POLICY SET_PROJECT_POLICY SET_ACCOUNT_POLICY WRITE_ROLES;
    ACCOUNT_ADMIN = READ_ACCOUNTS CREATE_ACCOUNTS DELETE_ACCOUNTS CHANGE_ACCOUNTS READ_ACCOUNT_POLICY
        SET_ACCOUNT_POLICY PROJECT;
    ACCOUNT_CREATOR = READ_ACCOUNTS CREATE_ACCOUNTS PROJECT;
    ACCOUNT_DELETER = READ_ACCOUNTS DELETE_ACCOUNTS PROJECT;
    ACCOUNT_USER = READ_ACCOUNTS ACT_AS PROJECT;
    ACCOUNT_VIEWER = READ_ACCOUNTS READ_ACCOUNT_POLICY READ_KEYS PROJECT;
    KEY_ADMIN = READ_ACCOUNTS READ_KEYS WRITE_KEYS PROJECT;
    TOKEN_CREATOR = READ_ACCOUNTS GET_ACCESS_TOKEN GET_OPEN_ID_TOKEN SIGN PROJECT;
    WORKLOAD_USER = READ_ACCOUNTS GET_ACCESS_TOKEN GET_OPEN_ID_TOKEN;
    ROLE_ADMIN = READ_ROLES WRITE_ROLES READ_PROJECT READ_PROJECT_POLICY;
    ROLE_VIEWER = READ_ROLES READ_PROJECT READ_PROJECT_POLICY;
    PROJECT_ADMIN = READ_PROJECT READ_PROJECT_POLICY SET_PROJECT_POLICY;
}
