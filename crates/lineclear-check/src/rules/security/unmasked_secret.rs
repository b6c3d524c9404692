//! `unmasked-secret`: a part of a secret, which the log does not hide.

use lineclear_expr::{Function, Node, NodeKind};
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Form, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unmasked-secret.md`.
#[derive(Debug)]
pub(super) struct UnmaskedSecret;

static META: RuleMeta = RuleMeta {
    id: "unmasked-secret",
    summary: "a part of a secret, which the log does not hide",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("unmasked-secret"),
};

impl Rule for UnmaskedSecret {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let text = file.source().text();
        if !text.contains("secrets.") && !text.contains("secrets[") {
            return;
        }
        for site in file.expressions() {
            // What only decides whether a step runs is not printed.
            if site.form == Form::Condition {
                continue;
            }
            for node in site.expr.root().walk() {
                if let Some(secret) = part_of_secret(node) {
                    report
                        .at(
                            site.span_of(node),
                            format!(
                                "a value inside of `{secret}` is not masked: the log hides the secret as a whole only"
                            ),
                        )
                        .help("make the value a secret of its own, or call `::add-mask::` before it is used");
                }
            }
        }
    }
}

/// The secret that `node` takes a value out of.
fn part_of_secret(node: Node<'_>) -> Option<String> {
    let (NodeKind::Property { of, .. } | NodeKind::Index { of, .. } | NodeKind::Wildcard { of }) = node.kind() else {
        return None;
    };
    let NodeKind::Call { function: Function::FromJson, arguments } = of.kind() else { return None };
    let reference = arguments.first()?.as_reference()?;
    (reference.context == "secrets").then(|| arguments.first().map(Node::to_string)).flatten()
}
