//! Which volumes may a revision have, and where may they be mounted?

use std::collections::BTreeMap;

use super::super::container::VolumeMount;
use super::super::volume::SecretVolume;
use super::super::{RevisionTemplate, Volume};
use crate::error::Violations;
use crate::field::{Api, FieldPath};

/// The volume of the connections to Cloud SQL, which v1 has no volume for.
const CLOUDSQL: &str = "cloudsql";

/// Where no volume may be mounted.
const SYSTEM: &[&str] = &["/dev", "/proc", "/sys"];

/// The volumes by name; `None` is the one of Cloud SQL.
type Volumes<'a> = BTreeMap<&'a str, Option<&'a Volume>>;

pub(super) fn check(template: &RevisionTemplate, api: Api, out: &mut Violations) {
    let at = api.template().field("volumes");
    let mut known = Volumes::new();
    for (index, volume) in template.volumes.iter().enumerate() {
        let at_volume = at.index(index);
        let Some(name) = volume.name.as_deref() else {
            out.add(at_volume.field("name"), "must not be empty");
            continue;
        };
        let first = known.insert(name, Some(volume)).is_none();
        out.check(first, &at, format!("Duplicate volume name '{name}'"));
        out.check(volume.sources() == 1, &at_volume, "must have exactly one source");
        if let Some(secret) = &volume.secret {
            check_secret(secret, &at_volume.field("secret"), out);
        }
    }
    if template.settings.cloudsql_instances.is_some() {
        known.entry(CLOUDSQL).or_insert(None);
    }
    for (index, container) in template.containers.iter().enumerate() {
        let at = api.template().field("containers").index(index).field("volumeMounts");
        for (number, mount) in container.volume_mounts.iter().enumerate() {
            check_mount(mount, &known, &at.index(number), out);
        }
    }
}

fn check_secret(secret: &SecretVolume, at: &FieldPath, out: &mut Violations) {
    let bitmask = |mode: Option<i32>| mode.is_none_or(|mode| (0..=0o777).contains(&mode));
    let words = "if present, must be a supported unix chmod bitmask";
    out.check(secret.secret_name.is_some(), at.differs("secretName", "secret"), "must not be empty");
    out.check(bitmask(secret.default_mode), at.field("defaultMode"), words);
    for (index, item) in secret.items.iter().enumerate() {
        let at = at.field("items").index(index);
        out.check(item.key.is_some(), at.differs("key", "version"), "must not be empty");
        out.check(item.path.is_some(), at.field("path"), "must not be empty");
        out.check(bitmask(item.mode), at.field("mode"), words);
    }
}

fn check_mount(mount: &VolumeMount, known: &Volumes<'_>, at: &FieldPath, out: &mut Violations) {
    let name = mount.name.as_deref().unwrap_or_default();
    let path = mount.mount_path.as_deref().unwrap_or_default();
    let volume = known.get(name);
    out.check(
        volume.is_some(),
        at.field("name"),
        format!("refers to volumes which were not found in volumes list: '{name}'"),
    );
    if volume == Some(&None) {
        let good = path.is_empty() || path.trim_end_matches('/') == "/cloudsql";
        out.check(good, at.field("mountPath"), "Cloud SQL instances can only be mounted at '/cloudsql'");
        return;
    }
    let secret = volume.copied().flatten().is_some_and(|volume| volume.secret.is_some());
    out.check(
        !secret || mount.sub_path.is_none(),
        at.field("subPath"),
        format!("mount of the secret volume '{name}' cannot have sub_path set"),
    );
    out.check(
        path.starts_with('/') && !path.contains(':'),
        at.field("mountPath"),
        "must be a valid unix absolute path",
    );
    let system = SYSTEM.iter().any(|root| path == *root || path.starts_with(&format!("{root}/")));
    out.check(
        !system,
        at.field("mountPath"),
        "mount paths are in one of disallowed mount points /dev, /proc, /sys",
    );
}
