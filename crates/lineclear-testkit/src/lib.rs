//! What tests of the binary stand on: a repository made for one test, and `lineclear` run in it.
//!
//! [`Repository`] is a real git repository in a temporary folder with a home for Lineclear beside it; [`Run`] is what one run of the
//! binary said, event by event. A command that hangs is killed, and fails its test with what it had said until then.
//! This crate knows nothing of how Lineclear works inside: it sees what a user sees.

mod clients;
pub mod cosign;
pub mod images;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

pub use clients::{language_client, official_clients};

/// A command that takes longer hangs: the slowest of them needs a tenth of it on a busy machine with two cores.
const LONGEST: Duration = Duration::from_secs(150);

/// The folder of the examples.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// The binary of the same build as the running test: tests are in `deps/` beside it.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let build = test.parent().and_then(Path::parent).expect("tests are in a folder of the build");
    build.join(format!("lineclear{}", std::env::consts::EXE_SUFFIX))
}

/// A git repository on branch `main` with a home for Lineclear beside it; both go when it is dropped.
#[derive(Debug)]
pub struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    pub fn new(name: &str) -> Self {
        let folder =
            tempfile::Builder::new().prefix(&format!("lineclear-{name}-")).tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("repo")).expect("a new folder");
        let repository = Self { folder };
        repository
            .sh("git init -q -b main . && git config user.name Tester && git config user.email tester@example.org");
        repository
    }

    /// A repository with one commit that holds one workflow, `.github/workflows/w.yml`.
    pub fn with(name: &str, workflow: &str) -> Self {
        let repository = Self::new(name);
        repository.write(".github/workflows/w.yml", workflow);
        repository.commit("first");
        repository
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// Where Lineclear keeps its things in this test.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A file beside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.root().join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(file, text).expect("a written file");
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn sh(&self, script: &str) {
        let status = Command::new("bash").args(["-euc", script]).current_dir(self.root()).stdin(Stdio::null()).status();
        assert!(status.expect("bash starts").success(), "the script failed: {script}");
    }

    pub fn commit(&self, message: &str) {
        self.sh(&format!("git add -A && git commit -q --allow-empty -m '{message}'"));
    }

    /// The binary with arguments, ready to be started.
    pub fn lineclear(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(args)
            .current_dir(self.root())
            .env("LINECLEAR_HOME", self.home())
            .env("LINECLEAR_ACTIONS_DIR", examples().join("traps/actions"))
            // No test depends on what a server far away says today; one with a server of its own sets 0.
            .env("LINECLEAR_OFFLINE", "1")
            .stdin(Stdio::null());
        // What an outer run or a person has set must not decide here.
        for (name, _) in std::env::vars_os() {
            let outer = ["GITHUB_", "RUNNER_", "ACTIONS_", "LINECLEAR_LABELS", "NODE_OPTIONS"];
            let name = name.to_string_lossy();
            if name == "CI" || outer.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// Runs `lineclear run --format json` to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        let mut all = vec!["run", "--format", "json"];
        all.extend(args);
        Run::of(self.lineclear(&all))
    }

    /// Runs `lineclear plan --format json`: the exit code and the document.
    pub fn plan(&self, args: &[&str]) -> (i32, Value, String) {
        let mut all = vec!["plan", "--format", "json"];
        all.extend(args);
        let said = say(self.lineclear(&all));
        let document = serde_json::from_str(&said.stdout).unwrap_or(Value::Null);
        (said.exit, document, said.stderr)
    }

    /// Runs the binary to its end, whatever it prints.
    pub fn say(&self, args: &[&str]) -> Said {
        say(self.lineclear(args))
    }

    /// Every file below the home whose bytes contain `needle`, compressed ones unpacked.
    pub fn home_files_with(&self, needle: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.home(), &mut |path| {
            let Ok(bytes) = std::fs::read(path) else { return };
            let plain = Command::new("zstd").args(["-dcqf"]).arg(path).stderr(Stdio::null()).output();
            let plain = plain.map(|output| output.stdout).unwrap_or_default();
            if contains(&bytes, needle) || contains(&plain, needle) {
                found.push(path.to_owned());
            }
        });
        found
    }

    /// The folders of jobs that are still there.
    pub fn job_folders(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.home().join("work"), &mut |path| files.push(path.to_owned()));
        files.retain(|path| path.extension().is_none_or(|extension| extension != "lock"));
        files
    }
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), visit),
            Ok(_) => visit(&entry.path()),
            Err(_) => {}
        }
    }
}

/// Whether `text` contains `needle`.
pub fn contains(text: &[u8], needle: &str) -> bool {
    text.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Waits until `holds`, and says whether it did within the time.
pub fn within(time: Duration, holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + time;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether any process carries `mark` in its arguments or environment.
pub fn processes_with(mark: &str) -> Vec<u32> {
    let own = std::process::id();
    let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|number| *number != own)
        .filter(|number| {
            ["cmdline", "environ"]
                .iter()
                .any(|file| std::fs::read(format!("/proc/{number}/{file}")).is_ok_and(|text| contains(&text, mark)))
        })
        .collect()
}

/// What a command of the binary said.
#[derive(Debug)]
pub struct Said {
    /// -1 when a signal ended it.
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn say(command: Command) -> Said {
    Started::new(command).finish()
}

/// A command that runs.
#[derive(Debug)]
pub struct Started {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Started {
    pub fn new(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = collect(child.stdout.take().expect("a pipe"));
        let stderr = collect(child.stderr.take().expect("a pipe"));
        Self { child, stdout: Some(stdout), stderr: Some(stderr) }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(status.expect("kill starts").success(), "the process is there");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    pub fn finish(mut self) -> Said {
        let status = self.wait();
        let text = |bytes: Option<JoinHandle<Vec<u8>>>| {
            let bytes = bytes.and_then(|thread| thread.join().ok()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Said { exit: status.code().unwrap_or(-1), stdout: text(self.stdout.take()), stderr: text(self.stderr.take()) }
    }

    fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + LONGEST;
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status;
            }
            if Instant::now() > end {
                // Twice is Ctrl-C twice: everything it started ends with it.
                self.signal("INT");
                self.signal("INT");
                std::thread::sleep(Duration::from_secs(2));
                let _ = self.child.kill();
                panic!("the command hangs: it did not end within {LONGEST:?}");
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has given what there was.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// What one run of the binary said.
#[derive(Debug)]
pub struct Run {
    pub exit: i32,
    pub stderr: String,
    events: Vec<Value>,
}

impl Run {
    pub fn of(command: Command) -> Self {
        Self::from(say(command))
    }

    pub fn all(&self) -> &[Value] {
        &self.events
    }

    pub fn events<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["event"] == *kind)
    }

    /// The end of a job, by its key.
    pub fn job(&self, job: &str) -> Option<&Value> {
        self.events("job_finished").find(|event| event["job"] == *job)
    }

    /// A job's conclusion; empty if it has none.
    pub fn conclusion(&self, job: &str) -> &str {
        self.job(job).and_then(|event| event["conclusion"].as_str()).unwrap_or_default()
    }

    /// A job's output.
    pub fn output(&self, job: &str, name: &str) -> Option<&str> {
        self.job(job)?["outputs"][name].as_str()
    }

    /// The end of a step, by its job's key and its id.
    pub fn step(&self, job: &str, step: &str) -> Option<&Value> {
        self.events("step_finished").find(|event| event["job"] == *job && event["step"] == *step)
    }

    /// The log of a job, without the headers of its steps.
    pub fn log(&self, job: &str) -> Vec<String> {
        let mut in_header = false;
        let lines = self.events("log").filter(|event| event["job"] == *job);
        let lines = lines.map(|event| event["line"].as_str().unwrap_or_default().to_owned());
        lines
            .filter(|line| {
                in_header |= line.starts_with("##[group]Run ");
                let shown = !in_header;
                in_header &= line != "##[endgroup]";
                shown
            })
            .collect()
    }

    /// The headers of a job's steps: what they run, and with what.
    pub fn headers(&self, job: &str) -> String {
        let shown = self.log(job);
        let lines = self.events("log").filter(|event| event["job"] == *job);
        let lines = lines.map(|event| event["line"].as_str().unwrap_or_default().to_owned());
        lines.filter(|line| !shown.contains(line)).collect::<Vec<_>>().join("\n")
    }

    /// The conclusion of the last run.
    pub fn last(&self) -> &str {
        let last = self.events.last().filter(|event| event["event"] == "run_finished");
        last.and_then(|event| event["conclusion"].as_str()).unwrap_or_default()
    }

    /// Everything that happened, short enough to be read in a failed test.
    pub fn transcript(&self) -> String {
        let short = |event: &Value| {
            let mut event = event.clone();
            if let Some(event) = event.as_object_mut() {
                ["run", "at", "duration_ms", "plan_hash", "version"].iter().for_each(|key| {
                    event.remove(*key);
                });
            }
            format!("    {event}\n")
        };
        self.events.iter().map(short).collect::<String>() + &self.stderr
    }
}

impl From<Said> for Run {
    fn from(said: Said) -> Self {
        let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { exit: said.exit, events: said.stdout.lines().map(event).collect(), stderr: said.stderr }
    }
}
