//! `overwritten-command-file`: `>` empties the file that earlier lines wrote to.

use lineclear_shell::{Language, Redirect, RedirectKind};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/overwritten-command-file.md`.
#[derive(Debug)]
pub(super) struct OverwrittenCommandFile;

static META: RuleMeta = RuleMeta {
    id: "overwritten-command-file",
    summary: "what a script wrote for later steps is overwritten",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("overwritten-command-file"),
};

impl Rule for OverwrittenCommandFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, shells::COMMAND_FILES) {
            let script = site.script();
            let mut written: Vec<(&str, lineclear_source::Span)> = Vec::new();
            let of_commands = script.commands.iter().flat_map(|command| &command.redirects);
            let mut redirects: Vec<&Redirect> =
                of_commands.chain(script.groups.iter().flat_map(|group| &group.redirects)).collect();
            redirects.sort_by_key(|redirect| redirect.span.start);
            for redirect in redirects {
                let Some(name) = shells::command_file(&redirect.target) else { continue };
                let span = site.span_of(redirect.span.clone());
                if redirect.kind == RedirectKind::Write
                    && let Some((_, earlier)) = written.iter().find(|(other, _)| *other == name)
                {
                    let sign = site.raw().get(redirect.span.clone()).and_then(|text| text.find('>'));
                    let fix = sign.filter(|_| report.wants_fixes()).and_then(|at| {
                        let at = redirect.span.start + at;
                        let edit = Edit::replace(shells::edit_span(file, site, at..at + 1)?, ">>");
                        Some(Fix::safe("append with `>>`", vec![edit]))
                    });
                    report
                        .at(span, format!("`>` empties `{name}`: what the script wrote to it before is lost"))
                        .label(*earlier, "written here")
                        .help("use `>>`")
                        .fix(fix);
                }
                if matches!(redirect.kind, RedirectKind::Write | RedirectKind::Append) {
                    written.push((name, span));
                }
            }
        }
    }
}
