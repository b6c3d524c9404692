//! `shell-form-command`: a program that a shell starts gets no signals.

use lineclear_dockerfile::{CommandLine, InstructionKind};
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/shell-form-command.md`.
#[derive(Debug)]
pub(super) struct ShellFormCommand;

static META: RuleMeta = RuleMeta {
    id: "shell-form-command",
    summary: "a program that a shell starts gets no signals",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("shell-form-command"),
};

impl Rule for ShellFormCommand {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        let Some(last) = dockerfile.last_stage() else { return };
        let instructions = || last.instructions.iter().rev();
        // With another shell the text may be what it needs.
        if instructions().any(|instruction| matches!(instruction.kind, InstructionKind::Shell(_))) {
            return;
        }
        let entrypoint = instructions().find_map(|instruction| match &instruction.kind {
            InstructionKind::Entrypoint(line) => Some((instruction, line)),
            _ => None,
        });
        let cmd = instructions().find_map(|instruction| match &instruction.kind {
            InstructionKind::Cmd(line) => Some((instruction, line)),
            _ => None,
        });
        if let Some((entrypoint, line)) = entrypoint.filter(|(_, line)| is_shell(line)) {
            if let Some((cmd, _)) = cmd {
                report
                    .at(cmd.keyword.span(), "`CMD` is ignored: the shell form of `ENTRYPOINT` takes no arguments")
                    .severity(Severity::Warning)
                    .label(entrypoint.span, "this one")
                    .help("write `ENTRYPOINT` as a JSON array");
            }
            tell("ENTRYPOINT", entrypoint, line, report);
        } else if let Some((cmd, line)) = cmd.filter(|(_, line)| is_shell(line) && entrypoint.is_none()) {
            tell("CMD", cmd, line, report);
        }
    }
}

fn is_shell(line: &CommandLine) -> bool {
    line.exec.is_none() && line.fault.is_none()
}

fn tell(name: &str, instruction: &lineclear_dockerfile::Instruction, line: &CommandLine, report: &mut Report<'_>) {
    // `exec` puts the program in the shell's place.
    if line.text.as_str().starts_with("exec ") {
        return;
    }
    report
        .at(instruction.keyword.span(), format!("a shell starts this `{name}` and keeps the signals: the program is not told to stop, but killed after ten seconds"))
        .help(format!("write `{name} [\"program\", \"argument\"]`, or begin with `exec`"));
}
