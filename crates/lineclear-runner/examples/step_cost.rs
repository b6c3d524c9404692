//! What one more step costs, beside what starting its shell costs.
//!
//! ```text
//! cargo run --release -p lineclear-runner --example step_cost
//! ```
//! Prints medians of interleaved rounds: (100 steps − 1 step) / 99 through the runner and its host backend, the same number
//! of bare shell starts, the runner's own share of it, one more job, and a million lines of output.

#![allow(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lineclear_backend::{
    Backend, Exit, Happening, Layout, OpenError, Process, Remain, Room, RoomRequest, Signal, StartError, Wake,
    Workspace,
};
use lineclear_backend_host::{HostBackend, HostSettings};
use lineclear_event::{JobContexts, JobKey, JobSpec, RunEvent, RunId, Timestamp, WorkflowOrigin};
use lineclear_runner::{ActionSource, FetchedAction, JobControl, JobHands, JobSink, RunnerSettings, Secrets, run_job};
use lineclear_store::MemoryStore;
use serde_json::json;

#[derive(Default)]
struct Counter(AtomicU64);

impl JobSink for Counter {
    fn event(&self, _event: RunEvent) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn log(&self, _job: &JobKey, _step: &str, _at: Timestamp, lines: &[u8]) {
        self.0.fetch_add(lines.len() as u64, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct NoActions;

impl ActionSource for NoActions {
    fn fetch(&self, _owner: &str, _repo: &str, _reference: &str) -> Result<FetchedAction, String> {
        Err("there are no actions here".to_owned())
    }
}

/// A room in which every process has ended before it began.
#[derive(Debug)]
struct InstantRoom {
    layout: Layout,
    base_env: Vec<(OsString, OsString)>,
    started_with: Arc<Mutex<Vec<(OsString, OsString)>>>,
}

#[derive(Debug)]
struct InstantBackend {
    folder: PathBuf,
    started_with: Arc<Mutex<Vec<(OsString, OsString)>>>,
}

#[derive(Debug, Default)]
struct Ended {
    told: bool,
}

impl Process for Ended {
    fn next(&mut self, _buffer: &mut Vec<u8>, _until: Option<Instant>, _wake: &Wake) -> io::Result<Happening> {
        Ok(if std::mem::replace(&mut self.told, true) { Happening::Closed } else { Happening::Exited(Exit::Code(0)) })
    }

    fn signal(&mut self, _signal: Signal) -> io::Result<()> {
        Ok(())
    }
}

impl Backend for InstantBackend {
    fn open(&self, _request: &RoomRequest) -> Result<Box<dyn Room>, OpenError> {
        let layout = Layout {
            workspace: self.folder.join("repo/repo"),
            temp: self.folder.join("temp"),
            scratch: self.folder.join("scratch"),
            actions: self.folder.join("actions"),
            tool_cache: self.folder.join("tools"),
        };
        Ok(Box::new(InstantRoom {
            layout,
            base_env: std::env::vars_os().collect(),
            started_with: Arc::clone(&self.started_with),
        }))
    }
}

impl Room for InstantRoom {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn tracking_id(&self) -> &str {
        "github_0"
    }

    fn base_env(&self) -> &[(OsString, OsString)] {
        &self.base_env
    }

    fn start(&self, command: &lineclear_backend::Command) -> Result<Box<dyn Process>, StartError> {
        if let Ok(mut known) = self.started_with.lock()
            && known.is_empty()
        {
            known.clone_from(&command.env);
        }
        Ok(Box::new(Ended::default()))
    }

    fn remains(&self) -> Vec<Remain> {
        Vec::new()
    }

    fn close(self: Box<Self>) -> io::Result<Vec<Remain>> {
        Ok(Vec::new())
    }
}

struct Rig {
    backend: Box<dyn Backend>,
    store: Arc<MemoryStore>,
    settings: RunnerSettings,
}

impl Rig {
    fn new(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let backend = Box::new(HostBackend::new(HostSettings::new(folder.join("work"), folder.join("tools")))?);
        Ok(Self::on(backend))
    }

    fn on(backend: Box<dyn Backend>) -> Self {
        let settings = RunnerSettings { repository_root: PathBuf::from("."), ..RunnerSettings::default() };
        Self { backend, store: Arc::new(MemoryStore::default()), settings }
    }

    fn run(&self, text: &Arc<str>) -> Result<Duration, Box<dyn Error>> {
        let (sink, control) = (Counter::default(), JobControl::new()?);
        let spec = spec(text);
        let hands = JobHands {
            settings: &self.settings,
            backend: &*self.backend,
            containers: &lineclear_backend::NoContainers("the example has none"),
            doors: &lineclear_backend::NoDoors,
            images: None,
            reach: None,
            workspace: Workspace::Empty,
            caches: self.store.clone(),
            artifacts: self.store.clone(),
            forge: Arc::new(lineclear_forge::NoForge),
            caller: lineclear_forge::Caller::of_job(&spec),
            actions: &NoActions,
            natives: &[],
            sink: &sink,
            control: &control,
            clock: &|| Timestamp(0),
        };
        let began = Instant::now();
        let report = run_job(&spec, &Secrets::default(), &hands);
        let took = began.elapsed();
        match report.reason {
            Some(reason) => Err(reason.into()),
            None => Ok(took),
        }
    }
}

fn workflow(steps: usize, script: &str) -> Arc<str> {
    format!(
        "on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n{}",
        format!("    - run: {script}\n").repeat(steps)
    )
    .into()
}

fn spec(text: &Arc<str>) -> JobSpec {
    let github = json!({
        "actor": "octocat", "event": {}, "event_name": "push", "ref": "refs/heads/main", "ref_name": "main",
        "repository": "octo/repo", "repository_owner": "octo", "run_id": "1", "run_number": "1", "sha": "0".repeat(40),
        "server_url": "https://github.com", "workflow": "CI",
    });
    JobSpec {
        run: RunId(1),
        run_number: 1,
        attempt: 1,
        job: JobKey::new("job"),
        id: "job".into(),
        name: "job".into(),
        file: WorkflowOrigin::Local { path: ".github/workflows/ci.yml".into() },
        text: Arc::clone(text),
        contexts: JobContexts { github: Arc::new(github), ..JobContexts::default() },
        runs_on: vec!["self-hosted".into()],
        runner_group: None,
        environment: None,
        timeout_minutes: 360.0,
        permissions: BTreeMap::new(),
        secret_passages: Vec::new(),
    }
}

fn bare(script: &Path, times: u32, env: Option<&[(OsString, OsString)]>) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    for _ in 0..times {
        let mut command = Command::new("/usr/bin/bash");
        if let Some(env) = env {
            command.env_clear().envs(env.iter().cloned());
        }
        command.arg("-e").arg(script).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    }
    Ok(began.elapsed())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in("/dev/shm")?;
    let rig = Rig::new(folder.path())?;
    let started_with = Arc::default();
    let instant = Rig::on(Box::new(InstantBackend {
        folder: folder.path().join("instant"),
        started_with: Arc::clone(&started_with),
    }));
    let script = folder.path().join("script.sh");
    std::fs::write(&script, "true")?;
    let (one, hundred) = (workflow(1, "'true'"), workflow(100, "'true'"));
    let lines = workflow(1, "seq 1 1000000");
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let (mut owns, mut larges) = (vec![], vec![]);
    let (mut bares, mut steps, mut jobs, mut logs, mut seqs) = (vec![], vec![], vec![], vec![], vec![]);
    for round in 0..=15 {
        let own = (millis(instant.run(&hundred)?) - millis(instant.run(&one)?)) / 99.0;
        let env = started_with.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let large = millis(bare(&script, 99, Some(&env))?) / 99.0;
        let bare = millis(bare(&script, 99, None)?) / 99.0;
        let step = (millis(rig.run(&hundred)?) - millis(rig.run(&one)?)) / 99.0;
        let began = Instant::now();
        for _ in 0..50 {
            rig.run(&one)?;
        }
        let job = millis(began.elapsed()) / 50.0;
        let log = millis(rig.run(&lines)?);
        let began = Instant::now();
        let said = Command::new("/usr/bin/seq").args(["1", "1000000"]).output()?.stdout.len();
        let seq = millis(began.elapsed());
        assert!(said > 6_000_000, "the producer said it all");
        // The first round warms up.
        if round > 0 {
            bares.push(bare);
            owns.push(own);
            larges.push(large);
            steps.push(step);
            jobs.push(job);
            logs.push(log);
            seqs.push(seq);
        }
    }
    let (bare, step, job, log, seq) = (median(bares), median(steps), median(jobs), median(logs), median(seqs));
    println!("bare bash          {bare:8.3} ms");
    println!("  with a step's env{:8.3} ms", median(larges));
    println!("one more step      {step:8.3} ms   {:5.2} times", step / bare);
    println!("  the runner's own {:8.3} ms", median(owns));
    println!("one more job       {job:8.3} ms   {:5.2} times", job / bare);
    println!("a million lines    {log:8.3} ms   {:5.2} times their producer alone ({seq:.3} ms)", log / seq);
    Ok(())
}
