//! Whose folder this is: a mark in each folder of jobs, so that what a dead process left can be told from what a living one
//! uses.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use lineclear_backend::Owner;

use crate::remove;

/// The name of the mark. It is a symbolic link whose target is the text: that is written in one step or not at all.
pub(crate) const MARK: &str = ".owner";

/// A folder without a mark may be about to get one.
const UNMARKED: Duration = Duration::from_secs(60);

/// How often, and after what time, what is busy is looked at again.
const BUSY_LOOKS: u32 = 200;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Marks a folder as this owner's.
pub(crate) fn mark(owner: &Owner, folder: &Path) -> io::Result<()> {
    symlink(owner.write(), folder.join(MARK))
}

/// Whose mark a folder bears.
fn owner_of(folder: &Path) -> Option<Owner> {
    Owner::parse(fs::read_link(folder.join(MARK)).ok()?.to_str()?)
}

/// Removes a folder that `owner`, which is gone, made or was about to make. One of another owner stays.
pub(crate) fn remove_folder_of(owner: &Owner, folder: &Path) -> io::Result<()> {
    match owner_of(folder) {
        Some(its) if its == *owner => remove::tree(folder).map_err(|left| left.source),
        Some(_) => Ok(()),
        // Its owner ended before marking it: then it is empty.
        None => match remove_empty(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        },
    }
}

/// A control group, which is a folder too, is busy until the kernel is done with the processes that were killed in it.
fn remove_empty(folder: &Path) -> io::Result<()> {
    for _ in 0..BUSY_LOOKS {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => thread::sleep(BUSY_PAUSE),
            result => return result,
        }
    }
    fs::remove_dir(folder)
}

/// Whether the folder belongs to a process that is known to be gone.
pub(crate) fn is_abandoned(folder: &Path, here: &Owner) -> bool {
    owner_of(folder).is_some_and(|owner| owner.is_gone(here))
}

/// Removes what processes that ended without cleaning up left in `work`, and of scratch folders. Returns the folders
/// removed.
///
/// Folders of living processes, of processes on other machines and folders that Lineclear did not make are not touched.
/// What cannot be removed is left for the next time.
pub fn sweep(work: &Path) -> Vec<PathBuf> {
    let here = Owner::this();
    let mut removed = Vec::new();
    removed.extend(lineclear_sandbox::sweep());
    let bases = std::iter::once(work.to_owned()).chain(crate::scratch::bases());
    for base in bases {
        let Ok(items) = fs::read_dir(&base) else { continue };
        for item in items.flatten() {
            let folder = item.path();
            if is_abandoned(&folder, &here) {
                if remove::tree(&folder).is_ok() {
                    removed.push(folder);
                }
            } else if is_unmarked_and_old(&folder, &item.file_name().to_string_lossy())
                && fs::remove_dir(&folder).is_ok()
            {
                removed.push(folder);
            }
        }
    }
    removed
}

/// The folders that [`sweep`] would remove because their owner is gone.
pub fn abandoned(work: &Path) -> Vec<PathBuf> {
    let here = Owner::this();
    let bases = std::iter::once(work.to_owned()).chain(crate::scratch::bases());
    let folders = bases.filter_map(|base| fs::read_dir(base).ok()).flatten().flatten().map(|item| item.path());
    folders.filter(|folder| is_abandoned(folder, &here)).collect()
}

/// A run's folder whose maker ended between making and marking it. It is empty, and only an empty one is removed.
fn is_unmarked_and_old(folder: &Path, name: &str) -> bool {
    let of_a_run = name.chars().all(|c| c.is_ascii_digit() || c == '.');
    of_a_run
        && fs::symlink_metadata(folder).is_ok_and(|metadata| {
            let age = metadata.modified().ok().and_then(|made| SystemTime::now().duration_since(made).ok());
            metadata.is_dir() && age.is_some_and(|age| age > UNMARKED)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = Owner::this();
        mark(&here, folder.path()).expect("a mark");
        assert_eq!(owner_of(folder.path()), Some(here));
    }

    #[test]
    fn what_the_dead_left_goes_and_what_the_living_use_stays() {
        let work = tempfile::tempdir().expect("a folder");
        let here = Owner::this();
        let cases = [
            ("1", Owner { started: here.started + 1, ..here.clone() }, false), // The pid went to another process.
            ("2", Owner { pid: u32::MAX, ..here.clone() }, false),
            ("3", Owner { boot: "before".into(), ..here.clone() }, false),
            ("4", here.clone(), true),
            ("5", Owner { host: "elsewhere".into(), pid: u32::MAX, ..here.clone() }, true),
            ("6", Owner { pids: 1, pid: u32::MAX, ..here.clone() }, true),
        ];
        for (name, owner, _) in &cases {
            fs::create_dir_all(work.path().join(name).join("job/repo")).expect("folders");
            mark(owner, &work.path().join(name)).expect("a mark");
        }
        for name in ["_tool", "7", "notes"] {
            fs::create_dir_all(work.path().join(name).join("kept")).expect("folders");
        }
        let removed = sweep(work.path());
        for (name, owner, stays) in &cases {
            assert_eq!(work.path().join(name).exists(), *stays, "{owner:?}");
            assert_eq!(removed.contains(&work.path().join(name)), !stays);
        }
        for name in ["_tool", "7", "notes"] {
            assert!(work.path().join(name).join("kept").exists());
        }
    }
}
