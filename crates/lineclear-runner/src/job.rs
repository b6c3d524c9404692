//! Carries one job from its first step to the removal of its folders.
//!
//! ```text
//! room opened ─► set up ─► hook, pre stages ─► steps ─► background steps ─► post stages, hook ─► outputs ─► room closed
//!      │            │                                                                                ▲
//!      └─ refused   └─ what cannot be set up fails the job ──────────────────────────────────────────┘
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use lineclear_backend::{Remain, Room, RoomRequest};
use lineclear_command::{Matchers, SharedMasker};
use lineclear_event::{AnnotationLevel, Conclusion, JobReport, JobSpec, RunEvent, WorkflowOrigin};
use lineclear_expr::{Object, Value};
use lineclear_source::Source;
use lineclear_workflow::{JobKind, RunDefaults, StepKind, StepsJob, Workflow};

use crate::action::{Loader, origin_of};
use crate::background::{self, Crew};
use crate::context::{self, Contexts, Speaker, StepScope};
use crate::environment::{self, Env};
use crate::evaluate;
use crate::frame::{Frame, Identity, Status};
use crate::hooks::{self, Hook};
use crate::invocation::Stage;
use crate::javascript::Node;
use crate::log::StepLog;
use crate::outputs;
use crate::planned_step::{self, PlannedStep};
use crate::ports::{JobHands, Secrets};
use crate::post;
use crate::pre;
use crate::program::Programs;
use crate::refusal::{file_name, refusal};
use crate::secrets;
use crate::step::{self, Finished};
use crate::worker::Worker;

/// What all steps of a job share and none of them changes.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) spec: &'a JobSpec,
    pub(crate) hands: &'a JobHands<'a>,
    pub(crate) room: &'a dyn Room,
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
    let masker = SharedMasker::default();
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
    };
    let room = match hands.backend.open(&request) {
        Ok(room) => room,
        Err(error) => return report_failure(&masker, with_sources("cannot prepare the job's folders", &error)),
    };
    let report = run_in(spec, secrets, hands, &*room, &masker, workflow, steps_job);
    close(spec, hands, &masker, room);
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

fn with_sources(what: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
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
    // Only what a failure to set up is told with: the rest is not known yet.
    let mut job = Job {
        spec,
        hands,
        room,
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
        numbers: AtomicU64::new(1),
    };
    let (env, frame) = match set_up(&mut job, secrets, workflow, steps_job) {
        Ok(ready) => ready,
        Err(reason) => return fail_set_up(&job, reason),
    };
    carry(&job, Worker::new(hands.control.clone(), env), frame, steps_job)
}

/// Makes the contexts, the environment and the defaults.
fn set_up(
    job: &mut Job<'_>,
    secrets: &Secrets,
    workflow: &Workflow,
    steps_job: &StepsJob,
) -> Result<(Env, Frame), String> {
    let (spec, settings, layout) = (job.spec, job.hands.settings, job.room.layout());
    let secrets = secrets::reaching(spec, secrets, settings, &job.masker)?;
    job.debug = settings.debug || wants_debug(&secrets) || wants_debug(&Value::from_json(&spec.contexts.vars));
    let event_path = write_event(job)?;
    let github = context::github(spec, layout, &settings.token, &event_path);
    let runner = context::runner(&settings.name, layout, job.debug);
    job.exports = environment::exports(&github, &runner);
    job.contexts = Contexts::new(spec, github, runner, secrets);
    let mut frame = Frame {
        source: workflow.source.clone(),
        origin: origin_of(&spec.file),
        inputs: job.contexts.inputs(),
        steps: Arc::new(Object::new()),
        calling_env: Env::default(),
        identity: Identity::default(),
        status: Status::Success,
        first_failure: None,
        depth: 0,
        job_status: None,
    };
    let mut env: Env = settings.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for block in [&workflow.env, &steps_job.env].into_iter().flatten() {
        let speaker = Speaker { step: "", env: None, files: None };
        let own = evaluate::env(&frame.source, block, &StepScope::new(job, &env, &frame, speaker))?;
        env.lay_over(&own);
    }
    job.defaults = defaults(job, &env, &frame, &[workflow.defaults.as_ref(), steps_job.defaults.as_ref()])?;
    if let Some(snapshot) = &steps_job.snapshot {
        let at = workflow.source.position(snapshot.span.start);
        job.hands.sink.event(RunEvent::Notice {
            level: AnnotationLevel::Warning,
            message: format!(
                "`snapshot` ({}:{at}) makes an image of a hosted machine; there is none here, so it is left out",
                workflow.source.name()
            ),
        });
    }
    frame.status = Status::Success;
    Ok((env, frame))
}

fn wants_debug(context: &Value) -> bool {
    context.get("ACTIONS_STEP_DEBUG").to_text().eq_ignore_ascii_case("true")
}

/// Writes the event's payload where `GITHUB_EVENT_PATH` says.
fn write_event(job: &Job<'_>) -> Result<String, String> {
    let folder = job.room.layout().temp.join("_github_workflow");
    let file = folder.join("event.json");
    let nothing = serde_json::Value::Object(serde_json::Map::new());
    let event = job.spec.contexts.github.get("event").unwrap_or(&nothing);
    let written = serde_json::to_vec(event)
        .map_err(std::io::Error::other)
        .and_then(|json| fs::create_dir_all(&folder).and_then(|()| fs::write(&file, json)));
    match written {
        Ok(()) => Ok(file.to_string_lossy().into_owned()),
        Err(error) => Err(format!("cannot write the event to `{}`: {error}", file.display())),
    }
}

fn defaults(job: &Job<'_>, env: &Env, frame: &Frame, blocks: &[Option<&RunDefaults>]) -> Result<Defaults, String> {
    let scope = StepScope::new(job, env, frame, Speaker { step: "", env: None, files: None });
    let mut defaults = Defaults::default();
    for block in blocks.iter().flatten() {
        if let Some(shell) = &block.shell {
            defaults.shell = Some(evaluate::text(&frame.source, "defaults.run.shell", shell, &scope)?);
        }
        if let Some(folder) = &block.working_directory {
            defaults.folder = Some(evaluate::text(&frame.source, "defaults.run.working-directory", folder, &scope)?);
        }
    }
    Ok(defaults)
}

fn fail_set_up(job: &Job<'_>, reason: String) -> JobReport {
    let (id, begun) = ("__set_up_job", (job.hands.clock)());
    let mut finished = Finished::skipped("Set up job".to_owned());
    step::tell_started(job, id, &finished.name);
    let stage = Stage::told_failure(&StepLog::new(job, id), reason);
    step::apply_stage(&mut finished, stage, false);
    finished.mask(job);
    step::tell_finished(job, id, &finished, begun);
    JobReport { conclusion: Conclusion::Failure, outputs: BTreeMap::new(), reason: Some(finished.as_failure()) }
}

fn carry(job: &Job<'_>, mut worker: Worker, mut frame: Frame, steps_job: &StepsJob) -> JobReport {
    let planned = planned_step::plan(&steps_job.steps, "");
    pre::fetch_all(job, &steps_job.steps, &frame.origin);
    hooks::run(job, &mut worker, &mut frame, Hook::Started);
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
    complete(job, &worker, &mut frame, steps_job, &mut outputs);
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

/// Tells what there is to tell at a job's end: outputs that were dropped, the environment's address, what outlived its step.
fn complete(
    job: &Job<'_>,
    worker: &Worker,
    frame: &mut Frame,
    steps_job: &StepsJob,
    outputs: &mut outputs::JobOutputs,
) {
    let url = environment_url(job, worker, frame, steps_job);
    let remains = job.room.remains();
    let is_quiet = outputs.warnings.is_empty() && outputs.errors.is_empty() && remains.is_empty() && url.is_none();
    if is_quiet {
        return;
    }
    let (id, begun) = ("__complete_job", (job.hands.clock)());
    let mut finished = Finished::skipped("Complete job".to_owned());
    step::tell_started(job, id, &finished.name);
    let log = StepLog::new(job, id);
    let mut stage = Stage::success(Vec::new());
    match url {
        Some(Ok(url)) => log.show(&format!("Evaluate and set environment url\nEnvironment url is {url}")),
        Some(Err(reason)) => outputs.errors.push(reason),
        None => {}
    }
    for warning in &outputs.warnings {
        log.warning(warning);
    }
    for remain in &remains {
        log.notice(&leak(remain));
    }
    for error in &outputs.errors {
        log.error(error);
        stage = Stage::failure(error.as_str());
    }
    step::apply_stage(&mut finished, stage, false);
    finished.mask(job);
    step::tell_finished(job, id, &finished, begun);
    step::note(frame, finished.conclusion, || finished.as_failure());
}

fn environment_url(
    job: &Job<'_>,
    worker: &Worker,
    frame: &Frame,
    steps_job: &StepsJob,
) -> Option<Result<String, String>> {
    let url = steps_job.environment.as_ref()?.url.as_ref()?;
    let scope = StepScope::new(job, &worker.env, frame, Speaker { step: "", env: None, files: None });
    match evaluate::text(&frame.source, "environment.url", url, &scope) {
        Ok(url) if url.is_empty() => None,
        Ok(url) => {
            let name = job.spec.environment.as_deref().unwrap_or_default();
            job.hands.sink.event(RunEvent::Notice {
                level: AnnotationLevel::Notice,
                message: job.masker.mask(&format!("environment {name}: {url}")).into_owned(),
            });
            Some(Ok(url))
        }
        Err(reason) => Some(Err(reason)),
    }
}

fn leak(remain: &Remain) -> String {
    format!("process {} (`{}`) outlived its step and is ended with the job", remain.pid, remain.command)
}

fn close(spec: &JobSpec, hands: &JobHands<'_>, masker: &SharedMasker, room: Box<dyn Room>) {
    if let Err(error) = room.close() {
        let message = with_sources(&format!("cannot remove all folders of job `{}`", spec.job), &error);
        hands
            .sink
            .event(RunEvent::Notice { level: AnnotationLevel::Warning, message: masker.mask(&message).into_owned() });
    }
}
