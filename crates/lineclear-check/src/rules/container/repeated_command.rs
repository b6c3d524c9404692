//! `repeated-command`: of several `CMD`, `ENTRYPOINT` or `HEALTHCHECK` only the last counts.

use lineclear_dockerfile::{Instruction, InstructionKind};
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/repeated-command.md`.
#[derive(Debug)]
pub(super) struct RepeatedCommand;

static META: RuleMeta = RuleMeta {
    id: "repeated-command",
    summary: "of several `CMD`, `ENTRYPOINT` or `HEALTHCHECK` only the last counts",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("repeated-command"),
};

impl Rule for RepeatedCommand {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        for stage in &dockerfile.stages {
            // From the end: the last of each name is the one that counts.
            let mut counts: Vec<(&str, &Instruction)> = Vec::new();
            for instruction in stage.instructions.iter().rev() {
                let Some(name) = name(instruction) else { continue };
                match counts.iter().find(|(other, _)| *other == name) {
                    Some((_, last)) => {
                        report
                            .at(
                                instruction.keyword.span(),
                                format!("this `{name}` does nothing: only the last of a stage counts"),
                            )
                            .label(last.span, "this one counts")
                            .help("remove it, or join the two");
                    }
                    None => counts.push((name, instruction)),
                }
            }
        }
    }
}

fn name(instruction: &Instruction) -> Option<&'static str> {
    match instruction.kind {
        InstructionKind::Cmd(_) => Some("CMD"),
        InstructionKind::Entrypoint(_) => Some("ENTRYPOINT"),
        InstructionKind::Healthcheck(_) => Some("HEALTHCHECK"),
        _ => None,
    }
}
