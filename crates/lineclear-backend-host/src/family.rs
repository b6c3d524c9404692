//! The processes below this one: those it started, and those it adopted.
//!
//! A process whose parent ends is given to the nearest ancestor that asked for it, see [`adopt_orphans`]. Whatever a step
//! leaves behind thus becomes a child of this process, however it detached itself, and is found without searching.
//!
//! Adopting is a property of the whole process, and so is what this module remembers about it: which children are its own,
//! so that nobody takes the exit status of somebody else's child.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal, set_child_subreaper,
    test_kill_process_group, waitpid,
};

use crate::proc_table::{self, Entry};

/// A child that this process started itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// Somebody waits for its exit status, who alone may take it.
    Awaited,
    /// Its exit status was taken, and its process group had members then. Until that group is empty, the system gives
    /// its number to no other.
    GroupLivesOn,
}

static OWN: Mutex<BTreeMap<u32, Own>> = Mutex::new(BTreeMap::new());
/// Read while a child is started and entered in `OWN`, written while strangers are reaped: a child that ends at once must
/// not be taken for a stranger.
static STARTING: RwLock<()> = RwLock::new(());
/// Rooms open in this process.
static ROOMS: AtomicUsize = AtomicUsize::new(0);

fn own() -> MutexGuard<'static, BTreeMap<u32, Own>> {
    // The map is changed by single calls that cannot leave it half done.
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks the system to give orphaned descendants to this process.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

pub(crate) fn room_opened() {
    ROOMS.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn room_closed() {
    ROOMS.fetch_sub(1, Ordering::Relaxed);
}

/// Whether a process that bears no sign of its job can only be of the one job there is.
pub(crate) fn has_one_room() -> bool {
    ROOMS.load(Ordering::Relaxed) <= 1
}

/// Starts a child whose exit status the caller will ask for, and whose end it will tell with [`ended`].
pub(crate) fn start(spawn: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
    let _starting = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    let child = spawn()?;
    own().insert(child.id(), Own::Awaited);
    Ok(child)
}

/// Starts a process that is no step's, and lives as long as this program: a guard of somebody else. It is never taken for one that a
/// job left behind, whatever its process group.
///
/// # Errors
/// If the system cannot start it.
pub fn spawn_beside(command: &mut std::process::Command) -> io::Result<Child> {
    start(|| command.spawn())
}

/// What became of the process group of a child that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Empty,
    LivesOn,
}

/// The exit status of `pid` has been taken.
pub(crate) fn ended(pid: u32) -> Group {
    let populated = rustix_pid(pid).is_some_and(|pid| test_kill_process_group(pid) != Err(rustix::io::Errno::SRCH));
    if populated {
        own().insert(pid, Own::GroupLivesOn);
        Group::LivesOn
    } else {
        own().remove(&pid);
        Group::Empty
    }
}

/// Forgets groups that lived on and are empty now, as the system may give their numbers away.
pub(crate) fn forget_empty_group(pid: u32) -> Group {
    if own().get(&pid) == Some(&Own::GroupLivesOn) { ended(pid) } else { Group::LivesOn }
}

/// Living processes that this process adopted. Ended ones are reaped on the way.
///
/// Children that other parts of this program started are left alone: they are in the program's own process group.
pub(crate) fn adopted() -> Vec<Entry> {
    let me = own_pid();
    let children = children_of_first_thread(me);
    let strangers: Vec<u32> = {
        let own = own();
        children.into_iter().filter(|pid| own.get(pid) != Some(&Own::Awaited)).collect()
    };
    if strangers.is_empty() {
        return Vec::new();
    }
    let own_group = own_entry().map_or(0, |entry| entry.group);
    let (dead, living): (Vec<Entry>, Vec<Entry>) = strangers
        .into_iter()
        .filter_map(proc_table::entry)
        .filter(|entry| entry.parent == me && entry.group != own_group)
        .partition(Entry::is_dead);
    reap(&dead);
    living
}

/// Takes the exit status of adopted processes that ended.
fn reap(dead: &[Entry]) {
    if dead.is_empty() {
        return;
    }
    let _nobody_starts = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    let own_session = own_session();
    let own = own();
    for entry in dead.iter().filter(|entry| own.get(&entry.pid) != Some(&Own::Awaited)) {
        // A sign that it cannot be a child of another part of this program, which would miss its exit status: those are
        // never in a session of their own nor in a step's group.
        if (entry.session != own_session || own.contains_key(&entry.group))
            && let Some(pid) = rustix_pid(entry.pid)
        {
            // Gone already is as good.
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }
}

/// When processes are stopped before they are killed.
///
/// Stopped, a process cannot start another between the look and the kill. But when its parent ends, the system wakes a
/// stopped process group by SIGHUP, of which it may die, while what it started in another session stays stopped for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freeze {
    /// By a process that nobody kills, and that adopts no orphans.
    AtOnce,
    /// By the parent: orphans are given to it, so the next look finds them. Only what goes on multiplying is stopped.
    AtLast,
}

/// How often the list of children is read before the long way is taken.
const READS_OF_CHILDREN: u32 = 16;

/// The children that the first thread of the process `me` has: orphans are given to it, so these are all of them. Children that this program's
/// other threads started are not even read.
///
/// The system leaves a child out of the list when the one before it ends while the list is read. So it holds only if all in it are
/// still there afterwards.
///
/// # Source
/// proc(5), `/proc/pid/task/tid/children`: "not reliable unless all the child processes are stopped".
fn children_of_first_thread(me: u32) -> Vec<u32> {
    let path = format!("/proc/{me}/task/{me}/children");
    for _ in 0..READS_OF_CHILDREN {
        let Ok(text) = fs::read(&path) else { break };
        let children = proc_table::parse_children(&text);
        if children.iter().all(|pid| fs::metadata(format!("/proc/{pid}")).is_ok()) {
            return children;
        }
    }
    // Also for a kernel without that file.
    proc_table::all().iter().filter(|entry| entry.parent == me).map(|entry| entry.pid).collect()
}

/// How many looks must have found something before [`Freeze::AtLast`] stops it.
const LOOKS_BEFORE_FREEZE: u32 = 6;

/// Kills all of `members` and waits for their end, until none is left or the time is over. Returns all that were found.
///
/// Who was a member once stays one to its end: one that is about to end has already lost the environment and the folder by which it is known.
pub(crate) fn kill_all(mut members: impl FnMut() -> Vec<Entry>, freeze: Freeze, time: Duration) -> Vec<Entry> {
    let until = Instant::now() + time;
    let mut found: Vec<Entry> = Vec::new();
    let mut look_again = |found: &[Entry]| {
        let mut alive = members();
        alive.extend(unseen(found, &alive));
        alive
    };
    let mut pause = Duration::from_micros(100);
    let mut nothing_was_there = false;
    for look in 0.. {
        let mut alive = look_again(&found);
        if alive.is_empty() {
            // The table is not read at one moment: an orphan that was read below a parent which ended before it was read itself is
            // missed, and found by the next look.
            if std::mem::replace(&mut nothing_was_there, true) {
                break;
            }
            continue;
        }
        nothing_was_there = false;
        // A tree that grows faster than it is read is bounded by the number of rounds, and killed as far as it is known.
        for _ in 0..8 {
            let new: Vec<Entry> =
                alive.iter().filter(|entry| !found.iter().any(|old| old.is_same_as(entry))).cloned().collect();
            if freeze == Freeze::AtLast && look < LOOKS_BEFORE_FREEZE {
                found.extend(new);
                break;
            }
            for entry in &new {
                send(entry, Signal::STOP);
            }
            found.extend_from_slice(&new);
            if new.is_empty() {
                break;
            }
            alive = look_again(&found);
        }
        // Children before parents: should this process be killed in the midst of it, the guard finds the rest by its parents.
        alive.sort_by_key(|entry| std::cmp::Reverse((entry.started, entry.pid)));
        for entry in &alive {
            send(entry, Signal::KILL);
        }
        if Instant::now() >= until {
            break;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    found
}

/// Those of `found` that live, as they are now, and are not among `seen`.
fn unseen(found: &[Entry], seen: &[Entry]) -> Vec<Entry> {
    let lives = |entry: &Entry| proc_table::entry(entry.pid).filter(|now| now.is_same_as(entry) && !now.is_dead());
    let missed = found.iter().filter(|entry| !seen.iter().any(|one| one.is_same_as(entry)));
    missed.filter_map(lives).collect()
}

/// Signals the very process that was seen: not another that got its number since.
fn send(entry: &Entry, signal: Signal) {
    let Some(pid) = rustix_pid(entry.pid) else { return };
    let handle = pidfd_open(pid, PidfdFlags::empty());
    if !proc_table::entry(entry.pid).is_some_and(|now| now.is_same_as(entry)) {
        return;
    }
    // It may have ended, or belong to another user: then it shows in the next look.
    let _ = match handle {
        Ok(handle) => pidfd_send_signal(&handle, signal),
        Err(_) => kill_process(pid, signal),
    };
}

pub(crate) fn own_pid() -> u32 {
    std::process::id()
}

/// The session of this process, numbered as the process table numbers it.
///
/// Read there and not asked of the system by `getsid`: it is 0 in a process namespace entered from outside, as by
/// `unshare --pid --fork`, which is no process number.
pub(crate) fn own_session() -> u32 {
    own_entry().map_or(0, |entry| entry.session)
}

fn own_entry() -> Option<Entry> {
    proc_table::entry(own_pid())
}

pub(crate) fn rustix_pid(pid: u32) -> Option<Pid> {
    // 1 is never a child; 0 and what is too large would mean groups to `kill`.
    i32::try_from(pid).ok().filter(|&pid| pid > 1).and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// A process that is ending is in the table for a while without the signs of its job.
    #[test]
    fn what_was_a_member_once_is_waited_for_though_it_is_no_more_told_as_one() {
        let mut child = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().expect("sleep starts");
        let entry = proc_table::entry(child.id()).expect("it runs");
        let mut told = vec![entry.clone()].into_iter();
        // The first signal to stop it is all that comes from being told: it is killed as one that was known.
        let found = kill_all(|| told.next().into_iter().collect(), Freeze::AtOnce, Duration::from_secs(60));
        assert_eq!(found, std::slice::from_ref(&entry));
        assert!(proc_table::entry(entry.pid).is_none_or(|now| now.is_dead()), "it lives on");
        child.wait().expect("it has ended");
    }
}
