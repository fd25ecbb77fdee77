//! Who takes part in a story, and what do they do?

use groundrun_engine::OWNER_TOKEN;
use http::Method;
use serde_json::{Value, json};

use crate::http_client::{Answer, Ask, Client, DEADLINE, percent_encoded};
use crate::{AUDIENCES, PROJECT, REGION, REGIONAL};

/// The image of every service that does not care.
const IMAGE: &str = "us-docker.pkg.dev/cloudrun/container/hello";

/// The developer: speaks to the API as gcloud does.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'w> {
    client: &'w Client,
}

/// Somebody who calls services.
#[derive(Debug, Clone)]
pub struct Caller<'w> {
    client: &'w Client,
    email: Option<String>,
    includes_email: bool,
}

impl<'w> Owner<'w> {
    /// The owner of the emulator that `client` speaks to.
    pub const fn new(client: &'w Client) -> Self {
        Self { client }
    }

    /// The path of the services of the project.
    pub fn services_path() -> String {
        format!("/apis/serving.knative.dev/v1/namespaces/{PROJECT}/services")
    }

    /// The path of a service.
    pub fn service_path(name: &str) -> String {
        format!("{}/{name}", Self::services_path())
    }

    /// The path of the revisions of the project.
    pub fn revisions_path() -> String {
        format!("/apis/serving.knative.dev/v1/namespaces/{PROJECT}/revisions")
    }

    /// The path under which the policy of a service is.
    pub fn resource_path(name: &str) -> String {
        format!("/v1/projects/{PROJECT}/locations/{REGION}/services/{name}")
    }

    /// Begins a request to the regional host.
    pub fn ask(&self, method: Method, path: impl Into<String>) -> Ask {
        self.client.ask(method, path).host(REGIONAL).bearer(OWNER_TOKEN)
    }

    /// A service with one container, as a client sends it.
    pub fn service(name: &str) -> Value {
        json!({
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": { "name": name, "namespace": PROJECT },
            "spec": { "template": { "spec": { "containers": [{ "image": IMAGE }] } } },
        })
    }

    /// Sends a new service.
    pub async fn create(&self, service: &Value) -> Answer {
        self.ask(Method::POST, Self::services_path()).json(service).send().await
    }

    /// Sends a service in the place of the one there.
    pub async fn replace(&self, name: &str, service: &Value) -> Answer {
        self.ask(Method::PUT, Self::service_path(name)).json(service).send().await
    }

    /// Reads a path.
    pub async fn read(&self, path: impl Into<String>) -> Answer {
        self.ask(Method::GET, path).send().await
    }

    /// Deletes what is at a path.
    pub async fn delete(&self, path: impl Into<String>) -> Answer {
        self.ask(Method::DELETE, path).send().await
    }

    /// The service as it is now.
    pub async fn get(&self, name: &str) -> Value {
        self.read(Self::service_path(name)).await.expect(200).json()
    }

    /// Deploys a private service and waits until it is ready.
    pub async fn deploy(&self, name: &str) -> Value {
        self.deploy_as(&Self::service(name)).await
    }

    /// Deploys a service and waits until it is ready.
    pub async fn deploy_as(&self, service: &Value) -> Value {
        let created = self.create(service).await.expect(200).json();
        let ready = self.settled(created["metadata"]["name"].as_str().expect("a name")).await;
        assert_eq!(crate::condition(&ready, "Ready")["status"], "True", "{ready:#}");
        ready
    }

    /// The service once its status speaks of what was asked for.
    pub async fn settled(&self, name: &str) -> Value {
        let waiting = async {
            loop {
                let service = self.get(name).await;
                let fresh = service["status"]["observedGeneration"] == service["metadata"]["generation"];
                if fresh && crate::condition(&service, "Ready")["status"] != "Unknown" {
                    return service;
                }
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("the service settles")
    }

    /// Reads the service, changes it and writes the whole back, as gcloud does; then waits for it.
    pub async fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut service = self.get(name).await;
        change(&mut service);
        let _ = self.replace(name, &service).await.expect(200);
        self.settled(name).await
    }

    /// Sets an annotation of the service, or takes it away.
    pub async fn annotate(&self, name: &str, key: &str, value: Option<&str>) -> Value {
        self.edit(name, |service| {
            let annotations = service["metadata"]["annotations"].as_object_mut().expect("annotations");
            match value {
                Some(value) => drop(annotations.insert(key.to_owned(), json!(value))),
                None => drop(annotations.remove(key)),
            }
        })
        .await
    }

    /// Sets the custom audiences of the service; none takes the annotation away.
    pub async fn set_audiences(&self, name: &str, audiences: &[&str]) -> Value {
        let list = json!(audiences).to_string();
        self.annotate(name, AUDIENCES, (!audiences.is_empty()).then_some(&list)).await
    }

    /// Sets a variable of the only container: a change of the template.
    pub async fn set_env(&self, name: &str, key: &str, value: &str) -> Value {
        self.edit(name, |service| {
            service["spec"]["template"]["spec"]["containers"][0]["env"] =
                json!([{ "name": key, "value": value }]);
        })
        .await
    }

    /// Sets the traffic of the service.
    pub async fn set_traffic(&self, name: &str, traffic: Value) -> Value {
        self.edit(name, |service| service["spec"]["traffic"] = traffic).await
    }

    /// The revisions of a service, newest first.
    pub async fn revisions(&self, name: &str) -> Vec<Value> {
        let selector = percent_encoded(&format!("serving.knative.dev/service = {name}"));
        let path = format!("{}?labelSelector={selector}", Self::revisions_path());
        let list = self.read(path).await.expect(200).json();
        list["items"].as_array().expect("a list").clone()
    }

    /// The policy of a service.
    pub async fn policy(&self, name: &str) -> Value {
        let path = format!("{}:getIamPolicy?options.requestedPolicyVersion=3", Self::resource_path(name));
        self.read(path).await.expect(200).json()
    }

    /// Sends a policy for a service.
    pub async fn set_policy(&self, name: &str, policy: &Value) -> Answer {
        let path = format!("{}:setIamPolicy", Self::resource_path(name));
        self.ask(Method::POST, path).json(&json!({ "policy": policy })).send().await
    }

    /// Binds members to a role on a service, and nothing else.
    pub async fn bind(&self, name: &str, role: &str, members: &[&str]) {
        let mut policy = self.policy(name).await;
        policy["bindings"] = json!([{ "role": role, "members": members }]);
        let _ = self.set_policy(name, &policy).await.expect(200);
    }

    /// Lets the service account that stories call the invoker invoke a service.
    pub async fn grant(&self, name: &str) {
        let member = format!("serviceAccount:{}", account_email("caller"));
        self.bind(name, "roles/run.invoker", &[&member]).await;
    }

    /// Binds members to a role on the project, and nothing else.
    pub async fn bind_project(&self, role: &str, members: &[&str]) -> Answer {
        let path = format!("/v1/projects/{PROJECT}:setIamPolicy");
        let policy = json!({ "bindings": [{ "role": role, "members": members }] });
        self.ask(Method::POST, path).json(&json!({ "policy": policy })).send().await
    }

    /// An ID token for an account.
    pub async fn id_token(&self, email: &str, audience: &str, include_email: bool) -> String {
        let path = format!("/v1/projects/-/serviceAccounts/{email}:generateIdToken");
        let body = json!({ "audience": audience, "includeEmail": include_email });
        let answer = self.client.post(path, &body).bearer(OWNER_TOKEN).send().await.expect(200);
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    /// An access token for an account.
    pub async fn access_token(&self, email: &str) -> String {
        let path = format!("/v1/projects/-/serviceAccounts/{email}:generateAccessToken");
        let body = json!({ "scope": ["https://www.googleapis.com/auth/cloud-platform"] });
        let answer = self.client.post(path, &body).bearer(OWNER_TOKEN).send().await.expect(200);
        answer.json()["accessToken"].as_str().expect("a token").to_owned()
    }
}

impl<'w> Caller<'w> {
    /// A service account of the project.
    pub fn service_account(client: &'w Client, name: &str) -> Self {
        Self { client, email: Some(account_email(name)), includes_email: false }
    }

    pub(crate) const fn anonymous(client: &'w Client) -> Self {
        Self { client, email: None, includes_email: false }
    }

    /// The same caller, whose tokens say the email. Those of the documented command do not.
    #[must_use]
    pub const fn with_email(mut self) -> Self {
        self.includes_email = true;
        self
    }

    /// The email of the caller.
    #[track_caller]
    pub fn email(&self) -> &str {
        self.email.as_deref().expect("somebody with an account")
    }

    /// The member that names the caller in a policy.
    #[track_caller]
    pub fn member(&self) -> String {
        format!("serviceAccount:{}", self.email())
    }

    /// An ID token of this caller.
    pub async fn token(&self, audience: &str) -> String {
        Owner::new(self.client).id_token(self.email(), audience, self.includes_email).await
    }

    /// Calls the root of a service at a URL, with a token for `audience` if this is somebody.
    pub async fn call(&self, url: &str, audience: &str) -> Answer {
        let ask = self.at(url);
        match &self.email {
            None => ask.send().await,
            Some(_) => ask.bearer(self.token(audience).await).send().await,
        }
    }

    /// Begins a GET at a URL of a service, which the Host header names.
    pub fn at(&self, url: &str) -> Ask {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        self.client.get(format!("/{path}")).host(host)
    }
}

fn account_email(name: &str) -> String {
    format!("{name}@{PROJECT}.iam.gserviceaccount.com")
}
