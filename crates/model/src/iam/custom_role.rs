//! What is a custom role, and how may it change?
//!
//! The message is `google.iam.admin.v1.Role`: <https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::roles::is_permission;
use crate::error::{Code, Error, Result};
use crate::kind::{self, Key, Kind, Record, Resource};
use crate::name::Project;
use crate::time::Timestamp;

/// The longest title, in bytes, as documented.
const LONGEST_TITLE: usize = 100;

/// The longest description, in bytes, as documented.
const LONGEST_DESCRIPTION: usize = 300;

/// Where custom roles are: in no region.
const LOCATION: &str = "global";

/// How far a role is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// The default; it is not spelled in answers.
    #[default]
    Alpha,
    /// Nearly ready.
    Beta,
    /// Ready.
    Ga,
    /// About to end.
    Deprecated,
    /// It grants nothing.
    Disabled,
    /// For early access.
    Eap,
}

/// What the owner of a custom role decides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoleSpec {
    /// A short name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it holds, sorted and each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included_permissions: Vec<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "is_alpha")]
    pub stage: Stage,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_alpha(stage: &Stage) -> bool {
    *stage == Stage::Alpha
}

/// A role that a project made for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// The id of the project.
    pub project: String,
    /// Its id in the project.
    pub id: String,
    /// What its owner decided.
    pub spec: RoleSpec,
    /// Whether it was deleted. It can be brought back, and until then grants nothing.
    pub deleted: bool,
    uid: Uuid,
    generation: i64,
    version: i64,
    created: Timestamp,
    updated: Timestamp,
}

impl CustomRole {
    /// The role `id` that the project makes at `now`.
    ///
    /// # Errors
    /// 400 for a malformed id and for what [`RoleSpec`] cannot be.
    pub fn create(project: &Project, id: &str, spec: RoleSpec, uid: Uuid, now: Timestamp) -> Result<Self> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
        if !((3..=64).contains(&id.len()) && id.bytes().all(good)) {
            let words = format!(
                "'{id}' must have 3 to 64 characters: letters, digits, underscores (_) and periods (.)."
            );
            return Err(Error::field("role_id", words));
        }
        Ok(Self {
            project: project.id.to_string(),
            id: id.to_owned(),
            spec: spec.checked()?,
            deleted: false,
            uid,
            generation: 1,
            version: now.micros(),
            created: now,
            updated: now,
        })
    }

    /// The full name: `projects/p/roles/x`.
    pub fn name(&self) -> String {
        format!("projects/{}/roles/{}", self.project, self.id)
    }

    /// The key of the role `id` of the project with the id `project`.
    pub fn key(project: &str, id: &str) -> Key {
        Key {
            kind: Kind::Role,
            project: project.to_owned(),
            location: LOCATION.to_owned(),
            name: id.to_owned(),
        }
    }

    /// Whether a binding of the role grants `permission`: not of a deleted or disabled one.
    pub fn carries(&self, permission: &str) -> bool {
        !self.deleted
            && self.spec.stage != Stage::Disabled
            && self.spec.included_permissions.iter().any(|held| held == permission)
    }

    /// The role with `spec`.
    ///
    /// # Errors
    /// 409 if `etag` is given and not the current one; 400 if the role is deleted or `spec` breaks a rule.
    pub fn with_spec(&self, spec: RoleSpec, etag: &str, now: Timestamp) -> Result<Self> {
        self.check_etag(etag)?;
        if self.deleted {
            return Err(self.in_state(format!(
                "You can't update role_id ({}) because it is deleted; undelete it first.",
                self.id
            )));
        }
        Ok(Self { spec: spec.checked()?, generation: self.generation + 1, ..self.moved_on(now) })
    }

    /// The role, deleted or brought back.
    ///
    /// # Errors
    /// 409 if `etag` is given and not the current one; 400 if it is in that state already.
    pub fn with_deleted(&self, deleted: bool, etag: &str, now: Timestamp) -> Result<Self> {
        self.check_etag(etag)?;
        if self.deleted == deleted {
            let (verb, state) = if deleted { ("delete", "already") } else { ("undelete", "not") };
            return Err(self
                .in_state(format!("You can't {verb} role_id ({}) because it is {state} deleted.", self.id)));
        }
        Ok(Self { deleted, ..self.moved_on(now) })
    }

    fn in_state(&self, words: String) -> Error {
        Error::new(Code::FailedPrecondition, words)
    }

    fn moved_on(&self, now: Timestamp) -> Self {
        let now = Timestamp::from_micros(self.version).advance(now);
        Self { version: now.micros(), updated: now, ..self.clone() }
    }

    fn check_etag(&self, etag: &str) -> Result<()> {
        let given = etag.replace('-', "+").replace('_', "/");
        if given.is_empty() || given.trim_end_matches('=') == self.etag().trim_end_matches('=') {
            return Ok(());
        }
        Err(Error::policy_conflict())
    }

    /// What optimistic concurrency compares.
    pub fn etag(&self) -> String {
        let mut bytes = self.version.to_be_bytes();
        bytes[0] = 0x07;
        STANDARD.encode(bytes)
    }

    /// What a writer read: the version of the stored record.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The role as the API answers it; a list leaves the permissions out unless it is asked for them.
    pub fn to_json(&self, with_permissions: bool) -> Value {
        // Strings and lists of them always have a JSON form.
        let mut json = serde_json::to_value(&self.spec).unwrap_or_default();
        json["name"] = json!(self.name());
        json["etag"] = json!(self.etag());
        if self.deleted {
            json["deleted"] = json!(true);
        }
        if !with_permissions && let Some(json) = json.as_object_mut() {
            json.remove("includedPermissions");
        }
        json
    }
}

impl RoleSpec {
    /// The specification in its normal form.
    fn checked(mut self) -> Result<Self> {
        let most = |field: &str, most| Error::field(field, format!("must have at most {most} bytes."));
        if self.title.len() > LONGEST_TITLE {
            return Err(most("role.title", LONGEST_TITLE));
        }
        if self.description.len() > LONGEST_DESCRIPTION {
            return Err(most("role.description", LONGEST_DESCRIPTION));
        }
        if let Some(unknown) = self.included_permissions.iter().find(|name| !is_permission(name)) {
            // Google's words.
            return Err(Error::in_words(format!("Permission {unknown} is not valid.")));
        }
        self.included_permissions.sort_unstable();
        self.included_permissions.dedup();
        Ok(self)
    }

    /// This specification with the fields of `given` that `mask` names; an empty mask is all that `given`
    /// says. The etag and the name are no part of it and may be named.
    ///
    /// # Errors
    /// 400 for a path that is no field of a role.
    pub fn masked(&self, given: Self, mask: &str) -> Result<Self> {
        let mut next = self.clone();
        let everything = "title,description,includedPermissions,stage";
        for path in (if mask.is_empty() { everything } else { mask }).split(',').map(str::trim) {
            match path {
                "title" if mask.is_empty() && given.title.is_empty() => {}
                "description" if mask.is_empty() && given.description.is_empty() => {}
                "includedPermissions" if mask.is_empty() && given.included_permissions.is_empty() => {}
                "stage" if mask.is_empty() && given.stage == Stage::Alpha => {}
                "title" => next.title.clone_from(&given.title),
                "description" => next.description.clone_from(&given.description),
                "includedPermissions" | "included_permissions" => {
                    next.included_permissions.clone_from(&given.included_permissions);
                }
                "stage" => next.stage = given.stage,
                "etag" | "name" => {}
                _ => return Err(Error::field("updateMask", format!("'{path}' is not a field of a role."))),
            }
        }
        Ok(next)
    }
}

impl Resource for CustomRole {
    const KIND: Kind = Kind::Role;

    fn to_record(&self) -> Result<Record> {
        Ok(Record {
            key: Self::key(&self.project, &self.id),
            uid: self.uid,
            parent: None,
            generation: self.generation,
            version: self.version,
            created: self.created,
            updated: self.updated,
            spec: kind::write(&self.spec)?,
            status: json!({ "deleted": self.deleted }),
            meta: json!({}),
        })
    }

    fn from_record(record: Record) -> Result<Self> {
        Ok(Self {
            deleted: record.status["deleted"] == true,
            spec: kind::read(record.spec, &record.key)?,
            project: record.key.project,
            id: record.key.name,
            uid: record.uid,
            generation: record.generation,
            version: record.version,
            created: record.created,
            updated: record.updated,
        })
    }
}

#[cfg(test)]
mod tests;
