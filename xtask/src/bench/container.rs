//! Row 22: what a container costs a job, beside the engine itself.
//!
//! Measured in this process, through the same ports that a run uses: a step in a running container against the bare calls of the
//! engine's API for the same command, and a job's container from nothing to nothing against `docker run --rm`.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lineclear_backend::{
    Backend, Command, ContainerSpec, Containers, ContainersRequest, Happening, JobContainers, Process, Room,
    RoomRequest, Stop, Told, Wake, Workspace,
};
use lineclear_backend_container::{ContainerBackend, ContainerSettings};
use lineclear_backend_host::{HostBackend, HostSettings};
use lineclear_container_engine::{Address, Engine, Surroundings};
use lineclear_event::{JobKey, RunId};
use serde_json::Value;

/// What is told while containers are made is nobody's here.
struct Unheard;

impl Told for Unheard {
    fn line(&self, _: &str) {}
    fn group(&self, _: &str) {}
    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}
    fn image(&self, _: &str, _: &str) {}
}

/// A job with a container of its own.
struct Job {
    containers: Box<dyn JobContainers>,
    room: Box<dyn Room>,
}

/// Everything that is measured with.
struct Bench {
    host: HostBackend,
    containers: ContainerBackend,
    image: String,
    socket: PathBuf,
}

/// The rows of this table, as text.
pub fn rows(place: &Path, rounds: usize) -> Result<String> {
    let engine = Engine::find(&Surroundings::of_this_process())?;
    let Address::Unix(socket) = engine.address().clone() else { bail!("the engine's socket is needed") };
    let bench = Bench {
        host: HostBackend::new(HostSettings::new(place.join("container/work"), place.join("container/tools")))?,
        containers: ContainerBackend::new(ContainerSettings::default()),
        image: lineclear_testkit::images::busybox().into(),
        socket,
    };
    let mut rows = String::new();
    let job = bench.open()?;
    let container = job.containers.facts().container.clone().context("a container of its own")?;
    let mut api = Api::open(&bench.socket)?;
    let (own, other) = in_turns(rounds * 3, || step(&job), || api.exec(&container))?;
    rows.push_str(&row("a step in a running container", own, other, "the engine's exec calls", 1.15));
    bench.close(job)?;
    let docker = || {
        let ran = Program::new("docker").args(["run", "--rm", &bench.image, "true"]).output()?;
        ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        Ok(())
    };
    let (own, other) = in_turns(rounds, || bench.open().and_then(|job| bench.close(job)), docker)?;
    rows.push_str(&row("a job's container, made and removed", own, other, "`docker run --rm`", 1.2));
    Ok(rows)
}

/// The medians of both, run in turns after one round of warming up.
fn in_turns(
    rounds: usize,
    mut own: impl FnMut() -> Result<()>,
    mut other: impl FnMut() -> Result<()>,
) -> Result<(Duration, Duration)> {
    let (mut owns, mut others) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let begun = Instant::now();
        own()?;
        let between = Instant::now();
        other()?;
        if round > 0 {
            owns.push(between - begun);
            others.push(between.elapsed());
        }
    }
    owns.sort();
    others.sort();
    Ok((owns[owns.len() / 2], others[others.len() / 2]))
}

fn row(what: &str, own: Duration, other: Duration, other_name: &str, limit: f64) -> String {
    let ratio = own.as_secs_f64() / other.as_secs_f64();
    let verdict = if ratio <= limit { "met" } else { "**missed**" };
    let shown = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    format!("| 22 | {what} | {} | {} ({other_name}) | {ratio:.2} | ≤ {limit} | {verdict} |\n", shown(own), shown(other))
}

impl Bench {
    fn open(&self) -> Result<Job> {
        let request = RoomRequest {
            run: RunId(1),
            job: JobKey::new("bench"),
            repository: "bench".into(),
            workspace: Workspace::Empty,
            isolation: None,
        };
        let room = self.host.open(&request)?;
        let wake = Wake::new()?;
        let containers = self.containers.open(
            &ContainersRequest {
                run: request.run,
                job: &request.job,
                tracking_id: room.tracking_id(),
                layout: room.layout(),
                container: Some(ContainerSpec { image: self.image.clone(), ..ContainerSpec::default() }),
                services: Vec::new(),
                engine_socket: None,
                route: Arc::new(|_: &str| None),
                stop: Stop { wake: &wake, is_cancelled: &|| false },
            },
            &Unheard,
        )?;
        Ok(Job { containers, room })
    }

    fn close(&self, job: Job) -> Result<()> {
        job.containers.close(&Unheard)?;
        job.room.close()?;
        Ok(())
    }
}

/// A step as the runner starts one, to its end.
fn step(job: &Job) -> Result<()> {
    let room = job.containers.room().context("a container of its own")?;
    let command = Command {
        program: "true".into(),
        args: Vec::new(),
        env: room.base_env().to_vec(),
        working_directory: room.layout().workspace.clone(),
    };
    let mut process: Box<dyn Process> = room.start(&command)?;
    let (wake, mut buffer) = (Wake::new()?, Vec::new());
    while process.next(&mut buffer, None, &wake)? != Happening::Closed {}
    Ok(())
}

/// The engine's API with nothing around it.
struct Api {
    socket: PathBuf,
    connection: UnixStream,
}

impl Api {
    fn open(socket: &Path) -> Result<Self> {
        Ok(Self { socket: socket.into(), connection: UnixStream::connect(socket)? })
    }

    fn exec(&mut self, container: &str) -> Result<()> {
        let body = r#"{"AttachStdout":true,"AttachStderr":true,"Cmd":["true"]}"#;
        let created = self.call("POST", &format!("/containers/{container}/exec"), body)?;
        let id = created["Id"].as_str().context("an id")?.to_owned();
        let mut stream = UnixStream::connect(&self.socket)?;
        let start = r#"{"Detach":false,"Tty":false}"#;
        write!(
            stream,
            "POST /v1.41/exec/{id}/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{start}",
            start.len()
        )?;
        stream.read_to_end(&mut Vec::new())?;
        while self.call("GET", &format!("/exec/{id}/json"), "")?["Running"] == true {}
        Ok(())
    }

    fn call(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        write!(
            self.connection,
            "{method} /v1.41{path} HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut said = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let count = self.connection.read(&mut piece)?;
            ensure!(count > 0, "the engine hung up");
            said.extend_from_slice(&piece[..count]);
            let text = String::from_utf8_lossy(&said);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).context("a length")?;
            if body.len() >= length.parse()? {
                return Ok(serde_json::from_str(body)?);
            }
        }
    }
}
