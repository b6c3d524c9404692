//! What rooms, steps and copies cost: `cost steps N SCRIPT`, `cost rooms N SCRIPT`, `cost copy ROOT TARGET`.
//!
//! The benchmarks hold the figures against the bare minimum, such as `posix_spawn` of the same shell.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use lineclear_backend::{Backend, Command, Exit, Fill, Happening, Room, RoomRequest, Wake, Workspace};
use lineclear_backend_host::{GuardProgram, HostBackend, HostSettings, WorkingTree, guard};
use lineclear_event::{JobKey, RunId};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.get(1..).unwrap_or_default() {
        [first, ..] if *first == guard::ARGUMENT => return Ok(guard::main()),
        ["steps", count, script] => steps(&*open(&backend()?, 0)?, count.parse()?, script)?,
        ["rooms", count, script] => {
            let (backend, count) = (backend()?, count.parse::<u32>()?);
            let begun = Instant::now();
            for number in 0..count {
                let room = open(&backend, number)?;
                if !script.is_empty() {
                    step(&*room, script)?;
                }
                room.close()?;
            }
            report("room", begun, count);
        }
        ["copy", root, target] => {
            let begun = Instant::now();
            let tree = WorkingTree::new(root);
            fs::create_dir_all(target)?;
            tree.fill(Path::new(target))?;
            report("copy", begun, 1);
        }
        _ => return Err("usage: cost steps N SCRIPT | cost rooms N SCRIPT | cost copy ROOT TARGET".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn backend() -> Result<HostBackend, Box<dyn Error>> {
    let folder = std::env::temp_dir().join("lineclear-cost");
    let settings =
        HostSettings::new(folder.join("work"), folder.join("tools")).with_guard(GuardProgram::this_program());
    let backend = HostBackend::new(settings)?;
    backend.begin_guard();
    Ok(backend)
}

fn open(backend: &HostBackend, number: u32) -> Result<Box<dyn Room>, Box<dyn Error>> {
    let job = JobKey::new(format!("job-{number}"));
    let request =
        RoomRequest { run: RunId(1), job, repository: "widget".into(), workspace: Workspace::Empty, isolation: None };
    Ok(backend.open(&request)?)
}

fn steps(room: &dyn Room, count: u32, script: &str) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    for _ in 0..count {
        step(room, script)?;
    }
    report("step", begun, count);
    Ok(())
}

fn step(room: &dyn Room, script: &str) -> Result<(), Box<dyn Error>> {
    let mut env = room.base_env().to_vec();
    env.push(("RUNNER_TRACKING_ID".into(), room.tracking_id().into()));
    let words = ["--noprofile", "--norc", "-e", "-o", "pipefail", script];
    let mut process = room.start(&Command {
        program: "bash".into(),
        args: words.iter().map(Into::into).collect(),
        env,
        working_directory: room.layout().workspace.clone(),
    })?;
    let (wake, mut buffer) = (Wake::new()?, Vec::new());
    loop {
        buffer.clear();
        match process.next(&mut buffer, None, &wake)? {
            Happening::Exited(exit) if exit != Exit::Code(0) => return Err(format!("{exit:?}").into()),
            Happening::Closed => return Ok(()),
            _ => {}
        }
    }
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn report(what: &str, begun: Instant, count: u32) {
    let each = begun.elapsed() / count.max(1);
    println!("{what} n={count} each={:.1}us", each.as_secs_f64() * 1e6);
}
