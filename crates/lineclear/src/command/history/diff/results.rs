//! What came out of two runs, compared.

use std::collections::BTreeMap;

use lineclear_event::{Fact, TestOutcome};
use lineclear_store::{Artifacts, StoreError};
use serde::Serialize;

use super::inputs::{Change, changes};
use crate::history::tests_of_runs::{TestId, cases};
use crate::history::{JobView, RunView, Status, StepView};
use crate::report::duration;

/// A duration that grew or shrank by less than this is no news.
const LEAST_MS: u64 = 1_000;

/// A job or step that took much longer or much less long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Slower {
    pub(super) name: String,
    pub(super) old_ms: u64,
    pub(super) new_ms: u64,
}

/// What came out differently.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Results {
    pub(super) conclusion: Option<Change>,
    pub(super) jobs: Vec<Change>,
    pub(super) steps: Vec<Change>,
    /// By job or step; what differs by a fifth and a second at least.
    pub(super) durations: Vec<Slower>,
    pub(super) tests: Vec<Change>,
    pub(super) coverage: Vec<Change>,
    pub(super) findings: Vec<Change>,
    pub(super) artifacts: Vec<Change>,
}

impl Results {
    pub(super) fn compare(store: &dyn Artifacts, old: &RunView, new: &RunView) -> Result<Self, StoreError> {
        let whole = |view: &RunView| BTreeMap::from([("run".to_owned(), view.status().as_str().to_owned())]);
        Ok(Self {
            conclusion: changes(&whole(old), &whole(new)).pop(),
            jobs: changes(&jobs(old), &jobs(new)),
            steps: steps(old, new),
            durations: slower(old, new),
            tests: tests(old, new),
            coverage: changes(&coverage(old), &coverage(new)),
            findings: changes(&findings(old), &findings(new)),
            artifacts: changes(&artifacts(store, old)?, &artifacts(store, new)?),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conclusion.is_none()
            && self.durations.is_empty()
            && [&self.jobs, &self.steps, &self.tests, &self.coverage, &self.findings, &self.artifacts]
                .iter()
                .all(|list| list.is_empty())
    }
}

fn jobs(view: &RunView) -> BTreeMap<String, String> {
    let ended = |job: &JobView| match job.conclusion() {
        Some(conclusion) => Some((job.key.to_string(), conclusion.to_string())),
        None if job.started.is_none() => None,
        None => Some((job.key.to_string(), Status::of(&view.summary).to_string())),
    };
    view.jobs.iter().filter_map(ended).collect()
}

/// How steps ended in jobs that both runs have: of the others, the job says it all. A step is the same when its id is, given or
/// made from what it calls, whatever it is named now.
fn steps(old: &RunView, new: &RunView) -> Vec<Change> {
    let mut found = Vec::new();
    for job in &new.jobs {
        let Some(before) = old.jobs.iter().find(|known| known.key == job.key && !known.steps.is_empty()) else {
            continue;
        };
        if job.steps.is_empty() {
            continue;
        }
        let ended = |step: &StepView| step.end.as_ref().map_or("unfinished", |end| end.outcome.as_str()).to_owned();
        let (then, now) = (numbered(before), numbered(job));
        let name = |step: &StepView| format!("{} › {}", job.key, step.name);
        for (id, step) in &now {
            let old = then.get(id).map(|step| ended(step));
            if old.as_ref() != Some(&ended(step)) {
                found.push(Change { name: name(step), old, new: Some(ended(step)) });
            }
        }
        for (_, step) in then.iter().filter(|(id, _)| !now.contains_key(*id)) {
            found.push(Change { name: name(step), old: Some(ended(step)), new: None });
        }
    }
    found
}

/// The steps of a job by their ids; the main and the post stage of an action have the same.
fn numbered(job: &JobView) -> BTreeMap<(&str, usize), &StepView> {
    let mut found = BTreeMap::new();
    for step in &job.steps {
        let mut at = 0;
        while found.contains_key(&(step.id.as_str(), at)) {
            at += 1;
        }
        found.insert((step.id.as_str(), at), step);
    }
    found
}

fn slower(old: &RunView, new: &RunView) -> Vec<Slower> {
    let mut found = Vec::new();
    let mut add = |name: String, old_ms: u64, new_ms: u64| {
        let apart = old_ms.abs_diff(new_ms);
        if apart >= LEAST_MS && apart.saturating_mul(5) >= old_ms {
            found.push(Slower { name, old_ms, new_ms });
        }
    };
    for job in &new.jobs {
        let Some(before) = old.jobs.iter().find(|known| known.key == job.key && known.started.is_some()) else {
            continue;
        };
        if let (Some(then), Some(now)) = (&before.end, job.end.as_ref().filter(|_| job.started.is_some())) {
            add(job.key.to_string(), then.duration_ms, now.duration_ms);
        }
        let then = numbered(before);
        for (id, step) in numbered(job) {
            let ends = then.get(&id).and_then(|then| then.end.as_ref()).zip(step.end.as_ref());
            if let Some((then, now)) = ends {
                add(format!("{} › {}", job.key, step.name), then.duration_ms, now.duration_ms);
            }
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.old_ms.abs_diff(one.new_ms)));
    found
}

fn tests(old: &RunView, new: &RunView) -> Vec<Change> {
    let all = |view: &RunView| {
        let mut outcomes: BTreeMap<TestId, TestOutcome> = BTreeMap::new();
        for (id, _, case) in cases(view) {
            outcomes.insert(id, case.outcome);
        }
        outcomes
    };
    let (before, after) = (all(old), all(new));
    let mut ids: Vec<&TestId> = before.keys().chain(after.keys()).collect();
    ids.sort();
    ids.dedup();
    let word = |outcome: &TestOutcome| match outcome {
        TestOutcome::Passed => "passed".to_owned(),
        TestOutcome::Flaky => "flaky".to_owned(),
        TestOutcome::Failed => "failed".to_owned(),
        TestOutcome::Skipped => "skipped".to_owned(),
    };
    let change = |id: &TestId| {
        let (before, after) = (before.get(id), after.get(id));
        let suite = if id.suite.is_empty() { String::new() } else { format!("{} › ", id.suite) };
        let name = format!("{suite}{} ({})", id.name, id.job);
        (before != after).then(|| Change { name, old: before.map(word), new: after.map(word) })
    };
    let mut changes: Vec<Change> = ids.into_iter().filter_map(change).collect();
    // What fails now is what one looks for.
    changes.sort_by_key(|change| match change.new.as_deref() {
        Some("failed") => 0,
        Some("flaky") => 1,
        _ => 2,
    });
    changes
}

fn coverage(view: &RunView) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for job in &view.jobs {
        for (_, fact) in &job.facts {
            if let Fact::Coverage(coverage) = fact {
                let share = crate::history::words::percent(coverage.lines_covered, coverage.lines);
                let text = format!("{share} of lines ({} of {})", coverage.lines_covered, coverage.lines);
                found.insert(format!("{} ({})", coverage.name, job.key), text);
            }
        }
    }
    found
}

fn findings(view: &RunView) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for job in &view.jobs {
        for (_, fact) in &job.facts {
            if let Fact::Findings(findings) = fact {
                let counts = findings.by_severity();
                let counts: Vec<String> =
                    counts.iter().rev().map(|(severity, count)| format!("{count} {severity}")).collect();
                let text = match counts.as_slice() {
                    _ if !findings.unreadable.is_empty() => "not known".to_owned(),
                    [] => "none".to_owned(),
                    counts => counts.join(", "),
                };
                found.insert(format!("{} {} ({})", findings.tool, findings.name, job.key), text);
            }
        }
    }
    found
}

fn artifacts(store: &dyn Artifacts, view: &RunView) -> Result<BTreeMap<String, String>, StoreError> {
    let kept = store.list(view.id())?.into_iter();
    Ok(kept.map(|artifact| (artifact.name, artifact.digest)).collect())
}

impl Slower {
    /// `12.0s → 40.0s`.
    pub(super) fn in_words(&self) -> String {
        format!("{} → {}", duration(self.old_ms), duration(self.new_ms))
    }
}
