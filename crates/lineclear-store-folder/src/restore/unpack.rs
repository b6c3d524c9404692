//! From packs to files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lineclear_store::StoreError;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::folder::{Cursor, times};
use super::{Fault, Keeping, Restore, in_parallel};
use crate::blobs::Hash;
use crate::fault;
use crate::manifest::{Kind, MODE_BITS, Node, Piece};
use crate::scan::stamp;
use crate::stat_cache::Stamp;

impl Restore<'_> {
    /// Writes the files that are needed, pack by pack.
    pub(super) fn unpack(&self, needed: &[bool]) -> Result<(), Fault> {
        let mut by_pack: Vec<Vec<(usize, u64, &Piece)>> = vec![Vec::new(); self.manifest.packs.len()];
        let mut empty = Vec::new();
        let mut large = HashMap::new();
        for (number, node) in self.manifest.nodes.iter().enumerate().filter(|(number, _)| needed[*number]) {
            let Kind::File(file) = &node.kind else { continue };
            let mut offset = 0;
            for piece in &file.content.pieces {
                by_pack[piece.pack as usize].push((number, offset, piece));
                offset += piece.length;
            }
            match file.content.pieces.len() {
                0 => empty.push(number),
                1 => {}
                pieces => {
                    large.insert(number, Mutex::new(Large { file: None, left: pieces }));
                }
            }
        }
        let packs: Vec<usize> = (0..by_pack.len()).filter(|pack| !by_pack[*pack].is_empty()).collect();
        let (next, empty_taken) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || -> Result<(), Fault> {
            let mut writer = FileWriter { restore: self, cursor: self.cursor(), stamps: Vec::new(), large: &large };
            let (mut frame, mut raw) = (Vec::new(), Vec::new());
            let outcome = (|| {
                if !empty_taken.swap(true, Ordering::Relaxed) {
                    empty.iter().try_for_each(|number| writer.whole(*number, &[]))?;
                }
                while !self.failed.load(Ordering::Relaxed) {
                    let Some(pack) = packs.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    let blob = &self.manifest.packs[*pack];
                    let damaged = |error| match error {
                        error @ StoreError::Damaged { .. } => Fault::Blob(blob.hash, error),
                        error => Fault::Other(error),
                    };
                    self.place.blobs.read(blob, &mut frame, &mut raw).map_err(damaged)?;
                    for (number, offset, piece) in &by_pack[*pack] {
                        let bytes = slice(&raw, piece).filter(|bytes| Hash::of(bytes) == piece.hash);
                        let Some(bytes) = bytes else {
                            let why = "its contents are not what was stored";
                            return Err(damaged(fault::damaged(format!("blob {}", blob.hash), why)));
                        };
                        writer.piece(*number, *offset, bytes)?;
                    }
                }
                Ok(())
            })();
            if outcome.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            self.remember(writer.stamps);
            outcome
        };
        in_parallel(self.place.threads().min(packs.len().max(1)), work).map(drop)
    }
}

/// A file of several pieces while they arrive from several threads.
struct Large {
    file: Option<Arc<File>>,
    left: usize,
}

struct FileWriter<'a> {
    restore: &'a Restore<'a>,
    cursor: Cursor<'a>,
    stamps: Vec<(Stamp, Hash)>,
    large: &'a HashMap<usize, Mutex<Large>>,
}

impl FileWriter<'_> {
    fn piece(&mut self, number: usize, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let Some(large) = self.large.get(&number) else { return self.whole(number, bytes) };
        let restore = self.restore;
        let node = &restore.manifest.nodes[number];
        let file = {
            let mut large = large.lock().unwrap_or_else(PoisonError::into_inner);
            match &large.file {
                Some(file) => Arc::clone(file),
                None => Arc::clone(large.file.insert(Arc::new(self.create(node)?))),
            }
        };
        file.write_all_at(bytes, offset).map_err(|error| restore.at(node, error))?;
        let last = {
            let mut large = large.lock().unwrap_or_else(PoisonError::into_inner);
            large.left -= 1;
            if large.left == 0 { large.file.take() } else { None }
        };
        match last {
            Some(file) => self.complete(node, &file),
            None => Ok(()),
        }
    }

    /// Writes a file in one go.
    fn whole(&mut self, number: usize, bytes: &[u8]) -> Result<(), Fault> {
        let node = &self.restore.manifest.nodes[number];
        let mut file = self.create(node)?;
        file.write_all(bytes).map_err(|error| self.restore.at(node, error))?;
        self.complete(node, &file)
    }

    fn create(&mut self, node: &Node) -> Result<File, StoreError> {
        let mode = match (&node.kind, self.restore.keeping) {
            (Kind::File(file), Keeping::All) => file.mode,
            _ => 0o666,
        };
        // Exclusively: nothing that is there is ever opened for writing.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = |parent: BorrowedFd<'_>| {
            let create = || rustix::fs::openat(parent, &*node.name, flags, Mode::from_raw_mode(mode));
            match create() {
                Err(Errno::EXIST) => {
                    // Someone made it since we looked.
                    rustix::fs::unlinkat(parent, &*node.name, AtFlags::empty())?;
                    create()
                }
                made => made,
            }
        };
        self.cursor.parent(node).and_then(create).map(File::from).map_err(|error| self.restore.at(node, error))
    }

    /// Sets mode and time, and remembers what the file looks like.
    fn complete(&mut self, node: &Node, file: &File) -> Result<(), Fault> {
        let Kind::File(wanted) = &node.kind else { return Ok(()) };
        if self.restore.keeping == Keeping::Contents {
            return Ok(());
        }
        let complete = || {
            rustix::fs::futimens(file, &times(wanted.changed))?;
            let known = file.metadata()?;
            // What the process's mask took away at creation, or the file system did.
            if known.mode() & MODE_BITS == wanted.mode {
                return Ok(known);
            }
            rustix::fs::fchmod(file, Mode::from_raw_mode(wanted.mode))?;
            file.metadata()
        };
        let known = complete().map_err(|error: io::Error| self.restore.at(node, error))?;
        self.stamps.push((stamp(&known), wanted.content.hash));
        Ok(())
    }
}

fn slice<'a>(raw: &'a [u8], piece: &Piece) -> Option<&'a [u8]> {
    let start = usize::try_from(piece.offset).ok()?;
    let length = usize::try_from(piece.length).ok()?;
    raw.get(start..)?.get(..length)
}
