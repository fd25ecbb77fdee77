//! THE TABLE: every scalar setting of a service and of its template, one row each.
//!
//! To add a setting, add a row. [`crate::field`] says what follows from it.

use super::Map;
use super::field_checks::{
    accelerator, at_most_characters, cloudsql_instances, not_negative, service_account, utilization, within,
};
use super::form::{AmbientNetworking, Form, NetworkInterface};
use super::values::{
    Commas, ExecutionEnvironment, FunctionalType, IdentityType, Ingress, Json, KeyRevocation, LaunchStage,
    ScalingMode, Share, VpcEgress,
};
use crate::field::settings;

settings! {
    /// The settings of a service: in force at once, for every revision that serves.
    pub struct ServiceSettings at Service {
        /// What the service is for, in at most 512 characters.
        description: String {
            v1: Annotation("run.googleapis.com/description"), v2: Field("description"), Configuration, Stored,
            check: |text| at_most_characters(text, 512)
        }
        /// The audiences that a token may name besides the service's own URLs.
        custom_audiences: Vec<String> {
            v1: Annotation("run.googleapis.com/custom-audiences"), v2: Field("customAudiences"),
            Configuration, ActedOn,
            check: |list| crate::audience::check(list, "").map_err(crate::Error::into_description)
        }
        /// From where the service takes requests.
        ingress: Ingress {
            v1: Annotation("run.googleapis.com/ingress"), v2: Field("ingress"), Configuration, ActedOn,
            default: "all" => |_| Ingress::All
        }
        /// Turns the check of `run.routes.invoke` off: everybody may invoke the service.
        invoker_iam_disabled: bool {
            v1: Annotation("run.googleapis.com/invoker-iam-disabled"), v2: Field("invokerIamDisabled"),
            Configuration, ActedOn
        }
        /// Takes the `run.app` URLs of the service away.
        default_uri_disabled: bool {
            v1: Annotation("run.googleapis.com/default-url-disabled"), v2: Field("defaultUriDisabled"),
            Configuration, ActedOn
        }
        /// The least number of instances over all revisions that serve.
        min_instance_count: i64 {
            v1: Annotation("run.googleapis.com/minScale"), v2: Field("scaling.minInstanceCount"),
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// The greatest number of instances over all revisions that serve.
        max_instance_count: i64 {
            v1: Annotation("run.googleapis.com/maxScale"), v2: Field("scaling.maxInstanceCount"),
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// Who decides how many instances there are.
        scaling_mode: ScalingMode {
            v1: Annotation("run.googleapis.com/scalingMode"), v2: Field("scaling.scalingMode"), Configuration, Stored
        }
        /// The number of instances in manual scaling.
        manual_instance_count: i64 {
            v1: Annotation("run.googleapis.com/manualInstanceCount"), v2: Optional("scaling.manualInstanceCount"),
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// The least launch stage of the features in use.
        launch_stage: LaunchStage {
            v1: Annotation("run.googleapis.com/launch-stage"), v2: Field("launchStage"), Configuration, Stored
        }
        /// The Binary Authorization policy: `default` or the name of one.
        binary_authorization: String {
            v1: Annotation("run.googleapis.com/binary-authorization"), v2: Parts("binaryAuthorization.policy"),
            Configuration, Stored
        }
        /// Why Binary Authorization is bypassed.
        binary_authorization_breakglass: String {
            v1: Annotation("run.googleapis.com/binary-authorization-breakglass"),
            v2: Field("binaryAuthorization.breakglassJustification"), Configuration, Stored
        }
        /// Puts Identity-Aware Proxy in front of the service.
        iap_enabled: bool {
            v1: Annotation("run.googleapis.com/iap-enabled"), v2: Field("iapEnabled"), Configuration, Stored
        }
        /// Lets people open a shell in the instances.
        ssh_enabled: bool {
            v1: Annotation("run.googleapis.com/ssh-enabled"), v2: Field("sshEnabled"), Configuration, Stored
        }
        /// What the service is to other agents.
        functional_type: FunctionalType {
            v1: Annotation("run.googleapis.com/functional-type"), v2: Field("functionalType"),
            Configuration, Stored
        }
        /// The regions of a service that is in more than one.
        regions: Commas {
            v1: Annotation("run.googleapis.com/regions"), v2: Field("multiRegionSettings.regions"),
            Configuration, Stored
        }
        /// The build that made the image of a function: its name.
        build_name: String {
            v1: Annotation("run.googleapis.com/build-name"), v2: Field("buildConfig.name"),
            Configuration, Stored
        }
        /// Where the source of that build is.
        build_source_location: String {
            v1: Annotation("run.googleapis.com/build-source-location"), v2: Field("buildConfig.sourceLocation"),
            Configuration, Stored
        }
        /// The function that the build makes callable.
        build_function_target: String {
            v1: Annotation("run.googleapis.com/build-function-target"), v2: Field("buildConfig.functionTarget"),
            Configuration, Stored
        }
        /// The image that the build makes.
        build_image_uri: String {
            v1: Annotation("run.googleapis.com/build-image-uri"), v2: Field("buildConfig.imageUri"),
            Configuration, Stored
        }
        /// The base image of the build.
        build_base_image: String {
            v1: Annotation("run.googleapis.com/build-base-image"), v2: Field("buildConfig.baseImage"),
            Configuration, Stored
        }
        /// Whether the base image is updated without a build.
        build_enable_automatic_updates: bool {
            v1: Annotation("run.googleapis.com/build-enable-automatic-updates"),
            v2: Field("buildConfig.enableAutomaticUpdates"), Configuration, Stored
        }
        /// The worker pool of the build.
        build_worker_pool: String {
            v1: Annotation("run.googleapis.com/build-worker-pool"), v2: Field("buildConfig.workerPool"),
            Configuration, Stored
        }
        /// The environment of the build: a JSON map.
        build_environment_variables: Form<Map> {
            v1: Annotation("run.googleapis.com/build-environment-variables"),
            v2: Field("buildConfig.environmentVariables"), Configuration, Stored
        }
        /// The service account of the build.
        build_service_account: String {
            v1: Annotation("run.googleapis.com/build-service-account"), v2: Field("buildConfig.serviceAccount"),
            Configuration, Stored
        }
        /// The client that wrote last, such as `gcloud`.
        client: String {
            v1: Annotation("run.googleapis.com/client-name"), v2: Field("client"), Remark, Stored
        }
        /// The version of the client that wrote last.
        client_version: String {
            v1: Annotation("run.googleapis.com/client-version"), v2: Field("clientVersion"), Remark, Stored
        }
    }
}

settings! {
    /// The settings of a revision template: frozen in each revision.
    pub struct TemplateSettings at Template {
        /// The least number of instances of the revision.
        min_instance_count: i64 {
            v1: Annotation("autoscaling.knative.dev/minScale"), v2: Field("scaling.minInstanceCount"),
            Configuration, Stored, check: |count| not_negative(*count)
        }
        /// The greatest number of instances of the revision.
        max_instance_count: i64 {
            v1: Annotation("autoscaling.knative.dev/maxScale"), v2: Field("scaling.maxInstanceCount"),
            Configuration, Stored, default: "100" => |_| 100, check: |count| not_negative(*count)
        }
        /// The share of the CPU at which instances are added.
        cpu_utilization: Share {
            v1: Annotation("run.googleapis.com/scaling-cpu-target"), v2: Optional("scaling.cpuUtilization"),
            Configuration, Stored, check: |share| utilization(share.0, 0.9)
        }
        /// The share of the concurrency at which instances are added.
        concurrency_utilization: Share {
            v1: Annotation("run.googleapis.com/scaling-concurrency-target"),
            v2: Optional("scaling.concurrencyUtilization"), Configuration, Stored,
            check: |share| utilization(share.0, 0.95)
        }
        /// How many requests an instance takes at once.
        max_instance_request_concurrency: i64 {
            v1: Spec("containerConcurrency"), v2: Field("maxInstanceRequestConcurrency"), Configuration, Stored,
            default: "80, or 1 with less than one CPU" => |given| if given.below_one_cpu { 1 } else { 80 },
            check: |count| within(*count, 0, 1000, "Must be a number between 0 and 1000.")
        }
        /// How long a request may take, in seconds.
        timeout: i64 {
            v1: Spec("timeoutSeconds"), v2: Seconds("timeout"), Configuration, Stored, default: "300" => |_| 300,
            check: |seconds| if *seconds > 3600 {
                Err("maximum allowed time is one hour.".to_owned())
            } else {
                within(*seconds, 1, 3600, "must be greater than zero.")
            }
        }
        /// The service account that the revision runs as.
        service_account: String {
            v1: Spec("serviceAccountName"), v2: Field("serviceAccount"), Configuration, ActedOn,
            default: "PROJECT_NUMBER-compute@developer.gserviceaccount.com"
                => |given| format!("{}-compute@developer.gserviceaccount.com", given.project_number),
            check: |email| service_account(email)
        }
        /// The generation of the sandbox.
        execution_environment: ExecutionEnvironment {
            v1: Annotation("run.googleapis.com/execution-environment"), v2: Field("executionEnvironment"),
            Configuration, Stored
        }
        /// Sends the requests of a client to the same instance, as far as possible.
        session_affinity: bool {
            v1: Annotation("run.googleapis.com/sessionAffinity"), v2: Field("sessionAffinity"),
            Configuration, Stored
        }
        /// Takes CPU away between requests.
        cpu_idle: bool {
            v1: Annotation("run.googleapis.com/cpu-throttling"), v2: Parts("containers.resources.cpuIdle"),
            Configuration, Stored
        }
        /// Gives more CPU during the start.
        startup_cpu_boost: bool {
            v1: Annotation("run.googleapis.com/startup-cpu-boost"),
            v2: Parts("containers.resources.startupCpuBoost"), Configuration, Stored
        }
        /// Deploys without waiting for the health check.
        health_check_disabled: bool {
            v1: Annotation("run.googleapis.com/health-check-disabled"), v2: Field("healthCheckDisabled"),
            Configuration, Stored
        }
        /// The Serverless VPC Access connector.
        vpc_connector: String {
            v1: Annotation("run.googleapis.com/vpc-access-connector"), v2: Field("vpcAccess.connector"),
            Configuration, Stored
        }
        /// Which outgoing traffic goes through the VPC.
        vpc_egress: VpcEgress {
            v1: Annotation("run.googleapis.com/vpc-access-egress"), v2: Field("vpcAccess.egress"),
            Configuration, Stored
        }
        /// The network interfaces of Direct VPC.
        network_interfaces: Form<Vec<NetworkInterface>> {
            v1: Annotation("run.googleapis.com/network-interfaces"), v2: Field("vpcAccess.networkInterfaces"),
            Configuration, Stored
        }
        /// The Cloud SQL instances to connect to, separated by commas.
        cloudsql_instances: String {
            v1: Annotation("run.googleapis.com/cloudsql-instances"),
            v2: Parts("volumes.cloudSqlInstance.instances"), Configuration, Stored,
            check: |list| cloudsql_instances(list)
        }
        /// The aliases of secrets in other projects.
        secrets: String {
            v1: Annotation("run.googleapis.com/secrets"), v2: Parts("containers.env.valueSource.secretKeyRef"),
            Configuration, Stored
        }
        /// Which containers start before which: a JSON map from name to names.
        container_dependencies: Json {
            v1: Annotation("run.googleapis.com/container-dependencies"), v2: Parts("containers.dependsOn"),
            Configuration, Stored
        }
        /// The customer-managed key that encrypts the image.
        encryption_key: String {
            v1: Annotation("run.googleapis.com/encryption-key"), v2: Field("encryptionKey"), Configuration, Stored
        }
        /// What happens when that key is revoked.
        encryption_key_revocation_action: KeyRevocation {
            v1: Annotation("run.googleapis.com/post-key-revocation-action-type"),
            v2: Field("encryptionKeyRevocationAction"), Configuration, Stored
        }
        /// After how many hours without the key instances are shut down.
        encryption_key_shutdown_hours: i64 {
            v1: Annotation("run.googleapis.com/encryption-key-shutdown-hours"),
            v2: Hours("encryptionKeyShutdownDuration"), Configuration, Stored
        }
        /// The service mesh that the revision joins.
        mesh: String {
            v1: Annotation("run.googleapis.com/mesh"), v2: Field("serviceMesh.mesh"), Configuration, Stored
        }
        /// The GPU of the node.
        accelerator: String {
            v1: NodeSelector("run.googleapis.com/accelerator"), v2: Field("nodeSelector.accelerator"),
            Configuration, Stored, check: |kind| accelerator(kind)
        }
        /// Runs without a spare GPU in another zone.
        gpu_zonal_redundancy_disabled: bool {
            v1: Annotation("run.googleapis.com/gpu-zonal-redundancy-disabled"),
            v2: Optional("gpuZonalRedundancyDisabled"), Configuration, Stored
        }
        /// The base images that are updated under the containers: a JSON map by container.
        base_images: Json {
            v1: Annotation("run.googleapis.com/base-images"), v2: Parts("containers.baseImageUri"),
            Configuration, Stored
        }
        /// The runtime class, set for automatic base image updates.
        runtime_class_name: String {
            v1: Spec("runtimeClassName"), v2: Parts("containers.baseImageUri"), Configuration, Stored
        }
        /// The uploaded sources of the containers: a JSON map by container.
        sources: Json {
            v1: Annotation("run.googleapis.com/sources"), v2: Parts("containers.sourceCode"), Configuration, Stored
        }
        /// How the source of the containers is built: a JSON map by container.
        build_configs: Json {
            v1: Annotation("run.googleapis.com/build-configs"), v2: Parts("containers.buildConfig"),
            Configuration, Stored
        }
        /// The SPIFFE identity of the revision.
        workload_identity: String {
            v1: Annotation("run.googleapis.com/identity"), v2: Field("workloadIdentityConfig.identity"),
            Configuration, Stored
        }
        /// Whether instances get a certificate for that identity.
        identity_certificate_enabled: bool {
            v1: Annotation("run.googleapis.com/enable-workload-certificate"),
            v2: Field("workloadIdentityConfig.identityCertificateEnabled"), Configuration, Stored
        }
        /// Which kind of identity it is.
        identity_type: IdentityType {
            v1: Annotation("run.googleapis.com/identity-type"), v2: Field("workloadIdentityConfig.identityType"),
            Configuration, Stored
        }
        /// The ambient network of the instances: a JSON object.
        ambient_networking: Form<AmbientNetworking> {
            v1: Annotation("run.googleapis.com/ambient-networking"), v2: Field("ambientNetworking"),
            Configuration, Stored
        }
        /// The client that wrote the template last.
        client: String {
            v1: Annotation("run.googleapis.com/client-name"), v2: Field("client"), Remark, Stored
        }
        /// The version of that client.
        client_version: String {
            v1: Annotation("run.googleapis.com/client-version"), v2: Field("clientVersion"), Remark, Stored
        }
    }
}
