//! Who is an account: its email, and the unique id that a token without an email carries.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::name::{Project, is_dns_label, stable_hash};
use crate::time::Timestamp;

/// The suffix of every service account of a project.
const SERVICE_ACCOUNT_SUFFIX: &str = ".gserviceaccount.com";

/// How the name of a federated identity begins.
const FEDERATED: &str = "principal://";

/// A Google account as tokens and policies name it: `user:` or `serviceAccount:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    /// The address, in lower case: Google compares addresses without case.
    pub email: String,
    /// 21 digits: the `sub` (and, of a service account, the `azp`) of its tokens.
    pub unique_id: String,
}

/// Whether an address, in any case, is that of a service account, whatever project it belongs to.
pub fn is_service_account(email: &str) -> bool {
    let end = email.len().checked_sub(SERVICE_ACCOUNT_SUFFIX.len()).and_then(|start| email.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(SERVICE_ACCOUNT_SUFFIX))
}

impl Account {
    /// The account with this address. Its unique id is a stable function of the address, so that a
    /// token without an email claim can be recognised without asking a directory.
    pub fn new(email: &str) -> Self {
        let email = email.to_ascii_lowercase();
        let low = stable_hash("account-unique-id", &email) % 10_u64.pow(18);
        Self {
            unique_id: format!("1{:02}{low:018}", stable_hash("account-unique-id-2", &email) % 100),
            email,
        }
    }

    /// The account with this address after `lives` others had it and were deleted. As documented, an
    /// account that is created anew is another one: its unique id differs.
    pub fn after(email: &str, lives: usize) -> Self {
        let first = Self::new(email);
        match lives {
            0 => first,
            _ => Self { unique_id: Self::new(&format!("{}#{lives}", first.email)).unique_id, ..first },
        }
    }

    /// Whom the pool of a federation calls `subject`, case and all: no account of Google's, but its name
    /// stands in policies in the place of one. `pool` is the resource name of the pool without `//`:
    /// `iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL`.
    pub fn federated(pool: &str, subject: &str) -> Self {
        let principal = format!("{FEDERATED}{pool}/subject/{subject}");
        Self { email: principal.clone(), unique_id: principal }
    }

    /// Whether this is somebody whom another identity provider vouches for; see [`Account::federated`].
    pub fn is_federated(&self) -> bool {
        self.email.starts_with(FEDERATED)
    }

    /// Whether this is a service account, whatever project it belongs to.
    pub fn is_service_account(&self) -> bool {
        is_service_account(&self.email)
    }

    /// The member that names this account in a policy.
    pub fn member(&self) -> String {
        if self.is_federated() {
            return self.email.clone();
        }
        let kind = if self.is_service_account() { "serviceAccount" } else { "user" };
        format!("{kind}:{}", self.email)
    }
}

/// How long a deleted service account can be brought back, in seconds: 30 days, as documented.
const UNDELETABLE_SECONDS: i64 = 30 * 24 * 3600;

/// Whether a service account that was deleted at this moment can still be brought back.
pub fn can_be_undeleted(deleted: Timestamp, now: Timestamp) -> bool {
    now <= deleted.plus_seconds(UNDELETABLE_SECONDS)
}

/// What is out of the ordinary about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nothing, but that its unique id does not follow from its address: another one had that before.
    Recreated,
    /// It was disabled: what it shows is refused until it is enabled.
    Disabled,
    /// It was deleted: what it shows is refused.
    Deleted,
}

impl Standing {
    /// Why credentials of the account `email` are refused, if they are.
    pub fn refusal(self, email: &str) -> Option<String> {
        match self {
            Self::Recreated => None,
            Self::Disabled => Some(format!("the service account {email} is disabled")),
            Self::Deleted => Some(format!("the service account {email} was deleted")),
        }
    }
}

/// The name of a service account, and the project that owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    /// The address.
    pub email: String,
    /// The id or number of the project that owns it.
    pub project: String,
}

impl AccountName {
    /// Reads the address of a service account: one of a project's own
    /// (`ID@PROJECT.iam.gserviceaccount.com`), or a default one
    /// (`NUMBER-compute@developer.gserviceaccount.com`, `PROJECT@appspot.gserviceaccount.com`).
    pub fn parse(email: &str) -> Option<Self> {
        let email = email.to_ascii_lowercase();
        let (id, domain) = email.split_once('@')?;
        let project = match domain.strip_suffix(".iam.gserviceaccount.com") {
            // A project of a domain: `id@demo.example.com.iam.gserviceaccount.com`.
            Some(project) => match project.split_once('.') {
                Some((name, domain)) => format!("{domain}:{name}"),
                None => project.to_owned(),
            },
            None if domain == "developer.gserviceaccount.com" => id.strip_suffix("-compute")?.to_owned(),
            None if domain == "appspot.gserviceaccount.com" => id.to_owned(),
            None => return None,
        };
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        (!id.is_empty() && id.bytes().all(good)).then_some(Self { email, project })
    }

    /// The address of the account that a project calls `account_id`.
    ///
    /// # Errors
    /// 400 if the id is not 6 to 30 lowercase letters, digits and hyphens, beginning with a letter.
    pub fn of_project(account_id: &str, project: &Project) -> Result<Self> {
        if !(is_dns_label(account_id) && (6..=30).contains(&account_id.len())) {
            return Err(Error::field(
                "account_id",
                "must be 6 to 30 lowercase letters, digits and hyphens, beginning with a letter.",
            ));
        }
        Ok(Self { email: Self::email(account_id, project), project: project.id.to_string() })
    }

    /// The address that an account of the project has or would have.
    pub fn email(account_id: &str, project: &Project) -> String {
        let domain = match project.id.as_str().split_once(':') {
            Some((domain, name)) => format!("{name}.{domain}"),
            None => project.id.to_string(),
        };
        format!("{account_id}@{domain}.iam.gserviceaccount.com")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unique_id_has_21_digits_and_ignores_case() {
        let account = Account::new("Caller@demo.iam.gserviceaccount.com");
        assert_eq!(account.unique_id.len(), 21);
        assert_eq!(account, Account::new("caller@demo.iam.gserviceaccount.com"));
        assert_eq!(account.member(), "serviceAccount:caller@demo.iam.gserviceaccount.com");
        assert_eq!(Account::new("dev@example.com").member(), "user:dev@example.com");
    }

    #[test]
    fn each_life_of_an_address_has_an_id_of_its_own() {
        let ids: Vec<String> =
            (0..3).map(|n| Account::after("a@demo.iam.gserviceaccount.com", n).unique_id).collect();
        assert_eq!(ids[0], Account::new("a@demo.iam.gserviceaccount.com").unique_id);
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
        assert!(ids.iter().all(|id| id.len() == 21), "{ids:?}");
    }

    #[test]
    fn a_federated_identity_is_its_own_member() {
        let pool = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p";
        let account = Account::federated(pool, "Repo:main");
        assert!(account.is_federated() && !account.is_service_account());
        assert_eq!(account.member(), format!("principal://{pool}/subject/Repo:main"));
    }

    #[test]
    fn the_address_tells_the_project() {
        let project = |email: &str| AccountName::parse(email).map(|name| name.project);
        assert_eq!(project("caller@demo.iam.gserviceaccount.com").as_deref(), Some("demo"));
        assert_eq!(
            project("a@demo.example.com.iam.gserviceaccount.com").as_deref(),
            Some("example.com:demo")
        );
        assert_eq!(project("123-compute@developer.gserviceaccount.com").as_deref(), Some("123"));
        assert_eq!(project("dev@example.com"), None);
        assert_eq!(project("@demo.iam.gserviceaccount.com"), None);
    }
}
