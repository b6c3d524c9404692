//! `constant-condition`: a condition that is the same in every run decides nothing.

use lineclear_expr::{Function, Node, NodeKind, StatusFunction, Value};
use lineclear_source::Severity;
use lineclear_workflow::Key;

use super::conditions::{deciding, truth};
use crate::{Activity, Dialect, ExpressionSite, File, FileKind, Form, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/constant-condition.md`.
#[derive(Debug)]
pub(super) struct ConstantCondition;

static META: RuleMeta = RuleMeta {
    id: "constant-condition",
    summary: "a condition that is always true, or always false",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("constant-condition"),
};

impl Rule for ConstantCondition {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.expressions().iter().filter(|site| site.form == Form::Condition) {
            look_at(site, report);
        }
    }
}

fn look_at(site: &ExpressionSite<'_>, report: &mut Report<'_>) {
    let root = site.expr.root();
    let kind = root.kind();
    // Text around `${{ }}` is the reader's to report.
    if let NodeKind::Text(_) = kind {
        return;
    }
    let what = match site.place.key {
        Key::StageIf => "stage",
        _ if site.place.step.is_some() => "step",
        _ => "job",
    };
    let Some(truth) = truth(root) else {
        if let NodeKind::Or(operands) = &kind
            && let Some(&always) = operands.iter().find(|&&operand| is_always(operand))
        {
            report
                .at(site.span_of(always), "`always()` is true: the rest of this condition counts for nothing")
                .severity(Severity::Info)
                .help("leave the rest out, or write `!cancelled()` with `&&`");
        }
        return;
    };
    let result =
        if truth { format!("the {what} runs as if there were no condition") } else { format!("the {what} never runs") };
    let word = if truth { "true" } else { "false" };
    let culprit = match &kind {
        NodeKind::Or(operands) if truth => deciding(operands, true),
        NodeKind::And(operands) if !truth => deciding(operands, false),
        _ => None,
    };
    match culprit {
        // Somebody who writes `false &&` in front means it.
        Some(culprit) => {
            let text = site.expr.text_of(culprit);
            let message = format!("`{text}` is always {word}, and so is this condition: {result}");
            let finding = report.at(site.span_of(culprit), message).severity(severity(culprit));
            if let (NodeKind::Literal(Value::String(_)), NodeKind::Or(operands)) = (culprit.kind(), &kind)
                && let Some(compared) = operands.iter().find_map(|&operand| left_of_comparison(operand))
            {
                let compared = site.expr.text_of(compared);
                finding.help(format!("every value needs a comparison of its own: `{compared} == {text}`"));
            }
        }
        None => {
            let finding =
                report.at(site.span(), format!("this condition is always {word}: {result}")).severity(severity(root));
            if truth {
                finding.help("remove the `if`");
            }
        }
    }
}

/// To switch something off or on by writing `false` or `true` is a habit, and not a slip.
fn severity(node: Node<'_>) -> Severity {
    match node.kind() {
        NodeKind::Literal(Value::Bool(_)) => Severity::Info,
        NodeKind::Not(operand) => severity(operand),
        _ => Severity::Warning,
    }
}

fn is_always(node: Node<'_>) -> bool {
    matches!(node.kind(), NodeKind::Call { function: Function::Status(StatusFunction::Always), .. })
}

fn left_of_comparison(node: Node<'_>) -> Option<Node<'_>> {
    if let NodeKind::Compare { left, .. } = node.kind() { Some(left) } else { None }
}
