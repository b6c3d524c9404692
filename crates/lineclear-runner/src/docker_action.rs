//! Docker actions: a container of the action's image, from its start to its end.
//!
//! # Source
//! Sections 1.10, 5.2 and 5.4 of the protocol notes, after `ContainerActionHandler.cs` of `actions/runner`.

use std::sync::Arc;

use lineclear_backend::{ActionContainer, ActionImage, Command, ContainerError, StartError, Stop};
use lineclear_event::Outcome;
use lineclear_expr::Object;
use lineclear_workflow::Runs;

use crate::action::LoadedAction;
use crate::containers::{self, Place};
use crate::context::{Speaker, StepScope};
use crate::environment::Env;
use crate::evaluate;
use crate::frame::{Frame, Identity};
use crate::inputs::Inputs;
use crate::invocation::{self, ProcessKind, StepCall};
use crate::ports::inside;
use crate::post::{Post, PostStage};
use crate::pre;
use crate::shell;
use crate::stage::{Stage, Tells};
use crate::told::LogTold;
use crate::worker::Worker;

/// The stages of a Docker action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Pre,
    Main,
    Post,
}

/// The main stage.
pub(crate) fn main(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &Arc<LoadedAction>,
    inputs: Inputs,
) -> Stage {
    let has_pre = matches!(&action.metadata.runs, Runs::Docker { pre_entrypoint: Some(_), .. });
    if has_pre && action.is_local {
        call.log.warning(&format!("The `pre` execution is not supported for local action from '{}'", action.reference));
    } else if has_pre && !worker.pre_done.contains(call.key) {
        // Inside a local composite action it was not known before the first step.
        let stage = pre::own_stage(call, worker, frame, action, inputs.clone());
        if !matches!(stage.outcome, Outcome::Success | Outcome::Skipped) {
            return stage;
        }
    }
    register_post(call, worker, frame, action, &inputs);
    run(call, worker, frame, action, &inputs, When::Main)
}

/// The stage before the first step.
pub(crate) fn pre(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &Arc<LoadedAction>,
    inputs: Inputs,
) -> Stage {
    register_post(call, worker, frame, action, &inputs);
    run(call, worker, frame, action, &inputs, When::Pre)
}

/// The stage after the last step.
pub(crate) fn post(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    inputs: &Inputs,
) -> Stage {
    run(call, worker, frame, action, inputs, When::Post)
}

fn register_post(call: &StepCall<'_>, worker: &mut Worker, frame: &Frame, action: &Arc<LoadedAction>, inputs: &Inputs) {
    if let Runs::Docker { post_entrypoint: Some(_), .. } = &action.metadata.runs {
        worker.register(Post::new(call, frame, action, inputs.clone(), PostStage::Own));
    }
}

fn run(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    inputs: &Inputs,
    when: When,
) -> Stage {
    match try_run(call, worker, frame, action, inputs, when) {
        Ok(stage) => stage,
        Err(NotRun::Reason(reason)) => Stage::told_failure(call.log, reason),
        Err(NotRun::Stopped(stage)) => stage,
    }
}

/// Why a stage's container was never started.
enum NotRun {
    Reason(String),
    /// The step was ended from outside while its image was made ready.
    Stopped(Stage),
}

impl From<String> for NotRun {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

fn try_run(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    inputs: &Inputs,
    when: When,
) -> Result<Stage, NotRun> {
    let job = call.job;
    let Runs::Docker { entrypoint, pre_entrypoint, post_entrypoint, args, env: own_env, .. } = &action.metadata.runs
    else {
        return Err(NotRun::Reason(format!("`{}` is no Docker action", action.reference)));
    };
    let image = image(action)?;
    // The command files come after it: what they are allowed depends on there being containers.
    let told = LogTold::new(call.log.clone());
    let opened = job.for_action(&call.limits.thread, &told).map_err(|reason| no_engine(action, &reason))?;
    let is_over = || call.limits.halt(std::time::Instant::now()).is_some();
    let stop = Stop { wake: call.limits.thread.wake(), is_cancelled: &is_over };
    let prepared = opened.containers.prepare(&image, stop, &told);
    told.close_group();
    let prepared = prepared.map_err(|error| match call.limits.halt(std::time::Instant::now()) {
        Some(halt) => NotRun::Stopped(Stage::halted(call.log, halt)),
        None if matches!(error, ContainerError::NoEngine { .. }) => no_engine(action, &containers::refused(&error)),
        None => NotRun::Reason(containers::refused(&error)),
    })?;

    let files = call.command_files()?;
    // As of JavaScript actions: `action_path` is that of the composite action around it, if there is one.
    let identity = Identity {
        folder: frame.identity.folder.clone(),
        repository: action.repository.clone(),
        reference: action.version.clone(),
    };
    let mut env = call.process_env(worker, frame, &identity, &files, ProcessKind::Docker, inputs);
    let own = frame_of(frame, action, inputs);
    let speaker = Speaker { step: call.id, env: Some(call.env), files: Some(&files) };
    let scope = StepScope::new(job, &worker.env, &own, speaker);
    if let Some(block) = own_env {
        let block = evaluate::env(&own.source, block, &scope)?;
        let value = |value: &str| {
            let inside = job.value_inside(Place::Action, value.as_ref());
            inside.map_or_else(|| value.to_owned(), |inside| inside.to_string_lossy().into_owned())
        };
        env.set_missing(&block.iter().map(|(name, text)| (name.to_owned(), value(text))).collect::<Env>());
    }
    let given = |name: &str| {
        let found = inputs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.trim().is_empty())
    };
    let arguments = if args.is_empty() {
        // As the command line of `docker run` took it: double quotes keep together, nothing else does (trap 77).
        shell::split_arguments(given("args").unwrap_or_default())
    } else {
        args.iter().map(|arg| evaluate::text(&own.source, "runs.args", arg, &scope)).collect::<Result<_, _>>()?
    };
    drop(scope);
    let entrypoint = match when {
        When::Pre => pre_entrypoint.as_deref(),
        When::Main => entrypoint.as_deref().filter(|entrypoint| !entrypoint.is_empty()).or_else(|| given("entrypoint")),
        When::Post => post_entrypoint.as_deref(),
    };

    let settings = invocation::settings(job, &env);
    let variables = env.into_variables();
    let container = ActionContainer { image: &prepared, entrypoint, args: &arguments, env: &variables };
    let started = opened.containers.run(&container).map_err(|error| {
        let program = entrypoint.or(arguments.first().map(String::as_str)).unwrap_or("the image's own program");
        if let StartError::NotFound { .. } = error {
            return format!("there is no program `{program}` in the image of `{}`", action.reference);
        }
        let command = Command {
            program: program.into(),
            args: Vec::new(),
            env: variables.clone(),
            working_directory: job.room.layout().workspace.clone(),
        };
        invocation::start_failure(&error, &command, Place::Action)
    });
    Ok(call.carry(worker, files, settings, started, Tells::Debug("Docker")))
}

fn no_engine(action: &LoadedAction, reason: &str) -> NotRun {
    NotRun::Reason(format!("`{}` is a Docker action, and {reason}", action.reference))
}

/// What the texts of the action's metadata see: its inputs (section 1.10 of the protocol notes).
fn frame_of(frame: &Frame, action: &LoadedAction, inputs: &Inputs) -> Frame {
    let mut values = Object::new();
    for (name, value) in inputs {
        values.insert(name.as_str(), value.as_str());
    }
    Frame { source: action.metadata.source.clone(), inputs: values.into(), ..frame.clone() }
}

/// Where the action's image comes from.
///
/// # Errors
/// A sentence, if it names a file that is not part of its repository.
pub(crate) fn image(action: &LoadedAction) -> Result<ActionImage, String> {
    let Runs::Docker { image, .. } = &action.metadata.runs else {
        return Err(format!("`{}` is no Docker action", action.reference));
    };
    let image = image.value.trim();
    let scheme = image.get(..9).filter(|scheme| scheme.eq_ignore_ascii_case("docker://"));
    if let Some(scheme) = scheme {
        return Ok(ActionImage::Registry(image[scheme.len()..].to_owned()));
    }
    let within = action.folder.strip_prefix(&action.root).unwrap_or(&action.folder);
    let dockerfile = inside(&action.root, &format!("{}/{image}", within.display()))
        .ok_or_else(|| format!("the image `{image}` of action `{}` leads out of its repository", action.reference))?;
    if !dockerfile.is_file() {
        return Err(format!(
            "action `{}` has no file `{image}` in `{}`: its image is built from it",
            action.reference,
            action.folder.display()
        ));
    }
    let context = dockerfile.parent().unwrap_or(&action.root).to_owned();
    Ok(ActionImage::Dockerfile { context, dockerfile })
}
