//! Artifacts of runs.

use std::fmt;
use std::path::{Path, PathBuf};

use lineclear_event::{RunId, Timestamp, hexadecimal};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::StoreError;

/// How many days an artifact is kept when nobody says: GitHub's default for repositories.
pub const DEFAULT_RETENTION_DAYS: u32 = 90;

/// What neither an artifact's name nor a file in it may contain, with the word for it in messages.
const FORBIDDEN: [(char, &str); 9] = [
    ('"', "double quote"),
    (':', "colon"),
    ('<', "less than"),
    ('>', "greater than"),
    ('|', "vertical bar"),
    ('*', "asterisk"),
    ('?', "question mark"),
    ('\r', "carriage return"),
    ('\n', "line feed"),
];

/// Keeps artifacts. Files are content-addressed: equal files of an artifact are kept once, and what an earlier artifact of the
/// same name has already is shared with it.
///
/// Only files are kept, no empty folders and no modes, as in the zip of the official action; symbolic links are followed.
/// An upload becomes visible at once or not at all.
pub trait Artifacts: Send + Sync + fmt::Debug {
    /// Keeps files under a name that is new in the run, or replaces it when asked to.
    ///
    /// # Errors
    /// [`StoreError::ArtifactExists`] without `overwrite`; [`StoreError::Refused`] for a name or file name that
    /// [`check_artifact_name`] or [`check_artifact_file`] refuses, for two files of one name, and for no file at all.
    fn upload(&self, request: &ArtifactRequest) -> Result<ArtifactMeta, StoreError>;

    /// The newest artifact of each name in a run, by name.
    fn list(&self, run: RunId) -> Result<Vec<ArtifactMeta>, StoreError>;

    /// Writes an artifact's files below `folder`, replacing what is there under their names. Never writes outside of it. A zip
    /// that a client uploaded is unpacked; another archive is written as the one file that it is, named like the artifact.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Damaged`] when the kept bytes are not those that were uploaded;
    /// [`StoreError::Refused`] for a zip that is broken or not to be trusted, see [`crate::zip::unpack`].
    fn download(&self, run: RunId, name: &str, folder: &Path) -> Result<ArtifactMeta, StoreError>;

    /// # Errors
    /// [`StoreError::NotFound`] when the run has no artifact of this name.
    fn delete(&self, run: RunId, name: &str) -> Result<(), StoreError>;
}

#[derive(Clone, Debug)]
pub struct ArtifactRequest {
    pub run: RunId,
    pub name: String,
    /// Path inside the artifact, with forward slashes, and the file to keep there.
    pub files: Vec<(String, PathBuf)>,
    pub overwrite: bool,
    /// `None` or zero: as long as the store keeps artifacts by default.
    pub retention_days: Option<u32>,
    /// zstd level, from the action's 0 to 9.
    pub compression_level: u32,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArtifactMeta {
    pub id: u64,
    pub run: RunId,
    pub name: String,
    pub files: u64,
    pub size: u64,
    /// `sha256:<hex>` over names and contents: the SHA-256 of one line `<hex SHA-256 of the file>  <name>` for each file, by
    /// name. In the folder of a download: `find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`.
    pub digest: String,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    /// What an archive is, as the client said; `None` when the files themselves are kept. The digest of an archive is the
    /// SHA-256 of its bytes, and it counts as one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// What [`ArtifactMeta::digest`] says of files, given by name with the SHA-256 of each.
pub fn artifact_digest<'f>(files: impl Iterator<Item = (&'f str, [u8; 32])>) -> String {
    let mut all = Sha256::new();
    for (name, digest) in files {
        all.update(format!("{}  {name}\n", hexadecimal(&digest)));
    }
    format!("sha256:{}", hexadecimal(&all.finalize()))
}

/// How long an artifact's name may be, in bytes: what common file systems allow for the name of a folder.
const MAX_ARTIFACT_NAME: usize = 255;

/// Whether an artifact may have this name.
///
/// # Errors
/// [`StoreError::Refused`] for an empty name, for `" : < > | * ? CR LF \ /` and other control characters, for `.`, `..` and `.git`,
/// and for more than 255 bytes.
///
/// # Source
/// `validateArtifactName` of the npm package `@actions/artifact`. That the name can be that of a folder is our own rule: a
/// download of all artifacts writes each below its name, where `..` would lead out.
pub fn check_artifact_name(name: &str) -> Result<(), StoreError> {
    if name.is_empty() {
        return Err(StoreError::Refused("the artifact has no name; give it one with `name`".into()));
    }
    if matches!(name, "." | "..") || name.eq_ignore_ascii_case(".git") {
        return Err(StoreError::Refused(format!(
            "the artifact name `{name}` cannot be that of a folder, as a download needs; choose another"
        )));
    }
    if name.len() > MAX_ARTIFACT_NAME {
        let start: String = name.chars().take(40).collect();
        return Err(StoreError::Refused(format!(
            "the artifact name `{}…` has {} bytes; at most {MAX_ARTIFACT_NAME} are allowed",
            start.escape_debug(),
            name.len()
        )));
    }
    let forbidden = FORBIDDEN.iter().copied().chain([('\\', "backslash"), ('/', "forward slash")]);
    let controls =
        name.chars().filter(|character| character.is_control()).map(|character| (character, "control character"));
    refuse_characters("artifact name", name, forbidden.chain(controls))
}

/// Whether an artifact may have a file of this name: a relative path with forward slashes and without `.` or `..`.
///
/// # Errors
/// [`StoreError::Refused`] with the reason.
///
/// # Source
/// `validateFilePath` of the npm package `@actions/artifact`; that no path leads out of the artifact is our own rule.
pub fn check_artifact_file(name: &str) -> Result<(), StoreError> {
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) || name.contains('\0') {
        return Err(StoreError::Refused(format!(
            "`{}` cannot be a file of an artifact: it has to be a relative path without `.` or `..`",
            name.escape_debug()
        )));
    }
    refuse_characters("artifact file", name, FORBIDDEN.iter().copied())
}

fn refuse_characters(
    what: &str,
    name: &str,
    mut forbidden: impl Iterator<Item = (char, &'static str)>,
) -> Result<(), StoreError> {
    match forbidden.find(|(character, _)| name.contains(*character)) {
        None => Ok(()),
        Some((character, word)) => Err(StoreError::Refused(format!(
            "the {what} `{}` contains a {word} (`{}`), which some file systems cannot hold; remove it",
            name.escape_debug(),
            character.escape_debug()
        ))),
    }
}

/// When an artifact that was made at `now` goes, where the store keeps artifacts for `default_days`. No or zero
/// `retention_days` mean the default.
pub fn expiry(now: Timestamp, retention_days: Option<u32>, default_days: u32) -> Timestamp {
    let days = retention_days.filter(|days| *days > 0).unwrap_or(default_days);
    now.plus_millis(i64::from(days).saturating_mul(crate::DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_with_the_character_that_is_wrong() {
        for name in ["a\"b", "a:b", "a<b", "a>b", "a|b", "a*b", "a?b", "a\rb", "a\nb", "a\\b", "a/b", ""] {
            assert!(check_artifact_name(name).is_err(), "{name:?}");
        }
        // Names that a download could not, or must not, use for a folder: they lead out of it, or act on a terminal.
        for name in
            [".", "..", ".git", ".GIT", "a\0b", "\u{1b}[31mred", "a\tb", "\u{9b}2J", &"x".repeat(256), &"é".repeat(128)]
        {
            assert!(check_artifact_name(name).is_err(), "{name:?}");
        }
        check_artifact_name(&"x".repeat(255)).expect("as long as a file's name may be");
        for name in ["a b", "é", "a.b-c_d (1)", "..."] {
            check_artifact_name(name).expect("an ordinary name");
        }
        assert_eq!(
            check_artifact_name("a\nb").expect_err("a line feed").to_string(),
            "the artifact name `a\\nb` contains a line feed (`\\n`), which some file systems cannot hold; remove it"
        );
    }

    #[test]
    fn files_stay_inside_the_artifact() {
        for name in ["", "/a", "a/", "a//b", "./a", "../a", "a/../b", "a/..", "a\0b", "a:b"] {
            assert!(check_artifact_file(name).is_err(), "{name:?}");
        }
        for name in ["a", "a/b/c.txt", ".hidden", "a/..b", "a\\b"] {
            check_artifact_file(name).expect("an ordinary path");
        }
    }
}
