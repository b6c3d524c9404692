//! Where an event happened that is made here: which reference and commit, and what it is compared with.

use super::changes::Comparison;
use super::checkout::{Checkout, Head, short};
use super::commits::Commit;
use super::known::{Known, Place};
use super::{EventError, EventOptions, git, told};

/// What an event that is made here is about.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) reference: String,
    pub(super) branch: String,
    /// `None` before the first commit and outside a repository.
    pub(super) head: Option<String>,
    pub(super) base_ref: String,
    pub(super) base: Base,
}

/// What the checked-out commit is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The forge's tip of the same branch, or the pull request's target.
    Tip(String),
    /// A branch or tag that the forge does not have yet, made from the default branch, if that is known.
    New(Option<String>),
    /// The commit before, for want of anything better.
    Parent,
}

impl Made {
    pub(super) fn new(
        checkout: &Checkout,
        (name, place, _): Known,
        options: &EventOptions,
        wants_tag: bool,
        default_branch: &str,
        head: Option<String>,
        notes: &mut Vec<String>,
    ) -> Result<Self, EventError> {
        let here = match checkout.branch() {
            Some(branch) => branch.to_owned(),
            None => branch_of_detached(checkout, default_branch, head.as_deref(), notes),
        };
        let reference = match &options.reference {
            Some(given) => Some(told::full(given, checkout)),
            None if wants_tag || place == Place::Release => tag_here(checkout, place, notes)?,
            None => None,
        };
        let is_branch = |reference: &str| reference.strip_prefix("refs/heads/").map(str::to_owned);
        let branch = reference.as_deref().and_then(is_branch).unwrap_or(here);
        let on_default = format!("refs/heads/{default_branch}");
        let own = format!("refs/heads/{branch}");
        let head_text = head.clone().unwrap_or_default();
        let tip = |name: &str| checkout.tip(name).filter(|tip| *tip != head_text);
        let remote = checkout.commit(&format!("refs/remotes/origin/{branch}"));
        let base = match (place, &reference) {
            (Place::PullRequest | Place::PullRequestTarget | Place::MergeGroup, _) if branch == default_branch => {
                notes.push(format!("`{branch}` is the default branch: the pull request is made of its last commits"));
                tip(default_branch).map_or(Base::Parent, Base::Tip)
            }
            (Place::PullRequest | Place::PullRequestTarget | Place::MergeGroup, _) => {
                match checkout.tip(default_branch) {
                    Some(tip) => Base::Tip(tip),
                    None => Base::Parent,
                }
            }
            (_, Some(tag)) if tag.starts_with("refs/tags/") => Base::New(None),
            _ => match remote {
                Some(remote) if remote != head_text => Base::Tip(remote),
                Some(_) => Base::Parent,
                None if checkout.has_remote_branches() => Base::New(tip(default_branch)),
                None => Base::Parent,
            },
        };
        let asked = reference.is_some();
        let reference = match place {
            Place::PullRequest => "refs/pull/1/merge".to_owned(),
            Place::MergeGroup => format!("refs/heads/gh-readonly-queue/{default_branch}/pr-1-{head_text}"),
            Place::PullRequestTarget => on_default,
            Place::DefaultBranch => {
                let reference = reference.unwrap_or(on_default);
                if !asked && branch != default_branch && head.is_some() {
                    notes
                        .push(format!("`{name}` happens on `{default_branch}`, but the files are those of `{branch}`"));
                }
                reference
            }
            Place::Pushed | Place::Chosen | Place::Release | Place::Created | Place::Deployed => {
                reference.unwrap_or(own)
            }
        };
        if head.is_none() {
            notes.push(match checkout.repository {
                Some(_) => "the repository has no commit yet".to_owned(),
                None => "this folder is in no git repository: the event has no commit".to_owned(),
            });
        }
        let base_ref = match place {
            Place::PullRequest | Place::PullRequestTarget | Place::MergeGroup => default_branch.to_owned(),
            _ => String::new(),
        };
        Ok(Self { reference, branch, head, base_ref, base })
    }

    /// What path filters look at: the folder as it is, uncommitted changes included.
    pub(super) fn comparison(&self, checkout: &Checkout, commit: Option<&Commit>) -> Comparison {
        let Some(head) = &self.head else {
            return match checkout.repository {
                Some(_) => Comparison::Everything,
                None => Comparison::Unknown { reason: "this folder is in no git repository".into() },
            };
        };
        match &self.base {
            Base::Tip(base) if self.base_ref.is_empty() => Comparison::Folder { base: base.clone() },
            Base::Tip(base) | Base::New(Some(base)) => Comparison::FolderSinceFork { base: base.clone() },
            Base::New(None) | Base::Parent => match commit.map(|commit| commit.parents.first()) {
                Some(Some(parent)) => Comparison::Folder { base: parent.clone() },
                Some(None) if checkout.is_cut_at(head) => {
                    Comparison::Unknown { reason: "the clone is shallow, and the commit before is not in it".into() }
                }
                Some(None) => Comparison::Folder { base: "0".repeat(head.len()) },
                None => Comparison::Unknown { reason: "git cannot tell the commit before".into() },
            },
        }
    }
}

/// What a detached `HEAD` counts as.
fn branch_of_detached(
    checkout: &Checkout,
    default_branch: &str,
    head: Option<&str>,
    notes: &mut Vec<String>,
) -> String {
    let is_detached = matches!(checkout.repository.as_ref().map(|one| &one.head), Some(Head::Detached(_)));
    let (Some(head), true) = (head, is_detached) else { return default_branch.to_owned() };
    let names = checkout.names_of(head);
    let short_name = |name: &String| {
        let prefixes = ["refs/heads/", "refs/remotes/origin/"];
        prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).map(str::to_owned)
    };
    let branches: Vec<String> = names.iter().filter_map(short_name).collect();
    let found = branches.iter().find(|branch| *branch == default_branch).or(branches.first());
    let branch = found.cloned().unwrap_or_else(|| default_branch.to_owned());
    let why = if found.is_some() { "which is at the same commit" } else { "for want of a branch at this commit" };
    notes.push(format!(
        "no branch is checked out (commit {}): it counts as `{branch}`, {why}; --ref names another",
        short(head)
    ));
    branch
}

/// The tag at the checked-out commit.
fn tag_here(checkout: &Checkout, place: Place, notes: &mut Vec<String>) -> Result<Option<String>, EventError> {
    let arguments = ["tag", "--points-at", "HEAD", "--sort=-version:refname"];
    let output = git::run(&checkout.root, &arguments, &[]).unwrap_or_default();
    let tags = String::from_utf8_lossy(&output).into_owned();
    let mut tags = tags.lines().map(str::trim).filter(|tag| !tag.is_empty());
    match (tags.next(), tags.next()) {
        (Some(tag), None) => Ok(Some(format!("refs/tags/{tag}"))),
        (Some(tag), Some(_)) => {
            notes.push(format!("several tags point at this commit; `{tag}` is taken, --ref names another"));
            Ok(Some(format!("refs/tags/{tag}")))
        }
        (None, _) if place == Place::Release => {
            notes.push("no tag points at this commit; the release is called `v0.0.0`, --ref names a tag".into());
            Ok(Some("refs/tags/v0.0.0".into()))
        }
        (None, _) => Err(EventError::NoTag),
    }
}
