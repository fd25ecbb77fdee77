//! CPU, memory and GPU.

use super::*;

/// What the limits of the only container and the settings of its template are refused with.
#[track_caller]
fn limits(limits: Value, more: &[Edit<'_>], part: &str, words: &str) {
    let mut when = vec![("spec template spec containers 0 resources", json!({"limits": limits}))];
    when.extend_from_slice(more);
    refused(
        &when,
        &format!("spec.template.spec.containers[0].resources.limits{part}"),
        &format!("service.template.containers[0].resources.limits{part}"),
        words,
    );
}

#[track_caller]
fn fits(limits: Value, more: &[Edit<'_>]) {
    let mut when = vec![("spec template spec containers 0 resources", json!({"limits": limits}))];
    when.extend_from_slice(more);
    allowed(&when);
}

const CONCURRENCY: &str = "spec template spec containerConcurrency";
const GEN: &str = "spec template metadata annotations run.googleapis.com/execution-environment";
const THROTTLING: &str = "spec template metadata annotations run.googleapis.com/cpu-throttling";
const ACCELERATOR: &str = "spec template spec nodeSelector run.googleapis.com/accelerator";

#[test]
fn cpu() {
    for value in ["3", "0.079", "1.5", "16", "1001m", "5", "7"] {
        let words = format!(
            "Invalid value specified for cpu: '{value}'. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0"
        );
        limits(json!({"cpu": value, "memory": "4Gi"}), &[], ".cpu", &words.clone());
    }
    limits(json!({"cpu": "one"}), &[], ".cpu", "Could not parse Quantity 'one'");
    for value in ["0.08", "80m", "999m", "1", "2000m", "2.0"] {
        fits(json!({"cpu": value}), &[]);
    }
    for value in ["4", "6", "8"] {
        fits(json!({"cpu": value, "memory": "4Gi"}), &[]);
    }
    let words = "only 'cpu', 'memory' and 'nvidia.com/gpu' limits are supported, not 'disk'";
    limits(json!({"disk": "1Gi"}), &[], "", words);
}

#[test]
fn less_than_one_cpu() {
    let below = |words: &str| {
        format!("Invalid value specified for cpu. Total cpu < 1 is not supported with {words}.")
    };
    limits(json!({"cpu": "999m"}), &[(CONCURRENCY, json!(2))], ".cpu", &below("concurrency > 1"));
    limits(json!({"cpu": "999m"}), &[(THROTTLING, json!("false"))], ".cpu", &below("cpu always allocated"));
    fits(json!({"cpu": "999m"}), &[(CONCURRENCY, json!(1)), (THROTTLING, json!("true"))]);
    fits(json!({"cpu": "1"}), &[(CONCURRENCY, json!(2)), (THROTTLING, json!("false"))]);
    // The containers count together.
    let half = |port: Value| json!({"image": "app", "ports": port, "resources": {"limits": {"cpu": "500m"}}});
    allowed(&[(C, json!([half(json!([{}])), half(json!([]))])), (CONCURRENCY, json!(2))]);
}

#[test]
fn memory_that_is_no_quantity() {
    let suffix = "while parsing Quantity. Allowed values are [m, k, M, G, T, Ki, Mi, Gi, Ti, Pi, Ei]";
    limits(json!({"memory": "512MB"}), &[], ".memory", &format!("could not match suffix MB {suffix}"));
    limits(json!({"memory": "1e9"}), &[], ".memory", &format!("could not match suffix e9 {suffix}"));
    limits(json!({"memory": "Gi"}), &[], ".memory", "Could not parse Quantity 'Gi'");
}

#[test]
fn memory_by_cpu() {
    let rows = [
        ("80m", "0.08", ("128Mi", "127Mi"), ("512Mi", "513Mi")),
        ("499m", "0.499", ("134217728", "134217727"), ("0.5Gi", "0.501Gi")),
        ("0.5", "0.5", ("128Mi", "127Mi"), ("1Gi", "1025Mi")),
        ("999m", "0.999", ("128Mi", "128M"), ("1Gi", "1025Mi")),
        ("1", "1.0", ("128Mi", "127Mi"), ("4Gi", "4097Mi")),
        ("2", "2.0", ("128Mi", "127Mi"), ("8Gi", "8193Mi")),
        ("4", "4.0", ("2Gi", "2G"), ("16Gi", "16385Mi")),
        ("6", "6.0", ("4Gi", "4095Mi"), ("24Gi", "24577Mi")),
        ("8", "8.0", ("4Gi", "4095Mi"), ("32Gi", "32769Mi")),
    ];
    let words = |environment: &str, cpu: &str, least: &str, most: &str| {
        format!(
            "Invalid value specified for container memory{environment}. For {cpu} CPU, memory must be between \
             {least} and {most} inclusive.\nFor more troubleshooting guidance, see \
             https://cloud.google.com/run/docs/configuring/memory-limits"
        )
    };
    let shown = |amount: &str| match amount {
        "134217728" => "128Mi".to_owned(),
        "0.5Gi" => "512Mi".to_owned(),
        other => other.to_owned(),
    };
    for (cpu, cpus, least, most) in rows {
        let words = words("", cpus, &shown(least.0), &shown(most.0));
        for (good, bad) in [least, most] {
            fits(json!({"cpu": cpu, "memory": good}), &[]);
            limits(json!({"cpu": cpu, "memory": bad}), &[], ".memory", &words);
        }
    }
    let gen2 = [(GEN, json!("gen2"))];
    let words = words(" with gen2 execution environment", "1.0", "512Mi", "4Gi");
    limits(json!({"memory": "511Mi"}), &gen2, ".memory", &words);
    fits(json!({"memory": "512Mi"}), &gen2);
    fits(json!({"memory": "511Mi"}), &[(GEN, json!("gen1"))]);
}

#[test]
fn containers_share_the_memory_of_gen2() {
    let two = |memory: &str| {
        let one =
            |port: Value| json!({"image": "app", "ports": port, "resources": {"limits": {"memory": memory}}});
        [(C, json!([one(json!([{}])), one(json!([]))])), (GEN, json!("gen2"))]
    };
    refused(
        &two("255Mi"),
        "spec.template.spec.containers[0].resources.limits.memory",
        "service.template.containers[0].resources.limits.memory",
        "Invalid value specified for container memory with gen2 execution environment. All containers together must \
         have at least 512Mi.",
    );
    allowed(&two("256Mi"));
}

#[test]
fn gpus() {
    let gpu = |cpu: &str, memory: &str| json!({"nvidia.com/gpu": "1", "cpu": cpu, "memory": memory});
    let l4 = "To set GPU, CPU must be at least 4; memory must be at least 16Gi";
    limits(
        json!({"nvidia.com/gpu": "2", "cpu": "4", "memory": "16Gi"}),
        &[],
        ".nvidia.com/gpu",
        "GPU can only be set to 1",
    );
    limits(gpu("2", "16Gi"), &[], "", l4);
    limits(gpu("4", "15Gi"), &[], "", l4);
    limits(json!({"nvidia.com/gpu": "1"}), &[], "", l4);
    fits(gpu("4", "16Gi"), &[]);
    let own = [(ACCELERATOR, json!("nvidia-l4")), (GEN, json!("gen2")), (THROTTLING, json!("False"))];
    fits(gpu("8", "32Gi"), &own);
    let large = [(ACCELERATOR, json!("nvidia-rtx-pro-6000"))];
    let words = "To set GPU, CPU must be at least 20; memory must be at least 80Gi";
    limits(gpu("8", "32Gi"), &large, "", words);
    limits(gpu("19", "80Gi"), &large, "", words);
    limits(gpu("20", "79Gi"), &large, "", words);
    fits(gpu("20", "80Gi"), &large);
}

#[test]
fn revisions_with_gpus() {
    let gpu = json!({"limits": {"nvidia.com/gpu": "1", "cpu": "4", "memory": "16Gi"}});
    let with = |more: Edit<'static>| [("spec template spec containers 0 resources", gpu.clone()), more];
    let annotation = "spec.template.metadata.annotations[run.googleapis.com";
    refused(
        &with((GEN, json!("gen1"))),
        &format!("{annotation}/execution-environment]"),
        "service.template.execution_environment",
        "Execution environment must be set to gen2 in order to set GPU",
    );
    refused(
        &with((THROTTLING, json!("true"))),
        &format!("{annotation}/cpu-throttling]"),
        "service.template.containers.resources.cpu_idle",
        "CPU must be always allocated in order to set GPU",
    );
    refused(
        &with((ACCELERATOR, json!("nvidia-t4"))),
        "spec.template.spec.nodeSelector[run.googleapis.com/accelerator]",
        "service.template.node_selector.accelerator",
        "'nvidia-t4' is not a GPU of Cloud Run. Supported are nvidia-l4, nvidia-rtx-pro-6000.",
    );
    let one = |port: Value| json!({"image": "app", "ports": port, "resources": gpu});
    refused(
        &[(C, json!([one(json!([{}])), one(json!([]))]))],
        "spec.template.spec.containers",
        "service.template.containers",
        "GPU can only be set on one container",
    );
    allowed(&[(C, json!([one(json!([{}])), {"image": "app"}]))]);
}
