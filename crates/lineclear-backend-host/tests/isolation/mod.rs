//! Isolated rooms for tests, and what the two test files about them share.

#![allow(dead_code, reason = "each test file needs a part of it")]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lineclear_backend::{
    Backend, Command, Exit, Happening, Isolation, IsolationPart, NetworkAccess, OpenError, ResourceLimits, Room,
    RoomRequest, Stream, Wake, Workspace,
};
use lineclear_backend_host::{HostBackend, HostSettings, Launcher};
use lineclear_event::{JobKey, RunId};

/// A backend whose rooms are isolated, whatever is asked for.
#[derive(Debug)]
pub(crate) struct Isolated {
    inner: HostBackend,
    isolation: Isolation,
    checked: bool,
    _folder: Folder,
}

impl Isolated {
    pub(crate) fn new(name: &str) -> Self {
        let limits = ResourceLimits { processes: Some(2000), memory: Some(4 << 30), ..ResourceLimits::default() };
        let isolation = Isolation { network: NetworkAccess::Loopback, limits, ..Isolation::default() };
        Self::with(name, isolation, |_| ())
    }

    pub(crate) fn with(name: &str, isolation: Isolation, change: impl FnOnce(&mut HostSettings)) -> Self {
        Self { checked: true, ..Self::unchecked(name, isolation, change) }
    }

    /// One whose rooms may lack something.
    pub(crate) fn unchecked(name: &str, isolation: Isolation, change: impl FnOnce(&mut HostSettings)) -> Self {
        let folder = Folder::new(name);
        let mut settings = HostSettings::new(folder.0.join("work"), folder.0.join("tools"));
        settings.sandbox.launcher = Some(launcher());
        change(&mut settings);
        let inner = HostBackend::new(settings).expect("a backend");
        Self { inner, isolation, checked: false, _folder: folder }
    }

    pub(crate) fn inner(&self) -> &HostBackend {
        &self.inner
    }

    pub(crate) fn room(&self) -> Box<dyn Room> {
        self.try_room().expect("a room")
    }

    pub(crate) fn try_room(&self) -> Result<Box<dyn Room>, OpenError> {
        static RUNS: AtomicU64 = AtomicU64::new(1);
        self.open(&RoomRequest {
            run: RunId(RUNS.fetch_add(1, Ordering::Relaxed)),
            job: JobKey::new("job"),
            repository: "widget".into(),
            workspace: Workspace::Empty,
            isolation: None,
        })
    }
}

impl Backend for Isolated {
    fn open(&self, request: &RoomRequest) -> Result<Box<dyn Room>, OpenError> {
        let request = RoomRequest { isolation: Some(self.isolation.clone()), ..request.clone() };
        let room = self.inner.open(&request)?;
        for part in room.enforcement() {
            // A test that could not isolate would prove nothing. What only root may set is left to root.
            let for_root = matches!(part.what, IsolationPart::Processors | IsolationPart::Memory);
            let excused = for_root && !rustix::process::geteuid().is_root();
            assert!(!self.checked || part.how.is_ok() || excused, "{part}");
        }
        Ok(room)
    }
}

pub(crate) fn launcher() -> Launcher {
    // Another user runs these tests from another place.
    let program = std::env::var_os("LINECLEAR_TEST_LAUNCHER")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_sandbox-launcher")), PathBuf::from);
    Launcher { program, args: vec![lineclear_sandbox::ARGUMENT.into()] }
}

/// A folder of a test's own, which every user may enter. Removed after it.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static FOLDERS: AtomicU64 = AtomicU64::new(1);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let base = std::env::var_os("LINECLEAR_TEST_FOLDER")
            .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
        let path = base.join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that failed has more to say than this.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How a step ended, and what it said on both streams.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) exit: Exit,
    pub(crate) text: String,
    pub(crate) took: Duration,
}

pub(crate) fn sh(room: &dyn Room, script: &str) -> Command {
    let mut env: Vec<(OsString, OsString)> =
        room.base_env().iter().filter(|(name, _)| !name.to_string_lossy().starts_with("CARGO")).cloned().collect();
    env.push(("RUNNER_TRACKING_ID".into(), room.tracking_id().into()));
    Command {
        program: "bash".into(),
        args: vec!["-c".into(), script.into()],
        env,
        working_directory: room.layout().workspace.clone(),
    }
}

pub(crate) fn run(room: &dyn Room, script: &str) -> End {
    finish(room, &sh(room, script))
}

pub(crate) fn finish(room: &dyn Room, command: &Command) -> End {
    let begun = Instant::now();
    let mut process = room.start(command).expect("it starts");
    let wake = Wake::new().expect("a bell");
    let (mut text, mut exit, mut buffer) = (Vec::new(), None, Vec::new());
    loop {
        buffer.clear();
        let until = Some(begun + Duration::from_secs(60));
        match process.next(&mut buffer, until, &wake).expect("a happening") {
            Happening::Output(Stream::Stdout | Stream::Stderr) => text.extend_from_slice(&buffer),
            Happening::Exited(how) => exit = Some(how),
            Happening::Closed => break,
            other => panic!("unexpected: {other:?}, after {}", String::from_utf8_lossy(&text)),
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    End { exit: exit.expect("the exit is told before"), text, took: begun.elapsed() }
}

pub(crate) fn ok(room: &dyn Room, script: &str) -> String {
    let end = run(room, script);
    assert_eq!(end.exit, Exit::Code(0), "{script}\n{}", end.text);
    end.text
}

pub(crate) fn isolation(network: &str) -> Isolation {
    Isolation { network: network.parse().expect("a network"), ..Isolation::default() }
}

pub(crate) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
