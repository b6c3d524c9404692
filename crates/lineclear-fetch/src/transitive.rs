//! What actions and called workflows pull in themselves.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use lineclear_source::Source;
use lineclear_workflow::{Action, ActionRef, JobKind, Runs, Step, StepKind, Workflow, WorkflowRef};

use crate::place::Place;
use crate::{FetchError, Fetcher, Resolved};

/// Bytes of a metadata file that are read, rounds of pulling in, things pulled in, and fetches at once.
const LARGEST: u64 = 2 << 20;
const DEEPEST: usize = 20;
const MOST: usize = 1000;
const AT_ONCE: usize = 4;
/// Files of one repository that are followed for one use.
const MOST_FILES: usize = 200;

/// An action or workflow of another repository that something uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    pub owner: String,
    pub repo: String,
    /// The folder of an action (empty for the root), or the file of a workflow.
    pub path: String,
    pub reference: String,
    pub is_workflow: bool,
}

/// Something that was found, and what it pulls in itself.
#[derive(Clone, Debug)]
pub struct Found {
    pub wanted: Wanted,
    pub resolved: Resolved,
    pub needs: Vec<Wanted>,
}

impl Wanted {
    /// What a step's `uses` names, if it is in another repository.
    pub fn action(uses: &ActionRef) -> Option<Self> {
        match uses {
            ActionRef::Remote { owner, repo, path, reference } => Some(Self {
                owner: owner.clone(),
                repo: repo.clone(),
                path: path.clone().unwrap_or_default(),
                reference: reference.clone(),
                is_workflow: false,
            }),
            ActionRef::Local { .. } | ActionRef::SameRepository { .. } | ActionRef::Docker { .. } => None,
        }
    }

    /// What a job's `uses` names, if it is in another repository.
    pub fn workflow(uses: &WorkflowRef) -> Option<Self> {
        match uses {
            WorkflowRef::Remote { owner, repo, path, reference } => Some(Self {
                owner: owner.clone(),
                repo: repo.clone(),
                path: path.clone(),
                reference: reference.clone(),
                is_workflow: true,
            }),
            WorkflowRef::Local { .. } => None,
        }
    }

    /// What the lock calls it.
    fn key(&self) -> Option<String> {
        Place::new(&self.owner, &self.repo, &self.reference).ok().map(|place| place.key())
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.path.is_empty() { "" } else { "/" };
        write!(f, "{}/{}{slash}{}@{}", self.owner, self.repo, self.path, self.reference)
    }
}

impl Fetcher {
    /// Finds `roots` and all that they pull in, several at once; what is `built_in` is neither fetched nor followed.
    ///
    /// Each is found once. What one pulls in goes into its entry of the lock. A metadata file that cannot be read pulls in
    /// nothing: whoever runs the action tells of it.
    pub fn resolve_all(
        &self,
        roots: &[Wanted],
        built_in: &(dyn Fn(&Wanted) -> bool + Sync),
    ) -> (Vec<Found>, Vec<(Wanted, FetchError)>) {
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        let mut seen: BTreeSet<Wanted> = BTreeSet::new();
        let mut next: Vec<Wanted> = roots.to_vec();
        for _ in 0..DEEPEST {
            next.retain(|wanted| !built_in(wanted) && seen.insert(wanted.clone()));
            next.truncate(MOST.saturating_sub(found.len()));
            if next.is_empty() {
                break;
            }
            let results = self.resolve_round(&next);
            for (wanted, result) in std::mem::take(&mut next).into_iter().zip(results) {
                match result {
                    Ok((resolved, needs)) => {
                        self.note(&wanted, &needs);
                        next.extend(needs.iter().cloned());
                        found.push(Found { wanted, resolved, needs });
                    }
                    Err(error) => failed.push((wanted, error)),
                }
            }
        }
        (found, failed)
    }

    /// One result for each of `wanted`, in its order.
    fn resolve_round(&self, wanted: &[Wanted]) -> Vec<Result<(Resolved, Vec<Wanted>), FetchError>> {
        let mut results = Vec::with_capacity(wanted.len());
        for some in wanted.chunks(AT_ONCE) {
            thread::scope(|scope| {
                let running: Vec<_> = some.iter().map(|wanted| scope.spawn(|| self.resolve_one(wanted))).collect();
                for thread in running {
                    results.push(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
                }
            });
        }
        results
    }

    fn resolve_one(&self, wanted: &Wanted) -> Result<(Resolved, Vec<Wanted>), FetchError> {
        let resolved = self.resolve(&wanted.owner, &wanted.repo, &wanted.reference)?;
        let mut reader = Reader { root: &resolved.folder, seen: BTreeSet::new(), needs: BTreeSet::new() };
        match wanted.is_workflow {
            true => reader.workflow(&wanted.path),
            false => reader.action(&wanted.path),
        }
        let needs = reader.needs.into_iter().collect();
        Ok((resolved, needs))
    }

    fn note(&self, wanted: &Wanted, needs: &[Wanted]) {
        let Some(key) = wanted.key() else { return };
        if wanted.is_workflow {
            self.mark_workflow(&key);
        }
        let needs: Vec<String> = needs.iter().filter_map(Wanted::key).filter(|needed| *needed != key).collect();
        self.note_needs(&key, &needs);
    }
}

/// Reads the metadata files of one repository, following what stays in it.
struct Reader<'r> {
    root: &'r Path,
    seen: BTreeSet<String>,
    needs: BTreeSet<Wanted>,
}

impl Reader<'_> {
    fn action(&mut self, path: &str) {
        if self.seen.len() >= MOST_FILES || !self.seen.insert(path.to_owned()) {
            return;
        }
        let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
        let source = ["action.yml", "action.yaml"].iter().find_map(|name| self.source(&format!("{folder}{name}")));
        let model = source.and_then(|source| Action::read(&source).model);
        if let Some(Action { runs: Runs::Composite { steps }, .. }) = model {
            self.steps(&steps);
        }
    }

    fn workflow(&mut self, path: &str) {
        if self.seen.len() >= MOST_FILES || !self.seen.insert(path.to_owned()) {
            return;
        }
        let model = self.source(path).and_then(|source| Workflow::read(&source).model);
        for job in model.iter().flat_map(|workflow| &workflow.jobs) {
            match &job.kind {
                JobKind::Steps(job) => self.steps(&job.steps),
                JobKind::Call(call) => match &call.uses.value {
                    WorkflowRef::Local { path } => self.workflow(path),
                    remote @ WorkflowRef::Remote { .. } => self.needs.extend(Wanted::workflow(remote)),
                },
            }
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match &step.kind {
                StepKind::Uses { uses, .. } => match &uses.value {
                    ActionRef::SameRepository { path } => self.action(path),
                    // A local one is in the workspace, which only the run knows.
                    other => self.needs.extend(Wanted::action(other)),
                },
                StepKind::Parallel { steps } => self.steps(steps),
                StepKind::Run { .. } | StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } => {}
            }
        }
    }

    fn source(&self, path: &str) -> Option<Source> {
        let file: PathBuf = self.root.join(path).canonicalize().ok()?;
        let is_inside = file.starts_with(self.root.canonicalize().ok()?);
        let is_small = fs::metadata(&file).ok().is_some_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST);
        if is_inside && is_small { Some(Source::new(path, fs::read_to_string(&file).ok()?)) } else { None }
    }
}
