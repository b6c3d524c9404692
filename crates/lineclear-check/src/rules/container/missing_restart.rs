//! `missing-restart`: a delivered service that stays down once it has fallen.

use lineclear_source::Severity;

use super::layers::{place_of, tell};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-restart.md`.
#[derive(Debug)]
pub(super) struct MissingRestart;

static META: RuleMeta = RuleMeta {
    id: "missing-restart",
    summary: "a delivered service that stays down once it has fallen",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("missing-restart"),
};

impl Rule for MissingRestart {
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
            if widest.restart.is_some() || widest.restart_policy.is_some() || layers.is_job(widest) {
                continue;
            }
            let below = layers.below(compose.service(service.name()));
            let message = format!(
                "`{}`{below} has no `restart`: after a crash or a restart of the machine it stays down",
                service.name()
            );
            tell(report, place_of(compose, service.name()), message).help("add `restart: unless-stopped`");
        }
    }
}
