//! By this machine's process table.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, kill_process, pidfd_open, test_kill_process};

use super::{Entry, Signal};

/// A container whose processes this machine shows.
#[derive(Debug)]
pub(super) struct Here {
    first: u32,
    /// The namespace that its processes are counted in.
    namespace: PathBuf,
}

impl Here {
    /// `None` where the container's first process is not on this machine, or may not be signalled by this user.
    pub(super) fn of(container: &str, first: u32) -> Option<Self> {
        if !is_of(container, first) || test_kill_process(pid(first)?).is_err() {
            return None;
        }
        let namespace = namespace_of(first)?;
        (namespace != namespace_of(std::process::id())?).then_some(Self { first, namespace })
    }

    pub(super) fn table(&self) -> Vec<Entry> {
        let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
        folder
            .filter_map(|item| item.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .filter(|&pid| pid != self.first && namespace_of(pid).as_ref() == Some(&self.namespace))
            .filter_map(|pid| {
                let read = |what: &str| fs::read(format!("/proc/{pid}/{what}"));
                // A process may end while it is read.
                Entry::parse(
                    &read("stat").ok()?,
                    &read("environ").unwrap_or_default(),
                    &read("cmdline").unwrap_or_default(),
                )
            })
            .collect()
    }

    pub(super) fn signal(&self, pids: &[u32], signal: Signal) {
        let number = match signal {
            Signal::Stop => rustix::process::Signal::STOP,
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        for &number_of in pids {
            // The number may have gone to a process elsewhere since.
            if namespace_of(number_of).as_ref() == Some(&self.namespace)
                && let Some(pid) = pid(number_of)
            {
                // Gone already is as good.
                let _ = kill_process(pid, number);
            }
        }
    }
}

/// What is readable when a container's process ends. `None` where this machine does not show it.
pub(super) fn end_of(container: &str, number: u32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = pid(number) else { return Ok(None) };
    match pidfd_open(pid, PidfdFlags::empty()) {
        // Looked at after it was opened, so that it is known whose end this tells.
        Ok(end) => Ok(is_of(container, number).then_some(end)),
        Err(Errno::SRCH | Errno::NOSYS | Errno::PERM | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a process of this machine is of that container: its control groups name it.
fn is_of(container: &str, pid: u32) -> bool {
    !container.is_empty()
        && fs::read_to_string(format!("/proc/{pid}/cgroup")).is_ok_and(|groups| groups.contains(container))
}

fn namespace_of(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}
