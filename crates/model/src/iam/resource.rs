//! On what is a permission asked for?

use super::ConditionResource;
use crate::account::Account;
use crate::name::{Project, ServiceId};

/// What a permission is asked for. A policy of its own stands on each kind but [`Resource::Part`]; the
/// policy of the project is inherited by all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// A project, and what is listed or created in it.
    Project(&'a Project),
    /// A resource of Cloud Run that has no policy of its own: a revision, an operation, a domain mapping.
    Part {
        /// The project that it is in.
        project: &'a Project,
        /// Its collection in the API: `revisions`.
        collection: &'a str,
        /// Its short name.
        name: &'a str,
    },
    /// A service.
    Service(&'a ServiceId),
    /// A service account.
    ServiceAccount {
        /// The project that owns it.
        project: &'a Project,
        /// The account.
        account: &'a Account,
    },
}

/// How an API spells the name of a resource of Cloud Run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// `projects/P/locations/L/services/S`.
    #[default]
    Projects,
    /// `namespaces/P/services/S`, in the Knative API.
    Namespaces,
}

impl Resource<'_> {
    /// The project whose policy is inherited.
    pub fn project(&self) -> &Project {
        match self {
            Self::Project(project) | Self::Part { project, .. } | Self::ServiceAccount { project, .. } => {
                project
            }
            Self::Service(id) => &id.project,
        }
    }

    /// What a condition sees of it, as documented:
    /// <https://cloud.google.com/iam/docs/conditions-resource-attributes>.
    pub fn for_conditions(&self) -> ConditionResource {
        let (service, kind) = match self {
            Self::Project(_) => {
                ("cloudresourcemanager.googleapis.com", "cloudresourcemanager.googleapis.com/Project")
            }
            Self::Service(_) => ("run.googleapis.com", "run.googleapis.com/Service"),
            Self::Part { collection, .. } => ("run.googleapis.com", part_kind(collection)),
            Self::ServiceAccount { .. } => ("iam.googleapis.com", "iam.googleapis.com/ServiceAccount"),
        };
        ConditionResource { name: self.spelled(Naming::Projects).into(), service, kind }
    }

    /// The name, for a refusal.
    pub fn spelled(&self, naming: Naming) -> String {
        let project = &self.project().id;
        match (self, naming) {
            (Self::Project(_), Naming::Projects) => format!("projects/{project}"),
            (Self::Project(_), Naming::Namespaces) => format!("namespaces/{project}"),
            (Self::Part { collection, name, .. }, Naming::Projects) => {
                format!("projects/{project}/{collection}/{name}")
            }
            (Self::Part { collection, name, .. }, Naming::Namespaces) => {
                format!("namespaces/{project}/{collection}/{name}")
            }
            (Self::Service(id), Naming::Projects) => id.to_string(),
            (Self::Service(id), Naming::Namespaces) => format!("namespaces/{project}/services/{}", id.name),
            (Self::ServiceAccount { account, .. }, _) => {
                format!("projects/{project}/serviceAccounts/{}", account.email)
            }
        }
    }
}

fn part_kind(collection: &str) -> &'static str {
    match collection {
        "revisions" => "run.googleapis.com/Revision",
        "operations" => "run.googleapis.com/Operation",
        "domainmappings" => "run.googleapis.com/DomainMapping",
        _ => "run.googleapis.com/Resource",
    }
}
