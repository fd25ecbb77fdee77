//! What does a volume consist of?

use super::run;
use crate::grpc::message::message;

message! {
    run::Volume { name }
        oneof volume_type: run::volume::VolumeType { Secret, CloudSqlInstance, EmptyDir, Nfs, Gcs };
    run::SecretVolumeSource { secret, items, default_mode };
    run::VersionToPath { path, version, mode };
    run::CloudSqlInstance { instances };
    run::EmptyDirVolumeSource { medium: enum run::empty_dir_volume_source::Medium, size_limit };
    run::NfsVolumeSource { server, path, read_only };
    run::GcsVolumeSource { bucket, read_only, mount_options };
}
