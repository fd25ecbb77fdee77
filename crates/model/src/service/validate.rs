//! May a service be as it was asked for? Every rule of the specification, in the words of the hosted
//! service and with the field paths of the caller's API.

use std::collections::BTreeSet;

use super::container::Container;
use super::defaults::{millicpus, parse_millicpus};
use super::values::ScalingMode;
use super::{Map, ServiceId, ServiceSettings, ServiceSpec, TemplateSettings, probe_rules, traffic};
use crate::error::{Result, Violations};
use crate::field::{Api, Row};
use crate::name::RevisionName;

/// Environment variables that Cloud Run sets itself.
const RESERVED_ENV: &[&str] = &["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"];

/// The one setting of a revision that the API takes on a service too.
const BASE_IMAGES: &str = "run.googleapis.com/base-images";

/// Checks a specification whose defaults are filled in.
///
/// # Errors
/// 400 with one violation for each field that is wrong.
pub fn check(spec: &ServiceSpec, id: &ServiceId, api: Api) -> Result<()> {
    let mut violations = Violations::default();
    let out = &mut violations;
    spec.settings.check(api, out);
    spec.template.settings.check(api, out);
    check_scaling(spec, api, out);
    let own = (ServiceSettings::ROWS, TemplateSettings::ROWS);
    check_kind(
        &spec.annotations,
        own.1,
        ("Service", "Revision, Execution"),
        &api.metadata_path("annotations"),
        out,
    );
    let template_at = api.template_metadata_path("annotations");
    check_kind(&spec.template.annotations, own.0, ("Revision", "Service"), &template_at, out);
    check_labels(&spec.labels, &api.metadata_path("labels"), out);
    check_labels(&spec.template.labels, &api.template_metadata_path("labels"), out);
    if let Some(name) = &spec.template.name {
        out.note(RevisionName::parse(name, &id.name, api.revision_name_path()).map(drop));
    }
    check_containers(spec, api, out);
    check_volumes(spec, api, out);
    traffic::check(&spec.traffic, id, api, out);
    violations.into_result()
}

/// A setting of the other level is refused with the kinds that take it.
fn check_kind(given: &Map, others: &[Row], kinds: (&str, &str), at: &str, out: &mut Violations) {
    for row in others {
        let refused = |key: &&str| given.contains_key(*key) && *key != BASE_IMAGES;
        let Some(key) = row.annotation().filter(refused) else { continue };
        out.add(
            format!("{at}[{key}]"),
            format!(
                "Annotation '{key}' is not supported on resources of kind '{}'. Supported kinds are: {}",
                kinds.0, kinds.1
            ),
        );
    }
}

/// Google's rule for labels of a user; labels of a namespace (`client.knative.dev/nonce`) are system
/// labels and pass.
fn check_labels(labels: &Map, at: &str, out: &mut Violations) {
    let good = |text: &str| {
        text.chars().count() <= 63
            && text.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase() || "_-".contains(c))
    };
    for (key, value) in labels.iter().filter(|(key, _)| !key.contains('/')) {
        let first_is_letter = key.chars().next().is_some_and(char::is_alphabetic);
        out.check(
            good(key) && first_is_letter,
            format!("{at}[{key}]"),
            format!("Label key '{key}' violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters, beginning with a letter."),
        );
        out.check(
            good(value),
            format!("{at}[{key}]"),
            format!("Label value '{value}' violates format: lowercase letters, digits, underscores and hyphens, at most 63 characters."),
        );
    }
}

fn check_scaling(spec: &ServiceSpec, api: Api, out: &mut Violations) {
    let (service, template) = (&spec.settings, &spec.template.settings);
    let pairs = [
        (service.min_instance_count, service.max_instance_count, ServiceSettings::ROWS, "max_instance_count"),
        (
            template.min_instance_count,
            template.max_instance_count,
            TemplateSettings::ROWS,
            "max_instance_count",
        ),
    ];
    for (least, most, rows, name) in pairs {
        let row = rows.iter().find(|row| row.name == name);
        if let (Some(least), Some(most), Some(row)) = (least, most, row) {
            out.check(most >= least, row.path(api), "must be greater than or equal to min_instance_count");
        }
    }
    let row = ServiceSettings::ROWS.iter().find(|row| row.name == "manual_instance_count");
    if let (Some(row), Some(_)) = (row, service.manual_instance_count) {
        let manual = service.scaling_mode == Some(ScalingMode::Manual);
        out.check(manual, row.path(api), "scaling mode must be set to MANUAL");
    }
}

fn check_containers(spec: &ServiceSpec, api: Api, out: &mut Violations) {
    let containers = &spec.template.containers;
    let at = api.template_path("containers");
    out.check(!containers.is_empty(), &at, "must contain at least one container");
    out.check(containers.len() <= 10, &at, "must contain at most 10 containers");
    let with_port = containers.iter().filter(|container| !container.ports.is_empty()).count();
    if containers.len() > 1 {
        out.check(with_port == 1, &at, "must contain exactly one container with an exposed port");
    }
    let mut names = BTreeSet::new();
    for name in containers.iter().filter_map(|container| container.name.as_deref()) {
        out.check(names.insert(name), &at, format!("contains duplicate container names '{name}'"));
    }
    let variables: usize = containers.iter().map(|container| container.env.len()).sum();
    out.check(variables <= 1000, &at, "exceeds the limit on EnvVars across all containers of 1000");
    let arguments: usize = containers.iter().map(|container| container.args.len()).sum();
    out.check(arguments <= 1000, &at, "exceeds the limit on args across all containers of 1000");
    for (index, container) in containers.iter().enumerate() {
        check_container(container, &format!("{at}[{index}]"), out);
    }
    let cpu: u64 = containers.iter().map(millicpus).sum();
    let concurrency = spec.template.settings.max_instance_request_concurrency.unwrap_or(0);
    if cpu < 1000 && concurrency > 1 && !containers.is_empty() {
        out.add(
            format!("{at}[0].resources.limits.cpu"),
            "Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1.",
        );
    }
}

fn check_container(container: &Container, at: &str, out: &mut Violations) {
    check_image(container, at, out);
    if let Some(name) = &container.name {
        let labels = name.split('.').all(crate::name::is_rfc1123_label);
        out.check(labels, format!("{at}.name"), format!("'{name}' must conform to RFC 1123"));
    }
    out.check(container.ports.len() <= 1, format!("{at}.ports"), "should contain 0 or 1 port");
    for (index, port) in container.ports.iter().enumerate() {
        let known = matches!(port.name.as_deref(), None | Some("http1" | "h2c"));
        out.check(known, format!("{at}.ports[{index}].name"), "must be one of empty, 'http1' or 'h2c'");
        let number = port.container_port.unwrap_or(1);
        let good = (1..=65535).contains(&number);
        out.check(good, format!("{at}.ports[{index}].containerPort"), "must be between 1 and 65535");
    }
    check_env(container, at, out);
    check_limits(container, at, out);
    probe_rules::check(container, at, out);
}

fn check_image(container: &Container, at: &str, out: &mut Violations) {
    let image = container.image.as_deref().unwrap_or_default();
    let good = !image.is_empty()
        && image.len() <= 4096
        && image.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/:@+".contains(&byte))
        && image.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    out.check(
        good,
        format!("{at}.image"),
        "must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]",
    );
}

fn check_env(container: &Container, at: &str, out: &mut Violations) {
    let names = || container.env.iter().filter_map(|variable| variable.name.as_deref());
    let reserved: Vec<&str> =
        RESERVED_ENV.iter().filter(|name| names().any(|given| given == **name)).copied().collect();
    out.check(
        reserved.is_empty(),
        format!("{at}.env"),
        format!(
            "The following reserved env names were provided: {}. These values are automatically set by the system.",
            reserved.join(", ")
        ),
    );
    for (index, variable) in container.env.iter().enumerate() {
        out.check(variable.name.is_some(), format!("{at}.env[{index}].name"), "must not be empty");
        let length = variable.value.as_ref().map_or(0, String::len);
        out.check(length <= 32_768, format!("{at}.env[{index}].value"), "length cannot exceed 32768");
        let both = variable.value.is_some() && variable.value_from.is_some();
        out.check(!both, format!("{at}.env[{index}]"), "only one of value and valueFrom may be set");
    }
    out.check(container.env_from.is_empty(), format!("{at}.envFrom"), "is not supported by Cloud Run");
}

fn check_limits(container: &Container, at: &str, out: &mut Violations) {
    let Some(resources) = &container.resources else { return };
    for (name, value) in &resources.limits {
        let path = format!("{at}.resources.limits.{name}");
        match name.as_str() {
            "cpu" => check_cpu(value, path, out),
            "memory" => {
                if let Err(problem) = check_memory(value) {
                    out.add(path, problem);
                }
            }
            "nvidia.com/gpu" => out.check(value == "1", path, "GPU can only be set to 1"),
            _ => out.add(
                format!("{at}.resources.limits"),
                format!("only 'cpu', 'memory' and 'nvidia.com/gpu' limits are supported, not '{name}'"),
            ),
        }
    }
}

fn check_cpu(value: &str, path: String, out: &mut Violations) {
    match parse_millicpus(value) {
        Some(80..=1000 | 2000 | 4000 | 6000 | 8000) => {}
        Some(_) => out.add(
            path,
            format!("Invalid value specified for cpu: '{value}'. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0"),
        ),
        None => out.add(path, format!("Could not parse Quantity '{value}'")),
    }
}

/// Reads a quantity of memory: digits and one of the suffixes of Kubernetes.
fn check_memory(value: &str) -> std::result::Result<(), String> {
    let digits = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    let (number, suffix) = value.split_at(digits);
    let scale: f64 = match suffix {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0_f64.powi(4),
        "Pi" => 1024.0_f64.powi(5),
        "Ei" => 1024.0_f64.powi(6),
        _ => {
            return Err(format!(
                "could not match suffix {suffix} while parsing Quantity. Allowed values are [m, k, M, G, T, Ki, \
                 Mi, Gi, Ti, Pi, Ei]"
            ));
        }
    };
    let number: f64 = number.parse().map_err(|_| format!("Could not parse Quantity '{value}'"))?;
    let mebibytes = number * scale / (1024.0 * 1024.0);
    if (122.0..=32_768.0).contains(&mebibytes) {
        Ok(())
    } else {
        Err(format!(
            "Invalid value specified for container memory: '{value}'. It must be between 128Mi and 32Gi."
        ))
    }
}

fn check_volumes(spec: &ServiceSpec, api: Api, out: &mut Violations) {
    let volumes = &spec.template.volumes;
    let at = api.template_path("volumes");
    let mut names = BTreeSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let Some(name) = volume.name.as_deref() else {
            out.add(format!("{at}[{index}].name"), "must not be empty");
            continue;
        };
        out.check(names.insert(name), &at, format!("Duplicate volume name '{name}'"));
        out.check(volume.sources() == 1, format!("{at}[{index}]"), "must have exactly one source");
    }
    for (index, container) in spec.template.containers.iter().enumerate() {
        for (number, mount) in container.volume_mounts.iter().enumerate() {
            let at = format!("{}[{index}].volumeMounts[{number}]", api.template_path("containers"));
            let name = mount.name.as_deref().unwrap_or_default();
            out.check(
                names.contains(name),
                format!("{at}.name"),
                format!("refers to volumes which were not found in volumes list: '{name}'"),
            );
            let path = mount.mount_path.as_deref().unwrap_or_default();
            out.check(
                path.starts_with('/') && !path.contains(':'),
                format!("{at}.mountPath"),
                "must be a valid unix absolute path",
            );
            let system = ["/dev", "/proc", "/sys"]
                .iter()
                .any(|root| path == *root || path.starts_with(&format!("{root}/")));
            out.check(
                !system,
                format!("{at}.mountPath"),
                "mount paths are in one of disallowed mount points /dev, /proc, /sys",
            );
        }
    }
}
