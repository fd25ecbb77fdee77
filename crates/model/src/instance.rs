//! What must an instance of a revision be told?

use crate::name::{RevisionName, ServiceId};

/// What a backend needs in order to run instances of one revision. Immutable, as the revision is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSpec {
    /// The service that owns the revision.
    pub service: ServiceId,
    /// The revision.
    pub revision: RevisionName,
    /// The image of the container that takes the requests, by digest.
    pub image: String,
    /// The service account that the instance runs as.
    pub service_account: String,
    /// The plain environment variables of that container, in the order given.
    pub env: Vec<(String, String)>,
    /// The port that the container listens on.
    pub port: u16,
    /// How many requests an instance takes at once; 0 is no limit.
    pub concurrency: u32,
    /// How long a request may take, in seconds.
    pub timeout_seconds: u32,
    /// Whether clients come back to where they were, by a cookie.
    pub session_affinity: bool,
}
