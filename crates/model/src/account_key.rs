//! Which user-managed keys may a service account have, and which of them count?
//!
//! The IAM API's `ServiceAccountKey`. Only the public half is kept. A deleted key stays as a mark, so
//! that its id is known for good: what it signs later is refused, and not taken for a stranger's.
//! <https://cloud.google.com/iam/docs/keys-create-delete>.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::Account;
use crate::error::{Code, Error, Result};
use crate::kind::{Key, Kind, Record, Resource, read, write};
use crate::time::Timestamp;

/// How many user-managed keys an account may have: the documented quota.
pub const MOST_KEYS: usize = 10;

/// The end of a key that has none, as the hosted service writes it: 9999-12-31T23:59:59Z.
pub const NEVER_ENDS: Timestamp = Timestamp::from_seconds(253_402_300_799);

/// Service accounts are in no region.
const LOCATION: &str = "global";

/// Who made a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyOrigin {
    /// The hosted service, which here is this emulator.
    GoogleProvided,
    /// The user, who uploaded the public half.
    UserProvided,
}

/// A user-managed key of a service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountKey {
    /// Its id: 40 hexadecimal digits, a function of the public key.
    pub id: String,
    /// The id of the project of its account.
    pub project: String,
    /// The address of its account.
    pub email: String,
    /// Unlike that of any other key.
    pub uid: Uuid,
    /// When it was created or uploaded.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// What is kept of it.
    pub spec: AccountKeySpec,
}

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountKeySpec {
    /// The unique id of its account: another account that gets the address later does not get the key. Absent
    /// in what was stored before it was kept; then it is the first account of that address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The public half, as an X.509 certificate in PEM.
    pub certificate: String,
    /// Who made it.
    pub origin: KeyOrigin,
    /// From when on it counts.
    pub valid_after: Timestamp,
    /// Until when it counts.
    pub valid_before: Timestamp,
    /// Whether it was disabled.
    #[serde(default)]
    pub disabled: bool,
    /// Whether it was deleted.
    #[serde(default)]
    pub deleted: bool,
}

impl AccountKey {
    /// Whether the account can sign with it at the moment `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let AccountKeySpec { valid_after, valid_before, disabled, deleted, .. } = self.spec;
        !disabled && !deleted && valid_after <= now && now < valid_before
    }

    /// Whether it is a key of this account, and not of one that had the address before or after.
    pub fn belongs_to(&self, account: &Account) -> bool {
        let owner = self.spec.account.clone().unwrap_or_else(|| Account::new(&self.email).unique_id);
        self.email == account.email && owner == account.unique_id
    }

    /// The name under which a key of this id is stored.
    pub fn key(project: &str, id: &str) -> Key {
        Key {
            kind: Kind::ServiceAccountKey,
            project: project.to_owned(),
            location: LOCATION.to_owned(),
            name: id.to_owned(),
        }
    }
}

/// Lets an account that has these keys have one more.
///
/// # Errors
/// 400 FAILED_PRECONDITION in Google's words if it has as many as it may.
pub fn check_room(keys: &[AccountKey]) -> Result<()> {
    if keys.iter().filter(|key| !key.spec.deleted).count() < MOST_KEYS {
        return Ok(());
    }
    Err(precondition(format!("a service account has at most {MOST_KEYS} keys; delete one that is not used")))
}

/// The refusal of what the state of a key does not allow.
pub fn precondition(hint: impl Into<String>) -> Error {
    Error::new(Code::FailedPrecondition, "Precondition check failed.").hint(hint)
}

impl Resource for AccountKey {
    const KIND: Kind = Kind::ServiceAccountKey;

    fn to_record(&self) -> Result<Record> {
        Ok(Record {
            key: Self::key(&self.project, &self.id),
            uid: self.uid,
            parent: Some(self.email.clone()),
            generation: 1,
            version: self.updated.micros(),
            created: self.created,
            updated: self.updated,
            spec: write(&self.spec)?,
            status: serde_json::Value::Null,
            meta: serde_json::Value::Null,
        })
    }

    fn from_record(record: Record) -> Result<Self> {
        Ok(Self {
            spec: read(record.spec, &record.key)?,
            id: record.key.name,
            project: record.key.project,
            email: record.parent.unwrap_or_default(),
            uid: record.uid,
            created: record.created,
            updated: record.updated,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: usize) -> AccountKey {
        AccountKey {
            id: format!("{id:040x}"),
            project: "demo".to_owned(),
            email: "a@demo.iam.gserviceaccount.com".to_owned(),
            uid: Uuid::nil(),
            created: Timestamp::from_seconds(100),
            updated: Timestamp::from_seconds(100),
            spec: AccountKeySpec {
                account: None,
                certificate: String::new(),
                origin: KeyOrigin::GoogleProvided,
                valid_after: Timestamp::from_seconds(100),
                valid_before: Timestamp::from_seconds(200),
                disabled: false,
                deleted: false,
            },
        }
    }

    #[test]
    fn an_account_has_ten_keys_at_most_and_deleted_ones_do_not_count() {
        let mut keys: Vec<AccountKey> = (0..MOST_KEYS).map(key).collect();
        check_room(&keys[1..]).unwrap();
        let refused = check_room(&keys).unwrap_err();
        assert_eq!(refused.code, Code::FailedPrecondition);
        keys[3].spec.disabled = true;
        check_room(&keys).unwrap_err();
        keys[3].spec.deleted = true;
        check_room(&keys).unwrap();
    }

    #[test]
    fn a_key_counts_within_its_time_unless_it_is_disabled_or_deleted() {
        let at = Timestamp::from_seconds;
        let live = key(1);
        assert!(live.is_live(at(100)) && live.is_live(at(199)));
        assert!(!live.is_live(at(99)) && !live.is_live(at(200)));
        let with = |change: fn(&mut AccountKeySpec)| {
            let mut key = key(1);
            change(&mut key.spec);
            key
        };
        assert!(!with(|spec| spec.disabled = true).is_live(at(150)));
        assert!(!with(|spec| spec.deleted = true).is_live(at(150)));
    }

    #[test]
    fn who_has_the_address_later_does_not_have_the_key() {
        let email = "a@demo.iam.gserviceaccount.com";
        let (first, second) = (Account::new(email), Account::after(email, 1));
        let old = key(1);
        assert!(old.belongs_to(&first) && !old.belongs_to(&second));
        let mut new = key(2);
        new.spec.account = Some(second.unique_id.clone());
        assert!(new.belongs_to(&second) && !new.belongs_to(&first));
    }

    #[test]
    fn it_comes_back_from_its_record() {
        let mut stored = key(1);
        stored.spec.disabled = true;
        assert_eq!(AccountKey::from_record(stored.to_record().unwrap()).unwrap(), stored);
    }

    #[test]
    fn the_end_of_what_has_none_is_written_as_google_does() {
        assert_eq!(NEVER_ENDS.to_rfc3339_seconds(), "9999-12-31T23:59:59Z");
    }
}
