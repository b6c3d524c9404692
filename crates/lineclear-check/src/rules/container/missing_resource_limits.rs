//! `missing-resource-limits`: a delivered service that may take all of the machine.

use lineclear_source::Severity;

use super::layers::{place_of, tell};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-resource-limits.md`.
#[derive(Debug)]
pub(super) struct MissingResourceLimits;

static META: RuleMeta = RuleMeta {
    id: "missing-resource-limits",
    summary: "a delivered service that may take all of the machine",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("missing-resource-limits"),
};

impl Rule for MissingResourceLimits {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let (Some(compose), Some(layers)) = (file.compose(), file.layers()) else { return };

        if layers.is_partial() {
            return;
        }
        for service in layers.delivered(compose) {
            let Some(widest) = layers.all().service(service.name()) else { continue };
            // A processor is shared when it is short; memory that is short ends programs.
            if widest.limits.memory.is_some() || layers.is_job(service) {
                continue;
            }
            let below = layers.below(compose.service(service.name()));
            let what = if widest.limits.cpus.is_some() { "memory" } else { "memory and processor" };
            let message =
                format!("`{}`{below} has no limit of {what}: one that leaks takes the others down", service.name());
            tell(report, place_of(compose, service.name()), message)
                .help("add `deploy: { resources: { limits: { memory: 512M, cpus: '1' } } }`");
        }
    }
}
