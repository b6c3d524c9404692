//! Repositories for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// A folder for a test's repositories, away from the user's own settings of git.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A repository `name` on branch `main`, with three commits, an annotated tag at the second and a branch `side` at the first.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        let root = self.path(name);
        fs::create_dir_all(&root).expect("a folder");
        git(&root, "init -q -b main");
        for (count, tags) in [(1, "branch side"), (2, "tag -a v1 -m one"), (3, "tag light")] {
            write(&root.join("file"), &format!("{count}\n"));
            write(&root.join(format!("dir/sub/{count}.txt")), "text\n");
            git(&root, "add -A");
            git(&root, &format!("commit -q -m {count}"));
            git(&root, tags);
        }
        root
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folders");
    fs::write(path, text).expect("a file");
}

/// Runs git and gives what it printed.
pub(crate) fn git(folder: &Path, args: &str) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"])
        .args(args.split(' '))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .expect("git is there");
    assert!(output.status.success(), "git {args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Everything below a folder, with its content and time.
pub(crate) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Option<SystemTime>, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for item in fs::read_dir(&folder).expect("a folder") {
            let path = item.expect("an entry").path();
            let metadata = fs::symlink_metadata(&path).expect("an entry");
            if metadata.is_dir() {
                open.push(path.clone());
            }
            let content = if metadata.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
            // Git renews the time of an object that it would have written again.
            let is_object = path.components().any(|part| part.as_os_str() == "objects");
            all.insert(path, (metadata.modified().ok().filter(|_| !is_object), content));
        }
    }
    all
}

/// What is not the same in both, by name.
pub(crate) fn changes(
    before: &BTreeMap<PathBuf, (Option<SystemTime>, Vec<u8>)>,
    now: &BTreeMap<PathBuf, (Option<SystemTime>, Vec<u8>)>,
) -> Vec<PathBuf> {
    let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != now.get(*name)).cloned().collect()
}
