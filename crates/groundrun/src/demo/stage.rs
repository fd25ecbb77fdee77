//! How does a step ask the server, and tell what it asked and heard?

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::cli::Failure;
use crate::client::{Answer, Call, Client};
use crate::config::Settings;
use crate::environment::{OWNER_TOKEN, reachable};
use crate::print;

/// The service of the story.
pub(super) const SERVICE: &str = "hello";

/// How long a change may take until the service is ready.
const READY_DEADLINE: Duration = Duration::from_secs(30);

/// The pause between two questions whether it is.
const READY_PAUSE: Duration = Duration::from_millis(25);

/// The server, and the voice of the narrator.
pub(super) struct Stage<'a> {
    /// Where the server listens, and for which project and region the story speaks.
    pub(super) settings: &'a Settings,
    client: Client,
}

impl<'a> Stage<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, client: Client::new(reachable(settings.listen)) }
    }

    /// Announces a step, and what a user would type for it.
    pub(super) fn step(&self, number: u8, title: &str, commands: &[&str]) {
        print::line(format_args!("\n{number}. {title}"));
        for command in commands {
            self.command(command);
        }
    }

    /// Shows what a user would type.
    pub(super) fn command(&self, command: &str) {
        print::line(format_args!("   $ {command}"));
    }

    /// Tells what came of a request.
    pub(super) fn tell(&self, outcome: &str) {
        print::line(format_args!("     {outcome}"));
    }

    /// A write to the API, which must succeed. Tells the request and the status.
    pub(super) async fn write(
        &self,
        method: Method,
        host: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let what = format!("{method} {host}{path}");
        let body = Some(body);
        let call = Call { method, host: Some(host), path, token: Some(OWNER_TOKEN), body };
        Ok(self.expect(&what, call, StatusCode::OK).await?.json())
    }

    /// A read from the API, which must succeed. Tells nothing.
    pub(super) async fn read(&self, host: &str, path: &str) -> Result<Value, Failure> {
        let call = Call { host: Some(host), path, token: Some(OWNER_TOKEN), ..Call::default() };
        let answer = self.client.send(call).await?;
        check(&format!("GET {host}{path}"), &answer, StatusCode::OK)?;
        Ok(answer.json())
    }

    /// A request that must be answered with `status`. Tells the request and the answer's status.
    pub(super) async fn expect(
        &self,
        what: &str,
        call: Call<'_>,
        status: StatusCode,
    ) -> Result<Answer, Failure> {
        let answer = self.client.send(call).await?;
        self.tell(&format!("{what} → {}", answer.status));
        check(what, &answer, status)?;
        Ok(answer)
    }

    /// The service, as soon as it is ready with everything that was asked of it.
    pub(super) async fn settled(&self) -> Result<Value, Failure> {
        let host = self.regional_host();
        let path = format!("{}/{SERVICE}", self.services());
        let wait = async {
            loop {
                let service = self.read(&host, &path).await?;
                match readiness(&service) {
                    Some(Ok(())) => return Ok(service),
                    Some(Err(why)) => {
                        return Err(Failure::new(format_args!("{SERVICE} did not become ready: {why}")));
                    }
                    None => tokio::time::sleep(READY_PAUSE).await,
                }
            }
        };
        let late =
            |_| Failure::new(format_args!("{SERVICE} is neither ready nor failed after {READY_DEADLINE:?}"));
        tokio::time::timeout(READY_DEADLINE, wait).await.map_err(late)?
    }

    /// The path of the services.
    pub(super) fn services(&self) -> String {
        format!("/apis/serving.knative.dev/v1/namespaces/{}/services", self.settings.project)
    }

    /// The host that carries the region, as gcloud names it.
    pub(super) fn regional_host(&self) -> String {
        format!("{}-run.googleapis.com", self.settings.region)
    }
}

/// The address of a service account of the project. The domain of a project id changes places.
pub(super) fn service_account(settings: &Settings, name: &str) -> String {
    let project = match settings.project.split_once(':') {
        Some((domain, id)) => format!("{id}.{domain}"),
        None => settings.project.clone(),
    };
    format!("{name}@{project}.iam.gserviceaccount.com")
}

fn check(what: &str, answer: &Answer, expected: StatusCode) -> Result<(), Failure> {
    if answer.status == expected {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "{what} must answer {expected}, and answered {}: {}",
        answer.status,
        answer.message()
    )))
}

/// Whether the service is ready (or failed, and why) with its present generation; `None` if that is open.
fn readiness(service: &Value) -> Option<Result<(), String>> {
    if service.pointer("/status/observedGeneration")? != service.pointer("/metadata/generation")? {
        return None;
    }
    let conditions = service.pointer("/status/conditions")?.as_array()?;
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    match ready["status"].as_str()? {
        "True" => Some(Ok(())),
        "False" => Some(Err(ready["message"].as_str().unwrap_or_default().to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(observed: u64, status: &str) -> Value {
        json!({
            "metadata": { "generation": 2 },
            "status": {
                "observedGeneration": observed,
                "conditions": [{ "type": "Ready", "status": status, "message": "no image" }],
            },
        })
    }

    #[test]
    fn a_service_is_ready_only_with_its_present_generation() {
        assert_eq!(readiness(&service(1, "True")), None);
        assert_eq!(readiness(&service(2, "Unknown")), None);
        assert_eq!(readiness(&service(2, "True")), Some(Ok(())));
        assert_eq!(readiness(&service(2, "False")), Some(Err("no image".to_owned())));
    }

    #[test]
    fn the_domain_of_a_project_stands_at_the_end_of_its_accounts() {
        let of = |project: &str| Settings { project: project.to_owned(), ..Settings::default() };
        assert_eq!(service_account(&of("demo"), "caller"), "caller@demo.iam.gserviceaccount.com");
        assert_eq!(
            service_account(&of("example.com:demo"), "caller"),
            "caller@demo.example.com.iam.gserviceaccount.com"
        );
    }
}
