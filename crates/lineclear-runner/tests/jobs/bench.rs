//! Runs one job through the host backend and writes down what happened, compactly.
//!
//! ```text
//! > __run: Run echo hello          a step began
//!   hello                          a line of its log (the group that opens a step's log is left out)
//!   ! error: Process completed …   an annotation
//! < __run failure (exit code 1)    it ended; `failure/success` where conclusion and outcome differ
//! - skipped: reason                a step that did not run
//! = failure: reason                the job's report, then its outputs
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use expect_test::Expect;
use lineclear_backend::{Fill, Workspace};
use lineclear_backend_host::{HostBackend, HostSettings};
use lineclear_event::{
    Conclusion, Fact, JobContexts, JobKey, JobReport, JobSpec, Outcome, RunEvent, RunId, SecretPassage, Timestamp,
    UsedKind, WorkflowOrigin,
};
use lineclear_runner::native::NativeAction;
use lineclear_runner::{ActionSource, FetchedAction, JobControl, JobHands, JobSink, RunnerSettings, Secrets, run_job};
use lineclear_store::MemoryStore;
use serde_json::{Value, json};

/// What a test's job is made of.
pub(crate) struct Bench {
    job: String,
    root: String,
    files: Vec<(String, String)>,
    actions: BTreeMap<String, Vec<(String, String)>>,
    natives: Vec<Box<dyn NativeAction>>,
    pub(crate) settings: RunnerSettings,
    pub(crate) secrets: Secrets,
    pub(crate) passages: Vec<SecretPassage>,
    pub(crate) matrix: Value,
    pub(crate) inputs: Value,
    pub(crate) needs: Value,
    pub(crate) vars: Value,
    pub(crate) environment: Option<String>,
    pub(crate) runs_on: Vec<String>,
    headers: bool,
    grouped: bool,
    control: JobControl,
    act: Vec<(String, Act)>,
}

/// What the test does when a line appears in the log.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    Cancel,
    Kill,
}

/// What happened.
pub(crate) struct Happened {
    pub(crate) transcript: String,
    pub(crate) report: JobReport,
    pub(crate) log: String,
    pub(crate) took: Duration,
    /// Where the job's folders were.
    pub(crate) work: PathBuf,
}

/// Runs a job given by its keys (`steps:` and whatever else) and compares what happened.
pub(crate) fn check_job(job: &str, expected: Expect) {
    Bench::new(job).check(expected);
}

impl Bench {
    pub(crate) fn new(job: &str) -> Self {
        Self {
            job: job.to_owned(),
            root: String::new(),
            files: Vec::new(),
            actions: BTreeMap::new(),
            natives: Vec::new(),
            settings: RunnerSettings {
                name: "bench".into(),
                token: "t0ken-of-the-job".into(),
                store_repository: "octo/Repo".into(),
                ..RunnerSettings::default()
            },
            secrets: Secrets::default(),
            passages: Vec::new(),
            matrix: Value::Null,
            inputs: json!({}),
            needs: json!({}),
            vars: json!({}),
            environment: None,
            runs_on: vec!["self-hosted".into()],
            headers: false,
            grouped: false,
            control: JobControl::new().expect("an event descriptor"),
            act: Vec::new(),
        }
    }

    /// Keys of the workflow beside `on` and `jobs`.
    pub(crate) fn root(mut self, root: &str) -> Self {
        self.root = root.to_owned();
        self
    }

    /// A file of the workspace.
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// A file of a remote action, `owner/repo@ref`.
    pub(crate) fn action(mut self, name: &str, path: &str, text: &str) -> Self {
        self.actions.entry(name.to_owned()).or_default().push((path.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn native(mut self, action: impl NativeAction + 'static) -> Self {
        self.natives.push(Box::new(action));
        self
    }

    pub(crate) fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.of_run.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Shows the groups that open the logs of steps.
    pub(crate) fn headers(mut self) -> Self {
        self.headers = true;
        self
    }

    /// Shows step by step what happened, for steps that run at the same time.
    pub(crate) fn grouped(mut self) -> Self {
        self.grouped = true;
        self
    }

    /// Does something as soon as `line` is in the log.
    pub(crate) fn when(mut self, line: &str, act: Act) -> Self {
        self.act.push((line.to_owned(), act));
        self
    }

    pub(crate) fn check(self, expected: Expect) -> Happened {
        let happened = self.run();
        expected.assert_eq(&happened.transcript);
        happened
    }

    pub(crate) fn run(self) -> Happened {
        let folder = tempfile::tempdir().expect("a folder");
        let (work, remote) = (folder.path().join("work"), folder.path().join("remote"));
        let indented: String = self.job.lines().map(|line| format!("    {line}\n")).collect();
        let text = format!("on: push\n{}\njobs:\n  job:\n    runs-on: ubuntu-latest\n{indented}", self.root);
        write_all(&folder.path().join("repository"), &self.files);
        for (name, files) in &self.actions {
            write_all(&remote.join(name), files);
        }
        let mut settings = self.settings.clone();
        settings.repository_root = folder.path().join("repository");
        let spec = self.spec(&text);
        let sink = Sink { seen: Mutex::default(), control: self.control.clone(), act: Mutex::new(self.act.clone()) };
        let backend = HostBackend::new(HostSettings::new(&work, folder.path().join("tools"))).expect("a backend");
        let source = Source { folder: remote };
        let store = Arc::new(MemoryStore::default());
        let began = Instant::now();
        let hands = JobHands {
            settings: &settings,
            backend: &backend,
            containers: &lineclear_backend::NoContainers("the bench has none"),
            doors: &lineclear_backend::NoDoors,
            images: None,
            reach: None,
            workspace: Workspace::Copy(Arc::new(Files(self.files.clone()))),
            caches: store.clone(),
            artifacts: store.clone(),
            forge: Arc::new(lineclear_forge::NoForge),
            caller: lineclear_forge::Caller::of_job(&spec),
            actions: &source,
            natives: &self.natives,
            sink: &sink,
            control: &self.control,
            clock: &|| Timestamp(0),
        };
        let report = run_job(&spec, &self.secrets, &hands);
        let took = began.elapsed();
        let seen = std::mem::take(&mut *sink.seen.lock().expect("no test panics while it logs"));
        for secret in self.secrets.of_run.values().chain(self.secrets.of_environment.values()) {
            assert!(!seen.everything().contains(secret.as_str()), "a secret was told: {}", seen.everything());
            assert!(!format!("{report:?}").contains(secret.as_str()), "a secret was reported: {report:?}");
        }
        let mut transcript = if self.grouped { seen.grouped() } else { seen.transcript(self.headers) };
        let _ = writeln!(transcript, "= {}{}", report.conclusion, after(": ", report.reason.as_deref()));
        for (name, value) in &report.outputs {
            let _ = writeln!(transcript, "  {name} = {value}");
        }
        let transcript = redact(&transcript, folder.path());
        Happened { transcript, report, log: seen.log(), took, work }
    }

    fn spec(&self, text: &str) -> JobSpec {
        let github = json!({
            "actor": "octocat",
            "event": { "number": 7 },
            "event_name": "push",
            "ref": "refs/heads/main",
            "ref_name": "main",
            "ref_protected": false,
            "ref_type": "branch",
            "repository": "octo/Repo",
            "repository_owner": "octo",
            "repositoryUrl": "git://github.com/octo/Repo.git",
            "run_id": "42",
            "run_number": "3",
            "server_url": "https://github.com",
            "sha": "0123456789abcdef0123456789abcdef01234567",
            "workflow": "CI",
            "workflow_ref": "octo/Repo/.github/workflows/ci.yml@refs/heads/main",
        });
        JobSpec {
            run: RunId(42),
            run_number: 3,
            attempt: 1,
            job: JobKey::new("job"),
            id: "job".into(),
            name: "job".into(),
            file: WorkflowOrigin::Local { path: ".github/workflows/ci.yml".into() },
            text: text.into(),
            contexts: JobContexts {
                github: Arc::new(github),
                needs: Arc::new(self.needs.clone()),
                matrix: self.matrix.clone(),
                strategy: json!({ "fail-fast": true, "job-index": 0, "job-total": 1, "max-parallel": 1 }),
                inputs: Arc::new(self.inputs.clone()),
                vars: Arc::new(self.vars.clone()),
            },
            runs_on: self.runs_on.clone(),
            runner_group: None,
            environment: self.environment.clone(),
            timeout_minutes: 360.0,
            permissions: BTreeMap::new(),
            secret_passages: self.passages.clone(),
        }
    }
}

fn after(before: &str, text: Option<&str>) -> String {
    text.map(|text| format!("{before}{text}")).unwrap_or_default()
}

/// Paths of this run get names.
fn redact(text: &str, folder: &Path) -> String {
    let mut text = text.to_owned();
    let folder = folder.to_string_lossy();
    while let Some(at) = text.find(&*folder) {
        // The part of a path that names the job's own folder differs from run to run.
        let end = text[at..].find(['\n', ' ', '`', ':', '"', ',']).map_or(text.len(), |end| at + end);
        let path = text[at..end].to_owned();
        let tail = ["/Repo/Repo", "/_temp", "/remote", "/repository", "/tools"].iter().find_map(|name| {
            path.split_once(name).map(|(_, tail)| {
                format!("${}{tail}", name.rsplit('/').next().unwrap_or_default().trim_start_matches('_').to_uppercase())
            })
        });
        text.replace_range(at..end, &tail.unwrap_or_else(|| "$PATH".into()));
    }
    text
}

fn write_all(root: &Path, files: &[(String, String)]) {
    for (path, text) in files {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("a folder");
        std::fs::write(file, text).expect("writes");
    }
}

#[derive(Debug)]
struct Files(Vec<(String, String)>);

impl Fill for Files {
    fn fill(&self, workspace: &Path) -> std::io::Result<()> {
        write_all(workspace, &self.0);
        Ok(())
    }
}

#[derive(Debug)]
struct Source {
    folder: PathBuf,
}

impl ActionSource for Source {
    fn fetch(&self, owner: &str, repo: &str, reference: &str) -> Result<FetchedAction, String> {
        let name = format!("{owner}/{repo}@{reference}");
        let folder = self.folder.join(&name);
        if folder.is_dir() {
            Ok(FetchedAction { folder, sha: None })
        } else {
            Err(format!("the action `{name}` is not on the bench"))
        }
    }
}

#[derive(Clone)]
enum Seen {
    Event(RunEvent),
    Log(String, String),
}

#[derive(Default)]
struct Record(Vec<Seen>);

struct Sink {
    seen: Mutex<Record>,
    control: JobControl,
    act: Mutex<Vec<(String, Act)>>,
}

impl JobSink for Sink {
    fn event(&self, event: RunEvent) {
        self.seen.lock().expect("no panics").0.push(Seen::Event(event));
    }

    fn log(&self, _job: &JobKey, step: &str, _at: Timestamp, lines: &[u8]) {
        assert_eq!(lines.last(), Some(&b'\n'), "only whole lines are handed on");
        let text = String::from_utf8(lines.to_vec()).expect("valid text");
        self.act.lock().expect("no panics").retain(|(line, act)| {
            let is_there = text.lines().any(|said| said == line);
            match (is_there, act) {
                (false, _) => {}
                (true, Act::Cancel) => self.control.cancel(),
                (true, Act::Kill) => self.control.kill(),
            }
            !is_there
        });
        self.seen.lock().expect("no panics").0.push(Seen::Log(step.to_owned(), text));
    }
}

impl Record {
    fn log(&self) -> String {
        self.0
            .iter()
            .filter_map(|seen| match seen {
                Seen::Log(_, text) => Some(text.as_str()),
                Seen::Event(_) => None,
            })
            .collect()
    }

    /// Every text of every event and line.
    fn everything(&self) -> String {
        self.0
            .iter()
            .map(|seen| match seen {
                Seen::Event(event) => serde_json::to_string(event).expect("plain data"),
                Seen::Log(step, text) => format!("{step}\n{text}"),
            })
            .collect()
    }

    /// The same, step by step in the order of their ids.
    fn grouped(&self) -> String {
        let mut steps: BTreeMap<&str, Record> = BTreeMap::new();
        for seen in &self.0 {
            let step = match seen {
                Seen::Log(step, _) => step.as_str(),
                Seen::Event(
                    RunEvent::StepStarted { step, .. }
                    | RunEvent::StepFinished { step, .. }
                    | RunEvent::Summary { step, .. },
                ) => step,
                Seen::Event(RunEvent::Annotation(annotation)) => &annotation.step,
                Seen::Event(_) => "",
            };
            steps.entry(step).or_default().0.push(seen.clone());
        }
        steps.values().map(|record| record.transcript(false)).collect()
    }

    fn transcript(&self, headers: bool) -> String {
        let mut text = String::new();
        let mut in_header = false;
        for seen in &self.0 {
            match seen {
                Seen::Event(event) => text.push_str(&line_of(event)),
                Seen::Log(_, lines) => {
                    for line in lines.lines() {
                        if !headers && line.starts_with("##[group]Run ") {
                            in_header = true;
                        }
                        // The line of an annotation stands right above it.
                        let told = ["##[error]", "##[warning]", "##[notice]"].iter().any(|mark| line.starts_with(mark));
                        if !in_header && !told {
                            let _ = writeln!(text, "  {}", line.replace('\x1b', "^"));
                        }
                        if in_header && line == "##[endgroup]" {
                            in_header = false;
                        }
                    }
                }
            }
        }
        text
    }
}

fn line_of(event: &RunEvent) -> String {
    match event {
        RunEvent::StepStarted { step, name, .. } => format!("> {step}: {name}\n"),
        // Every call of an action tells its version; what tests compare is what the job does.
        RunEvent::Fact { fact: Fact::Used { kind: UsedKind::Action, .. }, .. } => String::new(),
        RunEvent::Annotation(annotation) => {
            let place = match (&annotation.file, annotation.line) {
                (Some(file), Some(line)) => format!(" ({file}:{line})"),
                (Some(file), None) => format!(" ({file})"),
                _ => String::new(),
            };
            format!("  ! {:?}{place}: {}\n", annotation.level, annotation.message)
        }
        RunEvent::Summary { markdown, .. } => format!("  summary: {markdown}\n"),
        RunEvent::StepFinished { step, name, outcome: Outcome::Skipped, reason, .. } => {
            format!("- {step}: {name}: {}\n", reason.as_deref().unwrap_or_default())
        }
        RunEvent::StepFinished { step, outcome, conclusion, reason, .. } => {
            let conclusion = match (Conclusion::from(*outcome) == *conclusion, conclusion) {
                (true, _) => String::new(),
                (false, conclusion) => format!("/{conclusion}"),
            };
            format!(
                "< {step} {outcome}{conclusion}{}\n",
                reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
            )
        }
        RunEvent::Notice { level, message } => format!("! {level:?}: {message}\n"),
        other => format!("{other:?}\n"),
    }
}
