//! `wrong-shell`: bash in PowerShell, PowerShell in bash.

use lineclear_shell::{Language, Part, Quoting, Word};
use lineclear_source::Severity;
use lineclear_workflow::{Condition, Step};

use super::shells;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/wrong-shell.md`.
#[derive(Debug)]
pub(super) struct WrongShell;

static META: RuleMeta = RuleMeta {
    id: "wrong-shell",
    summary: "a script in the language of another shell",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("wrong-shell"),
};

impl Rule for WrongShell {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.scripts() {
            match site.language {
                Some(Language::PowerShell) => in_power_shell(file, site, report),
                // Without `shell`, the machine decides, and it may be Windows under a name that does not say so.
                Some(Language::Posix)
                    if site.shell.is_some()
                        || shells::is_hosted_unix(site.site.job) && !is_for_windows(site.site.step) =>
                {
                    in_posix(site, report);
                }
                Some(Language::Posix) => {}
                Some(Language::Cmd) => in_cmd(site, report),
                None => {}
            }
        }
    }
}

/// Whether the step's condition speaks of Windows: it does not run here, or is made for several machines.
fn is_for_windows(step: &Step) -> bool {
    let condition = step.condition.as_ref().map(Condition::raw);
    condition.is_some_and(|text| text.contains("indows") && !text.contains("!="))
}

fn words<'s>(site: &'s ScriptSite<'_>) -> impl Iterator<Item = &'s Word> {
    site.script().commands.iter().flat_map(|command| {
        let assigned = command.assignments.iter().map(|assignment| &assignment.value);
        let targets = command.redirects.iter().map(|redirect| &redirect.target);
        command.words.iter().chain(assigned).chain(targets)
    })
}

fn in_power_shell(file: &File<'_>, site: &ScriptSite<'_>, report: &mut Report<'_>) {
    if site.has_any(&["$GITHUB_", "${GITHUB_", "$RUNNER_", "${RUNNER_"]) {
        let script = site.script();
        let is_set =
            |name: &str| script.commands.iter().flat_map(|command| &command.assignments).any(|one| one.name == name);
        for word in words(site) {
            for part in &word.parts {
                let Part::Variable { name, span, .. } = part else { continue };
                let written = site.raw().get(span.clone()).unwrap_or_default();
                let is_of_runner = name.starts_with("GITHUB_") || name.starts_with("RUNNER_");
                if !is_of_runner || written.contains(':') || is_set(name) {
                    continue;
                }
                let new = if written.starts_with("${") { format!("${{env:{name}}}") } else { format!("$env:{name}") };
                let fix = report.wants_fixes().then(|| {
                    let edit = Edit::replace(shells::edit_span(file, site, span.clone())?, new.as_str());
                    Some(Fix::safe(format!("write `{new}`"), vec![edit]))
                });
                report
                    .at(
                        site.span_of(span.clone()),
                        format!("`{written}` is empty in PowerShell: variables of the environment are `$env:…`"),
                    )
                    .help(format!("write `{new}`"))
                    .fix(fix.flatten());
            }
        }
    }
    // The keywords of bash that PowerShell has no command for.
    const NEEDLES: &[&str] = &["then", "fi", "done", "esac", "export ", "[[", "set -e", "\\\n"];
    if !site.has_any(NEEDLES) {
        return;
    }
    for command in &site.script().commands {
        let Some(first) = command.words.first() else { continue };
        let is_bash = match first.literal() {
            Some("then" | "fi" | "done" | "esac" | "[[" | "shopt") => true,
            Some("export") => command.words.get(1).is_some_and(|word| word.text.contains('=')),
            Some("set") => command.words.get(1).is_some_and(|word| {
                matches!(word.text.as_str(), "-e" | "-ex" | "-eu" | "-euo" | "-euxo" | "-o" | "-x")
            }),
            _ => false,
        };
        let continued = || {
            command.words.last().filter(|word| {
                command.words.len() > 1
                    && word.text == "\\"
                    && word.parts.iter().all(|part| part.quoting() == Quoting::None)
            })
        };
        let Some(word) = (if is_bash { Some(first) } else { continued() }) else { continue };
        let why = if site.shell.is_some() {
            "this step's shell is PowerShell"
        } else {
            "the default shell on Windows is PowerShell"
        };
        report
            .at(shells::span_of_word(site, word), format!("`{}` is bash's, but {why}", word.text))
            .help("add `shell: bash` to the step: Windows machines have it, too");
        return;
    }
}

fn in_posix(site: &ScriptSite<'_>, report: &mut Report<'_>) {
    if !site.has_any(&["$env:", "%GITHUB_", "$Env:", "${env:"]) {
        return;
    }
    for word in words(site) {
        let unquoted = |part: &Part| part.quoting() != Quoting::Single;
        for pair in word.parts.windows(2) {
            if let [Part::Variable { name, span, quoting }, Part::Literal { text, .. }] = pair
                && name.eq_ignore_ascii_case("env")
                && text.starts_with(':')
                && *quoting != Quoting::Single
                && !is_for_power_shell(site, word)
            {
                let end = span.end
                    + text.len().min(
                        1 + text.get(1..).unwrap_or_default().bytes().take_while(u8::is_ascii_alphanumeric).count(),
                    );
                report
                    .at(
                        site.span_of(span.start..end.min(word.span.end)),
                        "`$env:…` is PowerShell's: in bash it is the empty variable `env` and some text",
                    )
                    .help("write `$NAME`, or add `shell: pwsh` to the step");
            }
        }
        let is_literal = word
            .parts
            .iter()
            .any(|part| unquoted(part) && matches!(part, Part::Literal { text, .. } if text.contains("%GITHUB_")));
        if is_literal
            && let Some(name) = shells::COMMAND_FILES.iter().find(|name| word.text.contains(&format!("%{name}%")))
        {
            report
                .at(shells::span_of_word(site, word), format!("`%{name}%` is cmd's: in bash it is text"))
                .help(format!("write `\"${name}\"`"));
        }
    }
}

/// Whether the word goes to a PowerShell that the script starts.
fn is_for_power_shell(site: &ScriptSite<'_>, word: &Word) -> bool {
    site.script().commands.iter().any(|command| {
        command.words.iter().any(|other| std::ptr::eq(other, word))
            && command
                .program()
                .is_some_and(|(program, _)| program.starts_with("pwsh") || program.starts_with("powershell"))
    })
}

fn in_cmd(site: &ScriptSite<'_>, report: &mut Report<'_>) {
    if !site.has_any(shells::COMMAND_FILES) {
        return;
    }
    for word in words(site) {
        for name in shells::COMMAND_FILES {
            let forms = [format!("${name}"), format!("${{{name}}}"), format!("$env:{name}")];
            if let Some(form) = forms.iter().find(|form| word.text == **form) {
                report
                    .at(
                        shells::span_of_word(site, word),
                        format!("`{form}` is not cmd's: a file of that name is written"),
                    )
                    .help(format!("write `%{name}%`"));
            }
        }
    }
}
