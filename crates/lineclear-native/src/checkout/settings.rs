//! The inputs of a checkout.

use std::path::{Component, Path, PathBuf};

use lineclear_runner::native::{Call, NativeError};

use crate::caching::text;

/// A checkout as its inputs describe it.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `owner/name`.
    pub(super) repository: String,
    /// Whether that is the repository that the run is about.
    pub(super) is_own: bool,
    /// Whether the inputs leave the ref to the run.
    pub(super) is_default: bool,
    /// The ref, qualified where the run itself names it; empty for a commit or the default branch.
    pub(super) reference: String,
    /// The commit, where the inputs or the run name one.
    pub(super) commit: Option<String>,
    pub(super) folder: PathBuf,
    pub(super) clean: bool,
    pub(super) filter: Option<String>,
    pub(super) sparse: Vec<String>,
    pub(super) sparse_by_folders: bool,
    /// `None` for all history of all branches and tags.
    pub(super) depth: Option<u32>,
    pub(super) tags: bool,
    pub(super) progress: bool,
    pub(super) lfs: bool,
    pub(super) submodules: Submodules,
    pub(super) token: String,
    pub(super) ssh: Option<Ssh>,
    pub(super) persist_credentials: bool,
    /// Address of the server, without a slash at its end.
    pub(super) server: String,
    pub(super) allow_fork: bool,
}

/// Which submodules there are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Submodules {
    No,
    Direct,
    Recursive,
}

/// How to reach the server by ssh.
#[derive(Clone)]
pub(super) struct Ssh {
    pub(super) key: String,
    pub(super) known_hosts: String,
    pub(super) is_strict: bool,
    pub(super) user: String,
}

impl std::fmt::Debug for Ssh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ssh").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Settings {
    /// # Errors
    /// A repository that is not `owner/name`, or a path outside of the workspace.
    pub(super) fn read(call: &Call<'_>) -> Result<Self, NativeError> {
        let github = &call.contexts.github;
        let own = text(github, "repository").to_owned();
        let repository = Some(call.input("repository")).filter(|name| !name.is_empty()).unwrap_or(&own).to_owned();
        if !is_qualified(&repository) {
            return Err(NativeError(format!("Invalid repository '{repository}'. Expected format {{owner}}/{{repo}}.")));
        }
        let is_own = repository.eq_ignore_ascii_case(&own);
        let is_default = call.input("ref").is_empty();
        let (reference, commit) = reference(call, is_own);
        let is = |name: &str, default: bool| match call.input(name) {
            "" => default,
            value => value.eq_ignore_ascii_case("true"),
        };
        let optional = |name: &str| Some(call.input(name)).filter(|value| !value.is_empty()).map(str::to_owned);
        let server = optional("github-server-url").unwrap_or_else(|| match text(github, "server_url") {
            "" => "https://github.com".to_owned(),
            server => server.to_owned(),
        });
        let submodules = match call.input("submodules").to_ascii_lowercase().as_str() {
            "recursive" => Submodules::Recursive,
            "true" => Submodules::Direct,
            _ => Submodules::No,
        };
        Ok(Self {
            repository,
            is_own,
            is_default,
            reference,
            commit,
            folder: folder(call)?,
            clean: is("clean", true),
            filter: optional("filter"),
            sparse: call.lines("sparse-checkout").into_iter().map(str::to_owned).collect(),
            sparse_by_folders: is("sparse-checkout-cone-mode", true),
            depth: depth(call.input("fetch-depth")),
            tags: is("fetch-tags", false),
            progress: is("show-progress", true),
            lfs: is("lfs", false),
            submodules,
            token: call.input("token").to_owned(),
            ssh: optional("ssh-key").map(|key| Ssh {
                key,
                known_hosts: call.input("ssh-known-hosts").to_owned(),
                is_strict: is("ssh-strict", true),
                user: optional("ssh-user").unwrap_or_else(|| "git".into()),
            }),
            persist_credentials: is("persist-credentials", true),
            server: server.trim_end_matches('/').to_owned(),
            allow_fork: is("allow-unsafe-pr-checkout", false),
        })
    }

    /// The address that is fetched from and that `origin` gets.
    pub(super) fn url(&self) -> String {
        match &self.ssh {
            Some(ssh) => {
                let host = self.server.split_once("://").map_or(self.server.as_str(), |(_, host)| host);
                let host = host.split(['/', ':']).next().unwrap_or(host);
                format!("{}@{host}:{}.git", ssh.user, self.repository)
            }
            None => format!("{}/{}", self.server, self.repository),
        }
    }
}

fn is_qualified(repository: &str) -> bool {
    let parts: Vec<&str> = repository.split('/').collect();
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty() && *part != "." && *part != "..")
}

/// The ref and the commit that the inputs, or else the run, name.
fn reference(call: &Call<'_>, is_own: bool) -> (String, Option<String>) {
    let github = &call.contexts.github;
    // Only blanks of ASCII are no part of a ref's name: a name that becomes a commit's by trimming more is a trick.
    let raw = call.inputs.get("ref").map_or("", String::as_str);
    let given = raw.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    if is_commit(given) {
        return (String::new(), Some(given.to_ascii_lowercase()));
    }
    if !given.is_empty() || !is_own {
        return (given.to_owned(), None);
    }
    let commit =
        Some(text(github, "sha").to_owned()).filter(|sha| is_commit(sha) && sha.bytes().any(|byte| byte != b'0'));
    // Some events name a branch without `refs/heads/`.
    let reference = match text(github, "ref") {
        name if name.is_empty() || name.starts_with("refs/") => name.to_owned(),
        name => format!("refs/heads/{name}"),
    };
    (reference, commit)
}

/// Whether this is the full name of a commit.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn folder(call: &Call<'_>) -> Result<PathBuf, NativeError> {
    let workspace = call.workspace();
    let mut folder = PathBuf::new();
    for part in workspace.join(call.input("path")).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(folder.pop()),
            part => folder.push(part),
        }
    }
    // Through a link in the workspace it could be anywhere.
    let real = |path: &Path| path.ancestors().find_map(|path| path.canonicalize().ok());
    let is_below = match (real(&folder), real(workspace)) {
        (Some(folder), Some(workspace)) => folder.starts_with(workspace),
        _ => true,
    };
    if !folder.starts_with(workspace) || !is_below {
        return Err(NativeError(format!(
            "Repository path '{}' is not under '{}'",
            folder.display(),
            workspace.display()
        )));
    }
    for name in [".git", ".git/config", ".git/lineclear-checkout"] {
        call.reached("input `path`", folder.join(name))?;
    }
    Ok(folder)
}

/// A depth as a number is read: what is none, or less than one, means all.
fn depth(text: &str) -> Option<u32> {
    let text = if text.is_empty() { "1" } else { text };
    let number = text.parse::<f64>().ok().filter(|number| *number >= 1.0)?;
    // Deeper than any history is all the same.
    Some(if number >= f64::from(u32::MAX) {
        u32::MAX
    } else {
        format!("{:.0}", number.floor()).parse().unwrap_or(u32::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths_are_read_as_numbers() {
        assert_eq!(depth(""), Some(1));
        assert_eq!(depth("0"), None);
        assert_eq!(depth("-3"), None);
        assert_eq!(depth("all"), None);
        assert_eq!(depth("2.9"), Some(2));
        assert_eq!(depth("1e99"), Some(u32::MAX));
    }

    #[test]
    fn repositories_have_an_owner_and_a_name() {
        assert!(is_qualified("octo/app"));
        for name in ["app", "octo/app/x", "/app", "octo/", "../app", "octo/.."] {
            assert!(!is_qualified(name), "{name}");
        }
    }
}
