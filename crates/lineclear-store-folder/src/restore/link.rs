//! Further names of files, and symbolic links.

use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;

use lineclear_store::StoreError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::Restore;
use super::compare::stamp_of;
use super::folder::{Cursor, clear, times};
use crate::manifest::{Kind, MODE_BITS, Node};

impl Restore<'_> {
    /// Makes further names of files, then symbolic links: last, so that nothing was written through one.
    pub(super) fn make_links(&self) -> Result<(), StoreError> {
        let (mut cursor, mut first) = (self.cursor(), self.cursor());
        let mut unchanged = 0;
        for node in &self.manifest.nodes {
            if let Kind::Hard { of } = node.kind {
                let target = &self.manifest.nodes[of as usize];
                let same = hard_link(&mut cursor, node, &mut first, target).map_err(|error| self.at(node, error))?;
                unchanged += u64::from(same);
            }
        }
        for node in &self.manifest.nodes {
            if let Kind::Link { target } = &node.kind {
                let same = link(&mut cursor, node, target).map_err(|error| self.at(node, error))?;
                unchanged += u64::from(same);
            }
        }
        self.unchanged.fetch_add(unchanged, Ordering::Relaxed);
        Ok(())
    }
}

/// Makes a further name of a file; answers whether it was one already.
fn hard_link(cursor: &mut Cursor<'_>, node: &Node, first: &mut Cursor<'_>, target: &Node) -> rustix::io::Result<bool> {
    let (parent, target_parent) = (cursor.parent(node)?, first.parent(target)?);
    let wanted = rustix::fs::statat(target_parent, &*target.name, AtFlags::SYMLINK_NOFOLLOW)?;
    match rustix::fs::statat(parent, &*node.name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => {}
        Ok(stat) if (stat.st_dev, stat.st_ino) == (wanted.st_dev, wanted.st_ino) => return Ok(true),
        Ok(stat) => clear(parent, &node.name, &stat)?,
        Err(error) => return Err(error),
    }
    match rustix::fs::linkat(target_parent, &*target.name, parent, &*node.name, AtFlags::empty()) {
        // Roots on different disks, or a file system without further names: a copy is what can be had.
        Err(Errno::XDEV | Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP) => {
            let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut from = File::from(rustix::fs::openat(target_parent, &*target.name, read, Mode::empty())?);
            let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(wanted.st_mode & MODE_BITS);
            let mut to = File::from(rustix::fs::openat(parent, &*node.name, write, mode)?);
            io::copy(&mut from, &mut to).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            rustix::fs::fchmod(&to, mode)?;
            rustix::fs::futimens(&to, &times(stamp_of(&wanted).changed))?;
        }
        linked => linked?,
    }
    Ok(false)
}

/// Makes a symbolic link; answers whether it was there already.
fn link(cursor: &mut Cursor<'_>, node: &Node, target: &[u8]) -> rustix::io::Result<bool> {
    let parent = cursor.parent(node)?;
    match rustix::fs::symlinkat(target, parent, &*node.name) {
        Err(Errno::EXIST) => {}
        made => return made.map(|()| false),
    }
    let stat = rustix::fs::statat(parent, &*node.name, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
        && rustix::fs::readlinkat(parent, &*node.name, Vec::new())?.as_bytes() == target
    {
        return Ok(true);
    }
    clear(parent, &node.name, &stat)?;
    rustix::fs::symlinkat(target, parent, &*node.name).map(|()| false)
}
