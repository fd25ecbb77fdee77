//! How does a story speak TLS: to the port itself, or through a tunnel?

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::http_client::{Answer, Client, DEADLINE};

/// A client that trusts the local CA of one emulator and nothing else.
#[derive(Debug, Clone)]
pub struct TlsClient {
    address: SocketAddr,
    config: ClientConfig,
}

/// A connection after the handshake.
pub type Secure = TlsStream<TcpStream>;

impl TlsClient {
    /// A client that trusts what the emulator says its CA is.
    pub async fn of(client: &Client) -> Self {
        let pem = client.get("/emulator/ca.pem").send().await.expect(200).body;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { address: client.address(), config }
    }

    /// Opens a connection to the port and expects the certificate of `name`.
    pub async fn open(&self, name: &str, protocol: &str) -> std::io::Result<Secure> {
        self.handshake(TcpStream::connect(self.address).await?, name, protocol).await
    }

    /// Asks for a tunnel to `target` and expects the certificate of `name` in it.
    pub async fn through(&self, target: &str, name: &str, protocol: &str) -> std::io::Result<Secure> {
        self.handshake(self.tunnel(target).await, name, protocol).await
    }

    /// Asks for a tunnel, which is granted.
    pub async fn tunnel(&self, target: &str) -> TcpStream {
        let mut stream = BufReader::new(TcpStream::connect(self.address).await.unwrap());
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut line = String::new();
        tokio::time::timeout(DEADLINE, stream.read_line(&mut line)).await.expect("an answer").unwrap();
        assert!(line.starts_with("HTTP/1.1 200 "), "{target}: {line}");
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
        }
        stream.into_inner()
    }

    async fn handshake(&self, stream: TcpStream, name: &str, protocol: &str) -> std::io::Result<Secure> {
        let mut config = self.config.clone();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        tokio::time::timeout(DEADLINE, handshake).await.expect("a handshake ends in time")
    }
}

/// Sends a request over HTTP/1.1 and reads the whole answer.
pub async fn over_http1(stream: Secure, request: Request<Full<Bytes>>) -> Answer {
    let asked = format!("{} {}", request.method(), request.uri());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    answer(asked, sender.send_request(request)).await
}

/// Sends a request over HTTP/2 and reads the whole answer, the trailers among its headers.
pub async fn over_http2(stream: Secure, request: Request<Full<Bytes>>) -> Answer {
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let asked = format!("{} {}", request.method(), request.uri());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    answer(asked, sender.send_request(request)).await
}

/// Sends bytes as they are and reads until the connection ends, as text.
pub async fn raw_over_tls(mut stream: Secure, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    // A server that refuses may leave without a word of TLS.
    let _ = tokio::time::timeout(DEADLINE, reading).await.expect("the connection ends in time");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn answer(
    asked: String,
    response: impl Future<Output = hyper::Result<hyper::Response<hyper::body::Incoming>>>,
) -> Answer {
    let response = tokio::time::timeout(DEADLINE, response).await.expect("an answer in time").unwrap();
    let (mut parts, body) = response.into_parts();
    let reason = parts.extensions.get::<hyper::ext::ReasonPhrase>();
    let reason = reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
    let body = body.collect().await.unwrap();
    parts.headers.extend(body.trailers().cloned().unwrap_or_default());
    Answer { asked, status: parts.status, reason, headers: parts.headers, body: body.to_bytes() }
}
