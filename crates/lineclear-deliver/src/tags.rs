//! Which tags move, and which stay.

use lineclear_event::{MovePhase, MovedTag, Statement};
use lineclear_gate::{Commits, Index};
use lineclear_oci::{Digest, Tag};

use crate::candidate::tree_of;
use crate::{MoveError, Order, commit_of};

/// A tag that an image is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedTag {
    pub tag: Tag,
    pub keeps: Keeps,
}

/// How a tag behaves once it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// It stands for one digest for ever: versions, commits.
    Digest,
    /// It moves to newer commits, never back: `latest`, branches.
    Forward,
}

/// The commit that a tag of a repository stands for, as far as the ledger knows: that of the move that set it, else that
/// which `digest` was built from.
pub fn at_commit(index: &Index, repository: &str, tag: &str, digest: &str) -> Option<String> {
    let moved = index.entries().iter().rev().find_map(|entry| match &entry.evidence.statement {
        Statement::Move(moved) if moved.phase == MovePhase::Done && moved.repository == repository => {
            let set = |one: &MovedTag| one.tag == tag && one.to == digest && one.stays.is_none();
            moved.tags.iter().any(set).then(|| moved.commit.clone())
        }
        _ => None,
    });
    moved.or_else(|| commit_of(index, digest))
}

/// What becomes of each tag of `order`, whose tags stand for `held` now.
pub(crate) fn plan_tags(
    order: &Order,
    held: &[Option<Digest>],
    index: &Index,
    commits: &dyn Commits,
) -> Result<Vec<MovedTag>, MoveError> {
    let mut planned = Vec::new();
    for (wanted, held) in order.tags.iter().zip(held) {
        let mut moved = MovedTag {
            tag: wanted.tag.to_string(),
            from: held.as_ref().map(Digest::to_string),
            to: order.digest.to_string(),
            stays: None,
        };
        match (held, wanted.keeps) {
            (None, _) => {}
            (Some(held), _) if *held == order.digest => moved.stays = Some("it is there already".to_owned()),
            (Some(held), Keeps::Digest) => {
                return Err(MoveError::Taken {
                    tag: moved.tag,
                    why: format!("it is immutable, and stands for {held}"),
                });
            }
            (Some(held), Keeps::Forward) => {
                let at = at_commit(index, &order.repository.to_string(), &moved.tag, held.as_str());
                moved.stays = stays(index, commits, at.as_deref(), &order.commit);
            }
        }
        planned.push(moved);
    }
    Ok(planned)
}

/// Why a tag that stands at commit `at` does not move to `commit`.
fn stays(index: &Index, commits: &dyn Commits, at: Option<&str>, commit: &str) -> Option<String> {
    let short = |commit: &str| commit.get(..7).unwrap_or(commit).to_owned();
    let Some(at) = at else {
        return Some("nobody knows which commit it stands for, so it could move backwards".to_owned());
    };
    let same = || tree_of(index, commits, at).is_some_and(|tree| tree_of(index, commits, commit) == Some(tree));
    match commits.is_ancestor(at, commit) {
        Some(true) if at != commit => None,
        Some(true) => Some(format!("it has another image of the same commit {} already", short(at))),
        _ if same() => Some(format!("it has an image of the same contents, from {}", short(at))),
        Some(false) if commits.is_ancestor(commit, at) == Some(true) => {
            Some(format!("it stands for {}, which is newer", short(at)))
        }
        Some(false) => Some(format!("it stands for {}, which is not an ancestor of {}", short(at), short(commit))),
        None => Some(format!("it stands for {}, which is not known here", short(at))),
    }
}
