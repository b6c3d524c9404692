//! `lost-pipe-failure`: without `pipefail`, only the last command of a pipeline counts.

use lineclear_shell::{Command, Connector, Language, Script};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/lost-pipe-failure.md`.
#[derive(Debug)]
pub(super) struct LostPipeFailure;

static META: RuleMeta = RuleMeta {
    id: "lost-pipe-failure",
    summary: "a pipeline whose failure the default shell does not see",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("lost-pipe-failure"),
};

impl Rule for LostPipeFailure {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, &["|"]) {
            if !shells::is_default_bash(site) || site.has_any(&["pipefail", "PIPESTATUS"]) {
                continue;
            }
            let script = site.script();
            // One for each script: the repair is the same for all of them.
            let lost = script.commands.iter().find_map(|command| lost(script, command).map(|lost| (lost, command)));
            let Some(((program, loses), last)) = lost else { continue };
            let fix = report
                .wants_fixes()
                .then(|| Fix::review("add `shell: bash`", vec![shells::add_to_step(file, site, "shell: bash")]));
            report
                .at(
                    shells::span_of_command(site, last),
                    format!("the pipeline succeeds even if `{program}` fails: the default shell has no `pipefail`"),
                )
                .label(shells::span_of_command(site, loses), "its failure is lost")
                .help(
                    "add `shell: bash` to the step, which runs it with `-o pipefail`, or begin with `set -o pipefail`",
                )
                .fix(fix);
        }
    }
}

/// If the command ends a pipeline and cannot fail itself, the one before whose failure is lost.
fn lost<'s>(script: &'s Script, last: &Command) -> Option<(&'s str, &'s Command)> {
    let ends = last.connector != Connector::Pipe && !last.is_condition && last.inside.is_none();
    let passes_on = last.program().is_some_and(|(program, _)| {
        matches!(program, "tee" | "cat" | "ts" | "sed" | "awk" | "column" | "xcpretty" | "xcbeautify" | "less" | "tail")
    });
    if !ends || !passes_on {
        return None;
    }
    let mut from = last.reads_from;
    while let Some(source) = from.and_then(|at| script.commands.get(at)) {
        if let Some((program, _)) = source.program()
            && matters(program)
            && !source.is_condition
        {
            return Some((program, source));
        }
        from = source.reads_from;
    }
    None
}

/// Whether the program's failure says something: those that only print or look for text do not count.
fn matters(program: &str) -> bool {
    const PRINT: &[&str] = &[
        "echo",
        "printf",
        "cat",
        "yes",
        "ls",
        "find",
        "grep",
        "egrep",
        "fgrep",
        "rg",
        "env",
        "printenv",
        "date",
        "uname",
        "head",
        "tail",
        "sed",
        "awk",
        "tr",
        "cut",
        "sort",
        "uniq",
        "wc",
        "seq",
        "jq",
        "tee",
        "which",
        "command",
        "type",
        "git",
        "ps",
        "df",
        "du",
        "set",
        "history",
        "id",
        "hostname",
        "xargs",
        "true",
        "false",
        "sleep",
        "test",
        "[",
        "[[",
        "for",
        "case",
        "read",
        "base64",
        "dpkg",
        "stat",
        "tree",
        "file",
        "pwd",
        "basename",
        "dirname",
        "sha256sum",
        "md5sum",
        "column",
        "comm",
        "diff",
        "nl",
        "rev",
        "fold",
        "expand",
        "tac",
    ];
    !PRINT.contains(&program) && !program.starts_with('$')
}
