//! What every backend promises, as tests.
//!
//! Each promise is a function that panics if the backend breaks it. An implementation runs them all with
//! [`backend_contract!`](crate::backend_contract), against the real thing, in one short test file. The machine behind the
//! backend must have `sh` with the usual commands. A room may see its folders under other paths, as one in a container does:
//! what scripts name and print goes through [`Room::seen`].

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lineclear_event::{JobKey, RunId};

use crate::{
    Backend, Command, Exit, Fill, Happening, OpenError, Process, Remain, Room, RoomRequest, Signal, StartError, Stream,
    Wake, Workspace,
};

/// No promise takes this long on any machine that is in order.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a test of each promise.
///
/// The argument is an expression that gives the backend: `backend_contract!(HostBackend::new(settings()).expect("…"));`
#[macro_export]
macro_rules! backend_contract {
    ($backend:expr) => {
        $crate::backend_contract! { $backend;
            a_room_has_the_folders_of_the_hosted_runner
            a_room_in_place_leaves_its_workspace_alone
            a_new_workspace_is_filled_before_the_first_step
            a_workspace_that_cannot_be_filled_is_an_error_that_leaves_nothing
            any_job_key_gives_a_room_of_its_own
            many_rooms_are_open_at_once
            a_room_after_another_finds_nothing_of_it
            what_a_job_did_to_its_folders_does_not_keep_them
            what_lies_behind_a_link_outlives_the_job
            the_exit_code_is_told
            death_by_a_signal_is_told
            both_streams_are_told_apart
            bytes_that_are_no_text_come_through
            standard_input_is_empty
            the_environment_is_the_one_given
            the_working_directory_is_the_one_given
            closed_streams_do_not_end_a_process
            a_process_that_keeps_a_stream_open_does_not_hide_the_exit
            closed_is_told_last_and_again
            a_deadline_that_is_past_does_not_hide_output
            a_flood_hides_neither_deadline_nor_bell
            the_bell_wakes_a_waiter
            floods_on_both_streams_come_through_complete
            a_line_without_end_takes_no_more_memory_than_a_piece
            interrupt_reaches_the_entry_process_only
            terminate_reaches_the_entry_process_only
            kill_ends_the_whole_tree
            kill_ends_processes_that_detached_themselves
            kill_ends_what_goes_on_multiplying
            kill_spares_what_an_earlier_step_left
            kill_spares_a_step_beside
            a_signal_to_an_ended_process_is_no_error
            a_process_that_is_let_go_is_killed
            what_outlives_its_step_remains_and_is_killed_at_the_end
            a_daemon_without_a_sign_of_its_job_is_found
            processes_of_another_job_do_not_remain_here
            nothing_remains_of_steps_that_ended
            a_program_that_is_not_there_is_an_error
            a_file_that_may_not_be_executed_is_an_error
            a_program_without_its_interpreter_is_an_error
            a_working_directory_that_is_not_there_is_an_error
            arguments_that_are_too_large_are_an_error
        }
    };
    ($backend:expr; $($promise:ident)*) => {
        $(#[test]
        fn $promise() {
            $crate::contract::$promise(&$backend);
        })*
    };
}

// ---- Folders ----

/// Trap 8: `RUNNER_TEMP` is a folder of the job's own, empty when it starts and gone after it.
pub fn a_room_has_the_folders_of_the_hosted_runner(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let layout = room.layout().clone();
    for folder in [&layout.workspace, &layout.temp, &layout.scratch, &layout.actions, &layout.tool_cache] {
        assert!(folder.is_absolute() && folder.is_dir(), "{}", folder.display());
    }
    assert!(layout.workspace.ends_with("widget/widget"), "{}", layout.workspace.display());
    assert_eq!(names(&layout.workspace), [""; 0]);
    assert_eq!(names(&layout.actions), [""; 0]);
    // The hosted runner's own folders are there already.
    let own = |name: &String| name.starts_with("_github_") || layout.scratch.ends_with(name);
    let files = names(&layout.temp).into_iter().filter(|name| !own(name)).count();
    assert_eq!(files, 0, "RUNNER_TEMP is empty when a job starts");
    assert!(room.tracking_id().starts_with("github_"), "{}", room.tracking_id());

    assert_eq!(close(room), []);
    for folder in [&layout.workspace, &layout.temp, &layout.scratch, &layout.actions] {
        assert!(!folder.exists(), "{} was left", folder.display());
    }
    assert!(layout.tool_cache.is_dir(), "the tool cache is kept");
}

pub fn a_room_in_place_leaves_its_workspace_alone(backend: &dyn Backend) {
    let folder = Folder::new();
    fs::write(folder.path().join("precious"), "x").expect("a file");
    let room = open(backend, Workspace::InPlace(folder.path().to_owned()));
    assert_eq!(room.layout().workspace, folder.path());
    run(&*room, "pwd; echo y > made");
    let temp = room.layout().temp.clone();
    close(room);
    assert_eq!(names(folder.path()), ["made", "precious"]);
    assert!(!temp.exists());
}

pub fn a_new_workspace_is_filled_before_the_first_step(backend: &dyn Backend) {
    #[derive(Debug)]
    struct OneFile;
    impl Fill for OneFile {
        fn fill(&self, workspace: &Path) -> io::Result<()> {
            fs::write(workspace.join("file"), "content")
        }
    }
    let room = open(backend, Workspace::Copy(Arc::new(OneFile)));
    assert_eq!(run(&*room, "cat file").stdout, b"content");
    let workspace = room.layout().workspace.clone();
    close(room);
    assert!(!workspace.exists());
}

pub fn a_workspace_that_cannot_be_filled_is_an_error_that_leaves_nothing(backend: &dyn Backend) {
    #[derive(Debug)]
    struct Fails(std::sync::Mutex<Option<PathBuf>>, io::ErrorKind);
    impl Fill for Fails {
        fn fill(&self, workspace: &Path) -> io::Result<()> {
            fs::write(workspace.join("half"), "x")?;
            *self.0.lock().expect("no other thread") = Some(workspace.into());
            Err(self.1.into())
        }
    }
    for kind in [io::ErrorKind::InvalidData, io::ErrorKind::StorageFull] {
        let fill = Arc::new(Fails(None.into(), kind));
        let error = backend.open(&request("job", Workspace::Copy(Arc::clone(&fill) as Arc<dyn Fill>)));
        match error.map(drop).expect_err("it was not filled") {
            OpenError::Fill { .. } => assert_eq!(kind, io::ErrorKind::InvalidData),
            OpenError::DiskFull { .. } => assert_eq!(kind, io::ErrorKind::StorageFull),
            other => panic!("unexpected: {other}"),
        }
        let workspace = fill.0.lock().expect("no other thread").take().expect("it was asked to fill");
        assert!(!workspace.exists());
    }
}

pub fn any_job_key_gives_a_room_of_its_own(backend: &dyn Backend) {
    let long = "日本 (3.12, ubuntu-latest) ".repeat(40);
    let twin = format!("{long}!");
    let keys = ["", ".", "..", "/etc", "../..", "a\nb", "A", "a", "_temp", ".owner", &long, &twin, "same", "same"];
    let run = a_run();
    let rooms: Vec<_> = keys
        .iter()
        .map(|key| {
            let request = RoomRequest { run, ..request(key, Workspace::Empty) };
            backend.open(&request).unwrap_or_else(|error| panic!("{key:?}: {error}"))
        })
        .collect();
    let mut folders: Vec<_> = rooms.iter().map(|room| room.layout().workspace.clone()).collect();
    folders.extend(rooms.iter().map(|room| room.layout().scratch.clone()));
    let count = folders.len();
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), count, "two rooms share a folder");
    for room in rooms {
        assert_eq!(run_ok(&*room, "pwd"), format!("{}\n", shown(&*room, &room.layout().workspace)));
        close(room);
    }
}

pub fn many_rooms_are_open_at_once(backend: &dyn Backend) {
    let one_run = a_run();
    thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for job in 0..8 {
                    let key = format!("job ({thread}, {job})");
                    let request = RoomRequest { run: one_run, ..request(&key, Workspace::Empty) };
                    let room = backend.open(&request).expect("a room");
                    let script = format!("echo '{key}' > mine; sleep 0.01; cat mine; exit {job}");
                    let end = run(&*room, &script);
                    assert_eq!(end.stdout, format!("{key}\n").into_bytes());
                    assert_eq!(end.exit, Exit::Code(job));
                    assert_eq!(close(room), []);
                }
            });
        }
    });
}

pub fn a_room_after_another_finds_nothing_of_it(backend: &dyn Backend) {
    let one_run = a_run();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let request = RoomRequest { run: one_run, ..request("job", Workspace::Empty) };
        let room = backend.open(&request).expect("a room");
        let layout = room.layout();
        let found = format!(
            "ls -A '{}' '{}' '{}' ../..",
            shown(&*room, &layout.workspace),
            shown(&*room, &layout.temp),
            shown(&*room, &layout.actions)
        );
        let listed = run_ok(&*room, &found);
        assert!(!listed.contains("left-behind"), "{listed}");
        run(
            &*room,
            &format!(
                "touch left-behind .left-behind ../left-behind ../../left-behind '{}/left-behind'",
                shown(&*room, &layout.temp)
            ),
        );
        ids.push(room.tracking_id().to_owned());
        close(room);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "each job has a tracking id of its own");
}

pub fn what_a_job_did_to_its_folders_does_not_keep_them(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let layout = room.layout().clone();
    let script = "mkdir -p a/b 'new\nline' -- -rf; touch a/b/c -- --help; ln -s /nowhere dangling; mkfifo pipe
        chmod 000 a/b; chmod 500 a; chmod 555 .; rmdir \"$TEMP_FOLDER\"";
    let mut command = sh(&*room, script);
    command.env.push(("TEMP_FOLDER".into(), room.seen(&layout.temp).into()));
    finish(&*room, &command);
    close(room);
    assert!(!layout.workspace.exists());
}

pub fn what_lies_behind_a_link_outlives_the_job(backend: &dyn Backend) {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("inner")).expect("a folder");
    fs::write(folder.path().join("inner/precious"), "x").expect("a file");
    let room = open(backend, Workspace::Empty);
    let (workspace, temp) = (room.layout().workspace.clone(), room.layout().temp.clone());
    let (target, temp) = (folder.path().display(), shown(&*room, &temp));
    run(
        &*room,
        &format!(
            "ln -s '{target}' link; ln -s '{target}/inner/precious' file; rmdir '{temp}' && ln -s '{target}' '{temp}'"
        ),
    );
    close(room);
    assert!(!workspace.exists());
    assert!(folder.path().join("inner/precious").exists());
}

// ---- What a process tells ----

pub fn the_exit_code_is_told(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    for code in [0, 1, 7, 127, 130, 255] {
        let end = run(&*room, &format!("exit {code}"));
        assert_eq!(end.exit, Exit::Code(code));
        assert_eq!(end.exit.code(), code);
    }
    close(room);
}

pub fn death_by_a_signal_is_told(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let end = run(&*room, "kill -9 $$");
    assert_killed(end.exit);
    assert_eq!(end.exit.code(), 137);
    close(room);
}

pub fn both_streams_are_told_apart(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let end = run(&*room, "echo out; echo err >&2; printf more");
    assert_eq!(end.stdout, b"out\nmore");
    assert_eq!(end.stderr, b"err\n");
    close(room);
}

pub fn bytes_that_are_no_text_come_through(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let end = run(&*room, r"printf '\377\376\000\303(\r\n\200'");
    assert_eq!(end.stdout, b"\xff\xfe\0\xc3(\r\n\x80");
    close(room);
}

pub fn standard_input_is_empty(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    assert_eq!(run_ok(&*room, "if read line; then echo \"$line\"; else echo none; fi"), "none\n");
    close(room);
}

pub fn the_environment_is_the_one_given(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let mut command = sh(&*room, "env");
    command.env.push(("MULTI".into(), "a\nb=c".into()));
    command.env.push(("EMPTY".into(), "".into()));
    command.env.push(("TWICE".into(), "first".into()));
    command.env.push(("TWICE".into(), "second".into()));
    let end = finish(&*room, &command);
    let text = String::from_utf8(end.stdout).expect("text");
    for line in ["MULTI=a\nb=c", "EMPTY=", "TWICE=second"] {
        assert!(text.contains(&format!("{line}\n")), "{text}");
    }
    assert!(!text.contains("CARGO_PKG_NAME"), "something was inherited: {text}");
    close(room);
}

pub fn the_working_directory_is_the_one_given(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    run(&*room, "mkdir -p deep/er; printf '#!/bin/sh\\npwd' > deep/er/tool; chmod +x deep/er/tool");
    let mut command = sh(&*room, "");
    command.working_directory = room.layout().workspace.join("deep");
    // A path is looked up from there, as a shell would.
    command.program = "er/tool".into();
    command.args.clear();
    let end = finish(&*room, &command);
    assert_eq!(end.stdout, format!("{}\n", shown(&*room, &command.working_directory)).into_bytes());
    close(room);
}

/// A step may close its streams and go on.
pub fn closed_streams_do_not_end_a_process(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let end = run(&*room, "exec >&- 2>&-; sleep 0.2; touch proof; exit 3");
    assert_eq!(end.exit, Exit::Code(3));
    assert_eq!(run_ok(&*room, "ls"), "proof\n");
    close(room);
}

/// Trap 61: a background process left by a step does not hang it.
pub fn a_process_that_keeps_a_stream_open_does_not_hide_the_exit(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let wake = Wake::new().expect("a bell");
    let mut process = room.start(&sh(&*room, "sleep 1000 & echo started; exit 4")).expect("it starts");
    let begun = Instant::now();
    let mut buffer = Vec::new();
    let exit = loop {
        match process.next(&mut buffer, Some(begun + PATIENCE), &wake).expect("a happening") {
            Happening::Exited(exit) => break exit,
            Happening::Output(_) => {}
            other => panic!("unexpected: {other:?}"),
        }
    };
    assert_eq!(exit, Exit::Code(4));
    // The caller decides how long to wait for the rest.
    let patience = Instant::now() + Duration::from_millis(100);
    loop {
        match process.next(&mut buffer, Some(patience), &wake).expect("a happening") {
            Happening::Deadline => break,
            Happening::Output(_) => {}
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!(buffer, b"started\n");
    assert!(begun.elapsed() < PATIENCE);
    drop(process);
    assert_remain(&*room, &["sleep 1000"]);
    assert_eq!(commands(&close(room)), ["sleep 1000"]);
}

pub fn closed_is_told_last_and_again(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let wake = Wake::new().expect("a bell");
    for script in ["exec >&- 2>&-; sleep 0.05", "echo x", ""] {
        let mut process = room.start(&sh(&*room, script)).expect("it starts");
        let mut told = Vec::new();
        while told.last() != Some(&Happening::Closed) {
            told.push(process.next(&mut Vec::new(), soon(), &wake).expect("a happening"));
            assert_ne!(told.last(), Some(&Happening::Deadline));
        }
        assert_eq!(told.iter().filter(|happening| matches!(happening, Happening::Exited(_))).count(), 1, "{told:?}");
        assert_eq!(process.next(&mut Vec::new(), soon(), &wake).expect("a happening"), Happening::Closed);
    }
    close(room);
}

// ---- Waiting ----

/// A caller may take what is there without waiting.
pub fn a_deadline_that_is_past_does_not_hide_output(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let wake = Wake::new().expect("a bell");
    let mut process = room.start(&sh(&*room, "echo here; sleep 1000")).expect("it starts");
    let mut buffer = Vec::new();
    let begun = Instant::now();
    while buffer.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "output is told though the deadline is past");
        process.next(&mut buffer, Some(begun), &wake).expect("a happening");
        let asked = Instant::now();
        process.next(&mut buffer, Some(asked), &wake).expect("a happening");
    }
    assert_eq!(buffer, b"here\n");
    process.signal(Signal::Kill).expect("killed");
    drop(process);
    close(room);
}

pub fn a_flood_hides_neither_deadline_nor_bell(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let wake = Wake::new().expect("a bell");
    let mut process = room.start(&sh(&*room, "yes; exit")).expect("it starts");
    let mut buffer = Vec::new();
    let until = Instant::now() + Duration::from_millis(50);
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "the deadline is told in the midst of output");
        buffer.clear();
        if process.next(&mut buffer, Some(until), &wake).expect("a happening") == Happening::Deadline {
            break;
        }
    }
    wake.ring();
    loop {
        assert!(begun.elapsed() < PATIENCE, "the bell is heard in the midst of output");
        buffer.clear();
        if process.next(&mut buffer, None, &wake).expect("a happening") == Happening::Woken {
            break;
        }
    }
    process.signal(Signal::Kill).expect("killed");
    assert_killed(until_end(&mut *process).exit);
    close(room);
}

/// A shell whose child is killed first may still say so itself, with the code that shells have for it.
fn assert_killed(exit: Exit) {
    assert_eq!(exit.code(), 128 + 9, "{exit:?}");
}

pub fn the_bell_wakes_a_waiter(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let wake = Wake::new().expect("a bell");
    let mut process = room.start(&sh(&*room, "sleep 1000")).expect("it starts");
    let ringer = wake.clone();
    let ringing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        ringer.ring();
    });
    assert_eq!(process.next(&mut Vec::new(), soon(), &wake).expect("a happening"), Happening::Woken);
    ringing.join().expect("it rang");
    wake.clear();
    let short = Instant::now() + Duration::from_millis(20);
    assert_eq!(process.next(&mut Vec::new(), Some(short), &wake).expect("a happening"), Happening::Deadline);
    process.signal(Signal::Kill).expect("killed");
    drop(process);
    close(room);
}

// ---- Much output ----

pub fn floods_on_both_streams_come_through_complete(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let script = "head -c 20000000 /dev/zero & head -c 30000000 /dev/zero >&2; wait; echo end; echo end >&2";
    let end = run(&*room, script);
    assert_eq!(end.exit, Exit::Code(0));
    assert_eq!((end.stdout.len(), end.stderr.len()), (20_000_004, 30_000_004));
    assert!(end.stdout.ends_with(b"\0end\n") && end.stderr.ends_with(b"\0end\n"));
    close(room);
}

/// A line of 1 GB.
pub fn a_line_without_end_takes_no_more_memory_than_a_piece(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let wake = Wake::new().expect("a bell");
    let mut process = room.start(&sh(&*room, "head -c 1000000000 /dev/zero")).expect("it starts");
    let (mut buffer, mut total) = (Vec::new(), 0);
    loop {
        buffer.clear();
        match process.next(&mut buffer, soon(), &wake).expect("a happening") {
            Happening::Output(_) => total += buffer.len(),
            Happening::Closed => break,
            Happening::Exited(exit) => assert_eq!(exit, Exit::Code(0)),
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!(total, 1_000_000_000);
    assert!(buffer.capacity() <= 4 << 20, "the buffer grew to {}", buffer.capacity());
    close(room);
}

// ---- Signals ----

/// Trap 60: the first signal of a cancellation goes to the entry process only, and not to its group.
pub fn interrupt_reaches_the_entry_process_only(backend: &dyn Backend) {
    reaches_the_entry_process_only(backend, Signal::Interrupt, "INT");
}

/// Trap 60.
pub fn terminate_reaches_the_entry_process_only(backend: &dyn Backend) {
    reaches_the_entry_process_only(backend, Signal::Terminate, "TERM");
}

fn reaches_the_entry_process_only(backend: &dyn Backend, signal: Signal, name: &str) {
    let room = open(backend, Workspace::Empty);
    // The child traps too: a background child of a shell ignores SIGINT otherwise.
    // It waits until the parent was told, and then a moment for a signal of its own.
    let told = "while ! test -e told; do sleep 0.02; done; sleep 0.3";
    let child = format!("trap 'echo child got it' {name}; echo child; {told}; exit 0");
    let script = format!("trap 'echo parent got it; touch told; wait; exit 9' {name}; sh -c \"{child}\" & wait");
    let mut process = room.start(&sh(&*room, &script)).expect("it starts");
    let (wake, mut buffer) = (Wake::new().expect("a bell"), Vec::new());
    while buffer != b"child\n" {
        process.next(&mut buffer, soon(), &wake).expect("a happening");
        assert!(b"child\n".starts_with(&buffer));
    }
    process.signal(signal).expect("sent");
    let end = until_end(&mut *process);
    assert_eq!(end.exit, Exit::Code(9));
    assert_eq!(String::from_utf8_lossy(&end.stdout), "parent got it\n");
    drop(process);
    close(room);
}

/// Trap 60: the last signal goes to the whole tree.
pub fn kill_ends_the_whole_tree(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let script = "trap '' INT TERM HUP; sh -c \"trap '' INT TERM HUP; sleep 1000 & sleep 1000\" & sleep 1000 & echo ready; wait; sleep 1000";
    let mut process = room.start(&sh(&*room, script)).expect("it starts");
    wait_for(&mut *process, b"ready\n");
    process.signal(Signal::Interrupt).expect("sent");
    process.signal(Signal::Terminate).expect("sent");
    process.signal(Signal::Kill).expect("killed");
    assert_killed(until_end(&mut *process).exit);
    drop(process);
    assert_eq!(room.remains(), []);
    assert_eq!(close(room), []);
}

pub fn kill_ends_processes_that_detached_themselves(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    // In a session of its own, with its parent gone, its streams elsewhere, deaf to polite signals.
    let daemon = "trap '' INT TERM HUP; touch daemon; sleep 1000";
    let script = format!(
        "(setsid sh -c \"{daemon}\" > /dev/null 2>&1 < /dev/null &)
        while ! test -e daemon; do sleep 0.01; done; echo ready; sleep 1000"
    );
    let mut process = room.start(&sh(&*room, &script)).expect("it starts");
    wait_for(&mut *process, b"ready\n");
    assert!(room.remains().len() >= 2, "the entry process and the daemon: {:?}", room.remains());
    process.signal(Signal::Kill).expect("killed");
    assert_killed(until_end(&mut *process).exit);
    drop(process);
    assert_eq!(close(room), []);
}

pub fn kill_ends_what_goes_on_multiplying(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    // Each starts two more, but for a limit in time that keeps a backend that fails from taking the machine along.
    let script = "end=$(($(date +%s) + 5)); echo ready
        breed() { test $(date +%s) -lt $end || exit; sleep 0.02; breed & (breed &) ; exit; }
        trap '' INT TERM HUP; for i in 1 2 3; do breed & done; sleep 1000";
    let mut process = room.start(&sh(&*room, script)).expect("it starts");
    wait_for(&mut *process, b"ready\n");
    thread::sleep(Duration::from_millis(60));
    process.signal(Signal::Kill).expect("killed");
    assert_killed(until_end(&mut *process).exit);
    drop(process);
    assert_remain(&*room, &[]);
    assert_eq!(close(room), []);
}

/// A server that one step starts serves the next ones, also after one of them was stopped.
pub fn kill_spares_what_an_earlier_step_left(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let first = step(&*room, "first", "sleep 1001 > /dev/null 2>&1 & (setsid sleep 1002 > /dev/null 2>&1 &) ; exit 0");
    assert_eq!(finish(&*room, &first).exit, Exit::Code(0));
    let second = step(&*room, "second", "(setsid sleep 1003 > /dev/null 2>&1 &) ; sleep 0.1; echo ready; sleep 1004");
    let mut process = room.start(&second).expect("it starts");
    wait_for(&mut *process, b"ready\n");
    process.signal(Signal::Kill).expect("killed");
    until_end(&mut *process);
    drop(process);
    assert_remain(&*room, &["sleep 1001", "sleep 1002"]);
    assert_eq!(commands(&close(room)), ["sleep 1001", "sleep 1002"]);
}

pub fn kill_spares_a_step_beside(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let daemon = |seconds| format!("(setsid sleep {seconds} > /dev/null 2>&1 &) ; echo ready; exec sleep {seconds}");
    let mut first = room.start(&step(&*room, "first", &daemon(1001))).expect("it starts");
    let mut second = room.start(&step(&*room, "second", &daemon(1002))).expect("it starts");
    wait_for(&mut *first, b"ready\n");
    wait_for(&mut *second, b"ready\n");
    first.signal(Signal::Kill).expect("killed");
    assert_killed(until_end(&mut *first).exit);
    assert_remain(&*room, &["sleep 1002", "sleep 1002"]);
    second.signal(Signal::Kill).expect("killed");
    assert_killed(until_end(&mut *second).exit);
    drop((first, second));
    assert_eq!(close(room), []);
}

pub fn a_signal_to_an_ended_process_is_no_error(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let mut process = room.start(&sh(&*room, "exit 5")).expect("it starts");
    // Also between its end and the telling of it.
    assert_remain(&*room, &[]);
    for signal in [Signal::Interrupt, Signal::Terminate, Signal::Kill] {
        process.signal(signal).expect("no error");
    }
    assert_eq!(until_end(&mut *process).exit, Exit::Code(5));
    for signal in [Signal::Interrupt, Signal::Terminate, Signal::Kill] {
        process.signal(signal).expect("no error");
    }
    close(room);
}

pub fn a_process_that_is_let_go_is_killed(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let mut process = room.start(&sh(&*room, "sleep 1000 & echo ready; sleep 1000")).expect("it starts");
    wait_for(&mut *process, b"ready\n");
    drop(process);
    assert_eq!(room.remains(), []);
    assert_eq!(close(room), []);
}

// ---- What remains ----

/// Trap 61: orphans are killed at the job's end.
pub fn what_outlives_its_step_remains_and_is_killed_at_the_end(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let script = "sleep 1001 > /dev/null 2>&1 & (trap '' HUP; exec sleep 1002 > /dev/null 2>&1) &
        (setsid sh -c 'sleep 1003 & sleep 1004; true' > /dev/null 2>&1 &)";
    assert_eq!(run(&*room, script).exit, Exit::Code(0));
    let expected = ["sh -c sleep 1003 & sleep 1004; true", "sleep 1001", "sleep 1002", "sleep 1003", "sleep 1004"];
    assert_remain(&*room, &expected);
    let workspace = room.layout().workspace.clone();
    let killed = close(room);
    assert_eq!(commands(&killed), expected);
    assert!(!workspace.exists());
    for remain in killed {
        assert!(!is_alive(remain.pid), "{remain:?} was left running");
    }
}

/// A process can escape GitHub's own runner by clearing its environment.
pub fn a_daemon_without_a_sign_of_its_job_is_found(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    run(&*room, "(setsid env -i sleep 1005 > /dev/null 2>&1 &) ; env -i sleep 1006 > /dev/null 2>&1 &");
    assert_remain(&*room, &["sleep 1005", "sleep 1006"]);
    assert_eq!(commands(&close(room)), ["sleep 1005", "sleep 1006"]);
}

pub fn processes_of_another_job_do_not_remain_here(backend: &dyn Backend) {
    let (one, other) = (open(backend, Workspace::Empty), open(backend, Workspace::Empty));
    run(&*one, "(setsid sleep 1007 > /dev/null 2>&1 &)");
    run(&*other, "(setsid sleep 1008 > /dev/null 2>&1 &)");
    assert_remain(&*one, &["sleep 1007"]);
    assert_remain(&*other, &["sleep 1008"]);
    assert_eq!(commands(&close(one)), ["sleep 1007"]);
    assert_eq!(commands(&close(other)), ["sleep 1008"]);
}

pub fn nothing_remains_of_steps_that_ended(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    // Also children that nobody waited for, and short daemons.
    run(&*room, "for i in 1 2 3 4 5 6 7 8; do (setsid true &) ; (true &) ; done");
    assert_remain(&*room, &[]);
    assert_eq!(close(room), []);
}

// ---- What cannot be started ----

pub fn a_program_that_is_not_there_is_an_error(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    for name in ["no-such-program", "./no-such-program", "/no/such/program", ""] {
        let command = Command { program: name.into(), ..sh(&*room, "") };
        let error = room.start(&command).map(drop).expect_err("it does not exist");
        assert!(matches!(&error, StartError::NotFound { program } if program == name), "{name:?}: {error:?}");
    }
    // Found by the command's own PATH, and by no other.
    let mut command = sh(&*room, "");
    command.env.retain(|(name, _)| name != "PATH");
    command.env.push(("PATH".into(), "/nowhere".into()));
    assert!(matches!(room.start(&command).map(drop), Err(StartError::NotFound { .. })));
    close(room);
}

pub fn a_file_that_may_not_be_executed_is_an_error(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    run(&*room, "echo '#!/bin/sh' > file; mkdir folder");
    for name in ["./file", "./folder"] {
        let command = Command { program: name.into(), ..sh(&*room, "") };
        let error = room.start(&command).map(drop).expect_err("it may not be executed");
        assert!(matches!(error, StartError::NotExecutable { .. }), "{name}: {error:?}");
    }
    close(room);
}

pub fn a_program_without_its_interpreter_is_an_error(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    run(&*room, "printf '#!/no/such/interpreter -x\\n' > file; chmod +x file");
    let command = Command { program: "./file".into(), args: Vec::new(), ..sh(&*room, "") };
    match room.start(&command).map(drop).expect_err("it cannot run") {
        StartError::Io { source, .. } => assert!(source.to_string().contains("/no/such/interpreter"), "{source}"),
        other => panic!("unexpected: {other:?}"),
    }
    close(room);
}

pub fn a_working_directory_that_is_not_there_is_an_error(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let missing = room.layout().workspace.join("missing");
    let command = Command { working_directory: missing.clone(), ..sh(&*room, "true") };
    let error = room.start(&command).map(drop).expect_err("there is no such folder");
    assert!(matches!(&error, StartError::NoWorkingDirectory { path } if *path == missing), "{error:?}");
    run(&*room, "touch file");
    let command = Command { working_directory: room.layout().workspace.join("file"), ..sh(&*room, "true") };
    assert!(matches!(room.start(&command).map(drop), Err(StartError::Io { .. })));
    close(room);
}

pub fn arguments_that_are_too_large_are_an_error(backend: &dyn Backend) {
    let room = open(backend, Workspace::Empty);
    let mut command = sh(&*room, "true");
    command.args.push("x".repeat(16 << 20).into());
    let error = room.start(&command).map(drop).expect_err("no system allows that much");
    assert!(matches!(error, StartError::TooLarge { .. }), "{error:?}");
    let mut command = sh(&*room, "true");
    command.env.push(("LARGE".into(), "x".repeat(16 << 20).into()));
    assert!(matches!(room.start(&command).map(drop), Err(StartError::TooLarge { .. })));
    close(room);
}

// ---- Means ----

/// How a process ended, and all it said.
struct End {
    exit: Exit,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

fn a_run() -> RunId {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    RunId(RUNS.fetch_add(1, Ordering::Relaxed))
}

fn request(job: &str, workspace: Workspace) -> RoomRequest {
    RoomRequest { run: a_run(), job: JobKey::new(job), repository: "widget".into(), workspace, isolation: None }
}

fn open(backend: &dyn Backend, workspace: Workspace) -> Box<dyn Room> {
    backend.open(&request("job (3.12)", workspace)).expect("the room opens")
}

fn close(room: Box<dyn Room>) -> Vec<Remain> {
    room.close().expect("the room is cleaned up")
}

/// A script as the runner starts it: with the machine's environment and the job's tracking id.
fn sh(room: &dyn Room, script: &str) -> Command {
    let mut env: Vec<(OsString, OsString)> =
        room.base_env().iter().filter(|(name, _)| !name.to_string_lossy().starts_with("CARGO")).cloned().collect();
    env.push(("RUNNER_TRACKING_ID".into(), room.tracking_id().into()));
    Command {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        env,
        working_directory: room.layout().workspace.clone(),
    }
}

/// A script with a file of its own for its outputs, as each step of a job has.
fn step(room: &dyn Room, name: &str, script: &str) -> Command {
    let mut command = sh(room, script);
    command.env.push(("GITHUB_OUTPUT".into(), room.seen(&room.layout().scratch.join(name)).into()));
    command
}

fn run(room: &dyn Room, script: &str) -> End {
    finish(room, &sh(room, script))
}

fn run_ok(room: &dyn Room, script: &str) -> String {
    let end = run(room, script);
    assert_eq!(end.exit, Exit::Code(0), "{}", String::from_utf8_lossy(&end.stderr));
    String::from_utf8(end.stdout).expect("text")
}

fn finish(room: &dyn Room, command: &Command) -> End {
    until_end(&mut *room.start(command).expect("it starts"))
}

fn until_end(process: &mut dyn Process) -> End {
    let wake = Wake::new().expect("a bell");
    let (mut stdout, mut stderr, mut exit) = (Vec::new(), Vec::new(), None);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match process.next(&mut buffer, soon(), &wake).expect("a happening") {
            Happening::Output(Stream::Stdout) => stdout.extend_from_slice(&buffer),
            Happening::Output(Stream::Stderr) => stderr.extend_from_slice(&buffer),
            Happening::Exited(how) => exit = Some(how),
            Happening::Closed => return End { exit: exit.expect("the exit is told before"), stdout, stderr },
            other => panic!("unexpected: {other:?}"),
        }
    }
}

fn wait_for(process: &mut dyn Process, output: &[u8]) {
    let (wake, mut buffer) = (Wake::new().expect("a bell"), Vec::new());
    while buffer != output {
        let happening = process.next(&mut buffer, soon(), &wake).expect("a happening");
        assert!(matches!(happening, Happening::Output(_)), "unexpected: {happening:?}");
    }
}

fn soon() -> Option<Instant> {
    Some(Instant::now() + PATIENCE)
}

/// Waits until exactly these command lines remain: a process that was just started may not be what it is to become yet.
fn assert_remain(room: &dyn Room, expected: &[&str]) {
    let begun = Instant::now();
    loop {
        let found = commands(&room.remains());
        if found == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:?} remain, and not {expected:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn commands(remains: &[Remain]) -> Vec<String> {
    let mut commands: Vec<String> = remains.iter().map(|remain| remain.command.clone()).collect();
    commands.sort();
    commands
}

/// A path as the processes of the room know it.
fn shown(room: &dyn Room, path: &Path) -> String {
    room.seen(path).display().to_string()
}

/// Whether the process runs: one that nobody has waited for yet does not.
fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])))
}

fn names(folder: &Path) -> Vec<String> {
    let items = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        items.map(|item| item.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A folder of the test's own, removed after it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static FOLDERS: AtomicU64 = AtomicU64::new(1);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lineclear-contract-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that failed has more to say than this.
        let _ = fs::remove_dir_all(&self.0);
    }
}
