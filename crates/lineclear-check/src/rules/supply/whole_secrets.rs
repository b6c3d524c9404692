//! `whole-secrets`: an expression takes all secrets where it needs one.

use lineclear_expr::Segment;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/whole-secrets.md`.
#[derive(Debug)]
pub(super) struct WholeSecrets;

static META: RuleMeta = RuleMeta {
    id: "whole-secrets",
    summary: "an expression takes all secrets where it needs one",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("whole-secrets"),
};

impl Rule for WholeSecrets {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.expressions() {
            if !site.expr.text().as_bytes().windows(7).any(|word| word.eq_ignore_ascii_case(b"secrets")) {
                continue;
            }
            for node in site.expr.root().walk() {
                let Some(reference) = node.as_reference().filter(|reference| reference.context == "secrets") else {
                    continue;
                };
                let takes_all = matches!(reference.path.as_slice(), [Segment::All, ..]);
                if !reference.path.is_empty() && !takes_all {
                    continue;
                }
                // The node of the longest path stands for those inside of it.
                let is_inner = site.expr.root().references().iter().any(|longer| {
                    longer.span.start == reference.span.start
                        && (longer.span.end > reference.span.end || !longer.complete)
                });
                let span = site.span_of(node);
                if reference.complete && !is_inner {
                    report
                        .at(span, "all secrets are handed over: what uses this one value can read every other, too")
                        .help("name the secrets that are needed: `${{ secrets.NAME }}`");
                } else if !reference.complete && node.span().start == reference.span.start {
                    report
                        .at(
                            span,
                            "which secret this is, only the run can tell: to choose from, the machine gets all of them",
                        )
                        .severity(Severity::Info)
                        .help("name each secret that may be needed, in steps or jobs of their own");
                    break;
                }
            }
        }
    }
}
