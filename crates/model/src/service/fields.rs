//! THE TABLE: every scalar setting of a service and of its template, one row each.
//!
//! To add a setting, add a row. [`crate::field`] says what follows from it.

use super::values::{ExecutionEnvironment, Ingress, Json, LaunchStage, ScalingMode, VpcEgress};
use crate::field::settings;

settings! {
    /// The settings of a service: in force at once, for every revision that serves.
    pub struct ServiceSettings at Service {
        /// What the service is for, in at most 512 characters.
        description: String {
            v1: Annotation("run.googleapis.com/description"), v2: "description", Configuration, Stored,
            check: |text| at_most_characters(text, 512)
        }
        /// The audiences that a token may name besides the service's own URLs.
        custom_audiences: Vec<String> {
            v1: Annotation("run.googleapis.com/custom-audiences"), v2: "customAudiences",
            Configuration, ActedOn,
            check: |list| crate::audience::check(list, "").map_err(crate::Error::into_description)
        }
        /// From where the service takes requests.
        ingress: Ingress {
            v1: Annotation("run.googleapis.com/ingress"), v2: "ingress", Configuration, ActedOn,
            default: "all" => |_| Ingress::All
        }
        /// Turns the check of `run.routes.invoke` off: everybody may invoke the service.
        invoker_iam_disabled: bool {
            v1: Annotation("run.googleapis.com/invoker-iam-disabled"), v2: "invokerIamDisabled",
            Configuration, ActedOn
        }
        /// Takes the `run.app` URLs of the service away.
        default_uri_disabled: bool {
            v1: Annotation("run.googleapis.com/default-url-disabled"), v2: "defaultUriDisabled",
            Configuration, ActedOn
        }
        /// The least number of instances over all revisions that serve.
        min_instance_count: i64 {
            v1: Annotation("run.googleapis.com/minScale"), v2: "scaling.minInstanceCount",
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// The greatest number of instances over all revisions that serve.
        max_instance_count: i64 {
            v1: Annotation("run.googleapis.com/maxScale"), v2: "scaling.maxInstanceCount",
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// Who decides how many instances there are.
        scaling_mode: ScalingMode {
            v1: Annotation("run.googleapis.com/scalingMode"), v2: "scaling.scalingMode", Configuration, Stored
        }
        /// The number of instances in manual scaling.
        manual_instance_count: i64 {
            v1: Annotation("run.googleapis.com/manualInstanceCount"), v2: "scaling.manualInstanceCount",
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// The least launch stage of the features in use.
        launch_stage: LaunchStage {
            v1: Annotation("run.googleapis.com/launch-stage"), v2: "launchStage", Configuration, Stored
        }
        /// The Binary Authorization policy: `default` or the name of one.
        binary_authorization: String {
            v1: Annotation("run.googleapis.com/binary-authorization"), v2: "binaryAuthorization.policy",
            Configuration, Stored
        }
        /// Why Binary Authorization is bypassed.
        binary_authorization_breakglass: String {
            v1: Annotation("run.googleapis.com/binary-authorization-breakglass"),
            v2: "binaryAuthorization.breakglassJustification", Configuration, Stored
        }
        /// Puts Identity-Aware Proxy in front of the service.
        iap_enabled: bool {
            v1: Annotation("run.googleapis.com/iap-enabled"), v2: "iapEnabled", Configuration, Stored
        }
        /// The client that wrote last, such as `gcloud`.
        client: String {
            v1: Annotation("run.googleapis.com/client-name"), v2: "client", Remark, Stored
        }
        /// The version of the client that wrote last.
        client_version: String {
            v1: Annotation("run.googleapis.com/client-version"), v2: "clientVersion", Remark, Stored
        }
    }
}

settings! {
    /// The settings of a revision template: frozen in each revision.
    pub struct TemplateSettings at Template {
        /// The least number of instances of the revision.
        min_instance_count: i64 {
            v1: Annotation("autoscaling.knative.dev/minScale"), v2: "scaling.minInstanceCount",
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// The greatest number of instances of the revision.
        max_instance_count: i64 {
            v1: Annotation("autoscaling.knative.dev/maxScale"), v2: "scaling.maxInstanceCount",
            Configuration, Stored, default: "100" => |_| 100, check: |count| not_negative(*count)
        }
        /// How many requests an instance takes at once.
        max_instance_request_concurrency: i64 {
            v1: Spec("containerConcurrency"), v2: "maxInstanceRequestConcurrency", Configuration, Stored,
            default: "80, or 1 with less than one CPU" => |given| if given.below_one_cpu { 1 } else { 80 },
            check: |count| within(*count, 0, 1000, "Must be a number between 0 and 1000.")
        }
        /// How long a request may take, in seconds.
        timeout: i64 {
            v1: Spec("timeoutSeconds"), v2: "timeout", Configuration, Stored, default: "300" => |_| 300,
            check: |seconds| if *seconds > 3600 {
                Err("maximum allowed time is one hour.".to_owned())
            } else {
                within(*seconds, 1, 3600, "must be greater than zero.")
            }
        }
        /// The service account that the revision runs as.
        service_account: String {
            v1: Spec("serviceAccountName"), v2: "serviceAccount", Configuration, ActedOn,
            default: "PROJECT_NUMBER-compute@developer.gserviceaccount.com"
                => |given| format!("{}-compute@developer.gserviceaccount.com", given.project_number)
        }
        /// The generation of the sandbox.
        execution_environment: ExecutionEnvironment {
            v1: Annotation("run.googleapis.com/execution-environment"), v2: "executionEnvironment",
            Configuration, Stored
        }
        /// Sends the requests of a client to the same instance, as far as possible.
        session_affinity: bool {
            v1: Annotation("run.googleapis.com/sessionAffinity"), v2: "sessionAffinity",
            Configuration, Stored
        }
        /// Takes CPU away between requests.
        cpu_idle: bool {
            v1: Annotation("run.googleapis.com/cpu-throttling"), v2: "containers.resources.cpuIdle",
            Configuration, Stored
        }
        /// Gives more CPU during the start.
        startup_cpu_boost: bool {
            v1: Annotation("run.googleapis.com/startup-cpu-boost"),
            v2: "containers.resources.startupCpuBoost", Configuration, Stored
        }
        /// Deploys without waiting for the health check.
        health_check_disabled: bool {
            v1: Annotation("run.googleapis.com/health-check-disabled"), v2: "healthCheckDisabled",
            Configuration, Stored
        }
        /// The Serverless VPC Access connector.
        vpc_connector: String {
            v1: Annotation("run.googleapis.com/vpc-access-connector"), v2: "vpcAccess.connector",
            Configuration, Stored
        }
        /// Which outgoing traffic goes through the VPC.
        vpc_egress: VpcEgress {
            v1: Annotation("run.googleapis.com/vpc-access-egress"), v2: "vpcAccess.egress",
            Configuration, Stored
        }
        /// The network interfaces of Direct VPC.
        network_interfaces: Json {
            v1: Annotation("run.googleapis.com/network-interfaces"), v2: "vpcAccess.networkInterfaces",
            Configuration, Stored
        }
        /// The Cloud SQL instances to connect to, separated by commas.
        cloudsql_instances: String {
            v1: Annotation("run.googleapis.com/cloudsql-instances"),
            v2: "volumes.cloudSqlInstance.instances", Configuration, Stored
        }
        /// The aliases of secrets in other projects.
        secrets: String {
            v1: Annotation("run.googleapis.com/secrets"), v2: "containers.env.valueSource.secretKeyRef",
            Configuration, Stored
        }
        /// Which containers start before which: a JSON map from name to names.
        container_dependencies: Json {
            v1: Annotation("run.googleapis.com/container-dependencies"), v2: "containers.dependsOn",
            Configuration, Stored
        }
        /// The customer-managed key that encrypts the image.
        encryption_key: String {
            v1: Annotation("run.googleapis.com/encryption-key"), v2: "encryptionKey", Configuration, Stored
        }
        /// What happens when that key is revoked.
        encryption_key_revocation_action: String {
            v1: Annotation("run.googleapis.com/post-key-revocation-action-type"),
            v2: "encryptionKeyRevocationAction", Configuration, Stored
        }
        /// After how many hours without the key instances are shut down.
        encryption_key_shutdown_hours: i64 {
            v1: Annotation("run.googleapis.com/encryption-key-shutdown-hours"),
            v2: "encryptionKeyShutdownDuration", Configuration, Stored
        }
        /// The service mesh that the revision joins.
        mesh: String {
            v1: Annotation("run.googleapis.com/mesh"), v2: "serviceMesh.mesh", Configuration, Stored
        }
        /// The GPU of the node.
        accelerator: String {
            v1: NodeSelector("run.googleapis.com/accelerator"), v2: "nodeSelector.accelerator",
            Configuration, Stored
        }
        /// Runs without a spare GPU in another zone.
        gpu_zonal_redundancy_disabled: bool {
            v1: Annotation("run.googleapis.com/gpu-zonal-redundancy-disabled"),
            v2: "gpuZonalRedundancyDisabled", Configuration, Stored
        }
        /// The base images that are updated under the containers: a JSON map by container.
        base_images: Json {
            v1: Annotation("run.googleapis.com/base-images"), v2: "containers.baseImageUri",
            Configuration, Stored
        }
        /// The runtime class, set for automatic base image updates.
        runtime_class_name: String {
            v1: Spec("runtimeClassName"), v2: "containers.baseImageUri", Configuration, Stored
        }
        /// The uploaded sources of the containers: a JSON map by container.
        sources: Json {
            v1: Annotation("run.googleapis.com/sources"), v2: "containers.sourceCode", Configuration, Stored
        }
        /// The client that wrote the template last.
        client: String {
            v1: Annotation("run.googleapis.com/client-name"), v2: "client", Remark, Stored
        }
        /// The version of that client.
        client_version: String {
            v1: Annotation("run.googleapis.com/client-version"), v2: "clientVersion", Remark, Stored
        }
    }
}

fn at_most_characters(text: &str, most: usize) -> Result<(), String> {
    if text.chars().count() <= most { Ok(()) } else { Err(format!("must be at most {most} characters.")) }
}

fn not_negative(count: i64) -> Result<(), String> {
    if count > i64::from(i32::MAX) {
        return Err(format!("must be at most {}", i32::MAX));
    }
    within(count, 0, i64::from(i32::MAX), "must be greater than or equal to zero")
}

fn within(value: i64, least: i64, most: i64, words: &str) -> Result<(), String> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(words.to_owned()) }
}
