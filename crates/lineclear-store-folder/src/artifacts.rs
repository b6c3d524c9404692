//! Artifacts in the folder.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use lineclear_event::RunId;
use lineclear_store::{
    ArtifactMeta, ArtifactRequest, Artifacts, StoreError, artifact_digest, check_artifact_file, check_artifact_name,
    expiry,
};

use crate::entry::{Content, Kept, folders, json_files};
use crate::fault;
use crate::manifest::{Anchor, FileNode, Kind, Manifest, Node};
use crate::pack::{Known, Packed, Packing, Source, pack};
use crate::restore::{Fault, Keeping, restore};
use crate::stat_cache::StatCache;
use crate::store::{FolderStore, Place, file_name};

/// In how many earlier runs an artifact of the same name is asked for contents that are there already.
const EARLIER_RUNS: usize = 3;

pub(crate) type KeptArtifact = Kept<ArtifactMeta>;

impl Artifacts for FolderStore {
    fn upload(&self, request: &ArtifactRequest) -> Result<ArtifactMeta, StoreError> {
        check_artifact_name(&request.name)?;
        let files = sorted_files(request)?;
        let place = &*self.place;
        let path = place.artifact_path(request.run, &request.name);
        if !request.overwrite && path.exists() {
            return Err(StoreError::ArtifactExists { name: request.name.clone() });
        }
        let writing = place.keep_blobs()?;
        let uploaded = place.upload(request, &files, &path);
        drop(writing);
        if uploaded.is_err() {
            // What was written until then is of no use to anyone.
            let _swept_or_later = place.sweep();
        }
        uploaded
    }

    fn list(&self, run: RunId) -> Result<Vec<ArtifactMeta>, StoreError> {
        let mut found = Vec::new();
        for path in json_files(&self.place.artifact_folder(run))? {
            if let Some((kept, _)) = KeptArtifact::read(&path)? {
                found.push(kept.what);
            }
        }
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    fn download(&self, run: RunId, name: &str, folder: &Path) -> Result<ArtifactMeta, StoreError> {
        let place = &*self.place;
        let folder = std::path::absolute(folder).map_err(|error| fault::at(folder, error))?;
        let _reading = place.keep_blobs()?;
        let kept = KeptArtifact::read(&place.artifact_path(run, name))?.ok_or_else(|| no_such(run, name))?.0;
        let damaged = |error: StoreError| {
            fault::damaged(format!("artifact `{name}` of run {run}"), format!("{error}; upload it again"))
        };
        let files = match &kept.content {
            Content::Files(files) => files,
            Content::Archive(archive) => {
                place.unpack_archive(&kept.what, archive, &folder)?;
                return Ok(kept.what);
            }
        };
        let manifest = place.read_manifest(&files.manifest).map_err(|error| match error {
            error @ StoreError::Damaged { .. } => {
                place.blobs.remove(files.manifest.hash);
                damaged(error)
            }
            error => error,
        })?;
        match restore(place, &manifest, &folder, Keeping::Contents, &StatCache::default()) {
            Ok(_) => Ok(kept.what),
            Err(Fault::Other(error)) => Err(error),
            Err(Fault::Blob(hash, error)) => {
                // So that the next upload of the same contents does not refer to it.
                place.blobs.remove(hash);
                Err(damaged(error))
            }
        }
    }

    fn delete(&self, run: RunId, name: &str) -> Result<(), StoreError> {
        let path = self.place.artifact_path(run, name);
        fault::found(&path, fs::remove_file(&path))?.ok_or_else(|| no_such(run, name))?;
        let _not_empty_yet = fs::remove_dir(self.place.artifact_folder(run));
        Ok(())
    }
}

pub(crate) fn no_such(run: RunId, name: &str) -> StoreError {
    StoreError::NotFound { what: format!("artifact `{name}` of run {run}") }
}

/// The files of a request by name.
fn sorted_files(request: &ArtifactRequest) -> Result<BTreeMap<&str, &Path>, StoreError> {
    let mut files = BTreeMap::new();
    for (name, source) in &request.files {
        check_artifact_file(name)?;
        if files.insert(name.as_str(), source.as_path()).is_some() {
            return Err(StoreError::Refused(format!("the artifact `{}` has two files `{name}`", request.name)));
        }
    }
    for name in files.keys() {
        if let Some(parent) = parents(name).find(|parent| files.contains_key(parent)) {
            let why = format!("the artifact `{}` has `{parent}` both as a file and as a folder", request.name);
            return Err(StoreError::Refused(why));
        }
    }
    if files.is_empty() {
        return Err(StoreError::Refused(format!("the artifact `{}` has no files", request.name)));
    }
    Ok(files)
}

/// The folders above a file, the outermost first.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(end, _)| &name[..end])
}

impl Place {
    pub(crate) fn artifact_folder(&self, run: RunId) -> PathBuf {
        self.root.join("artifacts").join(run.to_string())
    }

    pub(crate) fn artifact_path(&self, run: RunId, name: &str) -> PathBuf {
        self.artifact_folder(run).join(format!("{}.json", file_name(name)))
    }

    fn upload(
        &self,
        request: &ArtifactRequest,
        files: &BTreeMap<&str, &Path>,
        path: &Path,
    ) -> Result<ArtifactMeta, StoreError> {
        let mut sources = Vec::with_capacity(files.len());
        for source in files.values() {
            let known = fs::metadata(source).map_err(|error| fault::at(source, error))?;
            if !known.is_file() {
                let why = format!("`{}` cannot be put into an artifact: it is no file", source.display());
                return Err(StoreError::Refused(why));
            }
            sources.push(Source { path: (*source).to_owned(), size: known.len(), follow: true });
        }
        let level = i32::try_from(request.compression_level).unwrap_or(i32::MAX);
        let known = self.known_from_earlier(request);
        let outcome = pack(self, &sources, &known, Vec::new(), Packing { level, digests: true })?;
        let packed: Option<Vec<Packed>> = outcome.files.into_iter().collect();
        let packed = packed.ok_or_else(|| StoreError::Refused("a file of the artifact vanished".into()))?;

        let digest = digest(files.keys().copied().zip(&packed));
        let size = packed.iter().map(|file| file.content.size).sum();
        let mut manifest = tree(files.keys().copied().zip(packed));
        manifest.packs = outcome.packs;
        manifest.drop_unused_packs();
        let (blob, _) = self.keep_manifest(&manifest)?;
        let meta = ArtifactMeta {
            id: self.next_number("artifact", || self.highest_artifact())?,
            run: request.run,
            name: request.name.clone(),
            files: files.len() as u64,
            size,
            digest,
            created: request.now,
            expires: Some(expiry(request.now, request.retention_days, self.settings.limits.artifact_days)),
            content_type: None,
        };
        let kept = Kept::files(meta, blob, manifest.packs);
        if !self.publish(path, &kept.to_json(), !request.overwrite)? {
            return Err(StoreError::ArtifactExists { name: request.name.clone() });
        }
        Ok(kept.what)
    }

    /// Where the contents are that an artifact of the same name had in this run and the runs before it.
    fn known_from_earlier(&self, request: &ArtifactRequest) -> Known {
        let mut known = Known::new();
        let runs = self.artifact_runs().unwrap_or_default();
        let earlier = runs.into_iter().filter_map(|run| {
            let (kept, _) = KeptArtifact::read(&self.artifact_path(run, &request.name)).ok().flatten()?;
            match kept.content {
                Content::Files(files) => self.read_manifest(&files.manifest).ok(),
                Content::Archive(_) => None,
            }
        });
        for manifest in earlier.take(EARLIER_RUNS) {
            let there: Vec<bool> = manifest.packs.iter().map(|pack| self.blobs.has(pack)).collect();
            for node in &manifest.nodes {
                let Kind::File(file) = &node.kind else { continue };
                for piece in file.content.pieces.iter().filter(|piece| there[piece.pack as usize]) {
                    known.entry(piece.hash).or_insert((manifest.packs[piece.pack as usize], piece.offset));
                }
            }
        }
        known
    }

    /// Runs that have artifacts, newest first.
    pub(crate) fn artifact_runs(&self) -> Result<Vec<RunId>, StoreError> {
        let folders = folders(&self.root.join("artifacts"))?;
        let id = |folder: &PathBuf| folder.file_name()?.to_str()?.parse().ok().map(RunId);
        let mut runs: Vec<RunId> = folders.iter().filter_map(id).collect();
        runs.sort_unstable_by(|left, right| right.cmp(left));
        Ok(runs)
    }

    pub(crate) fn highest_artifact(&self) -> Result<u64, StoreError> {
        let mut highest = 0;
        for run in self.artifact_runs()? {
            for path in json_files(&self.artifact_folder(run))? {
                highest = KeptArtifact::read(&path)?.map_or(highest, |(kept, _)| highest.max(kept.what.id));
            }
        }
        Ok(highest)
    }
}

fn digest<'a>(files: impl Iterator<Item = (&'a str, &'a Packed)>) -> String {
    artifact_digest(files.map(|(name, file)| (name, file.digest.unwrap_or_default())))
}

/// Files by name as a tree below one folder, in the order of a manifest: by depth, then by the names on the way.
fn tree<'a>(files: impl Iterator<Item = (&'a str, Packed)>) -> Manifest {
    let mut all: BTreeMap<&str, Option<Packed>> = BTreeMap::new();
    for (name, file) in files {
        for parent in parents(name) {
            all.entry(parent).or_insert(None);
        }
        all.insert(name, Some(file));
    }
    let mut ordered: Vec<(&str, Option<Packed>)> = all.into_iter().collect();
    let depth = |path: &str| path.matches('/').count();
    ordered.sort_by(|(left, _), (right, _)| {
        depth(left).cmp(&depth(right)).then_with(|| left.split('/').cmp(right.split('/')))
    });
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut manifest = Manifest { anchors: vec![Anchor { absolute: false, path: Vec::new() }], ..Manifest::default() };
    for (path, file) in ordered {
        let (parent, name) = match path.rsplit_once('/') {
            Some((parent, name)) => (numbers.get(parent).map_or(0, |number| number + 1), name),
            None => (0, path),
        };
        let kind = match file {
            Some(file) => Kind::File(FileNode { mode: 0o644, changed: 0, content: file.content }),
            None => Kind::Folder { mode: 0o755, changed: 0 },
        };
        numbers.insert(path, manifest.nodes.len() as u32);
        manifest.nodes.push(Node { parent, name: name.as_bytes().into(), kind });
    }
    manifest
}
