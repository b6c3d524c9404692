//! Runs one process of a step and takes in what it said.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use lineclear_backend::{Command, StartError};
use lineclear_command::{Interpreter, InterpreterSettings};
use lineclear_event::Outcome;

use crate::command_files::{CommandFiles, LARGEST_SUMMARY, Summary};
use crate::environment::{self, Env, ProcessEnv};
use crate::frame::{Frame, Identity};
use crate::job::Job;
use crate::listener::{Heard, Listener};
use crate::log::StepLog;
use crate::pause::Place;
use crate::process::{self, Limits};
use crate::stage::{self, Stage};
use crate::worker::Worker;

/// One step as the parts that carry it out see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepCall<'s> {
    pub(crate) job: &'s Job<'s>,
    /// `github.action`.
    pub(crate) id: &'s str,
    /// What state and posts are kept under.
    pub(crate) key: &'s str,
    /// The step's own `env`.
    pub(crate) env: &'s Env,
    pub(crate) log: &'s StepLog<'s>,
    pub(crate) limits: &'s Limits,
    /// The step's own `timeout-minutes` and `continue-on-error`, which count for its post stage too.
    pub(crate) timeout: Option<Duration>,
    pub(crate) continues_on_error: bool,
    /// What people see the step called, masked.
    pub(crate) name: &'s str,
}

/// Which kind of step a process belongs to: they differ in the services they are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessKind {
    Run,
    JavaScript,
}

impl<'s> StepCall<'s> {
    /// New command files for a process of this step.
    pub(crate) fn command_files(&self) -> Result<CommandFiles, String> {
        let folder = &self.job.room.layout().scratch;
        CommandFiles::create(folder, self.job.next_number())
            .map_err(|error| format!("cannot make the step's command files in `{}`: {error}", folder.display()))
    }

    /// The environment of a process, layer by layer; `inputs` and `state` for actions only.
    pub(crate) fn process_env(
        &self,
        worker: &Worker,
        frame: &Frame,
        identity: &Identity,
        files: &CommandFiles,
        kind: ProcessKind,
        inputs: &[(String, String)],
    ) -> ProcessEnv {
        let job = self.job;
        let mut env = ProcessEnv::new(job.room.base_env());
        for layer in [&worker.env, &frame.calling_env, self.env] {
            env.lay_over(layer);
        }
        if kind == ProcessKind::JavaScript {
            for (name, value) in worker.states.get(self.key).into_iter().flatten() {
                env.set(format!("STATE_{name}"), value);
            }
            for (name, value) in inputs {
                env.set(environment::input_variable(name), value);
            }
            env.remove("NODE_ICU_DATA");
        }
        env.prepend_path(&worker.path);
        for (name, value) in &job.exports {
            env.set(name, value);
        }
        env.set("GITHUB_ACTION", self.id);
        env.set("GITHUB_ACTION_REPOSITORY", identity.repository.as_str());
        env.set("GITHUB_ACTION_REF", identity.reference.as_str());
        match &identity.folder {
            Some(folder) => env.set("GITHUB_ACTION_PATH", folder),
            None => env.remove("GITHUB_ACTION_PATH"),
        }
        for (key, path) in files.paths() {
            env.set(format!("GITHUB_{}", key.to_uppercase()), path);
        }
        env.set("RUNNER_TRACKING_ID", job.room.tracking_id());
        let services = &job.hands.settings.service_env;
        let services = match kind {
            ProcessKind::Run => &services.run_steps,
            ProcessKind::JavaScript => &services.javascript_actions,
        };
        for (name, value) in services {
            env.set(name, value);
        }
        env.finish();
        env
    }

    /// Runs a process to its end, streams its output, and applies what it said and wrote.
    ///
    /// What it set for later steps is in `worker` afterwards; its outputs are in the stage.
    pub(crate) fn run(
        &self,
        worker: &mut Worker,
        files: CommandFiles,
        env: ProcessEnv,
        program: &Program<'_>,
    ) -> Stage {
        let settings = InterpreterSettings {
            insecure_commands: is_true(env.get("ACTIONS_ALLOW_UNSECURE_COMMANDS")),
            insecure_stop_tokens: is_true(env.get("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS")),
            debug: self.job.debug,
        };
        let command = Command {
            program: program.program.to_owned(),
            args: program.arguments.clone(),
            env: env.into_variables(),
            working_directory: program.folder.to_owned(),
        };
        if self.job.hands.settings.pause.is_some() {
            worker.last_place = Some(Place { env: command.env.clone(), folder: command.working_directory.clone() });
        }
        let mut listener = Listener::new(self.log, &self.job.matchers, self.job);
        let ended = match self.job.room.start(&command) {
            Err(error) => return Stage::told_failure(self.log, start_failure(&error, &command)),
            Ok(mut process) => {
                let mut interpreter =
                    Interpreter::new(settings, self.job.masker.clone(), std::sync::Arc::clone(&self.job.matchers));
                let ended = process::carry(process.as_mut(), self.limits, &mut |stream, bytes| {
                    interpreter.feed(stream, bytes, &mut listener);
                });
                interpreter.finish(&mut listener);
                ended
            }
        };
        let Listener { mut heard, .. } = listener;
        self.take_in(worker, files, &mut heard);
        let Heard { outputs, state, failures, .. } = heard;
        if !state.is_empty() {
            worker.states.entry(self.key.to_owned()).or_default().extend(state);
        }
        let mut stage = match ended {
            Err(error) => Stage::told_failure(self.log, format!("lost the step's process: {error}")),
            Ok(ended) => match ended.halted {
                Some(why) => Stage { exit_code: Some(ended.exit.code()), ..Stage::halted(self.log, why) },
                None => stage::of_exit(self.log, ended.exit, program.tells_exit_code),
            },
        };
        if stage.outcome == Outcome::Success
            && let Some(failure) = failures.into_iter().next()
        {
            stage.outcome = Outcome::Failure;
            stage.reason = Some(failure);
        }
        stage.outputs = outputs;
        stage
    }

    /// Reads and applies the command files of a step that runs inside the runner. The error is the first that fails the step.
    pub(crate) fn take_in_files(
        &self,
        worker: &mut Worker,
        files: CommandFiles,
        outputs: &mut Vec<(String, String)>,
    ) -> Result<(), String> {
        let mut heard = Heard::default();
        self.take_in(worker, files, &mut heard);
        outputs.extend(heard.outputs);
        match heard.failures.into_iter().next() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Reads the command files and applies them, together with what was said on the streams.
    fn take_in(&self, worker: &mut Worker, files: CommandFiles, heard: &mut Heard) {
        for (name, value) in heard.env.drain(..) {
            worker.set_env(name, value);
        }
        for folder in heard.paths.drain(..) {
            worker.add_path(folder);
        }
        let written = files.read();
        for (name, value) in written.env {
            if name.eq_ignore_ascii_case("NODE_OPTIONS") {
                // Refused, but the step stays green (trap 17).
                self.log.error("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
            } else if name.is_empty() || name.contains('\0') || value.contains('\0') {
                let what = if name.is_empty() { "a variable without a name" } else { name.as_str() };
                self.log.warning(&format!("GITHUB_ENV: {what} cannot be handed to a process, so it is left out"));
            } else {
                worker.set_env(name, value);
            }
        }
        for folder in written.paths {
            worker.add_path(folder);
        }
        heard.outputs.extend(written.outputs);
        heard.state.extend(written.state);
        match written.summary {
            Some(Summary::Markdown(markdown)) => self.log.summary(&markdown),
            Some(Summary::TooLarge { bytes }) => self.log.error(&format!(
                "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of {}k, got {}k. \
                 For more information see: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-job-summary",
                LARGEST_SUMMARY / 1024,
                bytes.div_ceil(1024)
            )),
            None => {}
        }
        for error in written.errors {
            self.log.error(&error);
            heard.failures.push(error);
        }
    }
}

/// What is started for a step.
#[derive(Debug)]
pub(crate) struct Program<'p> {
    pub(crate) program: &'p OsStr,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) folder: &'p Path,
    /// Whether an exit code other than 0 is an annotation, as it is for scripts.
    pub(crate) tells_exit_code: bool,
}

fn start_failure(error: &StartError, command: &Command) -> String {
    match error {
        StartError::NoWorkingDirectory { path } => {
            format!(
                "the working directory `{}` does not exist: create it in an earlier step, or check it out first",
                path.display()
            )
        }
        StartError::TooLarge { .. } => {
            format!("{error}; the largest variables are {}", ProcessEnv::largest(&command.env))
        }
        StartError::NotFound { .. } | StartError::NotExecutable { .. } => error.to_string(),
        StartError::Io { source, .. } => format!("{error}: {source}"),
    }
}

fn is_true(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
