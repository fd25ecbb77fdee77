//! Which messages of v2 are documented, field by field?

use super::container::{
    ContainerV2, EnvVarSourceV2, EnvVarV2, PortV2, ResourcesV2, SecretKeySelectorV2, VolumeMountV2,
};
use super::probe::{HttpGetV2, ProbeV2, TcpSocketV2};
use super::source::{BuildConfigurationV2, CloudStorageSourceV2, SourceCodeV2};
use super::target::TargetV2;
use super::volume::{CloudSqlV2, EmptyDirV2, GcsV2, SecretVolumeV2, VersionToPathV2, VolumeV2};
use crate::schema::Schema;
use crate::service::documented::{Message, message};
use crate::service::form::{AmbientNetworking, NetworkInterface};
use crate::service::probe::{Grpc, HttpHeader};
use crate::service::volume::{Filestore, Nfs};

/// The messages of v2 that are no settings of the tables.
pub fn messages() -> Vec<Message> {
    vec![
        of::<ContainerV2>("Container", &["name", "image", "env", "ports"]),
        of::<EnvVarV2>("EnvVar", &["name", "value"]),
        of::<EnvVarSourceV2>("EnvVarSource", &[]),
        of::<SecretKeySelectorV2>("SecretKeySelector", &[]),
        of::<ResourcesV2>("ResourceRequirements", &[]),
        of::<PortV2>("ContainerPort", &["containerPort"]),
        of::<VolumeMountV2>("VolumeMount", &[]),
        of::<ProbeV2>("Probe", &[]),
        of::<HttpGetV2>("HTTPGetAction", &[]),
        of::<HttpHeader>("HTTPHeader", &[]),
        of::<TcpSocketV2>("TCPSocketAction", &[]),
        of::<Grpc>("GRPCAction", &[]),
        of::<VolumeV2>("Volume", &[]),
        of::<SecretVolumeV2>("SecretVolumeSource", &[]),
        of::<VersionToPathV2>("VersionToPath", &[]),
        of::<EmptyDirV2>("EmptyDirVolumeSource", &[]),
        of::<GcsV2>("GCSVolumeSource", &[]),
        of::<Nfs>("NFSVolumeSource", &[]),
        of::<CloudSqlV2>("CloudSqlInstance", &[]),
        of::<Filestore>("FilestoreVolumeSource", &[]),
        of::<SourceCodeV2>("SourceCode", &[]),
        of::<CloudStorageSourceV2>("CloudStorageSource", &[]),
        of::<BuildConfigurationV2>("BuildConfiguration", &[]),
        of::<NetworkInterface>("NetworkInterface", &[]),
        of::<AmbientNetworking>("AmbientNetworking", &[]),
        of::<TargetV2>("TrafficTarget", &["type", "revision", "percent", "tag", "uri"]),
    ]
}

fn of<T: Schema>(name: &'static str, acted_on: &'static [&'static str]) -> Message {
    message::<T>(name, acted_on)
}
