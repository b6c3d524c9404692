//! A job's room on this host.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use lineclear_backend::{Command, Layout, Process, Remain, Room, StartError, Uncleaned};
use lineclear_event::RunId;

use crate::instance::Instance;
use crate::job_processes::{JobProcesses, remain};
use crate::process;
use crate::remove;
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
        Self { instance, run, skeleton: Some(skeleton), scratch, layout, job: Arc::new(job) }
    }

    /// Cleans up. The second time there is nothing to do.
    fn clean(&mut self) -> io::Result<Vec<Remain>> {
        let Some(skeleton) = self.skeleton.take() else { return Ok(Vec::new()) };
        let killed = self.job.kill_job();
        let removed = [remove::tree(&self.scratch), self.instance.leave(self.run, skeleton)];
        let problems: Vec<String> = removed.iter().filter_map(|r| r.as_ref().err()).map(ToString::to_string).collect();
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
        Ok(Box::new(process::start(Arc::clone(&self.job), command, &self.instance.detach)?))
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
