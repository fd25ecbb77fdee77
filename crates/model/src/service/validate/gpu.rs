//! What does a GPU demand of the revision?

use super::super::RevisionTemplate;
use super::super::container::Container;
use super::super::defaults::millicpus;
use super::super::quantity::{self, GIBIBYTE};
use super::super::values::ExecutionEnvironment;
use super::template_setting;
use crate::error::Violations;
use crate::field::Api;

/// The resource that asks for a GPU.
pub(super) const RESOURCE: &str = "nvidia.com/gpu";

/// The least that a container with a GPU must have: CPU in thousandths, memory in GiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Least {
    pub(super) cpu: u64,
    memory: u32,
}

pub(super) fn check(template: &RevisionTemplate, api: Api, out: &mut Violations) {
    let at = api.template().field("containers");
    let mut with_gpu = 0;
    for (index, container) in template.containers.iter().enumerate() {
        let Some(least) = least(template, container) else { continue };
        with_gpu += 1;
        let memory = container.limit("memory").map(quantity::bytes);
        let enough = memory
            .is_none_or(|memory| memory.is_ok_and(|memory| memory >= f64::from(least.memory) * GIBIBYTE));
        out.check(
            millicpus(container) >= least.cpu && enough,
            at.index(index).field("resources").field("limits"),
            format!(
                "To set GPU, CPU must be at least {}; memory must be at least {}Gi",
                least.cpu / 1000,
                least.memory
            ),
        );
    }
    if with_gpu == 0 {
        return;
    }
    out.check(with_gpu == 1, &at, "GPU can only be set on one container");
    // Unset means the second generation for a revision with a GPU.
    out.check(
        template.settings.execution_environment != Some(ExecutionEnvironment::Gen1),
        template_setting("execution_environment", api),
        "Execution environment must be set to gen2 in order to set GPU",
    );
    out.check(
        template.settings.cpu_idle != Some(true),
        template_setting("cpu_idle", api),
        "CPU must be always allocated in order to set GPU",
    );
}

/// The least that the container must have for its GPU; `None` if it has no GPU. A GPU of no kind is an L4,
/// as gcloud documents it.
pub(super) fn least(template: &RevisionTemplate, container: &Container) -> Option<Least> {
    container.limit(RESOURCE)?;
    Some(match template.settings.accelerator.as_deref() {
        Some("nvidia-rtx-pro-6000") => Least { cpu: 20_000, memory: 80 },
        _ => Least { cpu: 4000, memory: 16 },
    })
}
