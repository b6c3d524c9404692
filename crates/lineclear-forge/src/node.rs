//! Node ids: the names that GraphQL and the `node_id` of REST objects give to things.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest key that is read: a full name of a ref fits.
const MAX_KEY_LENGTH: usize = 1024;

/// What a [`NodeId`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    Artifact,
    Asset,
    Blob,
    Bot,
    CheckRun,
    CheckSuite,
    Commit,
    CommitComment,
    Deployment,
    DeploymentStatus,
    Discussion,
    Issue,
    IssueComment,
    IssueEvent,
    Label,
    Milestone,
    Organization,
    PullRequest,
    Reaction,
    Ref,
    Release,
    Repository,
    Review,
    ReviewComment,
    ReviewThread,
    Status,
    Tag,
    Tree,
    User,
    Workflow,
    WorkflowRun,
}

/// Each kind with the prefix that GitHub's ids of it have.
const PREFIXES: [(NodeKind, &str); 31] = [
    (NodeKind::Artifact, "WRA"),
    (NodeKind::Asset, "RA"),
    (NodeKind::Blob, "B"),
    (NodeKind::Bot, "BOT"),
    (NodeKind::CheckRun, "CR"),
    (NodeKind::CheckSuite, "CS"),
    (NodeKind::Commit, "C"),
    (NodeKind::CommitComment, "CC"),
    (NodeKind::Deployment, "DE"),
    (NodeKind::DeploymentStatus, "DES"),
    (NodeKind::Discussion, "D"),
    (NodeKind::Issue, "I"),
    (NodeKind::IssueComment, "IC"),
    (NodeKind::IssueEvent, "IE"),
    (NodeKind::Label, "LA"),
    (NodeKind::Milestone, "MI"),
    (NodeKind::Organization, "O"),
    (NodeKind::PullRequest, "PR"),
    (NodeKind::Reaction, "REA"),
    (NodeKind::Ref, "REF"),
    (NodeKind::Release, "RE"),
    (NodeKind::Repository, "R"),
    (NodeKind::Review, "PRR"),
    (NodeKind::ReviewComment, "PRRC"),
    (NodeKind::ReviewThread, "PRRT"),
    (NodeKind::Status, "SC"),
    (NodeKind::Tag, "TA"),
    (NodeKind::Tree, "T"),
    (NodeKind::User, "U"),
    (NodeKind::Workflow, "W"),
    (NodeKind::WorkflowRun, "WFR"),
];

/// A thing of the forge, by what it is and its number or name.
///
/// The text of it begins as GitHub's does (`PR_`, `IC_`, …) and can be read back, so that nothing has to be looked up.
///
/// The key is the number of an issue or pull request, the id of a comment, release, check and the like, the object id of a
/// commit, tree or blob, the full name of a ref, the login of a user, and `owner/name` of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    pub kind: NodeKind,
    pub key: String,
}

impl NodeId {
    pub fn new(kind: NodeKind, number: u64) -> Self {
        Self { kind, key: number.to_string() }
    }

    pub fn named(kind: NodeKind, key: &str) -> Self {
        Self { kind, key: key.to_owned() }
    }

    /// The key as a number; `None` for what is known by a name.
    pub fn number(&self) -> Option<u64> {
        self.key.parse().ok()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = PREFIXES.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, prefix)| prefix);
        write!(f, "{prefix}_{}", URL_SAFE_NO_PAD.encode(&self.key))
    }
}

/// A text that is no node id of this forge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not resolve to a node with the global id of '{0}'")]
pub struct NoNodeId(pub String);

impl FromStr for NodeId {
    type Err = NoNodeId;

    fn from_str(text: &str) -> Result<Self, NoNodeId> {
        read(text).ok_or_else(|| NoNodeId(text.chars().take(100).collect()))
    }
}

fn read(text: &str) -> Option<NodeId> {
    let (prefix, encoded) = text.split_once('_')?;
    let (kind, _) = PREFIXES.iter().find(|(_, known)| *known == prefix)?;
    if encoded.len() > MAX_KEY_LENGTH * 2 {
        return None;
    }
    let key = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()?;
    (!key.is_empty() && key.len() <= MAX_KEY_LENGTH).then_some(NodeId { kind: *kind, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_reads_back_as_what_it_was_made_of() {
        for (kind, prefix) in PREFIXES {
            for id in [NodeId::new(kind, 7), NodeId::named(kind, "refs/heads/ä_b-c")] {
                let text = id.to_string();
                assert!(text.starts_with(&format!("{prefix}_")), "{text}");
                assert_eq!(text.parse(), Ok(id));
            }
        }
        assert_eq!(NodeId::new(NodeKind::PullRequest, 42).number(), Some(42));
        assert_eq!(NodeId::named(NodeKind::User, "octo").number(), None);
    }

    #[test]
    fn a_foreign_text_is_no_node_id() {
        for text in ["", "PR", "PR_", "PR_!!", "XX_Nw", "PR_/w", "MDExOlB1bGxSZXF1ZXN0MQ=="] {
            assert!(text.parse::<NodeId>().is_err(), "{text}");
        }
        assert!(format!("PR_{}", "A".repeat(1 << 20)).parse::<NodeId>().is_err());
    }
}
