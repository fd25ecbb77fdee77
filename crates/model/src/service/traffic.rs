//! Which revisions get which share of the requests?

use serde::{Deserialize, Serialize};

use super::ServiceId;
use crate::error::Violations;
use crate::field::Api;
use crate::name::RevisionName;

/// Where a share of the traffic goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficRevision {
    /// To the latest revision that is ready, whichever that is.
    Latest,
    /// To the revision of this name.
    Named(String),
}

/// One entry of `spec.traffic`: a share of the requests, an address of its own, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficTarget {
    /// Where the traffic goes.
    pub revision: TrafficRevision,
    /// The share, 0 to 100; unset is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<i32>,
    /// Gives the revision the address `TAG---HOST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// One entry of `status.traffic`: a target that is routed, with the revision that it resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutedTarget {
    /// The revision that gets the requests.
    pub revision: RevisionName,
    /// Whether the target follows the latest ready revision.
    #[serde(default)]
    pub latest: bool,
    /// The share, 0 to 100; unset is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<i32>,
    /// The tag whose address reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl TrafficTarget {
    /// All traffic to the latest ready revision: what a service without `spec.traffic` has.
    pub const fn all_to_latest() -> Self {
        Self { revision: TrafficRevision::Latest, percent: Some(100), tag: None }
    }
}

/// Why traffic cannot be routed as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unroutable {
    /// In upper camel case, for the condition.
    pub reason: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

/// Notes what is wrong with `traffic`: the shares must sum to 100, tags must be unique and short.
pub fn check(traffic: &[TrafficTarget], id: &ServiceId, api: Api, violations: &mut Violations) {
    let mut tags: Vec<&str> = Vec::new();
    for (index, target) in traffic.iter().enumerate() {
        let at = api.spec().field("traffic").index(index);
        if !(0..=100).contains(&target.percent.unwrap_or(0)) {
            violations.add(at.field("percent"), "must be a number between 0 and 100");
        }
        if let TrafficRevision::Named(name) = &target.revision
            && RevisionName::lookup(name).is_none()
        {
            let at = at.differs("revisionName", "revision");
            violations.add(at, format!("'{name}' is not the name of a revision."));
        }
        if let Some(tag) = &target.tag {
            if tags.contains(&tag.as_str()) {
                violations.add(at.field("tag"), format!("may not contain a duplicate tag '{tag}'"));
            }
            tags.push(tag);
            let at = api.spec().field("traffic").field("tag").to_string();
            violations.note(crate::url::check_tag(tag, &id.name, &at));
        }
    }
    let sum: i64 = traffic.iter().map(|target| i64::from(target.percent.unwrap_or(0))).sum();
    violations.check(
        traffic.is_empty() || sum == 100,
        api.spec().field("traffic"),
        format!("the sum of the traffic percentages is {sum}, it should be 100"),
    );
}

/// Resolves `traffic` against the revisions: `latest_ready` is what LATEST means now, `is_ready` tells
/// of a name whether such a revision is there and ready.
///
/// # Errors
/// [`Unroutable`] if a target has no revision that can take requests; what was routed before stays.
pub fn resolve(
    traffic: &[TrafficTarget],
    latest_ready: Option<&RevisionName>,
    is_ready: impl Fn(&str) -> Option<bool>,
) -> Result<Vec<RoutedTarget>, Unroutable> {
    traffic.iter().map(|target| resolve_one(target, latest_ready, &is_ready)).collect()
}

fn resolve_one(
    target: &TrafficTarget,
    latest_ready: Option<&RevisionName>,
    is_ready: &impl Fn(&str) -> Option<bool>,
) -> Result<RoutedTarget, Unroutable> {
    let routed = |revision: RevisionName, latest| RoutedTarget {
        revision,
        latest,
        percent: target.percent,
        tag: target.tag.clone(),
    };
    match &target.revision {
        TrafficRevision::Latest => {
            latest_ready.map(|name| routed(name.clone(), true)).ok_or_else(|| Unroutable {
                reason: "RevisionMissing",
                message: "There is no ready revision yet that LATEST could route to.".to_owned(),
            })
        }
        TrafficRevision::Named(name) => match (is_ready(name), RevisionName::lookup(name)) {
            (Some(true), Some(name)) => Ok(routed(name, false)),
            (Some(false), _) => Err(Unroutable {
                reason: "RevisionFailed",
                message: format!("Revision '{name}' is not ready and cannot serve traffic."),
            }),
            _ => Err(Unroutable {
                reason: "RevisionMissing",
                message: format!(
                    "Revision '{name}' does not exist or is deleted. Update all traffic to route to \
                     currently available revisions."
                ),
            }),
        },
    }
}
