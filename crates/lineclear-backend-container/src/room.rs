//! The room of a job that has a container of its own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_backend::{Command, Layout, Process, Remain, Room, StartError};
use lineclear_container_engine::{Engine, NewExec};

use crate::mounts::PathMap;
use crate::process_table::{MARK, Processes, remain};
use crate::start_error::shown;
use crate::step::{self, StepStart};

/// Steps are started in the container, with its paths. The folders are the host room's: this one removes none.
#[derive(Clone, Debug)]
pub(crate) struct ContainerRoom {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    container: String,
    layout: Layout,
    map: PathMap,
    tracking_id: String,
    base_env: Vec<(OsString, OsString)>,
    processes: Arc<Processes>,
    /// Steps run as somebody who may not write what Lineclear makes.
    is_stranger: bool,
}

/// What a room is made of.
#[derive(Debug)]
pub(crate) struct RoomParts {
    pub(crate) engine: Engine,
    pub(crate) container: String,
    pub(crate) layout: Layout,
    pub(crate) map: PathMap,
    pub(crate) tracking_id: String,
    /// `NAME=value`, as the container was made with.
    pub(crate) env: Vec<String>,
    pub(crate) processes: Processes,
    pub(crate) is_stranger: bool,
}

impl ContainerRoom {
    pub(crate) fn new(parts: RoomParts) -> Self {
        let RoomParts { engine, container, layout, map, tracking_id, env, processes, is_stranger } = parts;
        let base_env = env
            .iter()
            .filter_map(|entry| entry.split_once('='))
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        let processes = Arc::new(processes);
        let inner = Inner { engine, container, layout, map, tracking_id, base_env, processes, is_stranger };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn kill_all(&self) -> Vec<Remain> {
        self.inner.processes.kill_all()
    }

    /// A working directory as the caller means it, and as the container calls it.
    fn exec(&self, command: &Command, mark: &str) -> Result<NewExec, StartError> {
        let inner = &self.inner;
        let text = |text: &std::ffi::OsStr| {
            text.to_str().map(str::to_owned).ok_or_else(|| StartError::Io {
                program: shown(&command.program),
                source: io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("`{}` is no UTF-8, which the container engine needs", text.to_string_lossy()),
                ),
            })
        };
        let program = Path::new(&command.program);
        let program =
            if program.is_absolute() { inner.map.seen(program).into_os_string() } else { command.program.clone() };
        let mut words = vec![text(&program)?];
        for arg in &command.args {
            words.push(text(arg)?);
        }
        let mut env: Vec<String> = Vec::new();
        for (index, (name, value)) in command.env.iter().enumerate() {
            // Of a name that is there twice, the last counts.
            if command.env[index + 1..].iter().any(|(later, _)| later == name) {
                continue;
            }
            env.push(format!("{}={}", text(name)?, text(&inner.map.value(name, value))?));
        }
        env.push(format!("{MARK}={mark}"));
        Ok(NewExec {
            command: words,
            env,
            working_directory: text(inner.map.seen(&command.working_directory).as_os_str())?,
            ..NewExec::default()
        })
    }

    /// What a path that a process would use is on this machine.
    fn on_host(&self, path: &Path) -> Option<PathBuf> {
        let inner = &self.inner;
        inner.map.on_host(path).or_else(|| (inner.map.seen(path) != path).then(|| path.to_owned()))
    }

    /// Lets a user of the container that is not Lineclear's own write the files of a step's commands.
    fn open_up(&self) {
        if !self.inner.is_stranger {
            return;
        }
        let Ok(files) = fs::read_dir(&self.inner.layout.scratch) else { return };
        for file in files.flatten() {
            // Beside our own files, what a step put there is its own matter.
            let _ = file.metadata().and_then(|metadata| {
                let mode = if metadata.is_dir() { 0o777 } else { metadata.permissions().mode() & 0o777 | 0o666 };
                fs::set_permissions(file.path(), fs::Permissions::from_mode(mode))
            });
        }
    }
}

impl Room for ContainerRoom {
    fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    fn tracking_id(&self) -> &str {
        &self.inner.tracking_id
    }

    fn base_env(&self) -> &[(OsString, OsString)] {
        &self.inner.base_env
    }

    fn start(&self, command: &Command) -> Result<Box<dyn Process>, StartError> {
        self.open_up();
        let inner = &self.inner;
        let mark = inner.processes.begin();
        let exec = self.exec(command, &mark.text).inspect_err(|_| mark.ended())?;
        let (engine, container, on_host) = (&inner.engine, inner.container.as_str(), &|path: &Path| self.on_host(path));
        Ok(Box::new(step::start(StepStart { engine, container, command, exec, mark, on_host })?))
    }

    fn seen(&self, path: &Path) -> PathBuf {
        self.inner.map.seen(path)
    }

    fn is_container(&self) -> bool {
        true
    }

    fn remains(&self) -> Vec<Remain> {
        self.inner.processes.alive().iter().map(remain).collect()
    }

    fn close(self: Box<Self>) -> io::Result<Vec<Remain>> {
        Ok(self.kill_all())
    }
}
