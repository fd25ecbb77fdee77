//! Whom does one policy let invoke?

use std::borrow::Cow;

use super::members::{Conditional, Members, has_group, named};
use crate::iam::grant::Prepared;
use crate::iam::{Binding, ConditionRequest, Policy, Principal, RUN_INVOKE, Realm};

/// Who holds `run.routes.invoke` by one policy.
#[derive(Debug, Clone, Default)]
pub(super) struct Grants {
    members: Members,
    /// Whom bindings with a condition name, and the place of each in `near_misses`.
    conditional: Option<Box<Conditional>>,
    /// The bindings that may have been meant to grant it and do not always.
    near_misses: Box<[Prepared<'static>]>,
}

impl Grants {
    /// What `policy` grants.
    pub(super) fn new(policy: &Policy, realm: &Realm) -> Self {
        let (mut always, mut conditional, mut near_misses) = (Vec::new(), Conditional::default(), Vec::new());
        for binding in &policy.bindings {
            let carries = realm.carries(&binding.role, RUN_INVOKE);
            if carries == Some(false) {
                continue;
            }
            let is_conditional = binding.condition.is_some();
            let place = u32::try_from(near_misses.len()).unwrap_or(u32::MAX);
            if carries.is_none() || is_conditional || has_group(binding) {
                near_misses.push(Prepared::new(Cow::<Binding>::Owned(binding.clone())));
            }
            match (carries, is_conditional) {
                (None, _) => {}
                (_, true) => conditional.add(place, named(binding, realm)),
                (_, false) => always.extend(named(binding, realm)),
            }
        }
        let has_conditions = near_misses.iter().any(|known| known.binding.condition.is_some());
        Self {
            members: always.into_iter().collect(),
            conditional: has_conditions.then(|| Box::new(conditional)),
            near_misses: near_misses.into(),
        }
    }

    /// Whether a condition has to be asked about some caller.
    pub(super) fn ask(&self) -> bool {
        self.conditional.is_some()
    }

    /// Whether anyone may invoke, without a credential too.
    pub(super) fn admit_all(&self, request: &ConditionRequest<'_>) -> bool {
        let mut conditional = self.conditional.iter().flat_map(|conditional| conditional.naming_all());
        self.members.all_users || conditional.any(|place| self.is_met(place, request))
    }

    /// Whether `who`, who may act, may invoke.
    pub(super) fn admit(&self, who: &Principal<'_>, request: &ConditionRequest<'_>) -> bool {
        let mut conditional = self.conditional.iter().flat_map(|conditional| conditional.naming(who));
        self.members.name(who) || conditional.any(|place| self.is_met(place, request))
    }

    /// The bindings that may have been meant to grant it and do not always, in their order.
    pub(super) fn near_misses(&self) -> &[Prepared<'static>] {
        &self.near_misses
    }

    fn is_met(&self, place: u32, request: &ConditionRequest<'_>) -> bool {
        let known = usize::try_from(place).ok().and_then(|place| self.near_misses.get(place));
        known.is_some_and(|known| known.unmet(request).is_none())
    }
}
