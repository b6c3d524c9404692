//! Copying listed files.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, Timespec, Timestamps, copy_file_range, fchmod, fstat,
    futimens, ioctl_ficlone, openat, openat2, readlinkat, statat, symlinkat, utimensat,
};
use rustix::io::{Errno, read, write};

use super::list::{Folder, List};

/// Fewer files than this are copied before another thread would have begun.
const FILES_PER_THREAD: usize = 64;
/// More threads would only wait for the disk.
const MOST_THREADS: usize = 4;
/// A file up to this size is read and written at once. For a larger one the system copies by itself.
const SMALL: usize = 128 << 10;

/// Copies the files of `list` from `root` to `target`, and makes the folders for them. Returns the names in the list that
/// stand for repositories of their own, relative to `root`.
pub(super) fn copy(
    root: &Path,
    target: &Path,
    list: &List,
    is_left_out: &(dyn Fn(&Path) -> bool + Sync),
) -> io::Result<Vec<PathBuf>> {
    let source = open_folder(CWD, root).map_err(|error| named(root, error))?;
    let folders: Vec<&Folder> = list.folders.iter().filter(|folder| !is_left_out(&folder.path)).collect();
    let folders = make_folders(&source, target, folders)?;
    let files: usize = folders.iter().map(|folder| folder.count).sum();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = (files / FILES_PER_THREAD).clamp(1, MOST_THREADS.min(cores.max(2)));

    let work = Work {
        root,
        target,
        source: source.as_fd(),
        folders: &folders,
        is_left_out,
        umask: umask(),
        no_reflink: AtomicBool::new(false),
        no_copy_range: AtomicBool::new(false),
        next: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        nested: Mutex::new(Vec::new()),
    };
    let result = if threads == 1 {
        work.carry_out()
    } else {
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .filter_map(|_| {
                    thread::Builder::new().name("copy".into()).spawn_scoped(scope, || work.carry_out()).ok()
                })
                .collect();
            let own = work.carry_out();
            others
                .into_iter()
                .map(|other| other.join().unwrap_or_else(|_| Err(io::Error::other("a thread failed"))))
                .fold(own, Result::and)
        })
    };
    result?;
    let mut nested = work.nested.into_inner().unwrap_or_else(PoisonError::into_inner);
    nested.sort();
    Ok(nested)
}

/// Makes the folders that exist in the source, and returns them. One that was removed, or became a link, since the list was
/// made has no files any more.
fn make_folders<'a>(source: &OwnedFd, target: &Path, folders: Vec<&'a Folder>) -> io::Result<Vec<&'a Folder>> {
    let mut made: HashSet<&Path> = HashSet::from([Path::new("")]);
    let mut kept = Vec::with_capacity(folders.len());
    for folder in folders {
        if !folder.path.as_os_str().is_empty() && open_folder(source.as_fd(), &folder.path).is_err() {
            continue;
        }
        kept.push(folder);
        let missing: Vec<&Path> = folder.path.ancestors().take_while(|path| !made.contains(path)).collect();
        for path in missing.into_iter().rev() {
            let new = target.join(path);
            match fs::create_dir(&new) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(io::Error::new(error.kind(), format!("`{}`: {error}", new.display())));
                }
                _ => made.insert(path),
            };
        }
    }
    Ok(kept)
}

/// What the copying threads share.
struct Work<'a> {
    root: &'a Path,
    target: &'a Path,
    source: BorrowedFd<'a>,
    folders: &'a [&'a Folder],
    is_left_out: &'a (dyn Fn(&Path) -> bool + Sync),
    umask: u32,
    /// The file systems cannot share content between files.
    no_reflink: AtomicBool,
    /// The system cannot copy by itself.
    no_copy_range: AtomicBool,
    next: AtomicUsize,
    failed: AtomicBool,
    nested: Mutex<Vec<PathBuf>>,
}

impl Work<'_> {
    /// Takes folder after folder until none is left.
    fn carry_out(&self) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(SMALL + 1);
        while !self.failed.load(Ordering::Relaxed) {
            let Some(folder) = self.folders.get(self.next.fetch_add(1, Ordering::Relaxed)) else { break };
            if folder.count == 0 {
                continue;
            }
            let copied = self.folder(folder, &mut buffer);
            if copied.is_err() {
                self.failed.store(true, Ordering::Relaxed);
                return copied;
            }
        }
        Ok(())
    }

    fn folder(&self, folder: &Folder, buffer: &mut Vec<u8>) -> io::Result<()> {
        let (from, to) = (self.root.join(&folder.path), self.target.join(&folder.path));
        let from_fd = if folder.path.as_os_str().is_empty() {
            open_folder(CWD, &from)
        } else {
            open_folder(self.source, &folder.path)
        };
        let from_fd = match from_fd {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            Err(error) => return Err(named(&from, error)),
        };
        let to_fd = open_folder(CWD, &to).map_err(|error| named(&to, error))?;
        for name in folder.names() {
            if (self.is_left_out)(&folder.path.join(name)) {
                continue;
            }
            match self.file(from_fd.as_fd(), to_fd.as_fd(), name, buffer) {
                Ok(Copied::Done) => {}
                Ok(Copied::Folder) => {
                    self.nested.lock().unwrap_or_else(PoisonError::into_inner).push(folder.path.join(name));
                }
                Err(Fault::Source(error)) => return Err(named(&from.join(name), error)),
                Err(Fault::Target(error)) => return Err(named(&to.join(name), error)),
            }
        }
        Ok(())
    }

    fn file(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        name: &OsStr,
        buffer: &mut Vec<u8>,
    ) -> Result<Copied, Fault> {
        // Not to wait for the other end, should it be a pipe.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let source = match openat(from, name, flags, Mode::empty()) {
            Ok(source) => source,
            Err(Errno::NOENT) => return Ok(Copied::Done), // Deleted, and not told to git.
            Err(Errno::LOOP) => return link(from, to, name),
            Err(Errno::NXIO) => return Ok(Copied::Done), // A socket.
            Err(error) => return Err(Fault::Source(error)),
        };
        let stat = fstat(&source).map_err(Fault::Source)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Ok(Copied::Folder),
            _ => return Ok(Copied::Done), // A pipe or a device, which git does not know either.
        }
        let mode = stat.st_mode & 0o777;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        // Writable while it is filled; an open file stays so, whatever its permissions.
        let target = openat(to, name, flags, Mode::from_raw_mode(mode)).map_err(Fault::Target)?;
        if stat.st_size > 0 {
            self.content(&source, &target, usize::try_from(stat.st_size).unwrap_or(usize::MAX), buffer)?;
        }
        if mode & self.umask != 0 {
            fchmod(&target, Mode::from_raw_mode(mode)).map_err(Fault::Target)?;
        }
        futimens(&target, &times(&stat)).map_err(Fault::Target)?;
        Ok(Copied::Done)
    }

    /// Shares the content where the file systems can, lets the system copy it otherwise, and copies it by hand where it
    /// cannot.
    fn content(&self, source: &OwnedFd, target: &OwnedFd, size: usize, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        if !self.no_reflink.load(Ordering::Relaxed) {
            match ioctl_ficlone(target, source) {
                Ok(()) => return Ok(()),
                Err(Errno::NOSPC) => return Err(Fault::Target(Errno::NOSPC)),
                Err(_) => self.no_reflink.store(true, Ordering::Relaxed),
            }
        }
        if size > SMALL && !self.no_copy_range.load(Ordering::Relaxed) {
            let mut copied = 0;
            loop {
                match copy_file_range(source, None, target, None, size.max(1 << 20)) {
                    Ok(0) if copied > 0 => return Ok(()),
                    // Some file systems answer so for what they cannot copy.
                    Ok(0) => break,
                    Ok(count) => copied += count,
                    Err(Errno::INTR) => {}
                    Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::IO)) => return Err(Fault::Target(error)),
                    Err(_) if copied == 0 => {
                        self.no_copy_range.store(true, Ordering::Relaxed);
                        break;
                    }
                    Err(error) => return Err(Fault::Target(error)),
                }
            }
        }
        by_hand(source, target, buffer)
    }
}

fn by_hand(source: &OwnedFd, target: &OwnedFd, buffer: &mut Vec<u8>) -> Result<(), Fault> {
    loop {
        buffer.clear();
        match read(source, rustix::buffer::spare_capacity(buffer)) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(Fault::Source(error)),
        }
        let mut left: &[u8] = buffer;
        while !left.is_empty() {
            match write(target, left) {
                Ok(count) => left = left.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Fault::Target(error)),
            }
        }
    }
}

fn link(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &OsStr) -> Result<Copied, Fault> {
    let points_at = match readlinkat(from, name, Vec::new()) {
        Ok(points_at) => points_at,
        Err(Errno::NOENT) => return Ok(Copied::Done),
        Err(error) => return Err(Fault::Source(error)),
    };
    symlinkat(&points_at, to, name).map_err(Fault::Target)?;
    let stat = statat(from, name, AtFlags::SYMLINK_NOFOLLOW).map_err(Fault::Source)?;
    utimensat(to, name, &times(&stat), AtFlags::SYMLINK_NOFOLLOW).map_err(Fault::Target)?;
    Ok(Copied::Done)
}

enum Copied {
    Done,
    /// It is a folder, and its content another list's.
    Folder,
}

/// On which side something failed.
enum Fault {
    Source(Errno),
    Target(Errno),
}

fn named(path: &Path, error: Errno) -> io::Error {
    let error = io::Error::from(error);
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

#[expect(clippy::unnecessary_cast, reason = "the types differ between machines")]
fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime as i64, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime as i64, tv_nsec: stat.st_mtime_nsec as _ },
    }
}

/// Opens a folder, and no link that has taken its place.
fn open_folder(parent: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if path.is_absolute() {
        return openat(parent, path, flags, Mode::empty());
    }
    match openat2(parent, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH) {
        Err(Errno::NOSYS | Errno::PERM) => openat(parent, path, flags | OFlags::NOFOLLOW, Mode::empty()),
        result => result,
    }
}

/// The permissions that new files do not get. Asking the system for it would change it for a moment, for all threads.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    // Not told by old kernels: then permissions are set on every file.
    line.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o777)
}
