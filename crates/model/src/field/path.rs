//! How does each API spell the place of a field?
//!
//! The one place that knows: v1 spells fields as its JSON does, v2 as its protocol buffer does.

use std::fmt;

use super::Api;

/// The place of a field in the caller's message, spelled as the caller's API spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    api: Api,
    text: String,
    /// Whether names have underscores from here on, whatever the API is.
    snake: bool,
}

impl Api {
    /// The template: `spec.template.spec` or `service.template`.
    pub fn template(self) -> FieldPath {
        self.root("spec.template.spec", "service.template")
    }

    /// The metadata of the template: `spec.template.metadata` or `service.template`.
    pub fn template_metadata(self) -> FieldPath {
        self.root("spec.template.metadata", "service.template")
    }

    /// The specification of the service: `spec` or `service`.
    pub fn spec(self) -> FieldPath {
        self.root("spec", "service")
    }

    /// The metadata of the service: `metadata` or `service`.
    pub fn metadata(self) -> FieldPath {
        self.root("metadata", "service")
    }

    /// The path of the name that the next revision shall have.
    pub const fn revision_name_path(self) -> &'static str {
        match self {
            Self::V1 => "spec.template.metadata.name",
            Self::V2 => "service.template.revision",
        }
    }

    fn root(self, v1: &str, v2: &str) -> FieldPath {
        let text = match self {
            Self::V1 => v1.to_owned(),
            Self::V2 => v2.to_owned(),
        };
        FieldPath { api: self, text, snake: self == Self::V2 }
    }
}

impl FieldPath {
    /// A field that both APIs call the same; `name` is in lower camel case.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let name = if self.snake { snake(name) } else { name.to_owned() };
        self.with(&format!(".{name}"))
    }

    /// A field that v2 calls otherwise; both names are in lower camel case.
    #[must_use]
    pub fn differs(&self, v1: &str, v2: &str) -> Self {
        self.field(match self.api {
            Api::V1 => v1,
            Api::V2 => v2,
        })
    }

    /// A probe of a container. The hosted service spells what is in it with underscores in v1, too.
    #[must_use]
    pub fn probe(&self, name: &str) -> Self {
        Self { snake: true, ..self.clone() }.field(name)
    }

    /// An item of a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(&format!("[{index}]"))
    }

    /// A resource of `limits`, as the user spelled it.
    #[must_use]
    pub fn limit(&self, key: &str) -> Self {
        self.with(&format!(".{key}"))
    }

    /// A key of labels or annotations, as the user spelled it.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(&format!("[{key}]"))
    }

    fn with(&self, part: &str) -> Self {
        Self { text: format!("{}{part}", self.text), ..self.clone() }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<FieldPath> for String {
    fn from(path: FieldPath) -> Self {
        path.text
    }
}

impl From<&FieldPath> for String {
    fn from(path: &FieldPath) -> Self {
        path.text.clone()
    }
}

/// A name or path in lower camel case, with underscores instead: `vpcAccess.networkInterfaces` is
/// `vpc_access.network_interfaces`.
pub(super) fn snake(camel: &str) -> String {
    camel.chars().fold(String::new(), |mut text, letter| {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_spells_a_place_in_its_own_way() {
        let both = |path: fn(Api) -> FieldPath| [Api::V1, Api::V2].map(|api| path(api).to_string());
        assert_eq!(
            both(|api| api.template().field("containers").index(0).field("workingDir")),
            ["spec.template.spec.containers[0].workingDir", "service.template.containers[0].working_dir"]
        );
        assert_eq!(
            both(|api| api.spec().field("env").differs("valueFrom", "valueSource").field("secretKeyRef")),
            ["spec.env.valueFrom.secretKeyRef", "service.env.value_source.secret_key_ref"]
        );
        assert_eq!(
            both(|api| api.spec().probe("startupProbe").field("httpGet").field("port")),
            ["spec.startup_probe.http_get.port", "service.startup_probe.http_get.port"]
        );
        assert_eq!(
            both(|api| api.spec().field("limits").limit("nvidia.com/gpu")),
            ["spec.limits.nvidia.com/gpu", "service.limits.nvidia.com/gpu"]
        );
        assert_eq!(
            both(|api| api.metadata().field("labels").key("myKey")),
            ["metadata.labels[myKey]", "service.labels[myKey]"]
        );
        assert_eq!(
            both(|api| api.template_metadata().field("labels")),
            ["spec.template.metadata.labels", "service.template.labels"]
        );
    }
}
