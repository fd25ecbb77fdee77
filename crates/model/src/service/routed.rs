//! What does the route of a service follow from?
//!
//! A start reads every service that there is, so that it reads of each only that.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{RoutedTarget, ServiceSettings, values};
use crate::error::Result;
use crate::instance::InstanceSpec;
use crate::kind::{Kind, read_text};
use crate::name::{RevisionName, ServiceId};
use crate::routing::{AccessFacts, RouteFacts};
use crate::url::UrlConfig;

/// A stored service, as far as its route follows from it.
#[derive(Debug, Clone)]
pub struct RoutedService {
    /// Which service this is.
    pub id: ServiceId,
    /// Whether nothing is left to do for it: its status speaks of the present generation, and its traffic is
    /// routed as asked.
    pub is_at_rest: bool,
    settings: ServiceSettings,
    serving: Vec<RoutedTarget>,
}

#[derive(Deserialize)]
struct Spec {
    settings: ServiceSettings,
}

#[derive(Deserialize)]
struct Status {
    observed_generation: i64,
    #[serde(default)]
    serving: Vec<RoutedTarget>,
    #[serde(default)]
    route_failure: Option<IgnoredAny>,
}

impl RoutedService {
    /// Reads the `spec` and the `status` that are stored of the service, whose specification has this
    /// `generation`.
    ///
    /// # Errors
    /// 500 that names the service if it was not written by [`super::Service`].
    pub fn read(id: ServiceId, generation: i64, spec: &str, status: &str) -> Result<Self> {
        let spec: Spec = read_text(spec, Kind::Service, id.name.as_str())?;
        let status: Status = read_text(status, Kind::Service, id.name.as_str())?;
        Ok(Self {
            is_at_rest: status.observed_generation == generation && status.route_failure.is_none(),
            settings: spec.settings,
            serving: status.serving,
            id,
        })
    }

    /// The revisions that requests can reach.
    pub fn revisions(&self) -> BTreeSet<&RevisionName> {
        self.serving.iter().map(|target| &target.revision).collect()
    }

    /// What the data plane must know of the service; `instance` tells what a revision runs.
    pub fn route_facts<'a>(
        &self,
        urls: UrlConfig,
        access: AccessFacts<'a>,
        instance: impl Fn(&RevisionName) -> Option<Arc<InstanceSpec>>,
    ) -> RouteFacts<'a> {
        facts(&self.id, &self.settings, &self.serving, urls, access, instance)
    }
}

/// What the data plane must know of a service with these settings that is routed so.
pub(super) fn facts<'a>(
    id: &ServiceId,
    settings: &ServiceSettings,
    serving: &[RoutedTarget],
    urls: UrlConfig,
    access: AccessFacts<'a>,
    instance: impl Fn(&RevisionName) -> Option<Arc<InstanceSpec>>,
) -> RouteFacts<'a> {
    let serving = || serving.iter().filter_map(|target| Some((target, instance(&target.revision)?)));
    let percent = |target: &RoutedTarget| u32::try_from(target.percent.unwrap_or(0)).unwrap_or(0);
    RouteFacts {
        id: id.clone(),
        urls,
        custom_audiences: settings.custom_audiences.clone().unwrap_or_default(),
        invoker_iam_disabled: settings.invoker_iam_disabled == Some(true),
        access,
        ingress: settings.ingress.unwrap_or(values::Ingress::All),
        default_url_disabled: settings.default_uri_disabled == Some(true),
        split: serving().map(|(target, instance)| (percent(target), instance)).collect(),
        tags: serving().filter_map(|(target, instance)| Some((target.tag.clone()?, instance))).collect(),
    }
}
