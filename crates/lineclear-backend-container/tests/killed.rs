//! Nothing is left of a Lineclear that was killed, and a user who is not root gets their folders back.
//!
//! This program is its own guard and its own victim, so it has no test harness.

#![allow(clippy::print_stderr, reason = "without a harness, tests say what they do")]

mod support;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use lineclear_backend::{Backend, ContainerSpec, Containers, ContainersRequest, Owner, Room, Stop, Wake, labels};
use lineclear_backend_container::{ContainerBackend, ContainerSettings, GuardProgram, abandoned, guard, sweep};
use lineclear_backend_host::{HostBackend, HostSettings};
use lineclear_container_engine::NewContainer;
use lineclear_event::{JobKey, RunId};
use serde_json::json;
use support::{Heard, TestJob, Wanted, busybox, containers, engine, finish, labelled};

/// As the first argument: open a job, say whose it is, and wait to be killed.
const VICTIM: &str = "__victim";
/// As the first argument: run a job as a user who is not root.
const PLAIN_USER: &str = "__plain-user";

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(guard::ARGUMENT) => return guard::main(),
        Some(VICTIM) => victim(),
        Some(PLAIN_USER) => plain_user(),
        _ => {}
    }
    let tests: [(&str, fn()); 3] = [
        ("a_killed_lineclear_leaves_nothing_in_the_engine", a_killed_lineclear_leaves_nothing_in_the_engine),
        (
            "a_sweep_removes_what_the_dead_left_and_spares_the_living",
            a_sweep_removes_what_the_dead_left_and_spares_the_living,
        ),
        (
            "files_that_containers_leave_can_be_removed_by_a_user_who_is_not_root",
            files_that_containers_leave_can_be_removed_by_a_user_who_is_not_root,
        ),
    ];
    for (name, test) in tests {
        eprintln!("test {name} ...");
        test();
        eprintln!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

fn own() -> Wanted {
    let image = busybox(&engine());
    let volumes = vec![format!("lineclear-test-killed-{}:/v", std::process::id()), "/anonymous".into()];
    let container = ContainerSpec { image, volumes, ..ContainerSpec::default() };
    Wanted { container: Some(container), services: Vec::new(), socket: None }
}

fn victim() -> ! {
    let settings = ContainerSettings { guard: Some(GuardProgram::this_program()), ..ContainerSettings::default() };
    let backend = containers(settings);
    let job = TestJob::open("victim", &backend, &own()).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(backend.guard_problem(), None);
    let _running = job.room().start(&job.command("sleep 1000")).expect("it starts");
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("{}", Owner::this().write());
    }
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn a_killed_lineclear_leaves_nothing_in_the_engine() {
    let engine = engine();
    busybox(&engine);
    let mut child = Command::new("/proc/self/exe").arg(VICTIM).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut said = String::new();
    let mut output = child.stdout.take().expect("a pipe");
    let mut byte = [0];
    while !said.ends_with('\n') && output.read(&mut byte).expect("it speaks") > 0 {
        said.push(char::from(byte[0]));
    }
    let label = format!("{}={}", labels::OWNER, said.trim());
    let before = labelled(&engine, &label);
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_eq!(before, 3, "a container, a network and a volume: {said:?}");
    let begun = Instant::now();
    while labelled(&engine, &label) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the guard removes what it left");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn a_sweep_removes_what_the_dead_left_and_spares_the_living() {
    let engine = engine();
    let dead = Owner { started: Owner::this().started + 1, ..Owner::this() };
    let labels_of_dead = |number: u64| labels::of_job(&dead, RunId(number), "github_dead").into_iter().collect();
    let name = format!("lineclear-test-dead-{}", std::process::id());
    engine.network_create(&name, &labels_of_dead(1)).expect("a network");
    engine.volume_create(&name, &labels_of_dead(1)).expect("a volume");
    let body = json!({
        "Image": busybox(&engine), "Cmd": ["sleep", "1000"], "Labels": json!(labels_of_dead(1)),
        "HostConfig": { "NetworkMode": name, "Binds": [format!("{name}:/v")] },
    });
    let id =
        engine.container_create(&NewContainer { name: Some(name.clone()), platform: None, body }).expect("a container");
    engine.container_start(&id).expect("it runs");

    let backend = containers(ContainerSettings::default());
    let living = TestJob::open("living", &backend, &own()).unwrap_or_else(|error| panic!("{error:?}"));
    let found = abandoned(&ContainerSettings::default()).expect("an engine");
    assert_eq!(found.iter().filter(|found| found.contains(&name)).count(), 3, "{found:?}");
    let swept = sweep(&ContainerSettings::default()).expect("an engine");
    assert_eq!(swept.removed.iter().filter(|removed| removed.contains(&name)).count(), 3, "{swept:?}");
    assert_eq!(labelled(&engine, &format!("{}={}", labels::OWNER, dead.write())), 0);
    assert_eq!(living.run("echo alive").stdout, "alive\n");
    living.close();
}

/// Root of the container is root of the folders, whoever Lineclear is.
fn files_that_containers_leave_can_be_removed_by_a_user_who_is_not_root() {
    busybox(&engine());
    let socket = fs::metadata("/var/run/docker.sock").expect("Docker's usual socket");
    // In its own folder, as those of the build may be closed to others.
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
    chown(folder.path(), Some(12345), Some(socket.gid())).expect("this test runs as root");
    let status = Command::new("/proc/self/exe")
        .arg(PLAIN_USER)
        .arg(folder.path())
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .uid(12345)
        .gid(socket.gid())
        .status()
        .expect("it starts");
    assert!(status.success(), "{status}");
    let left = fs::read_dir(folder.path().join("work")).expect("a folder").count();
    assert_eq!(left, 0, "what containers wrote is gone");
}

fn plain_user() -> ! {
    let folder = std::env::args().nth(2).expect("a folder");
    let folder = Path::new(&folder);
    let host = HostBackend::new(HostSettings {
        scratch_in_memory: false,
        ..HostSettings::new(folder.join("work"), folder.join("tools"))
    })
    .expect("a backend");
    let room = host.open(&support::request(1, "plain")).expect("a room");
    let backend = ContainerBackend::new(ContainerSettings::default());
    let (wake, heard, layout) = (Wake::new().expect("a bell"), Heard::default(), room.layout().clone());
    let tracking_id = room.tracking_id().to_owned();
    let containers = backend
        .open(
            &ContainersRequest {
                run: RunId(1),
                job: &JobKey::new("plain"),
                tracking_id: &tracking_id,
                layout: &layout,
                container: own().container,
                services: Vec::new(),
                engine_socket: None,
                route: std::sync::Arc::new(|_: &str| None),
                stop: Stop { wake: &wake, is_cancelled: &|| false },
            },
            &heard,
        )
        .unwrap_or_else(|error| panic!("{error}"));
    let inside: &dyn Room = containers.room().expect("a container of its own");
    let command = |script: &str| lineclear_backend::Command {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        env: inside.base_env().to_vec(),
        working_directory: layout.workspace.clone(),
    };
    let script = "umask 077; mkdir -p a/b; touch a/b/c /__w/_temp/x $HOME/y; id -u";
    assert_eq!(finish(&mut *inside.start(&command(script)).expect("it starts")).stdout, "0\n");
    // Signals reach processes that this user may not signal.
    let mut process = inside.start(&command("sleep 1000")).expect("it starts");
    process.signal(lineclear_backend::Signal::Kill).expect("killed");
    assert_eq!(finish(&mut *process).exit.code(), 137);
    drop(process);
    containers.close(&heard).expect("nothing is left");
    room.close().expect("everything can be removed");
    drop(host);
    std::process::exit(0)
}
