//! IAM policies.

use googleapis_tonic_google_iam_v1::google::iam::v1 as iam;
use googleapis_tonic_google_iam_v1::google::r#type::Expr;

use crate::grpc::json::message;

message!(iam::GetIamPolicyRequest { resource, options });
message!(iam::GetPolicyOptions { requested_policy_version });
message!(iam::SetIamPolicyRequest { resource, policy, update_mask });
message!(iam::TestIamPermissionsRequest { resource, permissions });
message!(iam::TestIamPermissionsResponse { permissions });
message!(iam::Policy { version, bindings, audit_configs, etag });
message!(iam::Binding { role, members, condition });
message!(iam::AuditConfig { service, audit_log_configs });
message!(iam::AuditLogConfig { log_type: enum iam::audit_log_config::LogType, exempted_members });
message!(Expr { expression, title, description, location });
