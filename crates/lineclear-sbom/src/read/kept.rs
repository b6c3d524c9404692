//! What is kept of the files that tell of packages, while layers are put on top of each other.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::catalog::Found;

/// What was found in one file.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The number of the layer that the file is in.
    pub(super) layer: usize,
    pub(super) found: Found,
    /// Of a program: its number. It counts once, whatever the number of its names.
    pub(super) program: Option<u64>,
}

impl Kept {
    pub(super) fn of(layer: usize, found: Found) -> Self {
        Self { layer, found, program: None }
    }

    pub(super) fn unread(layer: usize, why: String) -> Self {
        Self::of(layer, Found { unread: vec![why], ..Found::default() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The same file under another name.
    pub(super) fn rename(&mut self, path: &str) {
        for package in &mut self.found.packages {
            let inside = package.path.split_once("!/").map(|(_, inside)| inside.to_owned());
            package.path = inside.map_or_else(|| path.to_owned(), |inside| format!("{path}!/{inside}"));
        }
    }
}

/// All of them, by path. An upper layer's file hides a lower one's.
#[derive(Debug, Default)]
pub(super) struct KeptFiles {
    files: BTreeMap<String, Kept>,
    packages: usize,
}

impl KeptFiles {
    pub(super) fn get(&self, path: &str) -> Option<&Kept> {
        self.files.get(path)
    }

    pub(super) fn insert(&mut self, path: &str, kept: Kept) {
        self.packages += kept.found.packages.len();
        let before = self.files.insert(path.to_owned(), kept);
        self.packages -= before.map_or(0, |before| before.found.packages.len());
    }

    /// How many packages all files tell of.
    pub(super) fn packages(&self) -> usize {
        self.packages
    }

    /// A file of that path is no longer there, in whatever layer it was.
    pub(super) fn forget(&mut self, path: &str) {
        let gone = self.files.remove(path);
        self.packages -= gone.map_or(0, |gone| gone.found.packages.len());
    }

    /// Something that is no folder is at `path` now: a file of that path is gone, and the files of lower layers below it.
    pub(super) fn replace(&mut self, path: &str, layer: usize) {
        self.forget(path);
        self.remove_below(path, layer);
    }

    /// A whiteout: what lower layers have at `path` and below is gone. What the same layer brings stays, whichever comes first.
    pub(super) fn remove(&mut self, path: &str, layer: usize) {
        if self.files.get(path).is_some_and(|kept| kept.layer < layer) {
            self.forget(path);
        }
        self.remove_below(path, layer);
    }

    /// An opaque folder: what lower layers have below it is gone.
    pub(super) fn remove_below(&mut self, folder: &str, layer: usize) {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.files.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        let gone: Vec<String> = below
            .take_while(|(path, _)| path.starts_with(&prefix))
            .filter(|(_, kept)| kept.layer < layer)
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.forget(&path);
        }
    }

    pub(super) fn into_files(self) -> impl Iterator<Item = (String, Kept)> {
        self.files.into_iter()
    }
}
