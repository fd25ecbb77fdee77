//! Containers, probes and volumes.

use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;

use crate::grpc::json::message;

message!(run::Container {
    name,
    image,
    source_code,
    command,
    args,
    env,
    resources,
    ports,
    volume_mounts,
    working_dir,
    liveness_probe,
    startup_probe,
    readiness_probe,
    depends_on,
    base_image_uri,
    build_info,
});
message!(run::ContainerStatus { name, image_digest });
message!(run::ResourceRequirements { limits, cpu_idle, startup_cpu_boost });
message!(run::EnvVar { name } oneof values: run::env_var::Values { Value: value, ValueSource: value_source });
message!(run::EnvVarSource { secret_key_ref });
message!(run::SecretKeySelector { secret, version });
message!(run::ContainerPort { name, container_port });
message!(run::VolumeMount { name, mount_path, sub_path });
message!(run::BuildInfo { function_target, source_location });
message!(run::SourceCode {} oneof source_type: run::source_code::SourceType {
    CloudStorageSource: cloud_storage_source,
});
message!(run::source_code::CloudStorageSource { bucket, object, generation });

message!(run::Probe {
    initial_delay_seconds, timeout_seconds, period_seconds, failure_threshold,
} oneof probe_type: run::probe::ProbeType { HttpGet: http_get, TcpSocket: tcp_socket, Grpc: grpc });
message!(run::HttpGetAction { path, http_headers, port });
message!(run::HttpHeader { name, value });
message!(run::TcpSocketAction { port });
message!(run::GrpcAction { port, service });

message!(run::Volume { name } oneof volume_type: run::volume::VolumeType {
    Secret: secret, CloudSqlInstance: cloud_sql_instance, EmptyDir: empty_dir, Nfs: nfs, Gcs: gcs,
});
message!(run::SecretVolumeSource { secret, items, default_mode });
message!(run::VersionToPath { path, version, mode });
message!(run::CloudSqlInstance { instances });
message!(run::EmptyDirVolumeSource { medium: enum run::empty_dir_volume_source::Medium, size_limit });
message!(run::NfsVolumeSource { server, path, read_only });
message!(run::GcsVolumeSource { bucket, read_only, mount_options });
