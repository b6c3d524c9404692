//! `typosquatted-action`: a name that is almost a well-known one.

use lineclear_source::Severity;
use lineclear_source::Span;
use lineclear_workflow::ActionRef;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/typosquatted-action.md`.
#[derive(Debug)]
pub(super) struct TyposquattedAction;

static META: RuleMeta = RuleMeta {
    id: "typosquatted-action",
    summary: "an action whose name is almost that of a well-known one",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("typosquatted-action"),
};

impl Rule for TyposquattedAction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            let ActionRef::Remote { owner, repo, .. } = &site.uses.value else { continue };
            let Some(known) = lineclear_catalog::well_known_like(&site.name) else { continue };
            let is_owner = known.split('/').next().is_some_and(|other| other.eq_ignore_ascii_case(owner));
            // Its steps are part of the program, which knows them all.
            let is_own = is_owner && ActionRef::parse(known).is_ok_and(|known| known.is_own());
            let message = if is_own {
                format!("there is no step `{owner}/{repo}`")
            } else {
                format!("`{owner}/{repo}` is almost `{known}`: a slip here runs the code of somebody else")
            };
            let finding = report.at(site.uses.span, message);
            finding.help(format!("did you mean `{known}`?"));
            if is_own {
                finding.severity(Severity::Error);
            } else if is_owner {
                // Whoever wrote the one may have written the other.
                finding.severity(Severity::Info);
            }
            if let Some(at) = file.source().slice(site.uses.span).find(&format!("{owner}/{repo}")) {
                let start = site.uses.span.start as usize + at;
                let edit = Edit::replace(Span::new(start, start + owner.len() + 1 + repo.len()), known);
                finding.fix(Some(Fix::review(format!("use `{known}`"), vec![edit])));
            }
        }
    }
}
