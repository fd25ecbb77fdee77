//! How are resources written and found, whatever their kind?

mod read;
mod write;

pub use read::{Cursor, Query};
pub(crate) use write::{delete, insert, prune, set_status, update};
