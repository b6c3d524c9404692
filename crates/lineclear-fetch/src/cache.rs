//! What was fetched, by commit, and which commit a ref was last seen at.
//!
//! ```text
//! <cache>/actions/<server>/<owner>/<repo>/<commit>/           the files
//!                                         <commit>.manifest   what the folder must hold
//!                                         <commit>.lock       held while one process makes or checks the folder
//!                                         refs/<hash of ref>  `<commit> <ref>`, for when no server can be asked
//! <cache>/making/<random>/                                    a folder being made, and its lock
//! ```
//! A folder appears under its name complete or not at all; what a killed process was making is removed by the next one.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::FetchError;
use crate::error::file;
use crate::manifest::{Manifest, hex};
use crate::place::{Place, is_commit};

/// The lock of a folder that is being made.
const MAKING: &str = "lock";

#[derive(Clone, Debug)]
pub(crate) struct Cache(PathBuf);

/// A folder of the cache and the digest of what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) folder: PathBuf,
    pub(crate) tree: String,
}

/// What looking into the cache gave.
#[derive(Debug)]
pub(crate) enum Look {
    Kept(Kept),
    Missing,
    /// The folder was there, but this file of it had been changed; the folder is removed.
    Changed(String),
}

/// A folder in which something is made; removed with all it holds when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Making {
    folder: TempDir,
    _lock: File,
}

impl Making {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Cache {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    fn repository(&self, server: &str, place: &Place) -> PathBuf {
        self.0.join("actions").join(server).join(place.owner.to_lowercase()).join(place.repo.to_lowercase())
    }

    /// Keeps other processes and threads from making or checking the same folder; waits for them.
    pub(crate) fn hold(&self, server: &str, place: &Place, commit: &str) -> Result<File, FetchError> {
        let folder = self.repository(server, place);
        fs::create_dir_all(&folder).map_err(file("make the folder", &folder))?;
        locked(&folder.join(format!("{commit}.lock")))
    }

    /// The folder of a commit, its files checked. The caller holds it.
    pub(crate) fn look(&self, server: &str, place: &Place, commit: &str) -> Result<Look, FetchError> {
        let folder = self.repository(server, place).join(commit);
        if !folder.is_dir() {
            return Ok(Look::Missing);
        }
        let path = manifest_of(&folder);
        let manifest = fs::read(&path).ok().and_then(|text| Manifest::parse(&text));
        let difference = match &manifest {
            Some(manifest) => manifest.first_difference(&folder).map_err(file("check", &folder))?,
            None => path.file_name().map(PathBuf::from),
        };
        match (difference, manifest) {
            (None, Some(manifest)) => Ok(Look::Kept(Kept { folder, tree: manifest.digest() })),
            (difference, _) => {
                self.remove(&folder)?;
                Ok(Look::Changed(difference.unwrap_or_default().to_string_lossy().into_owned()))
            }
        }
    }

    /// Whether there is a folder, unchecked.
    pub(crate) fn may_have(&self, server: &str, place: &Place, commit: &str) -> bool {
        self.repository(server, place).join(commit).is_dir()
    }

    /// Gives what was made its place. The caller holds it, and found it missing.
    pub(crate) fn keep(
        &self,
        server: &str,
        place: &Place,
        commit: &str,
        made: &Path,
        manifest: &Manifest,
    ) -> Result<Kept, FetchError> {
        let folder = self.repository(server, place).join(commit);
        write(&manifest_of(&folder), &manifest.text())?;
        fs::rename(made, &folder).map_err(file("make", &folder))?;
        Ok(Kept { folder, tree: manifest.digest() })
    }

    /// A folder to make something in.
    pub(crate) fn making(&self) -> Result<Making, FetchError> {
        let all = self.0.join("making");
        fs::create_dir_all(&all).map_err(file("make the folder", &all))?;
        // Held while folders come and go, so that none is taken for one that was left behind.
        let _turn = locked(&self.0.join("making.lock"))?;
        for entry in fs::read_dir(&all).map_err(file("read", &all))?.flatten() {
            let left = File::open(entry.path().join(MAKING)).map_or(true, |lock| lock.try_lock().is_ok());
            if left {
                // It is in nobody's way; the next process tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let folder = tempfile::Builder::new().prefix("").tempdir_in(&all).map_err(file("make a folder in", &all))?;
        let lock = locked(&folder.path().join(MAKING))?;
        Ok(Making { folder, _lock: lock })
    }

    /// Removes a folder so that nobody ever sees a part of it.
    fn remove(&self, folder: &Path) -> Result<(), FetchError> {
        let aside = self.making()?;
        fs::rename(folder, aside.path().join("removed")).map_err(file("remove", folder))
    }

    /// Notes where a ref was seen.
    pub(crate) fn remember(&self, server: &str, place: &Place, commit: &str) -> Result<(), FetchError> {
        let path = self.memory(server, place);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(file("make the folder", folder))?;
        }
        write(&path, format!("{commit} {}\n", place.reference).as_bytes())
    }

    /// Where a ref was last seen.
    pub(crate) fn remembered(&self, server: &str, place: &Place) -> Option<String> {
        let text = fs::read_to_string(self.memory(server, place)).ok()?;
        let (commit, reference) = text.trim_end_matches('\n').split_once(' ')?;
        (is_commit(commit) && reference == place.reference).then(|| commit.to_owned())
    }

    fn memory(&self, server: &str, place: &Place) -> PathBuf {
        self.repository(server, place).join("refs").join(hex(&Sha256::digest(&place.reference)))
    }
}

fn manifest_of(folder: &Path) -> PathBuf {
    folder.with_extension("manifest")
}

/// Opens and locks a file; waits for whoever has it.
pub(crate) fn locked(path: &Path) -> Result<File, FetchError> {
    let lock = File::options().create(true).append(true).open(path).map_err(file("open", path))?;
    lock.lock().map_err(file("lock", path))?;
    Ok(lock)
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), FetchError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(file("write in", folder))?;
    beside.write_all(content).map_err(file("write", path))?;
    // A temporary file is its owner's alone; this one is like any other.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    beside.as_file().set_permissions(mode).map_err(file("write", path))?;
    beside.persist(path).map_err(|error| file("write", path)(error.error))?;
    Ok(())
}
