//! From where does a request come, as far as ingress settings are concerned?
//!
//! <https://cloud.google.com/run/docs/securing/ingress>

use std::net::{IpAddr, Ipv4Addr};

/// The header by which a client on this machine says where its request is to come from. No instance sees it.
pub const ORIGIN_HEADER: &str = "x-groundrun-origin";

/// The address that a load balancer has unless its entry names one: of the block that RFC 5737 sets aside
/// for examples.
pub const BALANCER_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 80));

/// From where a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// From a client outside.
    External,
    /// From a client outside, by way of an external Application Load Balancer.
    LoadBalancer,
    /// From an instance of a service, or whatever else counts as inside.
    Internal,
}

/// By which of its names a service was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// A host of its own, or the host of one of its tags.
    Own,
    /// A domain that is mapped to it.
    Mapped,
    /// A host of the load balancer with this address.
    Balancer(IpAddr),
}

/// What the connection says of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What the port says that it called: those of workloads, and the internal one, are inside.
    pub origin: Origin,
    /// The address that it called from.
    pub peer: IpAddr,
    /// Whether its request was passed on by a proxy, and so may be anybody's.
    pub forwarded: bool,
}

impl Origin {
    /// Reads the value of [`ORIGIN_HEADER`]: `internal`, `external` or `load-balancer`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"external" => Some(Self::External),
            b"load-balancer" => Some(Self::LoadBalancer),
            b"internal" => Some(Self::Internal),
            _ => None,
        }
    }

    /// From where a request comes over `line` that has these values of [`ORIGIN_HEADER`]. Who is not on this
    /// machine, or only passes on what somebody else asked, is not listened to; nor is who says two things.
    pub fn of<'v>(line: Line, mut told: impl Iterator<Item = &'v [u8]>) -> Self {
        let (first, second) = (told.next(), told.next());
        let is_heard = line.peer.to_canonical().is_loopback() && !line.forwarded;
        match (first, second) {
            (Some(only), None) if is_heard => Self::parse(only).unwrap_or(line.origin),
            _ => line.origin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Line =
        Line { origin: Origin::External, peer: IpAddr::V4(Ipv4Addr::LOCALHOST), forwarded: false };

    fn told(line: Line, values: &[&str]) -> Origin {
        Origin::of(line, values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn a_client_on_this_machine_says_where_it_calls_from() {
        assert_eq!(told(LINE, &["internal"]), Origin::Internal);
        assert_eq!(told(LINE, &["load-balancer"]), Origin::LoadBalancer);
        assert_eq!(told(Line { origin: Origin::Internal, ..LINE }, &["external"]), Origin::External);
        let mapped = Line { peer: "::ffff:127.0.0.1".parse().unwrap(), ..LINE };
        assert_eq!(told(mapped, &["internal"]), Origin::Internal);
        assert_eq!(told(Line { peer: "::1".parse().unwrap(), ..LINE }, &["internal"]), Origin::Internal);
    }

    #[test]
    fn what_is_no_word_of_such_a_client_counts_for_nothing() {
        let away = Line { peer: "192.0.2.1".parse().unwrap(), ..LINE };
        let passed_on = Line { forwarded: true, ..LINE };
        for line in [away, passed_on] {
            assert_eq!(told(line, &["internal"]), Origin::External, "{line:?}");
        }
        let bad: [&[&str]; 6] =
            [&[], &[""], &["Internal"], &["internal "], &["internal,external"], &["internal", "internal"]];
        for values in bad {
            assert_eq!(told(LINE, values), Origin::External, "{values:?}");
            let inside = Line { origin: Origin::Internal, ..LINE };
            assert_eq!(told(inside, values), Origin::Internal, "{values:?}");
        }
    }
}
