//! What the tests of this crate share: an engine, a tiny image of the machine's busybox, rooms in containers.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use lineclear_backend::{
    Backend, Command, ContainerError, ContainerSpec, Containers, ContainersRequest, Exit, Happening, JobContainers,
    Layout, OpenError, Process, Remain, Room, RoomRequest, StartError, Stop, Stream, Told, Uncleaned, Wake, Workspace,
};
use lineclear_backend_container::{ContainerBackend, ContainerSettings};
use lineclear_backend_host::{HostBackend, HostSettings};
use lineclear_container_engine::{Address, Engine, Patience, Surroundings};
use lineclear_event::{JobKey, RunId};

pub const PATIENCE: Patience<'static> = Patience::of(Duration::from_secs(120));

/// The engine of this machine. These tests cannot say anything without one, so its absence is a failure.
pub fn engine() -> Engine {
    Engine::find(&Surroundings::of_this_process()).expect("a container engine: `cargo xtask component` starts one")
}

/// The name of an image with busybox and nothing else, made once for each machine.
pub fn busybox(engine: &Engine) -> String {
    static MADE: OnceLock<Mutex<Vec<String>>> = OnceLock::new();
    let name = "localhost/lineclear-test/busybox:engine-2";
    let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let address = engine.address().to_string();
    if made.contains(&address) {
        return name.into();
    }
    if engine.image(name).expect("an answer").is_none() {
        import(engine, name, &["sh", "tail"], &[]);
    }
    made.push(address);
    name.into()
}

/// Makes an image of busybox. With applets, those are the only ones; `sh` brings all.
pub fn import(engine: &Engine, name: &str, applets: &[&str], files: &[(&str, &str)]) {
    let mut archive = tar::Builder::new(Vec::new());
    let busybox = fs::read("/bin/busybox").expect("busybox-static is installed");
    let mut add = |path: &str, content: &[u8], mode: u32| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        archive.append_data(&mut header, path, content).expect("an entry");
    };
    add("bin/busybox", &busybox, 0o755);
    add("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nplain:x:1234:1234::/home:/bin/sh\n", 0o644);
    add("etc/group", b"root:x:0:\nplain:x:1234:\n", 0o644);
    for (path, content) in files {
        add(path, content.as_bytes(), 0o755);
    }
    let all = std::process::Command::new("/bin/busybox").arg("--list").output().expect("busybox runs").stdout;
    let all = String::from_utf8(all).expect("text");
    let applets: Vec<&str> = if applets.contains(&"sh") { all.lines().collect() } else { applets.to_vec() };
    for applet in applets.into_iter().filter(|applet| *applet != "busybox") {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, format!("bin/{applet}"), "busybox").expect("an entry");
    }
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o1777);
    header.set_size(0);
    archive.append_data(&mut header, "tmp", io::empty()).expect("an entry");
    let bytes = archive.into_inner().expect("an archive");
    let (repository, tag) = name.rsplit_once(':').expect("a tag");
    let changes = ["ENV PATH=/bin", "CMD [\"sh\"]"];
    engine.image_import(&mut &bytes[..], repository, tag, &changes, PATIENCE).expect("an image");
}

/// A container backend whose images are never asked for elsewhere.
pub fn containers(settings: ContainerSettings) -> ContainerBackend {
    ContainerBackend::new(settings)
}

/// A host backend with folders of its own.
pub fn host(name: &str) -> HostBackend {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("container").join(name);
    let settings = HostSettings::new(folder.join("work"), folder.join("tools"));
    HostBackend::new(settings).expect("a backend")
}

pub fn request(run: u64, job: &str) -> RoomRequest {
    RoomRequest {
        run: RunId(run),
        job: JobKey::new(job),
        repository: "widget".into(),
        workspace: Workspace::Empty,
        isolation: None,
    }
}

/// What was told.
#[derive(Debug, Default)]
pub struct Heard {
    pub lines: Mutex<Vec<String>>,
    pub images: Mutex<Vec<(String, String)>>,
}

impl Heard {
    pub fn text(&self) -> String {
        self.lines.lock().expect("lines").join("\n")
    }
}

impl Told for Heard {
    fn line(&self, text: &str) {
        self.lines.lock().expect("lines").push(text.into());
    }
    fn group(&self, title: &str) {
        self.lines.lock().expect("lines").push(format!("## {title}"));
    }
    fn progress(&self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn image(&self, name: &str, digest: &str) {
        self.images.lock().expect("images").push((name.into(), digest.into()));
    }
}

/// A job with its containers, as a runner has them.
pub struct TestJob {
    pub heard: Heard,
    // Dropped in this order: containers before folders.
    pub containers: Option<Box<dyn JobContainers>>,
    pub room: Option<Box<dyn Room>>,
    pub host: HostBackend,
}

pub struct Wanted {
    pub container: Option<ContainerSpec>,
    pub services: Vec<lineclear_backend::ServiceSpec>,
    pub socket: Option<PathBuf>,
}

impl TestJob {
    pub fn open(name: &str, backend: &ContainerBackend, wanted: &Wanted) -> Result<Self, (ContainerError, String)> {
        Self::open_until(name, backend, wanted, &|| false)
    }

    pub fn open_until(
        name: &str,
        backend: &ContainerBackend,
        wanted: &Wanted,
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, (ContainerError, String)> {
        let host = host(name);
        let room = host.open(&request(1, name)).expect("a room");
        let heard = Heard::default();
        let wake = Wake::new().expect("a bell");
        let (layout, tracking_id) = (room.layout().clone(), room.tracking_id().to_owned());
        let opened = backend.open(
            &ContainersRequest {
                run: RunId(1),
                job: &JobKey::new(name),
                tracking_id: &tracking_id,
                layout: &layout,
                container: wanted.container.clone(),
                services: wanted.services.clone(),
                engine_socket: wanted.socket.as_deref(),
                route: Arc::new(|_: &str| None),
                stop: Stop { wake: &wake, is_cancelled },
            },
            &heard,
        );
        match opened {
            Ok(containers) => Ok(Self { heard, containers: Some(containers), room: Some(room), host }),
            Err(error) => Err((error, heard.text())),
        }
    }

    pub fn containers(&self) -> &dyn JobContainers {
        self.containers.as_deref().expect("it is open")
    }

    pub fn room(&self) -> &dyn Room {
        self.containers().room().expect("a container of its own")
    }

    pub fn layout(&self) -> &Layout {
        self.room.as_ref().expect("it is open").layout()
    }

    pub fn tracking_id(&self) -> String {
        self.room.as_ref().expect("it is open").tracking_id().into()
    }

    pub fn command(&self, script: &str) -> Command {
        let room = self.room();
        Command {
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            env: room.base_env().to_vec(),
            working_directory: self.layout().workspace.clone(),
        }
    }

    /// Runs a script in the job's container.
    pub fn run(&self, script: &str) -> End {
        finish(&mut *self.room().start(&self.command(script)).expect("it starts"))
    }

    pub fn close(mut self) -> String {
        let containers = self.containers.take().expect("it is open");
        containers.close(&self.heard).expect("nothing is left");
        self.room.take().expect("it is open").close().expect("nothing is left");
        self.heard.text()
    }
}

/// How a process ended, and all it said.
#[derive(Debug)]
pub struct End {
    pub exit: Exit,
    pub stdout: String,
    pub stderr: String,
}

pub fn finish(process: &mut dyn Process) -> End {
    let wake = Wake::new().expect("a bell");
    let (mut stdout, mut stderr, mut exit, mut buffer) = (Vec::new(), Vec::new(), None, Vec::new());
    loop {
        buffer.clear();
        match process.next(&mut buffer, Some(Instant::now() + Duration::from_secs(60)), &wake).expect("a happening") {
            Happening::Output(Stream::Stdout) => stdout.extend_from_slice(&buffer),
            Happening::Output(Stream::Stderr) => stderr.extend_from_slice(&buffer),
            Happening::Exited(how) => exit = Some(how),
            Happening::Closed => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    End { exit: exit.expect("the exit is told before"), stdout: text(stdout), stderr: text(stderr) }
}

/// Everything in the engine that bears a label.
pub fn labelled(engine: &Engine, label: &str) -> usize {
    engine.containers(label).expect("an answer").len()
        + engine.networks(label).expect("an answer").len()
        + engine.volumes(label).expect("an answer").len()
        + engine.images(label).expect("an answer").len()
}

/// Rooms in containers, as a backend: each with the folders of a room of the host.
#[derive(Debug)]
pub struct ContainerRooms {
    pub host: HostBackend,
    pub containers: ContainerBackend,
    pub image: String,
}

impl ContainerRooms {
    pub fn new(name: &str, settings: ContainerSettings) -> Self {
        let engine = match &settings.engine {
            Some(address) => Engine::connect(Address::parse(address).expect("an address")).expect("an engine"),
            None => engine(),
        };
        Self { host: host(name), image: busybox(&engine), containers: containers(settings) }
    }
}

impl Backend for ContainerRooms {
    fn open(&self, request: &RoomRequest) -> Result<Box<dyn Room>, OpenError> {
        let host = self.host.open(request)?;
        let wake = Wake::new().expect("a bell");
        // The folders that these tests put links to lie outside of the container.
        let outside = std::env::temp_dir();
        let spec = ContainerSpec {
            image: self.image.clone(),
            volumes: vec![format!("{0}:{0}", outside.display())],
            ..ContainerSpec::default()
        };
        let (layout, tracking_id) = (host.layout().clone(), host.tracking_id().to_owned());
        let containers = self
            .containers
            .open(
                &ContainersRequest {
                    run: request.run,
                    job: &request.job,
                    tracking_id: &tracking_id,
                    layout: &layout,
                    container: Some(spec),
                    services: Vec::new(),
                    engine_socket: None,
                    route: Arc::new(|_: &str| None),
                    stop: Stop { wake: &wake, is_cancelled: &|| false },
                },
                &Heard::default(),
            )
            .unwrap_or_else(|error| panic!("{error}"));
        Ok(Box::new(Both { containers, host }))
    }
}

#[derive(Debug)]
struct Both {
    // Dropped in this order.
    containers: Box<dyn JobContainers>,
    host: Box<dyn Room>,
}

impl Both {
    fn inside(&self) -> &dyn Room {
        self.containers.room().expect("a container of its own")
    }
}

impl Room for Both {
    fn layout(&self) -> &Layout {
        self.inside().layout()
    }
    fn tracking_id(&self) -> &str {
        self.inside().tracking_id()
    }
    fn base_env(&self) -> &[(OsString, OsString)] {
        self.inside().base_env()
    }
    fn start(&self, command: &Command) -> Result<Box<dyn Process>, StartError> {
        self.inside().start(command)
    }
    fn seen(&self, path: &Path) -> PathBuf {
        self.inside().seen(path)
    }
    fn is_container(&self) -> bool {
        self.inside().is_container()
    }
    fn remains(&self) -> Vec<Remain> {
        self.inside().remains()
    }
    fn close(self: Box<Self>) -> io::Result<Vec<Remain>> {
        let remains = self.inside().remains();
        let Self { containers, host } = *self;
        let closed = containers.close(&Heard::default());
        host.close()?;
        closed.map_err(|error| Uncleaned { killed: remains.clone(), problem: error.to_string() })?;
        Ok(remains)
    }
}
