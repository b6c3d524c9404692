//! What a user may set about containers.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command};

/// How containers are made. `ContainerSettings::default()` finds everything by itself and has no guard.
#[derive(Clone, Debug, Default)]
pub struct ContainerSettings {
    /// The engine's address in the form of `DOCKER_HOST`: `unix:///run/podman/podman.sock`. `None`: found by itself.
    pub engine: Option<String>,
    /// A file of CA certificates (PEM) of this machine that every container is to trust.
    pub trust_bundle: Option<PathBuf>,
    /// When images are pulled.
    pub pull: Pull,
    /// Node on this machine, mounted into job containers whose image has none. `None`: what is found on the `PATH`.
    pub node: Option<PathBuf>,
    /// Removes containers if this process is killed. `None`: no guard.
    pub guard: Option<GuardProgram>,
    /// How processes in containers are found and signalled.
    pub processes: ProcessAccess,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pull {
    /// If the engine does not have it.
    #[default]
    Missing,
    /// Once in the life of this process, as the hosted runner does for every job. What the engine has is used when
    /// its registry cannot be reached.
    Always,
    /// Never: an image that is not there is an error.
    Never,
}

/// How processes in containers are found and signalled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProcessAccess {
    /// By this machine's process table where it shows them and they may be signalled, else by a script.
    #[default]
    Best,
    /// By a script that is started in the container.
    Script,
}

/// How a guard is started.
#[derive(Clone, Debug)]
pub struct GuardProgram {
    /// The program.
    pub program: PathBuf,
    /// What stands before the guard's own arguments.
    pub args: Vec<OsString>,
    /// Starts it. A program that adopts orphans, and so must tell its own children from strangers, has a way of its own.
    pub spawn: fn(&mut Command) -> io::Result<Child>,
}

impl GuardProgram {
    /// This very program, even if its file has been replaced since. Its `main` must begin with
    /// `if std::env::args_os().nth(1).is_some_and(|a| a == guard::ARGUMENT) { return guard::main(); }`.
    pub fn this_program() -> Self {
        Self { program: "/proc/self/exe".into(), args: vec![crate::guard::ARGUMENT.into()], spawn: Command::spawn }
    }
}
