//! How are v1 lists asked for and answered?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundrun_engine::{Cursor, Page};
use groundrun_model::selector::Selector;
use groundrun_model::{Error, Timestamp};
use serde_json::{Value, json};

use crate::call::Query;

/// The page that the query asks for: `labelSelector`, `limit`, `continue`. What the hosted service
/// ignores (`watch`, `fieldSelector`, `resourceVersion`) is ignored here.
pub(crate) fn page(query: &Query) -> Result<Page, Error> {
    let limit = query.get("limit").map(|text| {
        text.parse().map_err(|_| Error::field("limit", format!("must be a number of items, not '{text}'")))
    });
    Ok(Page {
        selector: query.get("labelSelector").map(Selector::parse).transpose()?.unwrap_or_default(),
        // 0 means no limit to every Google client.
        limit: limit.transpose()?.filter(|limit: &usize| *limit > 0),
        after: query.get("continue").map(read_cursor).transpose()?,
    })
}

/// A v1 list. It always has metadata: without it gcloud fails on the second page.
pub(crate) fn list(kind: &str, items: Vec<Value>, next: Option<&Cursor>) -> Value {
    let metadata = next.map_or_else(|| json!({}), |next| json!({ "continue": write_cursor(next) }));
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": kind,
        "metadata": metadata,
        "items": items,
    })
}

fn write_cursor(cursor: &Cursor) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {} {}", cursor.created.micros(), cursor.location, cursor.name))
}

fn read_cursor(text: &str) -> Result<Cursor, Error> {
    let read = || {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = plain.splitn(3, ' ');
        let created = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let location = parts.next()?.to_owned();
        Some(Cursor { created, location, name: parts.next()?.to_owned() })
    };
    read().ok_or_else(|| Error::field("continue", "is not a continuation of a list of this server"))
}
