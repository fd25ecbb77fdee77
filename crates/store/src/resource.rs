//! How are resources written and found, whatever their kind?

mod read;
mod row;
mod together;
mod write;

pub use read::{Cursor, Query};
pub(crate) use row::{Row, StatusRow};
pub(crate) use together::Together;
#[cfg(test)]
pub(crate) use together::{noting, updating};
pub(crate) use write::{delete, insert, prune, set_status, update};
