//! Which page does a client see whose request is not forwarded?
//!
//! The only place that knows the pages of the hosted front end, byte for byte as they were observed.

use std::sync::Arc;

use groundrun_model::ServiceId;
use groundrun_model::failure::Failure;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::invoke::Denial;
use groundrun_model::routing::{Closed, Route};
use groundrun_runtime::Body;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SERVER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};

use crate::explain;
use crate::headers::FRONT_END;

/// The response header that says why, if the data plane is asked to explain.
pub const EXPLAIN_HEADER: HeaderName = HeaderName::from_static("x-groundrun-explain");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain");

/// As observed: a space between the parameters, and no comma.
const CHALLENGE: HeaderValue = HeaderValue::from_static(
    r#"Bearer error="invalid_token" error_description="The access token could not be verified""#,
);

/// Why a request is not forwarded.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// No service or tag has the host.
    NoSuchHost,
    /// Services never see the method.
    Method,
    /// Services never see the path.
    ReservedPath,
    /// The service hides.
    Closed(Closed),
    /// The client must come back by https.
    PlainHttp { location: String },
    /// The caller may not call.
    Denied { denial: Box<Denial>, route: Arc<Route> },
    /// The body has more than it may have.
    TooLarge { service: ServiceId },
    /// The service has no revision that serves.
    NoRevision { service: ServiceId },
    /// The instance gave no response.
    Instance { instance: Arc<InstanceSpec>, failure: Failure, problem: String },
    /// A WebSocket cannot begin with a body.
    UpgradeWithBody,
    /// The body broke off, and most likely the client with it.
    BrokenBody,
    /// It is no request, or could be read as two different ones.
    Malformed(&'static str),
    /// The head has more bytes or headers than it may have.
    HeadTooLarge,
}

impl Rejection {
    /// The rejection of a caller by the service of `route`.
    pub(crate) fn denied(denial: Denial, route: &Arc<Route>) -> Self {
        Self::Denied { denial: Box::new(denial), route: Arc::clone(route) }
    }

    /// What the client sees. `path` is that of its request. To a HEAD the page itself is not sent.
    pub(crate) fn respond(&self, method: &Method, path: &str, explain: bool) -> Response<Body> {
        let (kind, page) = match self.plain() {
            Some(text) => (PLAIN, text.to_owned()),
            None => (HTML, self.html(method, path)),
        };
        let length = page.len();
        let sent = if *method == Method::HEAD { String::new() } else { page };
        let mut response = Response::new(Full::from(sent).map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, kind);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        self.add_headers(headers);
        if explain && let Ok(text) = HeaderValue::from_str(&explain::header(self)) {
            headers.insert(EXPLAIN_HEADER, text);
        }
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        // A reserved path is answered by something that stands before the front end.
        if !matches!(self, Self::ReservedPath) {
            headers.insert(SERVER, FRONT_END);
        }
        match self {
            Self::PlainHttp { location } => {
                if let Ok(location) = HeaderValue::from_str(location) {
                    headers.insert(LOCATION, location);
                }
            }
            Self::Denied { denial, .. } if is_unauthorized(denial) => {
                headers.insert(WWW_AUTHENTICATE, CHALLENGE);
            }
            _ => {}
        }
    }

    /// The status that the client sees.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchHost | Self::ReservedPath | Self::Closed(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::PlainHttp { .. } => StatusCode::FOUND,
            Self::Denied { denial, .. } if is_unauthorized(denial) => StatusCode::UNAUTHORIZED,
            Self::Denied { .. } => StatusCode::FORBIDDEN,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoRevision { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Instance { failure, .. } => {
                StatusCode::from_u16(failure.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::BrokenBody | Self::UpgradeWithBody | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// What the front end says in plain text, where it does: that of 504 and 429 was observed. Those of 503
    /// are of the same make as that of 504, but not confirmed.
    fn plain(&self) -> Option<&'static str> {
        let Self::Instance { failure, .. } = self else { return None };
        Some(match failure {
            Failure::TimedOut => "upstream request timeout",
            Failure::NoInstance { at_limit: true } => "Rate exceeded.",
            Failure::Unreachable => {
                "upstream connect error or disconnect/reset before headers. reset reason: connection failure"
            }
            Failure::BrokenOff => {
                "upstream connect error or disconnect/reset before headers. \
                 reset reason: connection termination"
            }
            Failure::Malformed => {
                "upstream connect error or disconnect/reset before headers. reset reason: protocol error"
            }
            Failure::NoInstance { at_limit: false } | Failure::NotStarted | Failure::ResponseTooLarge => {
                return None;
            }
        })
    }

    /// The page. Those of 400, 405, 431, 500 and 503 were not observed: they follow the others. A redirect has none.
    fn html(&self, method: &Method, path: &str) -> String {
        let (title, text) = match self {
            Self::NoSuchHost | Self::ReservedPath | Self::Closed(_) => {
                ("Page not found", "The requested URL was not found on this server.".to_owned())
            }
            Self::Method => ("Method Not Allowed", inappropriate(method, path)),
            Self::PlainHttp { .. } => return String::new(),
            Self::Denied { denial, .. } if is_unauthorized(denial) => ("Unauthorized", unauthorized(path)),
            Self::Denied { .. } => ("Forbidden", forbidden(path)),
            Self::TooLarge { .. } => {
                ("Request Entity Too Large", "Your client issued a request that was too large.".to_owned())
            }
            Self::Instance { .. } => (
                "Server Error",
                "The server encountered an error and could not complete your request.\
                 <p>Please try again in 30 seconds."
                    .to_owned(),
            ),
            Self::NoRevision { .. } => {
                ("Service Unavailable", "The service is not available at this time.".to_owned())
            }
            Self::BrokenBody | Self::UpgradeWithBody | Self::Malformed(_) => {
                ("Bad Request", "Your client issued a malformed request.".to_owned())
            }
            Self::HeadTooLarge => {
                let text = "Your client issued a request whose headers were too large.";
                ("Request Header Fields Too Large", text.to_owned())
            }
        };
        let code = self.status().as_u16();
        format!(
            "<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n\
             <title>{code} {title}</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n\
             <h1>Error: {title}</h1>\n<h2>{text}</h2>\n<h2></h2>\n</body></html>"
        )
    }
}

/// Whether the credential is at fault, and not the caller: 401, not 403. No credential at all is a 403.
fn is_unauthorized(denial: &Denial) -> bool {
    match denial {
        Denial::Credential(_) | Denial::Audience { .. } => true,
        Denial::NoCredential { .. } | Denial::NotAnInvoker { .. } => false,
    }
}

fn forbidden(path: &str) -> String {
    format!(
        "Your client does not have permission to get URL <code>{}</code> from this server.",
        escaped(path)
    )
}

fn unauthorized(path: &str) -> String {
    format!("Your client does not have permission to the requested URL <code>{}</code>.", escaped(path))
}

fn inappropriate(method: &Method, path: &str) -> String {
    format!("The method <code>{method}</code> is not allowed for the URL <code>{}</code>.", escaped(path))
}

/// `text` as HTML that shows it.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}
