//! What was a service shown as the last time, and is it still that very service?
//!
//! Clients that wait for a service ask for it again and again. The engine gives out one and the same value
//! until something is written: for the same value the same text stands, and nothing need ever be dropped.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use groundrun_model::service::Service;
use groundrun_model::{Result, ServiceId};
use serde_json::Value;

use crate::reply::{json_bytes, json_text};

/// How much text is kept, in bytes.
const CAPACITY: u64 = 2 * 1024 * 1024;

/// What an entry takes besides its text, in bytes; the value is mostly that of the store.
const OVERHEAD: usize = 512;

/// The services that were shown through v1 lately, as they were shown.
#[derive(Debug, Clone)]
pub(crate) struct Rendered(moka::sync::Cache<ServiceId, (Arc<Service>, Bytes)>);

impl Default for Rendered {
    fn default() -> Self {
        let weigh = |_: &ServiceId, (_, text): &(Arc<Service>, Bytes)| {
            u32::try_from(text.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        Self(moka::sync::Cache::builder().max_capacity(CAPACITY).weigher(weigh).build())
    }
}

impl Rendered {
    /// The text of `service`, which `render` makes unless it is there.
    ///
    /// # Errors
    /// What `render` fails with.
    pub(crate) fn of(
        &self,
        service: &Arc<Service>,
        render: impl FnOnce(&Service) -> Result<Value>,
    ) -> Result<JsonText> {
        // The value is kept with its text: as long as it is, no other one has its address.
        if let Some((shown, text)) = self.0.get(&service.id)
            && Arc::ptr_eq(&shown, service)
        {
            return Ok(JsonText(text));
        }
        let text = Bytes::from(json_text(&render(service)?));
        self.0.insert(service.id.clone(), (Arc::clone(service), text.clone()));
        Ok(JsonText(text))
    }
}

/// JSON with status 200 that is text already.
#[derive(Debug)]
pub(crate) struct JsonText(Bytes);

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        json_bytes(self.0)
    }
}
