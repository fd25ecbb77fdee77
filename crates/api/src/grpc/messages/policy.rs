//! What does a policy consist of, and what is asked about policies?

use super::{iam, r#type};
use crate::grpc::message::message;

message! {
    iam::GetIamPolicyRequest { resource, options };
    iam::GetPolicyOptions { requested_policy_version };
    iam::SetIamPolicyRequest { resource, policy, update_mask };
    iam::TestIamPermissionsRequest { resource, permissions };
    iam::TestIamPermissionsResponse { permissions };
    iam::Policy { version, bindings, audit_configs, etag };
    iam::Binding { role, members, condition };
    r#type::Expr { expression, title, description, location };
    iam::AuditConfig { service, audit_log_configs };
    iam::AuditLogConfig { log_type: enum iam::audit_log_config::LogType, exempted_members };
}
