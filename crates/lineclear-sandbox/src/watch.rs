//! Measures what a job's folders hold, where no quota of the file system does.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lineclear_backend::{Intervention, IsolationPart, show_bytes};

use crate::forward::Bell;

/// Between two looks, at least. A look may take no more than a twentieth of the time.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_PER_LOOK: u32 = 20;
/// A job that was ended for its disk, and whose last steps clean up, is ended again only if it grows by this.
const AGAIN: u64 = 1 << 20;

/// Ends a job's processes.
pub(crate) type End = Arc<dyn Fn() + Send + Sync>;

/// A watch over one job's disk. Dropped, it ends.
pub(crate) struct Watch {
    bell: Bell,
    hits: Arc<Mutex<Vec<Intervention>>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// What `folders` hold now is the job's beginning, and not counted.
    pub(crate) fn begin(folders: Vec<PathBuf>, most: u64, end: End) -> io::Result<Self> {
        let bell = Bell::new()?;
        let hits = Arc::new(Mutex::new(Vec::new()));
        let (told, stop) = (Arc::clone(&hits), bell.clone());
        let before = measure(&folders);
        let thread = thread::Builder::new().name("disk".into()).spawn(move || {
            let mut limit = before.saturating_add(most);
            let mut pause = PAUSE;
            while !stop.wait_for(pause) {
                let begun = Instant::now();
                let now = measure(&folders);
                pause = PAUSE.max(begun.elapsed() * PAUSE_PER_LOOK);
                if now > limit {
                    let message = format!(
                        "the job wrote {}, more than its {} of disk: its processes were ended",
                        show_bytes(now.saturating_sub(before)),
                        show_bytes(most)
                    );
                    let hit = Intervention { what: IsolationPart::Disk, message, fatal: true };
                    // Told before it shows: the step that ends asks at once.
                    told.lock().unwrap_or_else(PoisonError::into_inner).push(hit);
                    end();
                    // It went on writing until it was ended, and none of that is held against what cleans up.
                    limit = measure(&folders).max(now).saturating_add(AGAIN);
                }
            }
        })?;
        Ok(Self { bell, hits, thread: Some(thread) })
    }

    pub(crate) fn take_hits(&self) -> Vec<Intervention> {
        std::mem::take(&mut *self.hits.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            // It may be ending the job; that is waited for.
            let _ = thread.join();
        }
    }
}

/// Bytes on disk, links not followed. What cannot be read is not counted.
fn measure(folders: &[PathBuf]) -> u64 {
    folders.iter().map(|folder| of_tree(folder)).sum()
}

fn of_tree(top: &Path) -> u64 {
    let mut bytes = 0;
    let mut open = vec![top.to_owned()];
    while let Some(folder) = open.pop() {
        for item in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(metadata) = item.metadata() else { continue };
            // What has several names counts as its share.
            bytes += metadata.blocks() * 512 / metadata.nlink().clamp(1, u64::from(u32::MAX)).max(1);
            if metadata.is_dir() {
                bytes -= metadata.blocks() * 512 / metadata.nlink().max(1);
                open.push(item.path());
            }
        }
    }
    bytes
}
