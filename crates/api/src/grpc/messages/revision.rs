//! What does a revision consist of, and the template of one, and what is asked about revisions?

use super::{api, run};
use crate::grpc::message::message;

message! {
    run::Revision {
        name, uid, generation, labels, annotations, create_time, update_time, delete_time, expire_time,
        launch_stage: enum api::LaunchStage, service, scaling, vpc_access, max_instance_request_concurrency,
        timeout, service_account, containers, volumes,
        execution_environment: enum run::ExecutionEnvironment, encryption_key, service_mesh,
        encryption_key_revocation_action: enum run::EncryptionKeyRevocationAction,
        encryption_key_shutdown_duration, reconciling, conditions, observed_generation, log_uri,
        satisfies_pzs, session_affinity, scaling_status, node_selector, gpu_zonal_redundancy_disabled,
        creator, etag,
    };
    run::RevisionTemplate {
        revision, labels, annotations, scaling, vpc_access, timeout, service_account, containers, volumes,
        execution_environment: enum run::ExecutionEnvironment, encryption_key,
        max_instance_request_concurrency, service_mesh,
        encryption_key_revocation_action: enum run::EncryptionKeyRevocationAction,
        encryption_key_shutdown_duration, session_affinity, health_check_disabled, node_selector,
        gpu_zonal_redundancy_disabled,
    };
    run::RevisionScaling { min_instance_count, max_instance_count };
    run::RevisionScalingStatus { desired_min_instance_count };
    run::VpcAccess { connector, egress: enum run::vpc_access::VpcEgress, network_interfaces };
    run::vpc_access::NetworkInterface { network, subnetwork, tags };
    run::ServiceMesh { mesh };
    run::NodeSelector { accelerator };
    run::Condition {
        r#type, state: enum run::condition::State, message, last_transition_time,
        severity: enum run::condition::Severity,
    } oneof reasons: run::condition::Reasons {
        Reason: enum run::condition::CommonReason,
        RevisionReason: enum run::condition::RevisionReason,
        ExecutionReason: enum run::condition::ExecutionReason,
    };
    run::GetRevisionRequest { name };
    run::ListRevisionsRequest { parent, page_size, page_token, show_deleted };
    run::ListRevisionsResponse { revisions, next_page_token };
    run::DeleteRevisionRequest { name, validate_only, etag };
}
