//! Which files a working tree has.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::git;

/// The files of a working tree, by folder.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) folders: Vec<Folder>,
}

/// The files of one folder. A name may turn out to be that of a folder: then it is a repository of its own.
#[derive(Debug)]
pub(super) struct Folder {
    /// Relative to the top; empty for the top itself.
    pub(super) path: PathBuf,
    /// Zero bytes stand between names.
    names: Vec<u8>,
    pub(super) count: usize,
}

impl Folder {
    pub(super) fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.names.split(|&byte| byte == 0).filter(|name| !name.is_empty()).map(OsStr::from_bytes)
    }
}

impl List {
    /// Lists what git shows of `root`; everything, if no repository holds it.
    pub(super) fn make(root: &Path) -> io::Result<Self> {
        if !root.ancestors().any(|folder| folder.join(".git").exists()) {
            return Self::everything(root);
        }
        let listed = git::read(root, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        Ok(Self::parse(&listed))
    }

    /// Reads paths that end in a zero byte, in any order and any number of times: a file in conflict has several versions.
    fn parse(listed: &[u8]) -> Self {
        let paths = listed.split(|&byte| byte == 0).filter(|path| !path.is_empty());
        // A repository that is not a submodule is shown with a slash.
        let mut paths: Vec<(&[u8], &[u8])> = paths.map(|path| split(path.strip_suffix(b"/").unwrap_or(path))).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut list = Self::default();
        for (folder, name) in paths {
            list.push(Path::new(OsStr::from_bytes(folder)), name);
        }
        list
    }

    fn everything(root: &Path) -> io::Result<Self> {
        let mut list = Self::default();
        let mut open = vec![PathBuf::new()];
        while let Some(folder) = open.pop() {
            let path = root.join(&folder);
            let named = |error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display()));
            // An empty folder counts here, for there is no git that would not know it.
            list.folders.push(Folder { path: folder.clone(), names: Vec::new(), count: 0 });
            for item in fs::read_dir(&path).map_err(named)? {
                let item = item.map_err(named)?;
                if item.file_type().map_err(named)?.is_dir() {
                    open.push(folder.join(item.file_name()));
                } else {
                    list.push(&folder, item.file_name().as_bytes());
                }
            }
        }
        Ok(list)
    }

    fn push(&mut self, folder: &Path, name: &[u8]) {
        if self.folders.last().is_none_or(|last| last.path != folder) {
            self.folders.push(Folder { path: folder.into(), names: Vec::new(), count: 0 });
        }
        if let Some(last) = self.folders.last_mut() {
            last.names.extend_from_slice(name);
            last.names.push(0);
            last.count += 1;
        }
    }
}

/// A path's folder and name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default()),
        None => (b"", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_gathered_by_folder_once_each() {
        let list = List::parse(b"b/x\0a\0b/x\0b-c/y\0nested/\0b/c/z\0b/d\0\xff\0");
        let shown: Vec<String> =
            list.folders.iter().map(|f| format!("{:?}: {:?}", f.path, f.names().collect::<Vec<_>>())).collect();
        let expected = [r#""": ["a", "nested", "\xFF"]"#, r#""b": ["d", "x"]"#, r#""b-c": ["y"]"#, r#""b/c": ["z"]"#];
        assert_eq!(shown, expected);
    }
}
