//! Commits as git tells of them, and as a payload has them.

use serde_json::{Value, json};

/// One commit, with what a payload says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) tree: String,
    pub(super) parents: Vec<String>,
    pub(super) author: Person,
    pub(super) committer: Person,
    /// Of the committer, as GitHub writes it: `2026-01-31T12:00:00+01:00`.
    pub(super) time: String,
    pub(super) message: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
}

/// Fields of one commit for `git log -z`, each ended by a zero byte; the list's own separator ends the message.
pub(super) const FORMAT: &str = "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%cn%x00%ce%x00%cI%x00%B";

const FIELDS: usize = 9;

/// Reads what git printed by [`FORMAT`], newest first.
pub(super) fn read(output: &[u8]) -> Vec<Commit> {
    let text = String::from_utf8_lossy(output);
    let fields: Vec<&str> = text.split('\0').collect();
    fields.chunks_exact(FIELDS).filter_map(Commit::of).collect()
}

impl Commit {
    fn of(fields: &[&str]) -> Option<Self> {
        let &[id, tree, parents, author, author_email, committer, committer_email, time, message] = fields else {
            return None;
        };
        let person = |name: &str, email: &str| Person { name: name.to_owned(), email: email.to_owned() };
        Some(Self {
            id: id.to_owned(),
            tree: tree.to_owned(),
            parents: parents.split_whitespace().map(str::to_owned).collect(),
            author: person(author, author_email),
            committer: person(committer, committer_email),
            time: time.to_owned(),
            message: message.trim_end_matches('\n').to_owned(),
        })
    }

    pub(super) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// Everything after the subject.
    pub(super) fn body(&self) -> &str {
        self.message.split_once('\n').map_or("", |(_, body)| body.trim())
    }

    /// As an entry of a push's `commits`; `repository` is the address of its page.
    pub(super) fn to_json(&self, repository: &str) -> Value {
        let person = |person: &Person| json!({ "name": person.name, "email": person.email });
        json!({
            "author": person(&self.author),
            "committer": person(&self.committer),
            "distinct": true,
            "id": self.id,
            "message": self.message,
            "timestamp": self.time,
            "tree_id": self.tree,
            "url": format!("{repository}/commit/{}", self.id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_read_from_git_log() {
        let output = b"id1\0tree\0p1 p2\0Mona\0m@x\0Hub\0h@x\x002026-01-31T12:00:00+01:00\0Fix it\n\nWhy\n\0id2\0t\0\0a\0b\0c\0d\0e\0\0";
        let commits = read(output);
        assert_eq!(commits.len(), 2);
        assert_eq!((commits[0].subject(), commits[0].body(), commits[0].parents.len()), ("Fix it", "Why", 2));
        assert_eq!((commits[1].id.as_str(), commits[1].message.as_str()), ("id2", ""));
    }
}
