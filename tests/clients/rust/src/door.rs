//! How does google-cloud-run-v2 speak v2, and in which words does it tell what it saw?
//!
//! The words are those of ../python/doors.py.

use google_cloud_auth::credentials::anonymous;
use google_cloud_gax::error::rpc::StatusDetails;
use google_cloud_gax::paginator::Paginator as _;
use google_cloud_iam_v1::model::{Binding, Policy};
use google_cloud_lro::Poller as _;
use google_cloud_run_v2::client::{Revisions, Services};
use google_cloud_run_v2::model::condition::{RevisionReason, State};
use google_cloud_run_v2::model::{
    Condition, Container, EnvVar, Revision, RevisionTemplate, Service, TrafficTarget,
    TrafficTargetAllocationType, TrafficTargetStatus,
};
use google_cloud_run_v2::{Error, Result};
use google_cloud_wkt::{Duration, FieldMask};
use serde_json::{Map, Value, json};

pub const PARENT: &str = "projects/demo-project/locations/us-central1";

/// The clients of services and of revisions.
pub struct Door {
    pub services: Services,
    pub revisions: Revisions,
}

/// What a service of the scenario is to be.
#[derive(Clone, Copy, Default)]
pub struct Wanted<'w> {
    pub image: &'w str,
    pub env: &'w [(&'w str, &'w str)],
    pub audiences: &'w [&'w str],
    pub timeout: Option<i64>,
}

impl Wanted<'_> {
    fn service(self) -> Service {
        let env = self.env.iter().map(|(name, value)| EnvVar::new().set_name(*name).set_value(*value));
        let container = Container::new().set_image(self.image).set_env(env);
        let mut template = RevisionTemplate::new().set_containers([container]);
        if let Some(seconds) = self.timeout {
            template = template.set_timeout(Duration::clamp(seconds, 0));
        }
        Service::new().set_template(template).set_custom_audiences(self.audiences.iter().copied())
    }
}

impl Door {
    pub async fn open(address: &str) -> Self {
        let endpoint = format!("http://{address}");
        let nobody = || anonymous::Builder::new().build();
        let services = Services::builder().with_endpoint(&endpoint).with_credentials(nobody()).build().await;
        let revisions =
            Revisions::builder().with_endpoint(&endpoint).with_credentials(nobody()).build().await;
        Self { services: services.expect("a client"), revisions: revisions.expect("a client") }
    }

    pub async fn create(&self, name: &str, wanted: Wanted<'_>) -> Result<Value> {
        let call = self.services.create_service().set_parent(PARENT).set_service_id(name);
        Ok(seen_service(&call.set_service(wanted.service()).poller().until_done().await?))
    }

    /// Starts to make a service; the name of the operation.
    pub async fn operation_of_create(&self, name: &str, wanted: Wanted<'_>) -> Result<String> {
        let call = self.services.create_service().set_parent(PARENT).set_service_id(name);
        Ok(call.set_service(wanted.service()).send().await?.name)
    }

    /// Whether a check of a new service is answered with its defaults.
    pub async fn check(&self, name: &str, wanted: Wanted<'_>) -> Result<bool> {
        let call = self.services.create_service().set_parent(PARENT).set_service_id(name);
        let operation = call.set_service(wanted.service()).set_validate_only(true).send().await?;
        let service: Service = operation.metadata.expect("metadata").to_msg().expect("a service");
        Ok(service.template.is_some_and(|template| template.max_instance_request_concurrency == 80))
    }

    pub async fn read(&self, name: &str) -> Result<Service> {
        self.services.get_service().set_name(full_name(name)).send().await
    }

    pub async fn get(&self, name: &str) -> Result<Value> {
        Ok(seen_service(&self.read(name).await?))
    }

    pub async fn patch(&self, name: &str, service: Service, mask: Option<&str>) -> Result<Value> {
        let mut call = self.services.update_service().set_service(service.set_name(full_name(name)));
        if let Some(path) = mask {
            call = call.set_update_mask(FieldMask::default().set_paths([path]));
        }
        Ok(seen_service(&call.poller().until_done().await?))
    }

    pub async fn change_audiences(&self, name: &str, audiences: &[&str]) -> Result<Value> {
        let service = Service::new().set_custom_audiences(audiences.iter().copied());
        self.patch(name, service, Some("custom_audiences")).await
    }

    pub async fn replace(&self, name: &str, wanted: Wanted<'_>) -> Result<Value> {
        self.patch(name, wanted.service(), None).await
    }

    /// Writes what was read, without a mask; the name of the service.
    pub async fn write_back(&self, name: &str) -> Result<String> {
        let service = self.read(name).await?;
        Ok(self.services.update_service().set_service(service).poller().until_done().await?.name)
    }

    pub async fn send_traffic_to(&self, name: &str, revision: &str) -> Result<Value> {
        let target = TrafficTarget::new().set_type(TrafficTargetAllocationType::Revision);
        let service = Service::new().set_traffic([target.set_revision(revision).set_percent(100)]);
        self.patch(name, service, Some("traffic")).await
    }

    pub async fn delete_stale(&self, name: &str) -> Result<()> {
        let stale = self.read(name).await?.etag;
        self.patch(name, Service::new().set_description("newer"), Some("description")).await?;
        self.services.delete_service().set_name(full_name(name)).set_etag(stale).send().await?;
        Ok(())
    }

    pub async fn list_pages(&self, size: i32) -> Result<Vec<Vec<String>>> {
        let mut pages = self.services.list_services().set_parent(PARENT).set_page_size(size).by_page();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.push(page?.services.iter().map(|service| last(&service.name).to_owned()).collect());
        }
        Ok(found)
    }

    pub async fn delete(&self, name: &str) -> Result<Value> {
        let gone = self.services.delete_service().set_name(full_name(name)).poller().until_done().await?;
        Ok(json!({ "deleted": gone.delete_time.is_some(), "name": last(&gone.name) }))
    }

    pub async fn list_revisions(&self, name: &str) -> Result<Vec<String>> {
        let page = self.revisions.list_revisions().set_parent(full_name(name)).send().await?;
        Ok(page.revisions.into_iter().map(|revision| revision.name).collect())
    }

    pub async fn get_revision(&self, name: &str) -> Result<Value> {
        Ok(seen_revision(&self.revisions.get_revision().set_name(name).send().await?))
    }

    pub async fn delete_revision(&self, name: &str) -> Result<()> {
        self.revisions.delete_revision().set_name(name).poller().until_done().await?;
        Ok(())
    }

    pub async fn get_policy(&self, name: &str) -> Result<Policy> {
        self.services.get_iam_policy().set_resource(full_name(name)).send().await
    }

    pub async fn set_policy(&self, name: &str, etag: &[u8], bindings: Vec<Binding>) -> Result<Policy> {
        let policy = Policy::new().set_etag(etag.to_vec()).set_bindings(bindings);
        self.services.set_iam_policy().set_resource(full_name(name)).set_policy(policy).send().await
    }

    pub async fn test_permissions(&self, name: &str, permissions: &[&str]) -> Result<Vec<String>> {
        let call = self.services.test_iam_permissions().set_resource(full_name(name));
        Ok(call.set_permissions(permissions.iter().copied()).send().await?.permissions)
    }

    /// Waits for an operation: its name, and what it is of.
    pub async fn wait_operation(&self, name: &str) -> Result<Value> {
        let call = self.services.wait_operation().set_name(name).set_timeout(Duration::clamp(30, 0));
        let operation = call.send().await?;
        let of: Service = operation.metadata.expect("metadata").to_msg().expect("a service");
        Ok(json!({ "done": operation.done, "of": last(&of.name) }))
    }

    pub async fn list_operations(&self, filter: &str) -> Result<Vec<String>> {
        let call = self.services.list_operations().set_name(PARENT).set_filter(filter).set_page_size(2);
        let mut pages = call.by_page();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page?.operations.into_iter().map(|operation| operation.name));
        }
        Ok(found)
    }
}

pub fn full_name(service: &str) -> String {
    format!("{PARENT}/services/{service}")
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// The name of a revision without its random end: service and number.
pub fn short(name: &str) -> String {
    let name = last(name);
    match name.rsplit_once('-') {
        Some((numbered, end)) if end.len() == 3 => numbered.to_owned(),
        _ => name.to_owned(),
    }
}

fn seen_service(service: &Service) -> Value {
    let template = service.template.as_ref().expect("a template");
    let container = &template.containers[0];
    let port = &container.ports[0];
    let env: Map<String, Value> = container
        .env
        .iter()
        .map(|entry| (entry.name.clone(), json!(entry.value().expect("a value"))))
        .collect();
    let socket = container.startup_probe.as_ref().and_then(|probe| probe.tcp_socket()).expect("a TCP probe");
    let or = |revision: &str, latest: &str| {
        if revision.is_empty() { latest.to_owned() } else { revision.to_owned() }
    };
    let split = |entry: &TrafficTarget| json!([or(&entry.revision, "LATEST"), entry.percent]);
    let serving = |entry: &TrafficTargetStatus| {
        json!([short(&or(&entry.revision, &service.latest_ready_revision)), entry.percent])
    };
    json!({
        "account": template.service_account,
        "audiences": service.custom_audiences,
        "concurrency": template.max_instance_request_concurrency,
        "created": short(&service.latest_created_revision),
        "env": env,
        "generation": service.generation,
        "host": service.uri.trim_start_matches("http://").split(':').next(),
        "image": container.image,
        "ingress": service.ingress.name().map(|name| name.replace("INGRESS_TRAFFIC_", "").to_lowercase()),
        "limits": container.resources.as_ref().expect("resources").limits,
        "name": last(&service.name),
        "port": { "containerPort": port.container_port, "name": port.name },
        "ready": service.terminal_condition.as_ref().expect("a condition").state == State::ConditionSucceeded,
        "served": short(&service.latest_ready_revision),
        "serving": service.traffic_statuses.iter().map(serving).collect::<Value>(),
        "settled": service.generation == service.observed_generation,
        "startup": socket.port,
        "timeout": template.timeout.as_ref().expect("a timeout").seconds(),
        "traffic": service.traffic.iter().map(split).collect::<Value>(),
    })
}

fn seen_revision(revision: &Revision) -> Value {
    let condition = |kind: &str| -> &Condition {
        revision.conditions.iter().find(|condition| condition.r#type == kind).expect("the condition")
    };
    json!({
        "generation": revision.generation,
        "image": revision.containers[0].image,
        "name": short(&revision.name),
        "of": last(&revision.service),
        "ready": condition("Ready").state == State::ConditionSucceeded,
        "retired": condition("Active").revision_reason() == Some(&RevisionReason::Retired),
    })
}

/// The fields that a refusal names, each with what is wrong with it.
pub fn violations(error: &Error) -> Vec<(String, String)> {
    let details = error.status().map(|status| status.details.as_slice()).unwrap_or_default();
    let named = details.iter().filter_map(|detail| match detail {
        StatusDetails::BadRequest(request) => Some(&request.field_violations),
        _ => None,
    });
    named.flatten().map(|found| (found.field.clone(), found.description.clone())).collect()
}

/// A refusal without what differs between the APIs.
pub fn seen(error: &Error) -> Value {
    let status = error.status().unwrap_or_else(|| panic!("{error} is no refusal"));
    let mut message = status.message.clone();
    for (field, description) in violations(error) {
        assert!(message.ends_with(&format!("{field}: {description}")), "{message}");
        message = description;
    }
    json!({ "message": without_random_parts(&message), "status": status.code.name() })
}

/// What stands in quotes and is another in every run: an etag, the end of the name of a revision.
fn without_random_parts(message: &str) -> String {
    let mut plain = String::new();
    for (number, part) in message.split('\'').enumerate() {
        if number > 0 {
            plain.push('\'');
        }
        let of_etag = plain.ends_with("etag '") || plain.ends_with("etag is '");
        let numbered = part.rsplit_once('-').filter(|(start, end)| {
            end.len() == 3
                && start.len() > 6
                && start[start.len() - 5..].bytes().all(|byte| byte.is_ascii_digit())
        });
        match numbered {
            _ if of_etag => plain.push('?'),
            Some((start, _)) if number % 2 == 1 => plain.push_str(start),
            _ => plain.push_str(part),
        }
    }
    plain.replace("etag '", "version '").replace("etag is '", "version is '")
}
