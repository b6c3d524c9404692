//! The file that an annotation names.
//!
//! # Source
//! Section 2.6 of the protocol notes ("File check"), after `OutputManager.cs` of `actions/runner`.

use std::path::{Component, Path, PathBuf};

use crate::plain_file;

/// A git configuration is small; one larger than this is something else.
const LARGEST_CONFIG: u64 = 1 << 20;

/// A file that was named outright: relative to the workspace where it lies in it, with forward slashes.
pub(crate) fn named(workspace: &Path, file: &str) -> String {
    let path = Path::new(file);
    let relative = path.strip_prefix(workspace).unwrap_or(path).to_string_lossy().replace('\\', "/");
    relative.strip_prefix("./").unwrap_or(&relative).to_owned()
}

/// The repository of a workflow, as its remote's URL names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repository<'r> {
    pub(crate) server_url: &'r str,
    /// Owner and name.
    pub(crate) name: &'r str,
}

/// A file that a problem matcher found in a step's output: relative to its repository.
///
/// A workspace without a git folder is the repository, too: a job may have its files without a checkout.
///
/// # Errors
/// Why it is left out: there is no such file, or it lies outside of the workflow's repository. A matcher only guesses that
/// something is the name of a file.
pub(crate) fn guessed(workspace: &Path, repository: Repository<'_>, file: &str) -> Result<String, &'static str> {
    let path = without_dots(&workspace.join(file.replace('\\', "/")));
    if !path.is_file() {
        return Err("there is no such file");
    }
    let root = match path.ancestors().skip(1).find(|folder| folder.join(".git/config").is_file()) {
        Some(root) if repository.is_at(root) => root,
        None if path.starts_with(workspace) => workspace,
        _ => return Err("it does not lie in the workflow's repository"),
    };
    Ok(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned())
}

impl Repository<'_> {
    /// Whether a remote of the repository in this folder is this one.
    fn is_at(self, folder: &Path) -> bool {
        let config = plain_file::read(&folder.join(".git/config"), LARGEST_CONFIG).unwrap_or_default();
        config
            .lines()
            .filter_map(|line| line.split_once('='))
            .any(|(key, value)| key.trim().eq_ignore_ascii_case("url") && self.has_url(value.trim().trim_matches('"')))
    }

    /// Whether a URL is this repository's: by HTTPS, or by SSH in the short form.
    fn has_url(self, url: &str) -> bool {
        let Self { server_url, name } = self;
        let server = server_url.trim_end_matches('/');
        let host = server.split_once("://").map_or(server, |(_, host)| host);
        let url = url.strip_suffix(".git").unwrap_or(url);
        url.eq_ignore_ascii_case(&format!("{server}/{name}")) || url.eq_ignore_ascii_case(&format!("git@{host}:{name}"))
    }
}

/// The path with each `..` taken up, as text: links are not looked at.
fn without_dots(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
        clean
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const REPOSITORY: Repository<'static> = Repository { server_url: "https://github.com", name: "octo/repo" };

    #[test]
    fn an_annotated_file_is_named_relative_to_the_workspace() {
        let named = |file: &str| named(Path::new("/w/repo/repo"), file);
        assert_eq!(named("/w/repo/repo/src/a.rs"), "src/a.rs");
        assert_eq!(named("./src/a.rs"), "src/a.rs");
        assert_eq!(named("src\\a.rs"), "src/a.rs");
        assert_eq!(named("/usr/include/a.h"), "/usr/include/a.h");
    }

    #[test]
    fn a_guessed_file_must_exist_in_the_repository() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = fs::canonicalize(folder.path()).expect("it is there");
        let workspace = root.join("w");
        for file in ["w/src/a.rs", "w/own/b.rs", "w/other/c.rs", "beside/d.rs", "clone/e.rs"] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        let configure = |folder: &str, url: &str| {
            let git = root.join(folder).join(".git");
            fs::create_dir_all(&git).expect("a folder");
            fs::write(git.join("config"), format!("[remote \"origin\"]\n\turl = {url}\n")).expect("a file");
        };
        configure("w/own", "\"https://github.com/Octo/repo\"");
        configure("w/other", "https://github.com/octo/repository");
        configure("clone", "git@github.com:octo/repo.git");
        let guess = |file: &str| guessed(&workspace, REPOSITORY, file).ok();
        for (file, expected) in [
            ("src/a.rs", Some("src/a.rs")),
            ("./src/../src\\a.rs", Some("src/a.rs")),
            (workspace.join("src/a.rs").to_str().expect("it is text"), Some("src/a.rs")),
            ("src/none.rs", None),
            ("src", None),
            // A checkout in a folder of its own: the file as its repository names it.
            ("own/b.rs", Some("b.rs")),
            ("other/c.rs", None),
            ("../beside/d.rs", None),
            ("../clone/e.rs", Some("e.rs")),
            ("/etc/hosts", None),
        ] {
            assert_eq!(guess(file).as_deref(), expected, "{file}");
        }
        configure("w", "https://github.com/octo/repository");
        assert_eq!(guess("src/a.rs"), None, "another repository was checked out");
    }
}
