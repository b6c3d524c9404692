//! Scripts that this machine's owner runs before and after every job.
//!
//! # Source
//! Section 1.11 of the protocol notes, after `JobHookProvider.cs` of `actions/runner`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::containers::Place;
use crate::environment::Env;
use crate::frame::Frame;
use crate::invocation::{ProcessKind, Program, StepCall};
use crate::job::Job;
use crate::log::StepLog;
use crate::program;
use crate::shell::Shell;
use crate::stage::Stage;
use crate::step::{self, Finished};
use crate::worker::Worker;

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    Started,
    Completed,
}

impl Hook {
    fn variable(self) -> &'static str {
        match self {
            Self::Started => "ACTIONS_RUNNER_HOOK_JOB_STARTED",
            Self::Completed => "ACTIONS_RUNNER_HOOK_JOB_COMPLETED",
        }
    }

    fn step(self) -> (&'static str, &'static str) {
        match self {
            Self::Started => ("__set_up_runner", "Set up runner"),
            Self::Completed => ("__complete_runner", "Complete runner"),
        }
    }
}

/// Runs the hook if the runner's settings or the machine's own environment name one; failing fails the job.
pub(crate) fn run(job: &Job<'_>, worker: &mut Worker, frame: &mut Frame, hook: Hook) {
    let set = job.hands.settings.env.get(hook.variable()).map(OsString::from);
    let script = set.or_else(|| job.machine_variable(hook.variable()).map(OsStr::to_owned));
    let Some(script) = script.filter(|script| !script.is_empty()) else { return };
    let (id, name) = hook.step();
    let begun = (job.hands.clock)();
    let mut finished = Finished::skipped(name.to_owned());
    step::tell_started(job, id, name);
    let log = StepLog::new(job, id);
    let limits = step::limits(job, worker, None, true, None);
    let env = Env::default();
    let call = StepCall {
        job,
        id,
        key: id,
        env: &env,
        log: &log,
        limits: &limits,
        timeout: None,
        continues_on_error: false,
        name,
    };
    let stage =
        run_script(&call, worker, frame, hook, &script).unwrap_or_else(|reason| Stage::told_failure(&log, reason));
    step::apply_stage(&mut finished, stage, false);
    finished.mask(job);
    step::tell_finished(job, id, &finished, begun);
    step::note(frame, finished.conclusion, || finished.as_failure());
}

fn run_script(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    hook: Hook,
    script: &OsStr,
) -> Result<Stage, String> {
    let file = Path::new(script);
    let variable = hook.variable();
    let shell = match file.extension().and_then(|extension| extension.to_str()) {
        Some("sh") => "bash",
        Some("ps1") => "pwsh",
        _ => return Err(format!("{variable} is `{}`: it must be a script that ends in .sh or .ps1", file.display())),
    };
    if !file.is_absolute() || !file.is_file() {
        return Err(format!(
            "{variable} is `{}`: it must be the absolute path of a script that exists",
            file.display()
        ));
    }
    let shell = Shell::parse(shell).map_err(|error| error.to_string())?;
    let files = call.command_files()?;
    // It is the machine's own: it runs there, also where the job has a container.
    let place = Place::Machine;
    let env = call.process_env(worker, frame, &frame.identity, &files, ProcessKind::Run(place), &[]);
    let found = program::find(&shell.program, env.get("PATH").unwrap_or_default())
        .ok_or_else(|| format!("{variable} needs `{}`, which is not on the PATH", shell.program))?;
    call.log.show(&format!(
        "A job {} hook has been configured by the self-hosted runner administrator",
        match hook {
            Hook::Started => "started",
            Hook::Completed => "completed",
        }
    ));
    let program = Program {
        program: found.as_os_str(),
        arguments: shell.arguments(&file.to_string_lossy()).into_iter().map(Into::into).collect(),
        folder: &call.job.room.layout().workspace,
        place,
        tells_exit_code: true,
    };
    Ok(call.run(worker, files, env, &program))
}
