//! Processes of one container: how they are found and ended.
//!
//! Where this machine's process table shows them and they may be signalled, that is used. Else a script in the container looks
//! and signals; it needs `sh`, `cat` and `grep`.

mod here;
mod script;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lineclear_backend::Remain;
use lineclear_container_engine::Engine;

use crate::ProcessAccess;

/// The variable by which processes of different steps are told apart.
pub(crate) const MARK: &str = "LINECLEAR_PROCESS";
/// How long killed processes may take to go away.
const KILL_TIME: Duration = Duration::from_secs(15);
/// The longest command line that is shown, in characters.
const SHOWN_COMMAND: usize = 120;

/// One process of a container. Numbers are those of the table that it was found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) pid: u32,
    parent: u32,
    session: u32,
    group: u32,
    dead: bool,
    /// In clock ticks after boot.
    started: u64,
    /// The value of [`MARK`].
    mark: Option<Vec<u8>>,
    command: String,
}

impl Entry {
    /// Reads a line of `/proc/<pid>/stat`, an environment and a command line.
    fn parse(stat: &[u8], environment: &[u8], command: &[u8]) -> Option<Self> {
        let open = stat.iter().position(|&byte| byte == b'(')?;
        let close = stat.iter().rposition(|&byte| byte == b')')?;
        let pid = std::str::from_utf8(stat.get(..open)?).ok()?.trim().parse().ok()?;
        let mut fields = std::str::from_utf8(stat.get(close + 1..)?).ok()?.split_ascii_whitespace();
        let dead = matches!(fields.next()?, "Z" | "X" | "x");
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        // The start time is field 22 of the line; the session was field 6.
        let started = fields.nth(15)?.parse().ok()?;
        let mark = environment
            .split(|&byte| byte == 0)
            .find_map(|entry| entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="))
            .map(<[u8]>::to_vec);
        let words = String::from_utf8_lossy(command);
        let words: Vec<&str> = words.split('\0').filter(|word| !word.is_empty()).collect();
        let name = || String::from_utf8_lossy(stat.get(open + 1..close).unwrap_or_default()).into_owned();
        let mut shown: String = match words.is_empty() {
            true => format!("[{}]", name()),
            false => words.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        };
        if let Some((cut, _)) = shown.char_indices().nth(SHOWN_COMMAND) {
            shown.truncate(cut);
            shown.push('…');
        }
        Some(Self { pid, parent, session, group, dead, started, mark, command: shown })
    }
}

/// A process that was started for a step.
#[derive(Clone, Copy, Debug)]
struct Started {
    /// In clock ticks after boot, rounded down.
    tick: u64,
    runs: bool,
}

/// All processes of one container.
#[derive(Debug)]
pub(crate) struct Processes {
    access: Access,
    /// Those that were started, by their marks.
    started: Mutex<BTreeMap<String, Started>>,
    /// What marks begin with.
    prefix: String,
}

#[derive(Debug)]
enum Access {
    Here(here::Here),
    Script(script::Script),
}

impl Processes {
    /// `first` is the container's first process, as the engine tells.
    pub(crate) fn new(engine: &Engine, container: &str, first: u32, access: ProcessAccess, prefix: &str) -> Self {
        let here = match access {
            ProcessAccess::Best => here::Here::of(container, first),
            ProcessAccess::Script => None,
        };
        let access = match here {
            Some(here) => Access::Here(here),
            None => Access::Script(script::Script::new(engine.clone(), container)),
        };
        Self { access, started: Mutex::default(), prefix: prefix.into() }
    }

    fn started(&self) -> MutexGuard<'_, BTreeMap<String, Started>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A mark for a process that is about to be started.
    pub(crate) fn begin(self: &Arc<Self>) -> Mark {
        let mut started = self.started();
        // The last letter keeps one from being the beginning of another.
        let text = format!("{}-{}_", self.prefix, started.len() + 1);
        started.insert(text.clone(), Started { tick: ticks_now().unwrap_or_default(), runs: true });
        Mark { processes: Arc::clone(self), text }
    }

    /// Living processes, without the one that only keeps the container running.
    pub(crate) fn alive(&self) -> Vec<Entry> {
        self.table().into_iter().filter(|entry| !entry.dead).collect()
    }

    fn table(&self) -> Vec<Entry> {
        match &self.access {
            Access::Here(here) => here.table(),
            Access::Script(script) => script.table().unwrap_or_default(),
        }
    }

    fn signal(&self, pids: &[u32], signal: Signal) {
        match &self.access {
            Access::Here(here) => here.signal(pids, signal),
            Access::Script(script) => script.signal(pids, signal),
        }
    }

    /// Kills everything. Returns what was alive.
    pub(crate) fn kill_all(&self) -> Vec<Remain> {
        let mut remains: Vec<Remain> = Vec::new();
        self.kill_found(|table| {
            let alive: Vec<Entry> = table.into_iter().filter(|entry| !entry.dead).collect();
            for entry in &alive {
                if !remains.iter().any(|known| known.pid == entry.pid) {
                    remains.push(remain(entry));
                }
            }
            alive
        });
        remains
    }

    /// Stops what is found until nothing new is, kills it, and waits for its end.
    fn kill_found(&self, mut find: impl FnMut(Vec<Entry>) -> Vec<Entry>) {
        let until = Instant::now() + KILL_TIME;
        let mut pause = Duration::from_millis(1);
        let mut quiet = 0;
        loop {
            let mut stopped: HashSet<(u32, u64)> = HashSet::new();
            // A stopped process starts no other. What grows faster than it is read is bounded by the number of rounds.
            for _ in 0..32 {
                let new: Vec<u32> = find(self.table())
                    .iter()
                    .filter(|entry| stopped.insert((entry.pid, entry.started)))
                    .map(|entry| entry.pid)
                    .collect();
                if new.is_empty() {
                    break;
                }
                self.signal(&new, Signal::Stop);
            }
            if stopped.is_empty() {
                quiet += 1;
                // One that is born while the table is read, of a parent that ends before it is read, shows at the next look.
                if quiet >= 2 || matches!(self.access, Access::Script(_)) {
                    return;
                }
                continue;
            }
            quiet = 0;
            let pids: Vec<u32> = stopped.iter().map(|(pid, _)| *pid).collect();
            self.signal(&pids, Signal::Kill);
            if Instant::now() >= until {
                return; // Stuck in the kernel. The container's removal takes it along, or says that it cannot.
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Stop,
    Interrupt,
    Terminate,
    Kill,
}

/// The mark of one process that was started, and of all that it starts.
#[derive(Debug)]
pub(crate) struct Mark {
    processes: Arc<Processes>,
    pub(crate) text: String,
}

impl Mark {
    pub(crate) fn ended(&self) {
        if let Some(started) = self.processes.started().get_mut(&self.text) {
            started.runs = false;
        }
    }

    /// Signals the entry process. `pid` is its number on the engine's machine.
    pub(crate) fn signal(&self, pid: u32, signal: Signal) {
        match &self.processes.access {
            Access::Here(here) => here.signal(&[pid], signal),
            Access::Script(script) => script.signal_marked(&self.text, signal),
        }
    }

    /// Kills the process with everything that it started, also what detached itself or cleared its environment. What
    /// other processes started is spared.
    pub(crate) fn kill(&self, pid: u32) {
        let processes = &self.processes;
        if let Access::Script(script) = &processes.access {
            // At once, in the container: a look from outside takes too long for what multiplies.
            script.kill_marked(&self.text);
        }
        let (alone, tick) = {
            let started = processes.started();
            let alone = started.iter().all(|(text, other)| *text == self.text || !other.runs);
            (alone, started.get(&self.text).map_or(u64::MAX, |own| own.tick))
        };
        // Of a process that is gone, its session still tells its children.
        let mut session = match processes.access {
            Access::Here(_) => Some(pid).filter(|&pid| pid > 0),
            Access::Script(_) => None,
        };
        processes.kill_found(|table| {
            session = session.or_else(|| Some(entry_process(&table, self.text.as_bytes())?.pid));
            let of_step = |entry: &&Entry| {
                entry.mark.as_deref().map_or_else(
                    || {
                        session.is_some_and(|session| entry.session == session || entry.group == session)
                            // With nothing to tell by, it was started by this process if no other could have done so since.
                            || (alone && entry.started >= tick)
                    },
                    |mark| mark == self.text.as_bytes(),
                )
            };
            let mut found: HashSet<u32> = table.iter().filter(of_step).map(|entry| entry.pid).collect();
            found.extend(session);
            loop {
                let before = found.len();
                let below = table.iter().filter(|entry| found.contains(&entry.parent)).map(|entry| entry.pid);
                found.extend(below.collect::<Vec<_>>());
                if found.len() == before {
                    break;
                }
            }
            table.into_iter().filter(|entry| found.contains(&entry.pid) && !entry.dead).collect()
        });
    }
}

/// The process that was started with this mark: its parent is not in the container.
fn entry_process<'t>(table: &'t [Entry], mark: &[u8]) -> Option<&'t Entry> {
    table.iter().find(|entry| entry.mark.as_deref() == Some(mark) && entry.parent == 0)
}

pub(crate) fn remain(entry: &Entry) -> Remain {
    Remain { pid: entry.pid, command: entry.command.clone() }
}

/// Linux tells the start of processes in hundredths of a second after boot, on every machine.
fn ticks_now() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 100 + hundredths.parse::<u64>().ok()?)
}

/// What is readable when a process of the engine's machine ends; `None` where it cannot be seen from here.
pub(crate) fn end_of(container: &str, pid: u32) -> io::Result<Option<std::os::fd::OwnedFd>> {
    here::end_of(container, pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_from_what_the_system_tells() {
        let stat = b"77 (a) b (c) S 5 6 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        let entry = Entry::parse(stat, b"A=1\0LINECLEAR_PROCESS=m-1\0", b"sh\0-c\0x\ny\0").expect("an entry");
        assert_eq!((entry.pid, entry.parent, entry.group, entry.session, entry.started), (77, 5, 6, 7, 4242));
        assert_eq!((entry.mark.as_deref(), entry.command.as_str()), (Some(&b"m-1"[..]), "sh -c x y"));
        assert_eq!(Entry::parse(stat, b"", b"").expect("an entry").command, "[a) b (c]");
        assert_eq!(Entry::parse(b"1 (x) S 0", b"", b""), None);
    }
}
