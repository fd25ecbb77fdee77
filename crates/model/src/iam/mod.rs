//! What is an IAM policy, how is it read, and how does a write replace it?
//!
//! The message is `google.iam.v1.Policy`: <https://cloud.google.com/iam/docs/reference/rest/v1/Policy>.
//! [`grant`] answers what a policy grants, [`roles`] what a role holds.

pub mod condition;
pub mod custom_role;
pub mod grant;
mod held;
mod history;
mod identities;
mod json;
pub(crate) mod member;
mod realm;
mod refusal;
mod resource;
pub mod roles;
mod validate;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::name::stable_hash;
use crate::time::Timestamp;

pub use condition::{ConditionRequest, ConditionResource};
pub use grant::{Grant, Principal, Refusal, granted};
pub use held::held;
pub use history::{PolicyHistory, eras};
pub use identities::{AccountState, Identities};
pub use realm::Realm;
pub use resource::{Naming, Resource};
pub use roles::{RUN_INVOKE, role_permissions};

/// The etag of a policy that was never written: `ACAB` in base64.
const NEVER_WRITTEN: [u8; 3] = [0x00, 0x20, 0x01];

/// The first of the 8 bytes of the etag of a written policy, so that it begins with `Bw` in base64.
const WRITTEN: u8 = 0x07;

/// Who may do what with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// 3 if a binding has a condition, otherwise 1; in a request also 0.
    #[serde(default)]
    pub version: i32,
    /// Roles and who holds them, in the order that they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// The version of the policy, for read-modify-write: bytes, because clients re-encode them.
    #[serde(default, with = "json::etag")]
    pub etag: Vec<u8>,
}

/// One role and who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// `roles/run.invoker`, `projects/p/roles/custom` or `organizations/1/roles/custom`.
    pub role: String,
    /// `user:dev@example.com`, `allUsers` and so on.
    #[serde(default)]
    pub members: Vec<String>,
    /// When the binding counts; `None` is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// A condition in the Common Expression Language (`google.type.Expr`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// The expression.
    pub expression: String,
    /// Its short name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where it came from, for messages.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location: String,
}

/// The kind of resource that a policy stands on, which decides who may be a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyLevel {
    /// A Cloud Run service: anyone, `allUsers` too.
    Service,
    /// A project: not `allUsers` and not `allAuthenticatedUsers`.
    Project,
    /// A service account.
    ServiceAccount,
}

/// The policy that was never written.
impl Default for Policy {
    fn default() -> Self {
        Self { version: 1, bindings: Vec::new(), etag: NEVER_WRITTEN.to_vec() }
    }
}

impl Policy {
    /// The policy after a write of `incoming` over `self`. `mask` is the request's update mask; empty or
    /// absent it is `bindings,etag`. `now` becomes the etag.
    ///
    /// As documented for `setIamPolicy`, a request without an etag overwrites whatever is there, and one
    /// with an etag must say version 3 as soon as a condition exists before or after it.
    ///
    /// # Errors
    /// 400 for a malformed role, member, version or mask, and for members that `level` does not allow;
    /// 409 if the etag is not the current one.
    pub fn replace(
        &self,
        incoming: Self,
        mask: Option<&str>,
        level: PolicyLevel,
        now: Timestamp,
    ) -> Result<Self> {
        let mask = Mask::parse(mask.unwrap_or_default())?;
        validate::version(&incoming, "policy.version")?;
        let bindings =
            if mask.bindings { validate::bindings(&incoming, level)? } else { self.bindings.clone() };
        let checks_etag = mask.etag && !incoming.etag.is_empty();
        if checks_etag && incoming.etag != self.etag {
            return Err(Error::policy_conflict());
        }
        if checks_etag && incoming.version < 3 && self.has_conditions() {
            return Err(Error::field(
                "policy.version",
                "the current policy has conditions: read it with requestedPolicyVersion 3 and write it with version 3.",
            ));
        }
        let version = if bindings.iter().any(|binding| binding.condition.is_some()) { 3 } else { 1 };
        Ok(Self { version, bindings, etag: self.next_etag(now) })
    }

    /// The policy as a caller sees it who asks for `requested_version` (`options.requestedPolicyVersion`).
    ///
    /// As documented, one who asks for less than 3 sees a policy of version 1, in which the role of each
    /// conditional binding has `_withcond_` and a hash appended and its condition is left out. Such a
    /// role is refused on the way back.
    ///
    /// # Errors
    /// 400 if there is no such version.
    pub fn read(&self, requested_version: i32) -> Result<Self> {
        validate::known_version(requested_version, "options.requestedPolicyVersion")?;
        if requested_version >= 3 || !self.has_conditions() {
            return Ok(self.clone());
        }
        let bindings = self.bindings.iter().map(Binding::without_condition).collect();
        Ok(Self { version: 1, bindings, etag: self.etag.clone() })
    }

    /// Whether a binding has a condition.
    pub fn has_conditions(&self) -> bool {
        self.bindings.iter().any(|binding| binding.condition.is_some())
    }

    /// 8 bytes that differ from the current etag even if the clock stands still.
    fn next_etag(&self, now: Timestamp) -> Vec<u8> {
        let moment = now.micros().max(self.written_at().map_or(0, |before| before + 1));
        let mut etag = moment.to_be_bytes();
        etag[0] = WRITTEN;
        etag.to_vec()
    }

    /// The moment in the etag, in microseconds; `None` of a policy that was never written.
    fn written_at(&self) -> Option<i64> {
        let mut bytes: [u8; 8] = self.etag.as_slice().try_into().ok()?;
        (bytes[0] == WRITTEN).then(|| {
            bytes[0] = 0;
            i64::from_be_bytes(bytes)
        })
    }
}

impl Binding {
    fn without_condition(&self) -> Self {
        let Some(condition) = &self.condition else { return self.clone() };
        let hash = stable_hash("iam-condition", &format!("{condition:?}"));
        Self {
            role: format!("{}{}{hash:016x}", self.role, validate::WITH_CONDITION),
            condition: None,
            ..self.clone()
        }
    }
}

/// Which parts of the policy a write replaces.
struct Mask {
    bindings: bool,
    etag: bool,
}

impl Mask {
    fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self { bindings: true, etag: true });
        }
        let mut mask = Self { bindings: false, etag: false };
        for path in text.split(',').map(str::trim) {
            match path {
                "bindings" => mask.bindings = true,
                "etag" => mask.etag = true,
                // The version follows from the bindings.
                "version" => {}
                _ => return Err(Error::field("updateMask", format!("'{path}' is not a field of a policy."))),
            }
        }
        Ok(mask)
    }
}

#[cfg(test)]
mod tests;
