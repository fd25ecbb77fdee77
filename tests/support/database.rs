//! How does a database get into a state that this groundrun does not make?

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// Turns the database of a data directory into one that a newer groundrun wrote.
pub async fn make_newer(data_dir: &Path) {
    let file = data_dir.join("groundrun.db");
    let mut database = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', true, x'00', 1)",
    )
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
}
