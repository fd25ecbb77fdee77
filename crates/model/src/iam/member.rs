//! Whom does a member of a binding name?

use crate::account::Account;

/// A member of a binding, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member<'a> {
    /// Anyone, with or without a credential.
    AllUsers,
    /// Anyone with a Google account.
    AllAuthenticatedUsers,
    /// The account with this address: `user:` or `serviceAccount:`.
    Account(&'a str),
    /// The members of the group with this address.
    Group(&'a str),
    /// The users of this Workspace domain.
    Domain(&'a str),
    /// A federated identity, by its whole name: `principal://…`.
    Federated(&'a str),
    /// All identities of a federated pool, whose name this is: `principalSet://POOL/*`.
    Pool(&'a str),
    /// A member that names no account: `deleted:`, a set of a pool by its attributes, a workload of GKE.
    Nobody,
}

impl<'a> Member<'a> {
    /// Reads a member. What is not well formed names nobody: a policy is validated when it is written.
    pub(crate) fn parse(text: &'a str) -> Self {
        match (text, text.split_once(':')) {
            ("allUsers", _) => Self::AllUsers,
            ("allAuthenticatedUsers", _) => Self::AllAuthenticatedUsers,
            (_, Some(("user" | "serviceAccount", email))) if email.contains('@') => Self::Account(email),
            (_, Some(("group", email))) => Self::Group(email),
            (_, Some(("domain", domain))) => Self::Domain(domain),
            (_, Some(("principal", _))) => Self::Federated(text),
            (_, Some(("principalSet", set))) => {
                match set.strip_prefix("//").and_then(|set| set.strip_suffix("/*")) {
                    Some(pool) => Self::Pool(pool),
                    None => Self::Nobody,
                }
            }
            _ => Self::Nobody,
        }
    }
}

/// What is known of a caller: an address, if the credential names one, and a unique id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal<'a> {
    /// The verified address, in any case.
    pub email: Option<&'a str>,
    /// The unique id: the `sub` of a token.
    pub unique_id: &'a str,
    /// The Workspace domain, if the credential names one: the `hd` of a token.
    pub hosted_domain: Option<&'a str>,
}

impl<'a> Principal<'a> {
    /// Who it is in its pool, if it is a federated identity: its name without `principal://`.
    pub(crate) fn federated(&self) -> Option<&'a str> {
        self.email?.strip_prefix("principal://")
    }

    /// The domains whose users this principal is one of. A service account is in none.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &'a str> {
        let of_email = self.email.and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        let of_user = of_email.filter(|domain| !domain.ends_with("gserviceaccount.com"));
        of_user.into_iter().chain(self.hosted_domain)
    }
}

impl<'a> From<&'a Account> for Principal<'a> {
    fn from(account: &'a Account) -> Self {
        Self { email: Some(&account.email), unique_id: &account.unique_id, hosted_domain: None }
    }
}
