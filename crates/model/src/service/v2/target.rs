//! How does v2 spell where the traffic goes?

use serde_json::Value;

use crate::error::{Result, Violations};
use crate::message::{from_json, message};
use crate::name::ServiceId;
use crate::service::values::{TargetType, V2};
use crate::service::{RoutedTarget, TrafficRevision, TrafficTarget};
use crate::url::{ServiceHosts, UrlConfig};

message! {
    /// An entry of `traffic` or of `trafficStatuses`.
    pub(super) struct TargetV2 {
        /// Whether the target follows the latest ready revision.
        r#type: Option<V2<TargetType>>,
        /// The revision, unless the target follows the latest one.
        revision: Option<String>,
        /// The share.
        percent: Option<i32>,
        /// The tag.
        tag: Option<String>,
        /// The address of the tag; written by the server.
        uri: Option<String>,
    }
}

pub(super) fn read(traffic: Value, violations: &mut Violations) -> Result<Vec<TrafficTarget>> {
    let traffic: Option<Vec<TargetV2>> = from_json(traffic, "service.traffic")?;
    let mut read = |(index, target): (usize, TargetV2)| {
        let kind = target.r#type.map(|V2(kind)| kind);
        let revision = match (kind, target.revision) {
            (Some(TargetType::Latest), None) => TrafficRevision::Latest,
            (Some(TargetType::Revision), Some(name)) => TrafficRevision::Named(short(name)),
            (None, _) => {
                violations.add(format!("service.traffic[{index}].type"), "must be specified");
                TrafficRevision::Latest
            }
            (Some(_), _) => {
                violations.add(
                    format!("service.traffic[{index}].revision"),
                    "must be specified if and only if traffic type is TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
                );
                TrafficRevision::Latest
            }
        };
        // Proto3 does not tell a share of 0 from none.
        TrafficTarget { revision, percent: target.percent.filter(|percent| *percent != 0), tag: target.tag }
    };
    Ok(traffic.unwrap_or_default().into_iter().enumerate().map(&mut read).collect())
}

/// The short name of a revision; clients send the full one, too.
fn short(name: String) -> String {
    name.rsplit_once("/revisions/").map_or(name.clone(), |(_, short)| short.to_owned())
}

impl TargetV2 {
    pub(super) fn of(target: &TrafficTarget) -> Self {
        let (kind, revision) = match &target.revision {
            TrafficRevision::Latest => (TargetType::Latest, None),
            TrafficRevision::Named(name) => (TargetType::Revision, Some(name.clone())),
        };
        Self {
            r#type: Some(V2(kind)),
            revision,
            percent: target.percent.filter(|percent| *percent != 0),
            tag: target.tag.clone(),
            uri: None,
        }
    }

    /// A target that is routed. One that follows the latest revision does not name it.
    pub(super) fn routed(target: &RoutedTarget, id: &ServiceId, urls: &UrlConfig, disabled: bool) -> Self {
        let hosts = ServiceHosts::new(id);
        let kind = if target.latest { TargetType::Latest } else { TargetType::Revision };
        let tag = target.tag.clone();
        Self {
            r#type: Some(V2(kind)),
            revision: (!target.latest).then(|| target.revision.to_string()),
            percent: target.percent.filter(|percent| *percent != 0),
            uri: tag.as_deref().filter(|_| !disabled).map(|tag| urls.tag_url(&hosts, tag)),
            tag,
        }
    }
}
