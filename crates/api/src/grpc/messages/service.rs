//! What does a service consist of, and what is asked about services?

use super::{api, run};
use crate::grpc::message::message;

message! {
    run::Service {
        name, description, uid, generation, labels, annotations, create_time, update_time, delete_time,
        expire_time, creator, last_modifier, client, client_version, ingress: enum run::IngressTraffic,
        launch_stage: enum api::LaunchStage, binary_authorization, template, traffic, scaling,
        invoker_iam_disabled, default_uri_disabled, urls, iap_enabled, multi_region_settings,
        custom_audiences, observed_generation, terminal_condition, conditions, latest_ready_revision,
        latest_created_revision, traffic_statuses, uri, satisfies_pzs, threat_detection_enabled,
        build_config, reconciling, etag,
    };
    run::BinaryAuthorization { breakglass_justification }
        oneof binauthz_method: run::binary_authorization::BinauthzMethod { UseDefault, Policy };
    run::TrafficTarget { r#type: enum run::TrafficTargetAllocationType, revision, percent, tag };
    run::TrafficTargetStatus {
        r#type: enum run::TrafficTargetAllocationType, revision, percent, tag, uri,
    };
    run::ServiceScaling {
        min_instance_count, scaling_mode: enum run::service_scaling::ScalingMode, max_instance_count,
        manual_instance_count,
    };
    run::service::MultiRegionSettings { regions, multi_region_id };
    run::BuildConfig {
        name, source_location, function_target, image_uri, base_image, enable_automatic_updates,
        worker_pool, environment_variables, service_account,
    };
    run::CreateServiceRequest { parent, service, service_id, validate_only };
    run::UpdateServiceRequest { update_mask, service, validate_only, allow_missing };
    run::ListServicesRequest { parent, page_size, page_token, show_deleted };
    run::ListServicesResponse { services, next_page_token, unreachable };
    run::GetServiceRequest { name };
    run::DeleteServiceRequest { name, validate_only, etag };
}
