//! How are v1 lists asked for and answered?

use groundrun_engine::{Cursor, Page};
use groundrun_model::Error;
use groundrun_model::selector::Selector;
use serde_json::{Value, json};

use crate::call::Query;
use crate::paging::{read_token, write_token};

/// What the query of a list may hold.
pub(crate) const QUERY: &[&str] = &["labelSelector", "limit", "continue"];

/// The page that the query asks for: `labelSelector`, `limit`, `continue`. What the hosted service
/// ignores (`watch`, `fieldSelector`, `resourceVersion`) is ignored here.
pub(crate) fn page(query: &Query, list: &str) -> Result<Page, Error> {
    let limit = query.get("limit").map(|text| {
        text.parse().map_err(|_| Error::field("limit", format!("must be a number of items, not '{text}'")))
    });
    Ok(Page {
        selector: query.get("labelSelector").map(Selector::parse).transpose()?.unwrap_or_default(),
        // 0 means no limit to every Google client.
        limit: limit.transpose()?.filter(|limit: &usize| *limit > 0),
        after: query
            .get("continue")
            .map(|token| read_token(&list_of(list, query), token, "continue"))
            .transpose()?,
    })
}

/// The list that a token is of: what is selected is a part of it.
fn list_of(kind: &str, query: &Query) -> String {
    format!("{kind} {}", query.get("labelSelector").unwrap_or_default())
}

/// A v1 list. It always has metadata: without it gcloud fails on the second page.
pub(crate) fn list(kind: &str, query: &Query, items: Vec<Value>, next: Option<&Cursor>) -> Value {
    let metadata = next
        .map_or_else(|| json!({}), |next| json!({ "continue": write_token(&list_of(kind, query), next) }));
    json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": kind,
        "metadata": metadata,
        "items": items,
    })
}
