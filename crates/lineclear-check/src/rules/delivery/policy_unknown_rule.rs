//! `policy-unknown-rule`: a rule in `[check]` that does not exist.

use crate::{Content, rules};
use lineclear_source::Severity;
use lineclear_source::suggest;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/policy-unknown-rule.md`.
#[derive(Debug)]
pub(super) struct PolicyUnknownRule;

static META: RuleMeta = RuleMeta {
    id: "policy-unknown-rule",
    summary: "a rule in `[check]` that does not exist",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("policy-unknown-rule"),
};

impl Rule for PolicyUnknownRule {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        let of_paths = policy.check.paths.iter().flat_map(|path| &path.rules).filter(|(name, _)| name.value != "*");
        for (name, _) in policy.check.rules.iter().chain(of_paths) {
            if rules::meta(&name.value).is_some() {
                continue;
            }
            let mut message = format!("there is no rule `{}`", name.value);
            if let Some(near) = suggest(&name.value, rules::all().map(|meta| meta.id)) {
                message.push_str(&format!("; did you mean `{near}`?"));
            }
            report.at(name.span, message).help("`lineclear check --list` shows all rules");
        }
    }
}
