//! `--pause-on-failure`: a shell where the failed step stands, then the step again or the rest of the job.

use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use lineclear_runner::{AfterPause, FailedStep, FailurePause};

use super::sink::Telling;

/// Whether there is a terminal to sit at.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Opens a shell for each failed step, one at a time. Other jobs go on until they have something to show.
pub(crate) struct ShellPause {
    telling: Arc<Telling>,
    one_at_a_time: Mutex<()>,
}

impl std::fmt::Debug for ShellPause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShellPause").finish_non_exhaustive()
    }
}

impl ShellPause {
    pub(crate) fn new(telling: Arc<Telling>) -> Self {
        Self { telling, one_at_a_time: Mutex::new(()) }
    }
}

impl FailurePause for ShellPause {
    fn failed(&self, step: &FailedStep<'_>) -> AfterPause {
        let _alone = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let _quiet = self.telling.hold();
        // A terminal that goes away, or cannot be read, leaves the job as if nobody had looked.
        converse(step, &mut io::stdin().lock(), &mut io::stderr()).unwrap_or(AfterPause::GoOn)
    }
}

fn converse(step: &FailedStep<'_>, answers: &mut impl BufRead, screen: &mut impl Write) -> io::Result<AfterPause> {
    let reason = step.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    writeln!(screen, "\n{}: step `{}` failed{reason}", step.job, step.name)?;
    writeln!(screen, "A shell in the step's environment, in {}; `exit` leaves it.", step.folder.display())?;
    loop {
        open_shell(step, screen)?;
        loop {
            write!(screen, "[r] run the step again   [g] go on   [s] shell again: ")?;
            screen.flush()?;
            let mut answer = String::new();
            if answers.read_line(&mut answer)? == 0 {
                return Ok(AfterPause::GoOn);
            }
            match answer.trim() {
                "r" | "R" => return Ok(AfterPause::Retry),
                "g" | "G" => return Ok(AfterPause::GoOn),
                "s" | "S" => break,
                _ => {}
            }
        }
    }
}

fn open_shell(step: &FailedStep<'_>, screen: &mut impl Write) -> io::Result<()> {
    let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
    let mut command = Command::new(&shell);
    command.env_clear().envs(step.env.iter().map(|(name, value)| (name, value)));
    // What the terminal needs; the step's process had none.
    for name in ["TERM", "COLORTERM"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // Standard output may be read by a program; the person sits at the terminal, where errors go.
    let terminal = io::stderr().as_fd().try_clone_to_owned()?;
    match command.current_dir(step.folder).stdout(terminal).status() {
        Ok(_) => Ok(()),
        Err(error) => writeln!(screen, "cannot start `{}`: {error}", shell.display()),
    }
}
