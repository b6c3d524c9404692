//! Names, commits and how they hang together.

use super::{Git, GitError, is_object_id, is_ref_name};

/// A commit as GitHub tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) author: (String, String, String),
    pub(crate) committer: (String, String, String),
    pub(crate) message: String,
}

/// Which commits to list. The texts are full object ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log<'a> {
    pub(crate) from: &'a str,
    /// Commits that this one reaches are left out.
    pub(crate) without: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) author: Option<&'a str>,
    pub(crate) since: Option<&'a str>,
    pub(crate) until: Option<&'a str>,
    pub(crate) skip: usize,
    pub(crate) most: usize,
    /// Oldest first, as pull requests and comparisons have them.
    pub(crate) reverse: bool,
}

impl Log<'_> {
    /// The arguments that say which commits are meant, up to the end of a command line.
    fn chosen(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for (option, value) in [("author", self.author), ("since", self.since), ("until", self.until)] {
            arguments.extend(value.map(|value| format!("--{option}={value}")));
        }
        arguments.push("--end-of-options".to_owned());
        arguments.push(self.from.to_owned());
        arguments.extend(self.without.map(|without| format!("^{without}")));
        arguments.push("--".to_owned());
        arguments.extend(self.path.map(str::to_owned));
        arguments
    }
}

const FORMAT: &str = "--format=tformat:%H%x00%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B";
const FIELDS: usize = 10;

impl Git {
    /// The commit that `name` means: an object id (also shortened), a branch, a tag, `heads/…`, `tags/…`, `pull/7/head`,
    /// `refs/…`, `HEAD`. A tag object is followed to its commit.
    pub(crate) fn resolve(&self, name: &str) -> Result<Option<String>, GitError> {
        self.peel(name, "commit")
    }

    /// As [`Git::resolve`], for a commit's tree or the id of a tree.
    pub(crate) fn resolve_tree(&self, name: &str) -> Result<Option<String>, GitError> {
        self.peel(name, "tree")
    }

    fn peel(&self, name: &str, to: &str) -> Result<Option<String>, GitError> {
        if !is_ref_name(name) {
            return Ok(None);
        }
        let hexadecimal = name.len() >= 4 && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut candidates = Vec::new();
        if is_object_id(name) {
            candidates.push(name.to_owned());
        } else if name == "HEAD" {
            candidates.push(format!("refs/heads/{}", self.default_branch));
        } else if name.starts_with("refs/") {
            candidates.push(name.to_owned());
        } else {
            candidates.extend([format!("refs/heads/{name}"), format!("refs/tags/{name}"), format!("refs/{name}")]);
            if hexadecimal {
                candidates.push(name.to_owned());
            }
        }
        let questions: String = candidates.iter().map(|candidate| format!("{candidate}^{{{to}}}\n")).collect();
        let output = self.ask_with(&["cat-file", "--batch-check=%(objectname) %(objecttype)"], questions.as_bytes())?;
        let text = String::from_utf8_lossy(&output);
        let found = text.lines().filter_map(|line| line.split_once(' '));
        Ok(found.into_iter().find(|(id, kind)| is_object_id(id) && *kind == to).map(|(id, _)| id.to_owned()))
    }

    /// The object that a ref of this full name points at, and what it is.
    pub(crate) fn at_ref(&self, full_name: &str) -> Result<Option<(String, String)>, GitError> {
        if !full_name.starts_with("refs/") || !is_ref_name(full_name) {
            return Ok(None);
        }
        Ok(self.refs(full_name)?.into_iter().find(|(name, _, _)| name == full_name).map(|(_, id, kind)| (id, kind)))
    }

    /// Full name, object and its kind of all refs that are `under` this name or below it, sorted by name.
    pub(crate) fn refs(&self, under: &str) -> Result<Vec<(String, String, String)>, GitError> {
        if !is_ref_name(under) {
            return Ok(Vec::new());
        }
        let output = self.ask(&["for-each-ref", "--format=%(refname) %(objectname) %(objecttype)", under])?;
        let text = String::from_utf8_lossy(&output);
        let mut all = Vec::new();
        for line in text.lines() {
            let mut words = line.split(' ').map(str::to_owned);
            if let (Some(name), Some(id), Some(kind)) = (words.next(), words.next(), words.next()) {
                all.push((name, id, kind));
            }
        }
        Ok(all)
    }

    pub(crate) fn commit(&self, id: &str) -> Result<Option<Commit>, GitError> {
        if self.resolve(id)?.as_deref() != Some(id) {
            return Ok(None);
        }
        Ok(self.log(&Log { from: id, most: 1, ..Log::default() })?.pop())
    }

    pub(crate) fn log(&self, log: &Log<'_>) -> Result<Vec<Commit>, GitError> {
        let mut arguments: Vec<String> =
            ["log", "-z", FORMAT, "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--encoding=UTF-8", "--fixed-strings"]
                .map(str::to_owned)
                .into();
        if log.most > 0 {
            arguments.push(format!("--max-count={}", log.most));
        }
        arguments.push(format!("--skip={}", log.skip));
        if log.reverse {
            arguments.extend(["--reverse".to_owned(), "--topo-order".to_owned()]);
        }
        arguments.extend(log.chosen());
        let output = self.ask(&arguments)?;
        let text = String::from_utf8_lossy(&output);
        let fields: Vec<&str> = text.split('\0').collect();
        Ok(fields.chunks_exact(FIELDS).map(commit).collect())
    }

    /// How many commits `log` has on all its pages.
    pub(crate) fn count_of(&self, log: &Log<'_>) -> Result<usize, GitError> {
        let mut arguments = vec!["rev-list".to_owned(), "--count".to_owned(), "--fixed-strings".to_owned()];
        arguments.extend(log.chosen());
        Ok(self.line(&arguments, &[])?.parse().unwrap_or(0))
    }

    /// Commits reached by `from` and not by `without`.
    pub(crate) fn count(&self, from: &str, without: &str) -> Result<u64, GitError> {
        let line = self.line(&["rev-list", "--count", "--end-of-options", from, &format!("^{without}"), "--"], &[])?;
        Ok(line.parse().unwrap_or(0))
    }

    /// Where two commits parted; `None` when they have nothing in common.
    pub(crate) fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        let done = super::run(Some(&self.directory), &["merge-base", one, other], &[], &[])?;
        if done.code == Some(1) {
            return Ok(None);
        }
        Ok(Some(super::first_line(&done.successful()?)).filter(|id| is_object_id(id)))
    }

    pub(crate) fn is_ancestor(&self, old: &str, new: &str) -> Result<bool, GitError> {
        self.holds(&["merge-base", "--is-ancestor", old, new])
    }
}

fn commit(fields: &[&str]) -> Commit {
    let person = |at: usize| (fields[at].to_owned(), fields[at + 1].to_owned(), fields[at + 2].to_owned());
    Commit {
        sha: fields[0].trim_start_matches('\n').to_owned(),
        tree: fields[1].to_owned(),
        parents: fields[2].split_whitespace().map(str::to_owned).collect(),
        author: person(3),
        committer: person(6),
        message: fields[9].trim_end_matches('\n').to_owned(),
    }
}
