//! What follows from `needs` and status functions, against the rules said once more in the simplest way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lineclear_event::{Changed, ForgeEvent, Repository};
use lineclear_plan::{Facts, Verdict, plan};
use lineclear_source::Source;
use lineclear_workflow::Workflow;
use proptest::prelude::*;

/// The conditions that jobs may have, and what they are without regard to needs.
const CONDITIONS: [&str; 7] = [
    "",
    "if: github.ref == 'refs/heads/main', ",
    "if: github.ref == 'refs/heads/none', ",
    "if: always(), ",
    "if: failure(), ",
    "if: '!cancelled()', ",
    "if: needs.j0.outputs.x == 'y', ",
];

/// A job: its condition and which of the jobs before it it needs.
#[derive(Clone, Debug)]
struct Small {
    condition: usize,
    needs: BTreeSet<usize>,
}

fn graph() -> impl Strategy<Value = Vec<Small>> {
    let job = |at: usize| {
        let needs = proptest::collection::btree_set(0..at.max(1), 0..=at.min(3));
        (0..CONDITIONS.len(), needs).prop_map(move |(condition, mut needs)| {
            if at == 0 {
                needs.clear();
            }
            // The last condition speaks of the first job, which then has to be needed.
            if condition == 6 && at > 0 {
                needs.insert(0);
            }
            Small { condition: if at == 0 { condition % 4 } else { condition }, needs }
        })
    };
    (1_usize..9).prop_flat_map(move |count| (0..count).map(job).collect::<Vec<_>>())
}

fn expected(jobs: &[Small]) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        let mut before = BTreeSet::new();
        let mut open: Vec<usize> = job.needs.iter().copied().collect();
        while let Some(next) = open.pop() {
            if before.insert(next) {
                open.extend(&jobs[next].needs);
            }
        }
        let any = |verdict| before.iter().any(|job| verdicts[*job] == verdict);
        let by_needs = if any(Verdict::Skipped) {
            Verdict::Skipped
        } else if any(Verdict::KnownAtRunTime) {
            Verdict::KnownAtRunTime
        } else {
            Verdict::Runs
        };
        let all_direct_skipped =
            !job.needs.is_empty() && job.needs.iter().all(|job| verdicts[*job] == Verdict::Skipped);
        let verdict = match job.condition {
            0 | 1 => by_needs,
            2 => Verdict::Skipped,
            3 | 5 => Verdict::Runs,
            4 if before.iter().any(|job| verdicts[*job] != Verdict::Skipped) => Verdict::KnownAtRunTime,
            4 => Verdict::Skipped,
            // The outputs of a skipped job are empty; a skipped ancestor decides before they are looked at.
            6 if all_direct_skipped || any(Verdict::Skipped) => Verdict::Skipped,
            _ => Verdict::KnownAtRunTime,
        };
        assert_eq!(at, verdicts.len());
        verdicts.push(verdict);
    }
    verdicts
}

fn planned(jobs: &[Small]) -> Vec<Verdict> {
    let mut text = String::from("on: push\njobs:\n");
    for (at, job) in jobs.iter().enumerate() {
        let needs: Vec<_> = job.needs.iter().map(|need| format!("j{need}")).collect();
        let needs = if needs.is_empty() { String::new() } else { format!("needs: [{}], ", needs.join(", ")) };
        text.push_str(&format!(
            "  j{at}: {{ {needs}{}runs-on: x, steps: [{{ run: a }}] }}\n",
            CONDITIONS[job.condition]
        ));
    }
    let read = Workflow::read(&Source::new("w.yml", text));
    assert!(!read.has_errors(), "{:?}", read.diagnostics);
    let event = ForgeEvent {
        name: "push".into(),
        payload: serde_json::json!({}),
        repository: Repository {
            owner: "o".into(),
            name: "r".into(),
            default_branch: "main".into(),
            id: "1".into(),
            owner_id: "1".into(),
            private: false,
        },
        reference: "refs/heads/main".into(),
        sha: "0".repeat(40),
        base_ref: String::new(),
        head_ref: String::new(),
        actor: "a".into(),
        changed: Changed::Unknown { reason: "not asked".into() },
    };
    let workflows = [(read.model.expect("it can be read"), read.diagnostics)];
    let plan = plan(&workflows, &event, &Facts::default(), &BTreeMap::<String, Arc<str>>::new());
    plan.workflows[0].jobs.iter().map(|job| job.decision.verdict).collect()
}

proptest! {
    #[test]
    fn trap_46_jobs_are_decided_as_the_simple_oracle_says(jobs in graph()) {
        prop_assert_eq!(planned(&jobs), expected(&jobs), "{:?}", jobs);
    }
}
