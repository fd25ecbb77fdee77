//! Services, templates and revisions.

use googleapis_tonic_google_cloud_run_v2::google::api::LaunchStage;
use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;

use crate::grpc::json::message;

message!(run::Service {
    name, description, uid, generation, labels, annotations, create_time, update_time, delete_time,
    expire_time, creator, last_modifier, client, client_version, ingress: enum run::IngressTraffic,
    launch_stage: enum LaunchStage, binary_authorization, template, traffic, scaling, invoker_iam_disabled,
    default_uri_disabled, urls, iap_enabled, multi_region_settings, custom_audiences, observed_generation,
    terminal_condition, conditions, latest_ready_revision, latest_created_revision, traffic_statuses, uri,
    satisfies_pzs, threat_detection_enabled, build_config, reconciling, etag,
});
message!(run::service::MultiRegionSettings { regions, multi_region_id });
message!(run::BinaryAuthorization { breakglass_justification } oneof binauthz_method:
    run::binary_authorization::BinauthzMethod { UseDefault: use_default, Policy: policy }
);
message!(run::BuildConfig {
    name,
    source_location,
    function_target,
    image_uri,
    base_image,
    enable_automatic_updates,
    worker_pool,
    environment_variables,
    service_account,
});
message!(run::ServiceScaling {
    min_instance_count, scaling_mode: enum run::service_scaling::ScalingMode, max_instance_count,
    manual_instance_count,
});
message!(run::TrafficTarget { r#type: enum run::TrafficTargetAllocationType, revision, percent, tag });
message!(run::TrafficTargetStatus {
    r#type: enum run::TrafficTargetAllocationType, revision, percent, tag, uri,
});
message!(run::Condition {
    r#type, state: enum run::condition::State, message, last_transition_time,
    severity: enum run::condition::Severity,
} oneof reasons: run::condition::Reasons {
    Reason: reason: enum run::condition::CommonReason,
    RevisionReason: revision_reason: enum run::condition::RevisionReason,
    ExecutionReason: execution_reason: enum run::condition::ExecutionReason,
});

message!(run::RevisionTemplate {
    revision, labels, annotations, scaling, vpc_access, timeout, service_account, containers, volumes,
    execution_environment: enum run::ExecutionEnvironment, encryption_key, max_instance_request_concurrency,
    service_mesh, encryption_key_revocation_action: enum run::EncryptionKeyRevocationAction,
    encryption_key_shutdown_duration, session_affinity, health_check_disabled, node_selector,
    gpu_zonal_redundancy_disabled,
});
message!(run::RevisionScaling { min_instance_count, max_instance_count });
message!(run::VpcAccess { connector, egress: enum run::vpc_access::VpcEgress, network_interfaces });
message!(run::vpc_access::NetworkInterface { network, subnetwork, tags });
message!(run::ServiceMesh { mesh });
message!(run::NodeSelector { accelerator });

message!(run::Revision {
    name, uid, generation, labels, annotations, create_time, update_time, delete_time, expire_time,
    launch_stage: enum LaunchStage, service, scaling, vpc_access, max_instance_request_concurrency, timeout,
    service_account, containers, volumes, execution_environment: enum run::ExecutionEnvironment,
    encryption_key, service_mesh, encryption_key_revocation_action: enum run::EncryptionKeyRevocationAction,
    encryption_key_shutdown_duration, reconciling, conditions, observed_generation, log_uri, satisfies_pzs,
    session_affinity, scaling_status, node_selector, gpu_zonal_redundancy_disabled, creator, etag,
});
message!(run::RevisionScalingStatus { desired_min_instance_count });
