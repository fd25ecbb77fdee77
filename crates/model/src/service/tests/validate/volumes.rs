//! Volumes, where they are mounted, and connections to Cloud SQL.

use super::*;

fn empty(name: &str) -> Value {
    json!({"name": name, "emptyDir": {"medium": "Memory"}})
}

fn secret(secret: Value) -> Value {
    json!({"name": "s", "secret": secret})
}

#[track_caller]
fn volumes(list: Value, v1: &str, v2: &str, words: &str) {
    refused(
        &[(V, list)],
        &format!("spec.template.spec.volumes{v1}"),
        &format!("service.template.volumes{v2}"),
        words,
    );
}

#[test]
fn sets_of_volumes() {
    volumes(json!([empty("a"), empty("a")]), "", "", "Duplicate volume name 'a'");
    volumes(json!([{"emptyDir": {}}]), "[0].name", "[0].name", "must not be empty");
    let both = json!({"name": "a", "emptyDir": {}, "secret": {"secretName": "s"}});
    for volume in [json!({"name": "a"}), both] {
        volumes(json!([volume]), "[0]", "[0]", "must have exactly one source");
    }
    allowed(&[(V, json!([empty("a"), empty("b")]))]);
}

#[test]
fn secrets() {
    let bitmask = "if present, must be a supported unix chmod bitmask";
    for mode in [-1, 512] {
        let volume = secret(json!({"secretName": "s", "defaultMode": mode}));
        volumes(json!([volume]), "[0].secret.defaultMode", "[0].secret.default_mode", bitmask);
        let item = json!({"key": "1", "path": "p", "mode": mode});
        let at = "[0].secret.items[0].mode";
        volumes(json!([secret(json!({"secretName": "s", "items": [item]}))]), at, at, bitmask);
    }
    volumes(json!([secret(json!({}))]), "[0].secret.secretName", "[0].secret.secret", "must not be empty");
    let items = |item: Value| json!([secret(json!({"secretName": "s", "items": [item]}))]);
    let at = "[0].secret.items[0]";
    volumes(items(json!({"path": "p"})), &format!("{at}.key"), &format!("{at}.version"), "must not be empty");
    volumes(items(json!({"key": "1"})), &format!("{at}.path"), &format!("{at}.path"), "must not be empty");
    let good =
        json!({"secretName": "s", "defaultMode": 511, "items": [{"key": "latest", "path": "p", "mode": 0}]});
    allowed(&[(V, json!([secret(good)]))]);
}

#[test]
fn mounts() {
    let given = |mount: Value| {
        let list = json!([empty("a"), secret(json!({"secretName": "s"}))]);
        [(V, list), ("spec template spec containers 0 volumeMounts", json!([mount]))]
    };
    let refuse = |mount: Value, v1: &str, v2: &str, words: &str| {
        refused(
            &given(mount),
            &format!("spec.template.spec.containers[0].volumeMounts[0].{v1}"),
            &format!("service.template.containers[0].volume_mounts[0].{v2}"),
            words,
        );
    };
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let missing = |name: &str| format!("refers to volumes which were not found in volumes list: '{name}'");
    refuse(mount("b", "/b"), "name", "name", &missing("b"));
    refuse(mount("cloudsql", "/cloudsql"), "name", "name", &missing("cloudsql"));
    for path in ["", "relative", "/a:b"] {
        refuse(mount("a", path), "mountPath", "mount_path", "must be a valid unix absolute path");
    }
    for path in ["/dev", "/dev/x", "/proc/1", "/sys"] {
        let words = "mount paths are in one of disallowed mount points /dev, /proc, /sys";
        refuse(mount("a", path), "mountPath", "mount_path", words);
    }
    refuse(
        json!({"name": "s", "mountPath": "/s", "subPath": "x"}),
        "subPath",
        "sub_path",
        "mount of the secret volume 's' cannot have sub_path set",
    );
    for good in [
        mount("a", "/devices"),
        mount("a", "/"),
        json!({"name": "a", "mountPath": "/a", "subPath": "x"}),
        mount("s", "/s"),
    ] {
        allowed(&given(good));
    }
}

#[test]
fn cloud_sql() {
    let instances = "spec template metadata annotations run.googleapis.com/cloudsql-instances";
    for name in ["db", "p:l", "p:l:i:j", "p::i", "p:l:i j"] {
        refused(
            &[(instances, json!(format!("p:l:i,{name}")))],
            "spec.template.metadata.annotations[run.googleapis.com/cloudsql-instances]",
            "service.template.volumes.cloud_sql_instance.instances",
            &format!("Cloud SQL instance '{name}' must have the format project:location:instance."),
        );
    }
    allowed(&[(instances, json!("p:l:i, example.com:p:l:i"))]);
    let mounted = |path: &str| {
        let mount = json!([{"name": "cloudsql", "mountPath": path}]);
        [(instances, json!("p:l:i")), ("spec template spec containers 0 volumeMounts", mount)]
    };
    refused(
        &mounted("/sql"),
        "spec.template.spec.containers[0].volumeMounts[0].mountPath",
        "service.template.containers[0].volume_mounts[0].mount_path",
        "Cloud SQL instances can only be mounted at '/cloudsql'",
    );
    for path in ["", "/cloudsql"] {
        allowed(&mounted(path));
    }
}
