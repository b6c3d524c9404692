//! Files that lie in the working tree with other bytes than the commit has, and of which git says that nothing differs: it compares them by
//! what they would be once they were added.
//!
//! What the commit's own `.gitattributes` say is part of its contents: every checkout of it has these bytes. Attributes and settings from
//! elsewhere are of this machine alone.
//!
//! # Source
//! `gitattributes(5)`, `git-ls-files(1)` (`--eol`), `gitglossary(7)` (`pathspec`, `attr`).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::local_event::git_says;

/// The file in which a folder has attributes.
const OF_FOLDER: &str = ".gitattributes";

/// Attributes by which git writes other bytes than it keeps. Of filters only that of Git LFS is among them: whoever looks for the others goes
/// by the settings that they need.
const CONVERTING: [&str; 3] = ["ident", "working-tree-encoding", "filter=lfs"];

/// Attributes that are in no commit: the file, and what is set in it as it is written: `eol=crlf`, `-text`, `ident`.
type Foreign = BTreeMap<PathBuf, BTreeSet<String>>;

/// What lies there with other bytes than in the commit, by attributes and settings of this machine.
pub(super) fn converted(root: &Path) -> impl Iterator<Item = String> {
    let mut foreign = Foreign::new();
    let mut macros = macros_of(&fs::read(root.join(OF_FOLDER)).unwrap_or_default());
    for file in files_of_attributes(root) {
        // What cannot be read git does not read either.
        if let Ok(bytes) = fs::read(&file) {
            macros.extend(macros_of(&bytes));
            foreign.insert(file, words(&bytes));
        }
    }
    [attributes(root, &foreign, &macros), line_ends(root, &foreign)].into_iter().flatten()
}

/// Files to which attributes that are in no commit give other bytes. What a macro stands for may be anything.
fn attributes(root: &Path, foreign: &Foreign, macros: &BTreeSet<String>) -> Option<String> {
    let converts = |word: &&String| {
        let name = name_of(word);
        CONVERTING.contains(&name) || CONVERTING.contains(&word.as_str()) || macros.contains(name)
    };
    for (file, words) in foreign {
        for attribute in words.iter().filter(converts) {
            // A name that cannot be asked for is not one that may be trusted.
            let with_it = git_says(root, &["ls-files", "-z", "--", &format!(":(top,attr:{attribute})")], &[]);
            if !with_it.is_ok_and(|files| files.is_empty()) {
                let place = file.strip_prefix(root).unwrap_or(file).display();
                return Some(format!("files that `{attribute}` of {place} changes, which no commit has"));
            }
        }
    }
    None
}

/// Files whose lines end in another way than in the commit, without its own word.
fn line_ends(root: &Path, foreign: &Foreign) -> Option<String> {
    let is_from_elsewhere =
        foreign.values().flatten().any(|word| matches!(name_of(word), "eol" | "text" | "crlf" | "binary"));
    let has_own = || {
        let own = git_says(root, &["ls-files", "-z", "--", ":(top,glob)**/.gitattributes"], &[]);
        !own.is_ok_and(|own| own.is_empty())
    };
    let converts = || {
        let setting = git_says(root, &["config", "--get", "core.autocrlf"], &[]).unwrap_or_default();
        !matches!(
            String::from_utf8_lossy(&setting).trim().to_ascii_lowercase().as_str(),
            "" | "false" | "0" | "no" | "off"
        )
    };
    if !is_from_elsewhere && !converts() && !has_own() {
        return None;
    }
    let Ok(listed) = git_says(root, &["ls-files", "--eol", "-z"], &[]) else {
        return Some("git cannot say how the lines of the files end".to_owned());
    };
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let mut other = listed.split('\0').filter_map(|entry| {
        let (about, path) = entry.split_once('\t')?;
        let (kept, rest) = about.strip_prefix("i/")?.split_once(char::is_whitespace)?;
        let (lies, attributes) = rest.trim_start().strip_prefix("w/")?.split_once(char::is_whitespace)?;
        let is_own_word = !is_from_elsewhere && lies == "crlf" && attributes.contains("eol=crlf");
        // A file that is not there is told of by the status.
        (kept != lies && !lies.is_empty() && !is_own_word).then_some(path)
    });
    let first = other.next()?;
    let more = match other.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("lines that end in another way than in the commit: {first}{more}"))
}

/// Where git takes attributes from, beside the commit.
fn files_of_attributes(root: &Path) -> Vec<PathBuf> {
    let says = |arguments: &[&str]| {
        let said = git_says(root, arguments, &[]).ok()?;
        let said = String::from_utf8_lossy(&said).trim_end_matches(['\n', '\0']).to_owned();
        (!said.is_empty()).then(|| root.join(said))
    };
    let of_user = || {
        let settings = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let settings = settings.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
        Some(settings.join("git/attributes"))
    };
    let of_repository = says(&["rev-parse", "--git-path", "info/attributes"]);
    let chosen = says(&["config", "--type=path", "--get", "core.attributesFile"]).or_else(of_user);
    let of_machine = Some(PathBuf::from("/etc/gitattributes"));
    [of_repository, chosen, of_machine].into_iter().flatten().chain(of_folders(root)).collect()
}

/// Files of attributes that lie in the folders of the commit's files and are in no commit. Git goes by them as by any other, and of those
/// that it was told to ignore its status says nothing.
fn of_folders(root: &Path) -> Vec<PathBuf> {
    // If this fails, whoever looks for hidden files says that git cannot list them.
    let listed = git_says(root, &["ls-files", "-z"], &[]).unwrap_or_default();
    let tracked: BTreeSet<&Path> =
        listed.split(|byte| *byte == 0).map(|path| Path::new(OsStr::from_bytes(path))).collect();
    let folders: BTreeSet<&Path> = tracked.iter().flat_map(|file| file.ancestors().skip(1)).collect();
    let files = folders.into_iter().map(|folder| folder.join(OF_FOLDER));
    let is_foreign = |file: &PathBuf| !tracked.contains(file.as_path()) && root.join(file).symlink_metadata().is_ok();
    files.filter(is_foreign).map(|file| root.join(file)).collect()
}

/// The attributes that a file speaks of, as they are written.
fn words(bytes: &[u8]) -> BTreeSet<String> {
    let words = lines(bytes).into_iter().flat_map(|line| {
        let words: Vec<String> = line.split_whitespace().skip(1).map(str::to_owned).collect();
        words
    });
    words.collect()
}

/// The names that a file gives to several attributes at once: `[attr]windows eol=crlf ident`.
fn macros_of(bytes: &[u8]) -> BTreeSet<String> {
    let named = lines(bytes);
    let named = named.iter().filter_map(|line| line.strip_prefix("[attr]")?.split_whitespace().next());
    named.map(str::to_owned).collect()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim).filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn name_of(word: &str) -> &str {
    let word = word.trim_start_matches(['-', '!']);
    word.split_once('=').map_or(word, |(name, _)| name)
}
