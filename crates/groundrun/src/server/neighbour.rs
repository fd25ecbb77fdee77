//! What becomes of a developer's own servers when every program of a shell calls through the emulator?
//!
//! Most clients cannot be told to call `localhost` directly without telling them the same of every name below
//! it, and the hosts of services are such names. So a request of this machine for `localhost` at another
//! port is handed to that port. Nothing leaves the machine, and nobody gets further than without.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, Uri, Version, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The only name that is handed on. An address can be named in NO_PROXY.
const NAME: &str = "localhost";

/// Headers of what somebody else passed on: then the client is not known to be a program of this machine,
/// though the connection comes from here, as that of a tunnel to the outside does.
const OF_PROXIES: [&str; 3] = ["forwarded", "via", "x-forwarded-for"];

/// The port of a server on this machine that a request to a proxy is for, unless it is `own`, or the request was
/// passed on by another proxy.
pub(super) fn port_of<B>(request: &Request<B>, own: u16) -> Option<u16> {
    let authority = request.uri().authority().filter(|_| request.version() < Version::HTTP_2)?;
    if OF_PROXIES.iter().any(|name| request.headers().contains_key(*name)) {
        return None;
    }
    let port = authority.port_u16().unwrap_or(80);
    (authority.host().eq_ignore_ascii_case(NAME) && port != own).then_some(port)
}

/// A connection to that server; `None` if nothing listens there.
pub(super) async fn connect(port: u16) -> Option<TcpStream> {
    match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(stream) => Some(stream),
        Err(_) => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.ok(),
    }
}

/// Lets the server answer.
pub(super) async fn answer(mut neighbour: TcpStream, request: Request<Incoming>) -> Response<Body> {
    if request.method() == Method::CONNECT {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            if let Ok(upgraded) = upgrade.await {
                // Either side may break off at any time.
                let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(upgraded), &mut neighbour).await;
            }
        });
        return Response::new(Body::empty());
    }
    match ask(neighbour, request).await {
        Ok(response) => response.map(Body::new),
        Err(problem) => {
            let mut response = Response::new(Body::from(format!("localhost broke off: {problem}\n")));
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
            response
        }
    }
}

async fn ask(
    neighbour: TcpStream,
    mut request: Request<Incoming>,
) -> Result<Response<Incoming>, hyper::Error> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(neighbour)).await?;
    tokio::spawn(connection);
    let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let origin_form: Uri = path.parse().unwrap_or_default();
    *request.uri_mut() = origin_form;
    let headers = request.headers_mut();
    if let Ok(host) = HeaderValue::from_str(&authority) {
        headers.insert(header::HOST, host);
    }
    // Meant for the proxy.
    for name in ["proxy-connection", "proxy-authorization", "connection", "keep-alive"] {
        headers.remove(name);
    }
    sender.send_request(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(target: &str) -> Option<u16> {
        port_of(&Request::get(target).body(()).unwrap(), 8786)
    }

    #[test]
    fn only_another_port_of_localhost_is_a_neighbour() {
        assert_eq!(port("http://localhost:3000/a"), Some(3000));
        assert_eq!(port("http://LOCALHOST/a"), Some(80));
        let connect = Request::builder().method(Method::CONNECT).uri("localhost:5000").body(()).unwrap();
        assert_eq!(port_of(&connect, 8786), Some(5000));
        for name in ["Forwarded", "Via", "X-Forwarded-For"] {
            let passed_on = Request::get("http://localhost:3000/a").header(name, "1.1 x").body(()).unwrap();
            assert_eq!(port_of(&passed_on, 8786), None, "{name}");
        }
        for other in [
            "http://localhost:8786/",
            "/a",
            "http://127.0.0.1:3000/",
            "http://a.run.localhost:3000/",
            "http://localhost.test/",
        ] {
            assert_eq!(port(other), None, "{other}");
        }
    }
}
