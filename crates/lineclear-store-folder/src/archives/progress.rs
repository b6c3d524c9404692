//! How far this process knows the content of uploads already.
//!
//! Blocks that come one after the other go into the content's SHA-256 while they are written, so that ending the upload need not
//! read them again. As soon as two come at a time, the rest is read at the end: which one is first is known only then.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use lineclear_event::Timestamp;
use lineclear_store::UploadId;
use sha2::Sha256;

use crate::block::Block;

#[derive(Default)]
pub(crate) struct Progress(Mutex<HashMap<UploadId, Upload>>);

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

#[derive(Default)]
struct Upload {
    /// Blocks whose writing began.
    begun: usize,
    taken_in: Vec<Block>,
    whole: Option<Sha256>,
}

impl Progress {
    pub(super) fn begin(&self, upload: &UploadId) {
        self.change(|all| {
            all.insert(upload.clone(), Upload { whole: Some(Sha256::default()), ..Upload::default() });
        });
    }

    /// A block begins to come. What is returned takes it in, when it is the next one for sure.
    pub(super) fn take(&self, upload: &UploadId) -> Option<Sha256> {
        self.change(|all| {
            let upload = all.get_mut(upload)?;
            upload.begun += 1;
            if upload.begun == upload.taken_in.len() + 1 { upload.whole.take() } else { None }
        })
    }

    /// `block` is in `whole`, which [`Progress::take`] gave.
    pub(super) fn give_back(&self, upload: &UploadId, whole: Sha256, block: Block) {
        self.change(|all| {
            if let Some(upload) = all.get_mut(upload) {
                upload.taken_in.push(block);
                upload.whole = Some(whole);
            }
        });
    }

    /// Ends the watch: the SHA-256 of the first blocks of `list`, and how many these are.
    pub(super) fn end(&self, upload: &UploadId, list: &[Block]) -> (Sha256, usize) {
        let known = self.change(|all| all.remove(upload));
        match known {
            Some(Upload { taken_in, whole: Some(whole), .. }) if list.starts_with(&taken_in) => (whole, taken_in.len()),
            _ => (Sha256::default(), 0),
        }
    }

    pub(super) fn forget(&self, upload: &UploadId) {
        self.change(|all| all.remove(upload));
    }

    /// Forgets uploads that are too old, whoever removed them.
    pub(super) fn prune(&self, now: Timestamp) {
        self.change(|all| all.retain(|upload, _| !upload.is_stale(now)));
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashMap<UploadId, Upload>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
