//! What keeps one job of this host from the machine, and what that has to do with its folders and its guard.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, PoisonError};

use lineclear_backend::{Enforcement, Isolation, IsolationPart, Layout, NetworkAccess};
use lineclear_sandbox::{Request, Sandbox};

use crate::family;
use crate::guard::Guard;
use crate::instance::Instance;
use crate::job_processes::JobProcesses;
use crate::skeleton::Skeleton;

/// A job's sandbox. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct JobSandbox {
    /// `None` where nothing can start steps in one.
    sandbox: Option<Sandbox>,
    enforcement: Vec<Enforcement>,
    guard: Arc<Guard>,
}

impl JobSandbox {
    pub(crate) fn open(
        instance: &Arc<Instance>,
        skeleton: &Skeleton,
        scratch: &Path,
        layout: &Layout,
        job: &Arc<JobProcesses>,
        isolation: &Isolation,
    ) -> Self {
        let settings = &instance.settings.sandbox;
        let guard = Arc::clone(&instance.guard);
        let Some(launcher) = &settings.launcher else {
            return Self { sandbox: None, enforcement: without_launcher(isolation), guard };
        };
        let mut hidden = settings.hidden.clone();
        hidden.push(instance.settings.work.clone());
        hidden.extend(instance.scratch().map(Path::to_owned));
        let spawn = |command: &mut std::process::Command| -> io::Result<Child> {
            let child = family::start(|| command.spawn())?;
            guard.process_started(child.id());
            Ok(child)
        };
        let ended = Arc::clone(job);
        let sandbox = Sandbox::open(Request {
            launcher,
            isolation,
            writable: vec![
                skeleton.path().to_owned(),
                scratch.to_owned(),
                layout.workspace.clone(),
                layout.tool_cache.clone(),
            ],
            shown: settings.shown.clone(),
            hidden,
            private: skeleton.private(),
            home: std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()),
            measured: measured(skeleton, scratch, layout),
            services: instance.offered.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            spawn: &spawn,
            ended: &|pid| {
                family::ended(pid);
                guard.process_ended(pid);
            },
            made: &|folder| guard.folder_made(folder),
            end: Arc::new(move || drop(ended.kill_job())),
        });
        Self { enforcement: sandbox.enforcement().to_vec(), sandbox: Some(sandbox), guard }
    }

    pub(crate) fn inner(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    pub(crate) fn enforcement(&self) -> &[Enforcement] {
        &self.enforcement
    }

    pub(crate) fn kill(&self) {
        if let Some(sandbox) = &self.sandbox {
            sandbox.kill();
        }
    }

    /// Says what is left, in one sentence.
    pub(crate) fn close(&mut self) -> Result<(), String> {
        let Some(sandbox) = &mut self.sandbox else { return Ok(()) };
        let (holder, left) = sandbox.close(&|folder| self.guard.folder_removed(folder));
        if let Some(pid) = holder {
            family::ended(pid);
            self.guard.process_ended(pid);
        }
        left
    }
}

impl Drop for JobSandbox {
    fn drop(&mut self) {
        // The second time there is nothing to do, and nobody is left to be told.
        drop(self.close());
    }
}

/// A workspace in place is the user's own, and counts with what it grows by.
fn measured(skeleton: &Skeleton, scratch: &Path, layout: &Layout) -> Vec<PathBuf> {
    let mut folders = vec![skeleton.path().to_owned(), scratch.to_owned(), layout.workspace.clone()];
    let all = folders.clone();
    // Nothing is counted twice.
    folders.retain(|folder| !all.iter().any(|other| other != folder && folder.starts_with(other)));
    folders.dedup();
    folders
}

fn without_launcher(isolation: &Isolation) -> Vec<Enforcement> {
    let limits = &isolation.limits;
    let asked = [
        (IsolationPart::Network, isolation.network != NetworkAccess::Host),
        (IsolationPart::ReadOnlySystem, isolation.read_only_system),
        (IsolationPart::PrivateTemp, isolation.read_only_system),
        (IsolationPart::Processors, limits.cpus.is_some()),
        (IsolationPart::Memory, limits.memory.is_some()),
        (IsolationPart::Processes, limits.processes.is_some()),
        (IsolationPart::Disk, limits.disk.is_some()),
    ];
    let why = || Err("this program was built without what starts steps in isolation".to_owned());
    asked.into_iter().filter(|(_, asked)| *asked).map(|(what, _)| Enforcement { what, how: why() }).collect()
}
