//! Where actions and called workflows come from that are neither local nor built in.

use std::path::PathBuf;

use lineclear_plan::Files;
use lineclear_runner::{ActionSource, FetchedAction};
use lineclear_source::Source;
use lineclear_workflow::WorkflowRef;

/// A folder that holds `owner/repo@ref/`: `LINECLEAR_ACTIONS_DIR`.
#[derive(Clone, Debug)]
pub(crate) struct ActionsFolder {
    folder: Option<PathBuf>,
    repository_root: PathBuf,
}

impl ActionsFolder {
    pub(crate) fn from_environment(repository_root: PathBuf) -> Self {
        let folder = std::env::var_os("LINECLEAR_ACTIONS_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
        // Steps work in other folders, so a relative path is made absolute here.
        let folder = folder.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
        Self { folder, repository_root }
    }

    /// The folder of `owner/repo@reference`, or a sentence that says where it was looked for.
    fn find(&self, owner: &str, repo: &str, reference: &str) -> Result<PathBuf, String> {
        let name = format!("{owner}/{repo}@{reference}");
        let Some(folder) = &self.folder else {
            return Err(format!(
                "`{name}` is neither built in nor on this machine: put its files into `{name}/` of a folder and name that folder \
                 in LINECLEAR_ACTIONS_DIR"
            ));
        };
        // A ref may hold slashes (`releases/v1`), but nothing may lead out of the folder.
        let escapes = [owner, repo, reference].iter().any(|part| part.split(['/', '\\']).any(|piece| piece == ".."));
        let place = folder.join(&name);
        match escapes {
            false if place.is_dir() => Ok(place),
            _ => Err(format!(
                "`{name}` is not in `{}` (LINECLEAR_ACTIONS_DIR): put its files into `{name}/` there",
                folder.display()
            )),
        }
    }
}

impl ActionSource for ActionsFolder {
    fn fetch(&self, owner: &str, repo: &str, reference: &str) -> Result<FetchedAction, String> {
        Ok(FetchedAction { folder: self.find(owner, repo, reference)?, sha: None })
    }
}

impl Files for ActionsFolder {
    fn workflow(&self, reference: &WorkflowRef) -> Result<Source, String> {
        let (root, path, name) = match reference {
            WorkflowRef::Local { path } => (self.repository_root.clone(), path, path.clone()),
            WorkflowRef::Remote { owner, repo, path, reference } => {
                (self.find(owner, repo, reference)?, path, format!("{owner}/{repo}/{path}@{reference}"))
            }
        };
        let file =
            lineclear_runner::inside(&root, path).ok_or_else(|| format!("`{name}` leads out of its repository"))?;
        let text = std::fs::read(&file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
        let text = String::from_utf8(text).map_err(|_| format!("`{name}` is not valid UTF-8"))?;
        Ok(Source::new(name, text))
    }
}
