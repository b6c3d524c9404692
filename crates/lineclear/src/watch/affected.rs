//! Which jobs a change affects.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_workflow::Workflow;

use crate::workflow_files::WorkflowFile;

/// What a workflow file says, piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pieces {
    /// Everything outside of `jobs`.
    rest: String,
    jobs: BTreeMap<String, Job>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Job {
    text: String,
    needs: Vec<String>,
}

/// What of a workflow is to run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Affected {
    Whole,
    /// These jobs, and what needs them.
    Jobs(BTreeSet<String>),
}

/// The pieces of each file that can be read, by the file's name.
pub(super) fn pieces_of(files: &[WorkflowFile]) -> BTreeMap<String, Pieces> {
    let readable = files.iter().filter(|file| !file.has_errors()).filter_map(|file| file.workflow.as_ref());
    readable.map(|workflow| (workflow.source.name().to_owned(), Pieces::of(workflow))).collect()
}

impl Pieces {
    fn of(workflow: &Workflow) -> Self {
        let text = workflow.source.text();
        let mut starts: Vec<(usize, &str)> =
            workflow.jobs.iter().map(|job| (job.id.span.start as usize, job.id.value.as_str())).collect();
        starts.sort_unstable();
        let end_of = |at: usize| starts.get(at + 1).map_or(text.len(), |next| next.0);
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().trim_end().to_owned();
        let job = |(at, (start, id)): (usize, &(usize, &str))| {
            let needs = workflow.job(id).map(|job| job.needs.iter().map(|need| need.value.clone()).collect());
            ((*id).to_owned(), Job { text: part(*start, end_of(at)), needs: needs.unwrap_or_default() })
        };
        Self {
            rest: part(0, starts.first().map_or(text.len(), |first| first.0)),
            jobs: starts.iter().enumerate().map(job).collect(),
        }
    }

    /// What a change from `before` to this affects, in this workflow alone.
    pub(super) fn against(&self, before: &Self) -> Affected {
        if self.rest != before.rest {
            return Affected::Whole;
        }
        let changed = |(id, job): (&String, &Job)| (before.jobs.get(id) != Some(job)).then(|| id.clone());
        let mut affected: BTreeSet<String> = self.jobs.iter().filter_map(changed).collect();
        // What needs an affected job is affected.
        loop {
            let more: Vec<String> = self
                .jobs
                .iter()
                .filter(|(id, job)| !affected.contains(*id) && job.needs.iter().any(|need| affected.contains(need)))
                .map(|(id, _)| id.clone())
                .collect();
            if more.is_empty() {
                return Affected::Jobs(affected);
            }
            affected.extend(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;

    use super::*;

    fn pieces(text: &str) -> Pieces {
        let read = Workflow::read(&Source::new("w.yml", text));
        Pieces::of(&read.model.expect("it is a workflow"))
    }

    const BEFORE: &str = "on: push
jobs:
  a:
    runs-on: linux
    steps: [run: echo 1]
  b:
    needs: a
    runs-on: linux
    steps: [run: echo 2]
  c:
    runs-on: linux
    steps: [run: echo 3]
";

    #[test]
    fn a_changed_job_affects_what_needs_it_and_no_other() {
        let before = pieces(BEFORE);
        let jobs = |text: String| pieces(&text).against(&before);
        let set = |ids: &[&str]| Affected::Jobs(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(jobs(BEFORE.replace("echo 1", "echo 9")), set(&["a", "b"]));
        assert_eq!(jobs(BEFORE.replace("echo 2", "echo 9")), set(&["b"]));
        assert_eq!(jobs(format!("{BEFORE}  d:\n    runs-on: linux\n    steps: [run: echo]\n")), set(&["d"]));
        assert_eq!(jobs(BEFORE.replace("on: push", "on: push\nenv: { A: 1 }")), Affected::Whole);
        assert_eq!(jobs(BEFORE.into()), set(&[]));
    }
}
