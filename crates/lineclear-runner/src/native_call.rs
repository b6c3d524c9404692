//! Calls of the actions that are part of the runner.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use lineclear_backend::Command;
use lineclear_command::{Interpreter, InterpreterSettings, Matchers};
use lineclear_event::{AnnotationLevel, Fact};

use crate::action::LoadedAction;
use crate::containers::Place;
use crate::environment::ProcessEnv;
use crate::frame::{Frame, Identity};
use crate::inputs::Inputs;
use crate::invocation::{ProcessKind, StepCall};
use crate::listener::Listener;
use crate::native::{Call, Effects, NativeAction, NativeError, RunOptions};
use crate::ports::lock;
use crate::post::{Post, PostStage};
use crate::process::{self, Ended};
use crate::program;
use crate::seen;
use crate::stage::Stage;
use crate::worker::Worker;

/// How much of a captured program's output is kept, and how many of its last lines an error shows.
const LARGEST_CAPTURE: usize = 64 << 20;
const LINES_IN_ERROR: usize = 20;
/// How much of what a program said last is handed back to the action.
const LARGEST_LAST: usize = 64 << 10;

#[derive(Clone, Copy)]
enum When {
    Main,
    Post,
}

pub(crate) fn main(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &Arc<LoadedAction>,
    number: usize,
    inputs: Inputs,
) -> Stage {
    let Some(native) = call.job.native_action(number) else { return gone(call, action) };
    if native.has_post() {
        worker.register(Post::new(call, frame, action, inputs.clone(), PostStage::Own));
    }
    run(call, worker, frame, action, native, &inputs, When::Main)
}

pub(crate) fn post(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    number: usize,
    inputs: &Inputs,
) -> Stage {
    match call.job.native_action(number) {
        Some(native) => run(call, worker, frame, action, native, inputs, When::Post),
        None => gone(call, action),
    }
}

fn gone(call: &StepCall<'_>, action: &LoadedAction) -> Stage {
    Stage::told_failure(call.log, format!("there is no built-in action for `{}`", action.reference))
}

fn run(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &LoadedAction,
    native: &dyn NativeAction,
    inputs: &Inputs,
    when: When,
) -> Stage {
    let job = call.job;
    if let Err(out) = job.reach.check_own_folders() {
        return Stage::told_failure(call.log, format!("a folder of the job was replaced: {out}"));
    }
    let files = match call.command_files() {
        Ok(files) => files,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    let identity = Identity {
        folder: frame.identity.folder.clone(),
        repository: action.repository.clone(),
        reference: action.version.clone(),
    };
    let env_at = |place| call.process_env(worker, frame, &identity, &files, ProcessKind::JavaScript(place), inputs);
    let mut env = env_at(Place::Machine);
    let place = job.place();
    let inner_env = (place != Place::Machine).then(|| env_at(place));
    if let (Some(_), Some(home)) = (&inner_env, job.home()) {
        env.set("HOME", home);
    }
    let env_text = env.to_text();
    let mut state = worker.states.remove(call.key).unwrap_or_default();
    let mut effects = CallEffects { call, env, inner_env, changes: Vec::new() };
    let result = {
        let mut native_call = Call {
            inputs: inputs.iter().map(|(name, value)| (name.to_lowercase(), input_here(call, name, value))).collect(),
            env: env_text,
            contexts: &job.spec.contexts,
            room: job.room,
            reach: &job.reach,
            caches: Arc::clone(&job.hands.caches),
            artifacts: Arc::clone(&job.hands.artifacts),
            image_route: job.hands.settings.image_route(),
            forge: Arc::clone(&job.hands.forge),
            caller: &job.hands.caller,
            repository: job.hands.settings.store_repository.clone(),
            repository_root: job.hands.settings.repository_root.clone(),
            in_place: matches!(job.hands.workspace, lineclear_backend::Workspace::InPlace(_)),
            run: job.spec.run,
            token: job.hands.settings.token.clone(),
            now: (job.hands.clock)(),
            deadline: call.limits.deadline,
            control: &call.limits.thread,
            state: &mut state,
            effects: &mut effects,
        };
        match when {
            When::Main => native.main(&mut native_call),
            When::Post => native.post(&mut native_call),
        }
    };
    let changes = effects.changes;
    if !state.is_empty() {
        worker.states.insert(call.key.to_owned(), state);
    }
    let mut outputs = Vec::new();
    for change in changes {
        match change {
            Change::Output(name, value) => outputs.push((name, value)),
            Change::Export(name, value) => worker.set_env(name, value),
            Change::Path(folder) => worker.add_path(job.path_entry_here(folder)),
        }
    }
    // What programs that it started wrote to the command files counts as well.
    let mut stage = Stage::success(outputs);
    if let Err(reason) = call.take_in_files(worker, files, &mut stage.outputs) {
        stage = Stage { outputs: stage.outputs, ..Stage::failure(reason) };
    }
    match result {
        Ok(()) => stage,
        Err(error) => {
            let outputs = stage.outputs;
            let stage = match call.limits.halt(Instant::now()) {
                Some(halt) => Stage::halted(call.log, halt),
                None if error.is_told() => Stage::failure("its log says why"),
                None => Stage::told_failure(call.log, error.0),
            };
            Stage { outputs, ..stage }
        }
    }
}

/// An input as it is meant on this machine. A script is not translated: it runs where the job's steps run.
fn input_here(call: &StepCall<'_>, name: &str, value: &str) -> String {
    if call.job.place() == Place::Machine || name.eq_ignore_ascii_case("script") {
        return value.to_owned();
    }
    let here = |path: &Path| match call.job.here(path) {
        Cow::Owned(here) => Some(here),
        Cow::Borrowed(_) => None,
    };
    seen::lines(value, here).unwrap_or_else(|| value.to_owned())
}

/// What an action hands on, as it is meant where the job's steps run.
fn value_inside(call: &StepCall<'_>, value: &str) -> String {
    let place = call.job.place();
    let inside = |path: &Path| match call.job.inside(place, path) {
        Cow::Owned(inside) => Some(inside),
        Cow::Borrowed(_) => None,
    };
    seen::lines(value, inside).unwrap_or_else(|| value.to_owned())
}

enum Change {
    Output(String, String),
    Export(String, String),
    Path(String),
}

/// Applies what an action says at once, and gathers what it changes for the steps after it.
struct CallEffects<'s> {
    call: &'s StepCall<'s>,
    /// Of programs on this machine.
    env: ProcessEnv,
    /// Of scripts in the job's container, if it has one.
    inner_env: Option<ProcessEnv>,
    changes: Vec<Change>,
}

impl Effects for CallEffects<'_> {
    fn log(&mut self, line: &str) {
        self.call.log.show(line);
    }

    fn output(&mut self, name: &str, value: &str) {
        self.changes.push(Change::Output(name.to_owned(), value_inside(self.call, value)));
    }

    fn export(&mut self, name: &str, value: &str) {
        // Programs that the action starts afterwards see it too, as `core.exportVariable` has it.
        self.env.set(name, value);
        let inside = value_inside(self.call, value);
        if let Some(env) = &mut self.inner_env {
            env.set(name, inside.as_str());
        }
        self.changes.push(Change::Export(name.to_owned(), inside));
    }

    fn add_path(&mut self, path: &Path) {
        let folder = path.to_string_lossy().into_owned();
        self.env.prepend_path(std::slice::from_ref(&folder));
        if let Some(env) = &mut self.inner_env {
            let inside = self.call.job.inside(self.call.job.place(), path);
            env.prepend_path(&[inside.to_string_lossy().into_owned()]);
        }
        self.changes.push(Change::Path(folder));
    }

    fn add_mask(&mut self, secret: &str) {
        self.call.job.masker.add(secret);
    }

    fn annotate(&mut self, level: AnnotationLevel, message: &str) {
        self.call.log.say(level, message);
    }

    fn summary(&mut self, markdown: &str) {
        self.call.log.summary(markdown);
    }

    fn fact(&mut self, fact: Fact) {
        self.call.log.fact(&fact);
    }

    fn add_matcher(&mut self, json: &str) {
        if let Err(error) = lock(&self.call.job.matchers).add(json) {
            self.call.log.warning(&format!("the problem matcher of the action is not valid: {error}"));
        }
    }

    fn run(&mut self, program: &str, args: &[&str], options: RunOptions<'_>) -> Result<i32, NativeError> {
        let call = self.call;
        if !options.quiet {
            call.log.show(&format!("[command]{}", command_line(program, args)));
        }
        self.heard_at(Place::Machine, program, args, options).map(|(code, _)| code)
    }

    fn run_heard(
        &mut self,
        program: &str,
        args: &[&str],
        options: RunOptions<'_>,
    ) -> Result<(i32, String), NativeError> {
        if !options.quiet {
            self.call.log.show(&format!("[command]{}", command_line(program, args)));
        }
        self.heard_at(Place::Machine, program, args, options)
    }

    fn node(&mut self, script: &Path) -> Result<i32, NativeError> {
        let path = self.env.variables().get(OsStr::new("PATH")).cloned().unwrap_or_default();
        let action = self.env.get("GITHUB_ACTION_REPOSITORY").unwrap_or_default().to_string_lossy().into_owned();
        let job = self.call.job;
        let program = job.node_program(&path, &action).map_err(NativeError)?;
        let script = job.inside(job.place(), script);
        self.heard_at(job.place(), &program.to_string_lossy(), &[&script.to_string_lossy()], RunOptions::default())
            .map(|(code, _)| code)
    }

    fn capture(&mut self, program: &str, args: &[&str], options: RunOptions<'_>) -> Result<String, NativeError> {
        if !options.quiet {
            self.call.log.show(&format!("[command]{}", command_line(program, args)));
        }
        let mut streams = [Vec::new(), Vec::new()];
        let ended = self.start(Place::Machine, program, args, options, &mut |stream, bytes| {
            let kept: &mut Vec<u8> = &mut streams[stream.min(1)];
            let room = LARGEST_CAPTURE.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        })?;
        let [out, err] = streams;
        let code = ended.exit.code();
        if code == 0 {
            return Ok(String::from_utf8_lossy(&out).into_owned());
        }
        let said = String::from_utf8_lossy(if err.is_empty() { &out } else { &err }).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES_IN_ERROR)..].join("\n");
        Err(NativeError(format!("`{}` ended with exit code {code}: {last}", command_line(program, args))))
    }
}

impl CallEffects<'_> {
    /// Runs a program and interprets what it says; gives the last of it too.
    fn heard_at(
        &mut self,
        place: Place,
        program: &str,
        args: &[&str],
        options: RunOptions<'_>,
    ) -> Result<(i32, String), NativeError> {
        let call = self.call;
        let quiet_masker = call.job.masker.clone();
        let settings = InterpreterSettings { debug: call.job.debug, ..InterpreterSettings::default() };
        let matchers =
            if options.quiet { Arc::new(Mutex::new(Matchers::default())) } else { Arc::clone(&call.job.matchers) };
        let mut interpreter = Interpreter::new(settings, quiet_masker, matchers);
        let mut listener = Listener::new(call.log, &call.job.matchers, call.job);
        let mut last = Vec::new();
        let ended = self.start(place, program, args, options, &mut |stream, bytes| {
            last.extend_from_slice(bytes);
            if last.len() > 2 * LARGEST_LAST {
                last.drain(..last.len() - LARGEST_LAST);
            }
            if !options.quiet {
                interpreter.feed(stream, bytes, &mut listener);
            }
        })?;
        interpreter.finish(&mut listener);
        for (name, value) in listener.into_outputs() {
            self.changes.push(Change::Output(name, value));
        }
        Ok((ended.exit.code(), String::from_utf8_lossy(&last).into_owned()))
    }

    fn start(
        &mut self,
        place: Place,
        program: &str,
        args: &[&str],
        options: RunOptions<'_>,
        hear: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<Ended, NativeError> {
        let call = self.call;
        let env = if place == Place::Machine { &self.env } else { self.inner_env.as_ref().unwrap_or(&self.env) };
        let mut env: BTreeMap<OsString, OsString> = env.variables().clone();
        for (name, value) in options.env {
            env.insert(name.into(), value.into());
        }
        let path = env.get(OsStr::new("PATH")).cloned().unwrap_or_default();
        let found = match place {
            Place::Machine => program::find(program, &path).map_or_else(|| OsString::from(program), OsString::from),
            Place::Container | Place::Action => OsString::from(program),
        };
        let command = Command {
            program: found,
            args: args.iter().map(OsString::from).collect(),
            env: env.into_iter().collect(),
            working_directory: options.folder.unwrap_or(&call.job.room.layout().workspace).to_owned(),
        };
        let room = call.job.room_at(place).map_err(NativeError)?;
        let mut process = room.start(&command).map_err(|error| NativeError(error.to_string()))?;
        let ended = process::carry(process.as_mut(), call.limits, hear)
            .map_err(|error| NativeError(format!("lost `{program}`: {error}")))?;
        if ended.halted.is_some() {
            return Err(NativeError(format!("`{}` was stopped", command_line(program, args))));
        }
        Ok(ended)
    }
}

fn command_line(program: &str, args: &[&str]) -> String {
    let mut line = program.to_owned();
    for arg in args {
        line.push(' ');
        if arg.is_empty() || arg.contains([' ', '\t', '\n', '"', '\'']) {
            line.push_str(&format!("{arg:?}"));
        } else {
            line.push_str(arg);
        }
    }
    line
}
