//! An engine that goes away in the midst of a step: a clear error, no waiting without end, and the next try goes on.

mod support;

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lineclear_backend::{Backend, ContainerSpec, Happening, Wake, labels};
use lineclear_backend_container::ContainerSettings;
use lineclear_container_engine::Address;
use support::{ContainerRooms, TestJob, Wanted, busybox, containers, engine, labelled, request};

/// Stands in front of the real engine, and can be cut off.
struct Line {
    path: PathBuf,
    open: Arc<Mutex<Vec<UnixStream>>>,
    _folder: tempfile::TempDir,
}

impl Line {
    fn new() -> Self {
        let Address::Unix(real) = engine().address().clone() else { panic!("the engine's socket is needed") };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&path).expect("a socket");
        let open: Arc<Mutex<Vec<UnixStream>>> = Arc::default();
        let kept = Arc::clone(&open);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, UnixStream::connect(&real)) else { return };
                let twin = |stream: &UnixStream| stream.try_clone().expect("a handle");
                kept.lock().expect("no panic").extend([twin(&client), twin(&server)]);
                for (mut from, mut to) in [(twin(&client), twin(&server)), (server, client)] {
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
            }
        });
        Self { path, open, _folder: folder }
    }

    fn settings(&self) -> ContainerSettings {
        ContainerSettings { engine: Some(format!("unix://{}", self.path.display())), ..ContainerSettings::default() }
    }

    /// As if the engine were killed: nobody listens, and every connection breaks.
    fn cut(&self) {
        std::fs::remove_file(&self.path).expect("it is there");
        for stream in self.open.lock().expect("no panic").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn an_engine_that_is_killed_in_the_midst_of_a_step_is_told() {
    let line = Line::new();
    let backend = containers(line.settings());
    let container = ContainerSpec { image: busybox(&engine()), ..ContainerSpec::default() };
    let wanted = Wanted { container: Some(container), services: Vec::new(), socket: None };
    let mut job = TestJob::open("lost", &backend, &wanted).unwrap_or_else(|error| panic!("{error:?}"));
    let label = format!("{}={}", labels::JOB, job.tracking_id());
    let network = job.containers().facts().network.clone();
    let mut process = job.room().start(&job.command("echo ready; sleep 1000")).expect("it starts");
    let (wake, mut buffer) = (Wake::new().expect("a bell"), Vec::new());
    let soon = || Some(Instant::now() + Duration::from_secs(60));
    while buffer != b"ready\n" {
        assert_ne!(process.next(&mut buffer, soon(), &wake).expect("a happening"), Happening::Deadline);
    }
    line.cut();
    let begun = Instant::now();
    let error = loop {
        match process.next(&mut buffer, soon(), &wake) {
            Ok(Happening::Deadline) => panic!("it is noticed"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
    assert!(error.to_string().contains("engine"), "{error}");
    drop(process);
    let error = job.room().start(&job.command("true")).map(drop).expect_err("nobody is there");
    assert!(std::error::Error::source(&error).expect("a reason").to_string().contains("engine"), "{error:?}");
    let containers = job.containers.take().expect("it is open");
    let error = containers.close(&job.heard).expect_err("it cannot be known");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(120));
    // What is left bears its job's label, and whoever looks finds it.
    let engine = engine();
    for container in engine.containers(&label).expect("an answer") {
        engine.container_remove(&container.id).expect("removed");
    }
    engine.network_remove(&network).expect("removed");
    assert_eq!(labelled(&engine, &label), 0);
}

#[test]
fn after_an_engine_was_gone_the_next_job_goes_on() {
    let line = Line::new();
    let rooms = ContainerRooms::new("again", line.settings());
    rooms.open(&request(1, "first")).expect("a room").close().expect("nothing is left");
    // Every connection breaks, and new ones are taken: the engine was restarted.
    for stream in line.open.lock().expect("no panic").drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    rooms.open(&request(1, "second")).expect("a room").close().expect("nothing is left");
}
