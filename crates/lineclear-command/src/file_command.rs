//! The files behind `GITHUB_ENV`, `GITHUB_OUTPUT`, `GITHUB_STATE` and `GITHUB_PATH`.

/// A line that is no entry. Entries before it count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct FileCommandError {
    /// Counted from one.
    pub line: usize,
    pub message: String,
}

/// Names and values in order, up to the first bad line.
pub fn parse_pairs(_bytes: &[u8]) -> (Vec<(String, String)>, Option<FileCommandError>) {
    unimplemented!()
}

/// Folders in order; empty lines are left out.
pub fn parse_paths(_bytes: &[u8]) -> Vec<String> {
    unimplemented!()
}
