//! Walking the folders that patterns may match in.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use lineclear_expr::glob::GlobPatterns;
use lineclear_runner::native::NativeError;

/// How a search goes about what it meets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Symbolic links are what they lead to; those that lead nowhere are left out.
    pub(super) follows_links: bool,
    /// What is below a folder that matches is found as well, and not only the folder.
    pub(super) enters_matches: bool,
    /// Names that begin with a dot are passed over, with all below them.
    pub(super) skips_hidden: bool,
}

/// Refuses what may not be looked at. It is told whether the path is where a search begins: only that one, and links, can lie elsewhere
/// than the folder in which they were found.
pub(super) type Admit<'a> = &'a dyn Fn(&Path, bool) -> Result<(), NativeError>;

/// A list of patterns. Later ones decide over earlier ones.
#[derive(Clone, Debug)]
pub(super) struct Search {
    patterns: GlobPatterns,
}

impl Search {
    /// Reads the patterns: relative ones begin at `root`.
    ///
    /// # Errors
    /// A sentence for a pattern that is none.
    pub(super) fn new(patterns: &[String], root: &Path, home: Option<&str>) -> Result<Self, String> {
        let patterns = GlobPatterns::parse_at(&root.to_string_lossy(), home, patterns);
        Ok(Self { patterns: patterns.map_err(|error| error.to_string())? })
    }

    /// Where the search begins: each path once, and none below another.
    pub(super) fn search_paths(&self) -> Vec<PathBuf> {
        self.patterns.search_roots().into_iter().map(PathBuf::from).collect()
    }

    /// All that matches, folders included, in the order of names.
    ///
    /// # Errors
    /// Something cannot be read, or is not admitted.
    pub(super) fn run(&self, options: Options, admit: Admit<'_>) -> Result<Vec<PathBuf>, NativeError> {
        let mut found = Vec::new();
        let mut stack: Vec<Item> = self.search_paths().into_iter().rev().map(|path| Item { path, depth: 0 }).collect();
        // The folders from the start of the search to the one in hand, without their links: to notice going in circles.
        let mut chain: Vec<PathBuf> = Vec::new();
        while let Some(item) = stack.pop() {
            let path = item.path.to_string_lossy();
            let (as_folder, as_file) = (self.patterns.matches(&path, true), self.patterns.matches(&path, false));
            let may_hold = self.patterns.may_match_inside(&path);
            if !as_folder && !as_file && !may_hold {
                continue;
            }
            let is_hidden = item.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if options.skips_hidden && is_hidden {
                continue;
            }
            admit(&item.path, item.depth == 0)?;
            let Some(metadata) = metadata(&item.path, options.follows_links)? else { continue };
            if !metadata.is_dir() {
                if as_file {
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
            if may_hold && (options.enters_matches || !as_folder) {
                let mut children = children(&item.path)?;
                children.sort_by(|left, right| right.cmp(left));
                stack.extend(children.into_iter().map(|path| Item { path, depth: item.depth + 1 }));
            }
            if as_folder {
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const CACHE: Options = Options { follows_links: true, enters_matches: false, skips_hidden: false };
    const UPLOAD: Options = Options { follows_links: true, enters_matches: true, skips_hidden: true };

    /// Finds in a tree of a few files, with paths relative to it.
    fn check(patterns: &[&str], options: Options, expected: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        let root = fs::canonicalize(folder.path()).expect("it is there");
        for file in ["a.txt", "dir/b.txt", "dir/.hidden/c.txt", "dir/deep/d.txt", ".config/e.txt", "we[i]rd/f.txt"] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            fs::write(path, file).expect("a file");
        }
        symlink("dir", root.join("link")).expect("a link");
        symlink("..", root.join("dir/deep/up")).expect("a link in a circle");
        symlink("nowhere", root.join("broken")).expect("a link");
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let search = Search::new(&patterns, &root, root.to_str()).expect("patterns");
        let found = search.run(options, &|_, _| Ok(())).expect("it can be read");
        let found: Vec<String> =
            found.iter().map(|path| path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned()).collect();
        assert_eq!(found, expected, "{patterns:?}");
    }

    #[test]
    fn a_cache_takes_folders_as_they_are_found() {
        check(&["dir"], CACHE, &["dir"]);
        check(&["dir/*"], CACHE, &["dir/.hidden", "dir/b.txt", "dir/deep"]);
        check(
            &["**/*.txt", "!dir/**"],
            CACHE,
            &[".config/e.txt", "a.txt", "link/.hidden/c.txt", "link/b.txt", "link/deep/d.txt", "we[i]rd/f.txt"],
        );
        // The real action's archive has all of a folder, whatever is taken out of it.
        check(&["dir", "!dir/b.txt"], CACHE, &["dir"]);
        check(&["~/.config", "missing", "broken"], CACHE, &[".config"]);
    }

    #[test]
    fn an_upload_leaves_hidden_files_out_and_follows_links_but_not_in_circles() {
        check(&["dir"], UPLOAD, &["dir", "dir/b.txt", "dir/deep", "dir/deep/d.txt"]);
        check(&["link"], UPLOAD, &["link", "link/b.txt", "link/deep", "link/deep/d.txt"]);
        // Also when it is what was asked for.
        check(&[".config"], UPLOAD, &[]);
        check(&[".config"], Options { skips_hidden: false, ..UPLOAD }, &[".config", ".config/e.txt"]);
        check(&["dir/.hidden/c.txt"], UPLOAD, &["dir/.hidden/c.txt"]);
        check(&["we[[]i]rd/*"], UPLOAD, &["we[i]rd/f.txt"]);
        check(&["broken"], UPLOAD, &[]);
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(Search::new(&["a/../b".to_owned()], Path::new("/w"), None).is_err());
    }
}
