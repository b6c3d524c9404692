//! Files that lie in the working tree with other bytes than the commit has, and of which git says that nothing differs: it compares them by
//! what they would be once they were added.
//!
//! What the commit's own `.gitattributes` say is part of its contents: every checkout of it has these bytes. Attributes and settings from
//! elsewhere are of this machine alone.
//!
//! # Source
//! `gitattributes(5)`, `git-ls-files(1)` (`--eol`), `gitglossary(7)` (`pathspec`, `attr`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::local_event::git_says;

/// The attributes by which git writes other bytes than it keeps; filters are asked about by their names.
const CONVERTING: [&str; 2] = ["ident", "working-tree-encoding"];

/// Files to which attributes that are in no commit give other bytes.
pub(super) fn attributes(root: &Path) -> Option<String> {
    for file in files_of_attributes(root) {
        let Ok(bytes) = fs::read(&file) else { continue };
        for attribute in words(&bytes).into_iter().filter(|word| CONVERTING.contains(&name_of(word))) {
            // A name that cannot be asked for is not one that may be trusted.
            let with_it = git_says(root, &["ls-files", "-z", "--", &format!(":(top,attr:{attribute})")], &[]);
            if !with_it.is_ok_and(|files| files.is_empty()) {
                let place = file.strip_prefix(root).unwrap_or(&file).display();
                return Some(format!("files that `{attribute}` of {place} changes, which no commit has"));
            }
        }
    }
    None
}

/// Files whose lines end in another way than in the commit, without its own word.
pub(super) fn line_ends(root: &Path) -> Option<String> {
    let is_from_elsewhere = files_of_attributes(root)
        .iter()
        .filter_map(|file| fs::read(file).ok())
        .any(|bytes| words(&bytes).iter().any(|word| matches!(name_of(word), "eol" | "text" | "crlf")));
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
    [of_repository, chosen, of_machine].into_iter().flatten().collect()
}

/// The attributes that a file speaks of, as they are written: `eol=crlf`, `-text`, `ident`.
fn words(bytes: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.flat_map(|line| line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn name_of(word: &str) -> &str {
    let word = word.trim_start_matches(['-', '!']);
    word.split_once('=').map_or(word, |(name, _)| name)
}
