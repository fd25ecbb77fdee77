//! Who may call every service of a project?
//!
//! The answer is prepared once for each policy of a project and shared by all routes: for each service anew
//! it would cost most of what a route costs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use groundrun_model::iam::{PolicyHistory, Realm};
use groundrun_model::routing::Grantees;
use groundrun_model::{Project, ProjectId, Result};

use crate::Engine;

/// What was prepared last, by project.
#[derive(Debug, Default)]
pub(crate) struct Inherited(Mutex<HashMap<ProjectId, Prepared>>);

#[derive(Debug)]
struct Prepared {
    /// From what it was.
    history: PolicyHistory,
    realm: Arc<Realm>,
    grantees: Arc<Grantees>,
}

impl Engine {
    /// Who may call every service of the project, by its policy as it is stored now and in this realm.
    pub(crate) async fn inherited(&self, project: &Project, realm: &Arc<Realm>) -> Result<Arc<Grantees>> {
        let history = self.project_policy_history(project).await?;
        let mut known = self.0.inherited.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&project.id)
            && Arc::ptr_eq(&known.realm, realm)
            && known.history == history
        {
            return Ok(Arc::clone(&known.grantees));
        }
        let grantees = Grantees::new(&history, self.0.config.iam_propagation_seconds, realm);
        let grantees = Arc::new(grantees);
        let prepared = Prepared { history, realm: Arc::clone(realm), grantees: Arc::clone(&grantees) };
        known.insert(project.id.clone(), prepared);
        Ok(grantees)
    }
}
