//! Which roles are there, and what does each hold?

use super::Role;
use super::permissions::{
    ACCOUNT_ADMIN, ACCOUNT_CREATOR, ACCOUNT_DELETER, ACCOUNT_USER, ACCOUNT_VIEWER, EDITOR, GET_OPEN_ID_TOKEN,
    INVOKE_ONLY, INVOKER, JOBS_OVERRIDES, KEY_ADMIN, OWNER, PROJECT_ADMIN, READ_LOGS, ROLE_ADMIN,
    ROLE_VIEWER, RUN_ADMIN, RUN_AGENT, RUN_DEVELOPER, RUN_JOBS, RUN_VIEWER, TOKEN_CREATOR, VIEWER,
    WORKLOAD_USER,
};

macro_rules! is_partial {
    (whole) => {
        false
    };
    (part) => {
        true
    };
}

macro_rules! roles {
    ($($id:literal $title:literal, $description:literal => $whole:ident $permissions:expr;)+) => {
        /// Every predefined role that is known here, sorted by id.
        pub static ROLES: &[Role] = &[$(Role {
            id: $id,
            title: $title,
            description: $description,
            is_partial: is_partial!($whole),
            permissions: $permissions,
        }),+];
    };
}

// `whole` marks a role whose permissions are all listed; of a role that is `part` only those are that
// matter to what groundrun emulates.
roles! {
    "aiplatform.serviceAgent" "Vertex AI Service Agent", "Runs Vertex AI." => part INVOKE_ONLY;
    "ces.serviceAgent" "Customer Engagement Suite Service Agent", "Runs Customer Engagement Suite." => part INVOKE_ONLY;
    "cloudfunctions.admin" "Cloud Functions Admin", "Full control of Cloud Functions." => part INVOKE_ONLY;
    "cloudfunctions.developer" "Cloud Functions Developer", "Changes Cloud Functions." => part INVOKE_ONLY;
    "cloudfunctions.editor" "Cloud Functions Editor", "Changes Cloud Functions." => part INVOKE_ONLY;
    "cloudfunctions.serviceAgent" "Cloud Functions Service Agent", "Runs Cloud Functions." => part INVOKE_ONLY;
    "dialogflow.serviceAgent" "Dialogflow Service Agent", "Runs Dialogflow." => part INVOKE_ONLY;
    "editor" "Editor", "Views and changes most resources." => part EDITOR;
    "firebase.admin" "Firebase Admin", "Full control of Firebase." => part INVOKE_ONLY;
    "firebase.developAdmin" "Firebase Develop Admin", "Full control of the development products of Firebase." => part INVOKE_ONLY;
    "firebaseapphosting.serviceAgent" "Firebase App Hosting Service Agent", "Runs Firebase App Hosting." => part INVOKE_ONLY;
    "firebasedataconnect.serviceAgent" "Firebase Data Connect Service Agent", "Runs Firebase Data Connect." => part INVOKE_ONLY;
    "iam.dataScientist" "Data Scientist", "The tools of a data scientist." => part INVOKE_ONLY;
    "iam.devOps" "DevOps", "The tools of an engineer in operations." => part INVOKE_ONLY;
    "iam.mlEngineer" "ML Engineer", "The tools of an engineer of machine learning." => part INVOKE_ONLY;
    "iam.roleAdmin" "Role Administrator", "Creates and changes custom roles of a project." => whole ROLE_ADMIN;
    "iam.roleViewer" "Role Viewer", "Reads custom roles of a project." => whole ROLE_VIEWER;
    "iam.serviceAccountAdmin" "Service Account Admin", "Creates and manages service accounts." => part ACCOUNT_ADMIN;
    "iam.serviceAccountCreator" "Create Service Accounts", "Creates service accounts." => whole ACCOUNT_CREATOR;
    "iam.serviceAccountDeleter" "Delete Service Accounts", "Deletes service accounts." => whole ACCOUNT_DELETER;
    "iam.serviceAccountKeyAdmin" "Service Account Key Admin", "Creates and manages keys of service accounts." => whole KEY_ADMIN;
    "iam.serviceAccountOpenIdTokenCreator" "Service Account OpenID Connect Identity Token Creator", "Mints ID tokens of service accounts." => whole GET_OPEN_ID_TOKEN;
    "iam.serviceAccountTokenCreator" "Service Account Token Creator", "Mints tokens of service accounts and signs in their name." => whole TOKEN_CREATOR;
    "iam.serviceAccountUser" "Service Account User", "Runs operations as a service account." => whole ACCOUNT_USER;
    "iam.serviceAccountViewer" "View Service Accounts", "Reads service accounts, their policies and keys." => part ACCOUNT_VIEWER;
    "iam.workloadIdentityUser" "Workload Identity User", "Lets workloads act as a service account." => whole WORKLOAD_USER;
    "integrations.serviceAgent" "Application Integration Service Agent", "Runs Application Integration." => part INVOKE_ONLY;
    "logging.viewer" "Logs Viewer", "Reads logs." => part READ_LOGS;
    "monitoring.notificationServiceAgent" "Monitoring Service Agent", "Sends the notifications of Monitoring." => part INVOKE_ONLY;
    "owner" "Owner", "Full control of most resources." => part OWNER;
    "resourcemanager.projectIamAdmin" "Project IAM Admin", "Manages the policies of projects." => part PROJECT_ADMIN;
    "run.admin" "Cloud Run Admin", "Full control of all resources of Cloud Run." => part RUN_ADMIN;
    "run.developer" "Cloud Run Developer", "Reads and writes all resources of Cloud Run." => part RUN_DEVELOPER;
    "run.editor" "Cloud Run Editor", "Reads and writes all resources of Cloud Run." => part RUN_DEVELOPER;
    "run.invoker" "Cloud Run Invoker", "Invokes services and instances, and executes jobs." => whole INVOKER;
    "run.jobsExecutor" "Cloud Run Jobs Executor", "Executes and cancels jobs." => whole RUN_JOBS;
    "run.jobsExecutorWithOverrides" "Cloud Run Jobs Executor With Overrides", "Executes jobs, also with other arguments, and cancels them." => whole JOBS_OVERRIDES;
    "run.serviceAgent" "Cloud Run Service Agent", "Runs Cloud Run." => part RUN_AGENT;
    "run.servicesInvoker" "Cloud Run Service Invoker", "Invokes services." => whole INVOKE_ONLY;
    "run.sourceDeveloper" "Cloud Run Source Developer", "Deploys from source." => part RUN_DEVELOPER;
    "run.sourceViewer" "Cloud Run Source Viewer", "Reads what was deployed from source." => part RUN_VIEWER;
    "run.viewer" "Cloud Run Viewer", "Reads all resources of Cloud Run." => part RUN_VIEWER;
    "spanner.serviceAgent" "Cloud Spanner API Service Agent", "Runs Spanner." => part INVOKE_ONLY;
    "viewer" "Viewer", "Reads most resources." => part VIEWER;
    "visionai.serviceAgent" "Vision AI Service Agent", "Runs Vision AI." => part INVOKE_ONLY;
}
