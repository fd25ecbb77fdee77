//! Does a set of policies grant a permission to an account, and if not, what was missing?
//!
//! Policies of a resource and of what contains it are united: a binding anywhere grants.

use std::fmt;

use super::member::Member;
use super::roles::role_permissions;
use super::{Binding, Policy};
use crate::account::Account;

pub use super::member::Principal;

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

/// What kept the policies from granting a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No binding names the caller with a role that carries the permission.
    NoBinding,
    /// A binding would grant it, but it has a condition, and conditions are not evaluated yet: what
    /// cannot be evaluated grants nothing.
    ConditionNotEvaluated {
        /// The member that names the caller.
        member: String,
        /// The role of the binding.
        role: String,
    },
    /// A binding names the caller with a role whose permissions are not known here.
    UnknownRole {
        /// The member that names the caller.
        member: String,
        /// The role of the binding.
        role: String,
    },
    /// The permission is bound to a group whose members are not known here.
    UnknownGroup {
        /// The member: `group:…`.
        member: String,
        /// The role of the binding.
        role: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBinding => f.write_str("no binding grants it"),
            Self::ConditionNotEvaluated { member, role } => {
                write!(f, "a binding for {member} exists ({role}) but its condition is not evaluated yet")
            }
            Self::UnknownRole { member, role } => {
                write!(
                    f,
                    "a binding for {member} exists but the permissions of its role {role} are not known"
                )
            }
            Self::UnknownGroup { member, role } => {
                write!(f, "a binding for {member} exists ({role}) but the members of the group are not known")
            }
        }
    }
}

impl Grant<'_> {
    /// Whether the permission is held.
    pub fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }
}

/// Whether `policies` together grant `permission` to `account`; `None` is a caller without a credential.
pub fn granted<'p>(policies: &[&'p Policy], account: Option<&Account>, permission: &str) -> Grant<'p> {
    let who = account.map(Principal::from);
    let bindings = || policies.iter().flat_map(|policy| &policy.bindings);
    for binding in bindings().filter(|binding| binding.condition.is_none() && binding.carries(permission)) {
        if let Some(member) = binding.member_naming(who.as_ref()) {
            return Grant::Granted { binding, member };
        }
    }
    Grant::Denied(refusal(bindings(), who.as_ref(), permission))
}

/// Why `bindings`, of which none grants `permission` to `who`, do not: the nearest miss.
pub(crate) fn refusal<'p>(
    bindings: impl Iterator<Item = &'p Binding> + Clone,
    who: Option<&Principal<'_>>,
    permission: &str,
) -> Refusal {
    let naming = || bindings.clone().filter_map(|binding| Some((binding, binding.member_naming(who)?)));
    if let Some((binding, member)) = naming().find(|(b, _)| b.condition.is_some() && b.carries(permission)) {
        return Refusal::ConditionNotEvaluated { member: member.to_owned(), role: binding.role.clone() };
    }
    if let Some((binding, member)) = naming().find(|(b, _)| role_permissions(&b.role).is_none()) {
        return Refusal::UnknownRole { member: member.to_owned(), role: binding.role.clone() };
    }
    let is_group = |member: &&String| matches!(Member::parse(member), Member::Group(_));
    let mut groups = bindings
        .filter(|binding| who.is_some() && binding.carries(permission))
        .filter_map(|binding| Some((binding, binding.members.iter().find(is_group)?)));
    match groups.next() {
        Some((binding, member)) => {
            Refusal::UnknownGroup { member: member.clone(), role: binding.role.clone() }
        }
        None => Refusal::NoBinding,
    }
}

impl Binding {
    /// Whether the role of this binding holds `permission`.
    pub(crate) fn carries(&self, permission: &str) -> bool {
        role_permissions(&self.role).is_some_and(|permissions| permissions.contains(&permission))
    }

    /// The member of this binding that names `who`, or anyone if there is no credential.
    fn member_naming(&self, who: Option<&Principal<'_>>) -> Option<&str> {
        let names = |member: &&String| match (Member::parse(member), who) {
            (Member::AllUsers, _) => true,
            (_, None) => false,
            (member, Some(who)) => who.is_named_by(member),
        };
        self.members.iter().find(names).map(String::as_str)
    }
}
