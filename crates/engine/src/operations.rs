//! What can be done with long-running operations?

use std::sync::Arc;
use std::time::Duration;

use groundrun_model::iam::Resource;
use groundrun_model::kind::{Kind, Resource as _, Write};
use groundrun_model::operation::Operation;
use groundrun_model::{Error, Result};
use groundrun_store::Cursor;

use crate::listing::{Listing, Page, Scope, Walk};
use crate::rollout::PATIENCE;
use crate::{Caller, Engine, refused};

/// The longest that a caller may wait for an operation at one time.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

impl Engine {
    /// The operation of this id. While it is about to be done, this waits a moment for it.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn get_operation(&self, caller: &Caller, scope: &Scope, id: &str) -> Result<Operation> {
        let _allowed = self.allow(caller, "run.operations.get", part(scope, id)).await?;
        self.operation_within(scope, id, PATIENCE).await
    }

    /// The operation of this id, once it is done, `timeout` has passed, or the emulator is about to stop.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn wait_operation(
        &self,
        caller: &Caller,
        scope: &Scope,
        id: &str,
        timeout: Duration,
    ) -> Result<Operation> {
        let _allowed = self.allow(caller, "run.operations.get", part(scope, id)).await?;
        self.operation_within(scope, id, timeout.min(LONGEST_WAIT)).await
    }

    /// The operations of a scope, newest first: all, or those only that are `done` or are not.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_operations(
        &self,
        caller: &Caller,
        scope: &Scope,
        done: Option<bool>,
        page: &Page,
    ) -> Result<Listing<Operation>> {
        let _allowed = self.allow(caller, "run.operations.list", Resource::Project(&scope.project)).await?;
        let mut operations = match done {
            // No limit: those that are chosen may be far apart.
            Some(_) => self.operations_of(scope, &Page { limit: None, ..page.clone() }).await?,
            None => self.operations_of(scope, page).await?,
        };
        operations.retain(|operation| done.is_none_or(|done| operation.is_done() == done));
        Ok(page.cut(operations, |operation| Cursor {
            created: operation.created,
            name: operation.id.to_string(),
            location: operation.region.to_string(),
        }))
    }

    /// Forgets an operation. What it does goes on.
    ///
    /// # Errors
    /// 404 if there is none, 400 FAILED_PRECONDITION if it is under way.
    pub async fn delete_operation(&self, caller: &Caller, scope: &Scope, id: &str) -> Result<()> {
        let _allowed = self.allow(caller, "run.operations.delete", part(scope, id)).await?;
        let operation = self.stored_operation(scope, id).await?;
        if !operation.is_done() {
            return Err(Error::new(
                groundrun_model::Code::FailedPrecondition,
                format!("Operation '{id}' cannot be deleted while it is running."),
            ));
        }
        let write = Write::Delete { key: self.operation_key(scope, id), expected: None };
        self.store().commit(vec![write]).await.map_err(refused)
    }

    /// The operations of a scope, newest first: at least those of the page, and one more if there is one.
    pub(crate) async fn operations_of(&self, scope: &Scope, page: &Page) -> Result<Vec<Operation>> {
        let mut walk = Walk::new(Kind::Operation, scope, page);
        let mut operations = Vec::new();
        while let Some(records) = walk.next(self.store(), operations.len()).await? {
            for record in records {
                operations.push(Operation::from_record(record)?);
            }
        }
        Ok(operations)
    }

    async fn operation_within(&self, scope: &Scope, id: &str, patience: Duration) -> Result<Operation> {
        let mut settled = self.0.settled.subscribe();
        let mut stopping = self.stopping();
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let found = self.stored_operation(scope, id).await?;
            if found.is_done() {
                return Ok(found);
            }
            // The senders live as long as the engine.
            tokio::select! {
                _ = settled.changed() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return Ok(found),
                () = tokio::time::sleep_until(deadline) => return Ok(found),
            }
        }
    }

    async fn stored_operation(&self, scope: &Scope, id: &str) -> Result<Operation> {
        let found = self.store().find::<Operation>(&self.operation_key(scope, id)).await?;
        found.map(Arc::unwrap_or_clone).ok_or_else(|| {
            let region = scope.region.as_ref().unwrap_or(&self.0.config.region);
            Error::not_found("OPERATION", id, region.as_str(), scope.project.id.as_str())
        })
    }

    fn operation_key(&self, scope: &Scope, id: &str) -> groundrun_model::kind::Key {
        Operation::key(&scope.project, scope.region.as_ref().unwrap_or(&self.0.config.region), id)
    }
}

fn part<'a>(scope: &'a Scope, name: &'a str) -> Resource<'a> {
    Resource::Part { project: &scope.project, collection: "operations", name }
}
