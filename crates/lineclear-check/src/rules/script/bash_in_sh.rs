//! `bash-in-sh`: in a container, the default shell is `sh`.

use lineclear_shell::{Command, Language, Part, RedirectKind, Script};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/bash-in-sh.md`.
#[derive(Debug)]
pub(super) struct BashInSh;

static META: RuleMeta = RuleMeta {
    id: "bash-in-sh",
    summary: "syntax of bash in a script that `sh` runs",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("bash-in-sh"),
};

impl Rule for BashInSh {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.scripts().iter().filter(|site| site.language == Some(Language::Posix)) {
            let Some(why) = runs_by_sh(site) else { continue };
            let Some((span, what)) = first_of_bash(site.raw(), site.script()) else { continue };
            let fix = (report.wants_fixes() && site.shell.is_none())
                .then(|| Fix::review("add `shell: bash`", vec![shells::add_to_step(file, site, "shell: bash")]));
            report
                .at(site.span_of(span), format!("{what} is bash's, but {why}"))
                .help("add `shell: bash` if the machine has it, or write it as `sh` knows it")
                .fix(fix);
        }
    }
}

/// Why a `sh` runs the script that does not know bash's syntax.
fn runs_by_sh(site: &ScriptSite<'_>) -> Option<&'static str> {
    let image = shells::container_image(site.site.job);
    match shells::shell_program(site) {
        Some("sh" | "dash") => {
            // On macOS it is bash.
            let is_bash = image.is_some_and(has_bash_as_sh) || site.site.job.is_some_and(may_be_mac);
            (!is_bash).then_some("`shell: sh` runs the script")
        }
        Some(_) => None,
        None => {
            image.filter(|image| !has_bash_as_sh(image)).map(|_| "without `shell`, `sh` runs the script in a container")
        }
    }
}

/// Images whose `sh` takes most of bash's syntax: it is bash itself, or busybox.
fn has_bash_as_sh(image: &str) -> bool {
    const NAMES: &[&str] = &[
        "alpine",
        "busybox",
        "fedora",
        "centos",
        "rocky",
        "alma",
        "ubi",
        "redhat",
        "rhel",
        "oracle",
        "arch",
        "amazon",
        "suse",
        "manylinux",
        "${{",
        "mcr.microsoft.com/windows",
    ];
    NAMES.iter().any(|name| image.contains(name))
}

fn may_be_mac(job: &lineclear_workflow::Job) -> bool {
    use lineclear_workflow::{JobKind, RunsOn};
    let JobKind::Steps(steps) = &job.kind else { return true };
    match &steps.runs_on {
        RunsOn::Labels(labels) => {
            labels.value.iter().any(|label| label.raw().contains("mac") || label.raw().contains("${{"))
        }
        RunsOn::Group { .. } => true,
    }
}

/// The first thing that only bash understands.
fn first_of_bash(text: &str, script: &Script) -> Option<(std::ops::Range<usize>, String)> {
    script
        .commands
        .iter()
        .enumerate()
        .filter(|(_, command)| !is_of_other_shell(script, command))
        .find_map(|(_, command)| of_bash(text, command))
}

/// Whether the command is one of `bash -c '…'`.
fn is_of_other_shell(script: &Script, command: &Command) -> bool {
    let mut inside = shells::holder(script, command);
    while let Some(holder) = inside {
        if holder.program().is_some_and(|(program, _)| matches!(program, "bash" | "zsh")) {
            return true;
        }
        inside = shells::holder(script, holder);
    }
    false
}

fn of_bash(text: &str, command: &Command) -> Option<(std::ops::Range<usize>, String)> {
    if let Some(first) = command.words.first() {
        let name = first.text.as_str();
        let is_name = matches!(
            name,
            "[[" | "source" | "declare" | "typeset" | "shopt" | "pushd" | "popd" | "mapfile" | "readarray"
        );
        if is_name || name.starts_with("((") {
            return Some((first.span.clone(), format!("`{}`", if is_name { name } else { "(( ))" })));
        }
        if name == "set"
            && let Some(word) = command.words.iter().find(|word| word.text == "pipefail")
        {
            return Some((word.span.clone(), "`pipefail`".to_owned()));
        }
    }
    for assignment in &command.assignments {
        if text.as_bytes().get(assignment.value.span.start) == Some(&b'(') {
            return Some((assignment.span.clone(), "an array".to_owned()));
        }
    }
    for redirect in &command.redirects {
        if redirect.kind == RedirectKind::HereString {
            return Some((redirect.span.clone(), "`<<<`".to_owned()));
        }
    }
    let assigned = command.assignments.iter().map(|assignment| &assignment.value);
    for word in command.words.iter().chain(assigned) {
        for part in &word.parts {
            let span = part.span();
            let written = text.get(span.clone()).unwrap_or_default();
            let found = match part {
                Part::Variable { name, .. } => {
                    let behind = written
                        .strip_prefix("${")
                        .and_then(|rest| rest.strip_prefix(name.as_str()))
                        .unwrap_or_default();
                    let is_slice = behind
                        .strip_prefix(':')
                        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
                    behind.starts_with(['^', ',', '/', '[', '@']) || is_slice || written.starts_with("${!")
                }
                Part::Substitution { .. } => written.starts_with("<(") || written.starts_with(">("),
                _ => false,
            };
            if found {
                let shown = lineclear_source::shortened(written, 40);
                return Some((span, format!("`{shown}`")));
            }
        }
    }
    None
}
