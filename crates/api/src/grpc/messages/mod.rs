//! Which fields do the messages of the API have?

mod container;
mod locations;
mod operation;
mod policy;
mod revision;
mod service;
mod volume;

pub(super) use googleapis_tonic_google_cloud_location::google::cloud::location;
pub(super) use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;
pub(super) use googleapis_tonic_google_cloud_run_v2::google::{
    api, iam::v1 as iam, longrunning, rpc, r#type,
};

use super::message::{Wire, enumeration};

/// The messages that an `Any` may hold.
pub(super) const KNOWN: &[(&str, Wire)] = &[
    ("google.cloud.run.v2.Service", Wire::of::<run::Service>()),
    ("google.cloud.run.v2.Revision", Wire::of::<run::Revision>()),
    ("google.rpc.BadRequest", Wire::of::<rpc::BadRequest>()),
    ("google.rpc.ErrorInfo", Wire::of::<rpc::ErrorInfo>()),
    ("google.rpc.LocalizedMessage", Wire::of::<rpc::LocalizedMessage>()),
    ("google.protobuf.Empty", Wire::of::<()>()),
];

enumeration! {
    api::LaunchStage,
    iam::audit_log_config::LogType,
    run::EncryptionKeyRevocationAction,
    run::ExecutionEnvironment,
    run::IngressTraffic,
    run::TrafficTargetAllocationType,
    run::condition::CommonReason,
    run::condition::ExecutionReason,
    run::condition::RevisionReason,
    run::condition::Severity,
    run::condition::State,
    run::empty_dir_volume_source::Medium,
    run::service_scaling::ScalingMode,
    run::vpc_access::VpcEgress,
}
