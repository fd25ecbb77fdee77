//! May a service be as it was asked for? Every rule of the specification, in the words of the hosted
//! service and with the field paths of the caller's API.

mod annotations;
mod containers;
mod dependencies;
mod env;
mod gpu;
mod labels;
mod network;
mod probes;
mod resources;
mod scaling;
mod volumes;

use super::{ServiceId, ServiceSettings, ServiceSpec, TemplateSettings, traffic};
use crate::error::{Result, Violations};
use crate::field::{Api, Row};
use crate::name::RevisionName;

/// Checks a specification whose defaults are filled in.
///
/// # Errors
/// 400 with one violation for each field that is wrong.
pub fn check(spec: &ServiceSpec, id: &ServiceId, api: Api) -> Result<()> {
    let mut violations = Violations::default();
    let out = &mut violations;
    let template = &spec.template;
    spec.settings.check(api, out);
    template.settings.check(api, out);
    scaling::check(spec, api, out);
    annotations::check(&spec.annotations, "Service", &api.metadata().field("annotations"), out);
    annotations::check(&template.annotations, "Revision", &api.template_metadata().field("annotations"), out);
    labels::check(&spec.labels, &api.metadata().field("labels"), out);
    labels::check(&template.labels, &api.template_metadata().field("labels"), out);
    if let Some(name) = &template.name {
        out.note(RevisionName::parse(name, &id.name, api.revision_name_path()).map(drop));
    }
    containers::check(template, api, out);
    gpu::check(template, api, out);
    dependencies::check(template, api, out);
    network::check(&template.settings, api, out);
    volumes::check(template, api, out);
    traffic::check(&spec.traffic, id, api, out);
    violations.into_result()
}

/// The path of a service-level setting.
fn service_setting(name: &str, api: Api) -> String {
    path_of(ServiceSettings::ROWS, name, api)
}

/// The path of a setting of the template.
fn template_setting(name: &str, api: Api) -> String {
    path_of(TemplateSettings::ROWS, name, api)
}

fn path_of(rows: &[Row], name: &str, api: Api) -> String {
    // A name that is no row gives the name itself; a test sees that each name is one.
    rows.iter().find(|row| row.name == name).map_or_else(|| name.to_owned(), |row| row.path(api))
}
