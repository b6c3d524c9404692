//! Artifacts in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lineclear_event::RunId;
use sha2::{Digest, Sha256};

use super::MemoryStore;
use super::archives::Whole;
use crate::{
    ArtifactMeta, ArtifactRequest, Artifacts, StoreError, artifact_digest, check_artifact_file, check_artifact_name,
    expiry, is_zip, zip,
};

/// Contents by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What an artifact holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Files(Files),
    Archive(Whole),
}

impl Artifacts for MemoryStore {
    fn upload(&self, request: &ArtifactRequest) -> Result<ArtifactMeta, StoreError> {
        check_artifact_name(&request.name)?;
        let mut files = BTreeMap::new();
        for (name, source) in &request.files {
            check_artifact_file(name)?;
            let bytes = fs::read(source).map_err(|error| StoreError::Io { path: source.clone(), source: error })?;
            if files.insert(name.clone(), bytes).is_some() {
                return Err(StoreError::Refused(format!("the artifact `{}` has two files `{name}`", request.name)));
            }
        }
        for name in files.keys() {
            let parents = name.match_indices('/').map(|(end, _)| &name[..end]);
            if let Some(parent) = parents.into_iter().find(|parent| files.contains_key(*parent)) {
                let why = format!("the artifact `{}` has `{parent}` both as a file and as a folder", request.name);
                return Err(StoreError::Refused(why));
            }
        }
        if files.is_empty() {
            return Err(StoreError::Refused(format!("the artifact `{}` has no files", request.name)));
        }
        let mut kept = self.kept();
        let place = (request.run, request.name.clone());
        if kept.artifacts.contains_key(&place) && !request.overwrite {
            return Err(StoreError::ArtifactExists { name: request.name.clone() });
        }
        let meta = ArtifactMeta {
            id: kept.next_id(),
            run: request.run,
            name: request.name.clone(),
            files: files.len() as u64,
            size: files.values().map(|bytes| bytes.len() as u64).sum(),
            digest: digest(&files),
            created: request.now,
            expires: Some(expiry(request.now, request.retention_days, self.shared.limits.artifact_days)),
            content_type: None,
        };
        kept.artifacts.insert(place, (meta.clone(), Content::Files(files)));
        Ok(meta)
    }

    fn list(&self, run: RunId) -> Result<Vec<ArtifactMeta>, StoreError> {
        let kept = self.kept();
        Ok(kept.artifacts.values().filter(|(meta, _)| meta.run == run).map(|(meta, _)| meta.clone()).collect())
    }

    fn download(&self, run: RunId, name: &str, folder: &Path) -> Result<ArtifactMeta, StoreError> {
        let found = self.kept().artifacts.get(&(run, name.to_owned())).cloned();
        let (meta, content) = found.ok_or_else(|| no_such(run, name))?;
        let files = match content {
            Content::Files(files) => files,
            Content::Archive(whole) if meta.content_type.as_deref().is_some_and(is_zip) => {
                zip::unpack(&mut whole.reader(), meta.size, folder, &zip::UnpackLimits::default())
                    .map_err(|error| error.of_artifact(name))?;
                return Ok(meta);
            }
            Content::Archive(whole) => {
                check_artifact_file(name)?;
                Files::from([(name.to_owned(), whole.bytes.to_vec())])
            }
        };
        for (name, bytes) in &files {
            let path = folder.join(name);
            let write = || {
                fs::create_dir_all(path.parent().unwrap_or(folder))?;
                if fs::symlink_metadata(&path).is_ok() {
                    fs::remove_file(&path)?;
                }
                fs::write(&path, bytes)
            };
            write().map_err(|source| StoreError::Io { path: path.clone(), source })?;
        }
        Ok(meta)
    }

    fn delete(&self, run: RunId, name: &str) -> Result<(), StoreError> {
        let removed = self.kept().artifacts.remove(&(run, name.to_owned()));
        removed.map(|_| ()).ok_or_else(|| no_such(run, name))
    }
}

pub(super) fn no_such(run: RunId, name: &str) -> StoreError {
    StoreError::NotFound { what: format!("artifact `{name}` of run {run}") }
}

fn digest(files: &Files) -> String {
    artifact_digest(files.iter().map(|(name, bytes)| (name.as_str(), Sha256::digest(bytes).into())))
}
