//! How do services and what belongs to them speak through v1 (Knative JSON)?

pub(crate) mod domain_mappings;
pub(crate) mod list;
pub(crate) mod locations;
pub(crate) mod operations;
pub(crate) mod revisions;
pub(crate) mod services;
