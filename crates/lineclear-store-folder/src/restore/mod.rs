//! Writing the files of a manifest.
//!
//! Folders first, then what is there already is compared, then the packs are unpacked by several threads, each file under the
//! open folder it belongs to; links last, and the folders' times at the very end. Below its anchor nothing is ever opened through
//! a link: each folder on the way is opened by its one name, and what is no folder there is replaced.

mod compare;
mod folder;
mod link;
mod unpack;

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, PoisonError};

use lineclear_store::{RestoreReport, StoreError};

use self::folder::{Cursor, open_anchor};
use crate::blobs::Hash;
use crate::manifest::{Manifest, Node};
use crate::stat_cache::{Stamp, StatCache};
use crate::store::Place;

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
        let start = start.join(OsStr::from_bytes(&anchor.path));
        names.iter().rev().fold(start, |path, name| path.join(OsStr::from_bytes(name)))
    }

    fn at(&self, node: &Node, error: impl Into<io::Error>) -> StoreError {
        io(&self.path(node), error)
    }

    fn is_fresh(&self, fresh: &[bool], node: &Node) -> bool {
        (node.parent as usize).checked_sub(self.anchors.len()).is_some_and(|parent| fresh[parent])
    }

    fn remember(&self, stamps: Vec<(Stamp, Hash)>) {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).extend(stamps);
    }
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
