//! Which messages are documented, field by field, and what does groundrun do with each field?

use super::container::{
    Container, ContainerPort, EnvVar, EnvVarSource, Resources, SecretKeySelector, SecurityContext,
    VolumeMount,
};
use super::probe::{Grpc, HttpGet, HttpHeader, Probe, TcpSocket};
use super::v1::TrafficMessage;
use super::volume::{Csi, EmptyDir, Filestore, KeyToPath, Nfs, SecretVolume, Volume};
use crate::schema::Schema;

/// A message and its fields.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its name in the API.
    pub name: &'static str,
    /// Its fields: the name of each in JSON, what it says, and what groundrun does with it.
    pub fields: Vec<(String, &'static str, &'static str)>,
}

/// The messages of v1 that are no settings of the tables.
pub fn messages() -> Vec<Message> {
    vec![
        message::<Container>("Container", &["name", "image", "env", "ports"]),
        message::<EnvVar>("EnvVar", &["name", "value"]),
        message::<EnvVarSource>("EnvVarSource", &[]),
        message::<SecretKeySelector>("SecretKeySelector", &[]),
        message::<Resources>("ResourceRequirements", &[]),
        message::<ContainerPort>("ContainerPort", &["containerPort"]),
        message::<VolumeMount>("VolumeMount", &[]),
        message::<SecurityContext>("SecurityContext", &[]),
        message::<Probe>("Probe", &[]),
        message::<HttpGet>("HTTPGetAction", &[]),
        message::<HttpHeader>("HTTPHeader", &[]),
        message::<TcpSocket>("TCPSocketAction", &[]),
        message::<Grpc>("GRPCAction", &[]),
        message::<Volume>("Volume", &[]),
        message::<SecretVolume>("SecretVolumeSource", &[]),
        message::<KeyToPath>("KeyToPath", &[]),
        message::<EmptyDir>("EmptyDirVolumeSource", &[]),
        message::<Csi>("CSIVolumeSource", &[]),
        message::<Nfs>("NFSVolumeSource", &[]),
        message::<Filestore>("FilestoreVolumeSource", &[]),
        message::<TrafficMessage>(
            "TrafficTarget",
            &["revisionName", "latestRevision", "percent", "tag", "url"],
        ),
    ]
}

/// A message whose fields `acted_on` change what groundrun does. A field that is refused says so itself.
pub(super) fn message<T: Schema>(name: &'static str, acted_on: &[&str]) -> Message {
    let here = |field: &str, doc: &str| match () {
        () if doc.contains("Refused:") || doc.starts_with("Must be empty") => "refused",
        () if acted_on.contains(&field) => "acted on",
        () => "stored",
    };
    let fields = T::fields().into_iter().map(|(field, doc)| {
        let here = here(&field, doc);
        (field, doc, here)
    });
    Message { name, fields: fields.collect() }
}
