//! Who calls the API, and what may they do?

use groundrun_identity::{AccessClaims, TokenError};
use groundrun_model::account::Account;
use groundrun_model::iam::{self, ConditionRequest, Naming, PolicyHistory, Resource};
use groundrun_model::{Code, Error, Project, Result};
use groundrun_store::ServiceAccount;

use crate::login::REFRESH;
use crate::{Engine, OWNER_TOKEN};

/// Who calls the API.
#[derive(Debug, Clone)]
pub struct Caller {
    account: Account,
    naming: Naming,
}

impl Caller {
    pub(crate) fn new(account: &Account) -> Self {
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
    /// Who was let.
    pub(crate) fn caller(&self) -> &Caller {
        self.caller
    }

    /// The email of the caller.
    pub(crate) fn email(&self) -> &str {
        &self.caller.account.email
    }
}

impl Engine {
    /// The caller who shows `bearer`: the account that an access token of this emulator was minted for, or
    /// the service account that signed a JWT with a key that is known here. With [`OWNER_TOKEN`] it is the owner of this machine. Unless credentials are asked for, it is the
    /// owner with any other token too, a real one of Google's among them, or with none.
    ///
    /// # Errors
    /// 401 for an access token of an emulator that has ended, was altered, or is of another emulator, and
    /// for one of an account that was disabled or deleted since: clients then get themselves a new one.
    /// Where credentials are asked for, also for none and for one that is not known.
    pub async fn caller(&self, bearer: Option<&str>) -> Result<Caller> {
        let lenient = !self.asks_for_credentials();
        let Some(token) = bearer else {
            return if lenient { Ok(self.local_owner()) } else { Err(Error::no_credential()) };
        };
        if token == OWNER_TOKEN {
            return Ok(self.local_owner());
        }
        match self.0.parts.keys.verify_access_token(token, self.now()) {
            Ok(claims) => self.standing_of(&claims).map(|account| Caller::new(&account)),
            Err(problem @ (TokenError::NotAnAccessToken | TokenError::ForeignAccessToken)) => {
                match self.self_signed_bearer(token).await {
                    Ok(Some(account)) => Ok(Caller::new(&account)),
                    Ok(None) if lenient => Ok(self.local_owner()),
                    Ok(None) => Err(Error::invalid_credential(problem)),
                    Err(refused) => Err(Error::invalid_credential(refused.message)),
                }
            }
            Err(problem) => Err(Error::invalid_credential(problem)),
        }
    }

    /// The account of an access token that was verified, if it is still good.
    ///
    /// # Errors
    /// 401 if the account was disabled or deleted, or if the token is for refreshing only.
    pub(crate) fn standing_of(&self, claims: &AccessClaims) -> Result<Account> {
        if claims.scopes().iter().any(|scope| scope == REFRESH) {
            return Err(Error::invalid_credential("this is no access token"));
        }
        let account = claims.account();
        let standing = self.0.directory.standing(&account.unique_id);
        match standing.and_then(|(email, standing)| standing.refusal(&email)) {
            Some(why) => Err(Error::account_state_invalid(&account.email, why)),
            None => Ok(account.clone()),
        }
    }

    /// Whether who calls the API must say who it is.
    pub(crate) fn asks_for_credentials(&self) -> bool {
        self.0.config.strict_identity || self.0.config.enforce_api_iam
    }

    /// The developer at this machine.
    pub fn local_owner(&self) -> Caller {
        Caller::new(&self.0.owner)
    }

    /// Lets the owner of this machine, and where credentials are asked for nobody else, use `what`: it is the
    /// emulator's and no resource of a project, so no role grants it.
    ///
    /// # Errors
    /// 403 for other callers.
    pub(crate) fn owner_only(&self, caller: &Caller, what: &str) -> Result<()> {
        if !self.asks_for_credentials() || caller.account == self.0.owner {
            return Ok(());
        }
        let owner = &self.0.owner.email;
        let message = format!("Permission denied on {what} of the emulator: only {owner} may use them.");
        Err(Error::new(Code::PermissionDenied, message)
            .hint("no role grants this; send the bearer token of the local owner"))
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
        if self.0.config.enforce_api_iam {
            self.require(caller, permission, resource).await?;
        }
        tracing::trace!(caller = caller.account.email, permission, ?resource, "allowed");
        Ok(Allowed { caller })
    }

    /// Lets the caller make or use credentials of a service account, by `permission`. It counts where
    /// credentials are asked for: whoever may mint for others is anybody.
    ///
    /// # Errors
    /// As [`Engine::allow`].
    pub(crate) async fn allow_minting(
        &self,
        caller: &Caller,
        permission: &str,
        account: &ServiceAccount,
    ) -> Result<()> {
        if !self.asks_for_credentials() {
            return Ok(());
        }
        let project = Project::parse(account.project.as_str())?;
        let resource = Resource::ServiceAccount { project: &project, account: &account.account };
        self.require(caller, permission, resource).await.map_err(|error| {
            let email = &account.account.email;
            let member = caller.account.member();
            error.hint(format!(
                "owners and editors do not hold it; grant it with: gcloud iam service-accounts \
                 add-iam-policy-binding {email} --member={member} \
                 --role=roles/iam.serviceAccountTokenCreator"
            ))
        })
    }

    /// # Errors
    /// 403 in Google's words if the caller does not hold `permission` on `resource`.
    async fn require(&self, caller: &Caller, permission: &str, resource: Resource<'_>) -> Result<()> {
        if self.holds(&caller.account, permission, resource).await? {
            return Ok(());
        }
        Err(match resource {
            Resource::ServiceAccount { .. } => Error::account_permission_denied(permission),
            _ => Error::permission_denied(permission, &resource.spelled(caller.naming)),
        })
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
