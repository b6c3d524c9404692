//! What is known of commits.

/// The order and the contents of commits; git knows them.
pub trait Commits {
    /// The id of the commit's tree; `None` for a commit that is not known here.
    fn tree(&self, commit: &str) -> Option<String>;

    /// Whether `old` is `new` or one of its ancestors; `None` when one of them is not known here.
    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool>;
}

/// No commit is known: only what the ledger itself says counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCommits;

impl Commits for NoCommits {
    fn tree(&self, _: &str) -> Option<String> {
        None
    }

    fn is_ancestor(&self, _: &str, _: &str) -> Option<bool> {
        None
    }
}
