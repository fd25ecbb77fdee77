//! What does a long-running operation consist of, and the status in which it, or a call, may end?

use super::{longrunning, rpc};
use crate::grpc::message::message;

message! {
    longrunning::Operation { name, metadata, done }
        oneof result: longrunning::operation::Result { Error, Response };
    longrunning::GetOperationRequest { name };
    longrunning::ListOperationsRequest { name, filter, page_size, page_token, return_partial_success };
    longrunning::ListOperationsResponse { operations, next_page_token, unreachable };
    longrunning::DeleteOperationRequest { name };
    longrunning::WaitOperationRequest { name, timeout };
    rpc::Status { code, message, details };
    rpc::BadRequest { field_violations };
    rpc::bad_request::FieldViolation { field, description, reason, localized_message };
    rpc::ErrorInfo { reason, domain, metadata };
    rpc::LocalizedMessage { locale, message };
}
