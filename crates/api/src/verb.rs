//! How is a custom verb found at the end of a path?
//!
//! Google writes `…/services/hello:getIamPolicy`. The router matches whole segments, so the verb is cut
//! off into a segment of its own: `…/services/hello/:getIamPolicy`.

use axum::extract::Request;
use http::Uri;

/// Moves the verb of the request's path, if it has one, into a segment of its own.
pub(crate) fn split_verb<B>(mut request: Request<B>) -> Request<B> {
    if let Some(uri) = split(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn split(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    let colon = last + path[last..].rfind(':').filter(|colon| *colon > 0)?;
    let verb = &path[colon + 1..];
    if verb.is_empty() || !verb.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{}/:{verb}{query}", &path[..colon]).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_text(path: &str) -> Option<String> {
        split(&path.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn a_verb_becomes_a_segment() {
        assert_eq!(
            split_text("/v1/projects/p/locations/l/services/s:getIamPolicy?options.requestedPolicyVersion=3")
                .as_deref(),
            Some("/v1/projects/p/locations/l/services/s/:getIamPolicy?options.requestedPolicyVersion=3")
        );
        assert_eq!(
            split_text("/v1/projects/example.com:demo:getIamPolicy").as_deref(),
            Some("/v1/projects/example.com:demo/:getIamPolicy")
        );
    }

    #[test]
    fn a_path_without_a_verb_stays() {
        for path in ["/v1/projects/p", "/v1/projects/p/", "/v1/x:", "/v1/x:1", "/v1/a:b/c", "/"] {
            assert_eq!(split_text(path), None, "{path}");
        }
    }
}
