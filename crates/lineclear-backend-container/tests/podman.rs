//! The core of the contract with Podman's Docker-compatible service, which is started for this test on a socket and a store of its own.

mod support;

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use lineclear_backend::backend_contract;
use lineclear_backend_container::ContainerSettings;
use lineclear_container_engine::{Address, Engine};
use support::ContainerRooms;

/// A service that ends with this test's process: it hangs on a pipe of ours.
struct Podman {
    _child: Child,
    address: String,
}

/// Without a service manager, and without the right to raise limits, Podman needs to be told so.
const CONFIG: &str = r#"[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"#;

fn podman() -> &'static str {
    static PODMAN: OnceLock<Podman> = OnceLock::new();
    &PODMAN
        .get_or_init(|| {
            let folder = PathBuf::from(format!("/tmp/lineclear-podman-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            let config = folder.join("containers.conf");
            fs::write(&config, CONFIG).expect("a file");
            let socket = folder.join("podman.sock");
            // Ends itself, and what it keeps, when this process's end of the pipe is closed.
            let script = r#"
                podman --root "$1/root" --runroot "$1/run" --storage-driver vfs system service --time=0 "unix://$1/podman.sock" > "$1/log" 2>&1 &
                read -r _; kill $!; wait
                podman --root "$1/root" --runroot "$1/run" --storage-driver vfs rm -fa > /dev/null 2>&1
                podman --root "$1/root" --runroot "$1/run" --storage-driver vfs network prune -f > /dev/null 2>&1
                rm -rf "$1""#;
            let mut child = Command::new("sh")
                .args(["-c", script, "sh"])
                .arg(&folder)
                .env("CONTAINERS_CONF", &config)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("a shell");
            let begun = Instant::now();
            while UnixStream::connect(&socket).is_err() {
                let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
                assert!(child.try_wait().expect("a child").is_none(), "podman did not start: {}", log());
                assert!(begun.elapsed() < Duration::from_secs(60), "podman does not answer: {}", log());
                std::thread::sleep(Duration::from_millis(20));
            }
            let address = format!("unix://{}", socket.display());
            // Podman does not name what it imports, but loads what Docker saved.
            let (docker, archive) = (support::engine(), folder.join("image.tar"));
            docker.image_save(&support::busybox(&docker), &archive, support::PATIENCE).expect("saved");
            let podman = Engine::connect(Address::parse(&address).expect("an address")).expect("an engine");
            let mut file = fs::File::open(&archive).expect("a file");
            podman.image_load(&mut file, support::PATIENCE, &mut |_| {}).expect("loaded");
            Podman { _child: child, address }
        })
        .address
}

fn rooms() -> ContainerRooms {
    ContainerRooms::new("podman", ContainerSettings { engine: Some(podman().into()), ..ContainerSettings::default() })
}

backend_contract! {
    rooms();
    the_exit_code_is_told
    both_streams_are_told_apart
    bytes_that_are_no_text_come_through
    standard_input_is_empty
    the_environment_is_the_one_given
    the_working_directory_is_the_one_given
    closed_is_told_last_and_again
    the_bell_wakes_a_waiter
    interrupt_reaches_the_entry_process_only
    kill_ends_the_whole_tree
    kill_ends_processes_that_detached_themselves
    a_process_that_is_let_go_is_killed
    a_program_that_is_not_there_is_an_error
    a_file_that_may_not_be_executed_is_an_error
}

#[test]
fn podman_says_that_it_is_podman() {
    use lineclear_backend::Containers;
    let settings = ContainerSettings { engine: Some(podman().into()), ..ContainerSettings::default() };
    let said = support::containers(settings).engine().expect("an engine");
    assert!(said.starts_with("Podman ") && said.contains("podman.sock"), "{said}");
}
