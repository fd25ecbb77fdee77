//! Who calls the API, and what may they do?

use groundrun_identity::TokenError;
use groundrun_model::account::Account;
use groundrun_model::iam::{self, ConditionRequest, Naming, PolicyHistory, Resource};
use groundrun_model::{Code, Error, Result};

use crate::Engine;

/// Who calls the API.
#[derive(Debug, Clone)]
pub struct Caller {
    account: Account,
    naming: Naming,
}

impl Caller {
    fn new(account: &Account) -> Self {
        Self { account: account.clone(), naming: Naming::default() }
    }

    /// The caller of an API that names resources so.
    #[must_use]
    pub fn spelling(self, naming: Naming) -> Self {
        Self { naming, ..self }
    }

    /// The account that calls.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// The proof that a caller may do what it asks for; only [`Engine::allow`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'c> {
    caller: &'c Caller,
}

impl Allowed<'_> {
    /// The email of the caller.
    pub(crate) fn email(&self) -> &str {
        &self.caller.account.email
    }
}

impl Engine {
    /// The caller who shows `bearer`: the account that an access token of an emulator was minted for, and
    /// the owner of this machine with any other token, a real one of Google's among them, or none.
    ///
    /// # Errors
    /// 401 for an access token of an emulator that has ended, was altered, or is of another emulator:
    /// clients then get themselves a new one.
    pub async fn caller(&self, bearer: Option<&str>) -> Result<Caller> {
        let Some(token) = bearer else { return Ok(self.local_owner()) };
        match self.0.parts.keys.verify_access_token(token, self.now()) {
            Ok(claims) => Ok(Caller::new(claims.account())),
            Err(TokenError::NotAnAccessToken | TokenError::ForeignAccessToken) => Ok(self.local_owner()),
            Err(problem) => Err(Error::new(
                Code::Unauthenticated,
                format!(
                    "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                     cookie or other valid authentication credential. ({problem})"
                ),
            )),
        }
    }

    /// The developer at this machine.
    pub fn local_owner(&self) -> Caller {
        Caller::new(&self.0.owner)
    }

    /// Lets the caller use `permission` on `resource`. Unless the permissions of the API are enforced,
    /// every caller may do everything to the API of its own machine.
    ///
    /// # Errors
    /// 403 in Google's words if the caller may not.
    pub(crate) async fn allow<'c>(
        &self,
        caller: &'c Caller,
        permission: &str,
        resource: Resource<'_>,
    ) -> Result<Allowed<'c>> {
        if self.0.config.enforce_api_iam && !self.holds(&caller.account, permission, resource).await? {
            return Err(Error::permission_denied(permission, &resource.spelled(caller.naming)));
        }
        tracing::trace!(caller = caller.account.email, permission, ?resource, "allowed");
        Ok(Allowed { caller })
    }

    /// Whether the account holds `permission` on `resource` by its own policy or by that of its project.
    pub(crate) async fn holds(
        &self,
        account: &Account,
        permission: &str,
        resource: Resource<'_>,
    ) -> Result<bool> {
        let permissions = vec![permission.to_owned()];
        Ok(!self.permissions_held(account, permissions, resource).await?.is_empty())
    }

    /// Which of `permissions` the account holds on `resource` now, by its own policy or by that of its
    /// project.
    ///
    /// # Errors
    /// 400 for a wildcard.
    pub(crate) async fn permissions_held(
        &self,
        account: &Account,
        permissions: Vec<String>,
        resource: Resource<'_>,
    ) -> Result<Vec<String>> {
        let own = match resource {
            Resource::Service(_) | Resource::ServiceAccount { .. } => {
                self.policy_history(&resource.spelled(Naming::Projects)).await?
            }
            Resource::Project(_) | Resource::Part { .. } => PolicyHistory::default(),
        };
        let inherited = self.project_policy_history(resource.project()).await?;
        let (now, delay) = (self.now(), self.0.config.iam_propagation_seconds);
        let policies = [own.effective(now, delay), inherited.effective(now, delay)];
        let seen = resource.for_conditions();
        // Only calls of services have a host and a path that conditions can look at.
        let request = ConditionRequest { time: now, host: None, path: None, resource: &seen };
        iam::held(&policies, &self.0.realm.load(), account, permissions, &request)
    }
}
