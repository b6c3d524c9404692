//! `ref-never`: comparisons of refs that never hold.

use lineclear_source::Severity;

use super::comparison::{Compared, How, visit};
use super::ref_space::RefSpace;
use crate::{
    Activity, Dialect, Edit, ExpressionSite, File, FileKind, Fix, Form, Group, Repair, Report, Rule, RuleMeta, page,
};

/// Manual and tests: `docs/rules/ref-never.md`.
#[derive(Debug)]
pub(super) struct RefNever;

static META: RuleMeta = RuleMeta {
    id: "ref-never",
    summary: "a comparison with a branch or tag that never holds",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("ref-never"),
};

impl Rule for RefNever {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let mut space = None;
        for site in file.expressions().iter().filter(|site| mentions_ref(site.expr.text())) {
            visit(site.expr.root(), &mut |compared| {
                let space = space.get_or_insert_with(|| RefSpace::of(workflow));
                check_one(file, space, site, compared, report);
            });
        }
    }
}

fn mentions_ref(text: &str) -> bool {
    text.contains("ref") && text.contains("github")
}

fn check_one(
    file: &File<'_>,
    space: &RefSpace,
    site: &ExpressionSite<'_>,
    compared: Compared<'_>,
    report: &mut Report<'_>,
) {
    let Compared { name, text, literal, how, decides, .. } = compared;
    let name = name.to_ascii_lowercase();
    if text.is_empty() {
        return;
    }
    let (message, replacement) = match name.as_str() {
        "ref" => match full_ref(space, text, how) {
            Some(found) => found,
            None => return,
        },
        "ref_name" | "base_ref" | "head_ref" if starts_with_refs(text) => {
            let short = text.splitn(3, '/').nth(2).unwrap_or_default().to_owned();
            (format!("`github.{name}` is a short name, such as `{short}`"), Some(short))
        }
        "ref_name" if how != How::StartsWith && !space.has_short(text) => {
            (format!("no event of this workflow runs for `{text}`"), None)
        }
        "ref_type" if how != How::StartsWith && !["branch", "tag"].iter().any(|it| it.eq_ignore_ascii_case(text)) => {
            ("`github.ref_type` is `branch` or `tag`".to_owned(), None)
        }
        _ => return,
    };
    let is_slip = replacement.is_some() || name == "ref_type";
    // `!=` may be there for the day when the event is added.
    if how == How::NotEqual && !is_slip {
        return;
    }
    let is_condition = decides && site.form == Form::Condition;
    let severity = if is_condition || is_slip { Severity::Warning } else { Severity::Info };
    let outcome = if how == How::NotEqual { "always" } else { "never" };
    let span = site.span_of(literal);
    let fix = replacement.filter(|short| report.wants_fixes() && !short.is_empty()).and_then(|text| {
        let quoted = format!("'{text}'");
        // In a quoted scalar the quotes may be doubled or escaped.
        (file.source().slice(span).len() == site.expr.text_of(literal).len())
            .then(|| Fix::review(format!("compare with `{text}`"), vec![Edit::replace(span, quoted)]))
    });
    report.at(span, format!("this is {outcome} true: {message}")).severity(severity).fix(fix);
}

fn starts_with_refs(text: &str) -> bool {
    ["refs/heads/", "refs/tags/"].iter().any(|prefix| text.starts_with(prefix))
}

/// Why `github.ref` is never the text, and what may have been meant.
fn full_ref(space: &RefSpace, text: &str, how: How) -> Option<(String, Option<String>)> {
    let lower = text.to_ascii_lowercase();
    if how == How::StartsWith {
        if !"refs/".starts_with(&lower) && !lower.starts_with("refs/") {
            let meant = lower.starts_with("heads/") || lower.starts_with("tags/");
            let message = format!("`github.ref` is a full name, such as `refs/heads/{text}` or `refs/tags/{text}`");
            let message = if meant { format!("`github.ref` is a full name, such as `refs/{text}`") } else { message };
            return Some((message, meant.then(|| format!("refs/{text}"))));
        }
        let says = || (format!("no event of this workflow runs for a ref that begins with `{text}`"), None);
        return (!space.has_prefix(text)).then(says);
    }
    if !lower.starts_with("refs/") {
        let meant = if lower.starts_with("heads/") || lower.starts_with("tags/") {
            format!("refs/{text}")
        } else {
            format!("refs/heads/{text}")
        };
        return Some((format!("`github.ref` is a full name, such as `{meant}`"), Some(meant)));
    }
    if !["refs/heads/", "refs/tags/", "refs/pull/"].iter().any(|kind| lower.starts_with(kind)) {
        // Other kinds exist, for images and queues; these are slips.
        let slips = [("refs/head/", "refs/heads/"), ("refs/branches/", "refs/heads/"), ("refs/tag/", "refs/tags/")];
        let (wrong, right) = slips.into_iter().find(|(wrong, _)| lower.starts_with(wrong))?;
        let meant = text.get(wrong.len()..).map(|rest| format!("{right}{rest}"));
        return Some((format!("a ref begins with `{right}`, not with `{wrong}`"), meant));
    }
    if lower.contains('*') {
        return Some(("a comparison knows no `*`: use `startsWith`".to_owned(), None));
    }
    (!space.has(text)).then(|| (format!("no event of this workflow runs for `{text}`"), None))
}
