//! Do the clients that people have work unmodified? They are required when `CI=true`, and otherwise
//! skipped with a printed reason where they are not installed.

mod gcloud;
mod gcloud_domains;
mod gcloud_identity;
mod gcloud_page;
mod gcloud_services;
mod identity;
mod libraries;
mod mode_all;
mod node;
mod python;
mod rust;
mod schemathesis;
mod write_back;
