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
    /// What an instance that speaks this is sent a request in. Requests are downgraded to HTTP/1.1 for an
    /// instance that speaks that, except native gRPC, which cannot do without HTTP/2.
    /// <https://cloud.google.com/run/docs/configuring/http2>.
    pub fn for_request(self, came_by_http2: bool, content_type: Option<&[u8]>) -> Self {
        let is_grpc = || content_type.is_some_and(is_grpc);
        if came_by_http2 && is_grpc() { Self::H2c } else { self }
    }
}

/// Whether a content type is that of native gRPC, as `application/grpc+proto` is, and `application/grpc-web`
/// is not.
fn is_grpc(content_type: &[u8]) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let is_it = content_type.get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC));
    is_it && matches!(content_type.get(GRPC.len()), None | Some(b'+' | b';' | b' '))
}

#[cfg(test)]
mod tests {
    use super::Protocol::{H2c, Http1};

    #[test]
    fn only_native_grpc_by_http2_is_not_downgraded() {
        for (own, http2, content_type, expected) in [
            (Http1, true, Some("application/grpc"), H2c),
            (Http1, true, Some("Application/gRPC+proto"), H2c),
            (Http1, true, Some("application/grpc; charset=utf-8"), H2c),
            (Http1, true, Some("application/grpc-web"), Http1),
            (Http1, true, Some("application/json"), Http1),
            (Http1, true, None, Http1),
            (Http1, false, Some("application/grpc"), Http1),
            (H2c, false, Some("text/plain"), H2c),
            (H2c, true, None, H2c),
        ] {
            assert_eq!(own.for_request(http2, content_type.map(str::as_bytes)), expected, "{content_type:?}");
        }
    }
}
