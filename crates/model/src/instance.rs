//! What must an instance of a revision be told?

use crate::name::{RevisionName, ServiceId};
use crate::rule::Runs;

/// What a backend needs in order to run instances of one revision. Immutable, as the revision is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSpec {
    /// The service that owns the revision.
    pub service: ServiceId,
    /// The revision.
    pub revision: RevisionName,
    /// The image of the container that takes the requests, by digest.
    pub image: String,
    /// What the image stands for on this machine.
    pub runs: Runs,
    /// The service account that the instance runs as.
    pub service_account: String,
    /// The plain environment variables of that container, in the order given.
    pub env: Vec<(String, String)>,
    /// The port that the container listens on.
    pub port: u16,
    /// What the container speaks at that port.
    pub protocol: Protocol,
    /// How many requests an instance takes at once; 0 is no limit.
    pub concurrency: u32,
    /// How long a request may take, in seconds.
    pub timeout_seconds: u32,
    /// Whether requests of one client go to one revision and instance as long as that is possible.
    pub session_affinity: bool,
}

/// What an instance speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 in the clear with prior knowledge, as gRPC servers do.
    H2c,
}

impl Protocol {
    /// The protocol that the name of a container's port asks for: `h2c`, or else HTTP/1.1.
    /// <https://cloud.google.com/run/docs/configuring/http2>.
    pub fn of_port(name: Option<&str>) -> Self {
        if name == Some("h2c") { Self::H2c } else { Self::Http1 }
    }
}
