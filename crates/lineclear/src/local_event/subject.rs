//! Whose event it is: the repository and the actor, from the payload, the remote's address, or the folder's name.

use std::path::Path;

use lineclear_event::Repository;
use serde_json::{Value, json};

use super::checkout::Checkout;

/// Where addresses of pages in a payload made here begin.
const SERVER: &str = "https://github.com";

impl Checkout {
    /// `owner/name` of this repository, as the events that are made here have it.
    pub(crate) fn repository_name(&self) -> String {
        repository(self, None, None).full_name()
    }
}

impl Checkout {
    /// The person who works here, by git's own settings: `Ann Example <ann@example.org>`.
    pub(crate) fn person(&self) -> Option<String> {
        let said = |key: &str| self.config.get("user", key).map(str::trim).filter(|value| !value.is_empty());
        let name = said("name")?;
        Some(said("email").map_or_else(|| name.to_owned(), |email| format!("{name} <{email}>")))
    }
}

/// The repository of an event.
pub(super) fn repository(checkout: &Checkout, payload: Option<&Value>, default_branch: Option<&str>) -> Repository {
    let told = payload.and_then(|payload| payload.get("repository"));
    let text = |pointer: &str| told.and_then(|told| told.pointer(pointer)).and_then(Value::as_str);
    let number = |pointer: &str| match told.and_then(|told| told.pointer(pointer)) {
        Some(Value::Number(id)) => id.to_string(),
        Some(Value::String(id)) => id.clone(),
        // Nobody has given this repository a number.
        _ => "0".to_owned(),
    };
    let (owner, name) = text("/full_name")
        .and_then(|name| name.split_once('/'))
        .or_else(|| Some((text("/owner/login").or_else(|| text("/owner/name"))?, text("/name")?)))
        .map(|(owner, name)| (owner.to_owned(), name.to_owned()))
        .or_else(|| checkout.config.remote_url().and_then(owner_and_name))
        .unwrap_or_else(|| ("local".to_owned(), folder_name(&checkout.root)));
    let branch = default_branch.or_else(|| text("/default_branch")).map(str::to_owned);
    Repository {
        owner,
        name,
        default_branch: branch.unwrap_or_else(|| checkout.default_branch()),
        id: number("/id"),
        owner_id: number("/owner/id"),
        private: told.and_then(|told| told.get("private")).and_then(Value::as_bool).unwrap_or(false),
    }
}

/// Who caused an event.
pub(super) fn actor(checkout: &Checkout, payload: Option<&Value>, given: Option<&str>) -> String {
    let told = |pointer: &str| payload.and_then(|payload| payload.pointer(pointer)).and_then(Value::as_str);
    given
        .or_else(|| told("/sender/login"))
        .or_else(|| told("/pusher/name"))
        .or_else(|| told("/pull_request/user/login"))
        .or_else(|| checkout.config.get("github", "user"))
        .or_else(|| checkout.config.get("user", "name"))
        .map(str::to_owned)
        .or_else(|| std::env::var("USER").ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "local".to_owned())
}

/// The last two parts of a remote's path: `git@github.com:owner/name.git`, `https://host/group/owner/name`.
fn owner_and_name(url: &str) -> Option<(String, String)> {
    let path = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?.1,
        // `host:path`, but no path of this machine.
        None => {
            let (host, path) = url.split_once(':')?;
            if host.contains('/') || host.len() < 2 {
                return None;
            }
            path
        }
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (rest, name) = path.rsplit_once('/')?;
    let owner = rest.rsplit('/').next()?;
    (!owner.is_empty() && !name.is_empty()).then(|| (owner.to_owned(), name.to_owned()))
}

fn folder_name(root: &Path) -> String {
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = name.chars().map(allowed).collect();
    if name.is_empty() { "repository".to_owned() } else { name }
}

/// The address of the repository's page.
pub(super) fn page(repository: &Repository) -> String {
    format!("{SERVER}/{}", repository.full_name())
}

/// `repository` of a payload.
pub(super) fn repository_json(repository: &Repository) -> Value {
    let page = page(repository);
    let api = format!("https://api.github.com/repos/{}", repository.full_name());
    json!({
        "archived": false,
        "clone_url": format!("{page}.git"),
        "default_branch": repository.default_branch,
        "description": null,
        "disabled": false,
        "fork": false,
        "full_name": repository.full_name(),
        "git_url": format!("git://github.com/{}.git", repository.full_name()),
        "html_url": page,
        "id": number(&repository.id),
        "master_branch": repository.default_branch,
        "name": repository.name,
        "owner": user_json(&repository.owner, &repository.owner_id),
        "private": repository.private,
        "ssh_url": format!("git@github.com:{}.git", repository.full_name()),
        "topics": [],
        "url": api,
        "visibility": if repository.private { "private" } else { "public" },
    })
}

/// A user of a payload: `sender`, `owner`, `user`.
pub(super) fn user_json(login: &str, id: &str) -> Value {
    json!({
        "html_url": format!("{SERVER}/{login}"),
        "id": number(id),
        "login": login,
        "site_admin": false,
        "type": "User",
        "url": format!("https://api.github.com/users/{login}"),
    })
}

fn number(text: &str) -> Value {
    text.parse::<u64>().map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_named_by_its_remote() {
        let named = |url: &str| owner_and_name(url).map(|(owner, name)| format!("{owner}/{name}"));
        for url in [
            "https://github.com/octo/app.git",
            "https://user:token@github.com/octo/app",
            "git@github.com:octo/app.git",
            "ssh://git@host:2222/octo/app.git/",
            "https://gitlab.example/group/octo/app.git",
            "git://host/octo/app",
        ] {
            assert_eq!(named(url).as_deref(), Some("octo/app"), "{url}");
        }
        for url in ["/srv/git/app.git", "../app", "file:///srv/octo/app.git", "C:/octo/app", "https://host/app", ""] {
            assert_eq!(named(url), None, "{url}");
        }
    }
}
