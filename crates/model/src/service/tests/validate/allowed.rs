//! What deployments really ask for is allowed.

use super::*;

/// Shaped as gcloud sends them: empty names, maps and statuses among the settings of the flags.
#[test]
fn bodies_of_gcloud() {
    let client = json!("gcloud");
    let metadata: [Edit<'_>; 2] = [
        ("metadata annotations run.googleapis.com/client-name", client.clone()),
        ("status address", json!({})),
    ];
    let flags = json!({
        "autoscaling.knative.dev/maxScale": "5", "autoscaling.knative.dev/minScale": "1",
        "run.googleapis.com/client-name": "gcloud",
        "run.googleapis.com/cloudsql-instances": "demo-project:us-central1:inst1",
        "run.googleapis.com/cpu-throttling": "False", "run.googleapis.com/execution-environment": "gen2",
        "run.googleapis.com/network-interfaces":
            "[{\"network\": \"default\", \"subnetwork\": \"default\", \"tags\": [\"t1\"]}]",
        "run.googleapis.com/startup-cpu-boost": "True",
        "run.googleapis.com/vpc-access-egress": "private-ranges-only",
    });
    let many = json!({
        "containerConcurrency": 10, "nodeSelector": {}, "timeoutSeconds": 60,
        "serviceAccountName": "sa1@demo-project.iam.gserviceaccount.com",
        "containers": [{
            "name": "", "image": "us-docker.pkg.dev/cloudrun/container/hello",
            "args": ["--verbose"], "command": ["/bin/app"],
            "env": [{"name": "S", "valueFrom": {"secretKeyRef": {"key": "latest", "name": "mysecret"}}}],
            "livenessProbe": {"httpGet": {"path": "/live"}},
            "startupProbe": {"httpGet": {"path": "/healthz"}, "periodSeconds": 5},
            "ports": [{"containerPort": 9000, "name": "h2c"}],
            "resources": {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {}},
            "volumeMounts": [{"mountPath": "/secrets", "name": "other-dox-dam-heq"}],
        }],
        "volumes": [{"name": "other-dox-dam-heq", "secret": {"items": [{"key": "3", "path": "k"}], "secretName": "other"}}],
    });
    let sidecar = json!({
        "nodeSelector": {}, "volumes": [{"name": "cache", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}],
        "containers": [
            {"name": "app", "image": "us-docker.pkg.dev/p/r/app", "ports": [{"containerPort": 8080}],
             "resources": {"limits": {"cpu": "1"}, "requests": {}}, "startupProbe": {"tcpSocket": {"port": 8080}}},
            {"name": "db", "image": "us-docker.pkg.dev/p/r/db", "startupProbe": {"tcpSocket": {"port": 5432}},
             "volumeMounts": [{"mountPath": "/cache", "name": "cache"}]},
        ],
    });
    let beta = json!({
        "run.googleapis.com/health-check-disabled": "True",
        "run.googleapis.com/mesh": "projects/demo-project/locations/global/meshes/m1",
    });
    let gpu = json!({
        "nodeSelector": {"run.googleapis.com/accelerator": "nvidia-l4"},
        "containers": [{"image": "i", "resources": {"limits": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}}}],
    });
    let small = json!({"nodeSelector": {}, "containers": [{"image": "i", "name": ""}]});
    let bodies = [
        (flags, many),
        (json!({"run.googleapis.com/container-dependencies": "{\"app\": [\"db\"]}"}), sidecar),
        (beta, small),
        (json!({"run.googleapis.com/gpu-zonal-redundancy-disabled": "True"}), gpu.clone()),
        (json!({"run.googleapis.com/cpu-throttling": "False"}), gpu),
    ];
    for (annotations, template) in bodies {
        let mut edits = metadata.to_vec();
        edits.push(("spec template metadata annotations", annotations));
        edits.push(("spec template spec", template));
        allowed(&edits);
    }
}

/// A revision that gets traffic keeps what is filled in: the second write is checked as the first.
#[test]
fn what_is_filled_in_is_allowed() {
    let mut spec = spec(&[]);
    for _ in 0..2 {
        defaults::fill(&mut spec, &id());
        assert_eq!(validate::check(&spec, &id(), Api::V1).map_err(|error| lines(&error)), Ok(()));
    }
}

/// Each name by which `validate` looks a setting up is a row of the tables.
#[test]
fn settings_that_are_checked_together_are_rows() {
    let rows: Vec<&str> = crate::service::TemplateSettings::ROWS.iter().map(|row| row.name).collect();
    let names =
        ["execution_environment", "cpu_idle", "network_interfaces", "vpc_egress", "container_dependencies"];
    for name in names {
        assert!(rows.contains(&name), "{name}");
    }
}
