//! What a laid-out tree holds, file by file; its digest is the tree's digest.
//!
//! One line a file, sorted by path: kind (`f` file, `x` program, `l` link), SHA-256 of the content, bytes, path. A path with a
//! line break or backslash is written with `\n` and `\\`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What a path of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Program,
    Link,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// SHA-256 of the content, or of a link's target; in hex.
    pub(crate) hash: String,
    pub(crate) size: u64,
}

/// A tree's paths, relative to its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest(pub(crate) BTreeMap<Vec<u8>, Entry>);

impl Manifest {
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (path, entry) in &self.0 {
            let kind = match entry.kind {
                Kind::File => 'f',
                Kind::Program => 'x',
                Kind::Link => 'l',
            };
            text.extend_from_slice(format!("{kind} {} {} ", entry.hash, entry.size).as_bytes());
            for &byte in path {
                match byte {
                    b'\n' => text.extend_from_slice(b"\\n"),
                    b'\\' => text.extend_from_slice(b"\\\\"),
                    other => text.push(other),
                }
            }
            text.push(b'\n');
        }
        text
    }

    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut parts = line.splitn(4, |byte| *byte == b' ');
            let kind = match parts.next()? {
                b"f" => Kind::File,
                b"x" => Kind::Program,
                b"l" => Kind::Link,
                _ => return None,
            };
            let hash = String::from_utf8(parts.next()?.to_vec()).ok()?;
            let size = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
            entries.insert(unescaped(parts.next()?)?, Entry { kind, hash, size });
        }
        Some(Self(entries))
    }

    /// `sha256:` and the digest of the whole tree.
    pub(crate) fn digest(&self) -> String {
        format!("sha256:{}", hex(&Sha256::digest(self.text())))
    }

    /// The first file of the tree that is missing or differs. What is there beside the tree is removed: an action that wrote
    /// into its own folder (compiled Python, say) must not change what the next run sees.
    pub(crate) fn first_difference(&self, folder: &Path) -> io::Result<Option<PathBuf>> {
        let mut seen = 0;
        let mut open = vec![PathBuf::new()];
        while let Some(below) = open.pop() {
            for entry in fs::read_dir(folder.join(&below))? {
                let entry = entry?;
                let path = below.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    if self.has_below(&path) { open.push(path) } else { fs::remove_dir_all(entry.path())? }
                } else if let Some(expected) = self.0.get(path.as_os_str().as_bytes()) {
                    seen += 1;
                    if hashed(&entry.path())?.as_ref() != Some(expected) {
                        return Ok(Some(path));
                    }
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        if seen == self.0.len() {
            return Ok(None);
        }
        let missing = self.0.keys().map(|path| PathBuf::from(OsString::from_vec(path.clone())));
        Ok(missing.into_iter().find(|path| folder.join(path).symlink_metadata().is_err()))
    }

    fn has_below(&self, folder: &Path) -> bool {
        let mut prefix = folder.as_os_str().as_bytes().to_vec();
        prefix.push(b'/');
        self.0.range(prefix.clone()..).next().is_some_and(|(path, _)| path.starts_with(&prefix))
    }
}

/// What stands at the path now; none for what a tree cannot hold, such as a pipe.
fn hashed(path: &Path) -> io::Result<Option<Entry>> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_symlink() {
        let target = fs::read_link(path)?;
        let target = target.as_os_str().as_bytes();
        return Ok(Some(Entry { kind: Kind::Link, hash: hex(&Sha256::digest(target)), size: target.len() as u64 }));
    }
    if !metadata.is_file() {
        return Ok(None);
    }
    let kind = if metadata.permissions().mode() & 0o100 == 0 { Kind::File } else { Kind::Program };
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Sha256::new(), vec![0; 128 * 1024]);
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(Entry { kind, hash: hex(&hash.finalize()), size })),
            count => {
                hash.update(&buffer[..count]);
                size += count as u64;
            }
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let (mut path, mut bytes) = (Vec::with_capacity(text.len()), text.iter());
    while let Some(&byte) = bytes.next() {
        path.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'\\' => b'\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_as_it_was_written() {
        let entry = |kind, size| Entry { kind, hash: "ab".into(), size };
        let manifest = Manifest(
            [
                (b"a b\nc\\d".to_vec(), entry(Kind::File, 1)),
                (b"dir/\xff".to_vec(), entry(Kind::Program, 0)),
                (b"link".to_vec(), entry(Kind::Link, 7)),
            ]
            .into(),
        );
        assert_eq!(Manifest::parse(&manifest.text()), Some(manifest));
        for broken in ["f", "f ab x p", "z ab 1 p", "f ab 1 a\\", "f ab 1"] {
            assert_eq!(Manifest::parse(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn what_was_changed_is_found_and_what_was_added_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        fs::create_dir(path.join("d")).expect("made");
        fs::write(path.join("d/a"), "a").expect("written");
        fs::write(path.join("b"), "b").expect("written");
        std::os::unix::fs::symlink("b", path.join("l")).expect("linked");
        let entry = |name: &str| hashed(&path.join(name)).expect("readable").expect("a file");
        let names = ["d/a", "b", "l"];
        let manifest = Manifest(names.iter().map(|name| (name.as_bytes().to_vec(), entry(name))).collect());
        let difference = || manifest.first_difference(path).expect("readable");
        assert_eq!(difference(), None);
        fs::create_dir_all(path.join("__pycache__/x")).expect("made");
        fs::write(path.join("d/a.pyc"), "new").expect("written");
        assert_eq!(difference(), None);
        assert!(!path.join("__pycache__").exists() && !path.join("d/a.pyc").exists());
        fs::set_permissions(path.join("b"), fs::Permissions::from_mode(0o755)).expect("set");
        assert_eq!(difference(), Some("b".into()));
        fs::set_permissions(path.join("b"), fs::Permissions::from_mode(0o644)).expect("set");
        fs::write(path.join("d/a"), "A").expect("written");
        assert_eq!(difference(), Some("d/a".into()));
        fs::remove_file(path.join("d/a")).expect("removed");
        assert_eq!(difference(), Some("d/a".into()));
        fs::write(path.join("d/a"), "a").expect("written");
        fs::remove_file(path.join("l")).expect("removed");
        std::os::unix::fs::symlink("/etc/passwd", path.join("l")).expect("linked");
        assert_eq!(difference(), Some("l".into()));
    }
}
