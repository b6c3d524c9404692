//! Which files are there already and equal.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use lineclear_store::StoreError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::folder::{Cursor, clear, set_times};
use super::{Keeping, Restore, in_parallel};
use crate::manifest::{Content, FileNode, Kind, MODE_BITS, Node};
use crate::stat_cache::Stamp;

/// How much of a file is read at once to compare it.
const BLOCK: usize = 256 * 1024;

/// How many nodes a thread compares in one go.
const SHARE: usize = 256;

impl Restore<'_> {
    /// Compares the files that are there; answers, by node, which have to be written. What is in their way is removed.
    pub(super) fn compare(&self, fresh: &[bool]) -> Result<Vec<bool>, StoreError> {
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

    /// The stamp of a file that is there and equal, after its mode and time were put right; otherwise it is removed.
    pub(super) fn compare_file(
        &self,
        cursor: &mut Cursor<'_>,
        node: &Node,
        file: &FileNode,
    ) -> io::Result<Option<Stamp>> {
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
    Ok(true)
}

pub(super) fn stamp_of(stat: &Stat) -> Stamp {
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
