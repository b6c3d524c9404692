//! Workflows that follow others (`on: workflow_run`): begun when what they follow begins or ends, up to three levels deep.
//!
//! The files are those of this checkout, which stands for the default branch. What is planned and why is `lineclear_plan`'s to say, as for
//! any event; a follower that is not begun leaves its reason in the record of the run that it would have followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_drive::Inbox;
use lineclear_engine::{RunRequest, Selection};
use lineclear_event::{AnnotationLevel, Envelope, ForgeEvent, RunEvent, RunId, Timestamp};
use lineclear_plan::{
    FollowedRun, MAX_CHAIN, Plan, PlannedWorkflow, Platform, RunActivity, RunIdentity, following_event, follows,
};
use lineclear_source::Diagnostic;
use lineclear_store::RunRecord;
use lineclear_store_folder::FolderStore;
use lineclear_workflow::Workflow;

use super::actions::ActionFiles;
use super::evidence::Recorder;
use super::interrupt::Interrupt;
use super::prepare::{self, Begun, Stopped};
use super::sink::Telling;
use crate::settings::now;

/// What followers are made from.
pub(super) struct Chain {
    pub(super) ground: Ground,
    pub(super) files: Arc<ActionFiles>,
    pub(super) store: Arc<FolderStore>,
    pub(super) telling: Arc<Telling>,
    pub(super) inbox: Inbox,
    pub(super) interrupt: Interrupt,
    /// Hears of each run before it begins.
    recorder: Option<Arc<Recorder>>,
    runs: BTreeMap<RunId, Known>,
    /// Why a follower could not be begun.
    problem: Option<Stopped>,
}

/// What is known of followers before anything runs.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    /// The workflows that follow others; empty where following is switched off.
    pub(crate) followers: Vec<(Workflow, Vec<Diagnostic>)>,
    /// The last commit of the default branch.
    pub(crate) default_sha: String,
    /// The option that leaves only a part of the workflows: what follows a part is not begun.
    pub(crate) narrowed_by: Option<&'static str>,
}

/// A run that others may follow.
struct Known {
    identity: RunIdentity,
    file: String,
    workflow: String,
    title: String,
    event: ForgeEvent,
    platform: Platform,
    vars: BTreeMap<String, String>,
    created: Timestamp,
    /// How many runs are before it.
    level: u8,
    /// What it follows, in words.
    cause: Option<String>,
    /// Whether a job of it has started.
    is_in_progress: bool,
}

impl Ground {
    /// Of all workflows those that follow others.
    pub(crate) fn of(workflows: Vec<(Workflow, Vec<Diagnostic>)>, default_sha: String) -> Self {
        let follows_any = |workflow: &Workflow| workflow.on.get("workflow_run").is_some();
        let followers = workflows.into_iter().filter(|(workflow, _)| follows_any(workflow)).collect();
        Self { followers, default_sha, narrowed_by: None }
    }
}

impl Chain {
    pub(super) fn new(
        ground: Ground,
        files: Arc<ActionFiles>,
        store: Arc<FolderStore>,
        telling: Arc<Telling>,
        inbox: Inbox,
        interrupt: Interrupt,
        recorder: Option<Arc<Recorder>>,
    ) -> Self {
        Self { ground, files, store, telling, inbox, interrupt, recorder, runs: BTreeMap::new(), problem: None }
    }

    /// Asks for a run that an event started, and notes what those that follow it have to be told.
    pub(super) fn request(&mut self, (request, record): Begun) {
        let level = u8::from(request.event.name == "workflow_run");
        self.ask(request, record, level, None);
    }

    fn ask(&mut self, request: RunRequest, record: Arc<dyn RunRecord>, level: u8, cause: Option<String>) {
        if !self.ground.followers.is_empty() {
            let header = record.header();
            let known = Known {
                identity: RunIdentity { id: request.run, number: request.number, attempt: request.attempt },
                file: request.file.clone(),
                workflow: header.run.workflow.clone(),
                title: request.run_name.clone(),
                event: request.event.clone(),
                platform: request.platform.clone(),
                vars: request.vars.clone(),
                created: header.run.started,
                level,
                cause,
                is_in_progress: false,
            };
            self.runs.insert(request.run, known);
        }
        self.telling.add_record(Arc::clone(&record));
        if let Some(recorder) = &self.recorder {
            recorder.begin(&request, &record.header().run.workflow);
        }
        self.inbox.request(request, record);
    }

    /// Something happened, and was recorded and shown.
    pub(super) fn hear(&mut self, envelope: &Envelope) {
        let Some(known) = self.runs.get_mut(&envelope.run) else { return };
        match &envelope.event {
            RunEvent::RunStarted { .. } => {
                if let Some(cause) = known.cause.take() {
                    self.notice(envelope.run, cause);
                }
                self.follow(envelope.run, RunActivity::Requested);
            }
            RunEvent::JobStarted { .. } if !std::mem::replace(&mut known.is_in_progress, true) => {
                self.follow(envelope.run, RunActivity::InProgress);
            }
            RunEvent::RunFinished { conclusion, .. } => {
                self.follow(envelope.run, RunActivity::Completed(*conclusion));
                self.runs.remove(&envelope.run);
            }
            _ => {}
        }
    }

    /// What went wrong with followers themselves, once everything has ended.
    pub(super) fn problem(&mut self) -> Option<Stopped> {
        self.problem.take()
    }

    /// Begins what follows `run`.
    fn follow(&mut self, run: RunId, activity: RunActivity) {
        let Some(known) = self.runs.get(&run) else { return };
        // Who asks for a run again does not request it anew.
        if activity == RunActivity::Requested && known.identity.attempt > 1 {
            return;
        }
        let action = word(activity);
        let is_meant = |workflow: &Workflow| {
            let types = workflow.on.get("workflow_run").and_then(|on| on.types.as_ref());
            follows(workflow, &known.workflow)
                && types.is_none_or(|types| types.iter().any(|kind| kind.value == action))
        };
        let meant: Vec<_> = self.ground.followers.iter().filter(|(workflow, _)| is_meant(workflow)).cloned().collect();
        if meant.is_empty() {
            return;
        }
        if let Some(why) = self.refused(known) {
            if matches!(activity, RunActivity::Completed(_)) {
                for (workflow, _) in &meant {
                    self.notice(run, not_followed(workflow.display_name(), workflow.source.name(), &why));
                }
            }
            return;
        }
        let followed = FollowedRun {
            run: known.identity,
            file: &known.file,
            workflow: &known.workflow,
            title: &known.title,
            event: &known.event,
            platform: &known.platform,
            created: known.created,
        };
        let event = following_event(&followed, activity, &self.ground.default_sha, now());
        let facts = lineclear_plan::Facts {
            vars: known.vars.clone(),
            platform: known.platform.clone(),
            ..lineclear_plan::Facts::default()
        };
        let cause = match activity {
            RunActivity::Completed(conclusion) => {
                format!("it follows run {run} of `{}`, which ended: {conclusion}", known.workflow)
            }
            _ => format!("it follows run {run} of `{}` ({action})", known.workflow),
        };
        let level = known.level + 1;
        let plan = lineclear_plan::plan(&meant, &event, &facts, &*self.files);
        for ((workflow, _), planned) in meant.iter().zip(&plan.workflows) {
            if !planned.triggered {
                self.notice(run, not_followed(&planned.name, &planned.file, &planned.reason));
                continue;
            }
            match self.begin(&plan, planned, workflow, &event, &facts) {
                Ok((request, record)) => self.ask(request, record, level, Some(cause.clone())),
                Err(stopped) => self.problem = Some(stopped),
            }
        }
    }

    /// Why nothing follows a run, whatever follows it.
    fn refused(&self, known: &Known) -> Option<String> {
        if known.level >= MAX_CHAIN {
            Some(format!("{MAX_CHAIN} runs are before it already, and no more may follow one another"))
        } else if self.interrupt.was_heard() {
            Some("the command was interrupted".to_owned())
        } else {
            let option = self.ground.narrowed_by?;
            Some(format!("only a part of `{}` was run ({option})", known.workflow))
        }
    }

    fn begin(
        &self,
        plan: &Plan,
        planned: &PlannedWorkflow,
        workflow: &Workflow,
        event: &ForgeEvent,
        facts: &lineclear_plan::Facts,
    ) -> Result<Begun, Stopped> {
        let new = prepare::NewRequest {
            planned,
            workflow,
            event: event.clone(),
            inputs: serde_json::Value::Null,
            facts,
            plan_hash: &plan.hash,
            selection: Selection::default(),
        };
        prepare::begin_one(new, &self.files, &*self.store)
    }

    fn notice(&self, run: RunId, message: String) {
        let event = RunEvent::Notice { level: AnnotationLevel::Notice, message };
        self.telling.tell(&Envelope { event, run, at: now() });
    }
}

fn not_followed(name: &str, file: &str, why: &str) -> String {
    format!("{name} ({file}) does not follow: {why}")
}

fn word(activity: RunActivity) -> &'static str {
    match activity {
        RunActivity::Requested => "requested",
        RunActivity::InProgress => "in_progress",
        RunActivity::Completed(_) => "completed",
    }
}
