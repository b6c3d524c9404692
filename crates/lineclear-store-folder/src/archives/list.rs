//! The list of an archive's blocks, in order: the file `list.json` in its folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lineclear_store::{Assembled, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::blobs::Hash;
use crate::block::{Block, BlockFile, PIECE};
use crate::fault;

pub(super) const LIST: &str = "list.json";

/// Version of the form of the file.
const FORM: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct List {
    form: u32,
    /// Of the names that the client gave the blocks: the same list again is the same call again.
    pub(super) names: Hash,
    pub(super) size: u64,
    /// `sha256:<hex>` of the whole content.
    pub(super) digest: String,
    pub(super) blocks: Vec<Block>,
}

impl List {
    pub(super) fn new(names: Hash, digest: String, blocks: Vec<Block>) -> Self {
        let size = blocks.iter().map(|block| block.size).sum();
        Self { form: FORM, names, size, digest, blocks }
    }

    pub(super) fn assembled(&self) -> Assembled {
        Assembled { size: self.size, digest: self.digest.clone() }
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a list is plain data")
    }

    /// Reads the list in `folder`, with its hash; `None` when there is none. `what` names the archive in errors.
    pub(super) fn read(folder: &Path, what: &str) -> Result<Option<(Self, Hash)>, StoreError> {
        let path = folder.join(LIST);
        let Some(text) = fault::found(&path, fs::read(&path))? else { return Ok(None) };
        let list: Self = serde_json::from_slice(&text)
            .map_err(|error| fault::damaged(what, format!("its list of blocks cannot be read: {error}")))?;
        if list.form != FORM {
            let why = format!("its list of blocks was written in form {} by another version", list.form);
            return Err(StoreError::Refused(format!("cannot use {what}: {why}; this one reads form {FORM}")));
        }
        Ok(Some((list, Hash::of(&text))))
    }

    /// [`List::read`] of an archive that an entry refers to by the list's hash.
    pub(super) fn read_kept(folder: &Path, hash: Hash, what: &str) -> Result<Self, StoreError> {
        match Self::read(folder, what)? {
            None => Err(fault::damaged(what, "its list of blocks is missing")),
            Some((_, known)) if known != hash => Err(fault::damaged(what, "its list of blocks is not what was stored")),
            Some((list, _)) => Ok(list),
        }
    }
}

/// What names of blocks hash to.
pub(super) fn hash_of_names(names: &[String]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("lineclear 2026 list of block names");
    for name in names {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
    }
    Hash(*hasher.finalize().as_bytes())
}

/// Feeds blocks to `whole`, each piece checked.
pub(super) fn absorb(folder: &Path, blocks: &[Block], whole: &mut Sha256) -> Result<(), StoreError> {
    let mut buffer = Vec::new();
    for block in blocks {
        let path: PathBuf = folder.join(&block.file);
        let what = path.display().to_string();
        let file = BlockFile::open(&path, block, &what)?;
        for piece in 0..block.size.div_ceil(PIECE) {
            file.piece(piece, &mut buffer, &path, &what)?;
            whole.update(&buffer);
        }
    }
    Ok(())
}

/// Makes what is in a folder survive a loss of power.
pub(super) fn synchronise(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|open| open.sync_all()).map_err(|error| fault::at(folder, error))
}
