//! Which service accounts exist, and which did?

use std::sync::Arc;

use groundrun_model::account::Account;
use groundrun_model::{Project, ProjectId, Result, Timestamp};
use sqlx::SqliteConnection;

use crate::Store;
use crate::cache::Name;
use crate::error::{CommitError, Refusal, unreadable};
use crate::writer::Change;

/// A service account as it is stored. Its unique id tells two lives of one address apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its address and unique id.
    pub account: Account,
    /// The project that owns it.
    pub project: ProjectId,
    /// What its owner calls it.
    pub display_name: String,
    /// What its owner says of it.
    pub description: String,
    /// Whether its tokens are refused.
    pub disabled: bool,
    /// When it was first named or created.
    pub created: Timestamp,
    /// When it was last changed: its version.
    pub updated: Timestamp,
    /// When it was deleted; `None` while it is there.
    pub deleted: Option<Timestamp>,
}

/// Adds `account`, unless an account is there with its address.
pub(crate) async fn put(connection: &mut SqliteConnection, account: &ServiceAccount) -> Result<(), Refusal> {
    // Only the address may be there already: another account with the same unique id is an error.
    sqlx::query(
        "INSERT INTO service_account \
         (unique_id, email, project, display_name, description, disabled, created, updated, deleted) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE NOT EXISTS \
         (SELECT 1 FROM service_account WHERE email = $2 AND deleted IS NULL)",
    )
    .bind(&account.account.unique_id)
    .bind(&account.account.email)
    .bind(account.project.as_str())
    .bind(&account.display_name)
    .bind(&account.description)
    .bind(account.disabled)
    .bind(account.created.micros())
    .bind(account.updated.micros())
    .bind(account.deleted.map(Timestamp::micros))
    .execute(connection)
    .await?;
    Ok(())
}

/// Replaces what is stored of `account`, if its version is still `expected`.
pub(crate) async fn update(
    connection: &mut SqliteConnection,
    account: &ServiceAccount,
    expected: Timestamp,
) -> Result<(), Refusal> {
    let touched = sqlx::query(
        "UPDATE service_account SET display_name = $1, description = $2, disabled = $3, updated = $4, \
         deleted = $5 WHERE unique_id = $6 AND updated = $7",
    )
    .bind(&account.display_name)
    .bind(&account.description)
    .bind(account.disabled)
    .bind(account.updated.micros())
    .bind(account.deleted.map(Timestamp::micros))
    .bind(&account.account.unique_id)
    .bind(expected.micros())
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if touched == 1 {
        return Ok(());
    }
    let current: Option<i64> = sqlx::query_scalar("SELECT updated FROM service_account WHERE unique_id = $1")
        .bind(&account.account.unique_id)
        .fetch_optional(connection)
        .await?;
    let name = account.account.email.clone();
    Err(match current {
        Some(current) => CommitError::Conflict { name, expected: expected.micros(), current },
        None => CommitError::Gone { name },
    }
    .into())
}

/// The columns of a [`Row`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT email, unique_id, project, display_name, description, disabled, created, updated, \
             deleted FROM service_account ",
            $rest
        )
    };
}

/// A row of the table.
type Row = (String, String, String, String, String, bool, i64, i64, Option<i64>);

fn read(row: Row) -> Result<ServiceAccount> {
    let (email, unique_id, project, display_name, description, disabled, created, updated, deleted) = row;
    Ok(ServiceAccount {
        account: Account { email, unique_id },
        project: Project::parse(&project)?.id,
        display_name,
        description,
        disabled,
        created: Timestamp::from_micros(created),
        updated: Timestamp::from_micros(updated),
        deleted: deleted.map(Timestamp::from_micros),
    })
}

impl Store {
    /// Adds `account`; does nothing if there is one with its address.
    ///
    /// # Errors
    /// If another account has its unique id, or the database cannot be written.
    pub async fn put_service_account(&self, account: &ServiceAccount) -> Result<(), CommitError> {
        self.change(vec![Change::ServiceAccount(account.clone())], Vec::new()).await
    }

    /// Replaces what is stored of `account`, and carries out `writes` with it.
    ///
    /// # Errors
    /// If its version is not `expected` any more, if a write does not hold, or if the database cannot be
    /// written.
    pub async fn update_service_account(
        &self,
        account: &ServiceAccount,
        expected: Timestamp,
        writes: Vec<groundrun_model::kind::Write>,
    ) -> Result<(), CommitError> {
        let update = Change::UpdateServiceAccount { account: account.clone(), expected };
        let changes = std::iter::once(update).chain(writes.into_iter().map(Change::from)).collect();
        self.change(changes, Vec::new()).await
    }

    /// The service account with this address (in any case) or this unique id: the IAM API takes either.
    /// One that was deleted is not found.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn service_account(&self, email_or_unique_id: &str) -> Result<Option<ServiceAccount>> {
        let asked = email_or_unique_id.to_ascii_lowercase();
        let read = async || {
            let row: Option<Row> =
                sqlx::query_as(select!("WHERE (email = $1 OR unique_id = $1) AND deleted IS NULL"))
                    .bind(&asked)
                    .fetch_optional(&self.reads)
                    .await
                    .map_err(unreadable)?;
            let found = row.map(read).transpose()?;
            let size = found.as_ref().map_or(0, |found| found.display_name.len() + found.description.len());
            Ok((found, size))
        };
        let found: Option<Arc<ServiceAccount>> = self.cached(Name::Account(asked.clone()), read).await?;
        Ok(found.map(Arc::unwrap_or_clone))
    }

    /// All accounts that have or had this address (in any case) or this unique id, the oldest first.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn service_account_lives(&self, email_or_unique_id: &str) -> Result<Vec<ServiceAccount>> {
        let rows: Vec<Row> =
            sqlx::query_as(select!("WHERE email = $1 OR unique_id = $1 ORDER BY created, unique_id"))
                .bind(email_or_unique_id.to_ascii_lowercase())
                .fetch_all(&self.reads)
                .await
                .map_err(unreadable)?;
        rows.into_iter().map(read).collect()
    }

    /// The service accounts of `project` that are there, by address.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn service_accounts(&self, project: &ProjectId) -> Result<Vec<ServiceAccount>> {
        let rows: Vec<Row> = sqlx::query_as(select!("WHERE project = $1 AND deleted IS NULL ORDER BY email"))
            .bind(project.as_str())
            .fetch_all(&self.reads)
            .await
            .map_err(unreadable)?;
        rows.into_iter().map(read).collect()
    }

    /// Every service account, those that were deleted too, by address.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn all_service_accounts(&self) -> Result<Vec<ServiceAccount>> {
        let rows: Vec<Row> = sqlx::query_as(select!("ORDER BY email, created"))
            .fetch_all(&self.reads)
            .await
            .map_err(unreadable)?;
        rows.into_iter().map(read).collect()
    }
}
