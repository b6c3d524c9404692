//! A job's room on this host.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use lineclear_backend::{
    Command, Enforce, Enforcement, Intervention, Isolation, JobNetwork, Layout, OpenError, Process, Remain, Room,
    StartError, Uncleaned,
};
use lineclear_event::RunId;
use lineclear_sandbox::Sandbox;

use crate::instance::Instance;
use crate::job_processes::{JobProcesses, remain};
use crate::process;
use crate::remove;
use crate::sandbox::JobSandbox;
use crate::skeleton::Skeleton;

/// A job's folders and processes. Dropped without being closed, it cleans up all the same.
#[derive(Debug)]
pub(crate) struct HostRoom {
    instance: Arc<Instance>,
    run: RunId,
    /// Taken when the room is closed.
    skeleton: Option<Skeleton>,
    /// The scratch folder itself; the layout may name a link to it.
    scratch: PathBuf,
    layout: Layout,
    job: Arc<JobProcesses>,
    sandbox: Option<JobSandbox>,
}

impl HostRoom {
    pub(crate) fn new(
        instance: Arc<Instance>,
        run: RunId,
        skeleton: Skeleton,
        scratch: PathBuf,
        layout: Layout,
        job: JobProcesses,
    ) -> Self {
        Self { instance, run, skeleton: Some(skeleton), scratch, layout, job: Arc::new(job), sandbox: None }
    }

    /// Keeps the job from the machine, from its first step on.
    pub(crate) fn isolate(&mut self, isolation: &Isolation) -> Result<(), OpenError> {
        let Some(skeleton) = &self.skeleton else { return Ok(()) };
        let sandbox = JobSandbox::open(&self.instance, skeleton, &self.scratch, &self.layout, &self.job, isolation);
        let failed: Vec<Enforcement> = sandbox.enforcement().iter().filter(|part| part.how.is_err()).cloned().collect();
        self.sandbox = Some(sandbox);
        match isolation.enforce {
            Enforce::Strict if !failed.is_empty() => Err(OpenError::NotEnforced { parts: failed }),
            Enforce::Strict | Enforce::BestEffort => Ok(()),
        }
    }

    /// Cleans up. The second time there is nothing to do.
    fn clean(&mut self) -> io::Result<Vec<Remain>> {
        let Some(skeleton) = self.skeleton.take() else { return Ok(Vec::new()) };
        let mut sandbox = self.sandbox.take();
        let mut killed: Vec<Remain> = Vec::new();
        if let Some(sandbox) = &sandbox {
            // Looked at first: what the kernel kills at once is not seen any more.
            killed = self.remains();
            sandbox.kill();
        }
        for remain in self.job.kill_job() {
            if !killed.iter().any(|known| known.pid == remain.pid) {
                killed.push(remain);
            }
        }
        let kept = sandbox.as_mut().map_or(Ok(()), JobSandbox::close);
        let removed = [remove::tree(&self.scratch), self.instance.leave(self.run, skeleton)];
        let problems: Vec<String> =
            removed.iter().filter_map(|r| r.as_ref().err()).map(ToString::to_string).chain(kept.err()).collect();
        if problems.is_empty() { Ok(killed) } else { Err(Uncleaned { killed, problem: problems.join("; ") }.into()) }
    }
}

impl Room for HostRoom {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn tracking_id(&self) -> &str {
        &self.job.tracking_id
    }

    fn base_env(&self) -> &[(OsString, OsString)] {
        &self.instance.base_env
    }

    fn start(&self, command: &Command) -> Result<Box<dyn Process>, StartError> {
        let sandbox = self.sandbox.as_ref().and_then(JobSandbox::inner);
        Ok(Box::new(process::start(Arc::clone(&self.job), command, &self.instance.detach, sandbox)?))
    }

    fn enforcement(&self) -> &[Enforcement] {
        self.sandbox.as_ref().map_or(&[], JobSandbox::enforcement)
    }

    fn interventions(&self) -> Vec<Intervention> {
        self.sandbox.as_ref().and_then(JobSandbox::inner).map_or_else(Vec::new, Sandbox::interventions)
    }

    fn network(&self) -> Option<Arc<dyn JobNetwork>> {
        self.sandbox.as_ref()?.inner()?.network()
    }

    fn remains(&self) -> Vec<Remain> {
        self.job.alive().iter().map(remain).collect()
    }

    fn close(mut self: Box<Self>) -> io::Result<Vec<Remain>> {
        self.clean()
    }
}

impl Drop for HostRoom {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.clean();
    }
}
