//! Doors to the machine's real engine, and real clients in front of them.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lineclear_backend::{Credentials, DoorRequest, EngineDoor, EngineDoors, ImagesTold, JobNetwork, Layout, Told};
use lineclear_engine_door::{Doors, EngineAddress, Settings};
use lineclear_event::{ImageFact, JobKey, RunId};
use tempfile::TempDir;

/// The engine's own socket.
pub(crate) fn engine() -> EngineAddress {
    lineclear_testkit::images::ensure_engine();
    EngineAddress::Unix(PathBuf::from("/var/run/docker.sock"))
}

pub(crate) fn settings() -> Settings {
    Settings::new(engine(), format!("door-test-{}", std::process::id()))
}

/// A job's loopback: an address of the machine's loopback that no other job has.
#[derive(Debug)]
pub(crate) struct Loopback(pub(crate) Ipv4Addr);

impl Loopback {
    pub(crate) fn new() -> Arc<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let [.., high, low] = std::process::id().to_be_bytes();
        Arc::new(Self(Ipv4Addr::new(127, high | 0x80, low, NEXT.fetch_add(1, Ordering::Relaxed))))
    }
}

impl JobNetwork for Loopback {
    fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        if address.is_ipv6() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        TcpListener::bind((self.0, address.port()))
    }

    fn forward(&self, _: SocketAddr, _: SocketAddr) -> io::Result<()> {
        Err(io::Error::other("a door listens itself"))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Images(pub(crate) Mutex<Vec<ImageFact>>);

impl ImagesTold for Images {
    fn image(&self, fact: ImageFact) {
        self.0.lock().expect("no test panics with it").push(fact);
    }
}

/// What a door tells at its end.
#[derive(Debug, Default)]
pub(crate) struct Log(pub(crate) Mutex<String>);

impl Told for Log {
    fn line(&self, text: &str) {
        self.0.lock().expect("no test panics with it").push_str(&format!("{text}\n"));
    }
    fn group(&self, title: &str) {
        self.0.lock().expect("no test panics with it").push_str(&format!("# {title}\n"));
    }
    fn progress(&self, _: &str, _: u64, _: Option<u64>) {}
    fn image(&self, _: &str, _: &str) {}
}

/// How a job is made.
#[derive(Default)]
pub(crate) struct With {
    pub(crate) network: Option<Arc<Loopback>>,
    pub(crate) is_confined: bool,
    pub(crate) registry: Option<Credentials>,
    pub(crate) run: u64,
}

/// A job with an open door. Dropped, the door is closed with it.
pub(crate) struct Job {
    pub(crate) folder: TempDir,
    pub(crate) id: String,
    pub(crate) images: Arc<Images>,
    pub(crate) door: Option<Box<dyn EngineDoor>>,
}

impl Job {
    pub(crate) fn open() -> Self {
        Self::with(settings(), With::default())
    }

    pub(crate) fn with(settings: Settings, with: With) -> Self {
        Self::of(&Doors::new(settings), with)
    }

    pub(crate) fn of(doors: &Doors, with: With) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let id = format!("door-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let within = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).expect("a folder");
            path
        };
        let layout = Layout {
            workspace: within("work"),
            temp: within("temp"),
            scratch: within("scratch"),
            actions: within("actions"),
            tool_cache: within("tools"),
        };
        let images = Arc::new(Images::default());
        let request = DoorRequest {
            run: RunId(with.run),
            job: &JobKey::new("job"),
            tracking_id: &id,
            folder: folder.path(),
            layout: &layout,
            seen: &[],
            is_confined: with.is_confined,
            network: with.network.map(|network| network as Arc<dyn JobNetwork>),
            registry: with.registry.as_ref(),
            images: Some(Arc::clone(&images) as Arc<dyn ImagesTold>),
        };
        let door = doors.open(&request).expect("the door opens").expect("there is an engine");
        Self { folder, id, images, door: Some(door) }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn socket(&self) -> &Path {
        self.door.as_ref().expect("the door is open").socket()
    }

    /// A client in a step of this job.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.work()).stdin(Stdio::null());
        command.env("DOCKER_HOST", format!("unix://{}", self.socket().display()));
        command
            .env("DOCKER_CONFIG", self.folder.path().join("docker"))
            .env("BUILDX_CONFIG", self.folder.path().join("buildx"));
        command.env("COMPOSE_PROGRESS", "plain");
        command
    }

    pub(crate) fn try_docker(&self, args: &[&str]) -> Output {
        self.command("docker").args(args).output().expect("docker starts")
    }

    /// What `docker` says, which has to succeed.
    pub(crate) fn docker(&self, args: &[&str]) -> String {
        let output = self.try_docker(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`docker {}` in {}: {errors}", args.join(" "), self.id);
        String::from_utf8(output.stdout).expect("docker speaks UTF-8").trim().to_owned()
    }

    /// What `docker` says when it fails, which it has to.
    pub(crate) fn docker_fails(&self, args: &[&str]) -> String {
        let output = self.try_docker(args);
        assert!(!output.status.success(), "`docker {}`: {}", args.join(" "), String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }

    /// Closes the door; gives what was told.
    pub(crate) fn close(&mut self) -> String {
        let log = Log::default();
        self.door.take().expect("the door is open").close(&log).expect("nothing is left");
        log.0.into_inner().expect("no test panics with it")
    }
}

/// What the engine has of a job, asked around the door.
pub(crate) fn left(job: &str) -> String {
    let label = format!("label=org.lineclear.job={job}");
    let mut left = String::new();
    for args in [["ps", "-aq"].as_slice(), &["network", "ls", "-q"], &["volume", "ls", "-q"]] {
        let args: Vec<&str> = args.iter().copied().chain(["--filter", &label]).collect();
        left.push_str(&lineclear_testkit::images::docker(&args));
    }
    left
}

/// Looks until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
