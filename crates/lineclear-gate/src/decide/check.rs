//! Checks: every leg has to have ended well the last time it looked at these contents.
//!
//! A leg that was left out (skipped, or filtered by paths) has not looked, so it only speaks where no other end is known. One that was filtered
//! by paths is judged by the commit that the changed paths were counted from: what failed there is not mended by changes that it does not look at.

use std::collections::BTreeMap;

use lineclear_event::{CheckConclusion, CheckContext, CheckLeg, Statement};

use super::{Finding, Requirement, Standing, View, short, who, word};
use crate::conclusions::{Counts, counts_as};
use crate::index::{At, Kind, LegEnds, Verdict};
use crate::names::Name;
use crate::{Entry, RequiredCheck};

/// So many commits in a row may have been left out by their paths. Also what ends a cycle that a forged ledger has.
const MAX_FILTERED: usize = 1000;

/// A check that `require` names.
pub(super) fn required(view: &View<'_>, required: &RequiredCheck) -> Requirement {
    let check = &required.check;
    let place = match required.on {
        None => return requirement(view, check),
        Some(on) if on == view.asked.context => return requirement(view, check),
        Some(CheckContext::PullRequest) => "on pull requests",
        Some(CheckContext::Push) => "on pushes",
        Some(CheckContext::Other) => "by hand or by time",
    };
    let finding = Finding::missing(format!("it is asked for {place} only"));
    Requirement::new(format!("check `{check}`"), Standing::NotNeeded, vec![finding]).shown_only()
}

/// A check that `supplementary` names.
pub(super) fn supplementary(view: &View<'_>, check: &str) -> Requirement {
    requirement(view, check).shown_only()
}

fn requirement(view: &View<'_>, check: &str) -> Requirement {
    let wanted = Wanted::readings(check);
    let mut found: Vec<(Standing, Finding)> = Vec::new();
    for leg in legs(view, view.commit.unwrap_or_default(), &view.same, &wanted) {
        found.extend(view.judge(&leg, &wanted));
    }
    if found.is_empty() {
        let text = match view.commit {
            Some(commit) => format!("it has not run for {}", short(commit)),
            None => "which commit the image was built from is not known".to_owned(),
        };
        found.push((Standing::Missing, Finding::missing(text)));
    }
    // What is wrong comes first; among equals the order is that of the legs.
    found.sort_by_key(|(standing, _)| standing.lets_through());
    let standing = Standing::of_all(found.iter().map(|(standing, _)| *standing));
    let mut findings: Vec<Finding> = found.into_iter().map(|(_, finding)| finding).collect();
    findings.extend(adjusted(view, &wanted));
    Requirement::new(format!("check `{check}`"), standing, findings).supplied_by(|| command(view, &wanted))
}

/// A way to read a required check: all legs of a check, or one leg.
struct Wanted<'c> {
    check: &'c str,
    leg: Option<&'c str>,
}

impl<'c> Wanted<'c> {
    /// `CI / test (3.12)` is a check of this name, or the leg `3.12` of `CI / test`; what is known of either counts.
    fn readings(check: &'c str) -> Vec<Self> {
        let mut readings = vec![Self { check, leg: None }];
        if let Some(open) = check.strip_suffix(')') {
            readings.extend(
                open.match_indices(" (")
                    .filter_map(|(at, _)| Some(Self { check: open.get(..at)?, leg: open.get(at + 2..) })),
            );
        }
        readings
    }
}

/// The newest end of one leg.
struct Leg<'a> {
    entry: &'a Entry,
    at: At,
    leg: &'a CheckLeg,
    is_verdict: bool,
    /// A later success that takes nothing back.
    in_vain: Option<&'a Entry>,
}

/// The legs that count at the commits with the contents of the commit `of`.
fn legs<'a>(view: &View<'a>, of: &str, same: &[Name], wanted: &[Wanted<'_>]) -> Vec<Leg<'a>> {
    let mut found = Vec::new();
    for wanted in wanted {
        let mut jobs: BTreeMap<(Name, Name), Vec<(Name, LegEnds)>> = BTreeMap::new();
        for ((file, job, leg), ends) in view.index.legs(of, same, wanted.check, view.asked.context) {
            jobs.entry((file, job)).or_default().push((leg, ends));
        }
        let leg = wanted.leg.map(|leg| view.index.name(leg));
        for legs in jobs.into_values() {
            // A job that ended before its matrix was known has one leg without a name. Its legs, once they ended, take its place.
            let of_legs = legs.iter().filter(|(leg, _)| *leg != Name::FIRST).filter_map(|(_, ends)| ends.verdict);
            let of_legs: Vec<Verdict> = of_legs.collect();
            for (name, ends) in legs {
                let is_whole = name == Name::FIRST;
                let gives_way =
                    |to: &Verdict| ends.verdict.is_none_or(|whole| whole.gives_way_to(*to, view.asked.context));
                if is_whole && of_legs.iter().any(gives_way) {
                    continue;
                }
                if !is_whole && leg.is_some_and(|leg| leg != Some(name)) {
                    continue;
                }
                let verdict = ends.verdict.map(|verdict| (verdict.at, true));
                let end = verdict.or(ends.left_out.map(|left_out| (left_out.at, false)));
                let in_vain = ends.takes_nothing_back.and_then(|at| view.index.entry(at.entry));
                found.extend(end.and_then(|(at, is_verdict)| {
                    let (entry, leg) = end_of(view, at)?;
                    Some(Leg { entry, at, leg, is_verdict, in_vain })
                }));
            }
        }
    }
    found
}

fn end_of<'a>(view: &View<'a>, at: At) -> Option<(&'a Entry, &'a CheckLeg)> {
    let entry = view.index.entry(at.entry)?;
    match &entry.evidence.statement {
        Statement::Check(check) => Some((entry, check.legs.get(at.leg)?)),
        _ => None,
    }
}

impl View<'_> {
    fn judge(&self, leg: &Leg<'_>, wanted: &[Wanted<'_>]) -> Option<(Standing, Finding)> {
        let CheckLeg { name, conclusion, reason, since } = leg.leg;
        let entry = leg.entry;
        let what = if name.is_empty() { String::new() } else { format!("`{name}` ") };
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let place = format!("{}{}", who(&entry.evidence.by), self.elsewhere(entry));
        let finding = |text: String| Finding::of(text, entry);
        Some(match counts_as(*conclusion, self.rules.skipped) {
            Counts::Nothing => return None,
            Counts::Pass => {
                let text = format!("{what}{} {place}{}", ended(*conclusion), self.age(&entry.evidence));
                (self.passed(&entry.evidence), finding(text))
            }
            Counts::Fail => {
                let in_vain = leg.in_vain.map(|later| {
                    format!(
                        "; its later success {} was on another event, and takes nothing back",
                        who(&later.evidence.by)
                    )
                });
                let text = format!("{what}{} {place}{because}{}", ended(*conclusion), in_vain.unwrap_or_default());
                (Standing::Fail, finding(text))
            }
            Counts::NotNeeded if !self.is_fresh(&entry.evidence) => {
                let text = format!("{what}{} {place}{}", ended(*conclusion), self.age(&entry.evidence));
                (Standing::Expired, finding(text))
            }
            Counts::NotNeeded if *conclusion == CheckConclusion::PathFiltered => {
                let (standing, more) = match since.as_deref().map(|since| (since, before(self, since, wanted))) {
                    Some((_, Before::Failed { commit })) => {
                        let failed = format!("nothing it looks at changed since {}, where it failed", short(&commit));
                        (Standing::Fail, failed)
                    }
                    Some((since, Before::TooFar)) => {
                        let far =
                            format!("the paths left it out {MAX_FILTERED} times in a row before {}", short(since));
                        (Standing::Fail, far)
                    }
                    Some((since, Before::Fine)) => {
                        (Standing::NotNeeded, format!("nothing it looks at changed since {}", short(since)))
                    }
                    Some((since, Before::Unknown)) => {
                        let text =
                            format!("nothing it looks at changed since {}, of which nothing is known", short(since));
                        (Standing::NotNeeded, text)
                    }
                    None => (Standing::NotNeeded, "nothing it looks at changed".to_owned()),
                };
                let verb = if standing == Standing::Fail {
                    "was left out by its paths"
                } else {
                    "not needed, because of its paths"
                };
                (standing, finding(format!("{what}{verb} {place}: {more}")))
            }
            Counts::NotNeeded => (Standing::NotNeeded, finding(format!("{what}not needed, skipped {place}{because}"))),
        })
    }
}

/// How a check stood where the changed paths were counted from.
enum Before {
    Fine,
    Failed { commit: String },
    Unknown,
    TooFar,
}

fn before(view: &View<'_>, since: &str, wanted: &[Wanted<'_>]) -> Before {
    let mut commit = since.to_owned();
    for _ in 0..MAX_FILTERED {
        let same = view.index.same_contents(&commit, view.commits);
        let legs = legs(view, &commit, &same, wanted);
        if legs.is_empty() {
            return Before::Unknown;
        }
        // Whether a skipped check fails is the gate's own question here; what failed before is a verdict.
        let failed =
            |leg: &Leg<'_>| leg.is_verdict && counts_as(leg.leg.conclusion, view.rules.skipped) == Counts::Fail;
        if legs.iter().any(failed) {
            return Before::Failed { commit };
        }
        let is_inside = |since: &String| view.index.is_one_of(since, &commit, &same);
        let filtered = legs.iter().filter(|leg| leg.leg.conclusion == CheckConclusion::PathFiltered);
        let sinces = filtered.filter_map(|leg| Some((leg.leg.since.as_ref()?, leg.at)));
        let next = match sinces.max_by_key(|(since, at)| (!is_inside(since), *at)) {
            // Of these contents nothing else is known.
            Some((since, _)) if is_inside(since) => return Before::Unknown,
            Some((since, _)) => since.clone(),
            None if legs.iter().any(|leg| leg.is_verdict) => return Before::Fine,
            None => return Before::Unknown,
        };
        commit = next;
    }
    Before::TooFar
}

/// The newest run that does not count, so that nobody wonders why it does not.
fn adjusted(view: &View<'_>, wanted: &[Wanted<'_>]) -> Option<Finding> {
    let newest = wanted
        .iter()
        .filter_map(|wanted| view.index.name(wanted.check))
        .flat_map(|check| view.index.newest(&view.same, Kind::Adjusted, Some(check)))
        .max_by_key(|(_, at)| *at);
    let entry = view.index.entry(newest?.1.entry)?;
    let Statement::Check(check) = &entry.evidence.statement else { return None };
    let how = check.adjusted.join(", ");
    // It is no evidence that the decision rests on, so its entry is not named.
    Some(Finding::missing(format!(
        "what it did {} does not count, because the run was adjusted: {how}",
        who(&entry.evidence.by)
    )))
}

fn command(view: &View<'_>, wanted: &[Wanted<'_>]) -> String {
    let place = wanted.iter().find_map(|wanted| view.index.place(wanted.check));
    match place {
        Some((file, "")) => format!("lineclear run -W {}", word(file)),
        Some((file, job)) => format!("lineclear run -W {} -j {}", word(file), word(job)),
        None => "lineclear run".to_owned(),
    }
}

fn ended(conclusion: CheckConclusion) -> &'static str {
    match conclusion {
        CheckConclusion::Success => "succeeded",
        CheckConclusion::Failure => "failed",
        CheckConclusion::Cancelled => "was cancelled",
        CheckConclusion::TimedOut => "timed out",
        CheckConclusion::Skipped => "was skipped",
        CheckConclusion::Neutral => "ended as neutral",
        CheckConclusion::PathFiltered => "was left out by its paths",
        CheckConclusion::ActionRequired => "waits for someone to act",
        CheckConclusion::Stale => "was given up as stale",
        CheckConclusion::StartupFailure => "could not be started",
        CheckConclusion::NotRun => "was not asked for",
    }
}
