//! Runs one process of a step and takes in what it said.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use lineclear_backend::{Command, Exit, StartError};
use lineclear_command::{Ear, Interpreter, InterpreterSettings, Matchers, Said};
use lineclear_event::Outcome;

use crate::command_files::{CommandFiles, LARGEST_SUMMARY, Summary};
use crate::environment::{self, Env, ProcessEnv};
use crate::frame::{Frame, Identity};
use crate::job::Job;
use crate::log::StepLog;
use crate::plain_file;
use crate::ports::lock;
use crate::process::{self, Halt, Limits};
use crate::worker::Worker;

/// Matcher files are small; one larger than this is something else.
const LARGEST_MATCHER: u64 = 1 << 20;

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

/// How a stage of a step went, before `continue-on-error`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) outcome: Outcome,
    pub(crate) exit_code: Option<i32>,
    /// Why it did not succeed, to follow "step `x` failed": "with exit code 1", ": the working directory …".
    pub(crate) reason: Option<String>,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) timed_out: bool,
}

impl Stage {
    pub(crate) fn success(outputs: Vec<(String, String)>) -> Self {
        Self { outcome: Outcome::Success, exit_code: None, reason: None, outputs, timed_out: false }
    }

    pub(crate) fn failure(reason: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Failure,
            exit_code: None,
            reason: Some(reason.into()),
            outputs: Vec::new(),
            timed_out: false,
        }
    }

    /// A failure that the log has to tell of.
    pub(crate) fn told_failure(log: &StepLog<'_>, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        log.error(&reason);
        Self::failure(reason)
    }

    pub(crate) fn cancelled(reason: &str) -> Self {
        Self { outcome: Outcome::Cancelled, ..Self::failure(reason) }
    }

    /// The stage of something that was ended from outside.
    pub(crate) fn halted(log: &StepLog<'_>, why: Halt) -> Self {
        match why {
            Halt::Cancelled | Halt::Killed | Halt::Stopped => {
                log.error("The operation was canceled.");
                Self::cancelled(if why == Halt::Stopped {
                    "a `cancel` step stopped it"
                } else {
                    "the job was cancelled"
                })
            }
            // Whoever knows the time says it.
            Halt::TimedOut => Self { timed_out: true, ..Self::failure("its time was over") },
        }
    }
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
        let folder = self.job.room.layout().scratch.join("_runner_file_commands");
        CommandFiles::create(&folder, self.job.next_number())
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
                None => exit_stage(self.log, ended.exit, program.tells_exit_code),
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

fn exit_stage(log: &StepLog<'_>, exit: Exit, tells: bool) -> Stage {
    let code = exit.code();
    if code == 0 {
        return Stage { exit_code: Some(0), ..Stage::success(Vec::new()) };
    }
    if tells {
        log.error(&format!("Process completed with exit code {code}."));
    } else {
        log.debug(|| format!("Node Action run completed with exit code {code}"));
    }
    let reason = match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("exit code {code} (ended by signal {signal}{})", signal_name(signal)),
    };
    Stage { exit_code: Some(code), ..Stage::failure(reason) }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        2 => ", SIGINT",
        6 => ", SIGABRT",
        9 => ", SIGKILL: perhaps the machine ran out of memory",
        11 => ", SIGSEGV",
        13 => ", SIGPIPE",
        15 => ", SIGTERM",
        _ => "",
    }
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

/// What a step's streams asked for.
#[derive(Debug, Default)]
struct Heard {
    outputs: Vec<(String, String)>,
    state: Vec<(String, String)>,
    env: Vec<(String, String)>,
    paths: Vec<String>,
    failures: Vec<String>,
}

/// Takes in what the streams of a step say.
pub(crate) struct Listener<'s> {
    log: &'s StepLog<'s>,
    matchers: &'s Mutex<Matchers>,
    job: &'s Job<'s>,
    heard: Heard,
}

impl<'s> Listener<'s> {
    pub(crate) fn new(log: &'s StepLog<'s>, matchers: &'s Mutex<Matchers>, job: &'s Job<'s>) -> Self {
        Self { log, matchers, job, heard: Heard::default() }
    }

    pub(crate) fn into_outputs(self) -> Vec<(String, String)> {
        self.heard.outputs
    }

    fn matcher_file(&self, path: &str) -> Result<String, String> {
        let path = self.job.room.layout().workspace.join(path);
        plain_file::read(&path, LARGEST_MATCHER)
            .map_err(|error| format!("cannot read the problem matcher `{}`: {error}", path.display()))
    }

    fn fail(&mut self, message: String) {
        self.log.error(&message);
        self.heard.failures.push(message);
    }
}

impl Ear for Listener<'_> {
    fn said(&mut self, said: Said) {
        match said {
            Said::SetOutput { name, value } => self.heard.outputs.push((name, value)),
            Said::SaveState { name, value } => self.heard.state.push((name, value)),
            Said::SetEnv { name, value } => self.heard.env.push((name, value)),
            Said::AddPath(folder) => self.heard.paths.push(folder),
            Said::Annotation(note) => self.log.annotate(note),
            Said::AddMatcher(path) => {
                let added = self.matcher_file(&path).and_then(|json| {
                    lock(self.matchers)
                        .add(&json)
                        .map_err(|error| format!("the problem matcher `{path}` is not valid: {error}"))
                });
                if let Err(message) = added {
                    self.fail(message);
                }
            }
            Said::RemoveMatcherFile(path) => {
                let owners = self.matcher_file(&path).and_then(|json| {
                    Matchers::owners(&json)
                        .map_err(|error| format!("the problem matcher `{path}` is not valid: {error}"))
                });
                match owners {
                    Ok(owners) => owners.iter().for_each(|owner| lock(self.matchers).remove(owner)),
                    Err(message) => self.fail(message),
                }
            }
            // The interpreter has shown and annotated it already.
            Said::Failed(message) => self.heard.failures.push(message),
        }
    }

    fn lines(&mut self, masked: &[u8]) {
        self.log.lines(masked);
    }
}
