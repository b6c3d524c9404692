//! What a job sees of the machine's files, made in a mount namespace of its own.
//!
//! The system stays where it is and becomes read-only, mount by mount. What is shared between jobs (`/tmp`, `/run`, shared
//! memory, devices) is covered by something of the job's own; secrets are covered by nothing. The job's folders are then put
//! back over it all, writable. In the end every mount is looked at again: one that can still be written is an error.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, mount_bind, mount_bind_recursive,
    mount_change, mount_remount, move_mount, open_tree,
};

use crate::link::ViewPlan;
use crate::mount_table::{self, Mount};

/// What of `/run` programs need to work at all.
const RUN_SHOWN: [&str; 7] = [
    "current-system",
    "booted-system",
    "wrappers",
    "opengl-driver",
    "systemd/resolve/resolv.conf",
    "systemd/resolve/stub-resolv.conf",
    "resolvconf",
];

/// Devices without which nothing works, and those that give nothing away.
const DEVICES: [&str; 10] = ["null", "zero", "full", "random", "urandom", "tty", "ptmx", "kvm", "net/tun", "fuse"];

/// What of `/proc` changes the machine.
const PROC_READ_ONLY: [&str; 5] = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"];
const PROC_HIDDEN: [&str; 2] = ["/proc/kcore", "/proc/keys"];

/// Makes the view. Returns what is to be said of it.
///
/// # Errors
/// What could not be done, in one sentence.
pub(crate) fn make(plan: &ViewPlan) -> Result<String, String> {
    step(
        "keep mounts from the machine",
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC),
    )?;
    let mut said = "system read-only".to_owned();
    if plan.read_only {
        let mut notes = Vec::new();
        build(plan, &mut notes)?;
        said.extend(notes.iter().flat_map(|note| ["; ", note]));
    } else {
        "system as it is".clone_into(&mut said);
    }
    if let Some((file, text)) = &plan.resolver {
        resolver(file, text)?;
    }
    if plan.read_only {
        make_read_only(plan)?;
    }
    step("enter the view", rustix::process::chdir("/"))?;
    Ok(said)
}

fn step<T, E: Into<io::Error>>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| {
        let error: io::Error = error.into();
        format!("cannot {what}: {error}")
    })
}

fn at<T, E: Into<io::Error>>(what: &str, path: &Path, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| {
        let error: io::Error = error.into();
        format!("cannot {what} `{}`: {error}", path.display())
    })
}

fn build(plan: &ViewPlan, notes: &mut Vec<String>) -> Result<(), String> {
    // Taken hold of before anything is covered: they may lie below what will be.
    let mut places: Vec<(&Path, Place)> = Vec::new();
    for path in plan.writable.iter().chain(&plan.shown) {
        places.push((path, Place::Kept(take(path)?)));
    }
    let instead = plan.instead.iter().map(|(own, seen)| Ok((take(own)?, seen.as_path())));
    let instead: Vec<(OwnedFd, &Path)> = instead.collect::<Result<_, String>>()?;
    if let Some((home, changes)) = &plan.home {
        match layered(home, changes) {
            Ok(layered) => places.push((home, Place::Kept(layered))),
            Err(error) => notes.push(format!("the home folder is read-only too, as it cannot be layered: {error}")),
        }
    }
    places.extend(plan.hidden.iter().map(|path| (path.as_path(), Place::Hidden)));
    places.extend(PROC_HIDDEN.iter().map(|path| (Path::new(path), Place::Hidden)));
    // From the outside in, so that what is said of a folder holds for all in it of which nothing else is said.
    places.sort_by_key(|(path, _)| path.components().count());

    for (own, seen) in instead {
        if seen.is_dir() {
            put(own, seen)?;
        }
    }
    run(plan.user_id)?;
    devices()?;
    for (path, place) in places {
        match place {
            Place::Hidden => hide(path)?,
            Place::Kept(tree) => put_back(tree, path)?,
        }
    }
    Ok(())
}

/// What becomes of a place.
enum Place {
    Kept(OwnedFd),
    Hidden,
}

/// Puts a mount where it was, also if what was around it is covered now.
fn put_back(tree: OwnedFd, path: &Path) -> Result<(), String> {
    if fs::symlink_metadata(path).is_err() {
        let is_folder =
            rustix::fs::fstat(&tree).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir());
        match path.parent() {
            Some(parent) if !is_folder => {
                folder_for(parent)?;
                at("make room for", path, fs::File::create(path))?;
            }
            _ => folder_for(path)?,
        }
    }
    put(tree, path)
}

/// A mount of its own of what is at `path`, not yet anywhere.
fn take(path: &Path) -> Result<OwnedFd, String> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    at("take hold of", path, open_tree(CWD, path, flags))
}

fn put(tree: OwnedFd, path: &Path) -> Result<(), String> {
    at("put in place", path, move_mount(tree.as_fd(), "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH))
}

fn folder_for(path: &Path) -> Result<(), String> {
    at("make room for", path, fs::DirBuilder::new().recursive(true).mode(0o755).create(path))
}

fn memory(path: &Path, options: &std::ffi::CStr) -> Result<(), String> {
    at("cover", path, mount("tmpfs", path, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(options)))
}

/// Covers a folder by an empty one, and a file by nothing. What is not there needs no cover.
fn hide(path: &Path) -> Result<(), String> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    let covered = if metadata.is_dir() {
        memory(path, c"mode=0755,size=1m")
    } else if metadata.is_symlink() {
        return Ok(()); // What it leads to is looked at by its own name.
    } else {
        at("hide", path, mount_bind("/dev/null", path))
    };
    match covered {
        // What this user cannot even reach, the job cannot either.
        Err(_) if rustix::fs::access(path, rustix::fs::Access::EXISTS).is_err() => Ok(()),
        covered => covered,
    }
}

/// The home folder under a layer of the job's own.
fn layered(home: &Path, changes: &Path) -> Result<OwnedFd, String> {
    let (upper, work) = if changes.starts_with(home) {
        // A layer may not lie inside of what it covers: then it is in memory.
        let store = changes.join("memory");
        step("make a folder", fs::create_dir_all(&store))?;
        memory(&store, c"mode=0700")?;
        (store.join("upper"), store.join("work"))
    } else {
        (changes.join("upper"), changes.join("work"))
    };
    step("make a folder", fs::create_dir_all(&upper).and_then(|()| fs::create_dir_all(&work)))?;
    let metadata = step("look at it", fs::metadata(home))?;
    step("set its mode", fs::set_permissions(&upper, metadata.permissions()))?;
    let text = |path: &Path| path.to_string_lossy().replace('\\', "\\\\").replace(':', "\\:");
    let make = |by_users: bool| {
        let system = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&system, "lowerdir", text(home))?;
        fsconfig_set_string(&system, "upperdir", text(&upper))?;
        fsconfig_set_string(&system, "workdir", text(&work))?;
        if by_users {
            fsconfig_set_flag(&system, "userxattr")?;
        }
        fsconfig_create(&system)?;
        let flags = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, flags)
    };
    let made = make(true).or_else(|_| make(false));
    made.map_err(|error| io::Error::from(error).to_string())
}

/// A `/run` without the sockets of the machine's daemons.
fn run(user: u32) -> Result<(), String> {
    let place = Path::new("/run");
    if !place.is_dir() {
        return Ok(());
    }
    let mut shown: Vec<(PathBuf, OwnedFd, bool)> = Vec::new();
    for name in RUN_SHOWN {
        let path = place.join(name);
        // A link there leads to the system, and is made anew.
        if let Ok(metadata) = fs::metadata(&path)
            && let Ok(tree) = take(&path)
        {
            shown.push((path, tree, metadata.is_dir()));
        }
    }
    memory(place, c"mode=0755,size=64m")?;
    for (path, tree, is_folder) in shown {
        match (is_folder, path.parent()) {
            (false, Some(parent)) => {
                folder_for(parent)?;
                at("make room for", &path, fs::File::create(&path))?;
            }
            _ => folder_for(&path)?,
        }
        put(tree, &path)?;
    }
    let lock = place.join("lock");
    folder_for(&lock)?;
    at("set the mode of", &lock, fs::set_permissions(&lock, fs::Permissions::from_mode(0o1777)))?;
    let own = place.join(format!("user/{user}"));
    folder_for(&own)?;
    at("set the mode of", &own, fs::set_permissions(&own, fs::Permissions::from_mode(0o700)))
}

/// A `/dev` with what every program may have.
fn devices() -> Result<(), String> {
    let place = Path::new("/dev");
    let mut shown = Vec::new();
    for name in DEVICES {
        let path = place.join(name);
        if path.exists()
            && let Ok(tree) = take(&path)
        {
            shown.push((path, tree));
        }
    }
    let terminals = place.join("pts");
    let own_terminals = terminals.is_dir().then(|| take(&terminals)).transpose()?;
    at("cover", place, mount("tmpfs", place, "tmpfs", MountFlags::NOSUID, Some(c"mode=0755,size=1m")))?;
    for (path, tree) in shown {
        path.parent().map_or(Ok(()), folder_for)?;
        at("make room for", &path, fs::File::create(&path))?;
        put(tree, &path)?;
    }
    if let Some(own) = own_terminals {
        folder_for(&terminals)?;
        put(own, &terminals)?;
    }
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ];
    for (name, target) in links {
        let path = place.join(name);
        at("make", &path, symlink(target, &path))?;
    }
    let shared = place.join("shm");
    folder_for(&shared)?;
    memory(&shared, c"mode=1777")
}

/// Name resolution of the job's own.
fn resolver(file: &Path, text: &str) -> Result<(), String> {
    at("write", file, fs::write(file, text))?;
    let place = Path::new("/etc/resolv.conf");
    // A link is followed by the system. What it leads to may be gone with the machine's `/run`.
    match fs::canonicalize(place) {
        Ok(real) => at("put in place", &real, mount_bind(file, &real)),
        Err(_) => match fs::read_link(place) {
            Ok(target) => {
                let target = Path::new("/etc").join(target);
                target.parent().map_or(Ok(()), folder_for)?;
                at("write", &target, fs::write(&target, text))
            }
            // Without the file, the loopback is asked, as here.
            Err(_) => Ok(()),
        },
    }
}

fn make_read_only(plan: &ViewPlan) -> Result<(), String> {
    let mut kept: Vec<PathBuf> = plan.shown.iter().chain(&plan.hidden).cloned().collect();
    for path in PROC_READ_ONLY.iter().map(PathBuf::from).filter(|path| path.exists()) {
        // With what is mounted below it, which cannot be parted from it.
        at("protect", &path, mount_bind_recursive(&path, &path))?;
        kept.push(path);
    }
    let table = step("read the mounts", mount_table::read())?;
    let free = free_places(plan);
    let is_free = |mount: &Mount| depth(&free, mount) > depth(&kept, mount);
    let mut problems = Vec::new();
    for mount in &table {
        if is_free(mount) || mount.is_read_only() {
            continue;
        }
        if let Err(error) = remount(&mount.at, &mount.options) {
            problems.push((mount.at.clone(), error));
        }
    }
    // The last look decides: what is covered or out of reach could not be changed, and need not.
    for mount in step("read the mounts", mount_table::read())? {
        let reachable = || top_of(&mount.at).is_none_or(|options| !options.split(',').any(|option| option == "ro"));
        if !is_free(&mount) && !mount.is_read_only() && reachable() && can_be_reached(&mount.at) {
            let why = problems.iter().find(|(at, _)| *at == mount.at);
            let why = why.map_or_else(String::new, |(_, error)| format!(": {error}"));
            return Err(format!("cannot make `{}` read-only{why}", mount.at.display()));
        }
    }
    Ok(())
}

/// The options of the mount that is seen at `path`: the last one there.
fn top_of(path: &Path) -> Option<String> {
    mount_table::read().ok()?.into_iter().rev().find(|mount| mount.at == path).map(|mount| mount.options)
}

fn can_be_reached(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXISTS).is_ok()
}

/// Where writing is no harm.
fn free_places(plan: &ViewPlan) -> Vec<PathBuf> {
    let mut free: Vec<PathBuf> = plan.writable.clone();
    free.extend(plan.instead.iter().map(|(_, seen)| seen.clone()));
    free.extend(
        plan.home
            .iter()
            .filter(|(home, _)| top_kind(home).is_some_and(|kind| kind == "overlay"))
            .map(|(home, _)| home.clone()),
    );
    free.extend(["/proc", "/dev/shm", "/dev/pts", "/run"].map(PathBuf::from));
    free
}

fn top_kind(path: &Path) -> Option<String> {
    mount_table::read().ok()?.into_iter().rev().find(|mount| mount.at == path).map(|mount| mount.kind)
}

/// How closely one of `places` says what a mount is: the innermost that it lies in.
fn depth(places: &[PathBuf], mount: &Mount) -> usize {
    places.iter().filter(|place| mount.at.starts_with(place)).map(|place| place.components().count()).max().unwrap_or(0)
}

/// Makes the mount at `path` read-only and keeps what it is besides.
fn remount(path: &Path, options: &str) -> Result<(), Errno> {
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for option in options.split(',') {
        flags |= match option {
            "nosuid" => MountFlags::NOSUID,
            "nodev" => MountFlags::NODEV,
            "noexec" => MountFlags::NOEXEC,
            "noatime" => MountFlags::NOATIME,
            "nodiratime" => MountFlags::NODIRATIME,
            "relatime" => MountFlags::RELATIME,
            "nosymfollow" => MountFlags::NOSYMFOLLOW,
            _ => MountFlags::empty(),
        };
    }
    mount_remount(path, flags, c"")
}
