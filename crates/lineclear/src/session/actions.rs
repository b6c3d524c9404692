//! Where actions and called workflows come from that are neither local nor built in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use clap::Args;
use lineclear_event::with_causes;
use lineclear_fetch::{FetchSettings, Fetcher, LOCK_FILE, Lock, LockChange, LockMode, Server, Token, Wanted};
use lineclear_plan::Files;
use lineclear_runner::{ActionSource, FetchedAction};
use lineclear_source::Source;
use lineclear_workflow::{JobKind, StepKind, Workflow, WorkflowRef};

/// How actions of other repositories are fetched.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FetchArgs {
    /// Ask no server for actions and called workflows: what is locked or was fetched before has to do.
    #[arg(long, env = "LINECLEAR_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) offline: bool,

    /// Refuse actions that lineclear.lock does not have, as continuous integration should.
    #[arg(long, conflicts_with = "update_lock")]
    pub(crate) frozen: bool,

    /// Accept tags and branches of actions that point to another commit than lineclear.lock says, and write it down.
    #[arg(long)]
    pub(crate) update_lock: bool,
}

/// A folder that holds `owner/repo@ref/` (`LINECLEAR_ACTIONS_DIR`), then what git fetches.
#[derive(Debug)]
pub(crate) struct ActionFiles {
    folder: Option<PathBuf>,
    repository_root: PathBuf,
    args: FetchArgs,
    /// Made when something has to be fetched: most workflows are content with what is built in.
    fetcher: OnceLock<Result<Fetcher, String>>,
    notes: Mutex<BTreeSet<String>>,
    /// What the workflows of this command name: what it pulls in is written into the lock.
    wanted: Mutex<BTreeSet<Wanted>>,
    /// What was taken from the folder instead of where the workflows say.
    overridden: Arc<Mutex<BTreeSet<String>>>,
}

impl ActionFiles {
    pub(crate) fn new(repository_root: PathBuf, args: &FetchArgs) -> Self {
        let folder = std::env::var_os("LINECLEAR_ACTIONS_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
        // Steps work in other folders, so a relative path is made absolute here.
        let folder = folder.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
        Self {
            folder,
            repository_root,
            args: args.clone(),
            fetcher: OnceLock::new(),
            notes: Mutex::default(),
            wanted: Mutex::default(),
            overridden: Arc::default(),
        }
    }

    /// What is taken from `LINECLEAR_ACTIONS_DIR`, as `owner/repo@ref`; it grows while jobs run.
    pub(crate) fn overridden(&self) -> Arc<Mutex<BTreeSet<String>>> {
        Arc::clone(&self.overridden)
    }

    /// Whether the lock of the repository can be read, so that a damaged one is said before anything starts.
    pub(crate) fn check_lock(&self) -> Result<(), String> {
        Lock::read(&self.repository_root.join(LOCK_FILE)).map(drop).map_err(|error| with_causes(&error))
    }

    /// Notes what a workflow names.
    pub(crate) fn want(&self, workflow: &Workflow) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for job in &workflow.jobs {
            match &job.kind {
                JobKind::Call(call) => wanted.extend(Wanted::workflow(&call.uses.value)),
                JobKind::Steps(steps) => wanted.extend(steps.steps.iter().filter_map(|step| match &step.kind {
                    StepKind::Uses { uses, .. } => Wanted::action(&uses.value),
                    _ => None,
                })),
            }
        }
    }

    /// Ends what is being fetched.
    pub(crate) fn cancel(&self) {
        if let Some(Ok(fetcher)) = self.fetcher.get() {
            fetcher.cancel();
        }
    }

    /// What a person should know of what was fetched, a sentence each; and the lock, written where it has to be.
    ///
    /// # Errors
    /// A sentence: the lock cannot be written.
    pub(crate) fn finish(&self) -> Result<Vec<String>, String> {
        let mut notes: Vec<String> =
            std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect();
        if let Some(Ok(fetcher)) = self.fetcher.get() {
            let used: BTreeSet<String> = fetcher.used().into_iter().map(|used| used.uses).collect();
            let is_used =
                |wanted: &&Wanted| used.contains(&format!("{}/{}@{}", wanted.owner, wanted.repo, wanted.reference));
            let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            let roots: Vec<Wanted> = wanted.iter().filter(is_used).cloned().collect();
            // What cannot be followed now is followed when it is used.
            drop(fetcher.resolve_all(&roots, &|wanted| {
                lineclear_native::is_built_in(&wanted.owner, &wanted.repo, &wanted.path)
            }));
            let LockChange { added, updated } = fetcher.save_lock().map_err(|error| with_causes(&error))?;
            if !added.is_empty() {
                notes.push(format!("{LOCK_FILE} now has {}; commit it, and they stay what they are", added.join(", ")));
            }
            let moved = |(uses, old, new): (String, String, String)| format!("{LOCK_FILE}: {uses} was {old}, is {new}");
            notes.extend(updated.into_iter().map(moved));
        }
        Ok(notes)
    }

    /// The files of `owner/repo@reference`, or a sentence that says where they were looked for.
    fn find(&self, owner: &str, repo: &str, reference: &str) -> Result<FetchedAction, String> {
        let name = format!("{owner}/{repo}@{reference}");
        // A ref may hold slashes (`releases/v1`), but nothing may lead out of the folder.
        let escapes = [owner, repo, reference].iter().any(|part| part.split(['/', '\\']).any(|piece| piece == ".."));
        if let (Some(folder), false) = (&self.folder, escapes) {
            let place = folder.join(&name);
            if place.is_dir() {
                self.overridden.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
                return Ok(FetchedAction { folder: place, sha: None });
            }
        }
        let fetcher = self.fetcher.get_or_init(|| self.fetcher()).as_ref().map_err(Clone::clone)?;
        let resolved = fetcher.resolve(owner, repo, reference).map_err(|error| {
            let looked_in = match &self.folder {
                Some(folder) => format!("it is not in `{}` (LINECLEAR_ACTIONS_DIR) either", folder.display()),
                None => format!("a folder with `{name}/` that LINECLEAR_ACTIONS_DIR names would do, too"),
            };
            let built_in = match lineclear_native::is_scanner(owner, repo) {
                true => {
                    "; it is built in once `lineclear vulnerabilities import` has taken something in (docs/scan.md)"
                }
                false => "",
            };
            format!("{}; {looked_in}{built_in}", with_causes(&error))
        })?;
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).extend(resolved.notes);
        Ok(FetchedAction { folder: resolved.folder, sha: resolved.commit })
    }

    fn fetcher(&self) -> Result<Fetcher, String> {
        let home = crate::settings::home()?;
        let mut settings = FetchSettings::new(home);
        let (servers, folders) = servers(&variable("LINECLEAR_ACTION_SERVERS"))?;
        if !(servers.is_empty() && folders.is_empty()) {
            (settings.servers, settings.folders) = (servers, folders);
        }
        settings.tokens = tokens(&variable("LINECLEAR_ACTION_TOKENS"))?;
        settings.lock = Some(self.repository_root.join(LOCK_FILE));
        settings.github_lock = Some(self.repository_root.join(".github/workflows/actions.lock"));
        settings.offline = self.args.offline;
        settings.lock_mode = match (self.args.frozen, self.args.update_lock) {
            (true, _) => LockMode::Frozen,
            (false, true) => LockMode::Update,
            (false, false) => LockMode::Add,
        };
        Fetcher::new(settings).map_err(|error| with_causes(&error))
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Addresses with `{owner}` and `{repo}`, and folders, separated by spaces.
fn servers(text: &str) -> Result<(Vec<Server>, Vec<PathBuf>), String> {
    let (mut servers, mut folders) = (Vec::new(), Vec::new());
    for word in text.split_whitespace() {
        if Path::new(word).is_absolute() {
            folders.push(PathBuf::from(word));
            continue;
        }
        let name = word.split_once("://").map_or(word, |(_, rest)| rest).split('/').next().unwrap_or_default();
        if !word.contains("{owner}") || !word.contains("{repo}") || name.is_empty() {
            return Err(format!(
                "LINECLEAR_ACTION_SERVERS: `{word}` is neither an absolute folder nor an address with {{owner}} and {{repo}}, such \
                 as https://github.com/{{owner}}/{{repo}}"
            ));
        }
        // A port is part of what tells servers apart, but no name in a path.
        servers.push(Server { name: name.replace(':', "-"), url: word.to_owned(), mirrors: Vec::new() });
    }
    Ok((servers, folders))
}

/// `host=token` pairs, separated by spaces.
fn tokens(text: &str) -> Result<BTreeMap<String, Token>, String> {
    let pair = |word: &str| {
        let (host, token) = word.split_once('=').filter(|(host, token)| !host.is_empty() && !token.is_empty())?;
        Some((host.to_owned(), Token::new(token)))
    };
    let wrong = || "LINECLEAR_ACTION_TOKENS has to be pairs of host=token, separated by spaces".to_owned();
    text.split_whitespace().map(|word| pair(word).ok_or_else(wrong)).collect()
}

impl ActionSource for ActionFiles {
    fn fetch(&self, owner: &str, repo: &str, reference: &str) -> Result<FetchedAction, String> {
        self.find(owner, repo, reference)
    }
}

impl Files for ActionFiles {
    fn workflow(&self, reference: &WorkflowRef) -> Result<Source, String> {
        let (root, path, name) = match reference {
            WorkflowRef::Local { path } => (self.repository_root.clone(), path, path.clone()),
            WorkflowRef::Remote { owner, repo, path, reference } => {
                (self.find(owner, repo, reference)?.folder, path, format!("{owner}/{repo}/{path}@{reference}"))
            }
        };
        let file =
            lineclear_runner::inside(&root, path).ok_or_else(|| format!("`{name}` leads out of its repository"))?;
        let text = std::fs::read(&file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
        let text = String::from_utf8(text).map_err(|_| format!("`{name}` is not valid UTF-8"))?;
        Ok(Source::new(name, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_addresses_and_folders() {
        let (found, folders) =
            servers("https://git.example.org:3000/{owner}/{repo}.git /srv/actions").expect("both forms");
        assert_eq!(found[0].name, "git.example.org-3000");
        assert_eq!(folders, [PathBuf::from("/srv/actions")]);
        assert!(servers("git.example.org").is_err_and(|why| why.contains("neither an absolute folder nor an address")));
    }

    #[test]
    fn tokens_are_pairs_and_never_shown() {
        let found = tokens("github.com=abc git.example.org=d=e").expect("two pairs");
        assert_eq!(format!("{found:?}"), r#"{"git.example.org": ***, "github.com": ***}"#);
        assert!(tokens("abc").is_err_and(|why| !why.contains("`abc`")));
    }
}
