//! Do messages have the fields that the discovery document of v2 lists?

use std::collections::BTreeSet;

use super::sample::{Dice, Sample};
use crate::grpc::json::Json;
use crate::grpc::messages::run;

/// The names in JSON that any filling of the message has.
fn names<T: Json + Sample>() -> BTreeSet<String> {
    let all = (0..200).map(|seed| T::sample(&mut Dice::full(seed)).to_json());
    all.flat_map(|value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect()
}

/// `document` is what the discovery document lists; `later` is what of it the published protos lack.
fn check<T: Json + Sample>(document: &str, later: &[&str]) {
    let expect: BTreeSet<String> =
        document.split_whitespace().filter(|name| !later.contains(name)).map(str::to_owned).collect();
    assert_eq!(names::<T>(), expect);
}

#[test]
fn a_service_has_the_documented_fields() {
    check::<run::Service>(
        "annotations binaryAuthorization buildConfig client clientVersion conditions createTime creator \
         customAudiences defaultUriDisabled deleteTime description etag expireTime functionalType generation \
         iapEnabled ingress invokerIamDisabled labels lastModifier latestCreatedRevision latestReadyRevision \
         launchStage multiRegionSettings name observedGeneration reconciling satisfiesPzs scaling sshEnabled \
         template terminalCondition threatDetectionEnabled traffic trafficStatuses uid updateTime uri urls",
        &["functionalType", "sshEnabled"],
    );
}

#[test]
fn a_template_has_the_documented_fields() {
    check::<run::RevisionTemplate>(
        "ambientNetworking annotations client clientVersion containers encryptionKey \
         encryptionKeyRevocationAction encryptionKeyShutdownDuration executionEnvironment \
         gpuZonalRedundancyDisabled healthCheckDisabled labels maxInstanceRequestConcurrency nodeSelector \
         revision sandboxes scaling serviceAccount serviceMesh sessionAffinity timeout volumes vpcAccess \
         workloadIdentityConfig",
        &["ambientNetworking", "client", "clientVersion", "sandboxes", "workloadIdentityConfig"],
    );
}

#[test]
fn a_revision_has_the_documented_fields() {
    check::<run::Revision>(
        "ambientNetworking annotations client clientVersion conditions containerStatuses containers createTime \
         creator deleteTime encryptionKey encryptionKeyRevocationAction encryptionKeyShutdownDuration etag \
         executionEnvironment expireTime generation gpuZonalRedundancyDisabled labels launchStage logUri \
         maxInstanceRequestConcurrency name nodeSelector observedGeneration reconciling sandboxes satisfiesPzs \
         scaling scalingStatus service serviceAccount serviceMesh sessionAffinity timeout uid updateTime volumes \
         vpcAccess workloadIdentityConfig",
        &[
            "ambientNetworking",
            "client",
            "clientVersion",
            "containerStatuses",
            "sandboxes",
            "workloadIdentityConfig",
        ],
    );
}

#[test]
fn a_container_has_the_documented_fields() {
    check::<run::Container>(
        "args baseImageUri buildConfig buildInfo command dependsOn env image livenessProbe name ports \
         readinessProbe resources sandboxLauncher sourceCode startupProbe volumeMounts workingDir",
        &["buildConfig", "sandboxLauncher"],
    );
}

#[test]
fn a_probe_has_the_documented_fields() {
    check::<run::Probe>(
        "failureThreshold grpc httpGet initialDelaySeconds periodSeconds tcpSocket timeoutSeconds",
        &[],
    );
}

#[test]
fn a_volume_has_the_documented_fields() {
    check::<run::Volume>("cloudSqlInstance emptyDir filestore gcs name nfs secret", &["filestore"]);
}
