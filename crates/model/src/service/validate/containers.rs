//! Which containers may a revision have?

use std::collections::BTreeSet;

use super::super::RevisionTemplate;
use super::super::container::{Container, ContainerPort};
use super::{env, probes, resources};
use crate::error::Violations;
use crate::field::{Api, FieldPath};

pub(super) fn check(template: &RevisionTemplate, api: Api, out: &mut Violations) {
    let containers = template.containers.as_slice();
    let at = api.template().field("containers");
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
        check_container(container, &at.index(index), out);
    }
    resources::check(template, &at, out);
}

fn check_container(container: &Container, at: &FieldPath, out: &mut Violations) {
    check_image(container, at, out);
    if let Some(name) = &container.name {
        let labels = name.split('.').all(crate::name::is_rfc1123_label);
        out.check(labels, at.field("name"), format!("'{name}' must conform to RFC 1123"));
    }
    let ports = at.field("ports");
    out.check(container.ports.len() <= 1, &ports, "ports should contain 0 or 1 port");
    for (index, port) in container.ports.iter().enumerate() {
        check_port(port, &ports.index(index), out);
    }
    env::check(container, at, out);
    probes::check(container, at, out);
}

fn check_port(port: &ContainerPort, at: &FieldPath, out: &mut Violations) {
    let known = matches!(port.name.as_deref(), None | Some("http1" | "h2c"));
    out.check(known, at.field("name"), "must be one of empty, 'http1' or 'h2c'");
    let good = (1..=65535).contains(&port.container_port.unwrap_or(1));
    out.check(good, at.field("containerPort"), "must be 0 (the default port) or between 1 and 65535");
}

fn check_image(container: &Container, at: &FieldPath, out: &mut Violations) {
    let image = container.image.as_deref().unwrap_or_default();
    let good = !image.is_empty()
        && image.len() <= 4096
        && image.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/:@+".contains(&byte))
        && image.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    out.check(
        good,
        at.field("image"),
        "must be a container image path in the form [hostname/]repo-path[:tag and/or @digest]",
    );
}
