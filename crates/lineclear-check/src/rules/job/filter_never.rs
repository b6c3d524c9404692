//! `filter-never`: filters that no branch, tag or file passes.

use lineclear_source::{Severity, Span, Spanned};
use lineclear_workflow::Patterns;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/filter-never.md`.
#[derive(Debug)]
pub(super) struct FilterNever;

static META: RuleMeta = RuleMeta {
    id: "filter-never",
    summary: "a filter that nothing passes",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("filter-never"),
};

impl Rule for FilterNever {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for trigger in &workflow.on.events {
            let filters = [
                (&trigger.branches, "branch", ref_fault as fn(&str, &str) -> Option<Fault>),
                (&trigger.tags, "tag", ref_fault),
                (&trigger.paths, "file", path_fault),
            ];
            for (patterns, what, fault) in filters {
                let Some(patterns) = patterns else { continue };
                patterns.list.iter().for_each(|pattern| check_pattern(file, pattern, what, fault, report));
                check_order(patterns, what, report);
            }
        }
    }
}

/// What is wrong with a pattern, and what it was meant to be.
struct Fault {
    message: String,
    meant: Option<String>,
}

fn check_pattern(
    file: &File<'_>,
    pattern: &Spanned<String>,
    what: &str,
    fault: fn(&str, &str) -> Option<Fault>,
    report: &mut Report<'_>,
) {
    let (mark, text) = match pattern.value.strip_prefix('!') {
        Some(rest) => ("!", rest),
        None => ("", pattern.value.as_str()),
    };
    let Some(Fault { message, meant }) = fault(text, what) else { return };
    let fix = meant.as_ref().filter(|meant| report.wants_fixes() && !meant.is_empty()).and_then(|meant| {
        let at = file.source().slice(pattern.span).find(pattern.value.as_str())?;
        let start = pattern.span.start as usize + at;
        let span = Span::new(start, start + pattern.value.len());
        Some(Fix::review(format!("write `{mark}{meant}`"), vec![Edit::replace(span, format!("{mark}{meant}"))]))
    });
    let finding = report.at(pattern.span, format!("no {what} matches `{}`: {message}", pattern.value)).fix(fix);
    if let Some(meant) = meant {
        finding.help(format!("write `{mark}{meant}`"));
    }
}

fn ref_fault(text: &str, what: &str) -> Option<Fault> {
    let (own, other) = if what == "branch" { ("refs/heads/", "refs/tags/") } else { ("refs/tags/", "refs/heads/") };
    if let Some(short) = text.strip_prefix(own) {
        return Some(Fault {
            message: format!("the filter looks at short names, without `{own}`"),
            meant: Some(short.to_owned()),
        });
    }
    if text.starts_with(other) {
        let filter = if what == "branch" { "tags" } else { "branches" };
        return Some(Fault { message: format!("`{other}` is what the filter `{filter}` is for"), meant: None });
    }
    let forbidden = |c: char| matches!(c, ' ' | '~' | '^' | ':' | '\t');
    if let Some(found) = text.chars().find(|&c| forbidden(c)) {
        return Some(Fault { message: format!("the name of a {what} cannot hold `{found}`"), meant: None });
    }
    if let Some(ending) = ["/", ".", ".lock"].into_iter().find(|ending| text.ends_with(ending)) {
        return Some(Fault { message: format!("the name of a {what} cannot end in `{ending}`"), meant: None });
    }
    if text.starts_with('/') {
        return Some(Fault {
            message: format!("the name of a {what} cannot begin with `/`"),
            meant: Some(text.trim_start_matches('/').to_owned()),
        });
    }
    None
}

fn path_fault(text: &str, _: &str) -> Option<Fault> {
    if let Some(rest) = text.strip_prefix("./").or_else(|| text.strip_prefix('/')) {
        let message = "paths begin at the root of the repository, without `./` or `/`".to_owned();
        return Some(Fault { message, meant: Some(rest.trim_start_matches('/').to_owned()) });
    }
    if text.split('/').any(|part| part == ".." || part == ".") {
        return Some(Fault { message: "paths hold no `.` and `..`".to_owned(), meant: None });
    }
    if text.ends_with('/') {
        let message = "a path is that of a file, never of a folder".to_owned();
        return Some(Fault { message, meant: Some(format!("{text}**")) });
    }
    if text != text.trim() {
        let message = "white space at its ends is part of the pattern".to_owned();
        return Some(Fault { message, meant: Some(text.trim().to_owned()) });
    }
    None
}

/// A pattern with `!` takes away from what stands above it.
fn check_order(patterns: &Patterns, what: &str, report: &mut Report<'_>) {
    if patterns.ignore {
        return;
    }
    let is_negative = |pattern: &&Spanned<String>| pattern.starts_with('!');
    let leading = patterns.list.iter().take_while(is_negative).count();
    let Some(first) = patterns.list.first().filter(|_| leading > 0) else { return };
    if leading == patterns.list.len() {
        report
            .at(first.span, format!("no {what} passes this filter: all its patterns take away"))
            .help("put `'**'` first, or use the `-ignore` form of the filter");
        return;
    }
    // A `!` alone is no pattern, which is the reader's to report.
    for pattern in patterns.list.iter().take(leading).filter(|pattern| pattern.len() > 1) {
        report
            .at(pattern.span, format!("`{}` takes nothing away: there is no pattern above it", pattern.value))
            .help("put it below the patterns that it takes from");
    }
}
