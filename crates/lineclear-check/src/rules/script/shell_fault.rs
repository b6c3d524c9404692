//! `shell-fault`: what ShellCheck says of the scripts, if it is there.

use lineclear_shell::Language;
use lineclear_source::Severity;

use super::linted::Linted;
use super::shells;
use crate::linter::{Lines, Remark, RemarkLevel, Snippet};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/shell-fault.md`.
#[derive(Debug)]
pub(super) struct ShellFault;

static META: RuleMeta = RuleMeta {
    id: "shell-fault",
    summary: "what ShellCheck says of a shell script",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("shell-fault"),
};

impl Rule for ShellFault {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if !file.scripts().iter().any(|site| dialect(site).is_some())
            || file.project().files().lint_shell(&[]).is_none()
        {
            return;
        }
        let scripts = file.scripts().iter().filter_map(|site| Some(Linted::new(site, dialect(site)?)));
        let (linted, snippets): (Vec<Linted<'_, '_>>, Vec<Snippet>) = scripts.unzip();
        let Some(remarks) = file.project().files().lint_shell(&snippets) else { return };
        for ((linted, snippet), remarks) in linted.iter().zip(&snippets).zip(&remarks) {
            let lines = Lines::new(&snippet.text);
            for remark in remarks {
                let Some(range) = lines.range(remark.place) else { continue };
                if applies(file, linted, remark, &range) {
                    linted.report(file, &lines, remark, range, report);
                }
            }
        }
    }
}

/// The script's dialect, if it is one that ShellCheck knows.
fn dialect(site: &ScriptSite<'_>) -> Option<&'static str> {
    if site.language != Some(Language::Posix) {
        return None;
    }
    match shells::shell_program(site) {
        // Plainly one of a machine with Windows, whose name does not say so.
        None if site.has_any(&["$env:", "Write-Host"]) => None,
        None | Some("bash") => Some("bash"),
        Some("sh") => Some("sh"),
        Some("dash") => Some("dash"),
        Some("ksh") => Some("ksh"),
        Some(_) => None,
    }
}

/// Remarks about texts and numbers that are constant, which the masks of expressions are.
const OF_CONSTANTS: &[&str] = &[
    "SC2078", "SC2158", "SC2159", "SC2160", "SC2161", "SC2170", "SC2242", "SC2252", "SC2072", "SC2309", "SC2221",
    "SC2222", "SC2276", "SC2282", "SC2281", "SC2288", "SC2016", "SC2034", "SC2140", "SC2086", "SC2237", "SC2319",
    "SC2320",
];

fn applies(file: &File<'_>, linted: &Linted<'_, '_>, remark: &Remark, range: &std::ops::Range<usize>) -> bool {
    let code = remark.code.as_str();
    if remark.level == RemarkLevel::Style {
        return false;
    }
    let is_of_syntax = code.starts_with("SC1");
    if linted.touches_expression(range) && (is_of_syntax || OF_CONSTANTS.contains(&code)) {
        return false;
    }
    // Where the machine is not known, the script may be one for PowerShell.
    let is_sure = linted.site.shell.is_some() || linted.site.site.job.is_none_or(|job| !has_open_machine(job));
    if is_of_syntax && !is_sure {
        return false;
    }
    // What `env` declares is handed on to programs.
    if code == "SC2034" {
        let name = remark.message.split(' ').next().unwrap_or_default();
        return shells::env_value(file, linted.site, name).is_none();
    }
    true
}

fn has_open_machine(job: &lineclear_workflow::Job) -> bool {
    use lineclear_workflow::{JobKind, RunsOn};
    let JobKind::Steps(steps) = &job.kind else { return false };
    match &steps.runs_on {
        RunsOn::Labels(labels) => labels.value.iter().any(|label| label.raw().contains("${{")),
        RunsOn::Group { .. } => true,
    }
}
