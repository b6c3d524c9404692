//! `unknown-rule-setting`: a setting for a rule that does not exist does nothing.

use lineclear_source::{Severity, Spanned, suggest};
use lineclear_workflow::FilterPattern;

use crate::rules::{all, meta};
use crate::{Activity, Content, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-rule-setting.md`.
#[derive(Debug)]
pub(super) struct UnknownRuleSetting;

static META: RuleMeta = RuleMeta {
    id: "unknown-rule-setting",
    summary: "a setting of `[check]` for a rule that does not exist, or for files by a pattern that cannot be read",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("unknown-rule-setting"),
};

impl Rule for UnknownRuleSetting {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        let check = &policy.check;
        check.rules.iter().for_each(|(rule, _)| known(rule, report));
        for paths in &check.paths {
            paths.rules.iter().filter(|(rule, _)| rule.value != "*").for_each(|(rule, _)| known(rule, report));
            paths.files.iter().for_each(|pattern| readable(pattern, report));
        }
        check.exclude.iter().for_each(|pattern| readable(pattern, report));
    }
}

fn known(rule: &Spanned<String>, report: &mut Report<'_>) {
    if meta(&rule.value).is_some() {
        return;
    }
    let message = match suggest(&rule.value, all().map(|meta| meta.id)) {
        Some(near) => format!("there is no rule `{}`; did you mean `{near}`?", rule.value),
        None => format!("there is no rule `{}`", rule.value),
    };
    report.at(rule.span, message).help("`lineclear check --list` names all rules");
}

fn readable(pattern: &Spanned<String>, report: &mut Report<'_>) {
    if let Err(error) = FilterPattern::parse(&pattern.value) {
        report.at(pattern.span, format!("`{}` is no pattern: {error}", pattern.value));
    }
}
