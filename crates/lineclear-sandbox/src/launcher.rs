//! The small programs inside: the same binary, started again.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::{holder, launch};

/// The first argument that makes a program a part of a sandbox: it then calls [`main`] and nothing else.
pub const ARGUMENT: &str = "__sandbox";

pub(crate) const HOLD: &str = "hold";
pub(crate) const STEP: &str = "step";

/// How the small programs inside are started.
#[derive(Clone, Debug)]
pub struct Launcher {
    pub program: PathBuf,
    /// What stands before their own arguments.
    pub args: Vec<OsString>,
}

impl Launcher {
    /// This very program, even if its file has been replaced since. Its `main` must begin with
    /// `if std::env::args_os().nth(1).is_some_and(|a| a == ARGUMENT) { return lineclear_sandbox::main(); }`, before any thread
    /// is started: a process with threads cannot join a user namespace.
    pub fn this_program() -> Self {
        Self { program: "/proc/self/exe".into(), args: vec![ARGUMENT.into()] }
    }

    pub(crate) fn command(&self, part: &str) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args).arg(part);
        command
    }
}

/// What the small programs do. To be called by a program whose first argument is [`ARGUMENT`].
pub fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(2);
    match args.next() {
        Some(part) if part == HOLD => holder::main(),
        Some(part) if part == STEP => launch::main(args),
        _ => ExitCode::from(2),
    }
}
