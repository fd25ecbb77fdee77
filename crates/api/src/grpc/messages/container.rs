//! What does a container consist of, with its variables, ports and probes?

use super::run;
use crate::grpc::message::message;

message! {
    run::Container {
        name, image, source_code, command, args, env, resources, ports, volume_mounts, working_dir,
        liveness_probe, startup_probe, readiness_probe, depends_on, base_image_uri, build_info,
    };
    run::ResourceRequirements { limits, cpu_idle, startup_cpu_boost };
    run::EnvVar { name } oneof values: run::env_var::Values { Value, ValueSource };
    run::EnvVarSource { secret_key_ref };
    run::SecretKeySelector { secret, version };
    run::ContainerPort { name, container_port };
    run::VolumeMount { name, mount_path, sub_path };
    run::Probe { initial_delay_seconds, timeout_seconds, period_seconds, failure_threshold }
        oneof probe_type: run::probe::ProbeType { HttpGet, TcpSocket, Grpc };
    run::HttpGetAction { path, http_headers, port };
    run::HttpHeader { name, value };
    run::TcpSocketAction { port };
    run::GrpcAction { port, service };
    run::BuildInfo { function_target, source_location };
    run::SourceCode {} oneof source_type: run::source_code::SourceType { CloudStorageSource };
    run::source_code::CloudStorageSource { bucket, object, generation };
}
