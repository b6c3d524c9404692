//! Limits of a whole job: control groups, or what comes closest.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use lineclear_backend::{Enforcement, Intervention, IsolationPart, ResourceLimits, show_bytes};

use crate::cgroup::{Controller, Groups};
use crate::launch::ProcessLimits;

/// What is enforced for a job.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) groups: Groups,
    pub(crate) of_each: ProcessLimits,
    asked: ResourceLimits,
    told_memory: AtomicU64,
    told_processes: AtomicU64,
}

impl Limits {
    /// `own_users`: whether the job has a user namespace of its own in which an ordinary user's processes are counted.
    pub(crate) fn open(
        asked: ResourceLimits,
        name: &str,
        own_users: bool,
        made: &dyn Fn(&Path),
        enforcement: &mut Vec<Enforcement>,
    ) -> Self {
        let mut limits = Self { asked, ..Self::default() };
        let mut tell = |what, how| enforcement.push(Enforcement { what, how });
        if let Some(processors) = asked.cpus {
            let how = limits.group(Controller::Processors, name, made, |group| group.limit_processors(processors));
            tell(
                IsolationPart::Processors,
                how.map(|by| format!("{processors} processors, {by}")).or_else(|why| limits.bind(processors, &why)),
            );
        }
        if let Some(bytes) = asked.memory {
            let how = limits.group(Controller::Memory, name, made, |group| group.limit_memory(bytes));
            tell(
                IsolationPart::Memory,
                how.map(|by| format!("{}, {by}", show_bytes(bytes))).map_err(|why| {
                    limits.of_each.memory = Some(bytes);
                    format!("{why}; each process alone may have {}", show_bytes(bytes))
                }),
            );
        }
        if let Some(count) = asked.processes {
            let how = limits.group(Controller::Processes, name, made, |group| group.limit_processes(count));
            tell(
                IsolationPart::Processes,
                how.map(|by| format!("{count} processes, {by}")).or_else(|why| {
                    if !own_users {
                        return Err(why);
                    }
                    limits.of_each.processes = Some(count);
                    Ok(format!("{count} processes, by the user limit of the job's user namespace"))
                }),
            );
        }
        if let Some(bytes) = asked.disk {
            limits.of_each.file = Some(bytes);
            tell(
                IsolationPart::Disk,
                Ok(format!(
                    "{}: no file may be larger, and what the job's folders hold is measured while it runs; it is ended soon after it holds more",
                    show_bytes(bytes)
                )),
            );
        }
        limits
    }

    fn group(
        &mut self,
        controller: Controller,
        name: &str,
        made: &dyn Fn(&Path),
        set: impl FnOnce(&crate::cgroup::Group) -> std::io::Result<()>,
    ) -> Result<String, String> {
        let group = self.groups.with(controller, name, made)?;
        set(group).map_err(|error| format!("the control group does not take the limit: {error}"))?;
        Ok(format!("by a {}", group.shown()))
    }

    /// As many processors as asked for, at most, by keeping the job to some of them.
    fn bind(&mut self, processors: f64, why: &str) -> Result<String, String> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "up to 65536 processors")]
        let count = processors.ceil() as usize;
        self.of_each.processors = Some(count);
        let there = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if processors.fract() == 0.0 || count > there {
            Ok(format!("bound to {} of the machine's {there} processors", count.min(there)))
        } else {
            Err(format!("{why}; the job is bound to {count} of the machine's {there} processors"))
        }
    }

    /// What the kernel did since this was asked last.
    pub(crate) fn take_hits(&self) -> Vec<Intervention> {
        let mut hits = Vec::new();
        let since = |told: &AtomicU64, now: u64| now.saturating_sub(told.fetch_max(now, Ordering::Relaxed));
        if let (Some(bytes), Some(group)) = (self.asked.memory, self.groups.of(Controller::Memory)) {
            let killed = since(&self.told_memory, group.killed_for_memory());
            if killed > 0 {
                let processes =
                    if killed == 1 { "a process was".to_owned() } else { format!("{killed} processes were") };
                hits.push(Intervention {
                    what: IsolationPart::Memory,
                    message: format!("the job used more than its {} of memory: {processes} killed", show_bytes(bytes)),
                    fatal: true,
                });
            }
        }
        if let (Some(count), Some(group)) = (self.asked.processes, self.groups.of(Controller::Processes)) {
            let refused = since(&self.told_processes, group.refused_processes());
            if refused > 0 {
                let times = if refused == 1 { "once".to_owned() } else { format!("{refused} times") };
                hits.push(Intervention {
                    what: IsolationPart::Processes,
                    message: format!("the job reached its limit of {count} processes: one more was refused {times}"),
                    fatal: true,
                });
            }
        }
        hits
    }
}
