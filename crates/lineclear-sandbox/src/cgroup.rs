//! Control groups: limits of the kernel for a whole tree of processes.
//!
//! Both generations are served, also side by side. A group is made below this process's own, or beside it where the system
//! lets only leaves have processes. Its name tells its owner, so that one that was left behind can be removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use lineclear_backend::Owner;

use crate::mount_table::{self, Mount};

/// What the names of all groups begin with.
const PREFIX: &str = "lineclear-";

/// How long a group may take to become empty after its processes were killed.
const EMPTY: Duration = Duration::from_secs(5);

/// A kind of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Processors,
    Memory,
    Processes,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Processors => "cpu",
            Self::Memory => "memory",
            Self::Processes => "pids",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    One,
    Two,
}

/// A group, in one hierarchy.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
    generation: Generation,
    controllers: Vec<Controller>,
}

/// The groups of one job: one, or one for each hierarchy.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: Vec<Group>,
}

impl Groups {
    /// A group in which `controller` can be set, made if there is none yet. `made` is told before a folder is made.
    ///
    /// # Errors
    /// Why there can be none, in one sentence.
    pub(crate) fn with(&mut self, controller: Controller, name: &str, made: &dyn Fn(&Path)) -> Result<&Group, String> {
        if let Some(at) = self.groups.iter().position(|group| group.controllers.contains(&controller)) {
            return self.groups.get(at).ok_or_else(String::new);
        }
        let group = make(controller, name, made, &self.groups)?;
        let at = match self.groups.iter().position(|own| own.folder == group.folder) {
            Some(at) => {
                if let Some(own) = self.groups.get_mut(at) {
                    own.controllers.push(controller);
                }
                at
            }
            None => {
                self.groups.push(group);
                self.groups.len() - 1
            }
        };
        self.groups.get(at).ok_or_else(String::new)
    }

    /// The files that take a process in.
    pub(crate) fn doors(&self) -> Vec<PathBuf> {
        self.groups.iter().map(|group| group.folder.join("cgroup.procs")).collect()
    }

    pub(crate) fn of(&self, controller: Controller) -> Option<&Group> {
        self.groups.iter().find(|group| group.controllers.contains(&controller))
    }

    /// Kills everything in them at once, where the kernel can do that.
    pub(crate) fn kill(&self) {
        for group in &self.groups {
            if group.generation == Generation::Two {
                // Before 5.14 there is no such file, and processes are killed one by one.
                let _ = fs::write(group.folder.join("cgroup.kill"), "1");
            }
        }
    }

    /// Removes the groups, which nothing may be in any more.
    ///
    /// # Errors
    /// Those that are left.
    pub(crate) fn remove(&mut self, removed: &dyn Fn(&Path)) -> Result<(), String> {
        let mut problems = Vec::new();
        for group in self.groups.drain(..) {
            match remove_empty(&group.folder, EMPTY) {
                Ok(()) => removed(&group.folder),
                Err(error) => problems.push(format!("the control group `{}` is left: {error}", group.folder.display())),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

impl Group {
    /// Which generation, for people.
    pub(crate) fn shown(&self) -> &'static str {
        match self.generation {
            Generation::One => "control group (v1)",
            Generation::Two => "control group (v2)",
        }
    }

    pub(crate) fn limit_processors(&self, processors: f64) -> io::Result<()> {
        const PERIOD: f64 = 100_000.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "up to 65536 processors")]
        let quota = (processors * PERIOD).max(1000.0) as u64;
        match self.generation {
            Generation::One => {
                self.set("cpu.cfs_period_us", "100000")?;
                self.set("cpu.cfs_quota_us", &quota.to_string())
            }
            Generation::Two => self.set("cpu.max", &format!("{quota} 100000")),
        }
    }

    pub(crate) fn limit_memory(&self, bytes: u64) -> io::Result<()> {
        match self.generation {
            Generation::One => {
                self.set("memory.limit_in_bytes", &bytes.to_string())?;
                // Where swap is not counted, it is not used by a group at this setting.
                if self.set("memory.memsw.limit_in_bytes", &bytes.to_string()).is_err() {
                    let _ = self.set("memory.swappiness", "0");
                }
                Ok(())
            }
            Generation::Two => {
                self.set("memory.max", &bytes.to_string())?;
                match self.set("memory.swap.max", "0") {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            }
        }
    }

    pub(crate) fn limit_processes(&self, count: u64) -> io::Result<()> {
        self.set("pids.max", &count.to_string())
    }

    /// How many processes the kernel killed as there was no memory left.
    pub(crate) fn killed_for_memory(&self) -> u64 {
        match self.generation {
            Generation::One => self.count("memory.oom_control", "oom_kill"),
            Generation::Two => self.count("memory.events", "oom_kill"),
        }
    }

    /// How often a process could not be started.
    pub(crate) fn refused_processes(&self) -> u64 {
        self.count("pids.events", "max")
    }

    fn count(&self, file: &str, name: &str) -> u64 {
        let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(own, _)| *own == name).and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), value)
    }
}

/// The name of a group of this process. `number` is the room's.
pub(crate) fn name_of(owner: &Owner, number: u64) -> String {
    format!("{PREFIX}{}-{}-{}-{number}", owner.pid, owner.started, owner.pids)
}

/// Where this process is in a hierarchy.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    /// The top that can be seen.
    top: PathBuf,
    generation: Generation,
}

fn make(controller: Controller, name: &str, made: &dyn Fn(&Path), have: &[Group]) -> Result<Group, String> {
    let place = place(controller, &Hierarchies::read()?)?;
    let mut tried = String::new();
    let mut parent = place.folder.clone();
    loop {
        let folder = parent.join(name);
        let group = Group { folder: folder.clone(), generation: place.generation, controllers: vec![controller] };
        if have.iter().any(|own| own.folder == folder) {
            if is_usable(&group, controller) {
                return Ok(group);
            }
        } else {
            match try_in(&parent, &group, controller, made) {
                Ok(()) => return Ok(group),
                Err(error) => tried = error,
            }
        }
        // Of the first generation every group may have processes and limits both.
        if place.generation == Generation::One
            || parent == place.top
            || !parent.pop()
            || !parent.starts_with(&place.top)
        {
            return Err(tried);
        }
    }
}

fn try_in(parent: &Path, group: &Group, controller: Controller, made: &dyn Fn(&Path)) -> Result<(), String> {
    let fail = |what: &str, error: &io::Error| format!("cannot {what} `{}`: {error}", group.folder.display());
    if group.generation == Generation::Two {
        // It fails where the parent has processes of its own; it may be switched on already.
        let _ = fs::write(parent.join("cgroup.subtree_control"), format!("+{}", controller.name()));
        let on = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
        if !on.split_whitespace().any(|own| own == controller.name()) {
            return Err(format!(
                "the controller `{}` is not given to groups in `{}`",
                controller.name(),
                parent.display()
            ));
        }
    }
    made(&group.folder);
    fs::create_dir(&group.folder).map_err(|error| fail("make the control group", &error))?;
    let usable = if !is_usable(group, controller) {
        Err(fail("set limits in", &io::ErrorKind::PermissionDenied.into()))
    } else if group.generation == Generation::One {
        // Who may make a group may fill it.
        Ok(())
    } else {
        takes_processes(group).map_err(|error| fail("put a process into", &error))
    };
    if usable.is_err() {
        // Made a moment ago, it is empty.
        let _ = remove_empty(&group.folder, Duration::ZERO);
    }
    usable
}

fn is_usable(group: &Group, controller: Controller) -> bool {
    let file = match (controller, group.generation) {
        (Controller::Processors, Generation::One) => "cpu.cfs_quota_us",
        (Controller::Processors, Generation::Two) => "cpu.max",
        (Controller::Memory, Generation::One) => "memory.limit_in_bytes",
        (Controller::Memory, Generation::Two) => "memory.max",
        (Controller::Processes, _) => "pids.max",
    };
    rustix::fs::access(group.folder.join(file), rustix::fs::Access::WRITE_OK).is_ok()
}

/// Tries with a process that ends at once: the right to move one is that of the groups' common ancestor, and not of the group.
fn takes_processes(group: &Group) -> io::Result<()> {
    let mut child = std::process::Command::new("cat")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()?;
    let moved = fs::write(group.folder.join("cgroup.procs"), child.id().to_string());
    let ended = child.kill().and_then(|()| child.wait());
    moved.and(ended.map(drop))
}

/// The hierarchies that there are, and where this process is in them.
struct Hierarchies {
    mounts: Vec<Mount>,
    own: String,
}

impl Hierarchies {
    fn read() -> Result<Self, String> {
        let mut mounts = mount_table::read().map_err(|error| format!("cannot read what is mounted: {error}"))?;
        mounts.retain(|mount| matches!(mount.kind.as_str(), "cgroup" | "cgroup2"));
        let own = fs::read_to_string("/proc/self/cgroup");
        Ok(Self { mounts, own: own.map_err(|error| format!("cannot read the own control group: {error}"))? })
    }
}

fn place(controller: Controller, Hierarchies { mounts, own }: &Hierarchies) -> Result<Place, String> {
    let name = controller.name();
    let line = |wanted: &dyn Fn(&str) -> bool| {
        own.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            wanted(controllers).then(|| path.to_owned())
        })
    };
    let has = |list: &str| list.split(',').any(|own| own == name);
    if let Some(mount) = mounts.iter().find(|mount| mount.kind == "cgroup" && has(&mount.super_options))
        && let Some(path) = line(&|controllers| has(controllers))
    {
        return Ok(inside(mount, &path, Generation::One));
    }
    if let Some(mount) = mounts.iter().find(|mount| mount.kind == "cgroup2")
        && let Some(path) = line(&str::is_empty)
    {
        let place = inside(mount, &path, Generation::Two);
        let offered = fs::read_to_string(place.top.join("cgroup.controllers")).unwrap_or_default();
        if offered.split_whitespace().any(|own| own == name) {
            return Ok(place);
        }
    }
    Err(format!("no control groups with the controller `{name}` are mounted"))
}

fn inside(mount: &Mount, path: &str, generation: Generation) -> Place {
    let path = Path::new(path);
    let inner = path.strip_prefix(&mount.root).or_else(|_| path.strip_prefix("/")).unwrap_or(path);
    let folder = mount.at.join(inner);
    let folder = if folder.is_dir() { folder } else { mount.at.clone() };
    Place { folder, top: mount.at.clone(), generation }
}

fn remove_empty(folder: &Path, patience: Duration) -> io::Result<()> {
    let mut pause = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    loop {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Processes that were killed are in it until the kernel is done with them.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && waited < patience => {
                thread::sleep(pause);
                waited += pause;
                pause = (pause * 2).min(Duration::from_millis(100));
            }
            result => return result,
        }
    }
}

/// Removes the groups that processes which are gone left behind. Returns them.
pub fn sweep() -> Vec<PathBuf> {
    let here = Owner::this();
    let mut removed = Vec::new();
    let Ok(hierarchies) = Hierarchies::read() else { return removed };
    let mut seen: Vec<PathBuf> = Vec::new();
    for controller in [Controller::Processors, Controller::Memory, Controller::Processes] {
        let Ok(place) = place(controller, &hierarchies) else { continue };
        let mut parent = place.folder.clone();
        while parent.starts_with(&place.top) && !seen.contains(&parent) {
            seen.push(parent.clone());
            for item in fs::read_dir(&parent).into_iter().flatten().flatten() {
                let gone =
                    owner_in(&item.file_name().to_string_lossy(), &here).is_some_and(|owner| owner.is_gone(&here));
                if gone && fs::remove_dir(item.path()).is_ok() {
                    removed.push(item.path());
                }
            }
            if !parent.pop() {
                break;
            }
        }
    }
    removed
}

/// Groups do not outlive a boot, and a machine has its own.
fn owner_in(name: &str, here: &Owner) -> Option<Owner> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-').map(str::parse::<u64>);
    let (pid, started, pids) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    Some(Owner { pid: u32::try_from(pid).ok()?, started, pids, ..here.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_owner() {
        let here = Owner::this();
        assert_eq!(owner_in(&name_of(&here, 7), &here), Some(here.clone()));
        for name in ["lineclear", "lineclear-", "lineclear-1-2", "docker", "lineclear-a-b-c-1"] {
            assert_eq!(owner_in(name, &here), None, "{name}");
        }
    }
}
