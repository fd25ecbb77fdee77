//! To which revision does a client come back?

use std::sync::Arc;

use groundrun_model::Timestamp;
use groundrun_model::instance::InstanceSpec;
use groundrun_model::routing::{Client, DICE, HostMatch};
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::data_plane::Random;
use crate::head::RequestHead;

/// The revision that takes a request.
pub(crate) struct Picked {
    pub(crate) instance: Arc<InstanceSpec>,
    /// The cookie that the response is to set: the client has none that says where it was.
    pub(crate) cookie: Option<String>,
}

/// The revision that the client was at before, if that is to count and its cookie says it; else one that is
/// drawn. `None` if no revision serves.
pub(crate) fn pick(
    found: &HostMatch<'_>,
    head: &impl RequestHead,
    random: &Random,
    now: Timestamp,
) -> Option<Picked> {
    if !found.has_affinity() {
        let dice = u32::try_from(random() % u64::from(DICE)).unwrap_or_default();
        return Some(Picked { instance: found.pick(dice).cloned()?, cookie: None });
    }
    let known = Client::of_cookies(head.values(&COOKIE));
    let client = known.unwrap_or_else(|| Client::new(random()));
    let instance = Arc::clone(found.pick_for(client)?);
    let is_to_come_back = known.is_none() && instance.session_affinity;
    Some(Picked { cookie: is_to_come_back.then(|| client.set_cookie(now)), instance })
}

/// Sets the cookie, beside those of the application. Like theirs it keeps the response out of caches that
/// clients share.
pub(crate) fn set_cookie(headers: &mut HeaderMap, cookie: Option<&str>) {
    let Some(Ok(cookie)) = cookie.map(HeaderValue::from_str) else { return };
    headers.append(SET_COOKIE, cookie);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
}
