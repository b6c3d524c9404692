//! `unsound-contains`: `contains` with a text looks for a part of it, and not for one of several words.

use lineclear_expr::{Function, Value};
use lineclear_source::Severity;

use crate::types::{Call, constant};
use crate::{
    Activity, Dialect, Edit, ExpressionSite, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page,
};

/// Manual and tests: `docs/rules/unsound-contains.md`.
#[derive(Debug)]
pub(super) struct UnsoundContains;

static META: RuleMeta = RuleMeta {
    id: "unsound-contains",
    summary: "`contains` asks for a part of a text where one of several values was meant",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unsound-contains"),
};

impl Rule for UnsoundContains {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for call in file.typed().calls.iter().filter(|call| call.function == Function::Contains) {
            if let Some(site) = file.expressions().get(call.site) {
                look_at(site, call, report);
            }
        }
    }
}

fn look_at(site: &ExpressionSite<'_>, call: &Call<'_>, report: &mut Report<'_>) {
    let [(search, _), (item, kind)] = &call.arguments[..] else { return };
    let Some(Value::String(text)) = constant(*search) else { return };
    if kind.is_collection() || constant(*item).is_some() {
        return;
    }
    let words: Vec<&str> =
        text.split([' ', ',', ';', '|', '\n']).map(str::trim).filter(|word| !word.is_empty()).collect();
    let asked = site.expr.text_of(*item);
    if let [] | [_] = words[..] {
        report
            .at(
                site.span_of(*search),
                format!("this asks whether `{asked}` is a part of `{text}`, and not the other way round"),
            )
            .help(format!("write `contains({asked}, {})`, or compare with `==`", site.expr.text_of(*search)));
        return;
    }
    let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let list = list.join(", ");
    let fix = report.wants_fixes().then(|| fix(site, call, &list)).flatten();
    let part = words.first().and_then(|word| word.get(..word.len().saturating_sub(1))).unwrap_or_default();
    report
        .at(
            site.span_of(*search),
            format!("`{asked}` may be any part of this text, and not only one of its words: `{part}` passes, too"),
        )
        .help(format!("`contains(fromJSON('[{list}]'), {asked})` asks for the whole word"))
        .fix(fix);
}

fn fix(site: &ExpressionSite<'_>, call: &Call<'_>, list: &str) -> Option<Fix> {
    let (search, _) = call.arguments.first()?;
    // Quotes of the text around would need escapes.
    let is_safe = site.scalar.style != lineclear_yaml::ScalarStyle::DoubleQuoted
        && site.scalar.style != lineclear_yaml::ScalarStyle::SingleQuoted
        && !list.contains('\'')
        && !list.contains('\\');
    let edit = Edit::replace(site.span_of(*search), format!("fromJSON('[{list}]')"));
    is_safe.then(|| Fix::review("ask for the whole word", vec![edit]))
}
