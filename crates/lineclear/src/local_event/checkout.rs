//! The folder that is worked in, and where its repository stands: read from git's own files.

use std::fs;
use std::path::{Path, PathBuf};

use lineclear_event::ForgeEvent;

use super::config::Config;
use super::git;

/// A folder with workflows, and the git repository that it is in, if it is in one.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// The folder whose `.github/workflows` count: jobs see it as their repository.
    pub(crate) root: PathBuf,
    pub(super) repository: Option<Repository>,
    pub(super) config: Config,
}

/// A git repository's own files.
#[derive(Debug)]
pub(super) struct Repository {
    /// Of this working tree: `HEAD` is here.
    git_dir: PathBuf,
    /// Of all working trees: branches and tags are here.
    common_dir: PathBuf,
    pub(super) head: Head,
    /// `packed-refs` as it is: a commit, a blank and a name on each line. Few names are looked up, and there may be many.
    packed: String,
}

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// A branch by its full name, which may have no commit yet.
    Branch(String),
    Detached(String),
}

impl Checkout {
    /// The nearest folder from `start` upwards that has workflows or is a repository's top; otherwise `start` itself.
    ///
    /// A folder with a `.github/workflows` of its own stands for itself, also inside a larger repository.
    pub(crate) fn find(start: &Path) -> Self {
        let start = std::path::absolute(start).unwrap_or_else(|_| start.to_path_buf());
        let is_root = |folder: &&Path| folder.join(".github/workflows").is_dir() || folder.join(".git").exists();
        let root = start.ancestors().find(is_root).unwrap_or(&start).to_path_buf();
        let repository = root.ancestors().find_map(Repository::open);
        let config = Config::read(repository.as_ref().map(|repository| repository.common_dir.as_path()));
        Self { root, repository, config }
    }

    /// Whether the folder is in a git repository or has workflows.
    pub(crate) fn is_something(&self) -> bool {
        self.repository.is_some() || self.root.join(".github/workflows").is_dir()
    }

    /// The git directory of the repository that the folder is in.
    pub(crate) fn git_dir(&self) -> Option<&Path> {
        self.repository.as_ref().map(|repository| repository.git_dir.as_path())
    }

    /// The branch that is checked out, in full.
    pub(crate) fn branch_reference(&self) -> Option<String> {
        self.branch().map(|branch| format!("refs/heads/{branch}"))
    }

    /// The default branch, in full.
    pub(crate) fn default_reference(&self) -> String {
        format!("refs/heads/{}", self.default_branch())
    }

    /// The commit that is checked out; `None` outside a repository and before the first commit.
    pub(crate) fn head_commit(&self) -> Option<String> {
        let repository = self.repository.as_ref()?;
        match &repository.head {
            Head::Branch(name) => repository.commit(name),
            Head::Detached(commit) => Some(commit.clone()),
        }
    }

    /// The branch that is checked out, by its short name.
    pub(super) fn branch(&self) -> Option<&str> {
        match &self.repository.as_ref()?.head {
            Head::Branch(name) => name.strip_prefix("refs/heads/"),
            Head::Detached(_) => None,
        }
    }

    /// What a reference points at: for an annotated tag the tag itself.
    pub(super) fn commit(&self, reference: &str) -> Option<String> {
        self.repository.as_ref()?.commit(reference)
    }

    /// The tip of a branch as its forge has it, or as it is here.
    pub(super) fn tip(&self, branch: &str) -> Option<String> {
        let remote = self.commit(&format!("refs/remotes/origin/{branch}"));
        remote.or_else(|| self.commit(&format!("refs/heads/{branch}")))
    }

    /// The last commit of the default branch, once `event` has happened. `is_told`: by a payload, which may be of something long past.
    pub(crate) fn default_tip(&self, event: &ForgeEvent, is_told: bool) -> String {
        let branch = event.repository.default_branch.as_str();
        if !is_told && event.reference.strip_prefix("refs/heads/") == Some(branch) {
            return event.sha.clone();
        }
        let here = if self.branch() == Some(branch) { self.head_commit() } else { None };
        here.or_else(|| self.tip(branch)).unwrap_or_else(|| event.sha.clone())
    }

    /// Whether anything is known of the forge's branches.
    pub(super) fn has_remote_branches(&self) -> bool {
        let Some(repository) = &self.repository else { return false };
        let loose = fs::read_dir(repository.common_dir.join("refs/remotes/origin"));
        loose.is_ok_and(|mut entries| entries.next().is_some()) || repository.packed.contains(" refs/remotes/origin/")
    }

    /// Whether history ends at `commit` only because the clone is shallow.
    pub(super) fn is_cut_at(&self, commit: &str) -> bool {
        let shallow = self.repository.as_ref().and_then(|one| fs::read_to_string(one.common_dir.join("shallow")).ok());
        shallow.is_some_and(|list| list.lines().any(|line| line.trim() == commit))
    }

    /// The default branch: what the forge says, else `init.defaultBranch` or a usual name if there is such a branch.
    pub(crate) fn default_branch(&self) -> String {
        let said = self.repository.as_ref().and_then(|repository| {
            let text = fs::read_to_string(repository.common_dir.join("refs/remotes/origin/HEAD")).ok()?;
            text.trim().strip_prefix("ref: refs/remotes/origin/").map(str::to_owned)
        });
        if let Some(branch) = said {
            return branch;
        }
        let configured = self.config.get("init", "defaultbranch");
        let usual = configured.into_iter().chain(["main", "master"]);
        let present = usual.into_iter().find(|branch| self.tip(branch).is_some());
        present.or(self.branch()).or(configured).unwrap_or("main").to_owned()
    }

    /// Branches, and then tags, whose tip is `commit`; annotated tags only where they are packed.
    pub(super) fn names_of(&self, commit: &str) -> Vec<String> {
        let Some(repository) = &self.repository else { return Vec::new() };
        let mut names = Vec::new();
        for (folder, prefix) in [("refs/heads", "refs/heads/"), ("refs/remotes/origin", "refs/remotes/origin/")] {
            let mut here = Vec::new();
            loose_names(&repository.common_dir.join(folder), prefix, 0, &mut here);
            let packed = repository.packed.lines().filter_map(|line| line.strip_prefix(commit)?.strip_prefix(' '));
            here.extend(packed.filter(|name| name.starts_with(prefix)).map(str::to_owned));
            here.sort();
            here.dedup();
            here.retain(|name| !name.ends_with("/HEAD") && repository.commit(name).as_deref() == Some(commit));
            names.extend(here);
        }
        names
    }
}

impl Repository {
    fn open(folder: &Path) -> Option<Self> {
        let entry = folder.join(".git");
        let git_dir = if entry.is_dir() {
            entry
        } else {
            // A further working tree or a submodule: a file that says where the repository is.
            let text = fs::read_to_string(&entry).ok()?;
            folder.join(text.strip_prefix("gitdir:")?.trim())
        };
        let head = fs::read_to_string(git_dir.join("HEAD")).ok()?;
        let common_dir = match fs::read_to_string(git_dir.join("commondir")) {
            Ok(path) => git_dir.join(path.trim()),
            Err(_) => git_dir.clone(),
        };
        if common_dir.join("reftable").is_dir() {
            return Self::ask(folder, git_dir, common_dir);
        }
        let head = match head.trim().strip_prefix("ref:") {
            Some(name) => Head::Branch(name.trim().to_owned()),
            None => Head::Detached(head.trim().to_owned()),
        };
        let packed = fs::read_to_string(common_dir.join("packed-refs")).unwrap_or_default();
        Some(Self { git_dir, common_dir, head, packed })
    }

    /// A repository whose references are in a form that only git reads.
    fn ask(folder: &Path, git_dir: PathBuf, common_dir: PathBuf) -> Option<Self> {
        let list = git::run(folder, &["for-each-ref", "--format=%(objectname) %(refname)"], &[]).ok()?;
        let packed = String::from_utf8_lossy(&list).into_owned();
        let line = |output: Vec<u8>| String::from_utf8_lossy(&output).trim().to_owned();
        let head = match git::run(folder, &["symbolic-ref", "--quiet", "HEAD"], &[]) {
            Ok(name) => Head::Branch(line(name)),
            Err(_) => Head::Detached(line(git::run(folder, &["rev-parse", "--verify", "HEAD"], &[]).ok()?)),
        };
        Some(Self { git_dir, common_dir, head, packed })
    }

    /// Follows symbolic references, a few of them.
    fn commit(&self, reference: &str) -> Option<String> {
        let mut name = reference.to_owned();
        for _ in 0..5 {
            // A name that leads out of the folder is no reference.
            if name.split('/').any(|part| part.is_empty() || part == "..") {
                return None;
            }
            let loose =
                [&self.git_dir, &self.common_dir].iter().find_map(|dir| fs::read_to_string(dir.join(&name)).ok());
            match loose {
                Some(text) => match text.trim().strip_prefix("ref:") {
                    Some(next) => name = next.trim().to_owned(),
                    None => return Some(text.trim().to_owned()).filter(|text| is_object_id(text)),
                },
                None => return self.packed_commit(&name),
            }
        }
        None
    }

    fn packed_commit(&self, name: &str) -> Option<String> {
        let at = self.packed.find(&format!(" {name}\n"))?;
        let line = self.packed.get(..at)?.rsplit('\n').next()?;
        is_object_id(line).then(|| line.to_owned())
    }
}

/// Names of the files below `folder`, as references.
fn loose_names(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if entry.path().is_dir() {
            if depth < 16 {
                loose_names(&entry.path(), &format!("{prefix}{name}/"), depth + 1, names);
            }
        } else {
            names.push(format!("{prefix}{name}"));
        }
    }
}

/// Whether `text` is a full object id, SHA-1 or SHA-256.
pub(super) fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The first seven digits.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// Whether `commit` is the id that stands for none.
pub(super) fn is_zero(commit: &str) -> bool {
    !commit.is_empty() && commit.bytes().all(|byte| byte == b'0')
}
