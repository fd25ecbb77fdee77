//! How does a program that the emulator did not start become a workload?

use axum::extract::{Path, State as FromState};
use groundrun_engine::{Kept, OpenWorkload as Wanted};
use groundrun_model::{Error, Region, Result, ServiceId, ServiceName};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::call::{Body, Who};
use crate::reply::{Json, Reply};

/// A service, or an account, or neither for the account of the emulator's own port.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OpenWorkload {
    /// The name of the service.
    service: Option<String>,
    /// The region of the service; that of the emulator if it is absent.
    region: Option<String>,
    /// The id of the project of the service; that of the emulator if it is absent.
    project: Option<String>,
    /// The email of the account.
    service_account: Option<String>,
}

impl OpenWorkload {
    async fn wanted(&self, state: &State) -> Result<Wanted> {
        let config = state.engine.config();
        let region = match self.region.as_deref() {
            Some(region) => Region::parse(region)?,
            None => config.region.clone(),
        };
        match (&self.service, &self.service_account, &self.project) {
            (Some(_), Some(_), _) => Err(Error::in_words(
                "A workload is that of a 'service', which has its own account, or of a 'serviceAccount': \
                 name one of them.",
            )),
            (Some(service), None, project) => Ok(Wanted::Service(ServiceId {
                project: match project {
                    Some(project) => state.engine.project(project).await?,
                    None => config.project.clone(),
                },
                region,
                name: ServiceName::parse(service, "service")?,
            })),
            (None, _, Some(_)) => {
                Err(Error::field("project", "is that of a service; name the service, too."))
            }
            (None, email, None) => Ok(Wanted::Account(email.clone(), region)),
        }
    }
}

pub(crate) async fn open(FromState(state): FromState<State>, Who(caller): Who, body: Body) -> Reply {
    let asked: OpenWorkload = body.read()?;
    let wanted = asked.wanted(&state).await?;
    Ok(Json(render(&state.engine.keep_workload(&caller, &wanted).await?)))
}

pub(crate) async fn list_all(FromState(state): FromState<State>, Who(caller): Who) -> Reply {
    let kept: Vec<Value> = state.engine.kept_workloads(&caller)?.iter().map(render).collect();
    Ok(Json(json!({ "workloads": kept })))
}

pub(crate) async fn close(
    FromState(state): FromState<State>,
    Who(caller): Who,
    Path(id): Path<String>,
) -> Reply {
    Ok(Json(render(&state.engine.close_workload(&caller, &id)?)))
}

fn render(kept: &Kept) -> Value {
    let workload = &kept.workload;
    let mut shown = json!({
        "id": kept.id,
        "address": kept.address.to_string(),
        "serviceAccount": workload.account,
        "project": workload.project.id.as_str(),
        "region": workload.region.as_str(),
        "instanceId": workload.instance_id,
    });
    if let Some((service, revision)) = &workload.revision {
        shown["service"] = json!(service.as_str());
        shown["revision"] = json!(revision.as_str());
    }
    shown
}
