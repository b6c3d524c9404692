//! Which of the processes below this one belong to a job, and to a step of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lineclear_backend::Remain;

use crate::family::{self, Freeze, Group};
use crate::guard::Guard;
use crate::proc_table::{self, Entry};

/// The variable that marks every process of a job.
///
/// # Source
/// `actions/runner`: "processes still carrying it at job end are killed".
pub(crate) const TRACKING: &str = "RUNNER_TRACKING_ID";

/// The variable by which steps that run side by side are told apart: each has a file of its own for its outputs.
const STEP_FILE: &str = "GITHUB_OUTPUT";

/// How long killed processes may take to go away. One in the middle of a disk operation does not go at once.
const KILL_TIME: Duration = Duration::from_secs(10);

/// All processes of one job.
#[derive(Debug)]
pub(crate) struct JobProcesses {
    pub(crate) tracking_id: String,
    /// What all tracking ids of this Lineclear process begin with.
    prefix: String,
    /// The job's folder, in which its strays work.
    folder: PathBuf,
    guard: Arc<Guard>,
    /// Entry processes that run, and those that ended while their process group lives on.
    steps: Mutex<BTreeMap<u32, Step>>,
    /// Held while all of the job is killed, and while a step is started.
    ending: Mutex<()>,
}

/// An entry process.
#[derive(Clone, Debug)]
struct Step {
    started: Instant,
    runs: bool,
    /// The value of [`STEP_FILE`].
    file: Option<OsString>,
}

impl JobProcesses {
    pub(crate) fn new(tracking_id: String, prefix: String, folder: PathBuf, guard: Arc<Guard>) -> Self {
        family::room_opened();
        Self { tracking_id, prefix, folder, guard, steps: Mutex::default(), ending: Mutex::default() }
    }

    fn steps(&self) -> MutexGuard<'_, BTreeMap<u32, Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing is being killed; what is started while the answer is kept, is not. A job that was ended in the middle of a
    /// step goes on with the steps that clean up, and the first of them may come before the last process of the job has gone.
    pub(crate) fn starting(&self) -> MutexGuard<'_, ()> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `begun` is a time before the process was there: what it started may be older than the end of the call that started it.
    pub(crate) fn started(&self, pid: u32, begun: Instant, env: &[(OsString, OsString)]) {
        let file = env.iter().rev().find(|(name, _)| name == STEP_FILE).map(|(_, value)| value.clone());
        self.steps().insert(pid, Step { started: begun, runs: true, file });
        self.guard.process_started(pid);
    }

    /// The exit status of an entry process has been taken.
    pub(crate) fn ended(&self, pid: u32) {
        match family::ended(pid) {
            Group::Empty => {
                self.steps().remove(&pid);
                self.guard.process_ended(pid);
            }
            Group::LivesOn => {
                if let Some(step) = self.steps().get_mut(&pid) {
                    step.runs = false;
                }
            }
        }
    }

    /// All living processes of the job: what still runs, and what was left behind.
    pub(crate) fn alive(&self) -> Vec<Entry> {
        let mut roots: Vec<u32> = self.adopted().into_iter().map(|entry| entry.pid).collect();
        {
            let mut steps = self.steps();
            steps.retain(|&pid, step| {
                let kept = step.runs || family::forget_empty_group(pid) == Group::LivesOn;
                if !kept {
                    self.guard.process_ended(pid);
                }
                kept
            });
            roots.extend(steps.iter().filter(|(_, step)| step.runs).map(|(pid, _)| pid));
        }
        below(roots)
    }

    /// Adopted processes of this job.
    fn adopted(&self) -> Vec<Entry> {
        family::adopted().into_iter().filter(|entry| self.owns(entry)).collect()
    }

    /// Whether an adopted process is of this job.
    ///
    /// Its tracking id tells. One without, because it was started with a clean environment or as another user, is known by
    /// its process group, its session or its folder; and if it bears no sign at all, it can be of no other job than the
    /// only one.
    fn owns(&self, entry: &Entry) -> bool {
        if let Some(id) = proc_table::variable(entry.pid, TRACKING) {
            if id == self.tracking_id.as_bytes() {
                return true;
            }
            if id.starts_with(self.prefix.as_bytes()) {
                return false;
            }
        }
        {
            let steps = self.steps();
            if steps.contains_key(&entry.group) || steps.contains_key(&entry.session) {
                return true;
            }
        }
        let works_in = fs::read_link(format!("/proc/{}/cwd", entry.pid));
        works_in.is_ok_and(|folder| folder.starts_with(&self.folder)) || family::has_one_room()
    }

    /// Kills one step's processes: its entry process, its process group, everything below, and what was below and
    /// detached itself.
    ///
    /// What earlier steps left running is not touched, for later steps may need it.
    pub(crate) fn kill_step(&self, pid: u32) {
        family::kill_all(|| self.of_step(pid), Freeze::AtLast, KILL_TIME);
    }

    fn of_step(&self, pid: u32) -> Vec<Entry> {
        let (step, alone) = {
            let steps = self.steps();
            let others = steps.iter().filter(|(other, step)| step.runs && **other != pid).count();
            (steps.get(&pid).cloned(), others == 0)
        };
        let Some(step) = step else { return Vec::new() };
        let first_tick = ticks_now().map(|now| now.saturating_sub(ticks(step.started.elapsed()) + 1));
        let of_step = |entry: &Entry| {
            if entry.group == pid || entry.session == pid {
                return true;
            }
            match (&step.file, proc_table::variable(entry.pid, STEP_FILE)) {
                (Some(own), Some(its)) => own.as_encoded_bytes() == its,
                // With nothing to tell by, it was started by the step if no other could have done so since.
                _ => alone && first_tick.is_some_and(|first| entry.started >= first),
            }
        };
        let mut roots: Vec<u32> = self.adopted().into_iter().filter(of_step).map(|entry| entry.pid).collect();
        if step.runs {
            roots.push(pid);
        }
        below(roots)
    }

    /// Kills everything of the job. Returns what was alive.
    pub(crate) fn kill_job(&self) -> Vec<Remain> {
        let mut remains: Vec<Remain> = Vec::new();
        let _nothing_is_started = self.starting();
        family::kill_all(
            || {
                let alive = self.alive();
                // Told as it is found: a process that was killed has no command line any more.
                for entry in &alive {
                    if !remains.iter().any(|known| known.pid == entry.pid) {
                        remains.push(remain(entry));
                    }
                }
                alive
            },
            Freeze::AtLast,
            KILL_TIME,
        );
        remains
    }
}

impl Drop for JobProcesses {
    fn drop(&mut self) {
        family::room_closed();
    }
}

pub(crate) fn remain(entry: &Entry) -> Remain {
    Remain { pid: entry.pid, command: proc_table::command(entry) }
}

/// The living among `roots` and everything below them. Free of cost if there are none.
fn below(roots: Vec<u32>) -> Vec<Entry> {
    if roots.is_empty() {
        return Vec::new();
    }
    let table = proc_table::all();
    let found = proc_table::with_descendants(&table, roots, family::own_pid());
    table.into_iter().filter(|entry| found.contains(&entry.pid) && !entry.is_dead()).collect()
}

/// Linux tells the start of processes in hundredths of a second after boot, on every machine.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / 10).unwrap_or(u64::MAX)
}

fn ticks_now() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 100 + hundredths.parse::<u64>().ok()?)
}
