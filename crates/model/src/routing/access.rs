//! Who may call a service?
//!
//! The answer is computed once, when the route is built, so that a request costs a lookup: conditions are
//! compiled then, and asked only about callers whom no binding without one lets in.

mod grantees;
mod grants;
mod members;

use std::sync::{Arc, LazyLock};

use crate::iam::grant::Prepared;
use crate::iam::{
    ConditionRequest, ConditionResource, PolicyHistory, Principal, RUN_INVOKE, Realm, Refusal, Resource,
};
use crate::invoke::Call;
use crate::name::ServiceId;
use crate::time::Timestamp;

pub use grantees::Grantees;
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
    /// The policies of the service, and of its project unless that is `inherited`.
    pub policies: &'a [&'a PolicyHistory],
    /// Who may call every service of the project; of the same delay and realm as the rest.
    pub inherited: Option<Arc<Grantees>>,
    /// How many seconds a change of a policy takes to count.
    pub propagation_seconds: i64,
    /// Whom the members mean and what the roles hold.
    pub realm: Arc<Realm>,
}

/// Who holds `run.routes.invoke` on a service.
#[derive(Debug, Clone)]
pub struct Access {
    invoker_iam_disabled: bool,
    /// By the policies of the service itself; those that never had a binding are left out.
    own: Box<[Grantees]>,
    /// By that of its project.
    inherited: Option<Arc<Grantees>>,
    /// What a condition sees, where there is one.
    resource: Option<Box<ConditionResource>>,
    realm: Arc<Realm>,
}

/// What is never looked at, for services without conditions: a name for each would cost memory.
static UNSEEN: LazyLock<ConditionResource> =
    LazyLock::new(|| ConditionResource { name: "".into(), service: "", kind: "" });

impl Access {
    /// Who may invoke the service under the union of its policies.
    pub fn new(id: &ServiceId, invoker_iam_disabled: bool, facts: &AccessFacts<'_>) -> Self {
        let grantees = |history: &&PolicyHistory| {
            let grantees = || Grantees::new(history, facts.propagation_seconds, &facts.realm);
            (!history.is_empty()).then(grantees)
        };
        let own: Box<[Grantees]> = facts.policies.iter().filter_map(grantees).collect();
        let inherited = facts.inherited.clone();
        let asks = own.iter().chain(inherited.as_deref()).any(Grantees::ask);
        Self {
            invoker_iam_disabled,
            own,
            inherited,
            resource: asks.then(|| Box::new(Resource::Service(id).for_conditions())),
            realm: Arc::clone(&facts.realm),
        }
    }

    /// Why `call` needs no credential; `None` if it needs one.
    pub fn public(&self, call: &Call<'_>) -> Option<Public> {
        if self.invoker_iam_disabled {
            return Some(Public::InvokerIamDisabled);
        }
        let request = self.request(call);
        let open = self.grants(call.now).any(|grants| grants.admit_all(&request));
        open.then_some(Public::AllUsers)
    }

    /// Whether `who`, whose credential is verified, may make `call`. A lookup, unless only a binding with
    /// a condition names the caller.
    pub fn admits(&self, who: &Principal<'_>, call: &Call<'_>) -> bool {
        self.public(call).is_some()
            || (self.realm.identities.may_act(who)
                && self.grants(call.now).any(|grants| grants.admit(who, &self.request(call))))
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
        if let Some(from) = self.later(call.now).find(|from| self.grants(*from).any(admits)) {
            return Refusal::NotYet { from };
        }
        let bindings: Vec<&Prepared<'_>> = self.grants(call.now).flat_map(Grants::near_misses).collect();
        Refusal::nearest(&bindings, who, RUN_INVOKE, &self.realm, &request)
    }

    /// Whether a binding of the policies has a condition: gcloud then wants `--condition` with every change.
    pub fn has_conditions(&self) -> bool {
        self.all().any(Grantees::has_conditions)
    }

    fn all(&self) -> impl Iterator<Item = &Grantees> {
        self.own.iter().chain(self.inherited.as_deref())
    }

    /// What counts at `moment`.
    fn grants(&self, moment: Timestamp) -> impl Iterator<Item = &Grants> {
        self.all().filter_map(move |grantees| grantees.at(moment))
    }

    /// The moments after `now` at which something begins to count, the next one first.
    fn later(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let mut moments: Vec<_> = self.all().flat_map(Grantees::moments).filter(|at| *at > now).collect();
        moments.sort_unstable();
        moments.into_iter()
    }

    fn request<'a>(&'a self, call: &Call<'a>) -> ConditionRequest<'a> {
        let (host, path) = (Some(call.host), Some(call.path));
        ConditionRequest { time: call.now, host, path, resource: self.resource.as_deref().unwrap_or(&UNSEEN) }
    }
}

#[cfg(test)]
mod tests;
