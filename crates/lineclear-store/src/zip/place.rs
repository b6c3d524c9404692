//! Where unpacked files go: below one folder, reached name by name, through no link.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// A folder that is written into, with the folder below it that was used last.
#[derive(Debug)]
pub(super) struct Place {
    root: OwnedFd,
    last: Option<(Box<[u8]>, OwnedFd)>,
}

impl Place {
    /// Opens `folder`, making it when it is missing. Links on the way to it are the caller's.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { root: rustix::fs::open(folder, flags, Mode::empty())?, last: None })
    }

    /// Makes the folder `path` and those above it. A file or link in the way is removed, never followed.
    pub(super) fn folder(&mut self, path: &[u8]) -> io::Result<BorrowedFd<'_>> {
        if self.last.as_ref().is_none_or(|(known, _)| **known != *path) {
            let mut open = None::<OwnedFd>;
            for name in path.split(|byte| *byte == b'/') {
                let above = open.as_ref().map_or(self.root.as_fd(), AsFd::as_fd);
                open = Some(enter(above, name)?);
            }
            self.last = open.map(|open| (path.into(), open));
        }
        Ok(self.last.as_ref().map_or(self.root.as_fd(), |(_, open)| open.as_fd()))
    }

    /// The folder that `path` is in, and its last name.
    fn parent<'p>(&mut self, path: &'p [u8]) -> io::Result<(BorrowedFd<'_>, &'p [u8])> {
        Ok(match path.iter().rposition(|byte| *byte == b'/') {
            Some(end) => (self.folder(&path[..end])?, &path[end + 1..]),
            None => (self.root.as_fd(), path),
        })
    }

    /// Removes a file that was made here; one that cannot be removed stays.
    pub(super) fn remove(&mut self, path: &[u8]) {
        if let Ok((parent, name)) = self.parent(path) {
            let _stays_if_it_must = rustix::fs::unlinkat(parent, name, AtFlags::empty());
        }
    }

    /// Makes the file `path` anew, in place of a file or link that is there.
    pub(super) fn file(&mut self, path: &[u8]) -> io::Result<File> {
        let (parent, name) = self.parent(path)?;
        // Exclusively: nothing that is there is ever opened for writing.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o666));
        let made = match create() {
            Err(Errno::EXIST) => clear(parent, name).and_then(|()| create()),
            made => made,
        };
        Ok(File::from(made?))
    }
}

fn enter(above: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || rustix::fs::openat(above, name, flags, Mode::empty());
    let make = || match rustix::fs::mkdirat(above, name, Mode::from_raw_mode(0o777)) {
        Err(Errno::EXIST) | Ok(()) => open(),
        Err(error) => Err(error),
    };
    match open() {
        Err(Errno::NOENT) => make(),
        // On Linux a link that is not to be followed, opened as a folder, is "not a directory".
        Err(Errno::NOTDIR | Errno::LOOP) => rustix::fs::unlinkat(above, name, AtFlags::empty()).and_then(|()| make()),
        opened => opened,
    }
}

/// Removes what stands where a file is to be; a folder only when it is empty.
fn clear(above: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<()> {
    let known = rustix::fs::statat(above, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_folder = FileType::from_raw_mode(known.st_mode) == FileType::Directory;
    rustix::fs::unlinkat(above, name, if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() })
}
