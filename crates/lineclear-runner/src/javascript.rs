//! JavaScript actions: the machine's Node runs them, or that of the job's container.
//!
//! # Source
//! Sections 1.4, 1.5 and 5.2 of the protocol notes, after `NodeScriptActionHandler.cs` of `actions/runner`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lineclear_backend::Command;
use lineclear_workflow::Runs;

use crate::action::LoadedAction;
use crate::containers::Place;
use crate::frame::{Frame, Identity};
use crate::inputs::Inputs;
use crate::invocation::{ProcessKind, Program, StepCall};
use crate::job::Job;
use crate::ports::{inside, lock};
use crate::post::{Post, PostStage};
use crate::pre;
use crate::process::{self, Limits};
use crate::program;
use crate::stage::Stage;
use crate::worker::Worker;

/// The Node where the job's steps run.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    program: PathBuf,
    /// `v24.1.0`, when it could be asked.
    version: Option<String>,
}

/// The main stage.
pub(crate) fn main(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &Arc<LoadedAction>,
    inputs: Inputs,
) -> Stage {
    let Runs::JavaScript { main, pre, .. } = &action.metadata.runs else {
        return Stage::told_failure(call.log, format!("`{}` is no JavaScript action", action.reference));
    };
    if pre.is_some() && action.is_local {
        call.log.warning(&format!("The `pre` execution is not supported for local action from '{}'", action.reference));
    } else if pre.is_some() && !worker.pre_done.contains(call.key) {
        // Inside a local composite action it was not known before the first step.
        let stage = pre::own_stage(call, worker, frame, action, inputs.clone());
        if !matches!(stage.outcome, lineclear_event::Outcome::Success | lineclear_event::Outcome::Skipped) {
            return stage;
        }
    }
    register_post(call, worker, frame, action, &inputs);
    run(call, worker, frame, action, &inputs, main)
}

/// The stage before the first step.
pub(crate) fn pre(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &Arc<LoadedAction>,
    inputs: Inputs,
) -> Stage {
    let Runs::JavaScript { pre: Some(entry), .. } = &action.metadata.runs else { return Stage::success(Vec::new()) };
    register_post(call, worker, frame, action, &inputs);
    run(call, worker, frame, action, &inputs, entry)
}

/// The stage after the last step.
pub(crate) fn post(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    inputs: &Inputs,
) -> Stage {
    match &action.metadata.runs {
        Runs::JavaScript { post: Some(entry), .. } => run(call, worker, frame, action, inputs, entry),
        _ => Stage::success(Vec::new()),
    }
}

fn register_post(call: &StepCall<'_>, worker: &mut Worker, frame: &Frame, action: &Arc<LoadedAction>, inputs: &Inputs) {
    if let Runs::JavaScript { post: Some(_), .. } = &action.metadata.runs {
        worker.register(Post::new(call, frame, action, inputs.clone(), PostStage::Own));
    }
}

fn run(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    inputs: &Inputs,
    entry: &str,
) -> Stage {
    match try_run(call, worker, frame, action, inputs, entry) {
        Ok(stage) => stage,
        Err(reason) => Stage::told_failure(call.log, reason),
    }
}

fn try_run(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    inputs: &Inputs,
    entry: &str,
) -> Result<Stage, String> {
    let files = call.command_files()?;
    // Its own repository and reference; `action_path` stays that of the composite action around it, if there is one (trap 69).
    let identity = Identity {
        folder: frame.identity.folder.clone(),
        repository: action.repository.clone(),
        reference: action.version.clone(),
    };
    let place = call.job.place();
    let env = call.process_env(worker, frame, &identity, &files, ProcessKind::JavaScript(place), inputs);
    let node = call.job.node(env.get("PATH").unwrap_or_default(), &action.reference)?;
    tell_of_older_node(call, action, &node);
    let script = inside(&action.folder, entry)
        .ok_or_else(|| format!("`{entry}` leads out of the folder of action `{}`", action.reference))?;
    if !script.is_file() {
        return Err(format!("action `{}` has no file `{entry}` in `{}`", action.reference, action.folder.display()));
    }
    let program = Program {
        program: node.program.as_os_str(),
        arguments: vec![call.job.inside(place, &script).as_os_str().to_owned()],
        folder: &call.job.room.layout().workspace,
        place,
        tells_exit_code: false,
    };
    Ok(call.run(worker, files, env, &program))
}

/// Says once in a job that an action asks for a newer Node than there is. Older ones are run on what there is (trap 74).
fn tell_of_older_node(call: &StepCall<'_>, action: &LoadedAction, node: &Node) {
    let Runs::JavaScript { using, .. } = &action.metadata.runs else { return };
    let asked = major(using.value.strip_prefix("node").unwrap_or_default());
    let has = node.version.as_deref().and_then(|version| major(version.strip_prefix('v').unwrap_or(version)));
    let (Some(asked), Some(has)) = (asked, has) else { return };
    if has < asked && !std::mem::replace(&mut *lock(&call.job.told_of_node), true) {
        let version = node.version.as_deref().unwrap_or_default();
        call.log.notice(&format!(
            "`{}` asks for Node {asked} and runs on this machine's Node {version} (`{}`)",
            action.reference,
            node.program.display()
        ));
    }
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next().and_then(|number| number.parse().ok())
}

impl Job<'_> {
    /// In a container the one that was found for it. The machine's is looked for once in a job: on the machine's own `PATH`, since a step may have put another version,
    /// meant for the project, before it; then on the step's.
    fn node(&self, step_path: &OsStr, action: &str) -> Result<Node, String> {
        let mut known = lock(&self.node);
        if let Some(node) = &*known {
            return Ok(node.clone());
        }
        if self.place() == Place::Container {
            let node = self.containers.facts().and_then(|facts| facts.node.as_ref());
            let program = match node {
                Some(Ok(program)) => program.clone(),
                Some(Err(why)) => {
                    return Err(format!(
                        "`{action}` is a JavaScript action, and the job's container has no Node for it: {why}"
                    ));
                }
                None => return Err(format!("`{action}` is a JavaScript action, and the job's container is not there")),
            };
            let node = Node { program, version: None };
            *known = Some(node.clone());
            return Ok(node);
        }
        let program = self
            .machine_variable("PATH")
            .and_then(|path| program::find("node", path))
            .or_else(|| program::find("node", step_path))
            .ok_or_else(|| {
                format!("`{action}` is a JavaScript action, and there is no `node` on the PATH: install Node.js on this machine")
            })?;
        let node = Node { version: self.ask_version(&program), program };
        *known = Some(node.clone());
        Ok(node)
    }

    /// The program of the Node that JavaScript actions run on.
    pub(crate) fn node_program(&self, step_path: &OsStr, action: &str) -> Result<PathBuf, String> {
        self.node(step_path, action).map(|node| node.program)
    }

    fn ask_version(&self, program: &std::path::Path) -> Option<String> {
        let command = Command {
            program: program.as_os_str().to_owned(),
            args: vec!["--version".into()],
            env: self.machine_env.clone(),
            working_directory: PathBuf::from("/"),
        };
        let control = self.hands.control.clone();
        let limits = Limits {
            job: control.clone(),
            thread: control,
            keeps_on_cancel: true,
            deadline: Instant::now().checked_add(Duration::from_secs(10)),
        };
        let mut said = Vec::new();
        let mut process = self.room.start(&command).ok()?;
        process::carry(process.as_mut(), &limits, &mut |_, bytes| said.extend_from_slice(bytes)).ok()?;
        Some(String::from_utf8_lossy(&said).trim().to_owned()).filter(|version| version.starts_with('v'))
    }
}
