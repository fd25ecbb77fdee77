//! How does an entry answer through Cloud Logging v2?

use serde_json::{Value, json};

use super::{LogEntry, Payload, RequestEntry};
use crate::message::Kept;

impl LogEntry {
    /// The full name of its log: `projects/p/logs/run.googleapis.com%2Frequests`.
    pub fn log_name(&self) -> String {
        format!("projects/{}/logs/run.googleapis.com%2F{}", self.source.service().project, self.log_id())
    }

    /// The entry as `entries:list` answers it.
    pub fn to_json(&self) -> Value {
        let service = self.source.service();
        let mut labels = Kept::new();
        let mut label = |key: &str, value: &str| labels.insert(key.to_owned(), json!(value));
        label("project_id", service.project.id.as_str());
        label("location", service.region.as_str());
        label("service_name", service.name.as_str());
        label("configuration_name", service.name.as_str());
        if let Some(revision) = self.source.revision() {
            label("revision_name", revision.as_str());
        }
        let mut json = json!({
            "logName": self.log_name(),
            "resource": { "type": "cloud_run_revision", "labels": labels },
            "timestamp": self.timestamp.to_string(),
            "receiveTimestamp": self.timestamp.to_string(),
            "severity": self.severity().as_str(),
            "insertId": format!("{:x}-{:x}", self.timestamp.micros(), self.sequence),
        });
        if let Payload::Request(request) = &self.payload {
            json["httpRequest"] = http_request(request);
            if let Some(trace) = request.trace {
                json["trace"] = json!(format!("projects/{}/traces/{trace:032x}", service.project));
            }
        }
        if let Some(text) = self.text() {
            json["textPayload"] = json!(text);
        }
        json
    }
}

fn http_request(request: &RequestEntry) -> Value {
    let line = &request.line;
    let mut json = json!({
        "requestMethod": line.method(),
        "requestUrl": line.url(),
        "status": request.status,
        "remoteIp": request.remote.to_string(),
        "latency": format!("{}.{:06}s", request.latency / 1_000_000, request.latency % 1_000_000),
        "protocol": line.protocol(),
    });
    if !line.user_agent().is_empty() {
        json["userAgent"] = json!(line.user_agent());
    }
    if let Some(size) = request.response_size {
        // An int64, which JSON has as a string.
        json["responseSize"] = json!(size.to_string());
    }
    json
}
