//! Which callers do some bindings name?

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use crate::iam::member::Member;
use crate::iam::{Binding, Principal, Realm};
use crate::text_set::TextSet;

/// One way in which a binding names callers.
pub(super) enum Named {
    /// Anyone, without a credential too.
    AllUsers,
    /// Anyone with a credential.
    AllAuthenticated,
    /// The account with this address, in lower case.
    Email(Arc<str>),
    /// The account with this unique id.
    UniqueId(Arc<str>),
    /// The users of this domain, in lower case.
    Domain(Arc<str>),
}

/// Whom `binding` names, with those in its groups and domains that `realm` knows.
pub(super) fn named(binding: &Binding, realm: &Realm) -> Vec<Named> {
    let mut found = Vec::new();
    let account = |email: &str, found: &mut Vec<Named>| {
        if let Some(unique_id) = realm.identities.unique_id(email) {
            found
                .extend([Named::Email(email.to_ascii_lowercase().into()), Named::UniqueId(unique_id.into())]);
        }
    };
    for member in &binding.members {
        match Member::parse(member) {
            Member::AllUsers => found.push(Named::AllUsers),
            Member::AllAuthenticatedUsers => found.push(Named::AllAuthenticated),
            Member::Account(email) => account(email, &mut found),
            Member::Group(group) => {
                realm.identities.group(group).for_each(|email| account(email, &mut found));
            }
            Member::Domain(domain) => {
                found.push(Named::Domain(domain.to_ascii_lowercase().into()));
                realm.identities.domain(domain).for_each(|email| account(email, &mut found));
            }
            // Only an account can have an ID token.
            Member::Nobody | Member::Federated(_) | Member::Pool(_) => {}
        }
    }
    found
}

/// Whom the bindings without a condition name, as sets in which a caller is looked up.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    /// Anyone, without a credential too.
    pub(super) all_users: bool,
    all_authenticated: bool,
    emails: TextSet,
    unique_ids: TextSet,
    domains: TextSet,
}

impl FromIterator<Named> for Members {
    fn from_iter<I: IntoIterator<Item = Named>>(named: I) -> Self {
        let (mut emails, mut unique_ids, mut domains) = (Vec::new(), Vec::new(), Vec::new());
        let mut members = Self::default();
        for one in named {
            match one {
                Named::AllUsers => members.all_users = true,
                Named::AllAuthenticated => members.all_authenticated = true,
                Named::Email(email) => emails.push(email),
                Named::UniqueId(id) => unique_ids.push(id),
                Named::Domain(domain) => domains.push(domain),
            }
        }
        members.emails = emails.into_iter().collect();
        members.unique_ids = unique_ids.into_iter().collect();
        members.domains = domains.into_iter().collect();
        members
    }
}

impl Members {
    /// Whether `who`, who may act, is named. A lookup; it allocates only for an address with capital
    /// letters.
    pub(super) fn name(&self, who: &Principal<'_>) -> bool {
        self.all_users
            || self.all_authenticated
            || self.unique_ids.contains(who.unique_id)
            || who.email.is_some_and(|email| self.emails.contains(&lower(email)))
            || (!self.domains.is_empty() && who.domains().any(|domain| self.domains.contains(&lower(domain))))
    }
}

/// The places of bindings in a list, ascending.
type Places = Vec<u32>;

/// To a text the bindings that name it. Its order does not depend on a random seed: the model draws none.
type Index = HashMap<Arc<str>, Places, BuildHasherDefault<DefaultHasher>>;

/// Which of the bindings with a condition name a caller: a condition costs more than all lookups, so that
/// only those are asked that may let the caller in.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditional {
    all_users: Places,
    all_authenticated: Places,
    emails: Index,
    unique_ids: Index,
    domains: Index,
}

impl Conditional {
    /// Adds the binding at `place`, which is behind those that were added, and names these.
    pub(super) fn add(&mut self, place: u32, named: Vec<Named>) {
        for one in named {
            let places = match one {
                Named::AllUsers => &mut self.all_users,
                Named::AllAuthenticated => &mut self.all_authenticated,
                Named::Email(email) => self.emails.entry(email).or_default(),
                Named::UniqueId(id) => self.unique_ids.entry(id).or_default(),
                Named::Domain(domain) => self.domains.entry(domain).or_default(),
            };
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }

    /// The bindings that name anyone.
    pub(super) fn naming_all(&self) -> impl Iterator<Item = u32> {
        self.all_users.iter().copied()
    }

    /// The bindings that name `who`, who may act.
    pub(super) fn naming<'s>(&'s self, who: &'s Principal<'_>) -> impl Iterator<Item = u32> + 's {
        let by_id = self.unique_ids.get(who.unique_id).map(Vec::as_slice).unwrap_or_default();
        let email = who.email.and_then(|email| self.emails.get(&*lower(email))).map(Vec::as_slice);
        // Nearly always these are the same bindings: each condition is asked once.
        let by_email = email.unwrap_or_default().iter().filter(|at| by_id.binary_search(at).is_err());
        let domains = who.domains().filter_map(|domain| self.domains.get(&*lower(domain))).flatten();
        let anyone = self.all_users.iter().chain(&self.all_authenticated);
        anyone.chain(by_id).chain(by_email).chain(domains).copied()
    }
}

/// In lower case; allocates only for what has capital letters.
fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a group is a member of `binding`.
pub(super) fn has_group(binding: &Binding) -> bool {
    binding.members.iter().any(|member| matches!(Member::parse(member), Member::Group(_)))
}
