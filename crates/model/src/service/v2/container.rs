//! How does v2 spell a container?
//!
//! What v1 keeps in annotations of the template (`cpu-throttling`, `startup-cpu-boost`,
//! `container-dependencies`, `base-images`, `sources`) v2 keeps in each container.

use std::collections::BTreeMap;

use serde_json::Value;

use super::probe::ProbeV2;
use super::source::{BuildConfigurationV2, SourceCodeV2};
use super::template_wide::{Aliases, TemplateWide};
use crate::message::{Kept, message, message_field};
use crate::service::container::{
    Container, ContainerPort, EnvVar, EnvVarSource, Resources, SecretKeySelector, VolumeMount,
};

message! {
    /// A container.
    pub(super) struct ContainerV2 {
        /// Its name.
        name: Option<String>,
        /// The image that it runs.
        image: Option<String>,
        /// The source that it runs where there is no image.
        source_code: Option<SourceCodeV2>,
        /// Replaces the entry point.
        command: Vec<String>,
        /// Replaces the arguments.
        args: Vec<String>,
        /// Its environment.
        env: Vec<EnvVarV2>,
        /// How much it may use.
        resources: Option<ResourcesV2>,
        /// The port that it takes requests on.
        ports: Vec<PortV2>,
        /// Where volumes appear.
        volume_mounts: Vec<VolumeMountV2>,
        /// Its working directory.
        working_dir: Option<String>,
        /// When it is alive.
        liveness_probe: Option<ProbeV2>,
        /// When it has started.
        startup_probe: Option<ProbeV2>,
        /// When it takes requests.
        readiness_probe: Option<ProbeV2>,
        /// The containers that start before it.
        depends_on: Vec<String>,
        /// The base image that is updated under it.
        base_image_uri: Option<String>,
        /// Whether it starts sandboxes.
        sandbox_launcher: Option<bool>,
        /// Written by the server.
        build_info: Option<Kept>,
        /// How its source is built.
        build_config: Option<BuildConfigurationV2>,
    }
}

message! {
    /// A variable.
    pub(super) struct EnvVarV2 {
        /// Its name.
        name: Option<String>,
        /// Its value.
        value: Option<String>,
        /// Where its value comes from.
        value_source: Option<EnvVarSourceV2>,
    }
}

message! {
    /// Where the value of a variable comes from.
    pub(super) struct EnvVarSourceV2 {
        /// A version of a secret.
        secret_key_ref: Option<SecretKeySelectorV2>,
    }
}

message! {
    /// A version of a secret.
    pub(super) struct SecretKeySelectorV2 {
        /// The secret.
        secret: Option<String>,
        /// The version.
        version: Option<String>,
    }
}

message! {
    /// How much a container may use.
    pub(super) struct ResourcesV2 {
        /// `cpu`, `memory`, `nvidia.com/gpu`.
        limits: BTreeMap<String, String>,
        /// Takes CPU away between requests.
        cpu_idle: Option<bool>,
        /// Gives more CPU during the start.
        startup_cpu_boost: Option<bool>,
    }
}

message! {
    /// A port.
    pub(super) struct PortV2 {
        /// `http1` or `h2c`.
        name: Option<String>,
        /// The number.
        container_port: Option<i32>,
    }
}

message! {
    /// Where a volume appears.
    pub(super) struct VolumeMountV2 {
        /// The volume.
        name: Option<String>,
        /// An absolute path.
        mount_path: Option<String>,
        /// A path in the volume.
        sub_path: Option<String>,
    }
}

message_field!(EnvVarSourceV2, SecretKeySelectorV2, ResourcesV2);

impl ContainerV2 {
    /// The container; what v1 says of it in the template goes to `wide`.
    pub(super) fn into_container(self, wide: &mut TemplateWide) -> Container {
        let key = self.name.clone().unwrap_or_default();
        let mut keep = |map: fn(&mut TemplateWide) -> &mut BTreeMap<String, Value>, value: Option<Value>| {
            if let Some(value) = value {
                map(wide).insert(key.clone(), value);
            }
        };
        keep(|wide| &mut wide.dependencies, (!self.depends_on.is_empty()).then(|| self.depends_on.into()));
        keep(|wide| &mut wide.base_images, self.base_image_uri.map(Value::String));
        keep(|wide| &mut wide.sources, self.source_code.map(SourceCodeV2::into_v1));
        keep(
            |wide| &mut wide.build_configs,
            self.build_config.as_ref().and_then(|config| serde_json::to_value(config).ok()),
        );
        let limits = self.resources.unwrap_or_default().limits;
        Container {
            name: self.name,
            image: self.image,
            command: self.command,
            args: self.args,
            env: self.env.into_iter().map(|variable| variable.into_variable(&mut wide.secrets)).collect(),
            resources: (!limits.is_empty()).then(|| Resources { limits, ..Resources::default() }),
            ports: self.ports.into_iter().map(PortV2::into_port).collect(),
            volume_mounts: self.volume_mounts.into_iter().map(VolumeMountV2::into_mount).collect(),
            working_dir: self.working_dir,
            liveness_probe: self.liveness_probe.map(ProbeV2::into_probe),
            startup_probe: self.startup_probe.map(ProbeV2::into_probe),
            readiness_probe: self.readiness_probe.map(ProbeV2::into_probe),
            sandbox_launcher: self.sandbox_launcher.filter(|launcher| *launcher),
            ..Container::default()
        }
    }

    /// The container as v2 shows it.
    pub(super) fn of(container: &Container, wide: &TemplateWide) -> Self {
        let key = container.name.as_deref().unwrap_or_default();
        let limits = container.resources.clone().unwrap_or_default().limits;
        let names = |list: &Value| serde_json::from_value::<Vec<String>>(list.clone()).ok();
        Self {
            name: container.name.clone(),
            image: container.image.clone(),
            source_code: wide.sources.get(key).and_then(SourceCodeV2::of),
            command: container.command.clone(),
            args: container.args.clone(),
            env: container.env.iter().map(|variable| EnvVarV2::of(variable, &wide.secrets)).collect(),
            resources: Some(ResourcesV2 {
                limits,
                // v1 takes CPU away unless it is told not to; proto3 leaves false out.
                cpu_idle: Some(wide.cpu_idle.unwrap_or(true)).filter(|idle| *idle),
                startup_cpu_boost: wide.startup_cpu_boost.filter(|boost| *boost),
            }),
            ports: container.ports.iter().map(PortV2::of).collect(),
            volume_mounts: container.volume_mounts.iter().map(VolumeMountV2::of).collect(),
            working_dir: container.working_dir.clone(),
            liveness_probe: container.liveness_probe.as_ref().map(ProbeV2::of),
            startup_probe: container.startup_probe.as_ref().map(ProbeV2::of),
            readiness_probe: container.readiness_probe.as_ref().map(ProbeV2::of),
            depends_on: wide.dependencies.get(key).and_then(names).unwrap_or_default(),
            base_image_uri: wide.base_images.get(key).and_then(Value::as_str).map(str::to_owned),
            build_config: wide
                .build_configs
                .get(key)
                .and_then(|config| serde_json::from_value(config.clone()).ok()),
            sandbox_launcher: container.sandbox_launcher.filter(|launcher| *launcher),
            build_info: None,
        }
    }
}

impl EnvVarV2 {
    pub(super) fn into_variable(self, secrets: &mut Aliases) -> EnvVar {
        let secret = self.value_source.and_then(|source| source.secret_key_ref);
        let value_from = secret.map(|secret| EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: secret.secret.map(|secret| secrets.alias(secret)),
                key: secret.version,
                ..SecretKeySelector::default()
            }),
            ..EnvVarSource::default()
        });
        EnvVar { name: self.name, value: self.value, value_from }
    }

    pub(super) fn of(variable: &EnvVar, secrets: &Aliases) -> Self {
        let secret = variable.value_from.as_ref().and_then(|source| source.secret_key_ref.as_ref());
        let value_source = secret.map(|secret| EnvVarSourceV2 {
            secret_key_ref: Some(SecretKeySelectorV2 {
                secret: secret.name.as_deref().map(|name| secrets.secret(name)),
                version: secret.key.clone(),
            }),
        });
        Self { name: variable.name.clone(), value: variable.value.clone(), value_source }
    }
}

impl PortV2 {
    fn into_port(self) -> ContainerPort {
        ContainerPort {
            name: self.name,
            container_port: self.container_port.filter(|number| *number != 0),
            protocol: None,
        }
    }

    fn of(port: &ContainerPort) -> Self {
        Self { name: port.name.clone(), container_port: port.container_port }
    }
}

impl VolumeMountV2 {
    pub(super) fn into_mount(self) -> VolumeMount {
        let Self { name, mount_path, sub_path } = self;
        VolumeMount { name, mount_path, sub_path, read_only: None }
    }

    pub(super) fn of(mount: &VolumeMount) -> Self {
        let VolumeMount { name, mount_path, sub_path, .. } = mount.clone();
        Self { name, mount_path, sub_path }
    }
}
