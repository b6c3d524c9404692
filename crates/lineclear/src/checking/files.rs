//! The files around those that are checked, as the checker sees them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use lineclear_catalog::Advisories;
use lineclear_check::linter::{Remark, Snippet};
use lineclear_check::{Files, Locked};
use lineclear_fetch::{LOCK_FILE, Lock};
use lineclear_policy::{Date, Policy, day_of};
use lineclear_runner::ActionSource;
use lineclear_source::Source;

use super::tools::Tools;
use crate::session::actions::{ActionFiles, FetchArgs};
use crate::{output, policy_file};

/// Folders whose files are others'.
const FOREIGN: [&str; 7] = [".git", "node_modules", ".venv", "venv", "target", "vendor", "__pycache__"];
/// A file that is larger is nothing that a rule has to look into.
const LARGEST: u64 = 4 << 20;
/// Folders inside each other, against links that lead in circles.
const DEEPEST: usize = 32;

/// One repository on this machine.
#[derive(Debug)]
pub(crate) struct Around {
    root: PathBuf,
    /// Whether git servers may be asked.
    online: bool,
    lock: OnceLock<Lock>,
    actions: OnceLock<Option<ActionFiles>>,
    advisories: OnceLock<Advisories>,
    /// None where no other program may be started.
    tools: Option<Tools>,
}

impl Around {
    pub(crate) fn new(root: PathBuf, online: bool) -> Self {
        Self { root, online, lock: OnceLock::new(), actions: OnceLock::new(), advisories: OnceLock::new(), tools: None }
    }

    /// The same, with `shellcheck` and `python3` asked about scripts if they are installed.
    pub(crate) fn with_tools(mut self) -> Self {
        self.tools = Some(Tools::default());
        self
    }

    fn lock(&self) -> &Lock {
        // A damaged lock is told by `run`; here it is no lock.
        self.lock.get_or_init(|| Lock::read(&self.root.join(LOCK_FILE)).unwrap_or_default())
    }

    /// What was fetched before, or is in `LINECLEAR_ACTIONS_DIR`; with `--online` also what servers have.
    fn actions(&self) -> Option<&ActionFiles> {
        let make = || {
            let has_some = self.online
                || std::env::var_os("LINECLEAR_ACTIONS_DIR").is_some_and(|folder| !folder.is_empty())
                || self.root.join(LOCK_FILE).exists();
            let args = FetchArgs { offline: !self.online, ..FetchArgs::default() };
            has_some.then(|| ActionFiles::new(self.root.clone(), &args))
        };
        self.actions.get_or_init(make).as_ref()
    }

    /// What comes with the program, and what `advisories` of `lineclear.toml` names.
    fn read_advisories(&self) -> Advisories {
        let mut advisories = Advisories::built_in();
        let policy = policy_file::bytes_of(&self.root.join(policy_file::NAME), policy_file::NAME).ok().flatten();
        let policy = policy.and_then(|bytes| String::from_utf8(bytes).ok());
        let policy = policy.map(|text| Policy::read(&Source::new(policy_file::NAME, text)).0);
        let Some(place) = policy.and_then(|policy| policy.check.advisories) else { return advisories };
        let place = self.root.join(place.value);
        let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
        let files: Vec<PathBuf> = match std::fs::read_dir(&place) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).filter(is_json).collect(),
            Err(_) => vec![place],
        };
        for file in files {
            let imported = std::fs::read_to_string(&file).map_err(|error| error.to_string());
            let imported = imported.and_then(|text| advisories.import_osv(&text).map_err(|error| error.to_string()));
            if let Err(error) = imported {
                output::complain(&format!("note: the advisories of `{}` are not used: {error}", file.display()));
            }
        }
        advisories
    }

    fn inside(&self, path: &str) -> Option<PathBuf> {
        let escapes = path.split(['/', '\\']).any(|part| part == "..") || Path::new(path).is_absolute();
        (!escapes).then(|| self.root.join(path))
    }
}

impl Files for Around {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let Some(place) = self.inside(path) else { return Ok(None) };
        match std::fs::metadata(&place) {
            Ok(metadata) if metadata.is_file() && metadata.len() <= LARGEST => {
                std::fs::read(&place).map(Some).map_err(|error| format!("`{path}` cannot be read: {error}"))
            }
            Ok(metadata) if metadata.is_file() => Err(format!("`{path}` has {} bytes", metadata.len())),
            _ => Ok(None),
        }
    }

    fn today(&self) -> Option<Date> {
        Some(day_of(crate::settings::now().0))
    }

    fn exists(&self, path: &str) -> bool {
        self.inside(path).is_some_and(|place| place.exists())
    }

    fn list(&self) -> Vec<String> {
        listed(&self.root)
    }

    fn remote(&self, uses: &str) -> Option<String> {
        let (name, reference) = uses.rsplit_once('@')?;
        let mut parts = name.splitn(3, '/');
        let (owner, repo, path) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        let folder = self.actions()?.fetch(owner, repo, reference).ok()?.folder.join(path);
        let candidates = [folder.join("action.yml"), folder.join("action.yaml"), folder];
        candidates.iter().filter(|file| file.is_file()).find_map(|file| std::fs::read_to_string(file).ok())
    }

    fn advisories(&self) -> &Advisories {
        self.advisories.get_or_init(|| self.read_advisories())
    }

    fn locked(&self, repository: &str, reference: &str) -> Option<Locked> {
        let entry = self.lock().entries.get(&format!("{}@{reference}", repository.to_ascii_lowercase()))?;
        Some(Locked { commit: entry.commit.clone(), reference: reference.to_owned() })
    }

    fn resolve(&self, repository: &str, reference: &str) -> Option<Locked> {
        let (owner, repo) = repository.split_once('/').filter(|_| self.online)?;
        let commit = self.actions()?.fetch(owner, repo, reference).ok()?.sha?;
        Some(Locked { commit, reference: reference.to_owned() })
    }

    fn lint_shell(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        self.tools.as_ref()?.lint_shell(snippets)
    }

    fn lint_python(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        self.tools.as_ref()?.lint_python(snippets)
    }

    fn own_name(&self) -> Option<String> {
        let config = std::fs::read_to_string(self.root.join(".git/config")).ok()?;
        let (_, section) = config.split_once("[remote \"origin\"]")?;
        let lines = section.lines().skip(1).take_while(|line| !line.trim_start().starts_with('['));
        let url =
            lines.filter_map(|line| line.trim().strip_prefix("url")?.trim_start().strip_prefix('=')).next()?.trim();
        let url = url.strip_suffix(".git").unwrap_or(url);
        let mut parts = url.rsplit(['/', ':']);
        let (repo, owner) = (parts.next()?, parts.next()?);
        (!owner.is_empty() && !repo.is_empty()).then(|| format!("{owner}/{repo}"))
    }
}

/// The files below `folder`, sorted, with forward slashes: those that git would keep, or all but other people's.
pub(super) fn listed(folder: &Path) -> Vec<String> {
    let mut names = by_git(folder).unwrap_or_default();
    if names.is_empty() {
        walk(folder, "", 0, &mut names);
    }
    names.sort();
    names.dedup();
    names
}

fn by_git(folder: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let names = output.stdout.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    // Files that are staged and gone are no files.
    let names = names.filter_map(|name| String::from_utf8(name.to_vec()).ok());
    Some(names.filter(|name| folder.join(name).is_file()).collect())
}

fn walk(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) {
    if depth > DEEPEST {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if !FOREIGN.contains(&name.as_str()) {
                walk(&entry.path(), &format!("{prefix}{name}/"), depth + 1, names);
            }
        } else if kind.is_file() || entry.path().is_file() {
            names.push(format!("{prefix}{name}"));
        }
    }
}
