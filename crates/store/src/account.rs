//! Which service accounts exist?

use groundrun_model::account::Account;
use groundrun_model::{Project, ProjectId, Result, Timestamp};
use sqlx::SqliteConnection;

use crate::Store;
use crate::error::{CommitError, Refusal, unreadable};
use crate::writer::Change;

/// A service account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its address and unique id.
    pub account: Account,
    /// The project that owns it.
    pub project: ProjectId,
    /// What its owner calls it.
    pub display_name: String,
    /// Whether its tokens are refused.
    pub disabled: bool,
    /// When it was first named or created.
    pub created: Timestamp,
}

/// Adds `account`, unless its address is known.
pub(crate) async fn put(connection: &mut SqliteConnection, account: &ServiceAccount) -> Result<(), Refusal> {
    // Only the address may be there already: another account with the same unique id is an error.
    sqlx::query(
        "INSERT INTO service_account (email, project, unique_id, display_name, disabled, created) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING",
    )
    .bind(&account.account.email)
    .bind(account.project.as_str())
    .bind(&account.account.unique_id)
    .bind(&account.display_name)
    .bind(account.disabled)
    .bind(account.created.micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// A row of the table.
type Row = (String, String, String, String, bool, i64);

fn read((email, unique_id, project, display_name, disabled, created): Row) -> Result<ServiceAccount> {
    Ok(ServiceAccount {
        account: Account { email, unique_id },
        project: Project::parse(&project)?.id,
        display_name,
        disabled,
        created: Timestamp::from_micros(created),
    })
}

impl Store {
    /// Adds `account`; does nothing if there is one with its address.
    ///
    /// # Errors
    /// If another account has its unique id, or the database cannot be written.
    pub async fn put_service_account(&self, account: &ServiceAccount) -> Result<(), CommitError> {
        self.change(vec![Change::ServiceAccount(account.clone())]).await
    }

    /// The service account with this address (in any case) or this unique id: the IAM API takes either.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn service_account(&self, email_or_unique_id: &str) -> Result<Option<ServiceAccount>> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT email, unique_id, project, display_name, disabled, created FROM service_account \
             WHERE email = $1 OR unique_id = $1",
        )
        .bind(email_or_unique_id.to_ascii_lowercase())
        .fetch_optional(&self.reads)
        .await
        .map_err(unreadable)?;
        row.map(read).transpose()
    }

    /// The service accounts of `project`, by address.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn service_accounts(&self, project: &ProjectId) -> Result<Vec<ServiceAccount>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT email, unique_id, project, display_name, disabled, created FROM service_account \
             WHERE project = $1 ORDER BY email",
        )
        .bind(project.as_str())
        .fetch_all(&self.reads)
        .await
        .map_err(unreadable)?;
        rows.into_iter().map(read).collect()
    }

    /// Every service account, by address.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn all_service_accounts(&self) -> Result<Vec<ServiceAccount>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT email, unique_id, project, display_name, disabled, created FROM service_account \
             ORDER BY email",
        )
        .fetch_all(&self.reads)
        .await
        .map_err(unreadable)?;
        rows.into_iter().map(read).collect()
    }
}
