//! Processes started in a running container.

use serde::Deserialize;
use serde_json::json;

use crate::engine::{CALL, Engine, Request};
use crate::http::BodyKind;
use crate::{EngineError, OutputStream};

/// A process to start in a running container.
#[derive(Clone, Debug, Default)]
pub struct NewExec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// `NAME=value`, on top of the container's own.
    pub env: Vec<String>,
    /// As a path in the container; the container's own if empty.
    pub working_directory: String,
    /// The container's own if empty.
    pub user: String,
    /// With all privileges, as signalling other users' processes needs them.
    pub privileged: bool,
}

/// Where a process stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct ExecState {
    /// It has not ended; also before its start.
    #[serde(rename = "Running")]
    pub running: bool,
    /// Once it ended.
    #[serde(rename = "ExitCode")]
    pub exit_code: Option<i64>,
    /// As the engine's machine counts; 0 if it never came to life.
    #[serde(rename = "Pid", default)]
    pub pid: u32,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

impl Engine {
    /// Prepares a process, and gives its id.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if the container does not run, among others.
    pub fn exec_create(&self, container: &str, exec: &NewExec) -> Result<String, EngineError> {
        let body = json!({
            "AttachStdout": true,
            "AttachStderr": true,
            "Cmd": exec.command,
            "Env": exec.env,
            "WorkingDir": exec.working_directory,
            "User": exec.user,
            "Privileged": exec.privileged,
        });
        let request = Request::new("POST", format!("/containers/{container}/exec"), "prepare a process in a container");
        Ok(self.json::<Created>(request.json(body), CALL)?.id)
    }

    /// Starts a prepared process and gives what it writes. Its start may fail after this: what the engine then says stands in the
    /// output, and [`ExecState::pid`] is 0.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn exec_start(&self, exec: &str) -> Result<OutputStream, EngineError> {
        let request = Request::new("POST", format!("/exec/{exec}/start"), "start a process in a container")
            .json(json!({ "Detach": false, "Tty": false }));
        self.hijack(request)
    }

    /// # Errors
    /// [`EngineError`].
    pub fn exec_inspect(&self, exec: &str) -> Result<ExecState, EngineError> {
        let what = "tell of a process in a container";
        self.json(Request::new("GET", format!("/exec/{exec}/json"), what), CALL)
    }

    /// Starts a process, waits for its end, and gives its exit code and what it wrote to both streams, of which at most 16 MB are kept.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn exec_output(&self, container: &str, exec: &NewExec) -> Result<(i64, Vec<u8>), EngineError> {
        let what = "run a process in a container";
        let id = self.exec_create(container, exec)?;
        let mut stream = self.exec_start(&id)?;
        let mut output = Vec::new();
        self.drain(&mut stream, what, CALL, &mut |_, bytes| {
            if output.len() < 16 << 20 {
                output.extend_from_slice(bytes);
            }
        })?;
        let mut pause = std::time::Duration::from_millis(1);
        for _ in 0..100 {
            let state = self.exec_inspect(&id)?;
            if let (false, Some(code)) = (state.running, state.exit_code) {
                return Ok((code, output));
            }
            // Its streams are closed, and its exit is about to be known.
            std::thread::sleep(pause);
            pause = (pause * 2).min(std::time::Duration::from_millis(200));
        }
        Err(EngineError::TimedOut { what: what.into(), after: CALL.silence })
    }

    /// Sends a request that turns its connection into a stream of output.
    pub(crate) fn hijack(&self, request: Request<'_>) -> Result<OutputStream, EngineError> {
        let what = request.what.clone();
        let request = request.header("Connection", "Upgrade".into()).header("Upgrade", "tcp".into());
        let answer = self.send(request, CALL)?;
        let mut answer = self.checked(answer)?;
        match (answer.kind, answer.connection.take()) {
            (BodyKind::Upgraded, Some(connection)) => Ok(OutputStream::new(connection)),
            _ => Err(EngineError::Answer { what, problem: "it is no stream".into() }),
        }
    }
}
