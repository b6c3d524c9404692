//! Folders: opened by one name after the other, made, and given their times at the end.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use lineclear_store::StoreError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use super::compare::stamp_of;
use super::{Keeping, Restore, io};
use crate::manifest::{Anchor, Kind, MODE_BITS, Nanos, Node};

/// Opens the folders of nodes; keeps the last one open, since neighbours share it.
pub(super) struct Cursor<'a> {
    pub(super) restore: &'a Restore<'a>,
    pub(super) open: Option<(u32, OwnedFd)>,
}

impl Cursor<'_> {
    pub(super) fn parent(&mut self, node: &Node) -> rustix::io::Result<BorrowedFd<'_>> {
        let (manifest, anchors) = (self.restore.manifest, &self.restore.anchors);
        if node.parent as usize >= anchors.len() && self.open.as_ref().is_none_or(|(id, _)| *id != node.parent) {
            let mut names = Vec::new();
            let mut at = node.parent as usize;
            while at >= anchors.len() {
                let folder = &manifest.nodes[at - anchors.len()];
                names.push(&folder.name);
                at = folder.parent as usize;
            }
            let mut folder = None::<OwnedFd>;
            for name in names.iter().rev() {
                let above = folder.as_ref().map_or(anchors[at].as_fd(), AsFd::as_fd);
                folder = Some(open_folder(above, name, false)?);
            }
            self.open = folder.map(|folder| (node.parent, folder));
        }
        match &self.open {
            Some((id, folder)) if *id == node.parent => Ok(folder.as_fd()),
            _ => Ok(anchors[node.parent as usize].as_fd()),
        }
    }
}

impl Restore<'_> {
    /// Makes all folders; answers, by node, which are new and so have nothing in them.
    pub(super) fn make_folders(&self) -> Result<Vec<bool>, StoreError> {
        let mut fresh = vec![false; self.manifest.nodes.len()];
        let mut cursor = self.cursor();
        for (number, node) in self.manifest.nodes.iter().enumerate() {
            if !matches!(node.kind, Kind::Folder { .. }) {
                continue;
            }
            // The mode at the end is set when all is there: until then files have to be made in it.
            let mode = if self.keeping == Keeping::All { 0o700 } else { 0o777 };
            let made = cursor.parent(node).and_then(|parent| make_folder(parent, &node.name, mode));
            fresh[number] = made.map_err(|error| self.at(node, error))?;
        }
        Ok(fresh)
    }

    /// Gives folders their modes and times, the innermost first: making something in a folder changes its time.
    pub(super) fn finish_folders(&self, fresh: &[bool]) -> Result<(), StoreError> {
        let mut cursor = self.cursor();
        for (number, node) in self.manifest.nodes.iter().enumerate().rev() {
            let Kind::Folder { mode, changed } = node.kind else { continue };
            let finish = |parent: BorrowedFd<'_>| {
                let known = match fresh[number] {
                    true => (0o700, None),
                    false => {
                        let stat = rustix::fs::statat(parent, &*node.name, AtFlags::SYMLINK_NOFOLLOW)?;
                        (stat.st_mode & MODE_BITS, Some(stamp_of(&stat).changed))
                    }
                };
                if known.0 != mode {
                    rustix::fs::chmodat(parent, &*node.name, Mode::from_raw_mode(mode), AtFlags::empty())?;
                }
                if known.1 != Some(changed) {
                    set_times(parent, &node.name, changed)?;
                }
                Ok::<_, Errno>(())
            };
            cursor.parent(node).and_then(finish).map_err(|error| self.at(node, error))?;
        }
        Ok(())
    }
}

/// Opens the folder that nodes hang from, making what is missing.
pub(super) fn open_anchor(base: &Path, anchor: &Anchor) -> Result<OwnedFd, StoreError> {
    let start = if anchor.absolute { Path::new("/") } else { base };
    let path = start.join(OsStr::from_bytes(&anchor.path));
    if anchor.absolute {
        // The user named this place; links on the way to it are the user's.
        fs::create_dir_all(&path).map_err(|error| io(&path, error))?;
        return open_folder(rustix::fs::CWD, path.as_os_str().as_bytes(), true).map_err(|error| io(&path, error));
    }
    fs::create_dir_all(base).map_err(|error| io(base, error))?;
    let mut folder =
        open_folder(rustix::fs::CWD, base.as_os_str().as_bytes(), true).map_err(|error| io(base, error))?;
    for name in anchor.path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        folder = match open_folder(folder.as_fd(), name, false) {
            Err(Errno::NOENT) => rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o777))
                .and_then(|()| open_folder(folder.as_fd(), name, false)),
            // On Linux a link that is not to be followed, opened as a folder, is "not a directory".
            Err(Errno::NOTDIR | Errno::LOOP) => {
                replace_by_folder(folder.as_fd(), name, 0o777).and_then(|()| open_folder(folder.as_fd(), name, false))
            }
            opened => opened,
        }
        .map_err(|error| io(&path, error))?;
    }
    Ok(folder)
}

pub(super) fn open_folder(parent: BorrowedFd<'_>, name: &[u8], follow: bool) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let flags = if follow { flags } else { flags | OFlags::NOFOLLOW };
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

pub(super) fn replace_by_folder(parent: BorrowedFd<'_>, name: &[u8], mode: u32) -> rustix::io::Result<()> {
    rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(mode))
}

/// Makes a folder; answers whether it is new. What is no folder is replaced, and one that we may not write to is opened up.
pub(super) fn make_folder(parent: BorrowedFd<'_>, name: &[u8], mode: u32) -> rustix::io::Result<bool> {
    match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(mode)) {
        Err(Errno::EXIST) => {}
        made => return made.map(|()| true),
    }
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return replace_by_folder(parent, name, mode).map(|()| true);
    }
    if stat.st_mode & 0o700 != 0o700 {
        let mode = Mode::from_raw_mode(stat.st_mode & 0o7777 | 0o700);
        rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?;
    }
    Ok(false)
}

/// Removes what stands where something else is to be; a folder only when it is empty.
pub(super) fn clear(parent: BorrowedFd<'_>, name: &[u8], stat: &Stat) -> rustix::io::Result<()> {
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    rustix::fs::unlinkat(parent, name, flags)
}

pub(super) fn set_times(parent: BorrowedFd<'_>, name: &[u8], changed: Nanos) -> rustix::io::Result<()> {
    rustix::fs::utimensat(parent, name, &times(changed), AtFlags::SYMLINK_NOFOLLOW)
}

pub(super) fn times(changed: Nanos) -> Timestamps {
    let time = Timespec { tv_sec: changed.div_euclid(1_000_000_000), tv_nsec: changed.rem_euclid(1_000_000_000) };
    Timestamps { last_access: time, last_modification: time }
}
