//! Every rule of groundrun, as functions of values.
//!
//! Nothing here reads a clock, draws a random number, opens a file or waits: `now`, ids and dice are
//! arguments. What the hosted service documents about names, defaults, revisions, traffic, access and
//! audiences is decided in this crate and nowhere else.

pub mod account;
pub mod account_key;
pub mod assertion;
pub mod audience;
pub mod clock;
pub mod domain_mapping;
pub mod domain_mapping_v1;
pub mod door;
pub mod error;
pub mod failure;
pub mod federation;
pub mod field;
pub mod iam;
pub mod instance;
pub mod invoke;
pub mod kind;
pub mod log;
pub mod message;
pub mod metadata;
pub mod name;
pub mod operation;
pub mod operation_json;
pub mod request;
pub mod revision;
pub mod revision_v1;
pub mod revision_v2;
pub mod routing;
pub mod rule;
pub mod schema;
pub mod selector;
pub mod service;
pub mod time;
pub mod token;
pub mod url;

pub use error::{Code, Error, Result, Violation};
pub use name::{Project, ProjectId, ProjectNumber, Region, RevisionName, ServiceId, ServiceName};
pub use time::Timestamp;
