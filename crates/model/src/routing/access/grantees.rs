//! Whom does a policy let invoke, and from when on?

use super::grants::Grants;
use crate::iam::{Policy, PolicyHistory, Realm, eras};
use crate::time::Timestamp;

/// Who holds `run.routes.invoke` by one policy and by what it replaced a short time ago, ready to be looked
/// up. All services of a project share that of the project.
#[derive(Debug, Clone)]
pub struct Grantees {
    /// What counts from which moment on, the first from the beginning of time.
    eras: Box<[(Timestamp, Grants)]>,
    has_conditions: bool,
}

impl Grantees {
    /// Who they are by `history`, where a change takes `delay` seconds to count; `realm` says whom the
    /// members mean and what the roles hold.
    pub fn new(history: &PolicyHistory, delay: i64, realm: &Realm) -> Self {
        let era = |(from, policies): (Timestamp, Vec<&Policy>)| {
            let grants = policies.first().map(|policy| Grants::new(policy, realm));
            (from, grants.unwrap_or_default())
        };
        Self {
            eras: eras(&[history], delay).into_iter().map(era).collect(),
            has_conditions: history.current.has_conditions(),
        }
    }

    /// What counts at `moment`.
    pub(super) fn at(&self, moment: Timestamp) -> Option<&Grants> {
        self.eras.iter().rev().find(|(from, _)| *from <= moment).map(|(_, grants)| grants)
    }

    /// The moments at which something begins to count.
    pub(super) fn moments(&self) -> impl Iterator<Item = Timestamp> {
        self.eras.iter().map(|(from, _)| *from)
    }

    /// Whether a condition has to be asked about some call.
    pub(super) fn ask(&self) -> bool {
        self.eras.iter().any(|(_, grants)| grants.ask())
    }

    /// Whether a binding of the policy has a condition.
    pub(super) fn has_conditions(&self) -> bool {
        self.has_conditions
    }
}
