//! Checking many files at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lineclear_check::{Checked, Checker, Finding, Project, Repository, Settings, SharedWorkflow};
use lineclear_policy::Policy;
use lineclear_source::{Diagnostic, Source, Span};

use super::{Around, Input, Named};

/// A larger file is nothing that a forge would read.
const LARGEST: u64 = 4 << 20;

/// Files to check, and how.
#[derive(Debug)]
pub(crate) struct Work<'w> {
    pub(crate) named: &'w Named,
    pub(crate) settings: &'w Settings,
    /// The files around, by the root of their repository.
    pub(crate) around: &'w BTreeMap<String, Around>,
    pub(crate) threads: usize,
}

/// What checking one file gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) source: Source,
    pub(crate) findings: Vec<Finding>,
    pub(crate) ignored: usize,
}

/// A repository while its files are checked.
struct Share<'w> {
    project: Project<'w>,
    left: AtomicUsize,
    workflows: Mutex<Vec<SharedWorkflow>>,
}

impl Work<'_> {
    /// Checks all files, each read and parsed once; the order of the outcomes is that of the inputs.
    pub(crate) fn check(&self) -> Vec<Outcome> {
        let checker = Checker::new(self.settings);
        let mut shares: BTreeMap<&str, Share<'_>> = BTreeMap::new();
        for input in &self.named.inputs {
            if let Some(around) = self.around.get(&input.repository) {
                let new =
                    || Share { project: Project::new(around), left: AtomicUsize::new(0), workflows: Mutex::default() };
                *shares.entry(&input.repository).or_insert_with(new).left.get_mut() += 1;
            }
        }
        let next = AtomicUsize::new(0);
        let outcomes: Mutex<BTreeMap<usize, Outcome>> = Mutex::default();
        let together: Mutex<Vec<(Source, Finding)>> = Mutex::default();
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(input) = self.named.inputs.get(index) else { return };
                let Some(share) = shares.get(input.repository.as_str()) else { continue };
                let outcome = self.one(&checker, input, share);
                outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(index, outcome);
                if share.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    if self.named.is_whole {
                        let found = self.together(&checker, share);
                        together.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                    }
                    share.project.forget();
                }
            }
        };
        let threads = self.threads.min(self.named.inputs.len().div_ceil(8)).max(1);
        if threads == 1 {
            work();
        } else {
            std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        }
        let mut outcomes: Vec<Outcome> =
            outcomes.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect();
        for (source, finding) in together.into_inner().unwrap_or_else(PoisonError::into_inner) {
            match outcomes.iter_mut().find(|outcome| outcome.source.name() == source.name()) {
                Some(outcome) => {
                    outcome.findings.push(finding);
                    outcome.findings.sort_by_key(|finding| finding.diagnostic.span);
                }
                None => outcomes.push(Outcome { source, findings: vec![finding], ignored: 0 }),
            }
        }
        outcomes
    }

    fn one(&self, checker: &Checker<'_>, input: &Input, share: &Share<'_>) -> Outcome {
        let text = match read(input) {
            Ok(text) => text,
            Err((text, problem, span)) => {
                let mut diagnostic = Diagnostic::error("unreadable-file", problem);
                diagnostic.span = span;
                let finding = Finding { diagnostic, fix: None };
                return Outcome {
                    source: Source::new(input.shown.as_str(), text),
                    findings: vec![finding],
                    ignored: 0,
                };
            }
        };
        let Checked { source, findings, ignored, workflow } =
            checker.check(Source::new(input.shown.as_str(), text), input.kind, &share.project);
        if let Some(workflow) = workflow.filter(|_| self.named.is_whole) {
            share.workflows.lock().unwrap_or_else(PoisonError::into_inner).push(workflow);
        }
        Outcome { source, findings, ignored }
    }

    /// The rules that look at all files of a repository, once the last of them is read.
    fn together(&self, checker: &Checker<'_>, share: &Share<'_>) -> Vec<(Source, Finding)> {
        let mut workflows = std::mem::take(&mut *share.workflows.lock().unwrap_or_else(PoisonError::into_inner));
        workflows.sort_by(|a, b| a.source.name().cmp(b.source.name()));
        let text =
            share.project.files().read("lineclear.toml").ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
        let source = text.map(|text| Source::new("lineclear.toml", text));
        let policy: Option<Arc<Policy>> = share.project.policy();
        let policy = source.as_ref().zip(policy.as_deref());
        let found = checker.check_repository(&Repository { workflows: &workflows, policy, project: &share.project });
        let place = |file: &str| {
            let of_workflow = workflows.iter().map(|workflow| &workflow.source).find(|source| source.name() == file);
            of_workflow.or(source.as_ref()).cloned()
        };
        found.into_iter().filter_map(|(file, finding)| Some((place(&file)?, finding))).collect()
    }
}

/// The text of a file, or what can be shown of it with what is wrong and where.
fn read(input: &Input) -> Result<String, (String, String, Option<Span>)> {
    let wrong = |error: std::io::Error| (String::new(), format!("the file cannot be read: {error}"), None);
    let size = std::fs::metadata(&input.path).map_err(wrong)?.len();
    if size > LARGEST {
        return Err((String::new(), format!("the file has {size} bytes; {LARGEST} are read at most"), None));
    }
    decode(std::fs::read(&input.path).map_err(wrong)?)
}

/// Bytes as text. What is not UTF-8 is an error at its place.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, (String, String, Option<Span>)> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        (text, "the file is not valid UTF-8 here; save it as UTF-8".to_owned(), Some(Span::new(at, at + 1)))
    })
}
