//! What caches and artifacts have in common: a small file that says what is kept and which blobs it needs.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use lineclear_store::{StoreError, UploadId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::blobs::{BlobRef, Hash};
use crate::fault;
use crate::manifest::Manifest;
use crate::store::Place;

/// Versions of the form of these files.
const FORM_FILES: u32 = 1;
const FORM_ARCHIVE: u32 = 2;

/// The contents of an entry's file.
#[derive(Clone, Debug)]
pub(crate) struct Kept<T> {
    pub(crate) what: T,
    pub(crate) content: Content,
}

/// Where what an entry keeps is.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Files(Files),
    Archive(ArchiveRef),
}

#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) manifest: BlobRef,
    /// Every blob but the manifest, so that sweeping need not read manifests.
    pub(crate) packs: Vec<BlobRef>,
}

/// A folder below `archives/`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ArchiveRef {
    /// The upload that it was made of, which is the folder's name.
    pub(crate) upload: UploadId,
    /// Of the folder's list of blocks.
    pub(crate) list: Hash,
    pub(crate) size: u64,
}

/// [`Kept`] as it is written.
#[derive(Serialize, Deserialize)]
struct Form<T> {
    form: u32,
    #[serde(flatten)]
    what: T,
    #[serde(flatten)]
    needs: Needs,
}

/// Only what a sweep needs.
#[derive(Serialize, Deserialize)]
pub(crate) struct Needs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest: Option<BlobRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    packs: Option<Vec<BlobRef>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archive: Option<ArchiveRef>,
}

impl Needs {
    pub(crate) fn content(self) -> Option<Content> {
        match self {
            Self { manifest: Some(manifest), packs: Some(packs), archive: None } => {
                Some(Content::Files(Files { manifest, packs }))
            }
            Self { manifest: None, packs: None, archive: Some(archive) } => Some(Content::Archive(archive)),
            _ => None,
        }
    }
}

impl Files {
    /// Every blob that is needed.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        self.packs.iter().chain([&self.manifest])
    }
}

impl Content {
    /// What it takes on the disk: bytes by what they belong to, since blobs may be shared.
    pub(crate) fn parts(&self) -> Vec<(Hash, u64)> {
        match self {
            Self::Files(files) => files.blobs().map(|blob| (blob.hash, blob.stored)).collect(),
            // Nothing else has the hash of this name: blobs are named by their contents.
            Self::Archive(archive) => vec![(Hash::of(archive.upload.0.as_bytes()), archive.size)],
        }
    }
}

impl<T: Serialize + DeserializeOwned> Kept<T> {
    pub(crate) fn files(what: T, manifest: BlobRef, packs: Vec<BlobRef>) -> Self {
        Self { what, content: Content::Files(Files { manifest, packs }) }
    }

    pub(crate) fn to_json(&self) -> Vec<u8>
    where
        T: Clone,
    {
        let (form, needs) = match self.content.clone() {
            Content::Files(Files { manifest, packs }) => {
                (FORM_FILES, Needs { manifest: Some(manifest), packs: Some(packs), archive: None })
            }
            Content::Archive(archive) => (FORM_ARCHIVE, Needs { manifest: None, packs: None, archive: Some(archive) }),
        };
        let form = Form { form, what: self.what.clone(), needs };
        serde_json::to_vec(&form).expect("an entry is plain data")
    }

    /// Reads an entry; `None` when it is gone, and its open file for asking and setting times.
    pub(crate) fn read(path: &Path) -> Result<Option<(Self, File)>, StoreError> {
        let Some(mut file) = fault::found(path, File::open(path))? else { return Ok(None) };
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(|error| fault::at(path, error))?;
        let what = || path.display().to_string();
        let form: Form<T> = serde_json::from_slice(&text)
            .map_err(|error| fault::damaged(what(), format!("it is no entry: {error}")))?;
        let content = match (form.form, form.needs.content()) {
            (FORM_FILES, Some(content @ Content::Files(_))) => content,
            (FORM_ARCHIVE, Some(content @ Content::Archive(_))) => content,
            (FORM_FILES | FORM_ARCHIVE, None) => {
                return Err(fault::damaged(what(), "it does not say where its contents are"));
            }
            (other, _) => {
                let why = format!("it was written in form {other} by another version");
                return Err(StoreError::Refused(format!("cannot use `{}`: {why}", what())));
            }
        };
        Ok(Some((Self { what: form.what, content }, file)))
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
