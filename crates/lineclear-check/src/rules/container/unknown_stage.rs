//! `unknown-stage`: `COPY --from` a stage that is not there.

use lineclear_dockerfile::{Dockerfile, Instruction, InstructionKind, Word};
use lineclear_source::{Severity, suggest};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-stage.md`.
#[derive(Debug)]
pub(super) struct UnknownStage;

static META: RuleMeta = RuleMeta {
    id: "unknown-stage",
    summary: "`COPY --from` a stage that is not there",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("unknown-stage"),
};

impl Rule for UnknownStage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in &dockerfile.stages {
            for word in stage.instructions.iter().flat_map(taken_from) {
                look(dockerfile, stage.index, word, report);
            }
        }
    }
}

/// The stages and images that an instruction takes files from.
fn taken_from(instruction: &Instruction) -> Vec<&Word> {
    match &instruction.kind {
        InstructionKind::Copy(transfer) => transfer.from.iter().collect(),
        InstructionKind::Run(run) => run.mounts.iter().filter_map(|mount| mount.option("from")).collect(),
        _ => Vec::new(),
    }
}

fn look(dockerfile: &Dockerfile, stage: usize, word: &Word, report: &mut Report<'_>) {
    let name = word.raw();
    if word.has_variable() || dockerfile.stage_before(stage, name).is_some() {
        return;
    }
    if name.parse::<usize>().is_ok() {
        report.at(word.span(), format!("there is no stage {name} before this one: stages count from zero"));
        return;
    }
    if let Some(later) = dockerfile.stage_before(dockerfile.stages.len(), name) {
        let message = if later.index == stage {
            format!("stage `{name}` copies from itself")
        } else {
            format!("stage `{name}` comes later: a stage can only take from those before it")
        };
        report.at(word.span(), message).label(later.from.span, "here");
        return;
    }
    // Anything else may be an image or a context of the build; only a slip of a stage's name is told.
    let names = dockerfile.stages.iter().take(stage).filter_map(|stage| stage.name());
    if let Some(near) = suggest(name, names).filter(|_| !name.contains(['/', ':'])) {
        report
            .at(word.span(), format!("there is no stage `{name}`, so it is loaded as an image; did you mean `{near}`?"))
            .help(format!("if the image is meant, name its version: `{name}:1.2`"));
    }
}
