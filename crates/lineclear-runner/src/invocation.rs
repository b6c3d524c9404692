//! Runs one process of a step and takes in what it said.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use lineclear_backend::{Command, Process, StartError};
use lineclear_command::{Interpreter, InterpreterSettings};
use lineclear_event::Outcome;

use crate::command_files::{CommandFiles, LARGEST_SUMMARY, Summary};
use crate::containers::Place;
use crate::environment::{self, Env, ProcessEnv};
use crate::frame::{Frame, Identity};
use crate::job::Job;
use crate::listener::{Heard, Listener};
use crate::log::StepLog;
use crate::pause::LastPlace;
use crate::process::{self, Limits};
use crate::stage::{self, Stage, Tells};
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

/// Which kind of step a process belongs to, which decides what services it is told of; and where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessKind {
    Run(Place),
    JavaScript(Place),
    Docker,
}

impl ProcessKind {
    fn place(self) -> Place {
        match self {
            Self::Run(place) | Self::JavaScript(place) => place,
            Self::Docker => Place::Action,
        }
    }
}

impl<'s> StepCall<'s> {
    /// New command files for a process of this step.
    pub(crate) fn command_files(&self) -> Result<CommandFiles, String> {
        let folder = &self.job.room.layout().scratch;
        CommandFiles::create(folder, self.job.next_number(), self.job.writers())
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
        let (job, place) = (self.job, kind.place());
        let mut env = ProcessEnv::new(&job.base_env(place));
        for layer in [&worker.env, &frame.calling_env, self.env] {
            env.lay_over(layer);
        }
        if !matches!(kind, ProcessKind::Run(_)) {
            for (name, value) in worker.states.get(self.key).into_iter().flatten() {
                env.set(format!("STATE_{name}"), value);
            }
            for (name, value) in inputs {
                env.set(environment::input_variable(name), value);
            }
            env.remove("NODE_ICU_DATA");
        }
        // A Docker action has the `PATH` of its image, whatever other steps added to theirs.
        if place != Place::Action {
            let named = |folder: &String| job.inside(place, Path::new(folder)).to_string_lossy().into_owned();
            match place {
                Place::Container => env.prepend_path(&worker.path.iter().map(named).collect::<Vec<_>>()),
                Place::Machine | Place::Action => env.prepend_path(&worker.path),
            }
        }
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
            ProcessKind::Run(_) => &services.run_steps,
            ProcessKind::JavaScript(_) => &services.javascript_actions,
            ProcessKind::Docker => &services.docker_actions,
        };
        for (name, value) in services {
            env.set(name, value);
        }
        env.finish();
        env.change_values(|value| job.value_inside(place, value));
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
        let settings = settings(self.job, &env);
        let command = Command {
            program: program.program.to_owned(),
            args: program.arguments.clone(),
            env: env.into_variables(),
            working_directory: program.folder.to_owned(),
        };
        if self.job.hands.settings.pause.is_some() {
            worker.last_place = Some(LastPlace {
                env: command.env.clone(),
                folder: command.working_directory.clone(),
                container: (program.place == Place::Container)
                    .then(|| self.job.containers.facts().and_then(|facts| facts.container.clone()))
                    .flatten(),
            });
        }
        let started = self
            .job
            .room_at(program.place)
            .and_then(|room| room.start(&command).map_err(|error| start_failure(&error, &command, program.place)));
        let tells = if program.tells_exit_code { Tells::Annotation } else { Tells::Debug("Node") };
        self.carry(worker, files, settings, started, tells)
    }

    /// Carries a process that was started to its end, as [`StepCall::run`] does.
    pub(crate) fn carry(
        &self,
        worker: &mut Worker,
        files: CommandFiles,
        settings: InterpreterSettings,
        started: Result<Box<dyn Process>, String>,
        tells: Tells,
    ) -> Stage {
        let mut process = match started {
            Ok(process) => process,
            Err(reason) => return Stage::told_failure(self.log, reason),
        };
        let mut listener = Listener::new(self.log, &self.job.matchers, self.job);
        let mut interpreter =
            Interpreter::new(settings, self.job.masker.clone(), std::sync::Arc::clone(&self.job.matchers));
        let ended = process::carry(process.as_mut(), self.limits, &mut |stream, bytes| {
            interpreter.feed(stream, bytes, &mut listener);
        });
        interpreter.finish(&mut listener);
        drop(process);
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
                None => stage::of_exit(self.log, ended.exit, tells),
            },
        };
        if stage.outcome == Outcome::Success
            && let Some(failure) = failures.into_iter().next()
        {
            stage.outcome = Outcome::Failure;
            stage.reason = Some(failure);
        }
        stage.outputs = outputs;
        self.tell_interventions(&mut stage);
        stage
    }

    /// Tells what the job's isolation did meanwhile, and gives it as the reason where the step failed: an exit code of 137 says
    /// nothing of a limit, and `Connection reset` nothing of an allow-list.
    fn tell_interventions(&self, stage: &mut Stage) {
        for intervention in self.job.room.interventions() {
            self.log.say(intervention.level(), &intervention.message);
            if stage.outcome == Outcome::Failure {
                let message = intervention.message;
                stage.reason = Some(match stage.reason.take() {
                    Some(reason) => format!("{}; {message}", reason.trim_end_matches('.')),
                    None => message,
                });
            }
        }
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
            worker.add_path(self.job.path_entry_here(folder));
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
            worker.add_path(self.job.path_entry_here(folder));
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
    /// As the machine calls it, where it is one of the job's folders.
    pub(crate) folder: &'p Path,
    pub(crate) place: Place,
    /// Whether an exit code other than 0 is an annotation, as it is for scripts.
    pub(crate) tells_exit_code: bool,
}

/// How a process is listened to.
pub(crate) fn settings(job: &Job<'_>, env: &ProcessEnv) -> InterpreterSettings {
    InterpreterSettings {
        insecure_commands: is_true(env.get("ACTIONS_ALLOW_UNSECURE_COMMANDS")),
        insecure_stop_tokens: is_true(env.get("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS")),
        debug: job.debug,
    }
}

/// Why a process could not be started, and the way out.
pub(crate) fn start_failure(error: &StartError, command: &Command, place: Place) -> String {
    match error {
        StartError::NotFound { program } if place == Place::Container => {
            format!(
                "there is no program `{program}` in the job's container: use an image that has it, or another shell"
            )
        }
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
