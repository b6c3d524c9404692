//! `relative-workdir`: `WORKDIR` that depends on where it was before.

use lineclear_dockerfile::{Base, InstructionKind};
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/relative-workdir.md`.
#[derive(Debug)]
pub(super) struct RelativeWorkdir;

static META: RuleMeta = RuleMeta {
    id: "relative-workdir",
    summary: "`WORKDIR` that depends on where it was before",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("relative-workdir"),
};

impl Rule for RelativeWorkdir {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in &dockerfile.stages {
            // After an absolute one it is clear where a relative one leads; a stage's base may have had one.
            let mut is_known = stage.from.base == Base::Scratch
                || dockerfile
                    .lineage(stage)
                    .skip(1)
                    .flat_map(|stage| &stage.instructions)
                    .any(|instruction| matches!(instruction.kind, InstructionKind::Workdir(_)));
            for instruction in &stage.instructions {
                let InstructionKind::Workdir(path) = &instruction.kind else { continue };
                let raw = path.raw().trim_start_matches(['"', '\'']);
                let is_windows = raw.get(1..2) == Some(":") || raw.starts_with('\\');
                if !raw.starts_with(['/', '$', '%']) && !is_windows && !is_known {
                    report
                        .at(path.span(), format!("`{raw}` is below whatever folder the base image was left in"))
                        .help(format!("write where it is: `WORKDIR /{}`", raw.trim_start_matches("./")));
                }
                is_known = true;
            }
        }
    }
}
