//! `hashFiles()`.
//!
//! # Source
//! Section 3.9 of the protocol notes, after `src/Misc/expressionFunc/hashFiles` of `actions/runner` and `@actions/glob`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lineclear_event::hexadecimal;
use lineclear_expr::glob::GlobPatterns;
use sha2::{Digest, Sha256};

use crate::Reach;

/// GitHub gives the function as long.
const LONGEST: Duration = Duration::from_secs(120);

const FOLLOW_LINKS: &str = "--follow-symbolic-links";

/// The hash of all files below `workspace` that `patterns` choose, as lower-case hexadecimal digits; empty when there is none.
///
/// It is the SHA-256 of the files' SHA-256 digests, one after the other, in the order of a depth-first search with the names
/// of each folder in byte order. The first pattern may be the option `--follow-symbolic-links`; `~` in the others is `home`.
///
/// # Errors
/// A sentence for the user: a bad option or pattern, an unreadable file, a link that leads out of `reach`, or more than two minutes of
/// work.
pub fn hash_files(workspace: &Path, home: Option<&str>, patterns: &[String], reach: &Reach) -> Result<String, String> {
    let (follow, patterns) = match patterns.split_first() {
        Some((option, rest)) if option.eq_ignore_ascii_case(FOLLOW_LINKS) => (true, rest),
        Some((option, _)) if option.starts_with("--") => {
            return Err(format!("Invalid glob option {option}, available option: '{FOLLOW_LINKS}'."));
        }
        _ => (false, patterns),
    };
    let patterns =
        GlobPatterns::parse_at(&workspace.to_string_lossy(), home, patterns).map_err(|error| error.to_string())?;
    let mut search =
        Search { patterns, workspace, reach, follow, end: Instant::now() + LONGEST, hash: Sha256::new(), files: 0 };
    for root in search.patterns.search_roots() {
        search.visit(PathBuf::from(root))?;
    }
    if search.files == 0 { Ok(String::new()) } else { Ok(hexadecimal(&search.hash.finalize())) }
}

struct Search<'w> {
    patterns: GlobPatterns,
    workspace: &'w Path,
    reach: &'w Reach,
    follow: bool,
    end: Instant,
    hash: Sha256,
    files: u64,
}

/// An item still to be looked at, with the real folders above it where links are followed: a link to one of them is a circle.
struct Item {
    path: PathBuf,
    above: Vec<PathBuf>,
}

impl Search<'_> {
    /// Hashes what is chosen at `root` and below, depth first. A list of its own instead of recursion: folders can be deep.
    fn visit(&mut self, root: PathBuf) -> Result<(), String> {
        let mut waiting = vec![Item { path: root, above: Vec::new() }];
        while let Some(Item { path, above }) = waiting.pop() {
            let meta = match if self.follow { fs::metadata(&path) } else { fs::symlink_metadata(&path) } {
                Ok(meta) => meta,
                // A link to nothing, or gone since its folder was read.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    continue;
                }
                Err(error) => return Err(cannot("look at", &path, &error)),
            };
            if !meta.is_dir() {
                if self.patterns.matches(&path.to_string_lossy(), false) {
                    self.add(&path)?;
                }
                continue;
            }
            // What is outside the workspace counts for nothing, so it is not searched; what leads to the workspace is.
            let is_inside = path.starts_with(self.workspace) || self.workspace.starts_with(&path);
            if !is_inside || !self.patterns.may_match_inside(&path.to_string_lossy()) {
                continue;
            }
            let mut above = above;
            if self.follow {
                self.in_reach(&path)?;
                let real = fs::canonicalize(&path).map_err(|error| cannot("look at", &path, &error))?;
                if above.contains(&real) {
                    continue;
                }
                above.push(real);
            }
            let mut names = fs::read_dir(&path)
                .and_then(|entries| {
                    entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
                })
                .map_err(|error| cannot("read the folder", &path, &error))?;
            // Node reads folders in byte order; the last in the list is looked at first.
            names.sort_by(|a, b| b.as_bytes().cmp(a.as_bytes()));
            self.in_time()?;
            waiting.extend(names.into_iter().map(|name| Item { path: path.join(name), above: above.clone() }));
        }
        Ok(())
    }

    fn add(&mut self, path: &Path) -> Result<(), String> {
        if !path.starts_with(self.workspace) {
            return Ok(());
        }
        self.in_reach(path)?;
        // A link is followed here in any case, as the real function reads what it names.
        match fs::metadata(path) {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(cannot("look at", path, &error)),
        }
        let mut file = File::open(path).map_err(|error| cannot("read", path, &error))?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cannot("read", path, &error)),
            };
            hash.update(&buffer[..read]);
            self.in_time()?;
        }
        self.hash.update(hash.finalize());
        self.files += 1;
        Ok(())
    }

    /// What leads to the workspace is above it, and is looked through for it alone.
    fn in_reach(&self, path: &Path) -> Result<(), String> {
        if !path.starts_with(self.workspace) {
            return Ok(());
        }
        self.reach.check(path).map_err(|out| format!("hashFiles: {out}"))
    }

    fn in_time(&self) -> Result<(), String> {
        if Instant::now() < self.end {
            Ok(())
        } else {
            Err(format!("hashFiles took longer than {} seconds: choose fewer files", LONGEST.as_secs()))
        }
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    format!("hashFiles cannot {what} `{}`: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn workspace() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in [("a", "A"), ("b/c", "C"), ("b/.d", "D"), ("B", "upper")] {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(file, text).expect("writes");
        }
        folder
    }

    fn of(texts: &[&str]) -> String {
        let mut outer = Sha256::new();
        texts.iter().for_each(|text| outer.update(Sha256::digest(text.as_bytes())));
        hexadecimal(&outer.finalize())
    }

    fn hash(folder: &Path, patterns: &[&str]) -> Result<String, String> {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        hash_files(folder, folder.to_str(), &patterns, &Reach::everywhere())
    }

    #[test]
    fn trap_31_the_hash_is_that_of_the_digests() {
        let folder = workspace();
        assert_eq!(hash(folder.path(), &["a", "b/c"]), Ok(of(&["A", "C"])));
        let single = "1cd6ef71e6e0ff46ad2609d403dc3fee244417089aa4461245a4e4fe23a55e42";
        assert_eq!(hash(folder.path(), &["a"]).as_deref(), Ok(single));
    }

    #[test]
    fn trap_32_nothing_found_is_empty_and_hidden_files_and_folders_count() {
        let folder = workspace();
        assert_eq!(hash(folder.path(), &["none", "{a,b}"]), Ok(String::new()));
        assert_eq!(hash(folder.path(), &["**"]), Ok(of(&["upper", "A", "D", "C"])), "in byte order");
        assert_eq!(hash(folder.path(), &["b"]), Ok(of(&["D", "C"])), "a folder means all below it");
        assert_eq!(hash(folder.path(), &["**", "a"]), hash(folder.path(), &["**"]), "a file counts once");
        assert_eq!(hash(folder.path(), &["**", "!b"]), Ok(of(&["upper", "A"])));
        assert_eq!(hash(folder.path(), &["/etc/hosts"]), Ok(String::new()), "outside the workspace");
        assert_eq!(hash(folder.path(), &["~/a\n./b/c"]), Ok(of(&["A", "C"])), "here the workspace is the home folder");
    }

    #[test]
    fn links_are_followed_only_when_asked_and_never_in_circles() {
        let folder = workspace();
        symlink("b", folder.path().join("link")).expect("links");
        symlink("..", folder.path().join("b/up")).expect("links");
        symlink("nothing", folder.path().join("broken")).expect("links");
        assert_eq!(hash(folder.path(), &["link/**"]), Ok(String::new()));
        assert_eq!(hash(folder.path(), &["--follow-symbolic-links", "link/.d", "link/c"]), Ok(of(&["D", "C"])));
        assert!(hash(folder.path(), &["--follow-symbolic-links", "**"]).is_ok());
        assert!(hash(folder.path(), &["--other", "a"]).is_err());
    }
}
