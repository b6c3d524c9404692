//! Scans: findings of the severities that block, within the budget. What a scanner found counts, however its step was concluded.

use std::collections::BTreeSet;

use lineclear_event::{Finding as Found, IgnoredUntil, ScanStatement, Severity, Statement};

use super::{Finding, Requirement, Standing, View, who};
use crate::index::Kind;
use crate::names::Name;
use crate::{Entry, ScanRule};

/// So many findings are named.
const NAMED: usize = 10;

/// What scanners said of the commit and, if one is asked for, of the digest. The digest has to have been scanned itself.
pub(super) fn requirements(view: &View<'_>) -> Vec<Requirement> {
    let of_commit = scans(view, &view.same);
    let of_digest = scans(view, &view.digest);
    let is_digest = matches!(view.asked.subject, lineclear_event::Subject::Digest(_));
    let Some(rule) = &view.rules.scan else {
        let shown = |what: &str, scans: &[Scan<'_>]| {
            let findings = scans.iter().map(|scan| scan.finding(view)).collect();
            (!scans.is_empty()).then(|| Requirement::new(what, Standing::Pass, findings).shown_only())
        };
        return shown("scans of the source", &of_commit)
            .into_iter()
            .chain(shown("scans of the image", &of_digest))
            .collect();
    };
    let mut requirements = Vec::new();
    if of_commit.is_empty() {
        let finding = Finding::missing("no scanner reported anything for this commit; of its images a scan is asked");
        requirements.push(Requirement::new(words("the source", rule), Standing::NotNeeded, vec![finding]).shown_only());
    } else {
        let requirement = judge(view, rule, "the source", &of_commit);
        // What was found is listed; what is not known any more comes of another run.
        let command = if requirement.standing == Standing::Fail { "lineclear security" } else { "lineclear run" };
        requirements.push(requirement.supplied_by(|| command.to_owned()));
    }
    if is_digest {
        let requirement = match of_digest.is_empty() {
            true => {
                let finding = Finding::missing("this digest has not been scanned");
                Requirement::new(words("the image", rule), Standing::Missing, vec![finding])
            }
            false => judge(view, rule, "the image", &of_digest),
        };
        requirements.push(requirement.supplied_by(|| format!("lineclear image scan {}", view.subject())));
    }
    requirements
}

struct Scan<'a> {
    entry: &'a Entry,
    statement: &'a ScanStatement,
}

fn scans<'a>(view: &View<'a>, subjects: &[Name]) -> Vec<Scan<'a>> {
    let scan = |entry: &'a Entry| match &entry.evidence.statement {
        Statement::Scan(statement) => Some(Scan { entry, statement }),
        _ => None,
    };
    view.index
        .newest_attempts_of_all(subjects, Kind::Scan, None)
        .into_iter()
        .filter_map(|(_, entry)| scan(entry))
        .collect()
}

fn words(of: &str, rule: &ScanRule) -> String {
    let severities: Vec<&str> = rule.block.iter().rev().map(|severity| severity.as_str()).collect();
    match (severities.as_slice(), rule.budget) {
        ([], _) => format!("a scan of {of}"),
        (_, 0) => format!("no {} findings in {of}", severities.join(" or ")),
        (_, budget) => format!("at most {budget} {} findings in {of}", severities.join(" or ")),
    }
}

fn judge(view: &View<'_>, rule: &ScanRule, of: &str, scans: &[Scan<'_>]) -> Requirement {
    let mut standings: Vec<Standing> = scans.iter().map(|scan| scan.standing(view, rule)).collect();
    let mut findings: Vec<Finding> = scans.iter().map(|scan| scan.finding(view)).collect();
    findings.extend(scans.iter().filter_map(|scan| {
        let IgnoredUntil { id, day, .. } = scan.over(view, rule)?;
        Some(Finding::of(
            format!("{id} was ignored until {day}, and that day is over: it has to be scanned again"),
            scan.entry,
        ))
    }));
    let blocking = blocking(rule, scans);
    if blocking > rule.budget {
        standings.push(Standing::Fail);
        let named = named(rule, scans);
        let more = blocking.saturating_sub(named.len() as u64);
        findings.extend(named);
        if more > 0 {
            findings.push(Finding::missing(format!("and {more} more")));
        }
    }
    Requirement::new(words(of, rule), Standing::of_all(standings), findings)
}

/// How many different findings block. Two tools that say the same of the same place have found one thing.
fn blocking(rule: &ScanRule, scans: &[Scan<'_>]) -> u64 {
    let blocks = |found: &&Found| rule.block.contains(&found.severity);
    let mut different: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut not_listed = 0_u64;
    for Scan { statement, .. } in scans {
        let counted = rule.block.iter().filter_map(|severity| statement.counts.get(severity));
        let counted = counted.fold(0_u64, |sum, count| sum.saturating_add(*count));
        let listed = statement.found.iter().filter(blocks);
        not_listed = not_listed.saturating_add(counted.saturating_sub(listed.clone().count() as u64));
        different.extend(listed.map(|found| (found.id.as_str(), found.place.as_str())));
    }
    not_listed.saturating_add(different.len() as u64)
}

/// The worst of what blocks, each once.
fn named(rule: &ScanRule, scans: &[Scan<'_>]) -> Vec<Finding> {
    let all = scans.iter().flat_map(|scan| scan.statement.found.iter().map(move |found| (found, scan.entry)));
    let mut worst: Vec<(&Found, &Entry)> = all.filter(|(found, _)| rule.block.contains(&found.severity)).collect();
    worst.sort_by_key(|(found, entry)| (std::cmp::Reverse(found.severity), &found.id, &found.place, entry.number));
    worst.dedup_by_key(|(found, _)| (&found.id, &found.place));
    worst.truncate(NAMED);
    worst.into_iter().map(|(found, entry)| Finding::of(sentence(found), entry)).collect()
}

fn sentence(found: &Found) -> String {
    let Found { severity, id, place, version, fixed, .. } = found;
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    let fixed = if fixed.is_empty() { String::new() } else { format!(", mended in {fixed}") };
    format!("{id} ({severity}) in {place}{version}{fixed}")
}

impl Scan<'_> {
    /// What is known by it; what it found is judged for all of them together.
    fn standing(&self, view: &View<'_>, rule: &ScanRule) -> Standing {
        // A report that cannot be read is no scan, nor is one that left out what would count today.
        if self.statement.unreadable.is_empty() && self.over(view, rule).is_none() {
            view.passed(&self.entry.evidence)
        } else {
            Standing::Missing
        }
    }

    /// The word on which it rests and that holds no more, if what it was said of blocks.
    fn over(&self, view: &View<'_>, rule: &ScanRule) -> Option<&IgnoredUntil> {
        let blocks = |one: &&IgnoredUntil| one.severity.is_none_or(|severity| rule.block.contains(&severity));
        let over = self.statement.ignored_until.iter().filter(blocks).filter(|one| one.is_over(view.asked.now));
        over.min_by_key(|one| &one.day)
    }

    /// "trivy: 1 critical, 3 high (2 ignored) in run 12".
    fn finding(&self, view: &View<'_>) -> Finding {
        let ScanStatement { tool, category, counts, ignored, unreadable, .. } = self.statement;
        let name = if category.is_empty() { tool.clone() } else { format!("{tool} ({category})") };
        let place =
            format!("{}{}{}", who(&self.entry.evidence.by), view.elsewhere(self.entry), view.age(&self.entry.evidence));
        if !unreadable.is_empty() {
            return Finding::of(format!("{name}: the report could not be read {place}: {unreadable}"), self.entry);
        }
        let count = |severity: &Severity| {
            counts.get(severity).filter(|count| **count > 0).map(|count| format!("{count} {severity}"))
        };
        let by_severity: Vec<String> = Severity::ALL.iter().filter_map(count).collect();
        let found = if by_severity.is_empty() { "nothing found".to_owned() } else { by_severity.join(", ") };
        let ignored = if *ignored == 0 { String::new() } else { format!(" ({ignored} ignored)") };
        Finding::of(format!("{name}: {found}{ignored} {place}"), self.entry)
    }
}
