//! Lays a commit's tree out as files: blob by blob, so that no attribute, filter or hook of the repository has a say.
//!
//! Left out: submodules, and links that lead out of the tree. Refused: names that are no plain file names.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Child;

use sha2::{Digest, Sha256};

use crate::FetchError;
use crate::error::{GitFailure, file};
use crate::git;
use crate::manifest::{Entry, Kind, Manifest, hex};

/// Paths that one tree may have, and bytes of one path.
const MOST_FILES: usize = 400_000;
const LONGEST_PATH: usize = 4000;
/// Bytes that a link's target may have.
const LONGEST_TARGET: u64 = 4000;

/// What was laid out.
#[derive(Debug, Default)]
pub(crate) struct Exported {
    pub(crate) manifest: Manifest,
    /// Links that lead out of the tree; they were left out.
    pub(crate) left_out: Vec<String>,
}

/// Links with their targets. They are made after all files, so that no file is ever written through one.
type Links = Vec<(Vec<u8>, PathBuf)>;

/// One line of `ls-tree`.
struct Item {
    mode: String,
    id: String,
    size: u64,
    path: Vec<u8>,
}

/// Lays the tree of `commit` out in `folder`, which is empty.
pub(crate) fn export(
    git_dir: &Path,
    commit: &str,
    folder: &Path,
    uses: &str,
    largest: u64,
) -> Result<Exported, FetchError> {
    let failed = |failure: GitFailure| match failure {
        GitFailure::Start(source) => FetchError::NoGit { source: source.into() },
        other => FetchError::Git { uses: uses.to_owned(), said: other.words("the fetched pack") },
    };
    let listed = git::local(git_dir, &["ls-tree", "-r", "-z", "-l", "--full-tree", commit]).map_err(failed)?;
    let items =
        items(&listed).ok_or_else(|| FetchError::Git { uses: uses.to_owned(), said: "its list of files".into() })?;
    if items.len() > MOST_FILES || items.iter().map(|item| item.size).fold(0, u64::saturating_add) > largest {
        return Err(FetchError::TooLarge { uses: uses.to_owned(), limit: largest });
    }
    for item in &items {
        if let Some(why) = unsafe_name(&item.path) {
            let path = String::from_utf8_lossy(&item.path).chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(FetchError::Unsafe { uses: uses.to_owned(), path, why });
        }
    }
    let mut blobs = Blobs(git::blobs(git_dir).map_err(|source| FetchError::NoGit { source: source.into() })?);
    let (mut exported, mut links) = (Exported::default(), Links::new());
    blobs
        .read_all(&items, |item, content| {
            if item.mode == "120000" {
                read_link(item, content, &mut exported, &mut links)
            } else {
                lay(folder, item, content, &mut exported)
            }
        })
        .map_err(file("lay out files in", folder))?;
    for (path, target) in links {
        let place = folder.join(OsStr::from_bytes(&path));
        fs::create_dir_all(place.parent().unwrap_or(folder))
            .and_then(|()| symlink(&target, &place))
            .map_err(file("lay out", &place))?;
        let bytes = target.as_os_str().as_bytes();
        let entry = Entry { kind: Kind::Link, hash: hex(&Sha256::digest(bytes)), size: bytes.len() as u64 };
        exported.manifest.0.insert(path, entry);
    }
    Ok(exported)
}

/// Writes one file, which must not be there yet, and notes what was written.
fn lay(folder: &Path, item: &Item, content: &mut dyn Read, exported: &mut Exported) -> io::Result<()> {
    let place = folder.join(OsStr::from_bytes(&item.path));
    fs::create_dir_all(place.parent().unwrap_or(folder))?;
    let kind = if item.mode == "100755" { Kind::Program } else { Kind::File };
    let mode = if kind == Kind::Program { 0o755 } else { 0o644 };
    let mut written = OpenOptions::new().write(true).create_new(true).mode(mode).open(&place)?;
    let (hash, size) = copy(content, &mut written)?;
    exported.manifest.0.insert(item.path.clone(), Entry { kind, hash, size });
    Ok(())
}

fn copy(content: &mut dyn Read, file: &mut File) -> io::Result<(String, u64)> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 64 * 1024]);
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok((hex(&hash.finalize()), size)),
            count => {
                hash.update(&buffer[..count]);
                file.write_all(&buffer[..count])?;
                size += count as u64;
            }
        }
    }
}

fn read_link(item: &Item, content: &mut dyn Read, exported: &mut Exported, links: &mut Links) -> io::Result<()> {
    let mut target = Vec::new();
    content.take(LONGEST_TARGET).read_to_end(&mut target)?;
    match item.size < LONGEST_TARGET && stays_inside(&item.path, &target) {
        true => links.push((item.path.clone(), PathBuf::from(OsStr::from_bytes(&target)))),
        false => exported.left_out.push(String::from_utf8_lossy(&item.path).into_owned()),
    }
    Ok(())
}

/// Whether a link leads to a place in the tree.
///
/// Steps up are allowed at the beginning alone, where they count real folders: after a name that may be a link itself, `..`
/// leads elsewhere than the text says.
fn stays_inside(path: &[u8], target: &[u8]) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    let depth = path.iter().filter(|byte| **byte == b'/').count();
    let parts: Vec<&[u8]> = target.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    let up = parts.iter().take_while(|part| **part == b"..").count();
    up <= depth && parts[up..].iter().all(|part| *part != b"..")
}

/// What is wrong with a path, if anything is.
fn unsafe_name(path: &[u8]) -> Option<&'static str> {
    if path.len() > LONGEST_PATH {
        return Some("is too long");
    }
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." | b".." => return Some("leads out of its folder"),
            // On file systems that ignore case, and by the 8.3 name that Windows gives it.
            part if part.eq_ignore_ascii_case(b".git") || part.eq_ignore_ascii_case(b"git~1") => {
                return Some("would be taken for a git repository");
            }
            _ => {}
        }
    }
    None
}

/// The blobs of `ls-tree -r -z -l`; submodules are left out. None where a line is not as git writes it.
fn items(listed: &[u8]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let head = std::str::from_utf8(&line[..tab]).ok()?;
        let mut words = head.split_ascii_whitespace();
        let (mode, kind, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
        if kind == "blob" {
            let path = line[tab + 1..].to_vec();
            items.push(Item { mode: mode.to_owned(), id: id.to_owned(), size: size.parse().ok()?, path });
        }
    }
    Some(items)
}

/// `git cat-file --batch`, ended when it goes out of scope.
struct Blobs(Child);

impl Blobs {
    /// Gives each item with its content to `take`, in order.
    fn read_all(
        &mut self,
        items: &[Item],
        mut take: impl FnMut(&Item, &mut dyn Read) -> io::Result<()>,
    ) -> io::Result<()> {
        let (stdin, stdout) = (self.0.stdin.take(), self.0.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let ids: String = items.iter().map(|item| format!("{}\n", item.id)).collect();
        // Written by a thread: git answers while it reads. It ends with git, at the latest when `self` goes.
        std::thread::spawn(move || drop(stdin.write_all(ids.as_bytes())));
        let mut stdout = BufReader::with_capacity(64 * 1024, stdout);
        for item in items {
            let mut head = String::new();
            stdout.read_line(&mut head)?;
            if head.trim_end() != format!("{} blob {}", item.id, item.size) {
                return Err(io::Error::other(format!("git gives no blob {}", item.id)));
            }
            let mut content = stdout.by_ref().take(item.size);
            take(item, &mut content)?;
            io::copy(&mut content, &mut io::sink())?;
            if content.limit() != 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            stdout.read_exact(&mut [0])?;
        }
        Ok(())
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside_or_are_left_out() {
        for (path, target, inside) in [
            ("a", "b", true),
            ("a", "./b/c", true),
            ("d/a", "../b", true),
            ("d/e/a", "../../b", true),
            ("a", ".", true),
            ("a", "../b", false),
            ("d/a", "../../b", false),
            ("a", "/etc/passwd", false),
            ("a", "b/../../c", false),
            // Through a link to the root this would lead above it.
            ("a", "d/../c", false),
            ("a", "", false),
            ("a", "b\0", false),
        ] {
            assert_eq!(stays_inside(path.as_bytes(), target.as_bytes()), inside, "{path} -> {target}");
        }
    }

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        for path in ["a/../b", "/a", "a//b", "./a", ".git/config", "a/.GIT/hooks/x", "GIT~1/x"] {
            assert!(unsafe_name(path.as_bytes()).is_some(), "{path}");
        }
        for path in ["a", ".github/x", ".gitignore", "a b/ü", "..a/b.."] {
            assert!(unsafe_name(path.as_bytes()).is_none(), "{path}");
        }
    }
}
