//! How one stage of a step went.

use lineclear_backend::Exit;
use lineclear_event::Outcome;

use crate::log::StepLog;
use crate::process::Halt;

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

/// How an exit code other than 0 is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    /// As an annotation: scripts say nothing themselves.
    Annotation,
    /// In a line for debugging, of an action of this kind: actions say themselves what went wrong.
    Debug(&'static str),
}

/// The stage of a process that ended by itself.
pub(crate) fn of_exit(log: &StepLog<'_>, exit: Exit, tells: Tells) -> Stage {
    let code = exit.code();
    if code == 0 {
        return Stage { exit_code: Some(0), ..Stage::success(Vec::new()) };
    }
    match tells {
        Tells::Annotation => log.error(&format!("Process completed with exit code {code}.")),
        Tells::Debug(kind) => log.debug(|| format!("{kind} Action run completed with exit code {code}")),
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
