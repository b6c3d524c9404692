//! Files of a step, held in memory: the plain reading of what saving and restoring mean.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::{RestoreReport, StoreError, check_cache_path};

/// What stands at each path; absolute ones were saved as such.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree(BTreeMap<PathBuf, Node>);

#[derive(Clone, Debug)]
enum Node {
    Folder { mode: u32, changed: SystemTime },
    File { mode: u32, changed: SystemTime, bytes: Vec<u8> },
    Link { target: PathBuf },
}

impl Tree {
    pub(super) fn read(base: &Path, paths: &[PathBuf]) -> Result<Self, StoreError> {
        let mut tree = Self::default();
        for path in paths {
            let plain = check_cache_path(path)?;
            if fs::symlink_metadata(base.join(&plain)).is_err() {
                return Err(StoreError::Refused(format!("the cache path `{}` does not exist", path.display())));
            }
            tree.add(base, &plain).map_err(|source| StoreError::Io { path: base.join(&plain), source })?;
        }
        Ok(tree)
    }

    fn add(&mut self, base: &Path, path: &Path) -> io::Result<()> {
        let place = base.join(path);
        let known = fs::symlink_metadata(&place)?;
        let mode = known.permissions().mode();
        if known.is_dir() {
            if path != Path::new("") {
                self.0.insert(path.to_owned(), Node::Folder { mode: mode & 0o1777, changed: known.modified()? });
            }
            for entry in fs::read_dir(&place)? {
                self.add(base, &path.join(entry?.file_name()))?;
            }
        } else if known.is_symlink() {
            self.0.insert(path.to_owned(), Node::Link { target: fs::read_link(&place)? });
        } else if known.is_file() {
            let node = Node::File { mode: mode & 0o1777, changed: known.modified()?, bytes: fs::read(&place)? };
            self.0.insert(path.to_owned(), node);
        }
        Ok(())
    }

    /// Files and links, and the bytes of the files.
    pub(super) fn size(&self) -> (u64, u64) {
        self.0.values().fold((0, 0), |(files, bytes), node| match node {
            Node::Folder { .. } => (files, bytes),
            Node::File { bytes: content, .. } => (files + 1, bytes + content.len() as u64),
            Node::Link { .. } => (files + 1, bytes),
        })
    }

    pub(super) fn write(&self, base: &Path) -> Result<RestoreReport, StoreError> {
        let (files, bytes) = self.size();
        let mut report = RestoreReport { files, bytes, unchanged: 0 };
        // Links come last, so that nothing is written through one.
        let is_link = |node: &Node| matches!(node, Node::Link { .. });
        let ordered =
            self.0.iter().filter(|(_, node)| !is_link(node)).chain(self.0.iter().filter(|(_, node)| is_link(node)));
        for (path, node) in ordered {
            let place = base.join(path);
            let same = node.put(base, path).map_err(|source| StoreError::Io { path: place, source })?;
            report.unchanged += u64::from(same);
        }
        // A folder changes when something is made in it, so its time is set when all is there, the innermost first.
        for (path, node) in self.0.iter().rev() {
            if let Node::Folder { mode, changed } = node {
                let place = base.join(path);
                let set = fs::set_permissions(&place, fs::Permissions::from_mode(*mode))
                    .and_then(|()| fs::File::open(&place)?.set_modified(*changed));
                set.map_err(|source| StoreError::Io { path: place, source })?;
            }
        }
        Ok(report)
    }
}

impl Node {
    /// Makes the node; answers whether it was there already and equal.
    fn put(&self, base: &Path, path: &Path) -> io::Result<bool> {
        let place = base.join(path);
        if path.is_relative() {
            let mut parent = base.to_owned();
            for part in path.parent().into_iter().flat_map(Path::components) {
                parent.push(part);
                if fs::symlink_metadata(&parent).is_ok_and(|known| !known.is_dir()) {
                    fs::remove_file(&parent)?;
                }
            }
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let there = fs::symlink_metadata(&place).ok();
        match self {
            Self::Folder { .. } => {
                if there.as_ref().is_some_and(|known| !known.is_dir()) {
                    fs::remove_file(&place)?;
                }
                fs::create_dir_all(&place)?;
                Ok(false)
            }
            Self::File { mode, changed, bytes } => {
                let same = there.as_ref().is_some_and(fs::Metadata::is_file) && fs::read(&place)? == *bytes;
                if !same {
                    clear(&place, there.as_ref())?;
                    fs::write(&place, bytes)?;
                }
                fs::set_permissions(&place, fs::Permissions::from_mode(mode | 0o200))?;
                fs::OpenOptions::new().write(true).open(&place)?.set_modified(*changed)?;
                fs::set_permissions(&place, fs::Permissions::from_mode(*mode))?;
                Ok(same)
            }
            Self::Link { target } => {
                let same = there.as_ref().is_some_and(fs::Metadata::is_symlink) && fs::read_link(&place)? == *target;
                if !same {
                    clear(&place, there.as_ref())?;
                    symlink(target, &place)?;
                }
                Ok(same)
            }
        }
    }
}

/// Takes away what stands where a file or link is to be; a folder only when it is empty.
fn clear(place: &Path, there: Option<&fs::Metadata>) -> io::Result<()> {
    match there {
        None => Ok(()),
        Some(known) if known.is_dir() => fs::remove_dir(place),
        Some(_) => fs::remove_file(place),
    }
}
