//! How does a client walk a long list?
//!
//! A token names the place where a page ended, and the list that it is a page of: a token of one list
//! means nothing in another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundrun_engine::Cursor;
use groundrun_model::{Error, Timestamp};

/// The token of the page behind `cursor` in the list `list`.
pub(crate) fn write_token(list: &str, cursor: &Cursor) -> String {
    let Cursor { created, location, name } = cursor;
    URL_SAFE_NO_PAD.encode(format!("{} {location} {name} {list}", created.micros()))
}

/// The place that `token` names in the list `list`; `field` is what the API calls the token.
///
/// # Errors
/// 400 if it is no token of this server, or one of another list.
pub(crate) fn read_token(list: &str, token: &str, field: &str) -> Result<Cursor, Error> {
    let read = || {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let mut parts = plain.splitn(4, ' ');
        let created = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let (location, name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        (parts.next()? == list).then_some(Cursor { created, name, location })
    };
    read().ok_or_else(|| Error::field(field, "is not a token of a page of this list"))
}
