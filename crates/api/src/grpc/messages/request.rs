//! Requests, their answers, operations and locations.

use googleapis_tonic_google_cloud_location::google::cloud::location;
use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;
use googleapis_tonic_google_longrunning::google::longrunning;
use googleapis_tonic_google_rpc::google::rpc;

use crate::grpc::json::message;

message!(run::CreateServiceRequest { parent, service, service_id, validate_only });
message!(run::UpdateServiceRequest { update_mask, service, validate_only, allow_missing });
message!(run::GetServiceRequest { name });
message!(run::DeleteServiceRequest { name, validate_only, etag });
message!(run::ListServicesRequest { parent, page_size, page_token, show_deleted });
message!(run::ListServicesResponse { services, next_page_token, unreachable });
message!(run::GetRevisionRequest { name });
message!(run::DeleteRevisionRequest { name, validate_only, etag });
message!(run::ListRevisionsRequest { parent, page_size, page_token, show_deleted });
message!(run::ListRevisionsResponse { revisions, next_page_token });

message!(longrunning::Operation { name, metadata, done } oneof result: longrunning::operation::Result {
    Error: error, Response: response,
});
message!(longrunning::GetOperationRequest { name });
message!(longrunning::DeleteOperationRequest { name });
message!(longrunning::WaitOperationRequest { name, timeout });
message!(longrunning::ListOperationsRequest { name, filter, page_size, page_token, return_partial_success });
message!(longrunning::ListOperationsResponse { operations, next_page_token, unreachable });

message!(location::ListLocationsRequest { name, filter, page_size, page_token });
message!(location::ListLocationsResponse { locations, next_page_token });
message!(location::GetLocationRequest { name });
message!(location::Location { name, location_id, display_name, labels, metadata });

message!(rpc::Status { code, message, details });
message!(rpc::BadRequest { field_violations });
message!(rpc::bad_request::FieldViolation { field, description, reason, localized_message });
message!(rpc::ErrorInfo { reason, domain, metadata });
message!(rpc::LocalizedMessage { locale, message });
