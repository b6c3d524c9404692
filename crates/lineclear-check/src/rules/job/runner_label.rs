//! `runner-label`: a job whose label no machine has waits for a day and is cancelled.

use std::borrow::Cow;

use lineclear_catalog::{hosted_label, hosted_labels, is_self_hosted_label};
use lineclear_policy::Policy;
use lineclear_source::{Severity, Spanned, suggest};

use super::machine::{Choice, Machine};
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/runner-label.md`.
#[derive(Debug)]
pub(super) struct RunnerLabel;

static META: RuleMeta = RuleMeta {
    id: "runner-label",
    summary: "a label that no machine of GitHub's has",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("runner-label"),
};

impl Rule for RunnerLabel {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let policy = file.project().policy();
        let own = policy.as_ref().map(|policy| labels(policy)).unwrap_or_default();
        let own = &*own;
        let are_all_named = policy.as_ref().is_some_and(|policy| !policy.check.runner_labels.is_empty());
        for job in file.jobs() {
            let Some(machine) = Machine::of(job) else { continue };
            if machine.may_be_self_hosted() {
                check_slips(&machine, own, report);
                if !machine.has_group && are_all_named {
                    machine.labels.iter().flat_map(|label| &label.choices).for_each(|one| check_own(one, own, report));
                }
                continue;
            }
            let has_hosted = |label: &super::machine::Label<'_>| {
                label.choices.iter().any(|choice| hosted_label(&choice.text).is_some())
            };
            // `[ubuntu-latest, fast]` asks for a machine of GitHub's that has a label which GitHub does not give.
            let beside_hosted = machine.labels.len() > 1 && machine.labels.iter().any(has_hosted);
            for choice in machine.labels.iter().flat_map(|label| &label.choices) {
                check_choice(choice, beside_hosted, own, report);
            }
        }
    }
}

/// The labels that `lineclear.toml` knows: those of the team's runners, and those that `run` gives a meaning to.
fn labels(policy: &Policy) -> Cow<'_, [Spanned<String>]> {
    let runner = &policy.runner;
    if runner.labels.is_empty() && runner.images.is_empty() {
        return Cow::Borrowed(&policy.check.runner_labels);
    }
    let images = runner.images.iter().map(|(label, _)| label);
    Cow::Owned(policy.check.runner_labels.iter().chain(&runner.labels).chain(images).cloned().collect())
}

/// Labels of a matrix that has both GitHub's machines and others: one that is nearly GitHub's is a slip all the same.
fn check_slips(machine: &Machine<'_>, own: &[Spanned<String>], report: &mut Report<'_>) {
    let [label] = machine.labels.as_slice() else { return };
    let has_hosted = label.choices.iter().any(|choice| hosted_label(&choice.text).is_some());
    if machine.has_group || label.choices.len() < 2 || !has_hosted {
        return;
    }
    for choice in &label.choices {
        let text = &*choice.text;
        if hosted_label(text).is_none()
            && !is_self_hosted_label(text)
            && !has(own, text)
            && let Some(near) = misspelt(text)
        {
            report_slip(choice, near, report);
        }
    }
}

/// A label of a runner of one's own, where the settings name them all.
fn check_own(choice: &Choice<'_>, own: &[Spanned<String>], report: &mut Report<'_>) {
    let text = &*choice.text;
    if text.trim().is_empty() || hosted_label(text).is_some() || is_self_hosted_label(text) || has(own, text) {
        return;
    }
    let message = format!("`{text}` is none of the `runner-labels` of `lineclear.toml`");
    match suggest(text, own.iter().map(|label| label.value.as_str())) {
        Some(near) => report.at(choice.span, format!("{message}; did you mean `{near}`?")),
        None => report.at(choice.span, message).severity(Severity::Info),
    }
    .help("a job waits 24 hours for a machine, and is then cancelled");
}

fn has(own: &[Spanned<String>], text: &str) -> bool {
    own.iter().any(|label| label.value.eq_ignore_ascii_case(text))
}

fn check_choice(choice: &Choice<'_>, beside_hosted: bool, own: &[Spanned<String>], report: &mut Report<'_>) {
    let text = &*choice.text;
    if text.trim().is_empty() || hosted_label(text).is_some() || is_self_hosted_label(text) || has(own, text) {
        return;
    }
    if let Some(near) = suggest(text, own.iter().map(|label| label.value.as_str())) {
        let message = format!("neither a machine of GitHub's nor `runner-labels` has `{text}`; did you mean `{near}`?");
        report.at(choice.span, message).help("a job waits 24 hours for a machine, and is then cancelled");
    } else if let Some(near) = misspelt(text) {
        report_slip(choice, near, report);
    } else if beside_hosted {
        let message = format!("no machine of GitHub's has the label `{text}` beside its own");
        report.at(choice.span, message).severity(Severity::Info);
    } else if text.contains(char::is_whitespace) || text.contains(',') {
        let message = format!("`{text}` is one label; several are a list");
        report.at(choice.span, message).help("write `[first, second]`");
    } else if !is_plainly_own(text) {
        let message = format!("`{text}` is no label of GitHub's: a runner of your own must have it");
        report
            .at(choice.span, message)
            .severity(Severity::Info)
            .help("with `self-hosted` or a `group` in `runs-on` it is plain that the runner is your own");
    }
}

fn report_slip(choice: &Choice<'_>, near: &'static str, report: &mut Report<'_>) {
    let edit = (report.wants_fixes() && choice.is_whole)
        .then(|| Fix::review(format!("write `{near}`"), vec![Edit::replace(choice.span, near)]));
    let message = format!("no machine of GitHub's has the label `{}`; did you mean `{near}`?", choice.text);
    report.at(choice.span, message).help("a job waits 24 hours for a machine, and is then cancelled").fix(edit);
}

/// Whether a label has the look of those that services and organisations give: a system with more behind or before it.
fn is_plainly_own(text: &str) -> bool {
    const SERVICES: [&str; 9] =
        ["depot-", "namespace-", "nscloud-", "blacksmith-", "buildjet-", "warp-", "ubicloud-", "codspeed-", "runs-on"];
    const SYSTEMS: [&str; 4] = ["ubuntu", "linux", "windows", "macos"];
    let lower = text.to_ascii_lowercase();
    SERVICES.iter().any(|service| lower.starts_with(service))
        || (lower.split(['-', '_', '/', '=']).count() > 2 && SYSTEMS.iter().any(|system| lower.contains(system)))
}

/// The label that was plainly meant. A label that has more than one of GitHub's has, such as `ubuntu-24.04-8core`, is an own one.
fn misspelt(text: &str) -> Option<&'static str> {
    const OFTEN: [(&str, &str); 8] = [
        ("ubuntu", "ubuntu-latest"),
        ("linux-latest", "ubuntu-latest"),
        ("windows-lastest", "windows-latest"),
        ("mac-latest", "macos-latest"),
        ("osx-latest", "macos-latest"),
        ("macos-arm", "macos-latest"),
        ("win-latest", "windows-latest"),
        ("ubuntu-latest-arm", "ubuntu-24.04-arm"),
    ];
    let lower = text.to_ascii_lowercase();
    if let Some((_, near)) = OFTEN.iter().find(|(wrong, _)| *wrong == lower) {
        return Some(near);
    }
    let near = suggest(&lower, hosted_labels())?;
    let extends = hosted_labels().any(|label| lower.contains(label));
    let is_word = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    // Numbers differ because they were meant to: `macos-27`, `ubuntu-2404`.
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    let is_number_only =
        text.split(['-', '.']).any(|part| !part.is_empty() && !is_word(part)) && digits(&lower) != digits(near);
    (!extends && !is_number_only).then_some(near)
}
