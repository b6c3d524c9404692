//! What came out of two runs, compared.

use std::collections::BTreeMap;

use lineclear_event::{Fact, TestOutcome};
use lineclear_store::{Artifacts, StoreError};
use serde::Serialize;

use super::inputs::{Change, changes};
use crate::history::tests_of_runs::{TestId, cases};
use crate::history::{JobView, RunView, Status};
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
            steps: changes(&steps(old, new), &steps(new, old)),
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

/// Conclusions of the steps of jobs that both runs have: of the others, the job says it all.
fn steps(view: &RunView, other: &RunView) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for job in &view.jobs {
        let both = other.jobs.iter().any(|known| known.key == job.key && !known.steps.is_empty());
        for step in job.steps.iter().filter(|_| both && !job.steps.is_empty()) {
            let ended = step.end.as_ref().map_or("unfinished", |end| end.outcome.as_str());
            found.insert(format!("{} › {}", job.key, step.name), ended.to_owned());
        }
    }
    found
}

fn slower(old: &RunView, new: &RunView) -> Vec<Slower> {
    let all = |view: &RunView| {
        let mut durations: BTreeMap<String, u64> = BTreeMap::new();
        for job in &view.jobs {
            durations.extend(
                job.end.as_ref().filter(|_| job.started.is_some()).map(|end| (job.key.to_string(), end.duration_ms)),
            );
            for step in &job.steps {
                let place = format!("{} › {}", job.key, step.name);
                durations.extend(step.end.as_ref().map(|end| (place, end.duration_ms)));
            }
        }
        durations
    };
    let (before, after) = (all(old), all(new));
    let differs = |(name, new_ms): (String, u64)| {
        let old_ms = *before.get(&name)?;
        let apart = old_ms.abs_diff(new_ms);
        (apart >= LEAST_MS && apart.saturating_mul(5) >= old_ms).then_some(Slower { name, old_ms, new_ms })
    };
    let mut found: Vec<Slower> = after.into_iter().filter_map(differs).collect();
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
                let levels: Vec<String> =
                    findings.levels.iter().map(|(level, count)| format!("{count} {level}")).collect();
                let text = if levels.is_empty() { "none".to_owned() } else { levels.join(", ") };
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
