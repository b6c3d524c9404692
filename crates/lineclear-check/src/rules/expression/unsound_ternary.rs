//! `unsound-ternary`: `a && b || c` gives `c` whenever `b` counts as false.

use lineclear_expr::{Node, NodeKind};
use lineclear_source::Severity;

use crate::types::{Choice, constant};
use crate::{
    Activity, Dialect, Edit, ExpressionSite, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page,
};

/// Manual and tests: `docs/rules/unsound-ternary.md`.
#[derive(Debug)]
pub(super) struct UnsoundTernary;

static META: RuleMeta = RuleMeta {
    id: "unsound-ternary",
    summary: "`condition && value || otherwise` whose value counts as false",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unsound-ternary"),
};

impl Rule for UnsoundTernary {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for choice in &file.typed().choices {
            let Some(site) = file.expressions().get(choice.site) else { continue };
            for &operand in choice.operands.iter().rev().skip(1) {
                let NodeKind::And(parts) = operand.kind() else { continue };
                let Some((&value, conditions)) = parts.split_last() else { continue };
                if constant(value).is_some_and(|value| !value.is_truthy()) {
                    let fix = if report.wants_fixes() { swapped(site, choice, conditions) } else { None };
                    let text = site.expr.text_of(value);
                    report
                        .at(
                            site.span_of(value),
                            format!(
                                "`{text}` counts as false: what stands behind `||` is taken whatever the condition says"
                            ),
                        )
                        .help(format!(
                            "turn it round, so that the other value stands in the middle: `!(…) && … || {text}`"
                        ))
                        .fix(fix);
                }
            }
        }
    }
}

/// `a && '' || 'x'` as `!(a) && 'x' || ''`.
fn swapped(site: &ExpressionSite<'_>, choice: &Choice<'_>, conditions: &[Node<'_>]) -> Option<Fix> {
    let [and, otherwise] = choice.operands[..] else { return None };
    if !constant(otherwise).is_some_and(|value| value.is_truthy()) {
        return None;
    }
    let NodeKind::And(parts) = and.kind() else { return None };
    let (&first, &last) = (conditions.first()?, conditions.last()?);
    let value = site.expr.text_of(*parts.last()?);
    let start = and.span().start as usize;
    let text = &site.scalar.text;
    let condition = text.get(first.span().start as usize..last.span().end as usize)?;
    // Parentheses of the condition itself are not part of its span: rather no repair than a wrong one.
    let is_plain =
        start == first.span().start as usize && !text.get(start..otherwise.span().end as usize)?.contains('\n');
    let balanced = |text: &str| text.matches('(').count() == text.matches(')').count();
    let whole = text.get(start..otherwise.span().end as usize)?;
    if !is_plain || !balanced(condition) || !balanced(whole) {
        return None;
    }
    let new = format!("!({condition}) && {} || {value}", site.expr.text_of(otherwise));
    let span = site.scalar.span_of(start..otherwise.span().end as usize);
    Some(Fix::review("turn the choice round", vec![Edit::replace(span, new)]))
}
