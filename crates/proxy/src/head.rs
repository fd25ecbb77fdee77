//! What of a request is looked at in order to judge it?
//!
//! The phases see a request through this, whichever parser has read it.

use http::request::Parts;
use http::{HeaderName, HeaderValue, Version};

/// The head of a request, as far as the phases need it.
pub(crate) trait RequestHead {
    /// The method.
    fn method(&self) -> &str;

    /// The path, as sent.
    fn path(&self) -> &str;

    /// Path and query, as sent.
    fn path_and_query(&self) -> &str;

    /// The version of HTTP.
    fn version(&self) -> Version;

    /// The values of a header, in their order.
    fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]>;

    /// The first value of a header, if it is text.
    fn text(&self, name: &HeaderName) -> Option<&str> {
        let value = self.values(name).next()?;
        let is_visible = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
        std::str::from_utf8(value).ok().filter(|text| text.as_bytes().iter().all(is_visible))
    }
}

impl RequestHead for Parts {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn path(&self) -> &str {
        self.uri.path()
    }

    fn path_and_query(&self) -> &str {
        self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str)
    }

    fn version(&self) -> Version {
        self.version
    }

    fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.headers.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}
