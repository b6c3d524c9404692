//! A repository, a store and a machine on which jobs run one after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use lineclear_backend::Workspace;
use lineclear_backend_host::{HostBackend, HostSettings, WorkingTree};
use lineclear_event::{
    AnnotationLevel, Conclusion, Fact, JobContexts, JobKey, JobSpec, RunEvent, RunId, Timestamp, UsedKind,
    WorkflowOrigin,
};
use lineclear_forge::ForgeApi;
use lineclear_runner::{ActionSource, FetchedAction, JobControl, JobHands, JobSink, RunnerSettings, Secrets, run_job};
use lineclear_store_folder::FolderStore;
use serde_json::{Value, json};
use tempfile::TempDir;

/// One machine with one repository.
pub(crate) struct Bench {
    folder: TempDir,
    /// The repository's working tree.
    pub(crate) root: PathBuf,
    /// Where other repositories are, as `owner/name`.
    pub(crate) repositories: PathBuf,
    pub(crate) store: Arc<FolderStore>,
    /// The `github` context of the next job.
    pub(crate) github: Value,
    pub(crate) settings: RunnerSettings,
    pub(crate) run: RunId,
    pub(crate) place: Place,
    /// The tool cache.
    pub(crate) tools: PathBuf,
    /// What `github.token` and the native actions talk to.
    pub(crate) forge: Arc<dyn ForgeApi>,
    pub(crate) permissions: BTreeMap<String, String>,
    now: AtomicI64,
}

/// Where jobs work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Copied,
    Itself,
    Empty,
}

/// What a job has done.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) conclusion: Conclusion,
    /// All lines, masked, without the groups that open the logs of steps.
    pub(crate) log: String,
    pub(crate) annotations: Vec<(AnnotationLevel, String)>,
    pub(crate) facts: Vec<Fact>,
    /// What the steps added to the job's summary.
    pub(crate) summary: String,
}

impl Done {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.conclusion, Conclusion::Success, "{}", self.log);
        self
    }

    #[track_caller]
    pub(crate) fn failed(self) -> Self {
        assert_eq!(self.conclusion, Conclusion::Failure, "{}", self.log);
        self
    }

    /// Whether all these texts are in the log.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.log.contains(text), "the log lacks `{text}`:\n{}", self.log);
        }
        self
    }

    #[track_caller]
    pub(crate) fn never_says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(!self.log.contains(text), "the log has `{text}`:\n{}", self.log);
        }
        self
    }

    /// What stands behind `name=` in a line of the log.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> &str {
        let start = format!("{name}=");
        self.log
            .lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_else(|| panic!("the log has no line `{start}…`:\n{}", self.log))
    }
}

impl Bench {
    /// A repository that is none yet: only files.
    pub(crate) fn without_git(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("home").join("app");
        write(&root, files);
        let repositories = folder.path().join("repositories");
        Self {
            root,
            repositories,
            store: Arc::new(FolderStore::open(folder.path().join("store")).expect("a store")),
            github: json!({
                "actor": "octocat",
                "base_ref": "",
                "event": { "repository": { "default_branch": "main", "id": 1 } },
                "event_name": "push",
                "head_ref": "",
                "ref": "refs/heads/main",
                "ref_name": "main",
                "ref_type": "branch",
                "repository": "octo/App",
                "repository_owner": "octo",
                "run_id": "42",
                "run_number": "3",
                "server_url": "https://github.com",
                "sha": "0000000000000000000000000000000000000000",
                "workflow": "CI",
            }),
            settings: RunnerSettings {
                name: "bench".into(),
                token: "lct_made-here".into(),
                store_repository: "octo/App".into(),
                ..RunnerSettings::default()
            },
            run: RunId(42),
            place: Place::Copied,
            tools: folder.path().join("tools"),
            forge: Arc::new(lineclear_forge::NoForge),
            permissions: BTreeMap::new(),
            now: AtomicI64::new(1_700_000_000_000),
            folder,
        }
    }

    /// A repository with these files in its one commit, on `main`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let mut bench = Self::without_git(files);
        git(&bench.root, &["init", "--quiet", "-b", "main"]);
        bench.commit("first", &[]);
        bench
    }

    /// With the tool cache that all tests share, where what takes long is made once.
    pub(crate) fn with_shared_tools(mut self) -> Self {
        self.tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("native-tools");
        self
    }

    /// Writes files and commits all there is; the next job is about that commit.
    pub(crate) fn commit(&mut self, message: &str, files: &[(&str, &str)]) -> String {
        write(&self.root, files);
        git(&self.root, &["add", "--all"]);
        git(&self.root, &["commit", "--quiet", "--allow-empty", "-m", message]);
        let sha = git(&self.root, &["rev-parse", "HEAD"]);
        self.github["sha"] = sha.clone().into();
        sha
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.root, args)
    }

    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        write(&self.root, files);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn about(&mut self, reference: &str) -> &mut Self {
        self.github["ref"] = reference.into();
        let short = reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/tags/"));
        self.github["ref_name"] = short.or_else(|| reference.strip_prefix("refs/pull/")).unwrap_or(reference).into();
        self
    }

    /// Runs a job of these steps.
    pub(crate) fn job(&self, steps: &str) -> Done {
        self.job_with("", steps)
    }

    /// Runs a job with these keys beside its steps.
    pub(crate) fn job_with(&self, keys: &str, steps: &str) -> Done {
        self.job_until(None, keys, steps)
    }

    /// Runs a job, and cancels it as soon as its log has this text.
    pub(crate) fn job_until(&self, text_of_end: Option<&str>, keys: &str, steps: &str) -> Done {
        let indent =
            |text: &str| text.trim_matches('\n').lines().map(|line| format!("    {line}\n")).collect::<String>();
        let text =
            format!("on: push\njobs:\n  job:\n    runs-on: self-hosted\n{}    steps:\n{}", indent(keys), indent(steps));
        let mut settings = self.settings.clone();
        settings.repository_root = self.root.clone();
        let work = self.folder.path().join("work");
        let backend = HostBackend::new(HostSettings::new(&work, &self.tools)).expect("a backend");
        let sink = Sink::default();
        let control = JobControl::new().expect("an event descriptor");
        let mut natives = lineclear_native::all_with(Some(self.repositories.clone()));
        let known: Arc<dyn lineclear_native::Vulnerabilities> = Arc::new(crate::scanning::Records);
        natives.extend(lineclear_native::scanning(&known));
        let spec = self.spec(&text);
        let hands = JobHands {
            settings: &settings,
            backend: &backend,
            containers: &lineclear_backend::NoContainers("the bench has none"),
            doors: &lineclear_backend::NoDoors,
            images: None,
            reach: None,
            workspace: match self.place {
                Place::Copied => Workspace::Copy(Arc::new(WorkingTree::new(&self.root))),
                Place::Itself => Workspace::InPlace(self.root.clone()),
                Place::Empty => Workspace::Empty,
            },
            caches: self.store.clone(),
            artifacts: self.store.clone(),
            forge: Arc::clone(&self.forge),
            caller: lineclear_forge::Caller::of_job(&spec),
            actions: &NoActions,
            natives: &natives,
            sink: &sink,
            control: &control,
            // Each look at the clock is later than the one before, so that of two caches one is the newer.
            clock: &|| Timestamp(self.now.fetch_add(1, Ordering::Relaxed)),
        };
        let is_over = AtomicBool::new(false);
        let report = std::thread::scope(|scope| {
            if let Some(text) = text_of_end {
                let (is_over, sink, control) = (&is_over, &sink, &control);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        if sink.0.lock().expect("no panics").log.contains(text) {
                            return control.cancel();
                        }
                        std::thread::sleep(std::time::Duration::from_millis(20));
                    }
                });
            }
            let report = run_job(&spec, &Secrets::default(), &hands);
            is_over.store(true, Ordering::Relaxed);
            report
        });
        let Seen { mut log, annotations, facts, summary } = sink.0.into_inner().expect("no test panics while it logs");
        if let Some(reason) = &report.reason {
            log.push_str(&format!("\n= {reason}"));
        }
        Done { conclusion: report.conclusion, log, annotations, facts, summary }
    }

    fn spec(&self, text: &str) -> JobSpec {
        JobSpec {
            run: self.run,
            run_number: 3,
            attempt: 1,
            // Jobs may run at the same time, each in folders of its own.
            job: JobKey::new(format!("job-{}", self.now.fetch_add(1, Ordering::Relaxed))),
            id: "job".into(),
            name: "job".into(),
            file: WorkflowOrigin::Local { path: ".github/workflows/ci.yml".into() },
            text: text.into(),
            contexts: JobContexts {
                github: Arc::new(self.github.clone()),
                needs: Arc::new(json!({})),
                matrix: Value::Null,
                strategy: json!({ "fail-fast": true, "job-index": 0, "job-total": 1, "max-parallel": 1 }),
                inputs: Arc::new(json!({})),
                vars: Arc::new(json!({})),
            },
            runs_on: vec!["self-hosted".into()],
            runner_group: None,
            environment: None,
            timeout_minutes: 360.0,
            permissions: self.permissions.clone(),
            secret_passages: Vec::new(),
        }
    }
}

pub(crate) fn write(root: &Path, files: &[(&str, &str)]) {
    std::fs::create_dir_all(root).expect("a folder");
    for (path, text) in files {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("a folder");
        std::fs::write(file, text).expect("writes");
    }
}

#[track_caller]
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "protocol.file.allow=always", "-c", "safe.directory=*", "-c", "commit.gpgsign=false"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.org")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.org")])
        .output()
        .expect("git is here");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

#[derive(Debug)]
struct NoActions;

impl ActionSource for NoActions {
    fn fetch(&self, owner: &str, repo: &str, reference: &str) -> Result<FetchedAction, String> {
        Err(format!("the action `{owner}/{repo}@{reference}` is not on the bench"))
    }
}

#[derive(Debug, Default)]
struct Seen {
    log: String,
    annotations: Vec<(AnnotationLevel, String)>,
    facts: Vec<Fact>,
    summary: String,
}

#[derive(Debug, Default)]
struct Sink(Mutex<Seen>);

impl JobSink for Sink {
    fn event(&self, event: RunEvent) {
        let mut seen = self.0.lock().expect("no panics");
        match event {
            RunEvent::Annotation(annotation) => seen.annotations.push((annotation.level, annotation.message)),
            // Which actions a job used is told by the runner, for every action.
            RunEvent::Fact { fact: Fact::Used { kind: UsedKind::Action, .. }, .. } => {}
            RunEvent::Fact { fact, .. } => seen.facts.push(fact),
            RunEvent::Summary { markdown, .. } => seen.summary.push_str(&markdown),
            _ => {}
        }
    }

    fn log(&self, _job: &JobKey, _step: &str, _at: Timestamp, lines: &[u8]) {
        self.0.lock().expect("no panics").log.push_str(std::str::from_utf8(lines).expect("valid text"));
    }
}
