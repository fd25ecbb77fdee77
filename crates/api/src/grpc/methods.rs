//! Which methods are served over gRPC, with which messages?

use super::message::Wire;
use super::messages::{iam, location, longrunning, run};

/// A method with the types of its messages.
#[derive(Debug)]
pub(crate) struct Method {
    /// The full name without the leading slash: `google.cloud.run.v2.Services/CreateService`.
    pub(crate) name: &'static str,
    /// The type of the request.
    pub(crate) request: Wire,
    /// The type of the response.
    pub(crate) response: Wire,
}

macro_rules! methods {
    ($($name:literal: $request:ty => $response:ty;)+) => {
        /// Every method, beside those of `grpc.health.v1.Health`.
        pub(crate) const METHODS: &[Method] = &[$(Method {
            name: $name,
            request: Wire::of::<$request>(),
            response: Wire::of::<$response>(),
        }),+];

        #[cfg(test)]
        pub(crate) fn check_messages(check: &mut impl crate::grpc::tests::sample::Check) {
            $(
                check.message::<$request>();
                check.message::<$response>();
            )+
        }
    };
}

methods! {
    "google.cloud.run.v2.Services/CreateService": run::CreateServiceRequest => longrunning::Operation;
    "google.cloud.run.v2.Services/GetService": run::GetServiceRequest => run::Service;
    "google.cloud.run.v2.Services/ListServices": run::ListServicesRequest => run::ListServicesResponse;
    "google.cloud.run.v2.Services/UpdateService": run::UpdateServiceRequest => longrunning::Operation;
    "google.cloud.run.v2.Services/DeleteService": run::DeleteServiceRequest => longrunning::Operation;
    "google.cloud.run.v2.Services/GetIamPolicy": iam::GetIamPolicyRequest => iam::Policy;
    "google.cloud.run.v2.Services/SetIamPolicy": iam::SetIamPolicyRequest => iam::Policy;
    "google.cloud.run.v2.Services/TestIamPermissions": iam::TestIamPermissionsRequest => iam::TestIamPermissionsResponse;
    "google.cloud.run.v2.Revisions/GetRevision": run::GetRevisionRequest => run::Revision;
    "google.cloud.run.v2.Revisions/ListRevisions": run::ListRevisionsRequest => run::ListRevisionsResponse;
    "google.cloud.run.v2.Revisions/DeleteRevision": run::DeleteRevisionRequest => longrunning::Operation;
    "google.longrunning.Operations/GetOperation": longrunning::GetOperationRequest => longrunning::Operation;
    "google.longrunning.Operations/ListOperations": longrunning::ListOperationsRequest => longrunning::ListOperationsResponse;
    "google.longrunning.Operations/WaitOperation": longrunning::WaitOperationRequest => longrunning::Operation;
    "google.longrunning.Operations/DeleteOperation": longrunning::DeleteOperationRequest => ();
    "google.cloud.location.Locations/ListLocations": location::ListLocationsRequest => location::ListLocationsResponse;
    "google.cloud.location.Locations/GetLocation": location::GetLocationRequest => location::Location;
}

/// The full names of the methods that are served over gRPC, beside those of `grpc.health.v1.Health`.
pub fn grpc_methods() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// The method of this full name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}
