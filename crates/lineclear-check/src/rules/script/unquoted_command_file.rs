//! `unquoted-command-file`: a path with a blank in it would not be one word.

use lineclear_shell::{Language, Part, Quoting, RedirectKind};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unquoted-command-file.md`.
#[derive(Debug)]
pub(super) struct UnquotedCommandFile;

static META: RuleMeta = RuleMeta {
    id: "unquoted-command-file",
    summary: "a runner's file without quotes",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("unquoted-command-file"),
};

impl Rule for UnquotedCommandFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, shells::COMMAND_FILES) {
            let script = site.script();
            let of_commands = script.commands.iter().flat_map(|command| &command.redirects);
            for redirect in of_commands.chain(script.groups.iter().flat_map(|group| &group.redirects)) {
                let Some(name) = shells::command_file(&redirect.target) else { continue };
                let is_open =
                    matches!(redirect.target.parts.as_slice(), [Part::Variable { quoting: Quoting::None, .. }]);
                if !is_open || !matches!(redirect.kind, RedirectKind::Write | RedirectKind::Append) {
                    continue;
                }
                let fix = report.wants_fixes().then(|| {
                    let span = shells::edit_span(file, site, redirect.target.span.clone())?;
                    Some(Fix::safe("quote it", vec![Edit::insert(span.start, "\""), Edit::insert(span.end, "\"")]))
                });
                report
                    .at(
                        shells::span_of_word(site, &redirect.target),
                        format!("`${name}` without quotes: a blank in the path would fail the step"),
                    )
                    .help(format!("write `\"${name}\"`"))
                    .fix(fix.flatten());
            }
        }
    }
}
