//! `unused-stage`: a stage that nothing uses.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unused-stage.md`.
#[derive(Debug)]
pub(super) struct UnusedStage;

static META: RuleMeta = RuleMeta {
    id: "unused-stage",
    summary: "a stage that nothing uses",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("unused-stage"),
};

impl Rule for UnusedStage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        let Some(last) = dockerfile.last_stage() else { return };
        // Most files have one stage or name all of them.
        if dockerfile.stages.len() < 2
            || dockerfile.stages.iter().all(|stage| stage.name().is_some() || stage.index == last.index)
        {
            return;
        }
        let mut needed = vec![false; dockerfile.stages.len()];
        // A stage with a name may be built on its own.
        for stage in dockerfile.stages.iter().filter(|stage| stage.name().is_some() || stage.index == last.index) {
            for (all, one) in needed.iter_mut().zip(dockerfile.needed_by(stage)) {
                *all |= one;
            }
        }
        for stage in dockerfile.stages.iter().filter(|stage| needed.get(stage.index) == Some(&false)) {
            report
                .at(stage.from.span, format!("nothing uses stage {}, and it has no name to build it by", stage.index))
                .help("remove it, give it a name (`AS name`), or copy from it what was meant to be copied");
        }
    }
}
