//! The launcher of a step: joins the job's namespaces and its control group, gives up what it does not need, and becomes the
//! step's program.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, getrlimit, pidfd_open, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, CpuSet, ThreadNameSpaceType, capability_is_in_bounding_set,
    move_into_thread_name_spaces, remove_capability_from_bounding_set, sched_getaffinity, sched_setaffinity,
    set_capabilities, set_no_new_privs,
};
use serde::{Deserialize, Serialize};

/// As shells have it for a program that cannot be executed.
const CANNOT_EXECUTE: u8 = 126;

/// What a root user of a job may still do, inside of its namespaces. Much as container engines have it, without raw sockets
/// and device files.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SETFCAP);

/// What a launcher has to do.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// Whose namespaces are joined.
    pub(crate) holder: Option<u32>,
    pub(crate) user: bool,
    pub(crate) network: bool,
    pub(crate) view: bool,
    /// Control groups, by the files that take a process in.
    pub(crate) groups: Vec<PathBuf>,
    pub(crate) limits: ProcessLimits,
    pub(crate) session: bool,
    pub(crate) directory: PathBuf,
}

/// Limits of each process of the job, beside those of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessLimits {
    /// Bytes of private memory.
    pub(crate) memory: Option<u64>,
    /// Bytes of one file.
    pub(crate) file: Option<u64>,
    /// Processes of this user in the job's user namespace.
    pub(crate) processes: Option<u64>,
    /// How many processors it may run on.
    pub(crate) processors: Option<usize>,
}

pub(crate) fn main(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let (Some(orders), Some(program)) = (args.next(), args.next()) else { return ExitCode::from(2) };
    let Some(orders) = orders.to_str().and_then(|text| serde_json::from_str::<Orders>(text).ok()) else {
        return ExitCode::from(2);
    };
    let problem = match enter(&orders) {
        Ok(()) => {
            // What it becomes has the arguments, environment and streams that this process was started with.
            let error = std::process::Command::new(&program).args(args).exec();
            format!("cannot start `{}`: {error}", OsStr::to_string_lossy(&program))
        }
        Err(problem) => format!("cannot enter the job's surroundings: {problem}"),
    };
    // With no stream to tell it to, the exit code has to do.
    let _ = writeln!(io::stderr(), "lineclear: {problem}");
    ExitCode::from(CANNOT_EXECUTE)
}

fn enter(orders: &Orders) -> Result<(), String> {
    for group in &orders.groups {
        fs::write(group, "0").map_err(|error| format!("cannot join `{}`: {error}", group.display()))?;
    }
    if let Some(holder) = orders.holder {
        join(orders, holder).map_err(|error| format!("cannot join its namespaces: {error}"))?;
    }
    if orders.session {
        // A leader of its own group cannot open a session, and needs none of another.
        let _ = rustix::process::setsid();
    }
    limit(&orders.limits).map_err(|error| format!("cannot set its limits: {error}"))?;
    rustix::process::chdir(&orders.directory)
        .map_err(|error| format!("cannot enter `{}`: {}", orders.directory.display(), io::Error::from(error)))?;
    give_up_privileges().map_err(|error| format!("cannot give up privileges: {error}"))
}

fn join(orders: &Orders, holder: u32) -> io::Result<()> {
    let pid = i32::try_from(holder).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let mut kinds = ThreadNameSpaceType::empty();
    if orders.user {
        kinds |= ThreadNameSpaceType::USER;
    }
    if orders.network {
        kinds |= ThreadNameSpaceType::NETWORK;
    }
    if orders.view {
        kinds |= ThreadNameSpaceType::MOUNT
            | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
            | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME;
    }
    if kinds.is_empty() {
        return Ok(());
    }
    Ok(move_into_thread_name_spaces(process.as_fd(), kinds)?)
}

fn limit(limits: &ProcessLimits) -> io::Result<()> {
    let lower = |resource: Resource, value: Option<u64>| match value {
        Some(value) => {
            let now = getrlimit(resource);
            let value = now.maximum.map_or(value, |maximum| maximum.min(value));
            setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
        }
        None => Ok(()),
    };
    lower(Resource::Data, limits.memory)?;
    lower(Resource::Fsize, limits.file)?;
    lower(Resource::Nproc, limits.processes)?;
    if let Some(count) = limits.processors {
        let now = sched_getaffinity(None)?;
        let mut fewer = CpuSet::new();
        for cpu in (0..CpuSet::MAX_CPU).filter(|&cpu| now.is_set(cpu)).take(count) {
            fewer.set(cpu);
        }
        sched_setaffinity(None, &fewer)?;
    }
    Ok(())
}

/// Nothing that is executed from here on gains a privilege, and root keeps what it needs among its own files only.
fn give_up_privileges() -> io::Result<()> {
    for capability in CapabilitySet::all().iter().filter(|capability| !KEPT.contains(*capability)) {
        // The kernel does not know all that could be asked for.
        if capability.bits().count_ones() == 1 && capability_is_in_bounding_set(capability).unwrap_or(false) {
            match remove_capability_from_bounding_set(capability) {
                // Without the right to, it has none to lose.
                Ok(()) | Err(rustix::io::Errno::PERM) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let now = rustix::thread::capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: now.effective & KEPT,
            permitted: now.permitted & KEPT,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    Ok(set_no_new_privs(true)?)
}
