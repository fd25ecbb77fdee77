//! How does Cloud Run find out whether a container has started, is alive and takes requests?

use crate::message::{message, message_field};

message! {
    /// A check of a container: exactly one of `httpGet`, `tcpSocket`, `grpc`.
    pub struct Probe {
        /// Seconds to wait before the first check.
        initial_delay_seconds: Option<i32>,
        /// Seconds after which a check has failed.
        timeout_seconds: Option<i32>,
        /// Seconds between checks.
        period_seconds: Option<i32>,
        /// How many checks in a row must succeed.
        success_threshold: Option<i32>,
        /// How many checks in a row must fail.
        failure_threshold: Option<i32>,
        /// An HTTP request that must be answered with 200 to 399.
        http_get: Option<HttpGet>,
        /// A connection that must be taken.
        tcp_socket: Option<TcpSocket>,
        /// A gRPC health check.
        grpc: Option<Grpc>,
        /// A command. Refused: Cloud Run does not support it.
        exec: Option<Exec>,
    }
}

message! {
    /// An HTTP request.
    pub struct HttpGet {
        /// The path, by default `/`.
        path: Option<String>,
        /// The port, by default the container's.
        port: Option<i32>,
        /// Headers to send.
        http_headers: Vec<HttpHeader>,
        /// Not supported by Cloud Run; kept, without effect.
        host: Option<String>,
        /// Not supported by Cloud Run; kept, without effect.
        scheme: Option<String>,
    }
}

message! {
    /// A header of an HTTP request.
    pub struct HttpHeader {
        /// Its name.
        name: Option<String>,
        /// Its value.
        value: Option<String>,
    }
}

message! {
    /// A connection.
    pub struct TcpSocket {
        /// The port, by default the container's.
        port: Option<i32>,
        /// Not supported by Cloud Run; kept, without effect.
        host: Option<String>,
    }
}

message! {
    /// A gRPC health check.
    pub struct Grpc {
        /// The port, by default the container's.
        port: Option<i32>,
        /// The service to ask for.
        service: Option<String>,
    }
}

message! {
    /// A command.
    pub struct Exec {
        /// The command line.
        command: Vec<String>,
    }
}

message_field!(Probe, HttpGet, TcpSocket, Grpc, Exec);
