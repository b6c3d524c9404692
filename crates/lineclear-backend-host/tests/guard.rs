//! Nothing is left of a Lineclear that was killed: no process and no folder, at whatever moment it was.
//!
//! This program plays all parts: the one that is killed, its guard, and the one who looks.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use lineclear_backend::{Backend, Command, Happening, Room, RoomRequest, Wake, Workspace};
use lineclear_backend_host::{GuardProgram, HostBackend, HostSettings, guard, sweep};
use lineclear_event::{JobKey, RunId};

/// Without its job's sign, and with its parent gone, it is known by its process group only. That a group is there the guard
/// learns a moment after the step began, and no process can tell it sooner: so this is looked at in a moment of rest.
const SIGNLESS: &str = "env -i sleep MARK > /dev/null 2>&1 & exit 0";

/// How long the guard may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The ways in which steps try to escape. `MARK` stands for a number by which their processes are known.
const ESCAPES: [&str; 6] = [
    "sleep MARK",
    "trap '' INT TERM HUP; sleep MARK; sleep MARK",
    "(setsid sh -c \"trap '' INT TERM HUP; sleep MARK\" > /dev/null 2>&1 &) ; exit 0",
    "nohup sleep MARK > /dev/null 2>&1 &",
    "env -i setsid sleep MARK & wait",
    "for i in 1 2 3 4 5 6 7 8 9; do (setsid sleep MARK > /dev/null 2>&1 &) ; sleep MARK & sleep 0.001; done; wait",
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some(first) if first == guard::ARGUMENT => return guard::main(),
        Some("victim") => victim(Path::new(&args[2]), &args[3], &args[4]),
        // What `cargo test` passes on: a filter or an option for a harness.
        _ => {}
    }
    killed_at_any_moment_nothing_is_left();
    a_process_without_a_sign_of_its_job_is_known_by_its_group();
    a_guard_that_is_no_longer_needed_goes();
    an_orderly_end_leaves_nothing();
    an_exit_without_cleaning_up_leaves_nothing();
    what_is_left_if_the_guard_is_killed_too_is_swept();
    ExitCode::SUCCESS
}

fn killed_at_any_moment_nothing_is_left() {
    for round in 0..60_u64 {
        let stage = Stage::new(&format!("{round}"));
        let mut victim = stage.start("run");
        // Times that lie close at the beginning, where most happens.
        thread::sleep(Duration::from_micros((round * 7919) % 61 * round * 40));
        kill(&mut victim);
        stage.assert_nothing_left(&format!("round {round}"));
    }
}

fn a_process_without_a_sign_of_its_job_is_known_by_its_group() {
    for round in 0..5 {
        let stage = Stage::new(&format!("signless-{round}"));
        let mut victim = stage.start("signless");
        let begun = Instant::now();
        while find(&stage.mark).len() < 3 {
            assert!(begun.elapsed() < PATIENCE, "no steps start");
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(20));
        kill(&mut victim);
        stage.assert_nothing_left("signless");
    }
}

fn a_guard_that_is_no_longer_needed_goes() {
    let stage = Stage::new("orderly-guard");
    let mut victim = stage.start("end");
    let status = victim.wait().expect("it ends");
    assert!(status.success());
    let begun = Instant::now();
    while count(&stage.guard_mark(victim.id())) > 0 {
        assert!(begun.elapsed() < PATIENCE, "the guard outlives a process that ended in order");
        thread::sleep(Duration::from_millis(1));
    }
}

fn an_orderly_end_leaves_nothing() {
    let stage = Stage::new("orderly");
    let mut victim = stage.start("end");
    assert!(victim.wait().expect("it ends").success());
    assert_eq!(stage.left(), [""; 0], "at once, and not by the guard");
}

fn an_exit_without_cleaning_up_leaves_nothing() {
    let stage = Stage::new("exit");
    let mut victim = stage.start("exit");
    assert_eq!(victim.wait().expect("it ends").code(), Some(7));
    stage.assert_nothing_left("exit");
}

fn what_is_left_if_the_guard_is_killed_too_is_swept() {
    let stage = Stage::new("swept");
    let mut victim = stage.start("run");
    stage.wait_for_steps();
    let live = sweep(&stage.work());
    assert!(
        !live.iter().any(|folder| folder.starts_with(stage.work())),
        "what a living process uses was swept: {live:?}"
    );
    let guards = find(&stage.guard_mark(victim.id()));
    assert_eq!(guards.len(), 1);
    for guard in guards {
        signal(guard, "KILL");
    }
    kill(&mut victim);
    thread::sleep(Duration::from_millis(100));
    assert!(!stage.left().is_empty(), "nobody is there to clean up");
    let swept = sweep(&stage.work());
    // The one in memory is swept by whichever Lineclear of this user starts next, which need not be this test.
    assert!(swept.iter().any(|folder| folder.starts_with(stage.work())), "the folder of the run: {swept:?}");
    for pid in find(&stage.mark) {
        signal(pid, "KILL");
    }
    stage.assert_nothing_left("swept");
}

// ---- The one that is killed ----

fn victim(folder: &Path, mark: &str, how: &str) -> ! {
    let settings = HostSettings::new(folder.join("work"), folder.join("tools"))
        .with_guard(GuardProgram { program: "/proc/self/exe".into(), args: vec![guard::ARGUMENT.into()] });
    let backend = Arc::new(HostBackend::new(settings).expect("a backend"));
    if how == "signless" {
        let room = open(&*backend, "signless");
        for _ in 0..3 {
            let mut process = room.start(&command(&*room, &SIGNLESS.replace("MARK", mark))).expect("a step");
            let wake = Wake::new().expect("a bell");
            while process.next(&mut Vec::new(), None, &wake).expect("a happening") != Happening::Closed {}
        }
        thread::sleep(PATIENCE);
    }
    let jobs: Vec<_> = (0..2)
        .map(|thread| {
            let (backend, mark, endless) = (Arc::clone(&backend), mark.to_owned(), how == "run");
            thread::spawn(move || {
                let mut round = 0;
                while endless || round < 3 {
                    job(&*backend, &format!("job {thread} {round}"), &mark);
                    round += 1;
                }
            })
        })
        .collect();
    if how == "exit" {
        while count(mark) < 4 {
            thread::sleep(Duration::from_millis(1));
        }
        std::process::exit(7);
    }
    for job in jobs {
        job.join().expect("a job");
    }
    assert_eq!(backend.guard_problem(), None);
    drop(backend);
    std::process::exit(0);
}

/// A job whose steps all leave something behind.
fn job(backend: &dyn Backend, key: &str, mark: &str) {
    let request = RoomRequest {
        run: RunId(1),
        job: JobKey::new(key),
        repository: "widget".into(),
        workspace: Workspace::Empty,
        isolation: None,
    };
    let room = backend.open(&request).expect("a room");
    for (number, script) in ESCAPES.iter().enumerate() {
        let script = format!("echo > file-{number}; {}", script.replace("MARK", mark));
        let mut process = room.start(&command(&*room, &script)).expect("a step");
        let (wake, mut buffer) = (Wake::new().expect("a bell"), Vec::new());
        let until = Instant::now() + Duration::from_millis(5);
        loop {
            match process.next(&mut buffer, Some(until), &wake).expect("a happening") {
                Happening::Deadline | Happening::Closed => break,
                _ => {}
            }
        }
        if number % 2 == 0 {
            // As if it still ran: its end is never asked for.
            std::mem::forget(process);
        }
    }
    room.close().expect("closed");
}

fn open(backend: &dyn Backend, key: &str) -> Box<dyn Room> {
    let request = RoomRequest {
        run: RunId(1),
        job: JobKey::new(key),
        repository: "widget".into(),
        workspace: Workspace::Empty,
        isolation: None,
    };
    backend.open(&request).expect("a room")
}

fn command(room: &dyn Room, script: &str) -> Command {
    let mut env: Vec<(OsString, OsString)> = room.base_env().to_vec();
    env.push(("RUNNER_TRACKING_ID".into(), room.tracking_id().into()));
    Command {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        env,
        working_directory: room.layout().workspace.clone(),
    }
}

// ---- The one who looks ----

struct Stage {
    folder: PathBuf,
    /// A number of seconds that nobody else sleeps.
    mark: String,
}

impl Stage {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guard-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let number = name.bytes().fold(17_u64, |hash, byte| (hash * 31 + u64::from(byte)) % 1_000_000);
        Self { folder, mark: format!("7{}{number:06}", std::process::id()) }
    }

    fn start(&self, how: &str) -> Child {
        std::process::Command::new("/proc/self/exe")
            .args(["victim".as_ref(), self.folder.as_os_str(), self.mark.as_ref(), how.as_ref()])
            .stdin(Stdio::null())
            .spawn()
            .expect("it starts")
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// What the guard of a process is known by.
    fn guard_mark(&self, pid: u32) -> String {
        format!("lineclear {pid} ")
    }

    fn wait_for_steps(&self) {
        let begun = Instant::now();
        while find(&self.mark).len() < 6 {
            assert!(begun.elapsed() < PATIENCE, "no steps start");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Folders of runs, in the work folder.
    fn left(&self) -> Vec<String> {
        let Ok(items) = fs::read_dir(self.work()) else { return Vec::new() };
        items.map(|item| item.expect("an entry").path().display().to_string()).collect()
    }

    fn assert_nothing_left(&self, when: &str) {
        let begun = Instant::now();
        loop {
            let (left, running) = (self.left(), find(&self.mark));
            if left.is_empty() && running.is_empty() {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{when}: {left:?} and processes {running:?} are left");
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A test that failed has more to say than this.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn kill(child: &mut Child) {
    child.kill().expect("killed");
    assert_eq!(child.wait().expect("its end").signal(), Some(9));
}

fn signal(pid: u32, name: &str) {
    let status = std::process::Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(status.expect("kill is there").success());
}

fn count(mark: &str) -> usize {
    find(mark).len()
}

/// Processes with `mark` in their command line, but for this one.
fn find(mark: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for item in fs::read_dir("/proc").expect("processes").flatten() {
        let Some(pid) = item.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let shown = String::from_utf8_lossy(&line).replace('\0', " ");
        if pid != std::process::id() && shown.contains(mark) && !shown.contains(" victim ") {
            found.push(pid);
        }
    }
    found
}
