//! Which methods does gRPC have, and of which messages are they?

use axum::body::Body;
use googleapis_tonic_google_cloud_location::google::cloud::location;
use googleapis_tonic_google_cloud_run_v2::google::cloud::run::v2 as run;
use googleapis_tonic_google_iam_v1::google::iam::v1 as iam;
use googleapis_tonic_google_longrunning::google::longrunning;
use http::{Request, Response};

use super::serve::{Call, unary};

macro_rules! methods {
    ($($name:literal: $Request:path => $Answer:ty;)+) => {
        /// The full names of all methods that are served by gRPC.
        pub const METHODS: &[&str] = &[$($name),+];

        /// Serves `request` as the method of this name, if there is one.
        pub(super) async fn serve(name: &str, call: Call, request: Request<Body>) -> Option<Response<Body>> {
            match name {
                $($name => Some(unary::<$Request, $Answer>(call, request).await),)+
                _ => None,
            }
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
