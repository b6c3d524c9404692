//! `undeclared-build-argument`: a variable that no `ARG` or `ENV` gives a value.

use lineclear_dockerfile::{Base, Dockerfile, Instruction, InstructionKind, Stage, Word};
use lineclear_source::{Severity, suggest};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/undeclared-build-argument.md`.
#[derive(Debug)]
pub(super) struct UndeclaredBuildArgument;

static META: RuleMeta = RuleMeta {
    id: "undeclared-build-argument",
    summary: "a variable that no `ARG` or `ENV` gives a value",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("undeclared-build-argument"),
};

impl Rule for UndeclaredBuildArgument {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in &dockerfile.stages {
            of_from(dockerfile, stage, report);
            if !dockerfile.arguments.is_empty() {
                of_stage(dockerfile, stage, report);
            }
        }
    }
}

/// Known in every `FROM` without `ARG`.
fn is_given(name: &str) -> bool {
    name.starts_with("TARGET") || name.starts_with("BUILD")
}

fn of_from(dockerfile: &Dockerfile, stage: &Stage, report: &mut Report<'_>) {
    for word in [Some(&stage.from.image), stage.from.platform.as_ref()].into_iter().flatten() {
        for variable in word.variables(dockerfile.escape) {
            let is_known = dockerfile.arguments.iter().any(|argument| argument.name.raw() == variable.name);
            if is_known || is_given(variable.name) || variable.operator.is_some() {
                continue;
            }
            let names = dockerfile.arguments.iter().map(|argument| argument.name.raw());
            let near =
                suggest(variable.name, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            report
                .at(
                    word.span_of(variable.range),
                    format!("no `ARG {}` stands before the first `FROM`, so this is empty{near}", variable.name),
                )
                .severity(Severity::Error)
                .help("only the arguments before the first `FROM` are known here");
        }
    }
}

/// A global argument that the stage does not declare is empty in it.
fn of_stage(dockerfile: &Dockerfile, stage: &Stage, report: &mut Report<'_>) {
    let before: Vec<&Instruction> = dockerfile.lineage(stage).skip(1).flat_map(|stage| &stage.instructions).collect();
    for (at, instruction) in stage.instructions.iter().enumerate() {
        for word in words(instruction) {
            for variable in word.variables(dockerfile.escape) {
                let Some(global) = dockerfile.arguments.iter().find(|argument| argument.name.raw() == variable.name)
                else {
                    continue;
                };
                let mut earlier = before.iter().copied().chain(stage.instructions.iter().take(at));
                // The image may have a variable of this name; only a stage that builds upon nothing or an image of known content would tell.
                if variable.operator.is_some()
                    || earlier.any(|instruction| declares(instruction, variable.name))
                    || stage.from.base == Base::Scratch && variable.name == "PATH"
                {
                    continue;
                }
                report
                    .at(
                        word.span_of(variable.range),
                        format!(
                            "`{0}` is empty here: the `ARG {0}` before the first `FROM` holds for `FROM` only",
                            variable.name
                        ),
                    )
                    .label(global.name.span(), "declared here")
                    .help(format!("add `ARG {}` to this stage, without a value", variable.name));
            }
        }
    }
}

fn declares(instruction: &Instruction, name: &str) -> bool {
    match &instruction.kind {
        InstructionKind::Arg(arguments) => arguments.iter().any(|argument| argument.name.raw() == name),
        InstructionKind::Env(pairs) => pairs.iter().any(|pair| pair.name.raw() == name),
        _ => false,
    }
}

/// The words that the builder puts variables into.
fn words(instruction: &Instruction) -> Vec<&Word> {
    match &instruction.kind {
        InstructionKind::Copy(transfer) | InstructionKind::Add(transfer) => {
            transfer.sources.iter().chain([&transfer.destination]).chain(&transfer.from).collect()
        }
        InstructionKind::Env(pairs) | InstructionKind::Label(pairs) => pairs.iter().map(|pair| &pair.value).collect(),
        InstructionKind::Arg(arguments) => arguments.iter().filter_map(|argument| argument.default.as_ref()).collect(),
        InstructionKind::Workdir(word) | InstructionKind::User(word) | InstructionKind::StopSignal(word) => vec![word],
        InstructionKind::Expose(words) | InstructionKind::Volume(words) => words.iter().collect(),
        _ => Vec::new(),
    }
}
