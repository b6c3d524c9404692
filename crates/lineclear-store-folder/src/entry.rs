//! What caches and artifacts have in common: a small file that says what is kept and which blobs it needs.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use lineclear_store::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::blobs::BlobRef;
use crate::fault;
use crate::manifest::Manifest;
use crate::store::Place;

/// Version of the form of these files.
const FORM: u32 = 1;

/// The contents of an entry's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept<T> {
    form: u32,
    #[serde(flatten)]
    pub(crate) what: T,
    pub(crate) manifest: BlobRef,
    /// Every blob but the manifest, so that sweeping need not read manifests.
    pub(crate) packs: Vec<BlobRef>,
}

/// Only what a sweep needs.
#[derive(Deserialize)]
pub(crate) struct Needs {
    pub(crate) manifest: BlobRef,
    pub(crate) packs: Vec<BlobRef>,
}

impl<T: Serialize + DeserializeOwned> Kept<T> {
    pub(crate) fn new(what: T, manifest: BlobRef, packs: Vec<BlobRef>) -> Self {
        Self { form: FORM, what, manifest, packs }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry is plain data")
    }

    /// Reads an entry; `None` when it is gone, and its open file for asking and setting times.
    pub(crate) fn read(path: &Path) -> Result<Option<(Self, File)>, StoreError> {
        let Some(mut file) = fault::found(path, File::open(path))? else { return Ok(None) };
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| fault::at(path, error))?;
        let what = || path.display().to_string();
        let kept: Self = serde_json::from_slice(&text)
            .map_err(|error| fault::damaged(what(), format!("it is no entry: {error}")))?;
        if kept.form != FORM {
            let why = format!("it was written in form {} by another version; this one reads form {FORM}", kept.form);
            return Err(StoreError::Refused(format!("cannot use `{}`: {why}", what())));
        }
        Ok(Some((kept, file)))
    }

    /// Every blob that the entry needs.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        self.packs.iter().chain([&self.manifest])
    }
}

impl Place {
    /// Keeps a manifest as a blob; answers it and how many bytes that added.
    pub(crate) fn keep_manifest(&self, manifest: &Manifest) -> Result<(BlobRef, u64), StoreError> {
        let raw = manifest.encode();
        let hash = crate::blobs::Hash::of(&raw);
        let frame = zstd::bulk::compress(&raw, 1).map_err(|error| fault::at(&self.root, error))?;
        let added = self.blobs.put(hash, &frame)?;
        Ok((BlobRef { hash, raw: raw.len() as u64, stored: frame.len() as u64 }, added))
    }

    pub(crate) fn read_manifest(&self, blob: &BlobRef) -> Result<Manifest, StoreError> {
        let raw = self.blobs.read_whole(blob)?;
        Manifest::decode(&raw).map_err(|why| fault::damaged(format!("manifest {}", blob.hash), why))
    }
}

/// The files in a folder that end in `.json`; none when the folder is missing.
pub(crate) fn json_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let Some(listing) = fault::found(folder, fs::read_dir(folder))? else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in listing {
        let path = entry.map_err(|error| fault::at(folder, error))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The folders in a folder; none when it is missing.
pub(crate) fn folders(folder: &Path) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let Some(listing) = fault::found(folder, fs::read_dir(folder))? else { return Ok(Vec::new()) };
    let mut folders = Vec::new();
    for entry in listing {
        let entry = entry.map_err(|error| fault::at(folder, error))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}
