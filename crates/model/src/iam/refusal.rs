//! What was missing to a caller that was granted nothing?

use std::fmt;

use super::grant::{Prepared, Principal};
use super::member::Member;
use super::{ConditionRequest, Realm};
use crate::time::Timestamp;

/// What kept the policies from granting a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No binding names the caller with a role that carries the permission.
    NoBinding,
    /// The account is disabled or deleted, or another one that had the address before.
    NotActing,
    /// A change of a policy grants it, but does not count yet.
    NotYet {
        /// When it will.
        from: Timestamp,
    },
    /// A binding would grant it, but its condition is not met.
    ConditionNotMet {
        /// The member that names the caller.
        member: String,
        /// The role of the binding.
        role: String,
        /// The condition. Boxed, because refusals travel as errors.
        condition: Box<Unmet>,
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

/// A condition that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The title of the condition.
    pub title: String,
    /// Why it could not be evaluated; empty if it was, and is false.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBinding => f.write_str("no binding grants it"),
            Self::NotActing => f.write_str("the account is disabled, deleted or not the one of that address"),
            Self::NotYet { from } => {
                write!(f, "a binding grants it, but counts only from {from} on (--iam-propagation)")
            }
            Self::ConditionNotMet { member, role, condition } => {
                let Unmet { title, why } = &**condition;
                let name = if title.is_empty() { String::new() } else { format!(" '{title}'") };
                write!(f, "a binding for {member} exists ({role}) but its condition{name} is not met")?;
                if why.is_empty() { Ok(()) } else { write!(f, ": {why}") }
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

impl Refusal {
    /// Why `bindings`, of which none grants `permission` to `who`, do not: the nearest miss.
    pub(crate) fn nearest(
        bindings: &[&Prepared<'_>],
        who: Option<&Principal<'_>>,
        permission: &str,
        realm: &Realm,
        request: &ConditionRequest<'_>,
    ) -> Self {
        if who.is_some_and(|who| !realm.identities.may_act(who)) {
            return Self::NotActing;
        }
        let carries = |prepared: &Prepared<'_>| realm.carries(&prepared.binding.role, permission);
        let mut unknown_role = None;
        for prepared in bindings {
            let binding = &prepared.binding;
            let Some(member) = binding.member_naming(who, realm) else { continue };
            let (member, role) = (member.to_owned(), binding.role.clone());
            match (carries(prepared), &binding.condition) {
                (Some(true), Some(condition)) => {
                    let (title, why) = (condition.title.clone(), prepared.unmet(request).unwrap_or_default());
                    let condition = Box::new(Unmet { title, why });
                    return Self::ConditionNotMet { member, role, condition };
                }
                (None, _) => unknown_role = unknown_role.or(Some(Self::UnknownRole { member, role })),
                _ => {}
            }
        }
        let is_unknown = |member: &&String| matches!(Member::parse(member), Member::Group(group) if !realm.identities.knows_group(group));
        let unknown_group = || {
            who?;
            let mut bound = bindings.iter().filter(|prepared| carries(prepared) == Some(true));
            bound.find_map(|prepared| {
                let member = prepared.binding.members.iter().find(is_unknown)?.clone();
                Some(Self::UnknownGroup { member, role: prepared.binding.role.clone() })
            })
        };
        unknown_role.or_else(unknown_group).unwrap_or(Self::NoBinding)
    }
}
