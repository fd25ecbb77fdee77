//! What is a container: its image, environment, port and limits?

use std::collections::BTreeMap;

use super::probe::Probe;
use crate::message::{message, message_field};

message! {
    /// A container of a revision.
    pub struct Container {
        /// Its name, unique in the revision.
        name: Option<String>,
        /// The image that it runs.
        image: Option<String>,
        /// Replaces the entry point of the image.
        command: Vec<String>,
        /// Replaces the arguments of the image.
        args: Vec<String>,
        /// Its environment, in order.
        env: Vec<EnvVar>,
        /// Its environment from config maps and secrets as a whole. Refused: Cloud Run does not support it.
        env_from: Vec<serde_json::Value>,
        /// The port that it takes requests on: one container of a revision has one.
        ports: Vec<ContainerPort>,
        /// How much of CPU, memory and GPU it may use.
        resources: Option<Resources>,
        /// Where volumes appear in its file system.
        volume_mounts: Vec<VolumeMount>,
        /// Its working directory.
        working_dir: Option<String>,
        /// When it is alive.
        liveness_probe: Option<Probe>,
        /// When it has started.
        startup_probe: Option<Probe>,
        /// When it takes requests.
        readiness_probe: Option<Probe>,
        /// Kept, without effect.
        image_pull_policy: Option<String>,
        /// Kept, without effect.
        security_context: Option<SecurityContext>,
        /// Kept, without effect.
        termination_message_path: Option<String>,
        /// Kept, without effect.
        termination_message_policy: Option<String>,
        /// Whether it starts sandboxes; kept, without effect.
        sandbox_launcher: Option<bool>,
    }
}

message! {
    /// One variable of an environment: a value, or the place that it comes from.
    pub struct EnvVar {
        /// Its name.
        name: Option<String>,
        /// Its value; unset is the empty string.
        value: Option<String>,
        /// Where its value comes from.
        value_from: Option<EnvVarSource>,
    }
}

message! {
    /// Where the value of a variable comes from.
    pub struct EnvVarSource {
        /// A version of a secret.
        secret_key_ref: Option<SecretKeySelector>,
        /// Not supported by Cloud Run; kept, without effect.
        config_map_key_ref: Option<SecretKeySelector>,
    }
}

message! {
    /// A version of a secret.
    pub struct SecretKeySelector {
        /// The version: a number or `latest`.
        key: Option<String>,
        /// The name of the secret.
        name: Option<String>,
        /// Whether it may be missing.
        optional: Option<bool>,
        /// The name in the older spelling.
        local_object_reference: Option<LocalObjectReference>,
    }
}

message! {
    /// A name.
    pub struct LocalObjectReference {
        /// The name.
        name: Option<String>,
    }
}

message! {
    /// How much a container may use.
    pub struct Resources {
        /// `cpu`, `memory`, `nvidia.com/gpu`.
        limits: BTreeMap<String, String>,
        /// Not supported by Cloud Run; kept, without effect.
        requests: BTreeMap<String, String>,
    }
}

message! {
    /// The port that a container takes requests on.
    pub struct ContainerPort {
        /// The protocol: `http1` (or unset) or `h2c`.
        name: Option<String>,
        /// The number, 1 to 65535.
        container_port: Option<i32>,
        /// `TCP`.
        protocol: Option<String>,
    }
}

message! {
    /// Where a volume appears.
    pub struct VolumeMount {
        /// The name of the volume.
        name: Option<String>,
        /// An absolute path.
        mount_path: Option<String>,
        /// Whether the container may write.
        read_only: Option<bool>,
        /// A path in the volume.
        sub_path: Option<String>,
    }
}

message! {
    /// Whom a container runs as.
    pub struct SecurityContext {
        /// The user id.
        run_as_user: Option<i32>,
    }
}

message_field!(EnvVarSource, SecretKeySelector, LocalObjectReference, Resources, SecurityContext);

impl Container {
    /// The amount of `resource` (`cpu`, `memory`) that the container may use, as the user wrote it.
    pub fn limit(&self, resource: &str) -> Option<&str> {
        self.resources.as_ref()?.limits.get(resource).map(String::as_str)
    }
}
