//! The guard: a small process that removes containers if this one is killed.
//!
//! It is the same program started again with a hidden first argument. Its standard input is a pipe that nobody writes to: when
//! this process ends, however it ends, the pipe closes, and the guard removes what still bears this process's mark in the
//! engine. After an end in good order that is nothing.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lineclear_backend::{Owner, labels};
use lineclear_container_engine::{Address, Engine};
use rustix::event::{PollFd, PollFlags, poll};

use crate::{GuardProgram, remove};

/// The first argument that makes a program a guard: it then calls [`main`] and nothing else.
pub const ARGUMENT: &str = "__container-guard";

/// How long the guard tries to remove what does not go.
const TIME: Duration = Duration::from_secs(120);

/// This process's hold on its guard. Dropped, it lets the guard go.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    started: Mutex<Option<Result<Started, String>>>,
}

#[derive(Debug)]
struct Started {
    child: Child,
    /// Closed by the system when this process ends.
    lifeline: Option<io::PipeWriter>,
}

impl Guard {
    /// Starts the guard, unless it was started.
    pub(crate) fn begin(&self, program: Option<&GuardProgram>, engine: &Engine, owner: &Owner) {
        let Some(program) = program else { return };
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if started.is_none() {
            *started = Some(start(program, engine, owner).map_err(|error| error.to_string()));
        }
    }

    /// Why there is no guard, where one was asked for.
    pub(crate) fn problem(&self) -> Option<String> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.as_ref().err().cloned()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let started = self.started.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(started)) = started {
            drop(started.lifeline.take());
            // It ends by itself now. This process, which is likely about to end too, waits a moment only.
            for _ in 0..20 {
                if !matches!(started.child.try_wait(), Ok(None)) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn start(program: &GuardProgram, engine: &Engine, owner: &Owner) -> io::Result<Started> {
    let (end, lifeline) = io::pipe()?;
    let mut command = std::process::Command::new(&program.program);
    command
        .args(&program.args)
        .args([engine.address().to_string(), owner.write()])
        // In its own process group it hears neither Ctrl-C nor a kill of this process's group.
        .process_group(0)
        .current_dir("/")
        .stdin(end)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = (program.spawn)(&mut command)?;
    Ok(Started { child, lifeline: Some(lifeline) })
}

/// What a guard does: waits for the end of the process that started it, and removes what that left in the engine.
///
/// To be called by a program whose first argument is [`ARGUMENT`].
pub fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(2).map(|arg| arg.into_string().unwrap_or_default());
    let (Some(address), Some(owner)) = (args.next(), args.next()) else { return ExitCode::from(2) };
    let (Ok(address), Some(owner)) = (Address::parse(&address), Owner::parse(&owner)) else { return ExitCode::from(2) };
    wait_for_end_of_input();
    let label = format!("{}={}", labels::OWNER, owner.write());
    let until = Instant::now() + TIME;
    // What was being made when its owner was killed may appear after a first look.
    let mut quiet = 0;
    while Instant::now() < until {
        let done = Engine::connect(address.clone()).and_then(|engine| {
            let removed = remove::labelled(&engine, &label)?;
            Ok(removed.is_empty() && remove::look(&engine, &label)?.is_empty())
        });
        quiet = if matches!(done, Ok(true)) { quiet + 1 } else { 0 };
        if quiet == 2 {
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(Duration::from_millis(if quiet == 1 { 300 } else { 100 }));
    }
    ExitCode::FAILURE
}

/// Nothing is ever written there; only its end is waited for.
fn wait_for_end_of_input() {
    let input = io::stdin();
    loop {
        let mut source = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::empty())];
        match poll(&mut source, None) {
            Ok(_) if !source[0].revents().is_empty() => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
