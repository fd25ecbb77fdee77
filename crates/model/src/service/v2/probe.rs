//! How does v2 spell a probe?

use crate::message::{message, message_field};
use crate::service::probe::{Grpc, HttpGet, HttpHeader, Probe, TcpSocket};

message! {
    /// A check of a container.
    pub(super) struct ProbeV2 {
        /// Seconds to wait before the first check.
        initial_delay_seconds: Option<i32>,
        /// Seconds after which a check has failed.
        timeout_seconds: Option<i32>,
        /// Seconds between checks.
        period_seconds: Option<i32>,
        /// How many checks in a row must fail.
        failure_threshold: Option<i32>,
        /// An HTTP request.
        http_get: Option<HttpGetV2>,
        /// A connection.
        tcp_socket: Option<TcpSocketV2>,
        /// A gRPC health check.
        grpc: Option<Grpc>,
    }
}

message! {
    /// An HTTP request.
    pub(super) struct HttpGetV2 {
        /// The path.
        path: Option<String>,
        /// The port.
        port: Option<i32>,
        /// Headers to send.
        http_headers: Vec<HttpHeader>,
    }
}

message! {
    /// A connection.
    pub(super) struct TcpSocketV2 {
        /// The port.
        port: Option<i32>,
    }
}

message_field!(ProbeV2, HttpGetV2, TcpSocketV2);

/// Proto3 cannot tell zero from unset: clients leave it out or send it, and mean the same.
fn set(value: Option<i32>) -> Option<i32> {
    value.filter(|value| *value != 0)
}

impl ProbeV2 {
    pub(super) fn into_probe(self) -> Probe {
        let http = |http: HttpGetV2| HttpGet {
            path: http.path,
            port: http.port,
            http_headers: http.http_headers,
            ..HttpGet::default()
        };
        Probe {
            initial_delay_seconds: set(self.initial_delay_seconds),
            timeout_seconds: set(self.timeout_seconds),
            period_seconds: set(self.period_seconds),
            failure_threshold: set(self.failure_threshold),
            http_get: self.http_get.map(http),
            tcp_socket: self.tcp_socket.map(|tcp| TcpSocket { port: tcp.port, ..TcpSocket::default() }),
            grpc: self.grpc,
            ..Probe::default()
        }
    }

    pub(super) fn of(probe: &Probe) -> Self {
        Self {
            initial_delay_seconds: set(probe.initial_delay_seconds),
            timeout_seconds: set(probe.timeout_seconds),
            period_seconds: set(probe.period_seconds),
            failure_threshold: set(probe.failure_threshold),
            http_get: probe.http_get.as_ref().map(|http| HttpGetV2 {
                path: http.path.clone(),
                port: set(http.port),
                http_headers: http.http_headers.clone(),
            }),
            tcp_socket: probe.tcp_socket.as_ref().map(|tcp| TcpSocketV2 { port: set(tcp.port) }),
            grpc: probe.grpc.clone().map(|grpc| Grpc { port: set(grpc.port), ..grpc }),
        }
    }
}
