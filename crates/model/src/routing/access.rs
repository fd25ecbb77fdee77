//! Who may call a service?
//!
//! The answer is computed once, when the route is built, so that a request costs a lookup.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher};

use crate::account::Account;
use crate::iam::grant::refusal;
use crate::iam::member::Member;
use crate::iam::{Binding, Policy, Principal, RUN_INVOKE, Refusal, role_permissions};

/// A set whose order does not depend on a random seed: the model draws none.
type Set = HashSet<Box<str>, BuildHasherDefault<DefaultHasher>>;

/// Why a service needs no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Public {
    /// The invoker check is off.
    InvokerIamDisabled,
    /// `allUsers` may invoke it.
    AllUsers,
}

/// Who holds `run.routes.invoke` on a service.
#[derive(Debug, Clone, Default)]
pub struct Access {
    public: Option<Public>,
    all_authenticated: bool,
    emails: Set,
    unique_ids: Set,
    domains: Set,
    groups: Set,
    /// The bindings that may have been meant to grant it and do not, for explanations.
    near_misses: Vec<Binding>,
    has_conditions: bool,
}

impl Access {
    /// Who may invoke under the union of `policies`.
    pub fn from_policies(invoker_iam_disabled: bool, policies: &[&Policy]) -> Self {
        let mut access = Self {
            public: invoker_iam_disabled.then_some(Public::InvokerIamDisabled),
            has_conditions: policies.iter().any(|policy| policy.has_conditions()),
            ..Self::default()
        };
        for binding in policies.iter().flat_map(|policy| &policy.bindings) {
            access.add(binding);
        }
        access
    }

    /// Lets the members of the groups that are bound in; `groups` gives the addresses of the members of
    /// each group by its address, all in lower case.
    #[must_use]
    pub fn with_groups(mut self, groups: &BTreeMap<String, BTreeSet<String>>) -> Self {
        let is_known = |member: &String| matches!(Member::parse(member), Member::Group(g) if groups.contains_key(&g.to_ascii_lowercase()));
        for binding in &mut self.near_misses {
            binding.members.retain(|member| !is_known(member));
        }
        let bound = groups.iter().filter(|(group, _)| self.groups.contains(group.as_str()));
        let members: Vec<&String> = bound.flat_map(|(_, members)| members).collect();
        for member in members {
            self.add_account(member);
        }
        self
    }

    fn add(&mut self, binding: &Binding) {
        let carries = binding.carries(RUN_INVOKE);
        if !carries && role_permissions(&binding.role).is_some() {
            return;
        }
        let misses = !carries || binding.condition.is_some();
        let has_group =
            binding.members.iter().any(|member| matches!(Member::parse(member), Member::Group(_)));
        if misses || has_group {
            self.near_misses.push(binding.clone());
        }
        if misses {
            return;
        }
        for member in &binding.members {
            match Member::parse(member) {
                Member::AllUsers => self.public = self.public.or(Some(Public::AllUsers)),
                Member::AllAuthenticatedUsers => self.all_authenticated = true,
                Member::Account(email) => self.add_account(email),
                Member::Group(email) => _ = self.groups.insert(email.to_ascii_lowercase().into()),
                Member::Domain(domain) => _ = self.domains.insert(domain.to_ascii_lowercase().into()),
                Member::Nobody | Member::Federated(_) | Member::Pool(_) => {}
            }
        }
    }

    fn add_account(&mut self, email: &str) {
        let account = Account::new(email);
        self.emails.insert(account.email.into());
        self.unique_ids.insert(account.unique_id.into());
    }

    /// Why no credential is needed; `None` if one is.
    pub fn public(&self) -> Option<Public> {
        self.public
    }

    /// Whether `who`, whose credential is verified, may invoke. A lookup; it allocates only for an address
    /// with capital letters.
    pub fn admits(&self, who: &Principal<'_>) -> bool {
        let named = |set: &Set, text: &str| {
            if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                set.contains(text.to_ascii_lowercase().as_str())
            } else {
                set.contains(text)
            }
        };
        self.public.is_some()
            || self.all_authenticated
            || self.unique_ids.contains(who.unique_id)
            || who.email.is_some_and(|email| named(&self.emails, email))
            || (!self.domains.is_empty() && who.domains().any(|domain| named(&self.domains, domain)))
    }

    /// Why `who`, whom [`Self::admits`] turns away, may not invoke: the nearest miss. `None` is a caller
    /// without a credential.
    pub fn refusal(&self, who: Option<&Principal<'_>>) -> Refusal {
        refusal(self.near_misses.iter(), who, RUN_INVOKE)
    }

    /// Whether a binding of the policies has a condition: gcloud then wants `--condition` with every change.
    pub fn has_conditions(&self) -> bool {
        self.has_conditions
    }
}

#[cfg(test)]
mod tests;
