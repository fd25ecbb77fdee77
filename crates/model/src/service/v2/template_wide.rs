//! What does v2 say of containers and volumes that v1 says in annotations of the template?

use std::collections::BTreeMap;

use serde_json::Value;

use super::container::ContainerV2;
use crate::name::stable_hash;
use crate::service::TemplateSettings;
use crate::service::values::Json;

/// The runtime class that v1 needs where base images are updated.
const BASE_IMAGE_UPDATE: &str = "run.googleapis.com/linux-base-image-update";

/// What v2 says of containers and volumes, and v1 of the template. Maps are by the name of the container;
/// a container without a name has the empty one, as in v1.
#[derive(Debug, Default)]
pub(super) struct TemplateWide {
    /// Whether CPU is taken away between requests: one value for all containers.
    pub(super) cpu_idle: Option<bool>,
    /// Whether there is more CPU during the start: likewise.
    pub(super) startup_cpu_boost: Option<bool>,
    pub(super) dependencies: BTreeMap<String, Value>,
    pub(super) base_images: BTreeMap<String, Value>,
    pub(super) sources: BTreeMap<String, Value>,
    pub(super) build_configs: BTreeMap<String, Value>,
    pub(super) secrets: Aliases,
    pub(super) cloudsql: Vec<String>,
}

impl TemplateWide {
    /// What the settings of a template say.
    pub(super) fn of(settings: &TemplateSettings) -> Self {
        Self {
            cpu_idle: settings.cpu_idle,
            startup_cpu_boost: settings.startup_cpu_boost,
            dependencies: map(settings.container_dependencies.as_ref()),
            base_images: map(settings.base_images.as_ref()),
            sources: map(settings.sources.as_ref()),
            build_configs: map(settings.build_configs.as_ref()),
            secrets: Aliases::parse(settings.secrets.as_deref().unwrap_or_default()),
            cloudsql: commas(settings.cloudsql_instances.as_deref().unwrap_or_default()),
        }
    }

    /// What holds for all containers, as the one that takes the requests says it. CPU is taken away
    /// unless the container says something of its resources and not this.
    pub(super) fn read_cpu(&mut self, containers: &[ContainerV2]) {
        let with_port = containers.iter().find(|container| !container.ports.is_empty());
        let ingress = with_port.or_else(|| containers.first());
        let resources = ingress.and_then(|container| container.resources.as_ref());
        self.cpu_idle = resources.map(|resources| resources.cpu_idle == Some(true));
        let boosted = |container: &ContainerV2| {
            container.resources.as_ref().is_some_and(|resources| resources.startup_cpu_boost == Some(true))
        };
        self.startup_cpu_boost = containers.iter().any(boosted).then_some(true);
    }

    /// Writes the settings of the template.
    pub(super) fn write(self, settings: &mut TemplateSettings) {
        let json = |map: BTreeMap<String, Value>| {
            (!map.is_empty()).then(|| Json(Value::Object(map.into_iter().collect())))
        };
        settings.runtime_class_name = (!self.base_images.is_empty()).then(|| BASE_IMAGE_UPDATE.to_owned());
        settings.cpu_idle = self.cpu_idle;
        settings.startup_cpu_boost = self.startup_cpu_boost;
        settings.container_dependencies = json(self.dependencies);
        settings.base_images = json(self.base_images);
        settings.sources = json(self.sources);
        settings.build_configs = json(self.build_configs);
        settings.secrets = self.secrets.used_text();
        settings.cloudsql_instances = (!self.cloudsql.is_empty()).then(|| self.cloudsql.join(","));
    }
}

fn map(json: Option<&Json>) -> BTreeMap<String, Value> {
    let object = json.and_then(|Json(value)| value.as_object());
    object.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn commas(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The names that v1 gives to secrets of other projects: `alias:projects/P/secrets/S`, separated by
/// commas. v2 names the secret itself.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    known: BTreeMap<String, String>,
    used: BTreeMap<String, String>,
}

impl Aliases {
    pub(super) fn parse(text: &str) -> Self {
        let pair = |pair: &str| {
            let (alias, secret) = pair.trim().split_once(':')?;
            Some((alias.to_owned(), secret.to_owned()))
        };
        Self { known: text.split(',').filter_map(pair).collect(), used: BTreeMap::new() }
    }

    /// The secret that `name` means in v1.
    pub(super) fn secret(&self, name: &str) -> String {
        self.known.get(name).map_or(name, String::as_str).to_owned()
    }

    /// The name in v1 of a secret as v2 names it. The same secret has the same alias at every write.
    pub(super) fn alias(&mut self, secret: String) -> String {
        if !secret.contains('/') {
            return secret;
        }
        let known = self.known.iter().find(|(_, known)| **known == secret).map(|(alias, _)| alias.clone());
        let alias = known.unwrap_or_else(|| {
            let short: String = secret.rsplit('/').next().unwrap_or_default().chars().take(5).collect();
            format!("{short}-{:016x}", stable_hash("secret alias", &secret))
        });
        self.used.insert(alias.clone(), secret);
        alias
    }

    fn used_text(&self) -> Option<String> {
        let pairs: Vec<String> =
            self.used.iter().map(|(alias, secret)| format!("{alias}:{secret}")).collect();
        (!pairs.is_empty()).then(|| pairs.join(","))
    }
}
