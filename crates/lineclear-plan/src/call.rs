//! Called workflows: found, read once, and checked before anything runs.
//!
//! Start at [`load_calls`]. What it reports as a start-up failure stops the whole run, as on GitHub; the planner and the
//! engine both begin with it. Values of inputs are checked when they are known, by [`call_inputs`](crate::call_inputs).

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_event::WorkflowOrigin;
use lineclear_source::{Diagnostic, Source, Span};
use lineclear_workflow::{CallJob, CallSecrets, Job, JobKind, Workflow, WorkflowRef};

use crate::input::{InputError, call_input_names};
use crate::model::Files;
use crate::permission::{PermissionError, TokenPermissions, WHOLE_WORKFLOW, effective_permissions};

/// Most levels of calls, the run's own workflow counted.
pub const MAX_DEPTH: usize = 10;

/// Most different files that a run may call.
pub const MAX_FILES: usize = 50;

/// Most jobs over all workflows of a run, each call counted anew, matrices not expanded. A limit of Lineclear's own: ten
/// levels of calls could otherwise ask for more jobs than any machine holds.
pub const MAX_JOBS: usize = 10_000;

/// The workflows that a run calls, directly and through others.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// By [`file_key`].
    pub workflows: BTreeMap<String, Arc<Workflow>>,
    /// Findings in those files.
    pub diagnostics: Vec<(Source, Diagnostic)>,
    /// Everything that is wrong with the calls.
    pub errors: Vec<CallError>,
}

impl Calls {
    /// The workflow that a job of `caller` calls; `None` if it could not be had.
    pub fn get(&self, call: &CallJob, caller: &WorkflowOrigin) -> Option<(&Arc<Workflow>, WorkflowRef)> {
        let reference = resolve(&call.uses, caller);
        self.workflows.get(&file_key(&reference)).map(|workflow| (workflow, reference))
    }

    /// The texts of all called workflows by their key.
    pub fn texts(&self) -> BTreeMap<String, Arc<str>> {
        self.workflows.iter().map(|(key, workflow)| (key.clone(), workflow.source.text().into())).collect()
    }

    /// The first fault that stops the whole run.
    pub fn startup_failure(&self) -> Option<&CallError> {
        self.errors.iter().find(|error| error.fault.is_startup_failure())
    }
}

/// Why a job cannot call its workflow.
#[derive(Clone, Debug, thiserror::Error)]
#[error("job `{job}` {} `{called}`: {fault}", fault.relation())]
pub struct CallError {
    /// The calling job, with those that led to it: `release/build`.
    pub job: String,
    /// The workflow as [`file_key`] says it.
    pub called: String,
    pub fault: CallFault,
    /// The calling file and the place in it.
    pub file: Source,
    pub span: Span,
}

/// What is wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFault {
    /// A file of this repository, or of the one that the calling file came from, is not there.
    #[error("{why}")]
    NotFound { why: String },
    /// A file of another repository, which is not on this machine.
    #[error("{why}")]
    NotHere { why: String },
    #[error("the file has errors: {first}{}", more(*count))]
    HasErrors { count: usize, first: String },
    #[error("the file has no `workflow_call` trigger")]
    NotCallable,
    #[error("the calls go in a circle: {}", circle.join(" → "))]
    Circle { circle: Vec<String> },
    #[error("the calls are nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    #[error("the run calls more than {MAX_FILES} different files")]
    TooManyFiles,
    #[error("the run has more than {MAX_JOBS} jobs in all its workflows")]
    TooManyJobs,
    #[error("{0}")]
    Input(InputError),
    #[error("unknown secret `{name}`; {}", known(declared))]
    UnknownSecret { name: String, declared: Vec<String> },
    #[error("required secret `{name}` is not passed; name it under `secrets`, or use `secrets: inherit`")]
    MissingSecret { name: String },
    #[error("{0}")]
    Permission(PermissionError),
}

impl CallFault {
    /// How the job stands to the file that the fault names.
    fn relation(&self) -> &'static str {
        match self {
            Self::Permission(_) | Self::TooManyJobs => "of",
            Self::NotFound { .. }
            | Self::NotHere { .. }
            | Self::HasErrors { .. }
            | Self::NotCallable
            | Self::Circle { .. }
            | Self::TooDeep
            | Self::TooManyFiles
            | Self::Input(_)
            | Self::UnknownSecret { .. }
            | Self::MissingSecret { .. } => "calls",
        }
    }

    /// Whether the whole run fails at its start. A file that only this machine lacks is no fault of the workflow.
    pub fn is_startup_failure(&self) -> bool {
        match self {
            Self::NotHere { .. } => false,
            Self::NotFound { .. }
            | Self::HasErrors { .. }
            | Self::NotCallable
            | Self::Circle { .. }
            | Self::TooDeep
            | Self::TooManyFiles
            | Self::TooManyJobs
            | Self::Input(_)
            | Self::UnknownSecret { .. }
            | Self::MissingSecret { .. }
            | Self::Permission(_) => true,
        }
    }
}

impl CallError {
    /// The fault as a finding in the calling file.
    pub fn diagnostic(&self) -> (Source, Diagnostic) {
        (self.file.clone(), Diagnostic::error("call", self.to_string()).at(self.span))
    }
}

/// The workflow that `reference` means in a file from `caller`: a local path in a file of another repository is a path there.
pub fn resolve(reference: &WorkflowRef, caller: &WorkflowOrigin) -> WorkflowRef {
    match (reference, caller) {
        (WorkflowRef::Local { path }, WorkflowOrigin::Remote { owner, repo, reference, .. }) => WorkflowRef::Remote {
            owner: owner.clone(),
            repo: repo.clone(),
            path: path.clone(),
            reference: reference.clone(),
        },
        (reference, _) => reference.clone(),
    }
}

/// What a called file is filed under: `.github/workflows/x.yml`, or `owner/repo/.github/workflows/x.yml@v1`.
pub fn file_key(reference: &WorkflowRef) -> String {
    match reference {
        WorkflowRef::Local { path } => path.clone(),
        WorkflowRef::Remote { owner, repo, path, reference } => format!("{owner}/{repo}/{path}@{reference}"),
    }
}

/// Where a called file comes from.
pub fn origin(reference: &WorkflowRef) -> WorkflowOrigin {
    match reference.clone() {
        WorkflowRef::Local { path } => WorkflowOrigin::Local { path },
        WorkflowRef::Remote { owner, repo, path, reference } => WorkflowOrigin::Remote { owner, repo, path, reference },
    }
}

/// Reads everything that `root` calls and checks every call: that the file is there, sound and callable, the limits, the names
/// of inputs and secrets, and the permissions.
///
/// Each file is read once, however often it is called. Nothing is evaluated.
pub fn load_calls(root: &Workflow, files: &dyn Files) -> Calls {
    let is_call = |job: &Job| matches!(job.kind, JobKind::Call(_));
    // Most workflows call nothing.
    if !root.jobs.iter().any(is_call) && root.jobs.len() <= MAX_JOBS {
        return Calls::default();
    }
    let origin = WorkflowOrigin::Local { path: root.source.name().to_owned() };
    let mut loader = Loader { files, calls: Calls::default(), jobs: 0 };
    let path = Path { keys: vec![root.source.name().to_owned()], job: String::new(), granted: None };
    loader.walk(root, &origin, &path);
    loader.calls
}

struct Loader<'a> {
    files: &'a dyn Files,
    calls: Calls,
    jobs: usize,
}

/// The way from the run's own workflow down to one that is called.
struct Path {
    /// Keys of the files, the run's own first.
    keys: Vec<String>,
    /// Ids of the calling jobs, joined: `release/build`.
    job: String,
    granted: Option<TokenPermissions>,
}

impl Loader<'_> {
    fn walk(&mut self, workflow: &Workflow, origin: &WorkflowOrigin, path: &Path) {
        for job in &workflow.jobs {
            self.jobs += 1;
            let id = if path.job.is_empty() { job.id.value.clone() } else { format!("{}/{}", path.job, job.id.value) };
            let own = path.keys.last().cloned().unwrap_or_default();
            let called = match &job.kind {
                JobKind::Call(call) => file_key(&resolve(&call.uses, origin)),
                JobKind::Steps(_) => own.clone(),
            };
            let report = |fault| CallError {
                job: id.clone(),
                called: called.clone(),
                fault,
                file: workflow.source.clone(),
                span: match &job.kind {
                    JobKind::Call(call) => call.uses.span,
                    JobKind::Steps(_) => job.id.span,
                },
            };
            if self.jobs > MAX_JOBS {
                if self.jobs == MAX_JOBS + 1 {
                    self.calls.errors.push(report(CallFault::TooManyJobs));
                }
                return;
            }
            let permissions = effective_permissions(
                workflow.permissions.as_ref(),
                &job.id.value,
                job.permissions.as_ref(),
                path.granted.as_ref(),
            );
            let permissions = match permissions {
                Ok(permissions) => permissions,
                Err(error) => {
                    let is_of_all = error.who == WHOLE_WORKFLOW;
                    self.calls.errors.push(CallError { called: own, ..report(CallFault::Permission(error)) });
                    if is_of_all {
                        return;
                    }
                    continue;
                }
            };
            let JobKind::Call(call) = &job.kind else { continue };
            let reference = resolve(&call.uses, origin);
            match self.enter(&reference, &called, path) {
                Err(fault) => self.calls.errors.push(report(fault)),
                Ok(workflow) => {
                    self.calls.errors.extend(names(call, &workflow).into_iter().map(report));
                    let keys = path.keys.iter().cloned().chain([called]).collect();
                    let path = Path { keys, job: id, granted: Some(permissions) };
                    self.walk(&workflow, &crate::call::origin(&reference), &path);
                }
            }
        }
    }

    /// The called workflow, if the limits allow the call.
    fn enter(&mut self, reference: &WorkflowRef, key: &str, path: &Path) -> Result<Arc<Workflow>, CallFault> {
        if let Some(at) = path.keys.iter().position(|earlier| earlier == key) {
            let circle = path.keys.iter().skip(at).cloned().chain([key.to_owned()]).collect();
            return Err(CallFault::Circle { circle });
        }
        if path.keys.len() >= MAX_DEPTH {
            return Err(CallFault::TooDeep);
        }
        if let Some(workflow) = self.calls.workflows.get(key) {
            return Ok(Arc::clone(workflow));
        }
        if self.calls.workflows.len() >= MAX_FILES {
            return Err(CallFault::TooManyFiles);
        }
        let source = self.files.workflow(reference).map_err(|why| match reference {
            WorkflowRef::Local { .. } => CallFault::NotFound { why },
            WorkflowRef::Remote { .. } => CallFault::NotHere { why },
        })?;
        let read = Workflow::read(&source);
        let errors: Vec<_> = read.diagnostics.iter().filter(|finding| finding.is_error()).collect();
        let fault =
            errors.first().map(|first| CallFault::HasErrors { count: errors.len(), first: first.message.clone() });
        self.calls.diagnostics.extend(read.diagnostics.into_iter().map(|finding| (source.clone(), finding)));
        let workflow = match (fault, read.model) {
            (Some(fault), _) => return Err(fault),
            (None, None) => return Err(CallFault::HasErrors { count: 1, first: "it holds no workflow".into() }),
            (None, Some(workflow)) => Arc::new(workflow),
        };
        if workflow.on.get("workflow_call").is_none() {
            return Err(CallFault::NotCallable);
        }
        self.calls.workflows.insert(key.to_owned(), Arc::clone(&workflow));
        Ok(workflow)
    }
}

/// What is wrong with the names of inputs and secrets in a call.
fn names(call: &CallJob, called: &Workflow) -> Vec<CallFault> {
    let inputs = call_input_names(called, call.with.iter().map(|(name, _)| &name.value));
    let mut faults: Vec<_> = inputs.into_iter().map(CallFault::Input).collect();
    let declared = called.on.get("workflow_call").map(|trigger| trigger.secrets.as_slice()).unwrap_or_default();
    let given: Vec<&str> = match &call.secrets {
        CallSecrets::Inherit(_) => return faults,
        CallSecrets::None => Vec::new(),
        CallSecrets::Map(secrets) => secrets.iter().map(|(name, _)| name.value.as_str()).collect(),
    };
    let is_declared = |name: &str| declared.iter().any(|secret| secret.name.eq_ignore_ascii_case(name));
    for name in given.iter().filter(|name| !is_declared(name)) {
        let declared = declared.iter().map(|secret| secret.name.value.clone()).collect();
        faults.push(CallFault::UnknownSecret { name: (*name).to_owned(), declared });
    }
    for secret in declared.iter().filter(|secret| secret.required) {
        if !given.iter().any(|name| name.eq_ignore_ascii_case(&secret.name)) {
            faults.push(CallFault::MissingSecret { name: secret.name.value.clone() });
        }
    }
    faults
}

fn known(declared: &[String]) -> String {
    match declared {
        [] => "the called workflow declares none".into(),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("the called workflow declares {}", names.join(", "))
        }
    }
}

fn more(count: usize) -> String {
    if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() }
}
