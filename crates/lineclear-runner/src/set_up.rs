//! What has to be there before the first step: contexts, environment, defaults; and what is told of it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use lineclear_backend::Enforcement;
use lineclear_event::{AnnotationLevel, Conclusion, JobReport, RunEvent};
use lineclear_expr::{Object, Value};
use lineclear_workflow::{RunDefaults, Step, StepsJob, Workflow};

use crate::action::{Body, LoadedAction, origin_of};
use crate::context::{self, Contexts, Speaker, StepScope};
use crate::environment::{self, Env};
use crate::evaluate;
use crate::frame::{Frame, Identity, Origin, Status};
use crate::job::{Defaults, Job};
use crate::log::StepLog;
use crate::ports::Secrets;
use crate::pre;
use crate::secrets;
use crate::seen;
use crate::stage::Stage;
use crate::step::{self, Finished};

/// Makes the contexts, the environment and the defaults.
pub(crate) fn set_up(
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
    let folder = job.room.layout().temp.join(seen::WORKFLOW);
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

/// *Set up job*: what the machine could enforce of the isolation that was asked for, which actions were had from where, and what was
/// replaced by a built-in action. What could not be had fails only the step that uses it: a step that is skipped does not need it.
/// Answers the actions.
pub(crate) fn tell(job: &Job<'_>, steps: &[Step], origin: &Origin) -> Vec<Arc<LoadedAction>> {
    let found = pre::fetch_all(job, steps, origin);
    let enforcement = job.room.enforcement();
    let lines: Vec<Result<String, String>> = found
        .iter()
        .filter_map(|found| match found {
            Ok(action) => where_from(action).map(Ok),
            Err(reason) => Some(Err(format!("{reason}; a step that uses it fails when it is reached"))),
        })
        .collect();
    if !(lines.is_empty() && enforcement.is_empty()) {
        let (id, begun) = ("__set_up_job", (job.hands.clock)());
        let mut finished = Finished::skipped("Set up job".to_owned());
        step::tell_started(job, id, &finished.name);
        let log = StepLog::new(job, id);
        tell_enforcement(job, &log, enforcement);
        for line in lines {
            match line {
                Ok(line) => log.show(&line),
                Err(warning) => log.warning(&warning),
            }
        }
        step::apply_stage(&mut finished, Stage::success(Vec::new()), false);
        step::tell_finished(job, id, &finished, begun);
    }
    found.into_iter().filter_map(Result::ok).collect()
}

/// What is not enforced stands in the record as well: nobody has to read the log to know.
fn tell_enforcement(job: &Job<'_>, log: &StepLog<'_>, enforcement: &[Enforcement]) {
    if enforcement.is_empty() {
        return;
    }
    log.show("##[group]Isolation");
    for Enforcement { what, how } in enforcement {
        match how {
            Ok(means) => log.show(&format!("{what}: {means}")),
            Err(why) => log.show(&format!("{what}: not enforced, {why}")),
        }
    }
    log.show("##[endgroup]");
    for Enforcement { what, how } in enforcement {
        if let Err(why) = how {
            let message =
                format!("job `{}` is not kept from this machine as asked: {what} is not enforced: {why}", job.spec.job);
            let message = job.masker.mask(&message).into_owned();
            job.hands.sink.event(RunEvent::Notice { level: AnnotationLevel::Warning, message });
        }
    }
}

fn where_from(action: &LoadedAction) -> Option<String> {
    let reference = &action.reference;
    Some(match action.body {
        // Its image is told of when it is pulled.
        Body::OfItsOwn if reference.starts_with("docker://") => return None,
        Body::OfItsOwn if reference.starts_with("$/") => {
            format!("Use the action '{reference}' of the workflow's own repository")
        }
        Body::OfItsOwn => {
            let sha = action.sha.as_ref().map(|sha| format!(" (SHA:{sha})")).unwrap_or_default();
            format!("Download action repository '{reference}'{sha}")
        }
        Body::Native(_) => format!("Use the built-in action for '{reference}'"),
    })
}

/// The report of a job that could not be set up, told as a step of its own.
pub(crate) fn fail(job: &Job<'_>, reason: String) -> JobReport {
    let (id, begun) = ("__set_up_job", (job.hands.clock)());
    let mut finished = Finished::skipped("Set up job".to_owned());
    step::tell_started(job, id, &finished.name);
    let stage = Stage::told_failure(&StepLog::new(job, id), reason);
    step::apply_stage(&mut finished, stage, false);
    finished.mask(job);
    step::tell_finished(job, id, &finished, begun);
    JobReport { conclusion: Conclusion::Failure, outputs: BTreeMap::new(), reason: Some(finished.as_failure()) }
}
