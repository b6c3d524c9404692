//! Coverage: enough of it, and with a ratchet never less than at any commit before.

use lineclear_event::Statement;

use super::{Finding, Requirement, Standing, View, short, who};
use crate::index::{Kind, Report, Series, Share};
use crate::names::Name;
use crate::{CoverageRule, Entry};

pub(super) fn requirement(view: &View<'_>, rule: &CoverageRule) -> Requirement {
    let what = match (rule.min, rule.ratchet) {
        (Some(min), false) => format!("coverage of at least {min} %"),
        (Some(min), true) => format!("coverage of at least {min} %, and not less than before"),
        (None, true) => "coverage not less than before".to_owned(),
        (None, false) => "coverage".to_owned(),
    };
    let reports = view.index.newest_attempts_of_all(&view.same, Kind::Coverage, None);
    let found: Vec<(Standing, Finding)> = reports.iter().flat_map(|report| judge(view, rule, report)).collect();
    let standing = Standing::of_all(found.iter().map(|(standing, _)| *standing));
    let mut findings: Vec<Finding> = found.into_iter().map(|(_, finding)| finding).collect();
    if findings.is_empty() {
        findings.push(Finding::missing("no run reported coverage"));
    }
    Requirement::new(what, standing, findings).supplied_by(|| "lineclear run".to_owned())
}

/// Every report has to reach it by itself: a sum would hide the one that fell.
fn judge(view: &View<'_>, rule: &CoverageRule, (series, entry): &(Series, &Entry)) -> Vec<(Standing, Finding)> {
    let Statement::Coverage(coverage) = &entry.evidence.statement else { return Vec::new() };
    let name = if coverage.name.is_empty() { "the report" } else { &coverage.name };
    let Some(share) = Share::of(coverage.lines_covered, coverage.lines) else {
        let text =
            format!("{name} has {} covered of {} lines, which says nothing", coverage.lines_covered, coverage.lines);
        return vec![(Standing::Fail, Finding::of(text, entry))];
    };
    let place = format!("{}{}", who(&entry.evidence.by), view.elsewhere(entry));
    let mut found = Vec::new();
    let is_low = rule.min.is_some_and(|min| Share::at_least(min).is_none_or(|min| share < min));
    let (standing, more) = match is_low {
        true => (Standing::Fail, String::new()),
        false => (view.passed(&entry.evidence), view.age(&entry.evidence)),
    };
    found.push((standing, Finding::of(format!("{name}: {share} {place}{more}"), entry)));
    if rule.ratchet
        && let Some((commit, before, reached)) = before(view, series)
    {
        let short = short(commit);
        if share < before {
            let text = format!("{name}: {before} was reached at {short}, so {share} is a step back");
            found.push((Standing::Fail, Finding::of(text, reached)));
        } else if let Some(min) = rule.min.filter(|min| Share::at_least(*min).is_some_and(|min| min < before)) {
            // Lowering the minimum changes nothing, and whoever did it should know.
            let text = format!("{name}: the minimum of {min} % is below the {before} of {short}, which holds");
            found.push((Standing::Pass, Finding::of(text, reached)));
        }
    }
    found
}

/// The most that the report reached at an ancestor with other contents.
fn before<'a>(view: &View<'a>, series: &Series) -> Option<(&'a str, Share, &'a Entry)> {
    let commit = view.commit?;
    let report = Report { name: series.what, file: series.file, job: series.job };
    let is_same = |other: &str| view.index.name(other).is_some_and(|other: Name| view.same.contains(&other));
    view.index
        .reached(report)
        .find(|(other, _, _)| !is_same(other) && view.commits.is_ancestor(other, commit) == Some(true))
}
