//! `deprecated-command`: commands printed to the log that the runner no longer wants.

use lineclear_shell::{Command, Language};
use lineclear_source::Severity;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/deprecated-command.md`.
#[derive(Debug)]
pub(super) struct DeprecatedCommand;

static META: RuleMeta = RuleMeta {
    id: "deprecated-command",
    summary: "a workflow command that is deprecated or fails",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("deprecated-command"),
};

impl Rule for DeprecatedCommand {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.scripts() {
            for (at, old) in occurrences(site.raw()) {
                check_one(file, site, at, old, report);
            }
        }
    }
}

/// A command of old, and what took its place.
struct Old {
    name: &'static str,
    file: &'static str,
    /// Whether the runner refuses it.
    fails: bool,
}

static OLD: &[Old] = &[
    Old { name: "set-output", file: "GITHUB_OUTPUT", fails: false },
    Old { name: "save-state", file: "GITHUB_STATE", fails: false },
    Old { name: "set-env", file: "GITHUB_ENV", fails: true },
    Old { name: "add-path", file: "GITHUB_PATH", fails: true },
];

fn occurrences(text: &str) -> impl Iterator<Item = (usize, &'static Old)> {
    memchr::memmem::find_iter(text.as_bytes(), "::").filter_map(|at| {
        let rest = text.get(at + 2..)?;
        let old = OLD.iter().find(|old| rest.starts_with(old.name))?;
        let behind = rest.get(old.name.len()..)?;
        (behind.starts_with(' ') || behind.starts_with("::")).then_some((at, old))
    })
}

fn check_one(file: &File<'_>, site: &ScriptSite<'_>, at: usize, old: &Old, report: &mut Report<'_>) {
    let text = site.raw();
    let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    let command = match site.language {
        Some(_) => {
            let commands = &site.script().commands;
            commands.iter().rev().find(|command| command.span.start <= at && at < command.span.end)
        }
        None => None,
    };
    let searches = |command: &Command| {
        command.program().is_some_and(|(name, _)| matches!(name, "grep" | "sed" | "awk" | "rg" | "Select-String"))
    };
    if line.trim_start().starts_with('#') || command.is_some_and(searches) {
        return;
    }
    let span = site.span_of(at..at + 2 + old.name.len());
    // Gitea's runner still takes all of them.
    let fails = old.fails && file.dialect() == Dialect::GitHub && !allows_insecure(file, site);
    let message = if fails {
        format!("`::{}` fails the step: the runner takes it no longer", old.name)
    } else {
        format!("`::{}` is deprecated: what else is printed to the log could set values, too", old.name)
    };
    let fix = command.filter(|_| report.wants_fixes()).and_then(|command| fix(file, site, command, at, old));
    let variable = match site.language {
        Some(Language::PowerShell) => format!("$env:{}", old.file),
        Some(Language::Cmd) => format!("%{}%", old.file),
        _ => format!("${}", old.file),
    };
    let written = if old.name == "add-path" { "the path" } else { "`NAME=VALUE`" };
    report
        .at(span, message)
        .severity(if fails { Severity::Error } else { Severity::Warning })
        .help(if super::shells::is_shell_known(site) {
            format!("append {written} to the file `{variable}`")
        } else {
            format!("add `shell: bash` to the step, for not every machine may have it as its default, and append {written} to the file `{variable}`")
        })
        .fix(fix);
}

fn allows_insecure(file: &File<'_>, site: &ScriptSite<'_>) -> bool {
    super::shells::env_value(file, site, "ACTIONS_ALLOW_UNSECURE_COMMANDS")
        .is_some_and(|value| value.raw().eq_ignore_ascii_case("true"))
}

/// A plain `echo` of one command becomes one that appends to the file.
fn fix(file: &File<'_>, site: &ScriptSite<'_>, command: &Command, at: usize, old: &Old) -> Option<Fix> {
    // What is right in bash writes nothing in PowerShell.
    if !super::shells::is_shell_known(site) {
        return None;
    }
    let redirect = match site.language? {
        Language::Posix => format!(" >> \"${}\"", old.file),
        // Windows' own PowerShell would write UTF-16.
        Language::PowerShell if super::shells::shell_program(site).is_none_or(|shell| shell == "pwsh") => {
            format!(" >> $env:{}", old.file)
        }
        Language::PowerShell | Language::Cmd => return None,
    };
    let (program, arguments) = command.program()?;
    let is_echo = matches!(program, "echo" | "Write-Output");
    let is_plain = command.redirects.is_empty()
        && command.reads_from.is_none()
        && command.connector != lineclear_shell::Connector::Pipe
        && command.inside.is_none()
        && site.script().redirects_of(index_of(site, command)?).next().is_none();
    if !is_echo || !is_plain || arguments.is_empty() || arguments.len() > 2 {
        return None;
    }
    let first = arguments.first()?;
    let begins = at == first.span.start || at == first.span.start + 1;
    let raw = site.raw();
    let written = raw.get(at..command.span.end)?;
    // Line ends that were escaped for the log are not escaped in a file.
    if !begins
        || written.contains("%0")
        || written.contains("%25")
        || written.contains('\n')
        || written.matches("::").count() < 2
    {
        return None;
    }
    let rest = written.get(2 + old.name.len()..)?;
    let (head, new) = if old.name == "add-path" {
        (rest.strip_prefix("::").map(|_| 2)?, String::new())
    } else {
        let name = rest.strip_prefix(" name=")?.split("::").next()?;
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !is_name {
            return None;
        }
        (" name=".len() + name.len() + 2, format!("{name}="))
    };
    let end = at + 2 + old.name.len() + head;
    let edits = vec![
        Edit::replace(super::shells::edit_span(file, site, at..end)?, new),
        Edit::insert(super::shells::edit_span(file, site, command.span.start..command.span.end)?.end, redirect),
    ];
    Some(Fix::safe(format!("write to the file `{}`", old.file), edits))
}

fn index_of(site: &ScriptSite<'_>, command: &Command) -> Option<usize> {
    site.script().commands.iter().position(|other| other.span == command.span)
}
