//! Which job uses which secret and variable, through all calls: a walk over the workflows' models.

use lineclear_event::WorkflowOrigin;
use lineclear_plan::{Calls, origin};
use lineclear_secrets::Kind;
use lineclear_source::{Position, Source, Span};
use lineclear_workflow::{CallJob, CallSecrets, Job, JobKind, Workflow};

use super::known_values::{KnownValues, Named};
use super::reference::{self, Read};
use super::texts::{Placed, Texts};

/// A place that reads a secret or a variable.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) kind: Kind,
    /// In upper case; `None` where all are read, or one whose name only the run tells.
    pub(crate) name: Option<String>,
    /// Whether the workflow can do without: it is only tested, or has a fallback.
    pub(crate) is_optional: bool,
    /// `caller/called` for a job of a called workflow; empty for what is evaluated once for the run.
    pub(crate) job: String,
    pub(crate) environment: Named,
    pub(crate) way: Way,
    /// The file of the run's own workflow.
    pub(crate) workflow: Source,
    pub(crate) file: Source,
    pub(crate) span: Span,
    /// How it is written: `secrets.TOKEN`, `secrets: inherit`.
    pub(crate) text: String,
}

/// How a secret of the run comes to where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As it is: by the run's own workflow, or inherited all the way down.
    Direct,
    /// A caller gives the value under `secrets`; what it reads for that is a use of its own.
    Passed,
    /// A caller passes nothing of this name: it is empty, unless the job's environment has it.
    NotPassed,
}

impl Use {
    pub(crate) fn position(&self) -> Position {
        self.file.position(self.span.start)
    }
}

/// What a walk is about.
pub(crate) struct Walk<'w> {
    pub(crate) calls: &'w Calls,
    /// Whether a job is looked at, by `caller/called`.
    pub(crate) is_wanted: &'w dyn Fn(&str) -> bool,
    /// The values of a job's matrix, one for each leg.
    pub(crate) legs: &'w dyn Fn(&str) -> Vec<serde_json::Value>,
}

/// The secrets that a workflow was called with.
enum Passage<'p> {
    Root,
    Inherit(&'p Passage<'p>),
    Map(Vec<&'p str>),
    Nothing,
}

impl Passage<'_> {
    fn way(&self, name: &str) -> Way {
        match self {
            Self::Root => Way::Direct,
            Self::Inherit(caller) => caller.way(name),
            Self::Map(names) if names.iter().any(|passed| passed.eq_ignore_ascii_case(name)) => Way::Passed,
            Self::Map(_) | Self::Nothing => Way::NotPassed,
        }
    }

    fn of_all(&self) -> Way {
        match self {
            Self::Root => Way::Direct,
            Self::Inherit(caller) => caller.of_all(),
            Self::Map(_) => Way::Passed,
            Self::Nothing => Way::NotPassed,
        }
    }
}

/// All uses of a workflow's jobs, in the order of the files; `values` is what is known before the run.
pub(crate) fn of_workflow(workflow: &Workflow, values: &KnownValues, walk: &Walk<'_>) -> Vec<Use> {
    let mut found = Found { walk, root: workflow.source.clone(), uses: Vec::new() };
    let origin = WorkflowOrigin::Local { path: workflow.source.name().to_owned() };
    let place = Place { workflow, origin: &origin, prefix: "", passage: &Passage::Root, values };
    found.add(&place, "", &Named::None, &Texts::of_run(workflow).found);
    found.enter(&place);
    found.uses
}

struct Place<'p> {
    workflow: &'p Workflow,
    origin: &'p WorkflowOrigin,
    /// Of the jobs' ids: empty, or `caller/`.
    prefix: &'p str,
    passage: &'p Passage<'p>,
    values: &'p KnownValues,
}

struct Found<'f> {
    walk: &'f Walk<'f>,
    root: Source,
    uses: Vec<Use>,
}

impl Found<'_> {
    fn enter(&mut self, place: &Place<'_>) {
        for job in &place.workflow.jobs {
            let id = format!("{}{}", place.prefix, job.id.value);
            match &job.kind {
                JobKind::Steps(steps) => {
                    if !(self.walk.is_wanted)(&id) {
                        continue;
                    }
                    let legs = (self.walk.legs)(&id);
                    let environments = match &steps.environment {
                        Some(environment) => place.values.names(&environment.name, &legs),
                        None => vec![Named::None],
                    };
                    for environment in environments {
                        self.add(place, &id, &environment, &Texts::of_all_jobs(place.workflow).found);
                        self.add(place, &id, &environment, &Texts::of_job(job).found);
                    }
                }
                JobKind::Call(call) => self.call(place, job, call, &id),
            }
        }
    }

    fn call(&mut self, place: &Place<'_>, job: &Job, call: &CallJob, id: &str) {
        if !(self.walk.is_wanted)(id) {
            return;
        }
        self.add(place, id, &Named::None, &Texts::of_job(job).found);
        let passage = match &call.secrets {
            CallSecrets::None => Passage::Nothing,
            CallSecrets::Inherit(_) => Passage::Inherit(place.passage),
            CallSecrets::Map(secrets) => {
                secrets.iter().for_each(|(_, text)| self.add(place, id, &Named::None, &Texts::of_text(text).found));
                Passage::Map(secrets.iter().map(|(name, _)| name.value.as_str()).collect())
            }
        };
        let Some((called, reference)) = self.walk.calls.get(call, place.origin) else {
            if let CallSecrets::Inherit(span) = &call.secrets {
                // Whatever the workflow reads that is not on this machine.
                self.uses.push(Use {
                    kind: Kind::Secret,
                    name: None,
                    is_optional: true,
                    job: id.to_owned(),
                    environment: Named::None,
                    way: place.passage.of_all(),
                    workflow: self.root.clone(),
                    file: place.workflow.source.clone(),
                    span: *span,
                    text: "secrets: inherit".to_owned(),
                });
            }
            return;
        };
        let values = place.values.of_call(call, called, &(self.walk.legs)(id));
        let place = Place {
            workflow: called,
            origin: &origin(&reference),
            prefix: &format!("{id}/"),
            passage: &passage,
            values: &values,
        };
        self.enter(&place);
    }

    fn add(&mut self, place: &Place<'_>, job: &str, environment: &Named, texts: &[Placed<'_>]) {
        for placed in texts {
            for read in reference::reads(placed.expr.root(), placed.is_condition) {
                let Read { kind, name, is_optional, span } = read;
                // Every job has a token, whoever called it.
                if kind == Kind::Secret && name.as_deref() == Some("GITHUB_TOKEN") {
                    continue;
                }
                let way = match (kind, &name) {
                    (Kind::Variable, _) => Way::Direct,
                    (Kind::Secret, Some(name)) => place.passage.way(name),
                    (Kind::Secret, None) => place.passage.of_all(),
                };
                self.uses.push(Use {
                    kind,
                    name,
                    is_optional,
                    job: job.to_owned(),
                    environment: environment.clone(),
                    way,
                    workflow: self.root.clone(),
                    file: place.workflow.source.clone(),
                    span: placed.scalar.span_of(span.range()),
                    text: placed.scalar.text.get(span.range()).unwrap_or_default().to_owned(),
                });
            }
        }
    }
}
