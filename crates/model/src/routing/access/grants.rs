//! Whom do some policies let invoke?

use std::borrow::Cow;

use super::members::{Members, has_group};
use crate::iam::grant::Prepared;
use crate::iam::{Binding, ConditionRequest, Policy, Principal, RUN_INVOKE, Realm, Refusal};

/// Who holds `run.routes.invoke` by some policies.
#[derive(Debug, Clone, Default)]
pub(super) struct Grants {
    members: Members,
    /// Whom bindings with a condition name, and the place of each in `near_misses`.
    conditional: Vec<(Members, usize)>,
    /// The bindings that may have been meant to grant it and do not always.
    near_misses: Vec<Prepared<'static>>,
}

impl Grants {
    /// What the union of `policies` grants.
    pub(super) fn new(policies: &[&Policy], realm: &Realm) -> Self {
        let mut grants = Self::default();
        for binding in policies.iter().flat_map(|policy| &policy.bindings) {
            grants.add(binding, realm);
        }
        grants
    }

    fn add(&mut self, binding: &Binding, realm: &Realm) {
        let carries = realm.carries(&binding.role, RUN_INVOKE);
        if carries == Some(false) {
            return;
        }
        let is_conditional = binding.condition.is_some();
        if carries.is_none() || is_conditional || has_group(binding) {
            self.near_misses.push(Prepared::new(Cow::Owned(binding.clone())));
        }
        if carries.is_none() {
            return;
        }
        if is_conditional {
            let mut members = Members::default();
            members.add(binding, realm);
            self.conditional.push((members, self.near_misses.len() - 1));
        } else {
            self.members.add(binding, realm);
        }
    }

    /// Whether anyone may invoke, without a credential too.
    pub(super) fn admit_all(&self, request: &ConditionRequest<'_>) -> bool {
        self.admit_whom(|members| members.all_users, request)
    }

    /// Whether `who`, who may act, may invoke.
    pub(super) fn admit(&self, who: &Principal<'_>, request: &ConditionRequest<'_>) -> bool {
        self.admit_whom(|members| members.name(who), request)
    }

    fn admit_whom(&self, names: impl Fn(&Members) -> bool, request: &ConditionRequest<'_>) -> bool {
        let is_met = |at: usize| self.near_misses.get(at).is_some_and(|known| known.unmet(request).is_none());
        names(&self.members) || self.conditional.iter().any(|(members, at)| names(members) && is_met(*at))
    }

    /// Why `who` may not invoke: the nearest miss.
    pub(super) fn refusal(
        &self,
        who: Option<&Principal<'_>>,
        realm: &Realm,
        request: &ConditionRequest<'_>,
    ) -> Refusal {
        Refusal::nearest(&self.near_misses, who, RUN_INVOKE, realm, request)
    }
}
