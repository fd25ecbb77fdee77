//! Which callers does a binding name?

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher};

use crate::iam::member::Member;
use crate::iam::{Binding, Principal, Realm};

/// A set whose order does not depend on a random seed: the model draws none.
type Set = HashSet<Box<str>, BuildHasherDefault<DefaultHasher>>;

/// The members of some bindings, as sets in which a caller is looked up.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    /// Anyone, without a credential too.
    pub(super) all_users: bool,
    all_authenticated: bool,
    emails: Set,
    unique_ids: Set,
    domains: Set,
}

impl Members {
    /// Adds the members of `binding`, and of the groups and domains in it that `realm` knows.
    pub(super) fn add(&mut self, binding: &Binding, realm: &Realm) {
        for member in &binding.members {
            match Member::parse(member) {
                Member::AllUsers => self.all_users = true,
                Member::AllAuthenticatedUsers => self.all_authenticated = true,
                Member::Account(email) => self.add_account(email, realm),
                Member::Group(group) => {
                    realm.identities.group(group).for_each(|email| self.add_account(email, realm));
                }
                Member::Domain(domain) => {
                    self.domains.insert(domain.to_ascii_lowercase().into());
                    realm.identities.domain(domain).for_each(|email| self.add_account(email, realm));
                }
                // Only an account can have an ID token.
                Member::Nobody | Member::Federated(_) | Member::Pool(_) => {}
            }
        }
    }

    fn add_account(&mut self, email: &str, realm: &Realm) {
        if let Some(unique_id) = realm.identities.unique_id(email) {
            self.emails.insert(email.to_ascii_lowercase().into());
            self.unique_ids.insert(unique_id.into());
        }
    }

    /// Whether `who`, who may act, is named. A lookup; it allocates only for an address with capital
    /// letters.
    pub(super) fn name(&self, who: &Principal<'_>) -> bool {
        let named = |set: &Set, text: &str| {
            if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                set.contains(text.to_ascii_lowercase().as_str())
            } else {
                set.contains(text)
            }
        };
        self.all_users
            || self.all_authenticated
            || self.unique_ids.contains(who.unique_id)
            || who.email.is_some_and(|email| named(&self.emails, email))
            || (!self.domains.is_empty() && who.domains().any(|domain| named(&self.domains, domain)))
    }
}

/// Whether a group is a member of `binding`.
pub(super) fn has_group(binding: &Binding) -> bool {
    binding.members.iter().any(|member| matches!(Member::parse(member), Member::Group(_)))
}
