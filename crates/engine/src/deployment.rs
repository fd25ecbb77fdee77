//! What must a caller be allowed beyond writing a service, because of what is written?

use groundrun_model::iam::Resource;
use groundrun_model::service::Service;
use groundrun_model::service::plan::Current;
use groundrun_model::{Code, Error, Project, Result};

use crate::{Caller, Engine};

impl Engine {
    /// Lets the caller write `service` in the place of `current`. A new revision runs as its service
    /// account, which takes `iam.serviceAccounts.actAs` on that; and whoever opens a service to all, or
    /// closes it again, needs `run.services.setIamPolicy`.
    ///
    /// # Errors
    /// 403 in Google's words, if permissions are enforced and the caller lacks one.
    pub(crate) async fn allow_deployment(
        &self,
        caller: &Caller,
        current: Option<Current<'_>>,
        service: &Service,
        cuts_revision: bool,
    ) -> Result<()> {
        if !self.0.config.enforce_api_iam {
            return Ok(());
        }
        let is_open = |service: &Service| service.spec.settings.invoker_iam_disabled.unwrap_or_default();
        if current.is_some_and(|current| is_open(current.service)) != is_open(service) {
            self.allow(caller, "run.services.setIamPolicy", Resource::Service(&service.id)).await?;
        }
        if cuts_revision { self.allow_acting_as_runtime(caller, service).await } else { Ok(()) }
    }

    async fn allow_acting_as_runtime(&self, caller: &Caller, service: &Service) -> Result<()> {
        let named = service.spec.template.settings.service_account.as_deref();
        let email = match named.filter(|email| !email.is_empty()) {
            Some(email) => email.to_owned(),
            None => format!("{}-compute@developer.gserviceaccount.com", service.id.project.number),
        };
        let found = match self.named_account(&email).await {
            Ok(found) => found,
            Err(error) if error.code == Code::NotFound => return Err(Error::may_not_act_as(&email)),
            Err(error) => return Err(error),
        };
        let project = Project::parse(found.project.as_str())?;
        let resource = Resource::ServiceAccount { project: &project, account: &found.account };
        if self.holds(caller.account(), "iam.serviceAccounts.actAs", resource).await? {
            return Ok(());
        }
        Err(Error::may_not_act_as(&found.account.email))
    }
}
