//! `waits-for-input`: questions that nobody answers.

use lineclear_shell::{Command, Language};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/waits-for-input.md`.
#[derive(Debug)]
pub(super) struct WaitsForInput;

static META: RuleMeta = RuleMeta {
    id: "waits-for-input",
    summary: "a command that asks somebody who is not there",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("waits-for-input"),
};

impl Rule for WaitsForInput {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        const NEEDLES: &[&str] = &[
            "apt",
            "yum",
            "dnf",
            "npm init",
            "yarn init",
            "docker login",
            "terraform",
            "pip uninstall",
            "pip3 uninstall",
            "tofu",
        ];
        for site in shells::scripts_with(file, Language::Posix, NEEDLES) {
            for command in &site.script().commands {
                // The images of hosted machines answer for apt, under whatever label they are.
                let is_quiet = file.dialect() == Dialect::GitHub
                    && shells::container_image(site.site.job).is_none()
                    && !shells::is_self_hosted(site.site.job);
                if is_quiet
                    && command.program().is_some_and(|(program, _)| matches!(program, "apt" | "apt-get" | "aptitude"))
                {
                    continue;
                }
                let Some(question) = asks(command).filter(|_| !is_answered(command)) else { continue };
                let Some((program, arguments)) = command.program() else { continue };
                let Some(verb) = arguments.iter().find(|word| word.text == question.verb) else { continue };
                let fix = question.option.filter(|_| report.wants_fixes()).and_then(|option| {
                    let at = shells::edit_span(file, site, verb.span.clone())?.end;
                    Some(Fix::safe(format!("add `{option}`"), vec![Edit::insert(at, format!(" {option}"))]))
                });
                let (Some(first), last) = (command.program_word(), verb.span.end) else { continue };
                let message =
                    format!("`{program} {}` may ask, and nobody is there to answer: it gives up", question.verb);
                let help = match question.option {
                    Some(option) => format!("add `{option}`"),
                    None => "give the password by `--password-stdin`".to_owned(),
                };
                report.at(site.span_of(first.span.start..last.max(first.span.end)), message).help(help).fix(fix);
            }
        }
    }
}

struct Question {
    verb: &'static str,
    /// What answers it beforehand.
    option: Option<&'static str>,
}

/// What the command asks, unless an option of it says the answer.
fn asks(command: &Command) -> Option<Question> {
    let (program, arguments) = command.program()?;
    let verb = arguments.iter().find(|word| !word.text.starts_with('-')).map(|word| word.text.as_str())?;
    let has = |options: &[&str]| shells::has_option(arguments, options);
    let is_one_of = |verbs: &[&'static str]| verbs.iter().copied().find(|known| *known == verb);
    if has(&["--help", "--version", "--dry-run", "-h", "--download-only", "--print-uris"])
        || arguments.iter().any(|word| word.literal().is_none() && word.text.starts_with('$'))
    {
        return None;
    }
    let (verb, option) = match program {
        "apt-get" | "apt" | "aptitude" => {
            let verb =
                is_one_of(&["install", "upgrade", "dist-upgrade", "full-upgrade", "remove", "purge", "autoremove"])?;
            let is_said = has(&["--yes", "--assume-yes", "--force-yes", "-qq", "-s", "--simulate"])
                || shells::has_letter(arguments, 'y');
            (verb, (!is_said).then_some("-y")?)
        }
        "yum" | "dnf" | "microdnf" | "tdnf" => {
            let verb = is_one_of(&["install", "update", "upgrade", "remove", "groupinstall"])?;
            (verb, (!has(&["--assumeyes", "--assumeno"]) && !shells::has_letter(arguments, 'y')).then_some("-y")?)
        }
        "npm" | "yarn" => {
            let verb = is_one_of(&["init"])?;
            let is_plain = shells::operands(arguments, &[]).len() == 1;
            (verb, (is_plain && !has(&["--yes", "-y"])).then_some("-y")?)
        }
        "pip" | "pip3" => {
            (is_one_of(&["uninstall"])?, (!has(&["--yes"]) && !shells::has_letter(arguments, 'y')).then_some("-y")?)
        }
        "terraform" | "tofu" => {
            let verb = is_one_of(&["apply", "destroy"])?;
            // A saved plan is not asked about.
            let has_plan = shells::operands(arguments, &["-var", "-var-file", "-target"]).len() > 1;
            let is_said = has(&["-auto-approve", "--auto-approve", "-input", "--input"]);
            (verb, (!has_plan && !is_said).then_some("-auto-approve")?)
        }
        "docker" => {
            let verb = is_one_of(&["login"])?;
            let is_said = has(&["--password", "--password-stdin", "-p"]) || shells::has_letter(arguments, 'p');
            return (!is_said).then_some(Question { verb, option: None });
        }
        _ => return None,
    };
    Some(Question { verb, option: Some(option) })
}

fn is_answered(command: &Command) -> bool {
    use lineclear_shell::RedirectKind;
    let is_input =
        |kind: RedirectKind| matches!(kind, RedirectKind::Read | RedirectKind::HereDocument | RedirectKind::HereString);
    command.reads_from.is_some() || command.redirects.iter().any(|redirect| is_input(redirect.kind))
}
