//! What a ref means in a repository on this machine, and where `HEAD` stands after it was checked out.
//!
//! # Source
//! `src/ref-helper` of `actions/checkout`.

use lineclear_backend_host::Head;
use lineclear_runner::native::{Call, NativeError};

use super::git::Git;
use super::settings::is_commit;

/// A ref that was found, with its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) commit: String,
    pub(super) kind: Kind,
}

/// What kind of ref it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By its short name.
    Branch(String),
    /// By its short name.
    Tag(String),
    /// What stands behind `refs/pull/`.
    Pull(String),
    /// A commit, or any other ref: `HEAD` is on it, and no name stays.
    Commit,
}

impl Kind {
    /// What a qualified ref is; `None` for a name that may be a branch or a tag.
    pub(super) fn of(reference: &str) -> Option<Self> {
        let after = |prefix: &str| reference.strip_prefix(prefix).map(str::to_owned);
        after("refs/heads/")
            .map(Self::Branch)
            .or_else(|| after("refs/tags/").map(Self::Tag))
            .or_else(|| after("refs/pull/").map(Self::Pull))
            .or_else(|| (reference.is_empty() || reference.starts_with("refs/")).then_some(Self::Commit))
    }
}

impl Target {
    /// The branch that is checked out is the one thing that leaves `HEAD` on a branch.
    pub(super) fn head(&self) -> Head {
        let commit = self.commit.clone();
        match &self.kind {
            Kind::Branch(name) => Head::Branch { name: name.clone(), commit },
            Kind::Tag(_) | Kind::Pull(_) | Kind::Commit => Head::Detached { commit },
        }
    }

    /// How people are told of it.
    pub(super) fn describe(&self) -> String {
        let commit = self.commit.get(..12).unwrap_or(&self.commit);
        match &self.kind {
            Kind::Branch(name) => format!("branch `{name}` at {commit}"),
            Kind::Tag(name) => format!("tag `{name}` at {commit}"),
            Kind::Pull(name) => format!("`refs/pull/{name}` at {commit}"),
            Kind::Commit => format!("commit {commit}"),
        }
    }
}

/// The commit that `name` stands for, if the repository has it.
pub(super) fn commit(call: &mut Call<'_>, git: &Git<'_>, name: &str) -> Option<String> {
    let name = format!("{name}^{{commit}}");
    git.ask(call, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
        .ok()
        .filter(|commit| is_commit(commit))
}

/// Finds a ref in a repository on this machine. A branch is what its remote is known to have, and else what the user has.
///
/// # Errors
/// There is none of the name.
pub(super) fn find(call: &mut Call<'_>, git: &Git<'_>, reference: &str) -> Option<Target> {
    let branch = |call: &mut Call<'_>, name: &str| {
        let places = [format!("refs/remotes/origin/{name}"), format!("refs/heads/{name}")];
        places.iter().find_map(|place| commit(call, git, place))
    };
    let tag = |call: &mut Call<'_>, name: &str| commit(call, git, &format!("refs/tags/{name}"));
    let kind = Kind::of(reference);
    let (commit, kind) = match kind {
        Some(Kind::Branch(name)) => (branch(call, &name)?, Kind::Branch(name)),
        Some(Kind::Tag(name)) => (tag(call, &name)?, Kind::Tag(name)),
        Some(Kind::Pull(name)) => {
            let places = [
                format!("refs/remotes/pull/{name}"),
                format!("refs/pull/{name}"),
                format!("refs/remotes/origin/pull/{name}"),
            ];
            (places.iter().find_map(|place| commit(call, git, place))?, Kind::Pull(name))
        }
        Some(Kind::Commit) => (commit(call, git, reference)?, Kind::Commit),
        None => match branch(call, reference) {
            Some(commit) => (commit, Kind::Branch(reference.to_owned())),
            None => (tag(call, reference)?, Kind::Tag(reference.to_owned())),
        },
    };
    Some(Target { commit, kind })
}

/// What the default branch of a repository on this machine is: its own `HEAD`, or that of its remote.
///
/// # Errors
/// The repository has no commit.
pub(super) fn default_branch(call: &mut Call<'_>, git: &Git<'_>) -> Result<Target, NativeError> {
    let of_remote = git.ask(call, &["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"]).ok();
    let name = match of_remote {
        Some(name) => name.strip_prefix("refs/remotes/origin/").map(str::to_owned),
        None => git
            .ask(call, &["symbolic-ref", "--quiet", "HEAD"])
            .ok()
            .and_then(|name| name.strip_prefix("refs/heads/").map(str::to_owned)),
    };
    let named = name.and_then(|name| find(call, git, &format!("refs/heads/{name}")));
    let found = named.or_else(|| commit(call, git, "HEAD").map(|commit| Target { commit, kind: Kind::Commit }));
    found.ok_or_else(|| NativeError(format!("The repository in `{}` has no commit yet", git.folder().display())))
}
