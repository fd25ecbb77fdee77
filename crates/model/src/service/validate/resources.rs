//! How much CPU and memory may containers have?

use super::super::RevisionTemplate;
use super::super::container::Container;
use super::super::defaults::millicpus;
use super::super::quantity::{self, GIBIBYTE, MEBIBYTE};
use super::super::values::ExecutionEnvironment;
use super::gpu;
use crate::error::Violations;
use crate::field::FieldPath;

/// An amount of memory: in bytes, and as a quantity.
type Amount = (f64, &'static str);

/// The least and the most memory by the CPU in thousandths up to which they hold.
const MEMORY: &[(u64, Amount, Amount)] = &[
    (499, (128.0 * MEBIBYTE, "128Mi"), (512.0 * MEBIBYTE, "512Mi")),
    (999, (128.0 * MEBIBYTE, "128Mi"), (GIBIBYTE, "1Gi")),
    (1000, (128.0 * MEBIBYTE, "128Mi"), (4.0 * GIBIBYTE, "4Gi")),
    (2000, (128.0 * MEBIBYTE, "128Mi"), (8.0 * GIBIBYTE, "8Gi")),
    (4000, (2.0 * GIBIBYTE, "2Gi"), (16.0 * GIBIBYTE, "16Gi")),
    (6000, (4.0 * GIBIBYTE, "4Gi"), (24.0 * GIBIBYTE, "24Gi")),
    (8000, (4.0 * GIBIBYTE, "4Gi"), (32.0 * GIBIBYTE, "32Gi")),
];

/// The least memory of the second generation's sandbox.
const GEN2_LEAST: Amount = (512.0 * MEBIBYTE, "512Mi");

pub(super) fn check(template: &RevisionTemplate, at: &FieldPath, out: &mut Violations) {
    let gen2 = template.settings.execution_environment == Some(ExecutionEnvironment::Gen2);
    let alone = template.containers.len() == 1;
    for (index, container) in template.containers.iter().enumerate() {
        let at = at.index(index).field("resources").field("limits");
        check_limits(container, gpu::least(template, container), gen2 && alone, &at, out);
    }
    let limits = at.index(0).field("resources").field("limits");
    let cpu: u64 = template.containers.iter().map(millicpus).sum();
    if cpu < 1000 && !template.containers.is_empty() {
        let concurrency = template.settings.max_instance_request_concurrency.unwrap_or(0);
        out.check(
            concurrency <= 1,
            limits.limit("cpu"),
            "Invalid value specified for cpu. Total cpu < 1 is not supported with concurrency > 1.",
        );
        out.check(
            template.settings.cpu_idle != Some(false),
            limits.limit("cpu"),
            "Invalid value specified for cpu. Total cpu < 1 is not supported with cpu always allocated.",
        );
    }
    // Containers share one sandbox: together they must have what it needs.
    let memory: Option<f64> =
        template.containers.iter().map(|one| quantity::bytes(one.limit("memory")?).ok()).sum();
    if gen2 && !alone && memory.is_some_and(|memory| memory < GEN2_LEAST.0) && !template.containers.is_empty()
    {
        out.add(
            limits.limit("memory"),
            format!(
                "Invalid value specified for container memory with gen2 execution environment. All containers \
                 together must have at least {}.",
                GEN2_LEAST.1
            ),
        );
    }
}

/// `least` is what the container's GPU demands.
fn check_limits(
    container: &Container,
    least: Option<gpu::Least>,
    gen2: bool,
    at: &FieldPath,
    out: &mut Violations,
) {
    let cpu = millicpus(container);
    let limits = container.resources.iter().flat_map(|resources| &resources.limits);
    for (name, value) in limits {
        let path = at.limit(name);
        let outcome = match name.as_str() {
            "cpu" => check_cpu(value, least),
            // A CPU that is refused is refused once, and not again by the memory that would follow from it.
            "memory" if !is_usual(cpu) || least.is_some_and(|least| cpu < least.cpu) => {
                quantity::bytes(value).map(drop)
            }
            "memory" => check_memory(value, cpu, gen2),
            gpu::RESOURCE if value == "1" => Ok(()),
            gpu::RESOURCE => Err("GPU can only be set to 1".to_owned()),
            _ => {
                let words = "only 'cpu', 'memory' and 'nvidia.com/gpu' limits are supported, not";
                out.add(at, format!("{words} '{name}'"));
                Ok(())
            }
        };
        if let Err(problem) = outcome {
            out.add(path, problem);
        }
    }
}

/// Whether a container without a large GPU may have this CPU, in thousandths.
const fn is_usual(cpu: u64) -> bool {
    matches!(cpu, 80..=1000 | 2000 | 4000 | 6000 | 8000)
}

fn check_cpu(value: &str, least: Option<gpu::Least>) -> Result<(), String> {
    let Some(cpu) = quantity::millicpus(value) else {
        return Err(format!("Could not parse Quantity '{value}'"));
    };
    // A large GPU demands more CPU than there is without one.
    let large = least.is_some_and(|least| least.cpu > 8000);
    if is_usual(cpu) || (large && cpu % 1000 == 0) {
        return Ok(());
    }
    Err(format!(
        "Invalid value specified for cpu: '{value}'. Must be equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0"
    ))
}

fn check_memory(value: &str, cpu: u64, gen2: bool) -> Result<(), String> {
    let bytes = quantity::bytes(value)?;
    let Some((_, least, most)) = MEMORY.iter().find(|(most_cpu, ..)| cpu <= *most_cpu) else { return Ok(()) };
    let least = if gen2 && least.0 < GEN2_LEAST.0 { GEN2_LEAST } else { *least };
    if (least.0..=most.0).contains(&bytes) {
        return Ok(());
    }
    let environment = if gen2 { " with gen2 execution environment" } else { "" };
    Err(format!(
        "Invalid value specified for container memory{environment}. For {} CPU, memory must be between {} and {} \
         inclusive.\nFor more troubleshooting guidance, see \
         https://cloud.google.com/run/docs/configuring/memory-limits",
        cpus(cpu),
        least.1,
        most.1
    ))
}

/// Thousandths as CPUs, with a fraction in any case: `1.0`, `0.25`.
fn cpus(milli: u64) -> String {
    let fraction = format!("{:03}", milli % 1000);
    let short = fraction.trim_end_matches('0');
    format!("{}.{}", milli / 1000, if short.is_empty() { "0" } else { short })
}
