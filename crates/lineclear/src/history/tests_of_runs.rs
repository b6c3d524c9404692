//! The record of tests over many runs: which ones do not always say the same.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_event::{Fact, RunId, TestCase, TestOutcome, Timestamp};
use serde::Serialize;

use super::RunView;

/// Which test, of which job: the same test may well fail on one platform and pass on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct TestId {
    pub(crate) file: String,
    pub(crate) job: String,
    pub(crate) suite: String,
    pub(crate) name: String,
}

/// What is known of a test that does not always say the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Flake {
    #[serde(flatten)]
    pub(crate) test: TestId,
    /// Runs in which it passed or failed.
    pub(crate) runs: u64,
    /// Runs in which it passed only after a failed try.
    pub(crate) retried: u64,
    /// Runs in which it failed on a commit on which it passed in another run.
    pub(crate) failed: u64,
    /// Commits on which it passed in one run and failed in another.
    pub(crate) flipped: Vec<String>,
    /// When it was last seen to do so, and in which run.
    pub(crate) last: Timestamp,
    pub(crate) last_run: RunId,
    /// The newest message that is known of a failure.
    pub(crate) message: String,
}

impl Flake {
    /// Runs in which it was unreliable.
    pub(crate) fn unreliable(&self) -> u64 {
        self.retried + self.failed
    }
}

#[derive(Debug)]
struct Seen<'v> {
    view: &'v RunView,
    case: &'v TestCase,
}

/// The tests among `views` (newest first) that passed only when tried again, or that passed and failed on one commit with one
/// plan. The least reliable come first.
pub(crate) fn flakes(views: &[RunView]) -> Vec<Flake> {
    let mut tests: BTreeMap<TestId, Vec<Seen<'_>>> = BTreeMap::new();
    for (id, view, case) in views.iter().flat_map(cases) {
        let seen = tests.entry(id).or_default();
        match seen.last_mut().filter(|last| last.view.id() == view.id()) {
            // Reported twice in one run: what is worse counts.
            Some(last) if badness(case) > badness(last.case) => last.case = case,
            Some(_) => {}
            None => seen.push(Seen { view, case }),
        }
    }
    let mut found: Vec<Flake> = tests.into_iter().filter_map(|(id, seen)| judge(id, &seen)).collect();
    // By share of the runs, compared without division.
    found.sort_by(|left, right| {
        let share = |one: &Flake, other: &Flake| u128::from(one.unreliable()) * u128::from(other.runs);
        share(right, left).cmp(&share(left, right)).then_with(|| right.last.cmp(&left.last))
    });
    found
}

fn judge(test: TestId, seen: &[Seen<'_>]) -> Option<Flake> {
    let mut commits: BTreeMap<(&str, &str), BTreeSet<bool>> = BTreeMap::new();
    for one in seen {
        let commit = (one.view.summary.header.run.sha.as_str(), one.view.plan_hash.as_str());
        commits.entry(commit).or_default().insert(one.case.outcome == TestOutcome::Failed);
    }
    let flipped = |one: &Seen<'_>| {
        let sha = one.view.summary.header.run.sha.as_str();
        commits.get(&(sha, one.view.plan_hash.as_str())).is_some_and(|outcomes| outcomes.len() > 1)
    };
    let retried = |one: &&Seen<'_>| one.case.outcome == TestOutcome::Flaky;
    let failed = |one: &&Seen<'_>| one.case.outcome == TestOutcome::Failed && flipped(one);
    let last = seen.iter().find(|one| retried(one) || failed(one))?;
    let mut shas: Vec<String> =
        commits.iter().filter(|(_, outcomes)| outcomes.len() > 1).map(|((sha, _), _)| (*sha).to_owned()).collect();
    shas.dedup();
    let message = seen.iter().filter(|one| retried(one) || failed(one)).map(|one| one.case.message.as_str());
    Some(Flake {
        test,
        runs: seen.len() as u64,
        retried: seen.iter().filter(retried).count() as u64,
        failed: seen.iter().filter(failed).count() as u64,
        flipped: shas,
        last: last.view.summary.header.run.started,
        last_run: last.view.id(),
        message: message.into_iter().find(|message| !message.is_empty()).unwrap_or_default().to_owned(),
    })
}

/// The tests of a run that passed or failed, each with its place.
pub(crate) fn cases(view: &RunView) -> impl Iterator<Item = (TestId, &RunView, &TestCase)> {
    view.jobs.iter().flat_map(move |job| {
        let reports = job.facts.iter().filter_map(|(_, fact)| match fact {
            Fact::Tests(results) => Some(results),
            _ => None,
        });
        reports.flat_map(|results| &results.cases).filter(|case| case.outcome != TestOutcome::Skipped).map(
            move |case| {
                let id = TestId {
                    file: view.summary.header.run.file.clone(),
                    job: job.key.to_string(),
                    suite: case.suite.clone(),
                    name: case.name.clone(),
                };
                (id, view, case)
            },
        )
    })
}

fn badness(case: &TestCase) -> u8 {
    match case.outcome {
        TestOutcome::Skipped => 0,
        TestOutcome::Passed => 1,
        TestOutcome::Flaky => 2,
        TestOutcome::Failed => 3,
    }
}

#[cfg(test)]
mod tests {
    use lineclear_event::{Envelope, JobKey, RunEvent, TestResults};
    use lineclear_store::{NewRun, RunHeader, RunSummary};

    use super::*;

    fn run(id: u64, sha: &str, cases: &[(&str, TestOutcome, &str)]) -> RunView {
        let run = NewRun {
            repository: "o/r".into(),
            file: "ci.yml".into(),
            workflow: "ci".into(),
            event: "push".into(),
            reference: "refs/heads/main".into(),
            sha: sha.into(),
            started: Timestamp(id as i64),
        };
        let header = RunHeader { id: RunId(id), number: id, run };
        let summary = RunSummary { header, conclusion: None, alive: false, finished: None };
        let case = |(name, outcome, message): &(&str, TestOutcome, &str)| TestCase {
            suite: "s".into(),
            name: (*name).to_owned(),
            outcome: *outcome,
            duration_ms: 1,
            message: (*message).to_owned(),
            file: None,
            line: None,
        };
        let results = TestResults { cases: cases.iter().map(case).collect(), ..TestResults::default() };
        let event = RunEvent::Fact { job: JobKey::new("test"), step: "t".into(), fact: Fact::Tests(results) };
        RunView::of(summary, &[Envelope { event, run: RunId(id), at: Timestamp(id as i64) }], Vec::new())
    }

    #[test]
    fn a_test_that_is_retried_or_flips_on_a_commit_is_a_flake_and_one_that_was_broken_is_not() {
        use TestOutcome::{Failed, Flaky, Passed};
        let views = [
            run(
                4,
                "b",
                &[("retried", Passed, ""), ("flips", Passed, ""), ("fixed", Passed, ""), ("sound", Passed, "")],
            ),
            run(
                3,
                "a",
                &[("retried", Flaky, "slow"), ("flips", Failed, "3"), ("fixed", Failed, ""), ("sound", Passed, "")],
            ),
            run(
                2,
                "a",
                &[("retried", Passed, ""), ("flips", Passed, ""), ("fixed", Failed, ""), ("sound", Passed, "")],
            ),
            run(1, "a", &[("flips", Failed, "1")]),
        ];
        let found = flakes(&views);
        let shown: Vec<_> = found
            .iter()
            .map(|flake| {
                (flake.test.name.as_str(), flake.unreliable(), flake.runs, flake.last.0, flake.message.as_str())
            })
            .collect();
        assert_eq!(shown, [("flips", 2, 4, 3, "3"), ("retried", 1, 3, 3, "slow")]);
        assert_eq!(found[0].flipped, ["a"]);
        assert!(found[1].flipped.is_empty());
    }
}
