//! The contexts of a job, and what an expression of a step sees of them.
//!
//! # Source
//! Sections 3.6, 3.10 and 3.11 of the protocol notes. Which context may be named where is enforced by the workflow's reader.

use std::cell::{OnceCell, RefCell};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use lineclear_backend::{ContainersFacts, Layout};
use lineclear_command::SharedMasker;
use lineclear_event::{JobContexts, JobSpec, WorkflowOrigin};
use lineclear_expr::{MapScope, Object, Scope, StatusFunction, Value};
use serde_json::Value as Json;

use crate::command_files::CommandFiles;
use crate::environment::{self, Env};
use crate::frame::{Frame, Identity, Status};
use crate::hash_files;
use crate::job::Job;

/// Values that are the same for all steps of a job, made when they are first asked for.
#[derive(Debug)]
pub(crate) struct Contexts {
    /// Without what belongs to a step.
    pub(crate) github: Value,
    pub(crate) runner: Value,
    pub(crate) secrets: Value,
    needs: Lazy,
    strategy: Lazy,
    matrix: Lazy,
    inputs: Lazy,
    vars: Lazy,
}

#[derive(Debug)]
struct Lazy {
    json: Arc<Json>,
    value: OnceLock<Value>,
}

impl Lazy {
    fn new(json: Arc<Json>) -> Self {
        Self { json, value: OnceLock::new() }
    }

    fn get(&self) -> Value {
        self.value.get_or_init(|| Value::from_json(&self.json)).clone()
    }
}

impl Contexts {
    pub(crate) fn new(spec: &JobSpec, github: Value, runner: Value, secrets: Value) -> Self {
        let contexts = &spec.contexts;
        Self {
            github,
            runner,
            secrets,
            needs: Lazy::new(Arc::clone(&contexts.needs)),
            strategy: Lazy::new(Arc::new(contexts.strategy.clone())),
            matrix: Lazy::new(Arc::new(contexts.matrix.clone())),
            inputs: Lazy::new(Arc::clone(&contexts.inputs)),
            vars: Lazy::new(Arc::clone(&contexts.vars)),
        }
    }

    pub(crate) fn inputs(&self) -> Value {
        self.inputs.get()
    }
}

/// The `github` context with what the runner knows of the job, but not yet of a step.
pub(crate) fn github(spec: &JobSpec, layout: &Layout, token: &str, event_path: &str) -> Value {
    let mut github = match Value::from_json(&spec.contexts.github) {
        Value::Object(github) => Arc::unwrap_or_clone(github),
        _ => Object::new(),
    };
    github.insert("job", spec.id.as_str());
    github.insert("token", token);
    github.insert("workspace", layout.workspace.to_string_lossy().into_owned());
    github.insert("event_path", event_path);
    github.into()
}

/// The contexts as the plan has them, before a runner adds to them what it knows.
pub(crate) fn as_planned(contexts: &JobContexts) -> MapScope {
    let named = [
        ("github", Value::from_json(&contexts.github)),
        ("needs", Value::from_json(&contexts.needs)),
        ("matrix", Value::from_json(&contexts.matrix)),
        ("strategy", Value::from_json(&contexts.strategy)),
        ("inputs", Value::from_json(&contexts.inputs)),
        ("vars", Value::from_json(&contexts.vars)),
    ];
    MapScope { contexts: named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

/// The `runner` context.
pub(crate) fn runner(name: &str, layout: &Layout, debug: bool) -> Value {
    let folder = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let mut runner = Object::new();
    runner.insert("name", name);
    runner.insert("os", operating_system());
    runner.insert("arch", architecture());
    runner.insert("temp", folder(&layout.temp));
    runner.insert("tool_cache", folder(&layout.tool_cache));
    if debug {
        runner.insert("debug", "1");
    }
    runner.insert("environment", "self-hosted");
    runner.insert("workspace", folder(layout.workspace.parent().unwrap_or(&layout.workspace)));
    runner.into()
}

/// `runner.os` of this machine.
pub(crate) fn operating_system() -> &'static str {
    match std::env::consts::OS {
        "macos" => "macOS",
        "windows" => "Windows",
        _ => "Linux",
    }
}

/// `runner.arch` of this machine.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "ARM64",
        "arm" => "ARM",
        "x86" => "X86",
        _ => "X64",
    }
}

/// Which step an expression belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker<'s> {
    /// `github.action`.
    pub(crate) step: &'s str,
    /// The step's own `env`, where it is known already.
    pub(crate) env: Option<&'s Env>,
    /// The step's command files, where they exist already.
    pub(crate) files: Option<&'s CommandFiles>,
}

/// How the status functions answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusView {
    /// As the steps stand now.
    Now,
    /// As they would if the job were cancelled now.
    IfCancelled,
    /// As the job stands, also inside a composite action: conditions of `pre` and `post`.
    OfJob,
}

/// Patterns and what they were hashed to.
type Hashed = (Vec<String>, Result<String, String>);

/// What one expression sees.
#[derive(Debug)]
pub(crate) struct StepScope<'s> {
    job: &'s Job<'s>,
    env: &'s Env,
    frame: &'s Frame,
    speaker: Speaker<'s>,
    pub(crate) view: StatusView,
    github_value: OnceCell<Value>,
    env_value: OnceCell<Value>,
    /// A condition may be asked twice, but no files are hashed twice for it.
    hashes: RefCell<Vec<Hashed>>,
}

impl<'s> StepScope<'s> {
    /// `env` is the job's environment as it stands now.
    pub(crate) fn new(job: &'s Job<'s>, env: &'s Env, frame: &'s Frame, speaker: Speaker<'s>) -> Self {
        Self {
            job,
            env,
            frame,
            speaker,
            view: StatusView::Now,
            github_value: OnceCell::new(),
            env_value: OnceCell::new(),
            hashes: RefCell::default(),
        }
    }

    pub(crate) fn masker(&self) -> &SharedMasker {
        &self.job.masker
    }

    fn github(&self) -> Value {
        let Value::Object(fixed) = &self.job.contexts.github else { return Value::Null };
        let mut github = Object::clone(fixed);
        github.insert("action", self.speaker.step);
        let Identity { folder, repository, reference } = &self.frame.identity;
        github.insert("action_repository", repository.as_str());
        github.insert("action_ref", reference.as_str());
        if let Some(folder) = folder {
            github.insert("action_path", folder.to_string_lossy().into_owned());
            github.insert("action_status", self.frame.status.as_str());
        }
        if let Some(files) = self.speaker.files {
            for (key, path) in files.paths() {
                github.insert(key, path.to_string_lossy().into_owned());
            }
        }
        github.into()
    }

    fn env(&self) -> Value {
        let none = Env::default();
        environment::context(&[self.env, &self.frame.calling_env, self.speaker.env.unwrap_or(&none)])
    }

    fn job_context(&self) -> Value {
        let mut job = Object::new();
        job.insert("status", self.job_status().as_str());
        if let Some(facts) = self.job.containers.facts() {
            insert_containers(&mut job, facts);
        }
        // Of the file that holds the job: `github` tells of the one that the event started.
        let github = |key: &str| self.job.contexts.github.get(key);
        let (reference, sha) = match &self.job.spec.file {
            WorkflowOrigin::Local { path } => {
                let repository = github("repository").to_text();
                let reference = format!("{repository}/{path}@{}", github("ref").to_text());
                (reference, Some(github("workflow_sha")))
            }
            WorkflowOrigin::Remote { owner, repo, path, reference } => {
                let is_sha = reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
                (format!("{owner}/{repo}/{path}@{reference}"), is_sha.then(|| Value::string(reference.as_str())))
            }
        };
        job.insert("workflow_ref", reference);
        if let Some(sha) = sha {
            job.insert("workflow_sha", sha);
        }
        let (repository, path) = self.job.workflow_place();
        job.insert("workflow_repository", repository);
        job.insert("workflow_file_path", path);
        job.into()
    }

    fn job_status(&self) -> Status {
        if self.is_cancelled() { Status::Cancelled } else { self.frame.job_status.unwrap_or(self.frame.status) }
    }

    fn is_cancelled(&self) -> bool {
        self.view == StatusView::IfCancelled || self.job.hands.control.is_cancelled()
    }

    /// The status that `success()` and `failure()` look at: inside a composite action its own, otherwise the job's.
    pub(crate) fn asked_status(&self) -> Status {
        if self.frame.is_composite() && self.view != StatusView::OfJob { self.frame.status } else { self.job_status() }
    }
}

/// `job.container` and `job.services`, as far as the job has them.
///
/// # Source
/// Section 3.11 of the protocol notes. Ports are texts on both sides (trap 79).
fn insert_containers(job: &mut Object, facts: &ContainersFacts) {
    if let Some(id) = &facts.container {
        let mut container = Object::new();
        container.insert("id", id.as_str());
        container.insert("network", facts.network.as_str());
        job.insert("container", container);
    }
    if facts.services.is_empty() {
        return;
    }
    let mut services = Object::new();
    for service in &facts.services {
        let mut ports = Object::new();
        for (inside, outside) in &service.ports {
            ports.insert(inside.as_str(), outside.as_str());
        }
        let mut known = Object::new();
        known.insert("id", service.container.as_str());
        known.insert("network", facts.network.as_str());
        known.insert("ports", ports);
        services.insert(service.id.as_str(), known);
    }
    job.insert("services", services);
}

impl Scope for StepScope<'_> {
    fn context(&self, name: &str) -> Option<Value> {
        let contexts = &self.job.contexts;
        Some(match name {
            "github" => self.github_value.get_or_init(|| self.github()).clone(),
            "env" => self.env_value.get_or_init(|| self.env()).clone(),
            "steps" => Value::Object(Arc::clone(&self.frame.steps)),
            "inputs" => self.frame.inputs.clone(),
            "job" => self.job_context(),
            "runner" => contexts.runner.clone(),
            "strategy" => contexts.strategy.get(),
            "matrix" => contexts.matrix.get(),
            // A composite action gets what it needs as inputs, never these.
            "secrets" | "needs" | "vars" if self.frame.is_composite() => return None,
            "secrets" => contexts.secrets.clone(),
            "needs" => contexts.needs.get(),
            "vars" => contexts.vars.get(),
            _ => return None,
        })
    }

    fn status(&self, function: StatusFunction, _args: &[String]) -> Option<bool> {
        Some(match function {
            StatusFunction::Always => true,
            StatusFunction::Cancelled => self.is_cancelled(),
            StatusFunction::Success => self.asked_status() == Status::Success,
            StatusFunction::Failure => self.asked_status() == Status::Failure,
        })
    }

    fn hash_files(&self, patterns: &[String]) -> Option<Result<String, String>> {
        if let Some((_, known)) = self.hashes.borrow().iter().find(|(asked, _)| asked == patterns) {
            return Some(known.clone());
        }
        let home = self.job.home();
        let home = home.as_deref().and_then(Path::to_str);
        let hash = hash_files::hash_files(&self.job.room.layout().workspace, home, patterns, &self.job.reach);
        self.hashes.borrow_mut().push((patterns.to_vec(), hash.clone()));
        Some(hash)
    }
}
