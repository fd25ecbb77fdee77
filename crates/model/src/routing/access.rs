//! Who may call a service?
//!
//! The answer is computed once, when the route is built, so that a request costs a lookup: conditions are
//! compiled then, and asked only about callers whom no binding without one lets in.

mod grants;
mod members;

use std::sync::Arc;

use crate::iam::{
    ConditionRequest, ConditionResource, PolicyHistory, Principal, Realm, Refusal, Resource, eras,
};
use crate::invoke::Call;
use crate::name::ServiceId;
use crate::time::Timestamp;

use grants::Grants;

/// Why a service needs no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Public {
    /// The invoker check is off.
    InvokerIamDisabled,
    /// `allUsers` may invoke it.
    AllUsers,
}

/// From what it follows who may call a service, besides the settings of the service itself.
#[derive(Debug, Clone, Default)]
pub struct AccessFacts<'a> {
    /// The policies of the service and of its project.
    pub policies: &'a [&'a PolicyHistory],
    /// How many seconds a change of a policy takes to count.
    pub propagation_seconds: i64,
    /// Whom the members mean and what the roles hold.
    pub realm: Arc<Realm>,
}

/// Who holds `run.routes.invoke` on a service.
#[derive(Debug, Clone)]
pub struct Access {
    invoker_iam_disabled: bool,
    /// What counts from which moment on, the first from the beginning of time.
    eras: Vec<(Timestamp, Grants)>,
    resource: ConditionResource,
    realm: Arc<Realm>,
    has_conditions: bool,
}

impl Access {
    /// Who may invoke the service under the union of its policies.
    pub fn new(id: &ServiceId, invoker_iam_disabled: bool, facts: &AccessFacts<'_>) -> Self {
        let era = |(from, policies): (Timestamp, Vec<_>)| (from, Grants::new(&policies, &facts.realm));
        Self {
            invoker_iam_disabled,
            eras: eras(facts.policies, facts.propagation_seconds).into_iter().map(era).collect(),
            resource: Resource::Service(id).for_conditions(),
            realm: Arc::clone(&facts.realm),
            has_conditions: facts.policies.iter().any(|history| history.current.has_conditions()),
        }
    }

    /// Why `call` needs no credential; `None` if it needs one.
    pub fn public(&self, call: &Call<'_>) -> Option<Public> {
        if self.invoker_iam_disabled {
            return Some(Public::InvokerIamDisabled);
        }
        let open = self.now(call).is_some_and(|grants| grants.admit_all(&self.request(call)));
        open.then_some(Public::AllUsers)
    }

    /// Whether `who`, whose credential is verified, may make `call`. A lookup, unless only a binding with
    /// a condition names the caller.
    pub fn admits(&self, who: &Principal<'_>, call: &Call<'_>) -> bool {
        self.public(call).is_some()
            || (self.realm.identities.may_act(who)
                && self.now(call).is_some_and(|grants| grants.admit(who, &self.request(call))))
    }

    /// Why credentials of `who` are refused, however good they are: the account was disabled or deleted.
    pub fn unfit(&self, who: &Principal<'_>) -> Option<String> {
        self.realm.identities.unfit(who)
    }

    /// Why `who`, whom [`Self::admits`] turns away, may not make `call`: the nearest miss. `None` is a
    /// caller without a credential.
    pub fn refusal(&self, who: Option<&Principal<'_>>, call: &Call<'_>) -> Refusal {
        let request = self.request(call);
        let admits = |grants: &Grants| {
            let named = who.filter(|who| self.realm.identities.may_act(who));
            named.map_or_else(|| grants.admit_all(&request), |who| grants.admit(who, &request))
        };
        let coming = self.eras.iter().find(|(from, grants)| *from > call.now && admits(grants));
        match (coming, self.now(call)) {
            (Some((from, _)), _) => Refusal::NotYet { from: *from },
            (None, Some(grants)) => grants.refusal(who, &self.realm, &request),
            (None, None) => Refusal::NoBinding,
        }
    }

    /// Whether a binding of the policies has a condition: gcloud then wants `--condition` with every change.
    pub fn has_conditions(&self) -> bool {
        self.has_conditions
    }

    /// What counts when the call is made.
    fn now(&self, call: &Call<'_>) -> Option<&Grants> {
        self.eras.iter().rev().find(|(from, _)| *from <= call.now).map(|(_, grants)| grants)
    }

    fn request<'a>(&'a self, call: &Call<'a>) -> ConditionRequest<'a> {
        let (host, path) = (Some(call.host), Some(call.path));
        ConditionRequest { time: call.now, host, path, resource: &self.resource }
    }
}

#[cfg(test)]
mod tests;
