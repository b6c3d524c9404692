//! Walking the folders that patterns may match in.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use lineclear_runner::native::NativeError;

use super::pattern::{Kind, Pattern};

/// How a search goes about what it meets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Symbolic links are what they lead to; those that lead nowhere are left out.
    pub(super) follows_links: bool,
    /// A pattern that names a folder also means all below it.
    pub(super) descends: bool,
    /// Names that begin with a dot are passed over, with all below them.
    pub(super) skips_hidden: bool,
}

/// A list of patterns. Later ones decide over earlier ones.
#[derive(Clone, Debug)]
pub(super) struct Search {
    patterns: Vec<Pattern>,
}

impl Search {
    /// Reads the patterns: empty ones and comments (`#`) are none.
    pub(super) fn new(patterns: &[String], root: &Path, home: Option<&str>) -> Result<Self, String> {
        let lines = patterns.iter().map(|line| line.trim()).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self { patterns: lines.map(|line| Pattern::parse(line, root, home)).collect::<Result<_, _>>()? })
    }

    /// Where the search begins: each path once, and none below another.
    pub(super) fn search_paths(&self) -> Vec<PathBuf> {
        let starts = || self.patterns.iter().filter(|pattern| !pattern.negated).map(|pattern| &pattern.search_path);
        let mut paths: Vec<PathBuf> = Vec::new();
        for path in starts() {
            let is_covered = starts().any(|other| other != path && path.starts_with(other));
            if !is_covered && !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        paths
    }

    /// All that matches, folders included, in the order of names.
    pub(super) fn run(&self, options: Options) -> Result<Vec<PathBuf>, NativeError> {
        let mut patterns = Vec::new();
        for pattern in &self.patterns {
            patterns.push(pattern.clone());
            patterns.extend(pattern.descendants().filter(|_| options.descends));
        }
        let mut found = Vec::new();
        let mut stack: Vec<Item> = self.search_paths().into_iter().rev().map(|path| Item { path, depth: 0 }).collect();
        // The folders from the start of the search to the one in hand, without their links: to notice going in circles.
        let mut chain: Vec<PathBuf> = Vec::new();
        while let Some(item) = stack.pop() {
            let could_match =
                matches(&patterns, &item.path, Kind::Folder) || matches(&patterns, &item.path, Kind::File);
            let may_hold = patterns.iter().any(|pattern| !pattern.negated && pattern.may_match_below(&item.path));
            if !could_match && !may_hold {
                continue;
            }
            let Some(metadata) = metadata(&item.path, options.follows_links)? else { continue };
            let is_hidden = item.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if options.skips_hidden && is_hidden {
                continue;
            }
            if !metadata.is_dir() {
                if matches(&patterns, &item.path, Kind::File) {
                    found.push(item.path);
                }
                continue;
            }
            if options.follows_links {
                let real = fs::canonicalize(&item.path).map_err(|error| cannot_read(&item.path, &error))?;
                chain.truncate(item.depth);
                if chain.contains(&real) {
                    continue;
                }
                chain.push(real);
            }
            if may_hold {
                let mut children = children(&item.path)?;
                children.sort_by(|left, right| right.cmp(left));
                stack.extend(children.into_iter().map(|path| Item { path, depth: item.depth + 1 }));
            }
            if matches(&patterns, &item.path, Kind::Folder) {
                found.push(item.path);
            }
        }
        Ok(found)
    }
}

struct Item {
    path: PathBuf,
    depth: usize,
}

fn matches(patterns: &[Pattern], path: &Path, kind: Kind) -> bool {
    patterns.iter().fold(false, |chosen, pattern| if pattern.matches(path, kind) { !pattern.negated } else { chosen })
}

fn metadata(path: &Path, follows: bool) -> Result<Option<Metadata>, NativeError> {
    match if follows { fs::metadata(path) } else { fs::symlink_metadata(path) } {
        Ok(metadata) => Ok(Some(metadata)),
        // Not there, a link that leads nowhere, or a path through what is no folder.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(cannot_read(path, &error)),
    }
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, NativeError> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(|error| cannot_read(folder, &error))
}

fn cannot_read(path: &Path, error: &io::Error) -> NativeError {
    NativeError(format!("cannot read `{}`: {error}", path.display()))
}
