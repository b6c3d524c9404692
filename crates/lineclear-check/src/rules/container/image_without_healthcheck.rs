//! `image-without-healthcheck`: a service whose image does not say when it is healthy.

use lineclear_dockerfile::{Base, InstructionKind};
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/image-without-healthcheck.md`.
#[derive(Debug)]
pub(super) struct ImageWithoutHealthcheck;

static META: RuleMeta = RuleMeta {
    id: "image-without-healthcheck",
    summary: "a service whose image does not say when it is healthy",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("image-without-healthcheck"),
};

impl Rule for ImageWithoutHealthcheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        let Some(last) = dockerfile.last_stage() else { return };
        let mut instructions = dockerfile.lineage(last).flat_map(|stage| &stage.instructions);
        let mut port = None;
        if instructions.any(|instruction| {
            if let InstructionKind::Expose(ports) = &instruction.kind {
                port = port.or(ports.first());
            }
            matches!(instruction.kind, InstructionKind::Healthcheck(_))
        }) {
            return;
        }
        // Without a shell or a program of its own there is nothing that could look.
        let has_shell = dockerfile.lineage(last).last().is_some_and(|stage| {
            stage.from.base != Base::Scratch
                && stage.from.expanded.as_deref().is_none_or(|image| !image.contains("distroless"))
        });
        let Some(port) = port.filter(|_| has_shell) else { return };
        report
            .at(port.span(), format!("the image serves port {} and has no `HEALTHCHECK`: it counts as running as soon as its program has started", port.raw()))
            .help("add `HEALTHCHECK CMD …` with a request that only a working service answers");
    }
}
