//! Whether what ran was exactly the contents of a commit.
//!
//! A workspace is a copy of the working tree as it is, with what is not committed and without what is ignored. So it is the commit's tree
//! if git sees nothing that differs. Workflow files are compared byte by byte with the commit's, since they may come from elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

mod converted;

use lineclear_engine::RunRequest;
use lineclear_event::{CommitStatement, RunId};

use crate::command::run::RunArgs;
use crate::history::commits::{is_commit, short};
use crate::local_event::git_says;

/// So many files that differ are named.
const NAMED_FILES: usize = 3;

/// What is found out of a commit and of what ran, on a thread of its own until somebody asks.
pub(crate) struct Inspection {
    root: PathBuf,
    head: Mutex<Head>,
    /// Actions that stood in for those that the workflows name.
    overridden: Arc<Mutex<BTreeSet<String>>>,
    sha: String,
    /// The runs that the event itself started.
    first: BTreeSet<RunId>,
}

#[derive(Default)]
struct Head {
    working: Option<JoinHandle<Found>>,
    found: Found,
}

#[derive(Clone, Default)]
struct Found {
    commit: Option<CommitStatement>,
    /// What is checked out.
    checked_out: String,
    adjusted: BTreeSet<String>,
}

/// What is asked about.
struct Question {
    root: PathBuf,
    sha: String,
    files: Vec<(String, Arc<str>)>,
    reference: Option<String>,
}

impl Inspection {
    /// Begins to look at what `requests` run in `root`.
    pub(crate) fn begin(
        root: &Path,
        sha: &str,
        requests: &[&RunRequest],
        args: &RunArgs,
        overridden: Arc<Mutex<BTreeSet<String>>>,
    ) -> Self {
        let mut files: Vec<(String, Arc<str>)> = requests.iter().flat_map(|request| own_files(request)).collect();
        files.sort();
        files.dedup();
        let reference = args.reference.as_ref().and_then(|_| requests.first().map(|one| one.event.reference.clone()));
        let question = Question { root: root.to_owned(), sha: sha.to_owned(), files, reference };
        let asked = asked_for(args, requests);
        let working = std::thread::Builder::new().name("inspect".into()).spawn(move || {
            let mut found = look(&question);
            found.adjusted.extend(asked);
            found
        });
        let head = match working {
            Ok(working) => Head { working: Some(working), found: Found::default() },
            Err(error) => {
                let adjusted = BTreeSet::from([format!("nobody could look at the working tree: {error}")]);
                Head { working: None, found: Found { adjusted, ..Found::default() } }
            }
        };
        let first = requests.iter().map(|request| request.run).collect();
        Self { root: root.to_owned(), head: Mutex::new(head), overridden, sha: sha.to_owned(), first }
    }

    /// What the files of a run that came later have that the commit has not.
    pub(crate) fn also(&self, request: &RunRequest) -> Vec<String> {
        if self.first.contains(&request.run) {
            return Vec::new();
        }
        own_files(request).filter_map(|(name, text)| differs(&self.root, &self.sha, &name, &text)).collect()
    }

    /// The commit's tree and parents, if git knows it.
    pub(crate) fn commit(&self) -> Option<CommitStatement> {
        self.head().found.commit.clone()
    }

    /// What was not as the commit says, as far as it is known now.
    pub(crate) fn adjusted(&self) -> Vec<String> {
        let mut adjusted = self.head().found.adjusted.clone();
        let overridden = self.overridden.lock().unwrap_or_else(PoisonError::into_inner);
        adjusted.extend(overridden.iter().map(|action| format!("{action} from LINECLEAR_ACTIONS_DIR")));
        adjusted.into_iter().collect()
    }

    /// [`Inspection::adjusted`], after another look at the working tree: who edits while a job runs may have changed what it saw.
    pub(crate) fn look_again(&self) -> Vec<String> {
        let mut head = self.head();
        if head.found.adjusted.is_empty() {
            let expected = head.found.checked_out.clone();
            let differs = status(&self.root, Some(&expected));
            head.found.adjusted.extend(differs);
        }
        drop(head);
        self.adjusted()
    }

    fn head(&self) -> MutexGuard<'_, Head> {
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(working) = head.working.take() {
            head.found = working.join().unwrap_or_else(|_| Found {
                adjusted: BTreeSet::from(["nobody could look at the working tree".to_owned()]),
                ..Found::default()
            });
        }
        head
    }
}

/// What the command line changes of a run.
fn asked_for(args: &RunArgs, requests: &[&RunRequest]) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    let flags = [
        ("--env", !args.env.is_empty()),
        ("--env-file", args.env_file.is_some()),
        ("--in-place", args.in_place),
        ("--changed", !args.changed.is_empty()),
        ("--pause-on-failure", args.pause_on_failure),
        ("--skip-needs", requests.iter().any(|one| !one.selection.given.is_empty())),
    ];
    asked.extend(flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| (*flag).to_owned()));
    for (axis, value) in requests.iter().flat_map(|one| &one.selection.matrix) {
        asked.insert(format!("--matrix {axis}:{value}"));
    }
    asked
}

fn look(question: &Question) -> Found {
    let Question { root, sha, files, reference } = question;
    let mut found = Found { commit: commit(root, sha), ..Found::default() };
    let adjusted = &mut found.adjusted;
    let Some(stated) = &found.commit else {
        adjusted.insert(format!("commit {} is not in this repository", short(sha)));
        return found;
    };
    if !root.join(".git").exists() {
        adjusted.insert("a folder of the repository, not the whole".to_owned());
    }
    let line = |arguments: &[&str]| {
        let output = git_says(root, arguments, &[]).ok()?;
        Some(String::from_utf8_lossy(&output).trim().to_owned())
    };
    found.checked_out = line(&["rev-parse", "--verify", "--quiet", "HEAD"]).unwrap_or_default();
    if found.checked_out != *sha
        && line(&["rev-parse", "--verify", "--quiet", "HEAD^{tree}"]).as_ref() != Some(&stated.tree)
    {
        adjusted.insert(format!("what is checked out is {}, with other contents", short(&found.checked_out)));
    }
    adjusted.extend(status(root, None));
    adjusted.extend(hidden(root));
    adjusted.extend(filtered(root));
    adjusted.extend(converted::converted(root));
    adjusted.extend(files.iter().filter_map(|(name, text)| differs(root, sha, name, text)));
    if let Some(reference) = reference
        && !points_at(root, reference, sha)
    {
        adjusted.insert(format!("--ref {reference}, which is not at this commit"));
    }
    found
}

/// The files of a run that are of this repository.
fn own_files(request: &RunRequest) -> impl Iterator<Item = (String, Arc<str>)> {
    let own = request.files.iter().filter(|(name, _)| **name == request.file || !name.contains('@'));
    own.map(|(name, text)| (name.clone(), Arc::clone(text)))
}

/// How a workflow file is other than the commit has it.
fn differs(root: &Path, sha: &str, name: &str, text: &str) -> Option<String> {
    let path = name.trim_start_matches("./");
    let own = git_says(root, &["cat-file", "blob", &format!("{sha}:{path}")], &[]);
    if !own.is_ok_and(|own| own == text.as_bytes()) {
        return Some(format!("{path} is not as in the commit"));
    }
    (!is_workflow_file(path)).then(|| format!("{path} is no workflow of the repository"))
}

/// Tree and parents, as git has them.
pub(crate) fn commit(root: &Path, sha: &str) -> Option<CommitStatement> {
    if !is_commit(sha) {
        return None;
    }
    let output = git_says(root, &["log", "--max-count=1", "--format=%T %P", sha], &[]).ok()?;
    let output = String::from_utf8_lossy(&output).into_owned();
    let mut words = output.split_whitespace().map(str::to_owned);
    Some(CommitStatement { tree: words.next()?, parents: words.collect() })
}

/// What differs from what is checked out; with `expected`, also that something else is checked out now.
fn status(root: &Path, expected: Option<&str>) -> Option<String> {
    let arguments = [
        "status",
        "--porcelain=v2",
        "--branch",
        "--untracked-files=normal",
        "--ignore-submodules=none",
        "--no-renames",
        "-z",
    ];
    let output = match git_says(root, &arguments, &[]) {
        Ok(output) => output,
        Err(complaint) => return Some(format!("git cannot say whether something is not committed: {complaint}")),
    };
    let output = String::from_utf8_lossy(&output).into_owned();
    let mut changed = Vec::new();
    for entry in output.split('\0').filter(|entry| !entry.is_empty()) {
        if let Some(oid) = entry.strip_prefix("# branch.oid ") {
            if expected.is_some_and(|expected| expected != oid) {
                return Some(format!("{} was checked out meanwhile", short(oid)));
            }
        } else if !entry.starts_with('#') {
            changed.push(path_of(entry));
        }
    }
    if changed.is_empty() {
        return None;
    }
    let more = match changed.len().saturating_sub(NAMED_FILES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = changed.get(..NAMED_FILES.min(changed.len())).unwrap_or_default().join(", ");
    Some(format!("changes that no commit has: {named}{more}"))
}

/// The path at the end of a line of `git status`.
fn path_of(entry: &str) -> String {
    let fields = match entry.as_bytes().first() {
        Some(b'1') => 8,
        Some(b'u') => 10,
        _ => 1,
    };
    entry.splitn(fields + 1, ' ').last().unwrap_or(entry).to_owned()
}

/// Files that git was told not to look at.
fn hidden(root: &Path) -> Option<String> {
    let Ok(output) = git_says(root, &["ls-files", "-v", "-z"], &[]) else {
        return Some("git cannot list the files".to_owned());
    };
    let is_hidden = |entry: &&[u8]| entry.first().is_some_and(|tag| tag.is_ascii_lowercase() || *tag == b'S');
    let count = output.split(|byte| *byte == 0).filter(is_hidden).count();
    (count > 0).then(|| format!("{count} files that git was told to leave out of account"))
}

/// Files that git compares by what a program of its settings makes of them: what lies there may be something else. Only Git LFS is known to
/// stand for the contents.
fn filtered(root: &Path) -> Option<String> {
    // Nothing is found where there is no filter, and git then ends with 1.
    let settings = git_says(root, &["config", "--null", "--get-regexp", r"^filter\..*\.(clean|process)$"], &[]).ok()?;
    for setting in String::from_utf8_lossy(&settings).split('\0') {
        let Some((key, program)) = setting.split_once('\n') else { continue };
        let Some((name, _)) = key.strip_prefix("filter.").and_then(|key| key.rsplit_once('.')) else { continue };
        // Word for word: the shell would go on after a semicolon.
        let is_lfs = ["git-lfs clean -- %f", "git-lfs filter-process"].contains(&program);
        if program.is_empty() || name == "lfs" && is_lfs {
            continue;
        }
        let with_filter = format!(":(top,attr:filter={name})");
        // A name that cannot be asked for is not one that may be trusted.
        let named = git_says(root, &["ls-files", "-z", "--", &with_filter], &[]);
        if !named.is_ok_and(|files| files.is_empty()) {
            return Some(format!("files that git's filter `{name}` changes"));
        }
    }
    None
}

fn is_workflow_file(path: &str) -> bool {
    path.strip_prefix(".github/workflows/").is_some_and(|name| !name.contains('/'))
}

/// Whether a branch or tag, here or as the forge last had it, stands at this commit.
fn points_at(root: &Path, reference: &str, sha: &str) -> bool {
    let remote = reference.strip_prefix("refs/heads/").map(|branch| format!("refs/remotes/origin/{branch}"));
    std::iter::once(reference.to_owned()).chain(remote).any(|name| {
        let wanted = format!("{name}^{{commit}}");
        git_says(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], &[])
            .is_ok_and(|output| String::from_utf8_lossy(&output).lines().any(|line| line.trim() == sha))
    })
}
