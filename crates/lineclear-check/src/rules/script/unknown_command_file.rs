//! `unknown-command-file`: `$GITHUB_OUTPUTS` is empty, and so is what was written to it.

use lineclear_shell::{Language, Part, Word};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/unknown-command-file.md`.
#[derive(Debug)]
pub(super) struct UnknownCommandFile;

static META: RuleMeta = RuleMeta {
    id: "unknown-command-file",
    summary: "a file of the runner is called by a name that it does not have",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("unknown-command-file"),
};

impl Rule for UnknownCommandFile {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in shells::scripts_with(file, Language::Posix, &["GITHUB_", "github_"]) {
            for command in &site.script().commands {
                let of_tee = command
                    .program()
                    .filter(|(program, _)| *program == "tee")
                    .map_or(&[][..], |(_, arguments)| arguments);
                for word in command.redirects.iter().map(|redirect| &redirect.target).chain(of_tee) {
                    check_word(file, site, word, report);
                }
            }
            for group in &site.script().groups {
                group.redirects.iter().for_each(|redirect| check_word(file, site, &redirect.target, report));
            }
        }
    }
}

fn check_word(file: &File<'_>, site: &ScriptSite<'_>, word: &Word, report: &mut Report<'_>) {
    let [Part::Variable { name, span, .. }] = word.parts.as_slice() else { return };
    let is_known = shells::COMMAND_FILES.contains(&name.as_str()) || KNOWN.contains(&name.as_str());
    let is_like = name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("GITHUB_"));
    let is_set = || {
        let assigned = site.script().commands.iter().flat_map(|command| &command.assignments);
        assigned.into_iter().any(|assignment| assignment.name == *name) || shells::env_value(file, site, name).is_some()
    };
    if is_known || !is_like || is_set() {
        return;
    }
    let upper = name.to_ascii_uppercase();
    let Some(near) = lineclear_source::suggest(&upper, shells::COMMAND_FILES.iter().copied()) else { return };
    let place = site
        .raw()
        .get(span.clone())
        .and_then(|text| text.find(name.as_str()))
        .map(|at| span.start + at..span.start + at + name.len());
    let fix = place.filter(|_| report.wants_fixes()).and_then(|place| {
        let edit = Edit::replace(shells::edit_span(file, site, place)?, near);
        Some(Fix::safe(format!("write `{near}`"), vec![edit]))
    });
    report
        .at(
            shells::span_of_word(site, word),
            format!("there is no `{name}`: the step fails, for the name of the file is empty; did you mean `{near}`?"),
        )
        .fix(fix);
}

/// Other files that the runner names.
const KNOWN: &[&str] = &["GITHUB_EVENT_PATH", "GITHUB_WORKSPACE", "GITHUB_ACTION_PATH"];
