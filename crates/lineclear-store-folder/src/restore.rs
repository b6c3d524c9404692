//! Writing the files of a manifest.
//!
//! Folders first, then what is there already is compared, then the packs are unpacked by several threads, each file under the
//! open folder it belongs to; links last, and the folders' times at the very end. Below its anchor nothing is ever opened through
//! a link: each folder on the way is opened by its one name, and what is no folder there is replaced.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lineclear_store::{RestoreReport, StoreError};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;

use crate::blobs::Hash;
use crate::fault;
use crate::manifest::{Content, FileNode, Kind, MODE_BITS, Manifest, Nanos, Node, Piece, content_hash};
use crate::scan::stamp;
use crate::stat_cache::{Stamp, StatCache};
use crate::store::Place;

/// How much of a file is read at once to compare it.
const BLOCK: usize = 256 * 1024;

/// How many nodes a thread compares in one go.
const SHARE: usize = 256;

/// What is kept of a file besides its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Modes and times, as caches do.
    All,
    /// Nothing: new files are like those that a program makes.
    Contents,
}

/// Why a manifest could not be written out.
pub(crate) enum Fault {
    /// A blob is not what was stored.
    Blob(Hash, StoreError),
    Other(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Other(error)
    }
}

/// What was written.
pub(crate) struct Restored {
    pub(crate) report: RestoreReport,
    /// What the files look like now, for the next time.
    pub(crate) stamps: Vec<(Stamp, Hash)>,
}

/// Writes the files of `manifest` below `base`.
pub(crate) fn restore(
    place: &Place,
    manifest: &Manifest,
    base: &Path,
    keeping: Keeping,
    known: &StatCache,
) -> Result<Restored, Fault> {
    let anchors = manifest.anchors.iter().map(|anchor| open_anchor(base, anchor)).collect::<Result<Vec<_>, _>>()?;
    let restore = Restore {
        place,
        manifest,
        base,
        keeping,
        known,
        anchors,
        stamps: Mutex::default(),
        unchanged: AtomicU64::new(0),
        failed: AtomicBool::new(false),
    };
    let fresh = restore.make_folders()?;
    let needed = restore.compare(&fresh)?;
    restore.unpack(&needed)?;
    restore.make_links()?;
    if keeping == Keeping::All {
        restore.finish_folders(&fresh)?;
    }
    let (files, bytes) = manifest.size();
    let unchanged = restore.unchanged.into_inner();
    let stamps = restore.stamps.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Restored { report: RestoreReport { files, bytes, unchanged }, stamps })
}

/// Opens the folder that nodes hang from, making what is missing.
fn open_anchor(base: &Path, anchor: &crate::manifest::Anchor) -> Result<OwnedFd, StoreError> {
    let start = if anchor.absolute { Path::new("/") } else { base };
    let path = start.join(std::ffi::OsStr::from_bytes(&anchor.path));
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

fn open_folder(parent: BorrowedFd<'_>, name: &[u8], follow: bool) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let flags = if follow { flags } else { flags | OFlags::NOFOLLOW };
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

fn replace_by_folder(parent: BorrowedFd<'_>, name: &[u8], mode: u32) -> rustix::io::Result<()> {
    rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(mode))
}

/// An error with a file of the user's, not of the store's, though a full disk may be the reason.
fn io(path: &Path, error: impl Into<io::Error>) -> StoreError {
    StoreError::Io { path: path.to_owned(), source: error.into() }
}

struct Restore<'a> {
    place: &'a Place,
    manifest: &'a Manifest,
    base: &'a Path,
    keeping: Keeping,
    known: &'a StatCache,
    anchors: Vec<OwnedFd>,
    stamps: Mutex<Vec<(Stamp, Hash)>>,
    unchanged: AtomicU64,
    failed: AtomicBool,
}

/// Opens the folders of nodes; keeps the last one open, since neighbours share it.
struct Cursor<'a> {
    restore: &'a Restore<'a>,
    open: Option<(u32, OwnedFd)>,
}

impl Cursor<'_> {
    fn parent(&mut self, node: &Node) -> rustix::io::Result<BorrowedFd<'_>> {
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
    fn cursor(&self) -> Cursor<'_> {
        Cursor { restore: self, open: None }
    }

    /// Where a node is, for messages.
    fn path(&self, node: &Node) -> PathBuf {
        let anchors = self.manifest.anchors.len();
        let mut names = vec![&*node.name];
        let mut at = node.parent as usize;
        while at >= anchors {
            let folder = &self.manifest.nodes[at - anchors];
            names.push(&folder.name);
            at = folder.parent as usize;
        }
        let anchor = &self.manifest.anchors[at];
        let start = if anchor.absolute { Path::new("/") } else { self.base };
        let start = start.join(std::ffi::OsStr::from_bytes(&anchor.path));
        names.iter().rev().fold(start, |path, name| path.join(std::ffi::OsStr::from_bytes(name)))
    }

    fn at(&self, node: &Node, error: impl Into<io::Error>) -> StoreError {
        io(&self.path(node), error)
    }

    fn is_fresh(&self, fresh: &[bool], node: &Node) -> bool {
        (node.parent as usize).checked_sub(self.anchors.len()).is_some_and(|parent| fresh[parent])
    }

    /// Makes all folders; answers, by node, which are new and so have nothing in them.
    fn make_folders(&self) -> Result<Vec<bool>, StoreError> {
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

    /// Compares the files that are there; answers, by node, which have to be written. What is in their way is removed.
    fn compare(&self, fresh: &[bool]) -> Result<Vec<bool>, StoreError> {
        let nodes = &self.manifest.nodes;
        let next = AtomicUsize::new(0);
        let compare = || -> Result<Vec<usize>, StoreError> {
            let mut cursor = self.cursor();
            let mut needed = Vec::new();
            let mut stamps = Vec::new();
            loop {
                let start = next.fetch_add(SHARE, Ordering::Relaxed);
                if start >= nodes.len() || self.failed.load(Ordering::Relaxed) {
                    break;
                }
                for (number, node) in nodes.iter().enumerate().skip(start).take(SHARE) {
                    let Kind::File(file) = &node.kind else { continue };
                    if self.is_fresh(fresh, node) {
                        needed.push(number);
                        continue;
                    }
                    match self.compare_file(&mut cursor, node, file) {
                        Ok(Some(stamp)) => stamps.push((stamp, file.content.hash)),
                        Ok(None) => needed.push(number),
                        Err(error) => {
                            self.failed.store(true, Ordering::Relaxed);
                            return Err(self.at(node, error));
                        }
                    }
                }
            }
            self.unchanged.fetch_add(stamps.len() as u64, Ordering::Relaxed);
            self.remember(stamps);
            Ok(needed)
        };
        let threads = self.place.threads().min(nodes.len().div_ceil(SHARE));
        let mut needed = vec![false; nodes.len()];
        for found in in_parallel(threads, compare)? {
            found.into_iter().for_each(|number| needed[number] = true);
        }
        Ok(needed)
    }

    fn remember(&self, stamps: Vec<(Stamp, Hash)>) {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).extend(stamps);
    }

    /// The stamp of a file that is there and equal, after its mode and time were put right; otherwise it is removed.
    fn compare_file(&self, cursor: &mut Cursor<'_>, node: &Node, file: &FileNode) -> io::Result<Option<Stamp>> {
        let parent = cursor.parent(node)?;
        let stat = match rustix::fs::statat(parent, &*node.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            stat => stat?,
        };
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let like = is_file && stat.st_size.cast_unsigned() == file.content.size;
        if like {
            let stamp = stamp_of(&stat);
            let equal = match self.known.hash_of(&stamp) {
                Some(hash) => hash == file.content.hash,
                None => same_contents(parent, &node.name, &file.content)?,
            };
            let dressed = self.keeping == Keeping::Contents
                || (stat.st_mode & MODE_BITS == file.mode && stamp.changed == file.changed);
            if equal && dressed {
                return Ok(Some(stamp));
            }
            // A file with further names may be another project's too: it gets a copy of its own rather than our times.
            if equal && stat.st_nlink == 1 {
                if stat.st_mode & MODE_BITS != file.mode {
                    rustix::fs::chmodat(parent, &*node.name, Mode::from_raw_mode(file.mode), AtFlags::empty())?;
                }
                set_times(parent, &node.name, file.changed)?;
                let stat = rustix::fs::statat(parent, &*node.name, AtFlags::SYMLINK_NOFOLLOW)?;
                return Ok(Some(stamp_of(&stat)));
            }
        }
        clear(parent, &node.name, &stat)?;
        Ok(None)
    }

    /// Writes the files that are needed, pack by pack.
    fn unpack(&self, needed: &[bool]) -> Result<(), Fault> {
        let mut by_pack: Vec<Vec<(usize, u64, &Piece)>> = vec![Vec::new(); self.manifest.packs.len()];
        let mut empty = Vec::new();
        let mut large = std::collections::HashMap::new();
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

    /// Makes further names of files, then symbolic links: last, so that nothing was written through one.
    fn make_links(&self) -> Result<(), StoreError> {
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

    /// Gives folders their modes and times, the innermost first: making something in a folder changes its time.
    fn finish_folders(&self, fresh: &[bool]) -> Result<(), StoreError> {
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

/// Makes a folder; answers whether it is new. What is no folder is replaced, and one that we may not write to is opened up.
fn make_folder(parent: BorrowedFd<'_>, name: &[u8], mode: u32) -> rustix::io::Result<bool> {
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

fn slice<'a>(raw: &'a [u8], piece: &Piece) -> Option<&'a [u8]> {
    let start = usize::try_from(piece.offset).ok()?;
    let length = usize::try_from(piece.length).ok()?;
    raw.get(start..)?.get(..length)
}

/// Removes what stands where something else is to be; a folder only when it is empty.
fn clear(parent: BorrowedFd<'_>, name: &[u8], stat: &Stat) -> rustix::io::Result<()> {
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    rustix::fs::unlinkat(parent, name, flags)
}

fn set_times(parent: BorrowedFd<'_>, name: &[u8], changed: Nanos) -> rustix::io::Result<()> {
    rustix::fs::utimensat(parent, name, &times(changed), AtFlags::SYMLINK_NOFOLLOW)
}

fn times(changed: Nanos) -> Timestamps {
    let time = Timespec { tv_sec: changed.div_euclid(1_000_000_000), tv_nsec: changed.rem_euclid(1_000_000_000) };
    Timestamps { last_access: time, last_modification: time }
}

fn stamp_of(stat: &Stat) -> Stamp {
    // The types of these fields differ between architectures.
    #[allow(clippy::unnecessary_cast, reason = "they are of this type on some architectures only")]
    let nanos = |seconds, nanos| crate::stat_cache::nanos(seconds as i64, nanos as i64);
    Stamp {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: stat.st_size.cast_unsigned(),
        changed: nanos(stat.st_mtime, stat.st_mtime_nsec),
        status_changed: nanos(stat.st_ctime, stat.st_ctime_nsec),
    }
}

/// Whether a file has these contents, read in the same pieces that they were hashed in.
fn same_contents(parent: BorrowedFd<'_>, name: &[u8], content: &Content) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        // What may not be read is replaced.
        Err(Errno::ACCESS | Errno::PERM) => return Ok(false),
        opened => File::from(opened?),
    };
    let longest = content.pieces.iter().map(|piece| piece.length).max().unwrap_or(0);
    let mut block = vec![0; BLOCK.min(usize::try_from(longest).unwrap_or(BLOCK))];
    let mut offset = 0;
    for piece in &content.pieces {
        let mut hasher = blake3::Hasher::new();
        let mut left = piece.length;
        while left > 0 {
            let want = block.len().min(usize::try_from(left).unwrap_or(BLOCK));
            let read = file.read_at(&mut block[..want], offset)?;
            if read == 0 {
                return Ok(false);
            }
            hasher.update(&block[..read]);
            offset += read as u64;
            left -= read as u64;
        }
        if *hasher.finalize().as_bytes() != piece.hash.0 {
            return Ok(false);
        }
    }
    debug_assert_eq!(content_hash(&content.pieces), content.hash);
    Ok(true)
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
    large: &'a std::collections::HashMap<usize, Mutex<Large>>,
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

/// Runs `work` on several threads; answers what each gave, or the first failure.
fn in_parallel<T: Send, E: Send>(threads: usize, work: impl Fn() -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    if threads < 2 {
        return work().map(|only| vec![only]);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        let outcomes: Vec<_> = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        outcomes.into_iter().collect()
    })
}
