//! `hashFiles()`.
//!
//! # Source
//! Section 3.9 of the protocol notes, after `src/Misc/expressionFunc/hashFiles` of `actions/runner` and `@actions/glob`.

use std::path::Path;

/// The hash of all files below `workspace` that `patterns` choose, as lower-case hexadecimal digits; empty when there is none.
///
/// # Errors
/// A sentence for the user: a bad option or pattern, an unreadable file, or more than two minutes of work.
pub fn hash_files(_workspace: &Path, _patterns: &[String]) -> Result<String, String> {
    Err("hashFiles is not available yet".to_owned())
}
