//! Reading and making objects and refs. What is made stays in the forge's own repository.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use super::{Git, GitError, is_object_id, is_ref_name, run};

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) id: String,
    /// `blob`, `tree`, `commit`, `tag`.
    pub(crate) kind: String,
    pub(crate) size: u64,
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    /// Of a blob, in bytes.
    pub(crate) size: Option<u64>,
    pub(crate) path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    /// RFC 3339 or `<seconds> <zone>`.
    pub(crate) date: String,
}

#[derive(Clone, Debug)]
pub(crate) struct NewCommit<'a> {
    pub(crate) tree: &'a str,
    pub(crate) parents: &'a [String],
    pub(crate) message: &'a str,
    pub(crate) author: &'a Person,
    pub(crate) committer: &'a Person,
}

/// One path of a new tree: an object to stand there, or none to remove what does.
#[derive(Clone, Debug)]
pub(crate) struct TreeChange {
    pub(crate) path: String,
    pub(crate) object: Option<(String, String)>,
}

impl Git {
    /// What the object of this id is; `None` where there is none.
    pub(crate) fn object(&self, id: &str) -> Result<Option<Object>, GitError> {
        self.described(id)
    }

    /// What stands at `path` in the tree of `commit`. The path is a plain relative one.
    pub(crate) fn at_path(&self, commit: &str, path: &str) -> Result<Option<Object>, GitError> {
        if path.contains('\n') { Ok(None) } else { self.described(&format!("{commit}:{path}")) }
    }

    fn described(&self, name: &str) -> Result<Option<Object>, GitError> {
        if !is_object_id(name.split(':').next().unwrap_or_default()) {
            return Ok(None);
        }
        let question = format!("{name}\n");
        let format = "--batch-check=%(objectname) %(objecttype) %(objectsize)";
        let line = self.line(&["cat-file", format], question.as_bytes())?;
        let words: Vec<&str> = line.split(' ').collect();
        Ok(match words.as_slice() {
            [id, kind, size] if is_object_id(id) => {
                size.parse().ok().map(|size| Object { id: (*id).to_owned(), kind: (*kind).to_owned(), size })
            }
            _ => None,
        })
    }

    pub(crate) fn blob(&self, id: &str) -> Result<Vec<u8>, GitError> {
        self.ask(&["cat-file", "blob", id])
    }

    /// The raw text of a tag object or commit.
    pub(crate) fn raw(&self, kind: &str, id: &str) -> Result<String, GitError> {
        Ok(String::from_utf8_lossy(&self.ask(&["cat-file", kind, id])?).into_owned())
    }

    /// The entries of a tree; with those below, and the folders themselves, when `deep`.
    pub(crate) fn entries(&self, tree: &str, deep: bool) -> Result<Vec<Entry>, GitError> {
        let mut arguments = vec!["ls-tree", "-z", "-l"];
        if deep {
            arguments.extend(["-r", "-t"]);
        }
        arguments.push(tree);
        let output = self.ask(&arguments)?;
        let text = String::from_utf8_lossy(&output);
        let entries = text.split('\0').filter_map(|line| {
            let (about, path) = line.split_once('\t')?;
            let mut words = about.split_whitespace().map(str::to_owned);
            Some(Entry {
                mode: words.next()?,
                kind: words.next()?,
                id: words.next()?,
                size: words.next()?.parse().ok(),
                path: path.to_owned(),
            })
        });
        Ok(entries.collect())
    }

    /// The files of a commit below a folder `prefix`, as `tar.gz` or `zip`.
    pub(crate) fn archive(&self, commit: &str, prefix: &str, format: &str) -> Result<Vec<u8>, GitError> {
        self.ask(&["archive", &format!("--format={format}"), &format!("--prefix={prefix}/"), commit])
    }

    pub(crate) fn write_blob(&self, content: &[u8]) -> Result<String, GitError> {
        self.line(&["hash-object", "-w", "-t", "blob", "--stdin", "--no-filters"], content)
    }

    /// A tree of `base` (or of nothing) with `changes`, which have been checked to be plain paths and known objects.
    ///
    /// # Errors
    /// [`GitError::Failed`] when git refuses a path or an object.
    pub(crate) fn write_tree(&self, base: Option<&str>, changes: &[TreeChange]) -> Result<String, GitError> {
        let mut files = BTreeMap::new();
        if let Some(base) = base {
            self.add_files(&mut files, base, "")?;
        }
        for change in changes {
            let below = format!("{}/", change.path);
            files.retain(|path, _| *path != change.path && !path.starts_with(&below));
            let Some((mode, id)) = &change.object else { continue };
            // A file in the way of a folder goes.
            for (at, _) in change.path.match_indices('/') {
                files.remove(&change.path[..at]);
            }
            if mode == "040000" {
                self.add_files(&mut files, id, &below)?;
            } else {
                files.insert(change.path.clone(), (mode.clone(), id.clone()));
            }
        }
        let fault = |source| GitError::Io { path: self.directory.clone(), source };
        let folder = tempfile::tempdir_in(&self.directory).map_err(fault)?;
        let index = folder.path().join("index");
        let environment: [(&str, &OsStr); 1] = [("GIT_INDEX_FILE", index.as_os_str())];
        let input: String = files.iter().map(|(path, (mode, id))| format!("{mode} {id}\t{path}\0")).collect();
        let update = ["update-index", "-z", "--index-info"];
        run(Some(&self.directory), &update, input.as_bytes(), &environment)?.successful()?;
        let written = run(Some(&self.directory), &["write-tree"], &[], &environment)?.successful()?;
        Ok(super::first_line(&written))
    }

    fn add_files(
        &self,
        files: &mut BTreeMap<String, (String, String)>,
        tree: &str,
        below: &str,
    ) -> Result<(), GitError> {
        let entries = self.entries(tree, true)?.into_iter().filter(|entry| entry.kind != "tree");
        files.extend(entries.map(|entry| (format!("{below}{}", entry.path), (entry.mode, entry.id))));
        Ok(())
    }

    pub(crate) fn write_commit(&self, new: &NewCommit<'_>) -> Result<String, GitError> {
        let mut arguments = vec!["commit-tree".to_owned(), new.tree.to_owned()];
        for parent in new.parents {
            arguments.extend(["-p".to_owned(), parent.clone()]);
        }
        let [author, committer] = [new.author, new.committer].map(|person| [&person.name, &person.email, &person.date]);
        let names = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE"];
        let committers = ["GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE"];
        let mut environment: Vec<(&str, &OsStr)> = Vec::new();
        environment.extend(names.into_iter().zip(author.map(OsStr::new)));
        environment.extend(committers.into_iter().zip(committer.map(OsStr::new)));
        let done = run(Some(&self.directory), &arguments, new.message.as_bytes(), &environment)?;
        Ok(super::first_line(&done.successful()?))
    }

    /// A tag object; `person` is a whole line "name <mail> seconds zone".
    pub(crate) fn write_tag(&self, text: &str) -> Result<String, GitError> {
        self.line(&["hash-object", "-w", "-t", "tag", "--stdin"], text.as_bytes())
    }

    /// Makes or moves a ref. With `old`, only if it is there now (a text of zeros: only if it does not exist).
    ///
    /// # Errors
    /// [`GitError::Failed`] when git refuses.
    pub(crate) fn set_ref(&self, full_name: &str, id: &str, old: Option<&str>) -> Result<(), GitError> {
        debug_assert!(is_ref_name(full_name) && is_object_id(id));
        let mut arguments = vec!["update-ref", full_name, id];
        arguments.extend(old);
        self.ask(&arguments).map(drop)
    }

    pub(crate) fn remove_ref(&self, full_name: &str) -> Result<(), GitError> {
        debug_assert!(is_ref_name(full_name));
        self.ask(&["update-ref", "-d", full_name]).map(drop)
    }

    /// The tree of both merged; `None` when they conflict.
    pub(crate) fn merged_tree(&self, ours: &str, theirs: &str) -> Result<Option<String>, GitError> {
        let arguments = ["merge-tree", "--write-tree", "--allow-unrelated-histories", "--no-messages", ours, theirs];
        let done = run(Some(&self.directory), &arguments, &[], &[])?;
        if done.code == Some(1) {
            return Ok(None);
        }
        Ok(Some(super::first_line(&done.successful()?)))
    }
}
