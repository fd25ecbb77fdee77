//! Who is in a group, in a domain, or behind an address?
//!
//! Policies name groups, domains and addresses; only here is it known whom they mean.

use std::collections::{BTreeMap, BTreeSet};

use super::Principal;
use super::member::Member;
use super::validate::{email, is_domain};
use crate::account::{Account, Standing};
use crate::error::{Result, Violations};

/// Whom groups, domains and addresses mean. The default knows none of them: then an address means the
/// account whose unique id follows from it, and a group has no members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    /// The accounts in each group, also those in the groups in it.
    groups: BTreeMap<String, BTreeSet<String>>,
    /// The accounts in each domain besides those whose address ends in it.
    domains: BTreeMap<String, BTreeSet<String>>,
    /// What is not the default of an account.
    accounts: BTreeMap<String, AccountState>,
    /// The accounts that had an address before another one, by unique id.
    former: BTreeMap<String, String>,
}

/// What an address means now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountState {
    /// The account with this unique id, which may act. One that was made anew has another id than before,
    /// and tokens of the former are not its own.
    Active {
        /// 21 digits.
        unique_id: String,
    },
    /// The account with this unique id, which may not act.
    Disabled {
        /// 21 digits.
        unique_id: String,
    },
    /// No account any more.
    Deleted {
        /// The unique id that it had.
        unique_id: String,
    },
}

impl AccountState {
    /// The unique id that the account has or had.
    pub fn unique_id(&self) -> &str {
        match self {
            Self::Active { unique_id } | Self::Disabled { unique_id } | Self::Deleted { unique_id } => {
                unique_id
            }
        }
    }

    fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }
}

/// Names and the members that are listed under each.
type Listed = BTreeMap<String, Vec<String>>;

impl Identities {
    /// Reads what a file says: `groups` lists under the address of each group its members, as addresses
    /// with or without `user:`, `serviceAccount:` or `group:`; `domains` lists under each domain addresses
    /// that are in it. Groups may hold groups, in circles too.
    ///
    /// # Errors
    /// 400 that names each entry that is no address, no domain, or a group that is not listed.
    pub fn read(groups: &Listed, domains: &Listed) -> Result<Self> {
        let mut violations = Violations::default();
        let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let names: BTreeSet<String> = groups.keys().map(|name| name.to_ascii_lowercase()).collect();
        for (group, members) in groups {
            if let Err(why) = email(group) {
                violations.add("groups", why);
            }
            let known = direct.entry(group.to_ascii_lowercase()).or_default();
            for (i, member) in members.iter().enumerate() {
                match listed(member, &names) {
                    Ok(address) => _ = known.insert(address),
                    Err(why) => violations.add(format!("groups.{group}[{i}]"), why),
                }
            }
        }
        let mut in_domains: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (domain, members) in domains {
            violations.check(is_domain(domain), "domains", format!("'{domain}' is not a domain."));
            let known = in_domains.entry(domain.to_ascii_lowercase()).or_default();
            for (i, member) in members.iter().enumerate() {
                match listed(member, &BTreeSet::new()) {
                    Ok(address) => _ = known.insert(address),
                    Err(why) => violations.add(format!("domains.{domain}[{i}]"), why),
                }
            }
        }
        violations.into_result()?;
        let groups = direct.keys().map(|group| (group.clone(), everyone_in(group, &direct))).collect();
        Ok(Self { groups, domains: in_domains, ..Self::default() })
    }

    /// Notes what the address means from now on.
    pub fn set_account(&mut self, email: &str, state: AccountState) {
        let email = email.to_ascii_lowercase();
        self.former.remove(state.unique_id());
        let unique_id = state.unique_id().to_owned();
        let before = self.accounts.insert(email.clone(), state);
        if let Some(before) = before.filter(|before| before.unique_id() != unique_id) {
            self.former.insert(before.unique_id().to_owned(), email);
        }
    }

    /// Whether something was noted of the address.
    pub fn has_account(&self, email: &str) -> bool {
        self.accounts.contains_key(&email.to_ascii_lowercase())
    }

    /// Whether the members of the group are known.
    pub(crate) fn knows_group(&self, group: &str) -> bool {
        self.groups.contains_key(&group.to_ascii_lowercase())
    }

    /// The accounts in the group; none if it is not known.
    pub(crate) fn group(&self, group: &str) -> impl Iterator<Item = &String> {
        self.groups.get(&group.to_ascii_lowercase()).into_iter().flatten()
    }

    /// The accounts in the domain whose address does not tell.
    pub(crate) fn domain(&self, domain: &str) -> impl Iterator<Item = &String> {
        self.domains.get(&domain.to_ascii_lowercase()).into_iter().flatten()
    }

    /// The unique id of the account that the address means, if it means one that may act.
    pub(crate) fn unique_id(&self, email: &str) -> Option<String> {
        match self.accounts.get(&email.to_ascii_lowercase()) {
            Some(state) => state.is_active().then(|| state.unique_id().to_owned()),
            None => Some(Account::new(email).unique_id),
        }
    }

    /// Whether the principal is an account that may act: not disabled, not deleted, and not one that had
    /// its address before.
    pub fn may_act(&self, who: &Principal<'_>) -> bool {
        if self.accounts.is_empty() {
            return true;
        }
        let is_this = |state: &AccountState| state.is_active() && state.unique_id() == who.unique_id;
        !self.former.contains_key(who.unique_id) && self.noted(who).is_none_or(|(_, state)| is_this(state))
    }

    /// Why credentials of the principal are refused, if it may not act.
    pub fn unfit(&self, who: &Principal<'_>) -> Option<String> {
        if let Some(email) = self.former.get(who.unique_id) {
            return Standing::Deleted.refusal(email);
        }
        let (email, state) = self.noted(who)?;
        let is_this = state.unique_id() == who.unique_id;
        match state {
            AccountState::Disabled { .. } if is_this => Standing::Disabled.refusal(email),
            AccountState::Active { .. } if is_this => None,
            _ => Standing::Deleted.refusal(email),
        }
    }

    /// What is noted of the account, and its address. There are few of them, if any.
    fn noted(&self, who: &Principal<'_>) -> Option<(&String, &AccountState)> {
        match who.email {
            Some(email) => self.accounts.get_key_value(&email.to_ascii_lowercase()),
            None => self.accounts.iter().find(|(_, state)| state.unique_id() == who.unique_id),
        }
    }

    /// Whether `member` names the principal.
    pub(crate) fn names(&self, member: Member<'_>, who: &Principal<'_>) -> bool {
        match member {
            Member::AllUsers => true,
            _ if !self.may_act(who) => false,
            Member::Federated(name) => who.federated().is_some() && who.email == Some(name),
            Member::Pool(pool) => {
                let rest = who.federated().and_then(|name| name.strip_prefix(pool));
                rest.is_some_and(|rest| rest.starts_with("/subject/"))
            }
            // As documented, this leaves out who comes from another identity provider.
            _ if who.federated().is_some() => false,
            Member::AllAuthenticatedUsers => true,
            Member::Account(email) => self.is_account(email, who),
            Member::Group(group) => self.group(group).any(|email| self.is_account(email, who)),
            Member::Domain(domain) => {
                who.domains().any(|own| own.eq_ignore_ascii_case(domain))
                    || self.domain(domain).any(|email| self.is_account(email, who))
            }
            Member::Nobody => false,
        }
    }

    fn is_account(&self, email: &str, who: &Principal<'_>) -> bool {
        who.email.is_some_and(|own| own.eq_ignore_ascii_case(email))
            || self.unique_id(email).is_some_and(|unique_id| unique_id == who.unique_id)
    }
}

/// The address in `member`, in lower case; that of a group keeps its prefix.
fn listed(member: &str, groups: &BTreeSet<String>) -> Result<String, String> {
    let (kind, address) = match member.split_once(':') {
        Some((kind @ ("user" | "serviceAccount" | "group"), address)) => (Some(kind), email(address)?),
        Some((kind, _)) => {
            return Err(format!("'{kind}:' cannot be listed: use user:, serviceAccount: or group:."));
        }
        None => (None, email(member)?),
    };
    let is_group = groups.contains(&address);
    match kind {
        Some("group") if is_group => Ok(format!("group:{address}")),
        Some("group") => Err(format!("the group {address} is not listed under groups.")),
        None if is_group => Ok(format!("group:{address}")),
        _ => Ok(address),
    }
}

/// The accounts in a group and in the groups in it.
fn everyone_in(group: &str, direct: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let (mut everyone, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![group];
    while let Some(group) = open.pop() {
        if !seen.insert(group) {
            continue;
        }
        for member in direct.get(group).into_iter().flatten() {
            match member.strip_prefix("group:") {
                Some(inner) => open.push(inner),
                None => _ = everyone.insert(member.clone()),
            }
        }
    }
    everyone
}

#[cfg(test)]
mod tests;
