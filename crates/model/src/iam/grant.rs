//! Does a set of policies grant a permission to an account, and if not, what was missing?
//!
//! Policies of a resource and of what contains it are united: a binding anywhere grants.

use std::borrow::Cow;

use super::condition::Compiled;
use super::member::Member;
use super::{Binding, ConditionRequest, Policy, Realm};
use crate::account::Account;

pub use super::member::Principal;
pub use super::refusal::{Refusal, Unmet};

/// What a set of policies says about one caller and one permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant<'p> {
    /// The permission is held.
    Granted {
        /// The binding that grants it.
        binding: &'p Binding,
        /// Its member that names the caller.
        member: &'p str,
    },
    /// The permission is not held.
    Denied(Refusal),
}

impl Grant<'_> {
    /// Whether the permission is held.
    pub fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }
}

/// Whether `policies` together grant `permission` to `account`; `None` is a caller without a credential.
/// `realm` says whom the members mean and what the roles hold, `request` what conditions look at.
pub fn granted<'p>(
    policies: &[&'p Policy],
    realm: &Realm,
    account: Option<&Account>,
    permission: &str,
    request: &ConditionRequest<'_>,
) -> Grant<'p> {
    let who = account.map(Principal::from);
    let bindings = || policies.iter().flat_map(|policy| &policy.bindings);
    // Those without a condition first: nothing has to be compiled for them.
    for is_conditional in [false, true] {
        for binding in bindings().filter(|b| b.condition.is_some() == is_conditional) {
            if realm.carries(&binding.role, permission) == Some(true)
                && let Some(member) = binding.member_naming(who.as_ref(), realm)
                && Prepared::new(Cow::Borrowed(binding)).unmet(request).is_none()
            {
                return Grant::Granted { binding, member };
            }
        }
    }
    let prepared: Vec<Prepared<'_>> = bindings().map(|b| Prepared::new(Cow::Borrowed(b))).collect();
    let prepared: Vec<&Prepared<'_>> = prepared.iter().collect();
    Grant::Denied(Refusal::nearest(&prepared, who.as_ref(), permission, realm, request))
}

/// A binding whose condition can be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Prepared<'b> {
    pub(crate) binding: Cow<'b, Binding>,
    /// The condition, if there is one, or why it can never be met.
    condition: Option<Result<Compiled, String>>,
}

impl<'b> Prepared<'b> {
    pub(crate) fn new(binding: Cow<'b, Binding>) -> Self {
        let compile = |condition: &super::Condition| condition.compile().map_err(|why| why.to_string());
        let condition = binding.condition.as_ref().map(compile);
        Self { binding, condition }
    }

    /// Why the binding does not count for `request`; `None` if it does. The text is empty if its condition
    /// is just false.
    pub(crate) fn unmet(&self, request: &ConditionRequest<'_>) -> Option<String> {
        match &self.condition {
            None => None,
            Some(Err(why)) => Some(why.clone()),
            Some(Ok(condition)) => match condition.holds(request) {
                Ok(true) => None,
                Ok(false) => Some(String::new()),
                Err(why) => Some(why),
            },
        }
    }
}

impl Binding {
    /// The member of this binding that names `who`, or anyone if there is no credential.
    pub(crate) fn member_naming(&self, who: Option<&Principal<'_>>, realm: &Realm) -> Option<&str> {
        let names = |member: &&String| match (Member::parse(member), who) {
            (Member::AllUsers, _) => true,
            (_, None) => false,
            (member, Some(who)) => realm.identities.names(member, who),
        };
        self.members.iter().find(names).map(String::as_str)
    }
}
