//! Carries one job from its first step to the removal of its folders.
//!
//! ```text
//! room opened ─► door to the engine ─► set up ─► hook ─► containers, images of actions ─► pre stages ─► steps ─► background steps
//!      │                                  │                                                                       │
//!      └─ refused                         └─ what cannot be set up fails the job                                  ▼
//!                       room closed ◄─ complete ◄─ containers stopped, door closed ◄─ outputs ◄─ hook ◄─ post stages
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use lineclear_backend::{Room, RoomRequest};
use lineclear_command::{Matchers, SharedMasker};
use lineclear_event::{Conclusion, JobReport, JobSpec, WorkflowOrigin, with_causes};
use lineclear_expr::Value;
use lineclear_source::Source;
use lineclear_workflow::{JobKind, StepKind, StepsJob, Workflow};

use crate::action::Loader;
use crate::action_images;
use crate::background::{self, Crew};
use crate::complete;
use crate::container_spec::Wanted;
use crate::containers::{self, OwnContainers};
use crate::context::Contexts;
use crate::door;
use crate::frame::{Frame, Status};
use crate::hooks::{self, Hook};
use crate::javascript::Node;
use crate::outputs;
use crate::planned_step::{self, PlannedStep};
use crate::ports::{JobHands, Secrets};
use crate::post;
use crate::pre;
use crate::program::Programs;
use crate::reach::Reach;
use crate::refusal::{file_name, is_in_container, refusal};
use crate::secrets;
use crate::set_up;
use crate::step;
use crate::worker::Worker;

/// What all steps of a job share and none of them changes.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) spec: &'a JobSpec,
    pub(crate) hands: &'a JobHands<'a>,
    /// The machine's: the job's folders, and where what does not run in a container runs.
    pub(crate) room: &'a dyn Room,
    /// Of built-in actions and of what is evaluated here.
    pub(crate) reach: Reach,
    /// Variables that the machine gives to its processes, with the way to the container engine.
    pub(crate) machine_env: Vec<(OsString, OsString)>,
    pub(crate) containers: OwnContainers,
    pub(crate) masker: SharedMasker,
    pub(crate) matchers: Arc<Mutex<Matchers>>,
    pub(crate) contexts: Contexts,
    /// Variables that the contexts give to every process.
    pub(crate) exports: Vec<(OsString, OsString)>,
    pub(crate) defaults: Defaults,
    /// Whether step debugging is on.
    pub(crate) debug: bool,
    pub(crate) programs: Programs,
    pub(crate) loader: Loader,
    pub(crate) node: Mutex<Option<Node>>,
    pub(crate) told_of_node: Mutex<bool>,
    /// When its steps began, by the clock that files have their times from.
    pub(crate) begun: SystemTime,
    /// The reports of scanners that steps told of, by their names from the workspace on.
    pub(crate) told_reports: Mutex<BTreeSet<String>>,
    numbers: AtomicU64,
}

/// `defaults.run` of the job, over that of the workflow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) shell: Option<String>,
    pub(crate) folder: Option<String>,
}

impl Job<'_> {
    /// A number that no file of this job has in its name yet.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A variable that the machine itself gives to steps.
    pub(crate) fn machine_variable(&self, name: &str) -> Option<&OsStr> {
        self.machine_env.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_os_str())
    }

    /// Repository and path of the job's workflow file.
    pub(crate) fn workflow_place(&self) -> (String, String) {
        match &self.spec.file {
            WorkflowOrigin::Local { path } => (self.contexts.github.get("repository").to_text(), path.clone()),
            WorkflowOrigin::Remote { owner, repo, path, .. } => (format!("{owner}/{repo}"), path.clone()),
        }
    }
}

/// Runs one job from its first step to the removal of its folders.
///
/// Never fails: whatever goes wrong is told as events and ends in the report.
pub fn run_job(spec: &JobSpec, secrets: &Secrets, hands: &JobHands<'_>) -> JobReport {
    let masker = hands.settings.masks.clone().unwrap_or_default();
    secrets::mask_all(&masker, secrets, hands.settings);
    let name = file_name(&spec.file);
    let read = hands.settings.readings.workflow(&name, &spec.text);
    let planned = match &read.model {
        Some(workflow) if !read.has_errors() => find(workflow, spec, hands),
        _ => Err(unreadable(&name, &read.diagnostics, &Source::new(name.as_str(), Arc::clone(&spec.text)))),
    };
    let (workflow, steps_job) = match planned {
        Ok(found) => found,
        Err(reason) => return report_failure(&masker, reason),
    };
    let request = RoomRequest {
        run: spec.run,
        job: spec.job.clone(),
        repository: repository_name(spec),
        workspace: hands.workspace.clone(),
        // What runs in a container is kept apart by the engine: that nothing else holds for it is told with the containers.
        isolation: match is_in_container(spec, steps_job, hands.settings) {
            true => None,
            false => hands.settings.isolation.clone(),
        },
    };
    let room = match hands.backend.open(&request) {
        Ok(room) => room,
        Err(error) => {
            return report_failure(&masker, format!("cannot prepare the job's folders: {}", with_causes(&error)));
        }
    };
    hands.sink.opened(&spec.job, &room.layout().workspace);
    let report = run_in(spec, secrets, hands, &*room, &masker, workflow, steps_job);
    complete::close(spec, hands, &masker, room);
    report
}

fn find<'w>(
    workflow: &'w Workflow,
    spec: &JobSpec,
    hands: &JobHands<'_>,
) -> Result<(&'w Workflow, &'w StepsJob), String> {
    let job = workflow
        .job(&spec.id)
        .ok_or_else(|| format!("there is no job `{}` in `{}`", spec.id, workflow.source.name()))?;
    if let Some(reason) = refusal(spec, job, hands.settings) {
        return Err(reason);
    }
    match &job.kind {
        JobKind::Steps(steps) => Ok((workflow, steps)),
        JobKind::Call(_) => Err(format!("job `{}` calls a workflow: it has no steps to run", spec.id)),
    }
}

fn unreadable(name: &str, diagnostics: &[lineclear_source::Diagnostic], source: &Source) -> String {
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| match diagnostic.span {
            Some(span) => format!("{}: {}", source.position(span.start), diagnostic.message),
            None => diagnostic.message.clone(),
        })
        .collect();
    format!("the workflow file `{name}` is not valid: {}", errors.join("; "))
}

fn report_failure(masker: &SharedMasker, reason: String) -> JobReport {
    let reason = Some(masker.mask(&reason).into_owned());
    JobReport { conclusion: Conclusion::Failure, outputs: BTreeMap::new(), reason }
}

/// The repository's name without its owner.
fn repository_name(spec: &JobSpec) -> String {
    let full = spec.contexts.github.get("repository").and_then(|name| name.as_str()).unwrap_or_default();
    let name = full.rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "repository".to_owned() } else { name.to_owned() }
}

fn run_in(
    spec: &JobSpec,
    secrets: &Secrets,
    hands: &JobHands<'_>,
    room: &dyn Room,
    masker: &SharedMasker,
    workflow: &Workflow,
    steps_job: &StepsJob,
) -> JobReport {
    let surroundings = door::open(spec, hands, room)
        .and_then(|door| Ok((door::machine_env(hands, room, door.as_deref())?, OwnContainers::behind(door))));
    let (machine_env, containers) = match surroundings {
        Ok(surroundings) => surroundings,
        Err(reason) => return report_failure(masker, reason),
    };
    // Only what a failure to set up is told with: the rest is not known yet.
    let mut job = Job {
        spec,
        hands,
        room,
        reach: Reach::of(room),
        machine_env,
        containers,
        masker: masker.clone(),
        matchers: Arc::default(),
        contexts: Contexts::new(spec, Value::Null, Value::Null, Value::Null),
        exports: Vec::new(),
        defaults: Defaults::default(),
        debug: false,
        programs: Programs::default(),
        loader: Loader::default(),
        node: Mutex::default(),
        told_of_node: Mutex::default(),
        begun: SystemTime::now(),
        told_reports: Mutex::default(),
        numbers: AtomicU64::new(1),
    };
    let (env, frame) = match set_up::set_up(&mut job, secrets, workflow, steps_job) {
        Ok(ready) => ready,
        Err(reason) => return set_up::fail(&job, reason),
    };
    let wanted = match containers::plan(&mut job, &env, &frame, steps_job) {
        Ok(wanted) => wanted,
        Err(reason) => return set_up::fail(&job, reason),
    };
    carry(&mut job, Worker::new(hands.control.clone(), env), frame, wanted, steps_job)
}

fn carry(job: &mut Job<'_>, mut worker: Worker, mut frame: Frame, wanted: Wanted, steps_job: &StepsJob) -> JobReport {
    let planned = planned_step::plan(&steps_job.steps, "");
    let actions = set_up::tell(job, &steps_job.steps, &frame.origin);
    hooks::run(job, &mut worker, &mut frame, Hook::Started);
    containers::initialize(job, &mut frame, wanted);
    action_images::make_ready(job, &actions);
    pre::run_all(job, &mut worker, &mut frame, &planned);
    run_steps(job, &mut worker, &mut frame, &planned);
    let is_killed = || job.hands.control.is_killed();
    if !is_killed() {
        post::run_all(job, &mut worker, &mut frame);
    }
    if !is_killed() {
        hooks::run(job, &mut worker, &mut frame, Hook::Completed);
    }
    let mut outputs = outputs::evaluate(job, &worker, &frame, &steps_job.outputs);
    outputs.errors.extend(containers::stop(job));
    complete::complete(job, &worker, &mut frame, steps_job, &mut outputs);
    if job.hands.control.is_cancelled() {
        frame.status = Status::Cancelled;
    }
    let (conclusion, reason) = match frame.status {
        Status::Success => (Conclusion::Success, None),
        Status::Failure => (Conclusion::Failure, frame.first_failure.take()),
        Status::Cancelled => (Conclusion::Cancelled, Some("the job was cancelled".to_owned())),
    };
    JobReport { conclusion, outputs: outputs.values, reason }
}

fn run_steps(job: &Job<'_>, worker: &mut Worker, frame: &mut Frame, planned: &[PlannedStep<'_>]) {
    std::thread::scope(|scope| {
        let mut crew = Crew::new(scope);
        for planned in planned {
            if job.hands.control.is_killed() {
                break;
            }
            match &planned.step.kind {
                StepKind::Wait { ids } => crew.wait(job, worker, frame, planned, ids),
                StepKind::WaitAll => crew.wait_all(job, worker, frame, planned),
                StepKind::Cancel { id } => crew.cancel(job, worker, frame, planned, &id.value),
                StepKind::Parallel { .. } => crew.parallel(job, worker, frame, planned),
                StepKind::Run { .. } | StepKind::Uses { .. } if planned.step.background => {
                    if let Err(reason) = crew.start(job, worker, frame, planned) {
                        background::fail_visibly(job, frame, planned, reason);
                    }
                }
                StepKind::Run { .. } | StepKind::Uses { .. } => {
                    let finished = step::perform(job, worker, frame, planned, None);
                    step::conclude(frame, planned, &finished);
                }
            }
        }
        crew.wait_for_the_rest(job, worker, frame);
    });
}
