//! Which files of a repository change, as they change.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

/// Changes that come closer together than this are one: an editor writes a file in several steps.
const SETTLED: Duration = Duration::from_millis(150);

/// Watches the folders of a repository, apart from `.git` and what git ignores.
#[derive(Debug)]
pub(super) struct Changes {
    root: PathBuf,
    watch: OwnedFd,
    /// Relative to the root, by watch descriptor.
    folders: BTreeMap<i32, PathBuf>,
}

impl Changes {
    /// # Errors
    /// The system's limit of watched folders (`fs.inotify.max_user_watches`) is too low, or git cannot be asked.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let mut changes = Self { root: root.to_owned(), watch, folders: BTreeMap::new() };
        changes.watch_folders()?;
        Ok(changes)
    }

    /// Watches every folder that has files; those watched already stay so.
    fn watch_folders(&mut self) -> io::Result<()> {
        let listed = git(&self.root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"], b"")?;
        let mut folders = BTreeSet::from([PathBuf::new()]);
        for file in listed {
            let mut folder = file.as_path();
            while let Some(parent) = folder.parent() {
                if !folders.insert(parent.to_owned()) {
                    break;
                }
                folder = parent;
            }
        }
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ATTRIB
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW;
        for folder in folders {
            match inotify::add_watch(&self.watch, self.root.join(&folder), flags) {
                Ok(descriptor) => drop(self.folders.insert(descriptor, folder)),
                // Tracked, but not on the disk, or no folder any more.
                Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for changes at most so long, and then until they have settled. Paths relative to the root; empty when there were
    /// none that git does not ignore.
    pub(super) fn wait(&mut self, time: Duration) -> io::Result<BTreeSet<String>> {
        let mut seen = BTreeSet::new();
        let mut time = time;
        while self.is_readable(time)? {
            self.read(&mut seen);
            time = SETTLED;
        }
        if seen.is_empty() {
            return Ok(BTreeSet::new());
        }
        // Folders may be new.
        self.watch_folders()?;
        self.not_ignored(seen)
    }

    fn is_readable(&self, time: Duration) -> io::Result<bool> {
        let time =
            Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() };
        let mut source = [PollFd::from_borrowed_fd(self.watch.as_fd(), PollFlags::IN)];
        match poll(&mut source, Some(&time)) {
            Ok(ready) => Ok(ready > 0),
            // A signal: whoever asked looks at that first.
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&self, seen: &mut BTreeSet<PathBuf>) {
        let mut buffer = [MaybeUninit::uninit(); 16 << 10];
        let mut reader = Reader::new(&self.watch, &mut buffer);
        while let Ok(event) = reader.next() {
            // Of an overflow only the fact is known: the folder itself is said to have changed.
            let folder = self.folders.get(&event.wd()).cloned().unwrap_or_default();
            let name = event.file_name().map(|name| String::from_utf8_lossy(name.to_bytes()).into_owned());
            let is_git = folder.as_os_str().is_empty() && name.as_deref() == Some(".git");
            let of_interest = !event.events().contains(ReadFlags::IGNORED) && !is_git;
            if let (true, Some(name)) = (of_interest, name) {
                seen.insert(folder.join(name));
            }
        }
    }

    /// Folders are left out: what is in them tells of itself.
    fn not_ignored(&self, seen: BTreeSet<PathBuf>) -> io::Result<BTreeSet<String>> {
        let mut names: Vec<u8> = Vec::new();
        for path in &seen {
            names.extend(path.to_string_lossy().bytes());
            names.push(0);
        }
        let ignored: BTreeSet<PathBuf> =
            git(&self.root, &["check-ignore", "-z", "--stdin"], &names)?.into_iter().collect();
        let kept = seen.into_iter().filter(|path| !ignored.contains(path) && !self.root.join(path).is_dir());
        Ok(kept.map(|path| path.to_string_lossy().into_owned()).collect())
    }
}

/// The paths that git prints, each ended by a NUL.
fn git(root: &Path, args: &[&str], input: &[u8]) -> io::Result<Vec<PathBuf>> {
    let mut child = Command::new("git")
        .args(args)
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // Beside the reading of the answer: both pipes are short.
        scope.spawn(move || stdin.take().map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })?;
    let names = output.stdout.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let status =
            Command::new("git").args(["init", "-q"]).current_dir(folder.path()).status().expect("git is there");
        assert!(status.success());
        std::fs::create_dir(folder.path().join("src")).expect("a new folder");
        std::fs::write(folder.path().join("src/a"), "1").expect("a new file");
        std::fs::write(folder.path().join(".gitignore"), "*.log\n/target\n").expect("a new file");
        folder
    }

    #[test]
    fn changes_are_told_without_what_git_ignores() {
        let folder = repository();
        let root = folder.path();
        let mut changes = Changes::of(root).expect("inotify is there");
        std::fs::write(root.join("src/a"), "2").expect("it can be written");
        std::fs::write(root.join("x.log"), "2").expect("it can be written");
        std::fs::create_dir_all(root.join("new/deep")).expect("a new folder");
        std::fs::write(root.join("new/deep/b"), "2").expect("it can be written");
        let long = Duration::from_secs(20);
        let told = changes.wait(long).expect("inotify works");
        assert!(told.contains("src/a") && !told.contains("x.log"), "{told:?}");
        // The new folder is watched by now.
        std::fs::write(root.join("new/deep/b"), "3").expect("it can be written");
        assert_eq!(changes.wait(long).expect("inotify works"), BTreeSet::from(["new/deep/b".to_owned()]));
        std::fs::remove_file(root.join("src/a")).expect("it is there");
        assert_eq!(changes.wait(long).expect("inotify works"), BTreeSet::from(["src/a".to_owned()]));
        assert_eq!(changes.wait(Duration::ZERO).expect("inotify works"), BTreeSet::new());
    }
}
