//! What an expression may name at the place where it stands.

/// The contexts and special functions that a workflow key makes available.
///
/// # Source
/// "Context availability" of GitHub's documentation and the `context` lists of its workflow schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Lower-case names of contexts; an expression that names another does not parse.
    pub contexts: &'static [&'static str],
    /// Whether `success()`, `failure()`, `always()` and `cancelled()` may be called.
    pub status_functions: bool,
    /// Whether `hashFiles()` may be called.
    pub hash_files: bool,
}
