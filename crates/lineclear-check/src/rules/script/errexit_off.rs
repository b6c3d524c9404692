//! `errexit-off`: `set +e` without an end.

use lineclear_shell::Language;
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/errexit-off.md`.
#[derive(Debug)]
pub(super) struct ErrexitOff;

static META: RuleMeta = RuleMeta {
    id: "errexit-off",
    summary: "a script goes on after failures",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("errexit-off"),
};

impl Rule for ErrexitOff {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, &["set +e", "set +o errexit"]) {
            let mut off = None;
            for command in &site.script().commands {
                let [first, option, ..] = command.words.as_slice() else { continue };
                if first.text != "set" || command.inside.is_some() {
                    continue;
                }
                let names = || command.words.iter().any(|word| word.text == "errexit");
                if option.text.starts_with('+') && (option.text.contains('e') || names()) {
                    off = Some(command);
                } else if option.text.starts_with('-') && (option.text.contains('e') || names()) {
                    off = None;
                }
            }
            if let Some(command) = off {
                report
                    .at(
                        shells::span_of_command(site, command),
                        "from here on failures are passed over up to the end of the script",
                    )
                    .help("switch it on again with `set -e`, or write `|| …` behind the one command that may fail");
            }
        }
    }
}
